/* Checking a qcow2 image: every reference is counted and compared with the refcounts. Works on the
 * file, after everything in memory was written to it.
 *
 * What is repaired: refcounts, and the COPIED flags that follow from them. Tables that point to
 * nowhere are reported only: no program can know what they should be. */
#include "devices/block/qcow2.h"
#include "devices/block/qcow2_tools.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_REFERENCES  UINT32_MAX
#define SNAPSHOT_BYTES  40u /* of an entry of the snapshot table, before its variable part */
#define MAX_EXTRA_BYTES 1024u

struct checker {
    struct qcow2 *q;
    struct qcow2_check *check;
    uint32_t *references; /* by cluster */
    uint64_t clusters;
    uint8_t *l2;
    bool unreadable;
    uint64_t last_host; /* of the data cluster before, for fragmentation */
};

__attribute__((format(printf, 2, 3))) static void say(const struct checker *c, const char *format,
                                                      ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (c->check->report)
        c->check->report(c->check->owner, line);
}

static void unfixable(struct checker *c)
{
    c->check->errors++;
    c->check->unfixable++;
}

/* ---- counting ---- */

/* Counts one reference to each cluster that these bytes touch. */
static void refer(struct checker *c, uint64_t offset, uint64_t bytes, const char *what)
{
    uint64_t first = offset >> c->q->header.cluster_bits;
    if (!bytes)
        return;
    if (offset + bytes < offset ||
        (offset + bytes - 1) >> c->q->header.cluster_bits >= c->clusters) {
        say(c, "ERROR: %s at offset 0x%" PRIx64 " is behind the end of the file", what, offset);
        unfixable(c);
        return;
    }
    for (uint64_t i = first; i <= (offset + bytes - 1) >> c->q->header.cluster_bits; i++)
        if (c->references[i] < MAX_REFERENCES)
            c->references[i]++;
    c->check->end_offset =
        max_u64(c->check->end_offset, align_up(offset + bytes, c->q->cluster_bytes));
}

static bool read_bytes(struct checker *c, uint64_t offset, void *bytes, uint64_t n)
{
    if (file_read(c->q->file, offset, bytes, n) == BLOCK_OK)
        return true;
    c->unreadable = true;
    return false;
}

static bool is_aligned(struct checker *c, uint64_t offset, const char *what)
{
    if (!(offset & (c->q->cluster_bytes - 1)))
        return true;
    say(c, "ERROR: %s at offset 0x%" PRIx64 " is not on a cluster boundary", what, offset);
    unfixable(c);
    return false;
}

static void count_data(struct checker *c, uint64_t entry, bool active)
{
    struct qcow2_check *check = c->check;
    uint64_t offset = entry & ENTRY_OFFSET, bytes = c->q->cluster_bytes;
    if (entry & ENTRY_COMPRESSED) {
        qcow2_compressed_place(c->q, entry, &offset, &bytes);
        refer(c, offset, bytes, "a compressed cluster");
    } else if (offset && is_aligned(c, offset, "a data cluster")) {
        refer(c, offset, bytes, "a data cluster");
    }
    if (!active || !(offset || entry & ENTRY_COMPRESSED))
        return;
    check->allocated_clusters++;
    check->compressed_clusters += !!(entry & ENTRY_COMPRESSED);
    check->fragmented_clusters += c->last_host && offset != c->last_host + c->q->cluster_bytes;
    c->last_host = offset;
}

static void count_l2(struct checker *c, uint64_t offset, bool active)
{
    refer(c, offset, c->q->cluster_bytes, "an L2 table");
    if (!read_bytes(c, offset, c->l2, c->q->cluster_bytes))
        return;
    for (uint64_t i = 0; i < 1ull << c->q->l2_bits; i++)
        count_data(c, get_be64(c->l2 + i * 8), active);
}

/* An L1 table and all below it. */
static void count_l1(struct checker *c, uint64_t offset, uint64_t entries, bool active)
{
    uint8_t *l1 = entries <= MAX_L1_BYTES / 8 ? malloc(entries * 8 + 1) : NULL;
    refer(c, offset, entries * 8, "an L1 table");
    if (!l1) {
        say(c, "ERROR: an L1 table at offset 0x%" PRIx64 " is too large", offset);
        unfixable(c);
    } else if (is_aligned(c, offset, "an L1 table") && read_bytes(c, offset, l1, entries * 8)) {
        for (uint64_t i = 0; i < entries; i++) {
            uint64_t l2 = get_be64(l1 + i * 8) & ENTRY_OFFSET;
            if (l2 && is_aligned(c, l2, "an L2 table"))
                count_l2(c, l2, active);
        }
    }
    free(l1);
}

static void count_snapshots(struct checker *c)
{
    uint64_t offset = c->q->header.snapshots_offset, start = offset;
    for (uint32_t i = 0; i < c->q->header.snapshots; i++) {
        uint8_t entry[SNAPSHOT_BYTES];
        if (!read_bytes(c, offset, entry, sizeof entry))
            return;
        uint32_t extra = get_be32(entry + 36);
        if (extra > MAX_EXTRA_BYTES) {
            say(c, "ERROR: the entry of snapshot %" PRIu32 " makes no sense", i);
            unfixable(c);
            return;
        }
        uint64_t id_bytes = get_be32(entry + 12) >> 16, name_bytes = get_be32(entry + 12) & 0xffff;
        count_l1(c, get_be64(entry), get_be32(entry + 8), false);
        offset += align_up(SNAPSHOT_BYTES + extra + id_bytes + name_bytes, 8);
    }
    refer(c, start, offset - start, "the snapshot table");
}

static void count_refcounts(struct checker *c)
{
    const struct qcow2 *q = c->q;
    refer(c, q->header.reftable_offset,
          (uint64_t)q->header.reftable_clusters << q->header.cluster_bits, "the refcount table");
    for (uint64_t i = 0; i < q->refblocks.top_entries; i++)
        if (q->refblocks.top[i] && is_aligned(c, q->refblocks.top[i], "a refcount block"))
            refer(c, q->refblocks.top[i] & ENTRY_OFFSET, q->cluster_bytes, "a refcount block");
}

static void count_all(struct checker *c)
{
    struct qcow2 *q = c->q;
    refer(c, 0, q->cluster_bytes, "the header");
    count_l1(c, q->header.l1_offset, q->header.l1_size, true);
    if (q->header.snapshots)
        count_snapshots(c);
    count_refcounts(c);
}

/* ---- comparing ---- */

static bool compare_refcount(struct checker *c, uint64_t cluster)
{
    struct qcow2_check *check = c->check;
    uint64_t refcount, references = c->references[cluster];
    if (qcow2_get_refcount(c->q, cluster, &refcount) != BLOCK_OK) {
        c->unreadable = true;
        return false;
    }
    if (refcount == references)
        return true;
    bool leak = refcount > references, fix = leak ? check->fix_leaks : check->fix_errors;
    *(leak ? &check->leaks : &check->errors) += 1;
    say(c, "%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64,
        fix    ? "Repairing"
        : leak ? "Leaked"
               : "ERROR",
        cluster, refcount, references);
    if (!fix)
        return true;
    if (qcow2_force_refcount(c->q, cluster, references) != BLOCK_OK)
        return false;
    *(leak ? &check->fixed_leaks : &check->fixed_errors) += 1;
    return true;
}

/* The entry as it must be; COPIED says that there is exactly one reference. */
static uint64_t right_entry(struct checker *c, uint64_t entry, const char *what)
{
    uint64_t cluster = (entry & ENTRY_OFFSET) >> c->q->header.cluster_bits;
    if (entry & ENTRY_COMPRESSED || !cluster || cluster >= c->clusters)
        return entry;
    bool is_single = c->references[cluster] == 1;
    if (is_single == !!(entry & ENTRY_COPIED))
        return entry;
    say(c, "%s OFLAG_COPIED %s: entry=%" PRIx64 " refcount=%" PRIu32,
        c->check->fix_errors ? "Repairing" : "ERROR", what, entry, c->references[cluster]);
    c->check->errors++;
    if (!c->check->fix_errors)
        return entry;
    c->check->fixed_errors++;
    return entry ^ ENTRY_COPIED;
}

static void compare_flags(struct checker *c)
{
    struct tables *t = &c->q->l2;
    for (uint64_t i = 0; i < t->top_entries; i++) {
        uint64_t offset = t->top[i] & ENTRY_OFFSET;
        struct table *table;
        if (!offset || offset & (c->q->cluster_bytes - 1) ||
            offset >> c->q->header.cluster_bits >= c->clusters)
            continue;
        if (qcow2_make_room(c->q) != BLOCK_OK || tables_get(c->q, t, i, &table) != BLOCK_OK) {
            c->unreadable = true;
            return;
        }
        uint64_t entry = right_entry(c, t->top[i], "L2 cluster");
        if (entry != t->top[i])
            tables_point(t, i, entry);
        for (uint64_t j = 0; j < 1ull << c->q->l2_bits; j++) {
            entry = right_entry(c, qcow2_entry(table, j), "data cluster");
            if (entry != qcow2_entry(table, j))
                qcow2_set_entry(c->q, table, j, entry);
        }
    }
}

static bool write_repairs(struct checker *c)
{
    struct qcow2 *q = c->q;
    const struct qcow2_check *check = c->check;
    if (check->fixed_errors + check->fixed_leaks == 0 &&
        !(q->header.incompatible & INCOMPATIBLE_DIRTY))
        return true;
    q->free_hint = 0;
    do
        if (qcow2_write_metadata(q) != BLOCK_OK)
            return false;
    while (tables_are_dirty(&q->refblocks) || tables_are_dirty(&q->l2));
    if (file_sync(q->file) != BLOCK_OK)
        return false;
    if (check->fix_errors && check->errors == check->fixed_errors)
        q->header.incompatible &= ~(INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT);
    return qcow2_write_header(q) == BLOCK_OK && file_sync(q->file) == BLOCK_OK;
}

static bool run_check(struct checker *c, struct error *err)
{
    count_all(c);
    for (uint64_t i = 0; i < c->clusters && !c->unreadable; i++)
        if (!compare_refcount(c, i))
            break;
    if (!c->unreadable)
        compare_flags(c);
    if (c->unreadable)
        return error_set(err, "cannot check %s: its tables cannot be read", c->q->image.path);
    if (!c->q->image.read_only && !write_repairs(c))
        return error_set(err, "cannot repair %s: it cannot be written", c->q->image.path);
    return true;
}

bool qcow2_check(struct disk *image, struct qcow2_check *check, struct error *err)
{
    struct qcow2 *q = qcow2_of(image);
    struct checker c = {.q = q, .check = check};
    while (!image->read_only && (tables_are_dirty(&q->l2) || tables_are_dirty(&q->refblocks)))
        if (qcow2_write_metadata(q) != BLOCK_OK)
            return error_set(err, "cannot write %s", image->path);
    c.clusters = clusters_of(q, file_bytes(q->file));
    c.references = os_reserve(c.clusters * sizeof c.references[0]);
    c.l2 = malloc(q->cluster_bytes);
    bool ok = c.references && c.l2 ? run_check(&c, err)
                                   : error_set(err, "cannot check %s: out of memory", image->path);
    check->total_clusters = clusters_of(q, image->bytes);
    if (c.references)
        os_release(c.references, c.clusters * sizeof c.references[0]);
    free(c.l2);
    return ok;
}

bool qcow2_repair_dirty(struct disk *image, struct error *err)
{
    struct qcow2_check look = {0}, check = {.fix_leaks = true, .fix_errors = true};
    image->read_only = true; /* until it is sure that all can be repaired */
    bool ok = qcow2_check(image, &look, err);
    image->read_only = false;
    if (!ok)
        return false;
    if (look.unfixable)
        return error_set(err,
                         "%s was not closed, and its tables contradict themselves: it can be read "
                         "(readonly=on), or repaired with qemu-img check -r all",
                         image->path);
    qcow2_of(image)->header.autoclear = 0;
    return qcow2_check(image, &check, err);
}
