/* The snapshot table (contract: qcow2_snapshot_table.h). */
#include "devices/block/qcow2_snapshot_table.h"

#include <stdio.h>
#include <stdlib.h>

/* An entry: these fields, extra data, id, name, and zeroes up to a multiple of 8. */
#define ENTRY_L1_OFFSET   0
#define ENTRY_L1_SIZE     8
#define ENTRY_ID_BYTES    12
#define ENTRY_NAME_BYTES  14
#define ENTRY_DATE_S      16
#define ENTRY_DATE_NS     20
#define ENTRY_CLOCK       24
#define ENTRY_STATE_BYTES 32 /* where there is no extra data */
#define ENTRY_EXTRA_BYTES 36
#define ENTRY_BYTES       40
/* Extra data. */
#define EXTRA_STATE_BYTES 0
#define EXTRA_DISK_BYTES  8
#define EXTRA_ICOUNT      16
#define EXTRA_BYTES       24
/* QEMU's limits. */
#define MAX_EXTRA_BYTES 1024u
#define MAX_TABLE_BYTES (64u << 20)

static uint32_t get_be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static void put_be16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* ---- reading ---- */

static size_t entry_bytes(const uint8_t *e)
{
    return align_up(ENTRY_BYTES + get_be32(e + ENTRY_EXTRA_BYTES) + get_be16(e + ENTRY_ID_BYTES) +
                        get_be16(e + ENTRY_NAME_BYTES),
                    8);
}

static void copy_text(char *to, size_t size, const uint8_t *from, size_t n)
{
    snprintf(to, size, "%.*s", (int)min_u64(n, size - 1), (const char *)from);
}

static struct qcow2_snapshot parse(const struct qcow2 *q, const uint8_t *e)
{
    size_t extra = get_be32(e + ENTRY_EXTRA_BYTES), id = get_be16(e + ENTRY_ID_BYTES);
    const uint8_t *more = e + ENTRY_BYTES;
    struct qcow2_snapshot s = {
        .date_ns = get_be32(e + ENTRY_DATE_S) * 1000000000ull + get_be32(e + ENTRY_DATE_NS),
        .clock_ns = get_be64(e + ENTRY_CLOCK),
        .icount = extra >= EXTRA_ICOUNT + 8 ? get_be64(more + EXTRA_ICOUNT) : UINT64_MAX,
        .state_bytes = extra >= EXTRA_STATE_BYTES + 8 ? get_be64(more + EXTRA_STATE_BYTES)
                                                      : get_be32(e + ENTRY_STATE_BYTES),
        .disk_bytes =
            extra >= EXTRA_DISK_BYTES + 8 ? get_be64(more + EXTRA_DISK_BYTES) : q->header.size,
        .l1_offset = get_be64(e + ENTRY_L1_OFFSET),
        .l1_entries = get_be32(e + ENTRY_L1_SIZE),
    };
    copy_text(s.id, sizeof s.id, more + extra, id);
    copy_text(s.name, sizeof s.name, more + extra + id, get_be16(e + ENTRY_NAME_BYTES));
    return s;
}

static bool make_room(struct qcow2_snapshot_table *t, size_t bytes)
{
    uint8_t *grown = realloc(t->bytes, t->n + bytes);
    struct qcow2_snapshot *items = realloc(t->items, (t->count + 1) * sizeof *items);
    size_t *ends = realloc(t->ends, (t->count + 1) * sizeof *ends);
    t->bytes = grown ? grown : t->bytes;
    t->items = items ? items : t->items;
    t->ends = ends ? ends : t->ends;
    return grown && items && ends;
}

static void append(struct qcow2_snapshot_table *t, const struct qcow2_snapshot *s, size_t bytes)
{
    t->n += bytes;
    t->items[t->count] = *s;
    t->ends[t->count++] = t->n;
}

/* Whether what the entry says can be; more of it is checked where it is used. */
static bool makes_sense(const struct qcow2 *q, const struct qcow2_snapshot *s)
{
    return s->l1_entries <= MAX_L1_BYTES / 8 && s->disk_bytes <= (uint64_t)INT64_MAX / 2 &&
           !(s->l1_offset & (q->cluster_bytes - 1));
}

static enum block_status read_entry(struct qcow2 *q, struct qcow2_snapshot_table *t)
{
    uint8_t head[ENTRY_BYTES];
    uint64_t offset = q->header.snapshots_offset + t->n;
    enum block_status status = file_read(q->file, offset, head, sizeof head);
    if (status != BLOCK_OK)
        return status;
    size_t n = entry_bytes(head);
    if (get_be32(head + ENTRY_EXTRA_BYTES) > MAX_EXTRA_BYTES || n > MAX_TABLE_BYTES - t->n)
        return qcow2_found_damage(q);
    if (!make_room(t, n))
        return BLOCK_IO_ERROR;
    status = file_read(q->file, offset, t->bytes + t->n, n);
    if (status != BLOCK_OK)
        return status;
    struct qcow2_snapshot s = parse(q, t->bytes + t->n);
    if (!makes_sense(q, &s))
        return qcow2_found_damage(q);
    append(t, &s, n);
    return BLOCK_OK;
}

enum block_status qcow2_read_snapshots(struct qcow2 *q, struct qcow2_snapshot_table *t)
{
    enum block_status status = BLOCK_OK;
    *t = (struct qcow2_snapshot_table){0};
    for (uint32_t i = 0; i < q->header.snapshots && status == BLOCK_OK; i++)
        status = read_entry(q, t);
    if (status != BLOCK_OK)
        qcow2_free_snapshots(t);
    return status;
}

void qcow2_free_snapshots(struct qcow2_snapshot_table *t)
{
    free(t->bytes);
    free(t->items);
    free(t->ends);
    *t = (struct qcow2_snapshot_table){0};
}

unsigned qcow2_snapshot_index(const struct qcow2_snapshot_table *t, const char *name)
{
    for (unsigned i = 0; i < t->count; i++)
        if (!strcmp(t->items[i].id, name))
            return i;
    for (unsigned i = 0; i < t->count; i++)
        if (!strcmp(t->items[i].name, name))
            return i;
    return t->count;
}

/* ---- changing ---- */

void qcow2_remove_entry(struct qcow2_snapshot_table *t, unsigned index)
{
    size_t from = index ? t->ends[index - 1] : 0, n = t->ends[index] - from;
    memmove(t->bytes + from, t->bytes + from + n, t->n - from - n);
    t->n -= n;
    t->count--;
    for (unsigned i = index; i < t->count; i++) {
        t->items[i] = t->items[i + 1];
        t->ends[i] = t->ends[i + 1] - n;
    }
}

static unsigned long next_id(const struct qcow2_snapshot_table *t)
{
    unsigned long highest = 0;
    for (unsigned i = 0; i < t->count; i++) {
        unsigned long id = strtoul(t->items[i].id, NULL, 10);
        highest = id > highest && id < UINT32_MAX ? id : highest;
    }
    return highest + 1;
}

bool qcow2_add_entry(struct qcow2_snapshot_table *t, const struct qcow2_snapshot *s)
{
    struct qcow2_snapshot item = *s;
    snprintf(item.id, sizeof item.id, "%lu", next_id(t));
    size_t id = strlen(item.id), name = strlen(item.name);
    size_t n = align_up(ENTRY_BYTES + EXTRA_BYTES + id + name, 8);
    if (n > MAX_TABLE_BYTES - t->n || !make_room(t, n))
        return false;
    uint8_t *e = t->bytes + t->n, *extra = e + ENTRY_BYTES;
    memset(e, 0, n);
    put_be64(e + ENTRY_L1_OFFSET, item.l1_offset);
    put_be32(e + ENTRY_L1_SIZE, item.l1_entries);
    put_be16(e + ENTRY_ID_BYTES, id);
    put_be16(e + ENTRY_NAME_BYTES, name);
    put_be32(e + ENTRY_DATE_S, (uint32_t)(item.date_ns / 1000000000u));
    put_be32(e + ENTRY_DATE_NS, (uint32_t)(item.date_ns % 1000000000u));
    put_be64(e + ENTRY_CLOCK, item.clock_ns);
    put_be32(e + ENTRY_STATE_BYTES, (uint32_t)min_u64(item.state_bytes, UINT32_MAX));
    put_be32(e + ENTRY_EXTRA_BYTES, EXTRA_BYTES);
    put_be64(extra + EXTRA_STATE_BYTES, item.state_bytes);
    put_be64(extra + EXTRA_DISK_BYTES, item.disk_bytes);
    put_be64(extra + EXTRA_ICOUNT, item.icount);
    memcpy(extra + EXTRA_BYTES, item.id, id);
    memcpy(extra + EXTRA_BYTES + id, item.name, name);
    append(t, &item, n);
    return true;
}
