/* A stopped machine with a gdb stub on it, and a peer that speaks in packets. */
#ifndef RIVULET_TESTS_UNIT_GDB_RIG_H
#define RIVULET_TESTS_UNIT_GDB_RIG_H

#include "debug/gdb.h"
#include "tests/unit/monitor_rig.h"

struct gdb_rig {
    struct monitor_rig m;
    struct gdb *gdb;
    char reply[1 << 16]; /* the data of the last packet */
};

static inline void gdb_open_with(struct gdb_rig *r, unsigned harts,
                                 void (*more)(struct machine_config *config))
{
    monitor_open_with(&r->m, harts, more);
    struct byte_sink out = monitor_out(&r->m);
    r->gdb = gdb_create(r->m.control, r->m.monitor, &out, &r->m.err);
    ck_assert_ptr_nonnull(r->gdb);
    gdb_connect(r->gdb);
}

static inline void gdb_open(struct gdb_rig *r, unsigned harts)
{
    gdb_open_with(r, harts, NULL);
}

static inline void gdb_close(struct gdb_rig *r)
{
    gdb_destroy(r->gdb);
    monitor_close(&r->m);
}

/* The data of the last packet that was sent; "" if there was none. */
static inline const char *gdb_last(struct gdb_rig *r)
{
    const char *said = r->m.said, *begin = NULL;
    for (size_t i = 0; i < r->m.said_bytes; i++)
        if (said[i] == '$')
            begin = said + i + 1;
    r->reply[0] = 0;
    if (begin) {
        size_t n = r->m.said_bytes - (size_t)(begin - said) - 3;
        memcpy(r->reply, begin, n);
        r->reply[n] = 0;
    }
    return r->reply;
}

/* The reply to a packet with these bytes. */
static inline const char *gdb_ask_bytes(struct gdb_rig *r, const char *data, size_t n)
{
    unsigned sum = 0;
    char end[4];
    for (size_t i = 0; i < n; i++)
        sum += (uint8_t)data[i];
    snprintf(end, sizeof end, "#%02x", sum & 0xff);
    r->m.said_bytes = 0;
    r->m.said[0] = 0;
    gdb_receive(r->gdb, (const uint8_t *)"$", 1);
    gdb_receive(r->gdb, (const uint8_t *)data, n);
    gdb_receive(r->gdb, (const uint8_t *)end, 3);
    return gdb_last(r);
}

static inline const char *gdb_ask(struct gdb_rig *r, const char *data)
{
    return gdb_ask_bytes(r, data, strlen(data));
}

/* The reply to a packet that lets the machine go on: its next stop. */
static inline const char *gdb_run(struct gdb_rig *r, const char *data)
{
    const char *at_once = gdb_ask(r, data);
    ck_assert_str_eq(at_once, "");
    run_until_stopped(&r->m);
    return gdb_last(r);
}

static inline struct hart *gdb_rig_hart(struct gdb_rig *r, unsigned id)
{
    return machine_hart(r->m.rig->m, id);
}

#define CHECK_GDB(r, packet, answer) ck_assert_str_eq(gdb_ask(r, packet), answer)

#endif
