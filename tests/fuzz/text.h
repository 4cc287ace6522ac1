/* What the fuzzers of texts share: a stopped machine with a monitor and traces. The monitor writes
 * files of the host: to be run in a folder of its own (tests/fuzz/run does), and an input must not
 * name a file outside. */
#ifndef RIVULET_TESTS_FUZZ_TEXT_H
#define RIVULET_TESTS_FUZZ_TEXT_H

#include "debug/monitor.h"
#include "debug/trace.h"
#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define TEXT_RUNS_MOST 6u /* a round is long for a checked build */
#define TEXT_FILE_MOST (1u << 20)

struct text_rig {
    struct machine *m;
    struct control *control;
    struct monitor *monitor;
    struct trace *trace;
    struct log *log;
    struct error err;
    unsigned runs;
};

static inline void text_ignore(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner, (void)bytes, (void)n;
}

/* Once a process. */
static inline const char *text_kernel(void)
{
    static struct fuzz_file kernel;
    /* addi a0, a0, 1; ld a1, 64(s0); sd a0, 64(s0); amoadd.d a2, a0, (s0); ecall; j .-20 */
    static const uint32_t loop[] = {0x00150513, 0x04043583, 0x04a43023,
                                    0x00a4362f, 0x00000073, 0xfedff06f};
    if (kernel.path[0])
        return kernel.path;
    struct rlimit most = {TEXT_FILE_MOST, TEXT_FILE_MOST};
    if (setrlimit(RLIMIT_FSIZE, &most) != 0)
        abort();
    signal(SIGXFSZ, SIG_IGN);
    kernel = fuzz_file_create(loop, sizeof loop);
    return kernel.path;
}

static inline void text_open(struct text_rig *r)
{
    struct machine_config config = fuzz_config(text_kernel());
    struct control_config stopped = {.starts_stopped = true, .no_shutdown = true};
    memset(r, 0, sizeof *r);
    config.harts = 2;
    config.no_reboot = true;
    config.log = r->log = log_open("log", 0, &r->err);
    r->m = fuzz_machine(&config);
    r->control = control_create(r->m, &stopped, &r->err);
    r->trace = trace_create(r->control, &r->err);
    r->monitor = monitor_create(r->control, &r->err);
    monitor_set_trace(r->monitor, r->trace);
}

static inline void text_close(struct text_rig *r)
{
    struct error ignored;
    monitor_destroy(r->monitor);
    (void)trace_stop_all(r->trace, &ignored);
    trace_destroy(r->trace);
    control_destroy(r->control);
    machine_destroy(r->m);
    log_close(r->log);
}

/* Lets it run a little, if it may. False: it has ended. */
static inline bool text_run(struct text_rig *r)
{
    if (control_state(r->control) == RUN_RUNNING && ++r->runs > TEXT_RUNS_MOST)
        control_stop(r->control, RUN_PAUSED);
    return control_run(r->control, machine_now_ns(r->m) + 1000, 0, &r->err) == CONTROL_GOES_ON;
}

#endif
