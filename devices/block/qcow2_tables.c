/* A top table with the cache of the tables that it points to (contract: qcow2.h).
 *
 * Invariants: loaded[i] is not NULL exactly for the `count` values in indices; `dirty` of them have
 * dirty_from < dirty_to; a dirty table is never dropped. */
#include "devices/block/qcow2.h"

#include <stdlib.h>

#define MIN_CACHED 8u

static enum block_status read_top(struct qcow2 *q, struct tables *t)
{
    enum block_status status = file_read(q->file, t->top_offset, t->top, t->top_entries * 8);
    for (uint64_t i = 0; i < t->top_entries; i++)
        t->top[i] = __builtin_bswap64(t->top[i]);
    return status;
}

bool tables_init(struct tables *t, struct qcow2 *q, uint64_t offset, uint64_t entries,
                 const char *name, struct error *err)
{
    *t = (struct tables){.top_offset = offset, .top_entries = entries};
    t->limit = max_u64(MIN_CACHED, TABLES_CACHE_BYTES >> q->header.cluster_bits);
    t->top = calloc(entries + 1, sizeof t->top[0]);
    t->loaded = calloc(entries + 1, sizeof t->loaded[0]);
    if (!t->top || !t->loaded)
        return error_set(err, "out of memory for the %s", name);
    return read_top(q, t) == BLOCK_OK || error_set(err, "cannot read the %s", name);
}

void tables_destroy(struct tables *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->loaded[t->indices[i]]->bytes);
        free(t->loaded[t->indices[i]]);
    }
    free(t->indices);
    free(t->loaded);
    free(t->top);
    *t = (struct tables){0};
}

/* ---- the cache ---- */

static bool is_dirty(const struct table *table)
{
    return table->dirty_from < table->dirty_to;
}

static void drop(struct tables *t, size_t slot)
{
    uint64_t index = t->indices[slot];
    free(t->loaded[index]->bytes);
    free(t->loaded[index]);
    t->loaded[index] = NULL;
    t->indices[slot] = t->indices[--t->count];
}

/* Drops the clean table that was not used for the longest time. */
static bool drop_oldest(struct tables *t)
{
    size_t oldest = t->count;
    for (size_t i = 0; i < t->count; i++) {
        const struct table *table = t->loaded[t->indices[i]];
        if (!is_dirty(table) &&
            (oldest == t->count || table->last_used < t->loaded[t->indices[oldest]]->last_used))
            oldest = i;
    }
    if (oldest == t->count)
        return false;
    drop(t, oldest);
    return true;
}

static struct table *add(struct qcow2 *q, struct tables *t, uint64_t index)
{
    while (t->count >= t->limit && drop_oldest(t))
        ;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 16;
        uint64_t *indices = realloc(t->indices, capacity * sizeof *indices);
        if (!indices)
            return NULL;
        t->indices = indices;
        t->capacity = capacity;
    }
    struct table *table = calloc(1, sizeof *table);
    if (table)
        table->bytes = calloc(1, q->cluster_bytes);
    if (!table || !table->bytes) {
        free(table);
        return NULL;
    }
    table->index = index;
    table->last_used = ++t->clock;
    t->indices[t->count++] = index;
    t->loaded[index] = table;
    return table;
}

/* Whether a table can be at this offset; what is behind the end of the file was never written. */
static bool is_table_place(struct qcow2 *q, uint64_t offset)
{
    return offset && !(offset & (q->cluster_bytes - 1)) &&
           offset + q->cluster_bytes <= align_up(file_bytes(q->file), q->cluster_bytes);
}

enum block_status tables_get(struct qcow2 *q, struct tables *t, uint64_t index,
                             struct table **table)
{
    *table = t->loaded[index];
    if (*table) {
        (*table)->last_used = ++t->clock;
        return BLOCK_OK;
    }
    uint64_t offset = t->top[index] & ENTRY_OFFSET;
    if (!is_table_place(q, offset))
        return qcow2_found_damage(q);
    *table = add(q, t, index);
    if (!*table)
        return BLOCK_IO_ERROR;
    enum block_status status = file_read(q->file, offset, (*table)->bytes, q->cluster_bytes);
    if (status != BLOCK_OK)
        drop(t, t->count - 1);
    return status;
}

struct table *tables_new(struct qcow2 *q, struct tables *t, uint64_t index, uint64_t offset,
                         uint64_t flags)
{
    struct table *table = t->loaded[index] ? t->loaded[index] : add(q, t, index);
    if (!table)
        return NULL;
    tables_point(t, index, offset | flags);
    table_dirty(t, table, 0, q->cluster_bytes);
    return table;
}

void tables_point(struct tables *t, uint64_t index, uint64_t entry)
{
    t->top[index] = entry;
    if (t->top_dirty_from == t->top_dirty_to)
        t->top_dirty_from = t->top_dirty_to = index;
    t->top_dirty_from = min_u64(t->top_dirty_from, index);
    t->top_dirty_to = max_u64(t->top_dirty_to, index + 1);
}

void table_dirty(struct tables *t, struct table *table, uint64_t from, uint64_t to)
{
    if (!is_dirty(table)) {
        t->dirty++;
        table->dirty_from = (uint32_t)from;
        table->dirty_to = (uint32_t)to;
    }
    table->dirty_from = (uint32_t)min_u64(table->dirty_from, from);
    table->dirty_to = (uint32_t)max_u64(table->dirty_to, to);
}

bool tables_grow(struct tables *t, uint64_t entries)
{
    uint64_t *top = realloc(t->top, (entries + 1) * sizeof *top);
    if (!top)
        return false;
    t->top = top;
    struct table **loaded = realloc(t->loaded, (entries + 1) * sizeof *loaded);
    if (!loaded)
        return false;
    t->loaded = loaded;
    for (uint64_t i = t->top_entries; i < entries; i++) {
        top[i] = 0;
        loaded[i] = NULL;
    }
    t->top_entries = entries;
    return true;
}

void tables_shrink(struct tables *t, uint64_t entries)
{
    for (size_t slot = t->count; slot-- > 0;) {
        if (t->indices[slot] < entries)
            continue;
        t->dirty -= is_dirty(t->loaded[t->indices[slot]]);
        drop(t, slot);
    }
    t->top_entries = entries;
    t->top_dirty_to = min_u64(t->top_dirty_to, entries);
    t->top_dirty_from = min_u64(t->top_dirty_from, t->top_dirty_to);
}

/* ---- writing ---- */

bool tables_are_dirty(const struct tables *t)
{
    return t->dirty || t->top_dirty_from != t->top_dirty_to;
}

enum block_status tables_write(struct qcow2 *q, struct tables *t)
{
    for (size_t i = 0; i < t->count && t->dirty; i++) {
        struct table *table = t->loaded[t->indices[i]];
        if (!is_dirty(table))
            continue;
        uint64_t from = table->dirty_from & ~(SECTOR_BYTES - 1ull);
        uint64_t to = align_up(table->dirty_to, SECTOR_BYTES);
        uint64_t offset = (t->top[table->index] & ENTRY_OFFSET) + from;
        enum block_status status = file_write(q->file, offset, table->bytes + from, to - from);
        if (status != BLOCK_OK)
            return status;
        table->dirty_from = table->dirty_to = 0;
        t->dirty--;
    }
    return BLOCK_OK;
}

enum block_status tables_write_top(struct qcow2 *q, struct tables *t, bool whole)
{
    uint64_t from = whole ? 0 : t->top_dirty_from;
    uint64_t to = whole ? t->top_entries : t->top_dirty_to;
    uint8_t *bytes = malloc((to - from) * 8 + 1);
    if (!bytes)
        return BLOCK_IO_ERROR;
    for (uint64_t i = from; i < to; i++)
        put_be64(bytes + (i - from) * 8, t->top[i]);
    enum block_status status =
        file_write(q->file, t->top_offset + from * 8, bytes, (to - from) * 8);
    free(bytes);
    if (status == BLOCK_OK)
        t->top_dirty_from = t->top_dirty_to = 0;
    return status;
}
