/* A machine on a small program that does what tracers are to see, and its tracers.
 *
 * At `user` the program runs in U-mode: openat("/etc/x") by ecall, which the handler answers with
 * -ENOENT; three calls of `leaf`, each a store and a load; a character to the UART; power off. */
#ifndef RIVULET_TESTS_UNIT_TRACE_RIG_H
#define RIVULET_TESTS_UNIT_TRACE_RIG_H

#include "debug/trace.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#define TRACE_HANDLER (RIG_RAM + 0x200)
#define TRACE_USER    (RIG_RAM + 0x300)
#define TRACE_LEAF    (RIG_RAM + 0x400)
#define TRACE_PATH    (RIG_RAM + 0x500)

struct trace_rig {
    struct program p;
    struct rig *rig;
    struct control *control;
    struct trace *trace;
    struct error err;
    char text[1 << 18];
};

static inline void put_traced_user(struct assembler *a)
{
    a->pc = TRACE_USER;
    asm_li(a, A0, -100);
    asm_li(a, A1, (int64_t)TRACE_PATH);
    asm_li(a, A2, 02000000);
    asm_li(a, A7, 56);
    ASM(a, ecall);
    asm_li(a, S0, (int64_t)RIG_DATA);
    for (unsigned i = 0; i < 3; i++)
        ASM(a, jal, .rd = RA, .imm = asm_to(a, TRACE_LEAF));
    asm_li(a, T0, RIG_UART);
    asm_li(a, T1, 'x');
    ASM(a, sb, .rs1 = T0, .rs2 = T1);
    asm_li(a, T0, RIG_TEST);
    asm_li(a, T1, 0x5555);
    ASM(a, sw, .rs1 = T0, .rs2 = T1);
    a->pc = TRACE_LEAF;
    ASM(a, addi, .rd = T1, .rs1 = T1, .imm = 1);
    ASM(a, sd, .rs1 = S0, .rs2 = T1, .imm = 8);
    ASM(a, ld, .rd = T2, .rs1 = S0, .imm = 8);
    ASM(a, jalr, .rs1 = RA);
}

static inline void put_traced_program(struct program *p)
{
    struct assembler *a = &p->a;
    asm_csrw(a, CSR_MTVEC, (int64_t)TRACE_HANDLER);
    asm_csrw(a, 0x3b0, -1);   /* pmpaddr0: everything */
    asm_csrw(a, 0x3a0, 0x1f); /* pmpcfg0: NAPOT, rwx */
    asm_csrw(a, 0x341, (int64_t)TRACE_USER);
    ASM(a, mret);
    a->pc = TRACE_HANDLER;
    ASM(a, csrrs, .rd = T0, .imm = 0x341);
    ASM(a, addi, .rd = T0, .rs1 = T0, .imm = 4);
    ASM(a, csrrw, .rs1 = T0, .imm = 0x341);
    asm_li(a, A0, -2);
    ASM(a, mret);
    put_traced_user(a);
    memcpy(p->bytes + (TRACE_PATH - RIG_RAM), "/etc/x", 7);
}

/* In a folder of its own. */
static inline void trace_open_harts(struct trace_rig *r, void (*put)(struct program *p),
                                    unsigned harts)
{
    struct control_config config = {.no_shutdown = true};
    enter_temp_folder();
    memset(r, 0, sizeof *r);
    program_begin(&r->p);
    put(&r->p);
    program_end(&r->p);
    struct machine_config machine = rig_config(&r->p, harts);
    machine.no_reboot = true;
    r->rig = rig_create_with(machine);
    r->control = control_create(r->rig->m, &config, &r->err);
    r->trace = trace_create(r->control, &r->err);
    ck_assert_ptr_nonnull(r->trace);
}

static inline void trace_open_with(struct trace_rig *r, void (*put)(struct program *p))
{
    trace_open_harts(r, put, 1);
}

static inline void trace_open(struct trace_rig *r)
{
    trace_open_with(r, put_traced_program);
}

static inline void trace_close(struct trace_rig *r)
{
    trace_destroy(r->trace);
    control_destroy(r->control);
    rig_free(r->rig);
    unlink(r->p.path);
    leave_temp_folder();
}

static inline void trace_run(struct trace_rig *r)
{
    while (control_state(r->control) == RUN_RUNNING)
        ck_assert_int_eq(control_run(r->control, UINT64_MAX, RIG_MS, &r->err), CONTROL_GOES_ON);
    ck_assert_int_eq(control_state(r->control), RUN_SHUTDOWN);
}

/* What a file holds. */
static inline const char *trace_read(struct trace_rig *r, const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "no %s", path);
    size_t n = fread(r->text, 1, sizeof r->text - 1, file);
    r->text[n] = 0;
    fclose(file);
    return r->text;
}

/* The machine's whole life under this trace, whose file is `out`: what it wrote. */
static inline const char *trace_of(struct trace_rig *r, const char *spec)
{
    ck_assert_msg(trace_start(r->trace, spec, &r->err), "%s", r->err.text);
    trace_run(r);
    ck_assert_msg(trace_stop_all(r->trace, &r->err), "%s", r->err.text);
    return trace_read(r, "out");
}

static inline unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* "traced", a System.map with the program's parts. */
static inline void put_symbols(void)
{
    FILE *file = fopen("traced", "w");
    fprintf(file, "%llx T start\n%llx T handler\n%llx T user\n%llx T leaf\n%llx D path\n",
            (unsigned long long)RIG_RAM, (unsigned long long)TRACE_HANDLER,
            (unsigned long long)TRACE_USER, (unsigned long long)TRACE_LEAF,
            (unsigned long long)TRACE_PATH);
    fclose(file);
}

static inline int trace_suite(Suite *suite)
{
    return run_suite(suite);
}

#endif
