/* A disk image with a shadow copy: every sector that is written carries a stamp of its own, so that
 * a test knows which write a sector comes from. */
#ifndef RIVULET_TESTS_UNIT_DISK_RIG_H
#define RIVULET_TESTS_UNIT_DISK_RIG_H

#include "devices/block/disk.h"
#include "devices/block/qcow2_tools.h"
#include "tests/unit/file_double.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static inline void stamp_sector(uint8_t *sector, uint64_t stamp)
{
    for (size_t i = 0; i < SECTOR_BYTES; i += sizeof stamp)
        memcpy(sector + i, &stamp, sizeof stamp);
}

/* Check tells its parent about every assertion that it passes: too slow for each sector. */
static inline void must(bool ok, const char *what)
{
    if (!ok)
        ck_abort_msg("%s", what);
}

/* The stamp of a sector; a torn one fails the test. */
static inline uint64_t sector_stamp(const uint8_t *sector)
{
    uint64_t stamp;
    memcpy(&stamp, sector, sizeof stamp);
    must(!memcmp(sector, sector + sizeof stamp, SECTOR_BYTES - sizeof stamp), "torn sector");
    return stamp;
}

static inline struct disk *open_double(struct file_double *d, bool read_only, bool unmap)
{
    struct error err;
    struct disk_options o = {.path = "double", .unmap = unmap};
    struct disk *image = qcow2_open(&d->file, &o, &err);
    ck_assert_msg(image != NULL, "%s", err.text);
    image->read_only = read_only;
    if (!read_only)
        ck_assert_msg(image->ops->begin_writing(image, &err), "%s", err.text);
    return image;
}

static inline struct file_double *format_double(const struct qcow2_format *f, uint64_t capacity)
{
    struct error err;
    struct file_double *d = file_double_create(capacity);
    ck_assert_msg(qcow2_format(&d->file, f, &err), "%s", err.text);
    return d;
}

/* A raw backing image whose sectors have the stamps base + 0, base + 1, ... */
static inline struct disk *backing_double(uint64_t sectors, uint64_t base)
{
    struct error err;
    struct file_double *d = file_double_create(sectors * SECTOR_BYTES);
    for (uint64_t s = 0; s < sectors; s++)
        stamp_sector(d->bytes + s * SECTOR_BYTES, base + s);
    d->size = sectors * SECTOR_BYTES;
    struct disk *image = raw_open(&d->file, false, &err);
    ck_assert_ptr_nonnull(image);
    image->read_only = true;
    return image;
}

static inline enum block_status write_stamped(struct disk *image, uint64_t first, uint64_t sectors,
                                              uint64_t stamp)
{
    uint8_t *bytes = malloc(sectors * SECTOR_BYTES);
    for (uint64_t s = 0; s < sectors; s++)
        stamp_sector(bytes + s * SECTOR_BYTES, stamp);
    enum block_status status =
        image->ops->write(image, first * SECTOR_BYTES, bytes, sectors * SECTOR_BYTES);
    free(bytes);
    return status;
}

/* The stamps of all sectors of an image. */
static inline uint64_t *read_stamps(struct disk *image)
{
    uint64_t sectors = image->bytes / SECTOR_BYTES;
    uint8_t *bytes = malloc(image->bytes);
    uint64_t *stamps = malloc(sectors * sizeof *stamps);
    ck_assert_int_eq(image->ops->read(image, 0, bytes, image->bytes), BLOCK_OK);
    for (uint64_t s = 0; s < sectors; s++)
        stamps[s] = sector_stamp(bytes + s * SECTOR_BYTES);
    free(bytes);
    return stamps;
}

static inline void print_line(void *owner, const char *line)
{
    (void)owner;
    fprintf(stderr, "%s\n", line);
}

/* No errors; leaks only where they are allowed. */
static inline void check_tables(struct disk *image, bool leaks_allowed)
{
    struct error err;
    struct qcow2_check check = {0};
    ck_assert_msg(qcow2_check(image, &check, &err), "%s", err.text);
    if (check.errors || (!leaks_allowed && check.leaks)) {
        struct qcow2_check loud = {.report = print_line};
        ck_assert(qcow2_check(image, &loud, &err));
    }
    ck_assert_uint_eq(check.errors, 0);
    if (!leaks_allowed)
        ck_assert_uint_eq(check.leaks, 0);
}

#endif
