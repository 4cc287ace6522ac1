/* Where in the source the guest's code is: the line tables that a compiler puts into an ELF file
 * (DWARF, version 5, section 6.2), by elfutils' libdw. */
#ifndef RIVULET_DEBUG_SOURCES_H
#define RIVULET_DEBUG_SOURCES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A stretch of code of one line. */
struct source_row {
    uint64_t start, end; /* start < end */
    const char *file;
    unsigned line; /* from 1 */
};

struct sources;

/* `base` is added to each address. NULL and err: no such file, one without lines, or the program
 * was built without libdw. */
struct sources *sources_open(const char *path, uint64_t base, struct error *err);
void sources_destroy(struct sources *s);

/* In the order of their start; NULL behind the last. */
const struct source_row *sources_get(const struct sources *s, size_t i);
/* The row that holds the address, or NULL. */
const struct source_row *sources_at(const struct sources *s, uint64_t address);

#endif
