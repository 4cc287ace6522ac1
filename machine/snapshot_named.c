/* Snapshots inside of the drives' qcow2 images (contract: snapshot.h). The state lies in the first
 * of them, in the form of a snapshot's file. */
#include "base/os.h"
#include "devices/block/qcow2_snapshot.h"
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/snapshot_disks.h"
#include "machine/snapshot_parts.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_SUFFIX    ".rvs"
#define MAGIC_BYTES    8u
#define STATE_OF_QEMU  "QEVM"
#define MAX_STATE_SIZE (1ull << 40)

bool snapshot_is_name(const char *text)
{
    size_t n = strlen(text), suffix = strlen(FILE_SUFFIX);
    return !strchr(text, '/') && (n < suffix || strcmp(text + n - suffix, FILE_SUFFIX) != 0);
}

/* --- the drives that keep them ---------------------------------------------------------------- */

struct images {
    struct machine *m;
    const char *name;
    struct disk *items[MACHINE_DRIVES_MAX]; /* the first one has the state */
    const char *ids[MACHINE_DRIVES_MAX];
    unsigned count;
};

static bool check_name(const char *name, struct error *err)
{
    return (*name && strlen(name) < QCOW2_SNAPSHOT_NAME_BYTES) ||
           error_set(err, "a snapshot's name has 1 to %u bytes", QCOW2_SNAPSHOT_NAME_BYTES - 1);
}

/* There may be none. */
static bool find_images(struct machine *m, struct images *images, struct error *err)
{
    *images = (struct images){.m = m};
    if (!snapshot_settle_disks(m->drives, err))
        return false;
    for (unsigned i = 0; i < m->drives->count; i++) {
        struct block *b = m->drives->items[i].block;
        struct disk *image = block_qcow2(b);
        if (image) {
            images->ids[images->count] = m->drives->items[i].id;
            images->items[images->count++] = image;
        } else if (m->moment && !block_is_read_only(b)) {
            return error_set(err, "the disks belong to the checkpoint: give checkpoint off first");
        } else if (!block_is_read_only(b) && !block_is_overlay(b)) {
            return error_set(err,
                             "drive '%s' is writable but does not support snapshots: it is %s; "
                             "give qcow2, or snapshot=on",
                             m->drives->items[i].id, block_format(b));
        }
    }
    return true;
}

static bool find_images_for(struct machine *m, const char *name, struct images *images,
                            struct error *err)
{
    if (!check_name(name, err) || !find_images(m, images, err))
        return false;
    images->name = name;
    return images->count ||
           error_set(err,
                     "no drive can keep the snapshot '%.80s': give a file (./%.80s%s), or a "
                     "qcow2 drive that is written to (no snapshot=on)",
                     name, name, FILE_SUFFIX);
}

/* Whether this image has one; the newest if so. Names alone count, as for QEMU. */
static bool find_in(struct disk *image, const char *name, struct qcow2_snapshot *found,
                    bool *is_there, struct error *err)
{
    struct qcow2_snapshot *list;
    unsigned count;
    *is_there = false;
    if (!qcow2_list_snapshots(image, &list, &count, err))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) {
            *found = list[i];
            *is_there = true;
        }
    free(list);
    return true;
}

/* --- saving ------------------------------------------------------------------------------------
 */

struct saving {
    struct images images;
    struct qcow2_snapshot snapshot;
    struct qcow2_state *state;
};

static bool write_state(void *owner, uint64_t offset, const void *bytes, size_t n,
                        struct error *err)
{
    struct saving *s = owner;
    enum block_status status = qcow2_state_write(s->state, offset, bytes, n);
    return status == BLOCK_OK || error_set(err, "drive %s cannot take the machine's state: %s",
                                           s->images.ids[0], block_status_text(status));
}

/* Those of this name that were there before the new one, which is the last. */
static bool delete_older(struct disk *image, const char *name, struct error *err)
{
    struct qcow2_snapshot *list;
    unsigned count;
    if (!qcow2_list_snapshots(image, &list, &count, err))
        return false;
    bool ok = true;
    for (unsigned i = 0; i + 1 < count && ok; i++)
        if (strcmp(list[i].name, name) == 0)
            ok = qcow2_delete_snapshot(image, list[i].id, err);
    free(list);
    return ok;
}

/* The first `count` images but the one of the state have a new one, which is the last. */
static void take_back(const struct images *images, unsigned count)
{
    struct error ignored;
    struct qcow2_snapshot s;
    bool is_there;
    for (unsigned i = 1; i < count; i++)
        if (find_in(images->items[i], images->name, &s, &is_there, &ignored) && is_there)
            (void)!qcow2_delete_snapshot(images->items[i], s.id, &ignored);
}

/* The state's image is the last: where it has one the others have theirs. */
static bool commit_state(void *owner, struct error *err)
{
    struct saving *s = owner;
    const struct images *images = &s->images;
    unsigned made = 1;
    while (made < images->count &&
           qcow2_create_snapshot(images->items[made], &s->snapshot, NULL, err))
        made++;
    bool ok = made == images->count;
    if (ok)
        ok = qcow2_create_snapshot(images->items[0], &s->snapshot, s->state, err);
    else
        qcow2_state_abandon(s->state);
    if (!ok)
        take_back(images, made);
    for (unsigned i = 0; i < images->count && ok; i++)
        ok = delete_older(images->items[i], images->name, err);
    return ok;
}

static void abandon_state(void *owner)
{
    struct saving *s = owner;
    qcow2_state_abandon(s->state);
}

static struct qcow2_snapshot describe_now(struct machine *m, const char *name)
{
    struct qcow2_snapshot s = {.date_ns = os_wall_clock_ns(),
                               .clock_ns = machine_now_ns(m),
                               .icount = m->config.icount ? machine_steps(m) : UINT64_MAX};
    snprintf(s.name, sizeof s.name, "%s", name);
    return s;
}

bool snapshot_save_named(struct machine *m, const char *name,
                         const struct snapshot_options *options, struct error *err)
{
    struct saving s = {.snapshot = describe_now(m, name)};
    if (!find_images_for(m, name, &s.images, err))
        return false;
    s.state = qcow2_state_create(s.images.items[0], err);
    if (!s.state)
        return false;
    struct snapshot_target target = {
        .write = write_state, .commit = commit_state, .abandon = abandon_state, .owner = &s};
    struct snapshot_writer *w = snapshot_writer_create_at(target, options->compress, err);
    if (!w)
        return false;
    if (snapshot_save_sections(m, w, true, options, err))
        return snapshot_writer_commit(w, err);
    snapshot_writer_abandon(w);
    return false;
}

/* --- loading -----------------------------------------------------------------------------------
 */

static bool check_is_ours(const struct images *images, const struct qcow2_snapshot *s,
                          struct error *err)
{
    uint8_t magic[MAGIC_BYTES] = {0};
    if (s->state_bytes == 0)
        return error_set(err,
                         "the snapshot '%.100s' of drive %s is of the disk alone: apply it with "
                         "rivulet img snapshot -a",
                         images->name, images->ids[0]);
    uint64_t n = min_u64(s->state_bytes, sizeof magic);
    if (qcow2_read_state(images->items[0], s, magic, n) != BLOCK_OK)
        return error_set(err, "drive %s: the state cannot be read", images->ids[0]);
    return memcmp(magic, STATE_OF_QEMU, strlen(STATE_OF_QEMU)) != 0 ||
           error_set(err,
                     "the snapshot '%.100s' of drive %s was saved by QEMU, whose machines cannot "
                     "be loaded; its disk can be applied with rivulet img snapshot -a",
                     images->name, images->ids[0]);
}

static struct snapshot_file *read_state(const struct images *images, const struct qcow2_snapshot *s,
                                        struct error *err)
{
    uint8_t *bytes = s->state_bytes <= MAX_STATE_SIZE ? os_reserve(s->state_bytes) : NULL;
    if (!bytes) {
        error_set(err, "no memory for the snapshot '%.100s'", images->name);
        return NULL;
    }
    enum block_status status = qcow2_read_state(images->items[0], s, bytes, s->state_bytes);
    if (status == BLOCK_OK)
        return snapshot_open_bytes(images->name, bytes, s->state_bytes, err);
    os_release(bytes, s->state_bytes);
    error_set(err, "drive %s: the state cannot be read: %s", images->ids[0],
              block_status_text(status));
    return NULL;
}

/* All images have one of this name, of disks as large as these. *first is the first one's. */
static bool check_images(const struct images *images, struct qcow2_snapshot *first,
                         struct error *err)
{
    for (unsigned i = images->count; i-- > 0;) {
        bool is_there;
        if (!find_in(images->items[i], images->name, first, &is_there, err))
            return false;
        if (!is_there)
            return error_set(err, "drive %s has no snapshot '%.100s'", images->ids[i],
                             images->name);
        if (align_up(first->disk_bytes, SECTOR_BYTES) != images->items[i]->bytes)
            return error_set(err, "drive %s had another size at the snapshot '%.100s'",
                             images->ids[i], images->name);
    }
    return true;
}

static bool load_state(const struct images *images, struct snapshot_file *f, bool *is_intact,
                       struct error *err)
{
    if (!snapshot_check_sections(images->m, f, images->name, true, err))
        return false;
    *is_intact = false;
    for (unsigned i = 0; i < images->count; i++) {
        struct qcow2_snapshot s;
        bool is_there;
        if (!find_in(images->items[i], images->name, &s, &is_there, err) ||
            !qcow2_apply_snapshot(images->items[i], s.id, err))
            return false;
    }
    return snapshot_load_sections(images->m, f, err);
}

bool snapshot_load_named(struct machine *m, const char *name, bool *is_intact, struct error *err)
{
    struct images images;
    struct qcow2_snapshot s;
    *is_intact = true;
    if (!find_images_for(m, name, &images, err) || !check_images(&images, &s, err) ||
        !check_is_ours(&images, &s, err))
        return false;
    struct snapshot_file *f = read_state(&images, &s, err);
    bool ok = f && load_state(&images, f, is_intact, err);
    snapshot_close(f);
    return ok;
}

/* --- deleting, listing ---------------------------------------------------------------------------
 */

bool snapshot_delete_named(struct machine *m, const char *name, struct error *err)
{
    struct images images;
    unsigned deleted = 0;
    if (!find_images_for(m, name, &images, err))
        return false;
    for (unsigned i = 0; i < images.count; i++) {
        struct qcow2_snapshot s;
        for (bool is_there = true; is_there;) {
            if (!find_in(images.items[i], name, &s, &is_there, err) ||
                (is_there && !qcow2_delete_snapshot(images.items[i], s.id, err)))
                return false;
            deleted += is_there;
        }
    }
    return deleted || error_set(err, "no drive has a snapshot '%.100s'", name);
}

/* Whether all images have it; those with a state are in the first. */
static bool is_everywhere(const struct images *images, const struct qcow2_snapshot *s, bool *all,
                          struct error *err)
{
    *all = true;
    for (unsigned i = 1; i < images->count && *all; i++) {
        struct qcow2_snapshot there;
        if (!find_in(images->items[i], s->name, &there, all, err))
            return false;
    }
    return true;
}

bool snapshot_list_named(struct machine *m, const struct byte_sink *out, struct error *err)
{
    struct images images;
    struct qcow2_snapshot *list = NULL;
    unsigned count = 0, shown = 0;
    if (!find_images(m, &images, err) ||
        (images.count && !qcow2_list_snapshots(images.items[0], &list, &count, err)))
        return false;
    bool ok = true, all;
    for (unsigned i = 0; i < count && ok; i++) {
        ok = is_everywhere(&images, &list[i], &all, err);
        if (!ok || !all)
            continue;
        if (shown++ == 0) {
            byte_sink_print(out, "List of snapshots present on all disks:\n");
            qcow2_print_snapshot(NULL, out);
        }
        snprintf(list[i].id, sizeof list[i].id, "--"); /* each image has its own */
        qcow2_print_snapshot(&list[i], out);
    }
    if (ok && !shown)
        byte_sink_print(out, "There is no snapshot available.\n");
    free(list);
    return ok;
}
