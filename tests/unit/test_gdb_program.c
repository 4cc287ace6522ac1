/* The gdb stub on a program: what it has and a machine has not. */
#include "cpu/code.h"
#include "tests/unit/gdb_rig.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <signal.h>

#define PID 0x1234

/* A program that does what a test says; its hart is a machine's. */
struct fake {
    struct gdb_rig r; /* the machine, and what was said */
    struct target_program program;
    struct control *control;
    struct gdb *gdb;
    struct machine_exit exit; /* of the next run */
    int killed_by, given;     /* given: set_signal */
    uint64_t told;
    bool is_sealed, has_file;
};

static struct machine_exit fake_run(void *owner)
{
    struct fake *f = owner;
    return f->exit;
}

static void fake_request_stop(void *owner)
{
    (void)owner;
}

static void fake_stop_at(void *owner, uint64_t end_steps)
{
    (void)owner, (void)end_steps;
}

static struct hart *fake_hart(void *owner)
{
    struct fake *f = owner;
    return machine_hart(f->r.m.rig->m, 0);
}

static bool fake_add_breakpoint(void *owner, uint64_t va)
{
    struct fake *f = owner;
    return machine_add_breakpoint(f->r.m.rig->m, va);
}

static void fake_remove_breakpoint(void *owner, uint64_t va)
{
    struct fake *f = owner;
    machine_remove_breakpoint(f->r.m.rig->m, va);
}

static int fake_pid(void *owner)
{
    (void)owner;
    return PID;
}

static const char *fake_file(void *owner)
{
    (void)owner;
    return "/bin/x";
}

static const void *fake_auxv(void *owner, size_t *bytes)
{
    (void)owner;
    *bytes = 4;
    return "auxv";
}

static int fake_killed_by(void *owner)
{
    struct fake *f = owner;
    return f->killed_by;
}

static bool fake_may_write(void *owner, uint64_t va, size_t n)
{
    struct fake *f = owner;
    (void)va, (void)n;
    return !f->is_sealed;
}

static void fake_tell_signals(void *owner, uint64_t signals)
{
    struct fake *f = owner;
    f->told = signals;
}

static void fake_set_signal(void *owner, int number)
{
    struct fake *f = owner;
    f->given = number;
}

static int fake_open(void *owner, const char *name)
{
    struct fake *f = owner;
    f->has_file = strcmp(name, "/etc/x") == 0;
    return f->has_file ? 0x385 : -ENOENT;
}

static long fake_read(void *owner, int fd, void *to, size_t n, uint64_t offset)
{
    struct fake *f = owner;
    if (!f->has_file || fd != 0x385)
        return -EBADF;
    offset = min_u64(offset, 10);
    n = min_u64(n, 10 - offset);
    memcpy(to, &"0123456789"[offset], n);
    return (long)n;
}

static bool fake_describe(void *owner, int fd, struct program_file *file)
{
    struct fake *f = owner;
    *file = (struct program_file){0100644, 1, 10, 8, 0x01020304};
    return f->has_file && fd == 0x385;
}

static void fake_close(void *owner, int fd)
{
    struct fake *f = owner;
    f->has_file &= fd != 0x385;
}

static const struct program_ops ops = {
    .run = fake_run,
    .request_stop = fake_request_stop,
    .stop_at = fake_stop_at,
    .hart = fake_hart,
    .add_breakpoint = fake_add_breakpoint,
    .remove_breakpoint = fake_remove_breakpoint,
    .pid = fake_pid,
    .file = fake_file,
    .auxv = fake_auxv,
    .killed_by = fake_killed_by,
    .may_write = fake_may_write,
    .tell_signals = fake_tell_signals,
    .set_signal = fake_set_signal,
    .open = fake_open,
    .read = fake_read,
    .describe = fake_describe,
    .close = fake_close,
};

static void open_fake(struct fake *f)
{
    struct control_config config = {.starts_stopped = true};
    memset(f, 0, sizeof *f);
    monitor_open(&f->r.m, 1);
    f->program = (struct target_program){&ops, f};
    f->control = control_create_for_program(&f->program, &config, &f->r.m.err);
    ck_assert_ptr_nonnull(f->control);
    struct byte_sink out = monitor_out(&f->r.m);
    f->gdb = gdb_create(f->control, NULL, &out, &f->r.m.err);
    ck_assert_ptr_nonnull(f->gdb);
    gdb_connect(f->gdb);
    f->r.gdb = f->gdb;
}

static void close_fake(struct fake *f)
{
    if (f->gdb)
        gdb_destroy(f->gdb);
    control_destroy(f->control);
    monitor_close(&f->r.m);
}

/* Lets it run to the stop that the test has prepared. */
static const char *go(struct fake *f, const char *packet)
{
    gdb_ask(&f->r, packet);
    control_run(f->control, UINT64_MAX, 0, &f->r.m.err);
    return gdb_last(&f->r);
}

START_TEST(a_program_offers_its_auxv_file_and_signals)
{
    struct fake f;
    open_fake(&f);
    const char *all = gdb_ask(&f.r, "qSupported:multiprocess+;exec-events+");
    CHECK_IN(all, "qXfer:auxv:read+");
    CHECK_IN(all, "qXfer:exec-file:read+");
    CHECK_IN(all, "QPassSignals+");
    CHECK_IN(all, "exec-events+");
    CHECK_GDB(&f.r, "qXfer:auxv:read::0,1000", "lauxv");
    CHECK_GDB(&f.r, "qXfer:exec-file:read:1234:0,1000", "l/bin/x");
    CHECK_GDB(&f.r, "qXfer:exec-file:read::2,3", "min/");
    CHECK_GDB(&f.r, "qXfer:exec-file:read:7:0,1000", "E22");
    CHECK_GDB(&f.r, "qAttached", "0");
    CHECK_IN(gdb_ask(&f.r, "qXfer:features:read:target.xml:0,1000"), "<osabi>GNU/Linux</osabi>");
    close_fake(&f);
}
END_TEST

START_TEST(a_programs_thread_has_the_number_of_its_process)
{
    struct fake f;
    open_fake(&f);
    gdb_ask(&f.r, "qSupported:multiprocess+");
    CHECK_GDB(&f.r, "qfThreadInfo", "mp1234.1234");
    CHECK_GDB(&f.r, "Hgp1234.1234", "OK");
    CHECK_GDB(&f.r, "Tp1234.1235", "E22");
    CHECK_GDB(&f.r, "Tp1.1", "E22");
    close_fake(&f);
}
END_TEST

START_TEST(a_signal_is_told_by_gdbs_number_and_given_by_linuxs)
{
    static const struct {
        int linux_number;
        const char *told;
        const char *given; /* back again */
    } all[] = {
        {SIGSEGV, "T0bthread", "C0b"}, {SIGBUS, "T0athread", "C0a"}, {SIGUSR1, "T1ethread", "C1e"},
        {SIGCHLD, "T14thread", "C14"}, {SIGSYS, "T0cthread", "C0c"}, {32, "T4dthread", "C4d"},
        {33, "T2dthread", "C2d"},      {63, "T4bthread", "C4b"},     {64, "T4ethread", "C4e"},
    };
    struct fake f;
    open_fake(&f);
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        f.exit = (struct machine_exit){.stop = MACHINE_SIGNAL, .status = all[i].linux_number};
        ck_assert_str_eq(strtok((char *)(uintptr_t)go(&f, "c"), ":"), all[i].told);
        go(&f, all[i].given);
        ck_assert_int_eq(f.given, all[i].linux_number);
        go(&f, "c");
        ck_assert_int_eq(f.given, 0);
        char action[20];
        snprintf(action, sizeof action, "vCont;%s", all[i].given);
        go(&f, action);
        ck_assert_int_eq(f.given, all[i].linux_number);
    }
    close_fake(&f);
}
END_TEST

START_TEST(what_gdb_passes_does_not_stop_the_program)
{
    struct fake f;
    open_fake(&f);
    ck_assert_uint_eq(f.told, UINT64_MAX);
    CHECK_GDB(&f.r, "QPassSignals:e;14;97", "OK");
    ck_assert_uint_eq(f.told, ~(1ull << (SIGALRM - 1) | 1ull << (SIGCHLD - 1)));
    CHECK_GDB(&f.r, "QPassSignals:", "OK");
    ck_assert_uint_eq(f.told, UINT64_MAX);
    CHECK_GDB(&f.r, "QPassSignals:e,", "E22");
    CHECK_GDB(&f.r, "D;1234", "OK");
    ck_assert_uint_eq(f.told, 0);
    close_fake(&f);
}
END_TEST

START_TEST(another_program_is_announced_and_has_no_breakpoints)
{
    struct fake f;
    open_fake(&f);
    struct hart *h = fake_hart(&f);
    gdb_ask(&f.r, "qSupported:exec-events+");
    CHECK_GDB(&f.r, "Z0,80000000,4", "OK");
    ck_assert(code_has_breakpoint(h->ports.code, 0x80000000));
    f.exit = (struct machine_exit){.stop = MACHINE_REPLACED};
    CHECK_IN(go(&f, "c"), "exec:2f62696e2f78;");
    ck_assert(!code_has_breakpoint(h->ports.code, 0x80000000));
    close_fake(&f);
}
END_TEST

/* The last packet says how it ended. */
START_TEST(the_end_is_a_status_or_a_signal)
{
    struct fake f;
    open_fake(&f);
    f.exit = (struct machine_exit){.stop = MACHINE_POWER_OFF, .status = 7};
    go(&f, "c");
    gdb_destroy(f.gdb);
    f.gdb = NULL;
    ck_assert_str_eq(gdb_last(&f.r), "W07");
    close_fake(&f);
    open_fake(&f);
    f.exit = (struct machine_exit){.stop = MACHINE_POWER_OFF, .status = SIGBUS};
    f.killed_by = SIGBUS;
    go(&f, "c");
    gdb_destroy(f.gdb);
    f.gdb = NULL;
    ck_assert_str_eq(gdb_last(&f.r), "X0a");
    close_fake(&f);
}
END_TEST

START_TEST(files_are_read_as_the_program_finds_them)
{
    struct fake f;
    open_fake(&f);
    CHECK_GDB(&f.r, "vFile:setfs:0", "F0");
    CHECK_GDB(&f.r, "vFile:open:2f6e6f,0,1c0", "F-1,2");
    CHECK_GDB(&f.r, "vFile:open:2f6574632f78,0,1c0", "F385");
    CHECK_GDB(&f.r, "vFile:pread:385,4,3", "F4;3456");
    CHECK_GDB(&f.r, "vFile:pread:385,100,8", "F2;89");
    CHECK_GDB(&f.r, "vFile:pread:385,4,ffff", "F0;");
    CHECK_GDB(&f.r, "vFile:pread:1,4,3", "F-1,9");
    CHECK_GDB(&f.r, "vFile:close:1", "F-1,9");
    CHECK_IN(gdb_ask(&f.r, "vFile:fstat:385"), "F40;");
    CHECK_GDB(&f.r, "vFile:fstat:1", "F-1,9");
    CHECK_GDB(&f.r, "vFile:close:385", "F0");
    CHECK_GDB(&f.r, "vFile:pread:385,4,3", "F-1,9");
    close_fake(&f);
}
END_TEST

START_TEST(files_are_closed_for_who_leaves)
{
    struct fake f;
    open_fake(&f);
    for (unsigned i = 0; i < 8; i++)
        CHECK_GDB(&f.r, "vFile:open:2f6574632f78,0,1c0", "F385");
    CHECK_GDB(&f.r, "vFile:open:2f6574632f78,0,1c0", "F-1,18");
    gdb_disconnect(f.gdb);
    ck_assert(!f.has_file);
    gdb_connect(f.gdb);
    f.has_file = true;
    CHECK_GDB(&f.r, "vFile:pread:385,4,3", "F-1,9"); /* another's */
    CHECK_GDB(&f.r, "vFile:open:2f6574632f78,0,1c0", "F385");
    close_fake(&f);
}
END_TEST

START_TEST(nothing_is_written_to_files)
{
    struct fake f;
    open_fake(&f);
    CHECK_GDB(&f.r, "vFile:open:2f6574632f78,1,1c0", "F-1,d");
    CHECK_GDB(&f.r, "vFile:open:2f6574632f78,2,1c0", "F-1,d");
    ck_assert(!f.has_file);
    CHECK_GDB(&f.r, "vFile:open:2f65,0", "F-1,16");
    CHECK_GDB(&f.r, "vFile:open:", "F-1,16");
    CHECK_GDB(&f.r, "vFile:pread:ffffffffffffffff,1,0", "F-1,9");
    CHECK_GDB(&f.r, "vFile:pwrite:385,0,x", "");
    CHECK_GDB(&f.r, "vFile:unlink:2f65", "");
    close_fake(&f);
}
END_TEST

START_TEST(what_belongs_to_a_kernel_cannot_be_written)
{
    struct fake f;
    open_fake(&f);
    CHECK_GDB(&f.r, "P0a=0100000000000000", "OK");
    CHECK_GDB(&f.r, "P1041=0300000000000000", "E22"); /* priv */
    CHECK_GDB(&f.r, "P1c1=0000000000000000", "E22");  /* satp */
    CHECK_GDB(&f.r, "Qqemu.PhyMemMode:1", "E22");
    CHECK_GDB(&f.r, "M80000000,1:00", "OK");
    f.is_sealed = true;
    CHECK_GDB(&f.r, "M80000000,1:00", "E14");
    CHECK_GDB(&f.r, "qRcmd,68", ""); /* it has no monitor */
    close_fake(&f);
}
END_TEST

START_TEST(a_machine_has_none_of_it)
{
    struct gdb_rig r;
    gdb_open(&r, 1);
    ck_assert_ptr_null(strstr(gdb_ask(&r, "qSupported:exec-events+"), "QPassSignals"));
    CHECK_GDB(&r, "qXfer:auxv:read::0,1000", "");
    CHECK_GDB(&r, "qXfer:exec-file:read::0,1000", "");
    CHECK_GDB(&r, "QPassSignals:e", "");
    CHECK_GDB(&r, "vFile:open:2f65,0,0", "");
    gdb_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb_program");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, a_program_offers_its_auxv_file_and_signals);
    tcase_add_test(tests, a_programs_thread_has_the_number_of_its_process);
    tcase_add_test(tests, a_signal_is_told_by_gdbs_number_and_given_by_linuxs);
    tcase_add_test(tests, what_gdb_passes_does_not_stop_the_program);
    tcase_add_test(tests, another_program_is_announced_and_has_no_breakpoints);
    tcase_add_test(tests, the_end_is_a_status_or_a_signal);
    tcase_add_test(tests, files_are_read_as_the_program_finds_them);
    tcase_add_test(tests, files_are_closed_for_who_leaves);
    tcase_add_test(tests, nothing_is_written_to_files);
    tcase_add_test(tests, what_belongs_to_a_kernel_cannot_be_written);
    tcase_add_test(tests, a_machine_has_none_of_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
