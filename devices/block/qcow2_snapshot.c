/* Snapshots inside of a qcow2 image (contract: qcow2_snapshot.h).
 *
 * A new snapshot takes the L2 tables that the disk has; the disk gets copies, in which no cluster
 * may be written in place. References are counted by paths: a table that several L1 tables point to
 * counts each of its clusters as often. */
#include "devices/block/qcow2_snapshot.h"

#include "base/values.h"
#include "devices/block/qcow2_change.h"
#include "devices/block/qcow2_snapshot_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ENTRY_BYTES 1024u /* of a new entry of the snapshot table */

static struct qcow2 *begin_using(struct disk *image)
{
    struct qcow2 *q = qcow2_of(image);
    os_rwlock_exclusive(q->lock);
    return q;
}

static bool failed(const struct disk *image, const char *what, enum block_status status,
                   struct error *err)
{
    return error_set(err, "cannot %s %s: %s", what, image->path,
                     status == BLOCK_UNSUPPORTED ? "its refcounts are too narrow for more snapshots"
                                                 : block_status_text(status));
}

static bool there_is_none(const struct disk *image, const char *name, struct error *err)
{
    return error_set(err, "%s has no snapshot '%.100s'", image->path, name);
}

/* ---- looking ---- */

bool qcow2_list_snapshots(struct disk *image, struct qcow2_snapshot **list, unsigned *count,
                          struct error *err)
{
    struct qcow2_snapshot_table t;
    struct qcow2 *q = begin_using(image);
    enum block_status status = qcow2_read_snapshots(q, &t);
    os_rwlock_unlock(q->lock);
    *list = t.items;
    *count = t.count;
    if (status != BLOCK_OK)
        return failed(image, "read the snapshots of", status, err);
    t.items = NULL; /* the caller's now */
    qcow2_free_snapshots(&t);
    return true;
}

void qcow2_print_snapshot(const struct qcow2_snapshot *s, const struct byte_sink *out)
{
    char size[VALUE_SIZE_BYTES], date[OS_DATE_BYTES], clock[32], icount[24] = "";
    struct qcow2_snapshot shown;
    if (!s) {
        byte_sink_print(out, "%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE",
                        "VM CLOCK", "ICOUNT");
        return;
    }
    uint64_t seconds = s->clock_ns / 1000000000u, ms = s->clock_ns / 1000000u % 1000u;
    value_size_text(s->state_bytes, size);
    os_local_date(s->date_ns, date);
    snprintf(clock, sizeof clock, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64,
             seconds / 3600, seconds / 60 % 60, seconds % 60, ms);
    if (s->icount != UINT64_MAX)
        snprintf(icount, sizeof icount, "%" PRIu64, s->icount);
    shown = *s; /* anybody's, and it may go to a terminal */
    text_make_printable(shown.id);
    text_make_printable(shown.name);
    byte_sink_print(out, "%-9s %-16s %8s%20s%13s%11s\n", shown.id, shown.name, size, date, clock,
                    icount);
}

/* ---- a machine's state, on its way in ---- */

struct qcow2_state {
    struct qcow2 *q;
    uint64_t *places; /* of its clusters; 0: none */
    uint64_t clusters, bytes;
};

static void free_state(struct qcow2_state *s)
{
    if (s)
        free(s->places);
    free(s);
}

struct qcow2_state *qcow2_state_create(struct disk *image, struct error *err)
{
    struct qcow2_state *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(err, "no memory for a snapshot");
        return NULL;
    }
    s->q = begin_using(image);
    enum block_status status = qcow2_change_settle(s->q);
    os_rwlock_unlock(s->q->lock);
    if (status == BLOCK_OK)
        return s;
    failed(image, "write", status, err);
    free_state(s);
    return NULL;
}

void qcow2_state_abandon(struct qcow2_state *s)
{
    if (!s)
        return;
    os_rwlock_exclusive(s->q->lock);
    for (uint64_t i = 0; i < s->clusters; i++)
        if (s->places[i])
            qcow2_unallocate(s->q, s->places[i], 1);
    os_rwlock_unlock(s->q->lock);
    free_state(s);
}

/* Places for the clusters before `end` that have none; they read as zero. */
static enum block_status place_state(struct qcow2_state *s, uint64_t first, uint64_t end)
{
    struct qcow2 *q = s->q;
    if (end > s->clusters) {
        uint64_t *grown = realloc(s->places, end * 2 * sizeof *grown);
        if (!grown)
            return BLOCK_IO_ERROR;
        memset(grown + s->clusters, 0, (end * 2 - s->clusters) * sizeof *grown);
        s->places = grown;
        s->clusters = end * 2;
    }
    for (uint64_t i = first; i < end; i++) {
        uint64_t got;
        bool fresh;
        if (s->places[i])
            continue;
        enum block_status status = qcow2_allocate(q, 1, &s->places[i], &got, &fresh);
        if (status == BLOCK_OK && !fresh)
            status = file_zero(q->file, s->places[i], q->cluster_bytes, false);
        if (status != BLOCK_OK)
            return status;
    }
    return BLOCK_OK;
}

/* How many bytes at `offset`, of n, lie one behind the other. */
static uint64_t state_run(const struct qcow2_state *s, uint64_t offset, uint64_t n)
{
    uint64_t size = s->q->cluster_bytes, i = offset / size, end = (i + 1) * size;
    while (end < offset + n && s->places[i + 1] == s->places[i] + size) {
        i++;
        end += size;
    }
    return min_u64(n, end - offset);
}

enum block_status qcow2_state_write(struct qcow2_state *s, uint64_t offset, const void *bytes,
                                    uint64_t n)
{
    uint64_t size = s->q->cluster_bytes;
    const uint8_t *from = bytes;
    os_rwlock_exclusive(s->q->lock);
    enum block_status status = place_state(s, offset / size, clusters_of(s->q, offset + n));
    os_rwlock_unlock(s->q->lock);
    s->bytes = max_u64(s->bytes, offset + n);
    while (n && status == BLOCK_OK) {
        uint64_t run = state_run(s, offset, n);
        status = file_write(s->q->file, s->places[offset / size] + offset % size, from, run);
        offset += run;
        from += run;
        n -= run;
    }
    return status;
}

/* ---- creating ---- */

/* The disk's tables as the snapshot's, and behind them those of the state. */
static enum block_status put_state(struct qcow2_change *c, const struct qcow2_state *state,
                                   uint64_t *l1, uint64_t entries)
{
    uint64_t per_table = 1ull << c->q->l2_bits;
    enum block_status status = BLOCK_OK;
    for (uint64_t t = 0; t < entries && status == BLOCK_OK; t++) {
        for (uint64_t i = 0; i < per_table; i++) {
            uint64_t at = t * per_table + i;
            put_be64(c->l2 + i * 8, at < state->clusters ? state->places[at] : 0);
        }
        status = qcow2_change_put(c, c->l2, c->q->cluster_bytes, &l1[t]);
    }
    return status;
}

static enum block_status put_snapshot(struct qcow2_change *c, const struct qcow2_state *state,
                                      struct qcow2_snapshot *s)
{
    struct qcow2 *q = c->q;
    uint64_t of_disk = qcow2_l1_entries(q, s->disk_bytes);
    uint64_t of_state = qcow2_l1_entries(q, s->state_bytes);
    if ((of_disk + of_state) * 8 > MAX_L1_BYTES)
        return BLOCK_NO_SPACE;
    s->l1_entries = (uint32_t)(of_disk + of_state);
    uint64_t *l1 = calloc(s->l1_entries, sizeof *l1);
    if (!l1)
        return BLOCK_IO_ERROR;
    for (uint64_t i = 0; i < of_disk; i++)
        l1[i] = q->l2.top[i] & ENTRY_OFFSET;
    enum block_status status = put_state(c, state, l1 + of_disk, of_state);
    if (status == BLOCK_OK)
        status = qcow2_change_put_l1(c, l1, s->l1_entries, &s->l1_offset);
    free(l1);
    return status;
}

/* The new snapshot table. */
static enum block_status put_table(struct qcow2_change *c, const struct qcow2_snapshot_table *t)
{
    c->next.snapshots = t->count;
    c->next.snapshots_offset = 0;
    return t->n ? qcow2_change_put(c, t->bytes, t->n, &c->next.snapshots_offset) : BLOCK_OK;
}

static enum block_status create(struct qcow2_change *c, struct qcow2_snapshot_table *t,
                                struct qcow2_snapshot *s, const struct qcow2_state *state)
{
    struct qcow2 *q = c->q;
    size_t old_table_bytes = t->n;
    uint64_t of_disk = qcow2_l1_entries(q, s->disk_bytes);
    enum block_status status = put_snapshot(c, state, s);
    if (status == BLOCK_OK)
        status = qcow2_change_plan_l1(c, q->l2.top, of_disk);
    if (status == BLOCK_OK && !qcow2_add_entry(t, s))
        status = BLOCK_NO_SPACE;
    if (status == BLOCK_OK)
        status = put_table(c, t);
    for (uint64_t i = 0; i < of_disk && status == BLOCK_OK; i++)
        if (c->from[i])
            status = qcow2_change_count_data(c, c->from[i], 1);
    if (status == BLOCK_OK) /* what a state had left behind the disk */
        status = qcow2_change_count_l1(c, q->l2.top + of_disk, q->l2.top_entries - of_disk, -1);
    if (status == BLOCK_OK)
        status = qcow2_change_count(c, q->header.snapshots_offset, old_table_bytes, -1);
    return status == BLOCK_OK ? qcow2_change_commit(c) : status;
}

/* Clusters for L1 tables of so many entries, all that they point to and the snapshot table. */
static uint64_t most_clusters(const struct qcow2 *q, uint64_t l1_entries, size_t table_bytes)
{
    return 2 * l1_entries + 2 * clusters_of(q, l1_entries * 8) + clusters_of(q, table_bytes) + 8;
}

static bool can_change(const struct disk *image, struct error *err)
{
    if (image->read_only)
        return error_set(err, "%s is read-only", image->path);
    return image->bytes || error_set(err, "%s is empty: it has nothing to keep", image->path);
}

bool qcow2_create_snapshot(struct disk *image, const struct qcow2_snapshot *s,
                           struct qcow2_state *state, struct error *err)
{
    struct qcow2_snapshot_table t = {0};
    struct qcow2_snapshot item = *s;
    if (!can_change(image, err)) {
        qcow2_state_abandon(state);
        return false;
    }
    struct qcow2 *q = begin_using(image);
    struct qcow2_change c = {.q = q};
    item.disk_bytes = q->header.size;
    item.state_bytes = state ? state->bytes : 0;
    uint64_t entries = q->l2.top_entries + qcow2_l1_entries(q, item.state_bytes);
    enum block_status status = state ? BLOCK_OK : qcow2_change_settle(q);
    bool is_settled = status == BLOCK_OK; /* else what is in memory is on no disk */
    if (status == BLOCK_OK)
        status = qcow2_read_snapshots(q, &t);
    if (status == BLOCK_OK && t.count == MAX_SNAPSHOTS)
        status = BLOCK_NO_SPACE;
    if (status == BLOCK_OK)
        status = qcow2_change_begin(&c, q, most_clusters(q, entries, t.n + MAX_ENTRY_BYTES));
    if (status == BLOCK_OK)
        status = create(&c, &t, &item, state);
    if (is_settled)
        qcow2_change_end(&c, status); /* a failure forgets the places of the state too */
    qcow2_free_snapshots(&t);
    os_rwlock_unlock(q->lock);
    free_state(state);
    return status == BLOCK_OK || failed(image, "make a snapshot in", status, err);
}

/* ---- applying and deleting ---- */

/* l1 is the snapshot's. */
static enum block_status apply(struct qcow2_change *c, const struct qcow2_snapshot *s,
                               const uint64_t *l1)
{
    struct qcow2 *q = c->q;
    uint64_t entries = qcow2_l1_entries(q, s->disk_bytes);
    if (entries > s->l1_entries || entries == 0)
        return qcow2_found_damage(q);
    enum block_status status = qcow2_change_plan_l1(c, l1, entries);
    for (uint64_t i = 0; i < entries && status == BLOCK_OK; i++)
        if (c->from[i])
            status = qcow2_change_count_data(c, c->from[i], 1);
    if (status == BLOCK_OK)
        status = qcow2_change_count_l1(c, q->l2.top, q->l2.top_entries, -1);
    c->next.size = s->disk_bytes;
    return status == BLOCK_OK ? qcow2_change_commit(c) : status;
}

static enum block_status delete_one(struct qcow2_change *c, struct qcow2_snapshot_table *t,
                                    unsigned index, const uint64_t *l1)
{
    struct qcow2 *q = c->q;
    struct qcow2_snapshot s = t->items[index];
    size_t old_table_bytes = t->n;
    enum block_status status = qcow2_change_plan_l1(c, q->l2.top, q->l2.top_entries);
    qcow2_remove_entry(t, index);
    if (status == BLOCK_OK)
        status = put_table(c, t);
    for (uint64_t i = 0; i < c->l1_entries && status == BLOCK_OK; i++)
        status = qcow2_change_count(c, c->from[i], !!c->from[i], -1);
    if (status == BLOCK_OK)
        status = qcow2_change_count_l1(c, l1, s.l1_entries, -1);
    if (status == BLOCK_OK)
        status = qcow2_change_count(c, s.l1_offset, (uint64_t)s.l1_entries * 8, -1);
    if (status == BLOCK_OK)
        status = qcow2_change_count(c, q->header.snapshots_offset, old_table_bytes, -1);
    return status == BLOCK_OK ? qcow2_change_commit(c) : status;
}

static enum block_status change(struct qcow2 *q, struct qcow2_snapshot_table *t, unsigned index,
                                bool deletes)
{
    struct qcow2_change c = {.q = q};
    const struct qcow2_snapshot s = t->items[index];
    uint64_t *l1 = calloc((size_t)s.l1_entries + 1, sizeof *l1);
    if (!l1)
        return BLOCK_IO_ERROR;
    uint64_t entries = max_u64(q->l2.top_entries, s.l1_entries);
    enum block_status status = qcow2_change_begin(&c, q, most_clusters(q, entries, t->n));
    if (status == BLOCK_OK)
        status = qcow2_change_read_l1(&c, s.l1_offset, l1, s.l1_entries);
    if (status == BLOCK_OK)
        status = deletes ? delete_one(&c, t, index, l1) : apply(&c, &s, l1);
    qcow2_change_end(&c, status);
    free(l1);
    return status;
}

static bool change_named(struct disk *image, const char *name, bool deletes, struct error *err)
{
    struct qcow2_snapshot_table t = {0};
    if (!can_change(image, err))
        return false;
    struct qcow2 *q = begin_using(image);
    bool found = true;
    enum block_status status = qcow2_change_settle(q);
    if (status == BLOCK_OK)
        status = qcow2_read_snapshots(q, &t);
    if (status == BLOCK_OK) {
        unsigned index = qcow2_snapshot_index(&t, name);
        found = index < t.count;
        if (found)
            status = change(q, &t, index, deletes);
        qcow2_free_snapshots(&t);
    }
    os_rwlock_unlock(q->lock);
    if (!found)
        return there_is_none(image, name, err);
    return status == BLOCK_OK ||
           failed(image, deletes ? "delete a snapshot of" : "apply a snapshot of", status, err);
}

bool qcow2_apply_snapshot(struct disk *image, const char *name, struct error *err)
{
    return change_named(image, name, false, err);
}

bool qcow2_delete_snapshot(struct disk *image, const char *name, struct error *err)
{
    return change_named(image, name, true, err);
}

/* ---- a machine's state, on its way out ---- */

/* What is of one L2 table: n bytes, not more than it maps. What was never written is skipped. */
static enum block_status read_mapped(struct qcow2 *q, const uint8_t *l2, uint8_t *to, uint64_t n)
{
    for (uint64_t i = 0, part; n; i++, to += part, n -= part) {
        uint64_t entry = get_be64(l2 + i * 8), offset = entry & ENTRY_OFFSET;
        enum block_status status = BLOCK_OK;
        part = min_u64(n, q->cluster_bytes);
        if (entry & ENTRY_COMPRESSED)
            return BLOCK_UNSUPPORTED;
        if (!(entry & ENTRY_ZERO) && offset)
            status = file_read(q->file, offset, to, part);
        if (status != BLOCK_OK)
            return status;
    }
    return BLOCK_OK;
}

enum block_status qcow2_read_state(struct disk *image, const struct qcow2_snapshot *s, uint8_t *to,
                                   uint64_t n)
{
    struct qcow2 *q = qcow2_of(image);
    uint64_t span = q->cluster_bytes << q->l2_bits, at = qcow2_l1_entries(q, s->disk_bytes);
    uint8_t *l2 = malloc(q->cluster_bytes);
    enum block_status status = l2 ? BLOCK_OK : BLOCK_IO_ERROR;
    for (uint64_t part; n && status == BLOCK_OK; at++, to += part, n -= part) {
        uint8_t entry[8];
        part = min_u64(n, span);
        if (at >= s->l1_entries)
            status = BLOCK_IO_ERROR;
        else
            status = file_read(q->file, s->l1_offset + at * 8, entry, sizeof entry);
        uint64_t table = status == BLOCK_OK ? get_be64(entry) & ENTRY_OFFSET : 0;
        if (!table)
            continue;
        status = file_read(q->file, table, l2, q->cluster_bytes);
        if (status == BLOCK_OK)
            status = read_mapped(q, l2, to, part);
    }
    free(l2);
    return status;
}
