/* The disks of a snapshot (contract: snapshot_disks.h).
 *
 * "disk N" is the changes of the Nth drive: u64 offset, u64 bytes, the bytes, and so on, ascending.
 */
#include "machine/snapshot_disks.h"

#include "devices/block/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE (1u << 20)

static void section_name(unsigned drive, char name[SNAPSHOT_NAME_BYTES])
{
    snprintf(name, SNAPSHOT_NAME_BYTES, "disk %u", drive);
}

bool snapshot_settle_disks(struct drives *d, struct error *err)
{
    for (unsigned i = 0; i < d->count; i++) {
        enum block_status status = block_settle(d->items[i].block);
        if (status != BLOCK_OK)
            return error_set(err, "drive %s cannot be brought to rest: %s", d->items[i].id,
                             block_status_text(status));
    }
    return true;
}

void snapshot_describe_disks(const struct drives *d, bool inside, const struct byte_sink *out)
{
    for (unsigned i = 0; i < d->count; i++) {
        struct block *b = d->items[i].block;
        byte_sink_print(out, "drive %s: %" PRIu64 " bytes, %s", d->items[i].id, block_bytes(b),
                        block_is_overlay(b)     ? "snapshot=on"
                        : block_is_read_only(b) ? "read-only"
                                                : "writable");
        if (inside && block_qcow2(b))
            byte_sink_print(out, ", with snapshots inside\n");
        else
            byte_sink_print(out, ", image changed at %" PRIu64 " ns\n",
                            file_changed_ns(block_path(b)));
    }
}

static enum block_status transfer(struct block *b, enum block_op op, uint64_t offset,
                                  uint8_t *buffer, uint64_t bytes)
{
    struct block_request r = {.op = op, .offset = offset, .bytes = bytes, .buffer = buffer};
    block_submit(b, &r);
    block_wait(b, &r);
    return r.status;
}

static enum block_status save_disk(struct block *b, struct snapshot_writer *w, uint8_t *buffer)
{
    enum block_status status = BLOCK_OK;
    uint64_t head[2] = {0};
    for (; status == BLOCK_OK && block_next_change(b, &head[0], &head[1]); head[0] += head[1]) {
        head[1] = min_u64(head[1], PIECE);
        status = transfer(b, BLOCK_READ, head[0], buffer, head[1]);
        snapshot_write(w, head, sizeof head);
        snapshot_write(w, buffer, head[1]);
    }
    return status;
}

bool snapshot_save_disks(struct drives *d, struct snapshot_writer *w, struct error *err)
{
    enum block_status status = BLOCK_OK;
    uint8_t *buffer = malloc(PIECE);
    if (!buffer)
        return error_set(err, "no memory for saving the disks");
    for (unsigned i = 0; i < d->count && status == BLOCK_OK; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        if (!block_is_overlay(d->items[i].block))
            continue;
        section_name(i, name);
        snapshot_begin(w, name);
        status = save_disk(d->items[i].block, w, buffer);
        if (status != BLOCK_OK)
            error_set(err, "drive %s cannot be saved: %s", d->items[i].id,
                      block_status_text(status));
    }
    free(buffer);
    return status == BLOCK_OK;
}

struct change {
    uint64_t offset, bytes;
    const uint8_t *data;
};

/* The change at *at of a section, which moves behind it. False at the end, or at what is none. */
static bool next_change(const uint8_t *section, uint64_t n, uint64_t *at, struct change *c)
{
    uint64_t head[2];
    if (n - *at < sizeof head)
        return false;
    memcpy(head, section + *at, sizeof head);
    if (head[1] == 0 || head[1] > n - *at - sizeof head)
        return false;
    *c = (struct change){head[0], head[1], section + *at + sizeof head};
    *at += sizeof head + head[1];
    return true;
}

static bool check_disk(const struct block *b, const uint8_t *section, uint64_t n)
{
    struct change c;
    uint64_t at = 0, size = block_bytes(b);
    while (next_change(section, n, &at, &c))
        if (c.offset > size || c.bytes > size - c.offset || (c.offset | c.bytes) % 512)
            return false;
    return at == n;
}

bool snapshot_check_disks(const struct drives *d, struct snapshot_file *f, struct error *err)
{
    for (unsigned i = 0; i < d->count; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        uint64_t n;
        if (!block_is_overlay(d->items[i].block))
            continue;
        section_name(i, name);
        const uint8_t *section = snapshot_bytes(f, name, &n, err);
        if (!section)
            return false;
        if (!check_disk(d->items[i].block, section, n))
            return error_set(err, "its section '%s' is no list of changes of drive %s", name,
                             d->items[i].id);
    }
    return true;
}

static enum block_status load_disk(struct block *b, const uint8_t *section, uint64_t n)
{
    struct change c;
    uint64_t at = 0;
    enum block_status status = block_forget_changes(b);
    while (status == BLOCK_OK && next_change(section, n, &at, &c))
        status = transfer(b, BLOCK_WRITE, c.offset, (uint8_t *)(uintptr_t)c.data, c.bytes);
    return status;
}

bool snapshot_load_disks(struct drives *d, struct snapshot_file *f, struct error *err)
{
    for (unsigned i = 0; i < d->count; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        uint64_t n;
        if (!block_is_overlay(d->items[i].block))
            continue;
        section_name(i, name);
        const uint8_t *section = snapshot_bytes(f, name, &n, err);
        if (!section)
            return false;
        enum block_status status = load_disk(d->items[i].block, section, n);
        if (status != BLOCK_OK)
            return error_set(err, "drive %s cannot be loaded: %s", d->items[i].id,
                             block_status_text(status));
    }
    return true;
}
