/* A file that appears whole or not at all: it is written beside its name, made durable, and then
 * takes the name. What had the name before stays until then, and is not touched by whatever fails.
 */
#ifndef RIVULET_BASE_OS_NEW_FILE_H
#define RIVULET_BASE_OS_NEW_FILE_H

#include "base/bits.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct os_new_file;

/* Only a regular file is replaced. NULL and err: nothing was made. */
struct os_new_file *os_new_file_create(const char *path, struct error *err);
/* n bytes at an offset; what is never written reads as zero. */
bool os_new_file_write(struct os_new_file *f, uint64_t offset, const void *bytes, size_t n,
                       struct error *err) MUST_CHECK;
/* Gives it its name. f is gone afterwards, also when it fails. */
bool os_new_file_commit(struct os_new_file *f, struct error *err) MUST_CHECK;
/* As if it had never been begun. NULL: nothing to do. */
void os_new_file_abandon(struct os_new_file *f);

#endif
