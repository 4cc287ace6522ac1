/* A debugger's side of a program (contract: inspect.h). */
#include "syscall/inspect.h"

#include "base/os_process.h"
#include "syscall/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- life ---- */

void inspect_init(struct process *p)
{
    p->inspection = (struct inspection){.step_end = UINT64_MAX};
}

void inspect_begin(struct process *p)
{
    p->inspection.is_on = true;
    p->inspection.is_replaced = false;
    signals_tell_host(p);
}

bool inspect_is_child(const struct process *p)
{
    return getpid() != p->first_pid;
}

void inspect_release(struct process *p)
{
    for (unsigned i = 0; i < INSPECT_FILES; i++)
        if (p->inspection.files[i])
            process_close_own(p, p->inspection.files[i] - 1);
    free(p->inspection.watches);
    inspect_init(p);
}

/* What the parent's debugger has set is in the child's memory too. */
void inspect_leave(struct process *p)
{
    if (!p->inspection.is_on)
        return;
    while (p->code->breakpoint_count)
        code_remove_breakpoint(p->code, p->code->breakpoints[0]);
    hart_set_watches(p->hart, NULL, 0);
    hart_set_observer(p->hart, NULL);
    code_set_watch(p->code, CODE_UNWATCHED);
    inspect_release(p);
    signals_tell_host(p);
}

bool inspect_is_ended(struct process *p)
{
    if (!p->inspection.signal.waits && os_signal_waits())
        signals_deliver(p);
    return p->ended;
}

/* ---- stopping ---- */

struct hart *inspect_hart(struct process *p)
{
    return p->hart;
}

void inspect_stop_at(struct process *p, uint64_t end_steps)
{
    p->inspection.step_end = end_steps;
}

void inspect_request_stop(struct process *p)
{
    p->inspection.attention = true;
}

/* The hart may have gone over one here before, and stand elsewhere now. */
bool inspect_add_breakpoint(struct process *p, uint64_t va)
{
    if (p->hart->resume_pc == va && p->hart->pc != va)
        p->hart->resume_pc = NO_RESUME_PC;
    return code_add_breakpoint(p->code, va);
}

void inspect_remove_breakpoint(struct process *p, uint64_t va)
{
    code_remove_breakpoint(p->code, va);
}

bool inspect_add_watchpoint(struct process *p, const struct watch *w)
{
    struct inspection *in = &p->inspection;
    struct watch *more = realloc(in->watches, (in->watch_count + 1) * sizeof *more);
    if (!more)
        return false;
    in->watches = more;
    in->watches[in->watch_count++] = *w;
    hart_set_watches(p->hart, in->watches, in->watch_count);
    return true;
}

void inspect_remove_watchpoint(struct process *p, const struct watch *w)
{
    struct inspection *in = &p->inspection;
    for (unsigned i = 0; i < in->watch_count; i++) {
        const struct watch *at = &in->watches[i];
        if (at->va != w->va || at->length != w->length || at->kinds != w->kinds)
            continue;
        in->watches[i] = in->watches[--in->watch_count];
        hart_set_watches(p->hart, in->watches, in->watch_count);
        return;
    }
}

struct watch inspect_watch_hit(const struct process *p)
{
    return p->hart->watch_hit;
}

/* Whether it is asked for; it is told once. */
static bool take(bool *news)
{
    bool is_new = *news;
    *news = false;
    return is_new;
}

enum exec_stop inspect_news(struct process *p)
{
    struct inspection *in = &p->inspection;
    if (in->signal.waits && !in->signal.is_told) {
        in->signal.is_told = true;
        return EXEC_SIGNAL;
    }
    if (take(&in->is_replaced) && in->tells_programs)
        return EXEC_PROGRAM;
    if (in->tells_files && in->files_told != p->space.file_count) {
        in->files_told = p->space.file_count;
        return EXEC_FILE;
    }
    if (p->hart->steps >= in->step_end) {
        in->step_end = UINT64_MAX;
        return EXEC_STEPPED;
    }
    return take(&in->attention) ? EXEC_ATTENTION : EXEC_RAN;
}

/* ---- signals ---- */

void inspect_tell_signals(struct process *p, uint64_t signals)
{
    p->inspection.told_signals = signals;
}

void inspect_tell_programs(struct process *p, bool on)
{
    p->inspection.tells_programs = on;
}

void inspect_tell_files(struct process *p, bool on)
{
    p->inspection.tells_files = on;
}

bool inspect_holds(struct process *p, int number, bool is_fault, const void *siginfo)
{
    struct inspection *in = &p->inspection;
    if (!(in->told_signals >> (number - 1) & 1))
        return false;
    in->signal.waits = true;
    in->signal.is_told = false;
    in->signal.is_fault = is_fault;
    in->signal.number = number;
    memcpy(in->signal.info, siginfo, sizeof in->signal.info);
    return true;
}

/* One of the debugger's own has no sender. */
void inspect_set_signal(struct process *p, int number)
{
    struct inspection *in = &p->inspection;
    if (number < 0 || number >= (int)SIGNALS || number == in->signal.number)
        return;
    if (number == 0 && !in->signal.waits)
        return;
    if (number == 0 && in->signal.is_fault) {
        in->signal.waits = false;
        in->signal.number = 0;
        return;
    }
    in->signal.waits = in->signal.is_told = true;
    in->signal.is_fault = false;
    in->signal.number = number;
    memset(in->signal.info, 0, sizeof in->signal.info);
    memcpy(in->signal.info, &number, sizeof number);
}

void inspect_go_on(struct process *p)
{
    struct inspection *in = &p->inspection;
    int number = in->signal.number;
    if (!in->signal.waits || !in->signal.is_told)
        return;
    in->signal.waits = false;
    in->signal.number = 0;
    if (number == 0)
        signals_drop(p);
    else if (in->signal.is_fault)
        process_take_fault(p, number, in->signal.info);
    else
        signals_take(p, number, in->signal.info);
    p->signals.interrupted = INTERRUPTED_NOT;
}

/* ---- files ---- */

bool inspect_may_write(const struct process *p, uint64_t va, size_t n)
{
    while (n) {
        const struct mapping *m = space_find(&p->space, va);
        if (!m || m->sealed)
            return false;
        size_t part = min_u64(n, m->end - va);
        va += part;
        n -= part;
    }
    return true;
}

int inspect_pid(const struct process *p)
{
    return p->first_pid;
}

const char *inspect_program(const struct process *p)
{
    return p->paths.program;
}

const void *inspect_auxv(const struct process *p, size_t *bytes)
{
    *bytes = p->auxv_count * sizeof p->auxv[0];
    return p->auxv;
}

int inspect_own(struct process *p, int fd)
{
    int *at = p->inspection.files;
    unsigned i = 0;
    while (i < INSPECT_FILES && at[i])
        i++;
    if (i == INSPECT_FILES) {
        close(fd);
        return -1;
    }
    fd = process_own(p, fd);
    at[i] = fd + 1;
    return fd;
}

void inspect_close(struct process *p, int fd)
{
    for (unsigned i = 0; i < INSPECT_FILES; i++) {
        if (fd >= 0 && p->inspection.files[i] == fd + 1) {
            process_close_own(p, fd);
            p->inspection.files[i] = 0;
        }
    }
}

bool inspect_watch(struct process *p, int fd)
{
    bool ok = os_attention_watch(fd);
    if (!p->inspection.signal.waits) /* else it is set when the signal has been delivered */
        signals_set_mask(p, p->signals.mask);
    return ok;
}

int inspect_open(struct process *p, const char *path)
{
    char own_maps[40];
    snprintf(own_maps, sizeof own_maps, "/proc/%d/maps", p->first_pid);
    int fd = strcmp(path, own_maps) == 0
                 ? maps_open(p)
                 : paths_open(&p->paths, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    fd = inspect_own(p, fd);
    return fd < 0 ? -EMFILE : fd;
}

void inspect_files(const struct process *p,
                   void (*tell)(void *owner, const char *path, uint64_t va, uint64_t end,
                                uint64_t offset),
                   void *owner)
{
    struct maps maps;
    struct map_line line;
    if (!maps_begin(&maps, p))
        return;
    while (maps_next(&maps, &line))
        if (line.protection & SPACE_EXECUTE && line.path[0] == '/')
            tell(owner, line.path, line.start, line.end, line.offset);
    maps_end(&maps);
}
