/* The file of a snapshot: named sections of bytes, each with a check sum.
 *
 *   offset  0  8 bytes   "RIVULET\x1a"
 *           8  u32       format version, 1
 *          12  u32       number of sections, at most SNAPSHOT_SECTIONS_MAX
 *          16  u64       size of the file
 *          24  u64       hash of the first page, with this field zero
 *          64  sections of 64 bytes: name (24, ended by zeroes), u64 offset, u64 bytes in the file,
 *              u64 bytes as they were given, u64 hash of the bytes in the file, u32 encoding
 *              (0: as given, 1: zlib), u32 zero
 *   4096 ...   the sections, each at a multiple of 4096
 *
 * Numbers are little-endian. The hash is hash_bytes() chained over pieces of 1 MiB. */
#ifndef RIVULET_MACHINE_SNAPSHOT_FILE_H
#define RIVULET_MACHINE_SNAPSHOT_FILE_H

#include "base/bits.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_SECTIONS_MAX 63u
#define SNAPSHOT_NAME_BYTES   24u

/* --- writing ------------------------------------------------------------------------------ */

struct snapshot_writer;

/* Where the bytes go when it is no file. What is never written reads as zero. Behind commit, also
 * when it fails, and behind abandon the owner is gone. */
struct snapshot_target {
    bool (*write)(void *owner, uint64_t offset, const void *bytes, size_t n, struct error *err);
    bool (*commit)(void *owner, struct error *err);
    void (*abandon)(void *owner);
    void *owner;
};

/* The target is the writer's, and abandoned when it cannot be made. NULL and err. */
struct snapshot_writer *snapshot_writer_create_at(struct snapshot_target target, bool compress,
                                                  struct error *err);
/* Nothing has the path's name until snapshot_writer_commit. compress: zlib's, for small files that
 * take longer. NULL and err. */
struct snapshot_writer *snapshot_writer_create(const char *path, bool compress, struct error *err);
/* Begins a section; its bytes are what is written until the next one begins. The first failure is
 * kept, and told by the commit. */
void snapshot_begin(struct snapshot_writer *w, const char *name);
void snapshot_write(struct snapshot_writer *w, const void *bytes, size_t n);
/* Makes the file whole and durable. w is gone afterwards, also when it fails. */
bool snapshot_writer_commit(struct snapshot_writer *w, struct error *err) MUST_CHECK;
void snapshot_writer_abandon(struct snapshot_writer *w);

/* --- reading ------------------------------------------------------------------------------ */

struct snapshot_file;

/* Checks the whole file: NULL and err when it is not one, is cut, newer, or damaged. */
struct snapshot_file *snapshot_open(const char *path, struct error *err);
/* The same for bytes from os_reserve, which are the snapshot's from now on, also when it fails;
 * `name` is for messages. */
struct snapshot_file *snapshot_open_bytes(const char *name, uint8_t *bytes, size_t n,
                                          struct error *err);
void snapshot_close(struct snapshot_file *f);

struct snapshot_section {
    char name[SNAPSHOT_NAME_BYTES + 1];
    uint64_t bytes_in_file, bytes;
};

unsigned snapshot_section_count(const struct snapshot_file *f);
struct snapshot_section snapshot_section(const struct snapshot_file *f, unsigned i);
/* The bytes as they were given, valid until the close. NULL and err: there is no such section, or
 * no memory. */
const uint8_t *snapshot_bytes(struct snapshot_file *f, const char *name, uint64_t *n,
                              struct error *err);

#endif
