/* The system calls of 64-bit RISC-V Linux: what they are called, what their arguments are, and how
 * a call reads as a line of text. Who watches a guest's kernel and who stands in for a kernel read
 * the same rows (linux_calls.def). */
#ifndef RIVULET_BASE_LINUX_CALLS_H
#define RIVULET_BASE_LINUX_CALLS_H

#include "base/line.h"

#include <stdbool.h>

#define LINUX_CALL_ARGS  6u
#define LINUX_ERRNO_MOST 4095

struct linux_call {
    const char *name;  /* NULL: there is no such call */
    const char *kinds; /* of its arguments, one letter each */
};

/* NULL: there is none of this number. */
const struct linux_call *linux_call_find(uint64_t number);

/* What an argument of this kind points to: bytes; 0: it is no structure of one size. */
unsigned linux_kind_bytes(char kind);
/* Whether the call writes it. */
bool linux_kind_is_written(char kind);

/* The caller's memory, as far as it can be read. */
struct linux_memory {
    bool (*read)(const void *owner, uint64_t va, void *to, size_t n);
    const void *owner;
};

/* "openat(AT_FDCWD, "/etc/passwd", O_RDONLY)"; what the call writes is shown as its address, or
 * when `result` says what came of it, as what is there now. */
void linux_call_put(struct line *l, uint64_t number, const uint64_t args[LINUX_CALL_ARGS],
                    const struct linux_memory *memory, const int64_t *result);
/* The name alone. */
void linux_call_put_name(struct line *l, uint64_t number);
/* " = 3" or " = -2 ENOENT" */
void linux_call_put_result(struct line *l, int64_t result);

#endif
