/* Debugging and measuring a program (contract: exec_debug.h): the program as what a control lets
 * run, and the loop that gdb and the program share a thread in. */
#include "frontend/exec_debug.h"

#include "debug/sources.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "frontend/exec_gdb.h"
#include "syscall/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct exec_debug {
    struct process *process;
    struct target_program program;
    struct control *control;
    struct trace *trace;  /* NULL: nothing is traced */
    struct exec_gdb *gdb; /* NULL: it cannot come */
    struct exec_exit exit;
};

/* ---- names of places ---- */

/* Where a byte of the file is when the file is loaded at its own addresses; false: nowhere. */
static bool address_of(const char *file, uint64_t offset, uint64_t *address)
{
    struct elf_file *elf = malloc(sizeof *elf);
    const char *why;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool found = false;
    if (elf && fd >= 0 && elf_read(fd, elf, &why) == 0) {
        for (unsigned i = 0; i < elf->header.e_phnum && !found; i++) {
            const Elf64_Phdr *s = &elf->segments[i];
            uint64_t start = s->p_offset & PAGE_MASK;
            found = s->p_type == PT_LOAD && offset >= start && offset < s->p_offset + s->p_filesz;
            *address = s->p_vaddr - s->p_offset + offset;
        }
    }
    if (fd >= 0)
        close(fd);
    free(elf);
    return found;
}

static void put_line(const char *file, uint64_t address, char *text, size_t n)
{
    struct error ignored;
    struct sources *sources = sources_open(file, 0, &ignored);
    const struct source_row *row = sources ? sources_at(sources, address) : NULL;
    if (row)
        snprintf(text, n, " (%s:%u)", row->file, row->line);
    sources_destroy(sources);
}

void exec_name_place(const char *file, uint64_t offset, char *text, size_t n)
{
    struct error err;
    uint64_t address;
    struct symbols *symbols = symbols_create();
    if (symbols && address_of(file, offset, &address) && symbols_load(symbols, file, 0, &err)) {
        const struct symbol *s = symbols_at(symbols, address);
        int put =
            s ? snprintf(text, n, "%s+0x%llx", s->name, (unsigned long long)(address - s->start))
              : 0;
        if (put > 0 && (size_t)put < n)
            put_line(file, address, text + put, n - (size_t)put);
    }
    symbols_destroy(symbols);
}

/* ---- symbols of what is mapped ---- */

static bool is_loaded(const struct symbols *s, const char *path, uint64_t base)
{
    for (unsigned i = 0; symbols_file(s, i); i++)
        if (symbols_base(s, i) == base && strcmp(symbols_file(s, i), path) == 0)
            return true;
    return false;
}

/* Files without symbols are left out. */
static void add_file(void *owner, const char *path, uint64_t va, uint64_t end, uint64_t offset)
{
    struct exec_debug *d = owner;
    struct error ignored;
    uint64_t address;
    if (address_of(path, offset, &address) &&
        !is_loaded(trace_symbols(d->trace), path, va - address))
        (void)!trace_add_file(d->trace, path, va - address, end, &ignored);
}

/* ---- the program as what a control lets run ---- */

/* The child of a fork has come to its end; what was collected is its parent's. */
static _Noreturn void end_child(struct exec_exit exit)
{
    if (exit.stop == EXEC_KILLED)
        exec_die(exit.number);
    fflush(NULL);
    _exit(exit.number);
}

static struct machine_exit replace(struct exec_debug *d)
{
    if (d->trace)
        trace_forget_symbols(d->trace);
    bool is_told = d->gdb && exec_gdb_has_peer(d->gdb);
    return (struct machine_exit){.stop = is_told ? MACHINE_REPLACED : MACHINE_REQUEST};
}

static struct machine_exit run(void *owner)
{
    struct exec_debug *d = owner;
    struct exec_exit exit = exec_run(d->process);
    if (inspect_is_child(d->process))
        end_child(exit);
    switch (exit.stop) {
    case EXEC_ENDED:
    case EXEC_KILLED:
        d->exit = exit;
        return (struct machine_exit){.stop = MACHINE_POWER_OFF, .status = exit.number};
    case EXEC_BREAKPOINT:
        return (struct machine_exit){.stop = MACHINE_BREAKPOINT};
    case EXEC_WATCHPOINT:
        return (struct machine_exit){.stop = MACHINE_WATCHPOINT,
                                     .watch = inspect_watch_hit(d->process)};
    case EXEC_STEPPED:
        return (struct machine_exit){.stop = MACHINE_STEPPED};
    case EXEC_SIGNAL:
        return (struct machine_exit){.stop = MACHINE_SIGNAL, .status = exit.number};
    case EXEC_PROGRAM:
        return replace(d);
    case EXEC_FILE:
        inspect_files(d->process, add_file, d);
        break;
    case EXEC_RAN:
    case EXEC_ATTENTION:
        break;
    }
    return (struct machine_exit){.stop = MACHINE_REQUEST};
}

static void request_stop(void *owner)
{
    struct exec_debug *d = owner;
    inspect_request_stop(d->process);
}

static void stop_at(void *owner, uint64_t end_steps)
{
    struct exec_debug *d = owner;
    inspect_stop_at(d->process, end_steps);
}

static struct hart *hart(void *owner)
{
    struct exec_debug *d = owner;
    return inspect_hart(d->process);
}

static bool add_breakpoint(void *owner, uint64_t va)
{
    struct exec_debug *d = owner;
    return inspect_add_breakpoint(d->process, va);
}

static void remove_breakpoint(void *owner, uint64_t va)
{
    struct exec_debug *d = owner;
    inspect_remove_breakpoint(d->process, va);
}

static bool add_watchpoint(void *owner, const struct watch *w)
{
    struct exec_debug *d = owner;
    return inspect_add_watchpoint(d->process, w);
}

static void remove_watchpoint(void *owner, const struct watch *w)
{
    struct exec_debug *d = owner;
    inspect_remove_watchpoint(d->process, w);
}

static int pid(void *owner)
{
    struct exec_debug *d = owner;
    return inspect_pid(d->process);
}

static const char *file(void *owner)
{
    struct exec_debug *d = owner;
    return inspect_program(d->process);
}

static const void *auxv(void *owner, size_t *bytes)
{
    struct exec_debug *d = owner;
    return inspect_auxv(d->process, bytes);
}

static int killed_by(void *owner)
{
    struct exec_debug *d = owner;
    return d->exit.stop == EXEC_KILLED ? d->exit.number : 0;
}

static bool may_write(void *owner, uint64_t va, size_t n)
{
    struct exec_debug *d = owner;
    return inspect_may_write(d->process, va, n);
}

static void tell_signals(void *owner, uint64_t signals)
{
    struct exec_debug *d = owner;
    inspect_tell_signals(d->process, signals);
}

static void set_signal(void *owner, int number)
{
    struct exec_debug *d = owner;
    inspect_set_signal(d->process, number);
}

static int open_file(void *owner, const char *name)
{
    struct exec_debug *d = owner;
    return inspect_open(d->process, name);
}

static long read_file(void *owner, int fd, void *to, size_t n, uint64_t offset)
{
    (void)owner;
    if (offset > INT64_MAX)
        return -EINVAL;
    ssize_t got = pread(fd, to, n, (off_t)offset);
    return got < 0 ? -errno : got;
}

static bool describe_file(void *owner, int fd, struct program_file *to)
{
    struct stat st;
    (void)owner;
    if (fstat(fd, &st) != 0)
        return false;
    *to = (struct program_file){.mode = st.st_mode,
                                .links = (uint32_t)st.st_nlink,
                                .bytes = (uint64_t)st.st_size,
                                .blocks = (uint64_t)st.st_blocks,
                                .modified_s = (uint64_t)st.st_mtime};
    return true;
}

static void close_file(void *owner, int fd)
{
    struct exec_debug *d = owner;
    inspect_close(d->process, fd);
}

static const struct program_ops ops = {
    .run = run,
    .request_stop = request_stop,
    .stop_at = stop_at,
    .hart = hart,
    .add_breakpoint = add_breakpoint,
    .remove_breakpoint = remove_breakpoint,
    .add_watchpoint = add_watchpoint,
    .remove_watchpoint = remove_watchpoint,
    .pid = pid,
    .file = file,
    .auxv = auxv,
    .killed_by = killed_by,
    .may_write = may_write,
    .tell_signals = tell_signals,
    .set_signal = set_signal,
    .open = open_file,
    .read = read_file,
    .describe = describe_file,
    .close = close_file,
};

/* ---- a run ---- */

bool exec_debug_is_wanted(const struct exec_debug_options *o)
{
    return o->gdb_end || o->traces.count;
}

static int place_file(void *owner, int fd)
{
    struct exec_debug *d = owner;
    return inspect_own(d->process, fd);
}

static bool start_traces(struct exec_debug *d, const struct exec_debug_options *o,
                         struct error *err)
{
    struct error reason;
    if (!o->traces.count)
        return true;
    d->trace = trace_create(d->control, err);
    if (!d->trace)
        return false;
    trace_place_files(d->trace, o->folder, place_file, d);
    inspect_files(d->process, add_file, d);
    for (size_t i = 0; i < o->symbols.count; i++)
        if (!trace_load_symbols(d->trace, o->symbols.at[i], &reason))
            return error_set(err, "-symbols: %s", reason.text);
    for (size_t i = 0; i < o->traces.count; i++)
        if (!trace_start(d->trace, o->traces.at[i], &reason))
            return error_set(err, "-trace %.100s: %s", o->traces.at[i], reason.text);
    inspect_tell_files(d->process, true);
    return true;
}

static bool open_all(struct exec_debug *d, const struct exec_debug_options *o, struct error *err)
{
    struct control_config config = {.starts_stopped = o->starts_stopped || o->waits_for_gdb};
    d->control = control_create_for_program(&d->program, &config, err);
    if (!d->control)
        return false;
    inspect_begin(d->process);
    inspect_tell_programs(d->process, true);
    if (o->gdb_end)
        d->gdb = exec_gdb_open(d->process, d->control, o->gdb_end, o->folder, err);
    return (d->gdb || !o->gdb_end) && start_traces(d, o, err);
}

/* While nobody debugs it a signal acts at once, even on a program that waits to be debugged. */
static void serve_gdb(struct exec_debug *d)
{
    struct error ignored;
    bool is_stopped = control_state(d->control) != RUN_RUNNING;
    exec_gdb_serve(d->gdb, is_stopped);
    if (is_stopped && !exec_gdb_has_peer(d->gdb) && inspect_is_ended(d->process))
        (void)!control_continue(d->control, &ignored);
}

static bool run_to_end(struct exec_debug *d, struct error *err)
{
    enum control_result result = CONTROL_GOES_ON;
    while (result == CONTROL_GOES_ON) {
        if (d->gdb)
            serve_gdb(d);
        result = control_run(d->control, UINT64_MAX, 0, err);
    }
    if (result == CONTROL_QUIT) /* gdb's kill */
        d->exit = (struct exec_exit){EXEC_KILLED, SIGKILL};
    return result != CONTROL_FAILED;
}

bool exec_debug_run(struct process *p, const struct exec_debug_options *o, struct exec_exit *exit,
                    struct error *err)
{
    struct exec_debug d = {.process = p, .program = {.ops = &ops}};
    d.program.owner = &d;
    bool ok = open_all(&d, o, err) && run_to_end(&d, err);
    *exit = d.exit;
    exec_gdb_close(d.gdb);
    if (d.trace && ok)
        ok = trace_stop_all(d.trace, err);
    trace_destroy(d.trace);
    control_destroy(d.control);
    return ok;
}
