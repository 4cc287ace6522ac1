/* A stopped machine with a monitor on it, and what the monitor has said. */
#ifndef RIVULET_TESTS_UNIT_MONITOR_RIG_H
#define RIVULET_TESTS_UNIT_MONITOR_RIG_H

#include "debug/monitor.h"
#include "tests/unit/machine_rig.h"

struct monitor_rig {
    struct program p;
    uint64_t loop;
    struct rig *rig;
    struct control *control;
    struct monitor *monitor;
    struct error err;
    char said[1 << 16];
    size_t said_bytes;
};

static inline void monitor_said(void *owner, const uint8_t *bytes, size_t n)
{
    struct monitor_rig *r = (struct monitor_rig *)owner;
    ck_assert_uint_lt(r->said_bytes + n, sizeof r->said);
    memcpy(r->said + r->said_bytes, bytes, n);
    r->said_bytes += n;
    r->said[r->said_bytes] = 0;
}

static inline struct byte_sink monitor_out(struct monitor_rig *r)
{
    return (struct byte_sink){.write = monitor_said, .owner = r};
}

/* The busy program; `more` may add to the configuration. */
static inline void monitor_open_with(struct monitor_rig *r, unsigned harts,
                                     void (*more)(struct machine_config *config))
{
    memset(r, 0, sizeof *r);
    program_begin(&r->p);
    r->loop = put_busy_program(&r->p.a, harts);
    program_end(&r->p);
    struct machine_config config = rig_config(&r->p, harts);
    struct control_config control = {.starts_stopped = true, .no_shutdown = true};
    config.no_reboot = true;
    if (more)
        more(&config);
    r->rig = rig_create_with(config);
    r->control = control_create(r->rig->m, &control, &r->err);
    ck_assert_ptr_nonnull(r->control);
    r->monitor = monitor_create(r->control, &r->err);
    ck_assert_ptr_nonnull(r->monitor);
}

static inline void monitor_open(struct monitor_rig *r, unsigned harts)
{
    monitor_open_with(r, harts, NULL);
}

static inline void monitor_close(struct monitor_rig *r)
{
    monitor_destroy(r->monitor);
    control_destroy(r->control);
    rig_free(r->rig);
    unlink(r->p.path);
}

/* What the line makes the monitor say. */
static inline const char *ask(struct monitor_rig *r, const char *line)
{
    struct byte_sink out = monitor_out(r);
    r->said_bytes = 0;
    r->said[0] = 0;
    monitor_run(r->monitor, line, &out);
    return r->said;
}

static inline void run_until_stopped(struct monitor_rig *r)
{
    while (control_state(r->control) == RUN_RUNNING)
        ck_assert_int_eq(control_run(r->control, UINT64_MAX, RIG_MS, &r->err), CONTROL_GOES_ON);
}

#define CHECK_ASK(r, line, answer) ck_assert_str_eq(ask(r, line), answer)
#define CHECK_IN(text, part)       ck_assert_msg(strstr(text, part) != NULL, "%s", text)

#endif
