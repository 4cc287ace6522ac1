/* Files, FIFOs and pseudo-terminals as ends of byte streams. Every descriptor made here does not
 * block and is closed on exec; os_net.h reads, writes and closes them. */
#ifndef RIVULET_BASE_OS_CHAR_H
#define RIVULET_BASE_OS_CHAR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A file that is made, emptied or appended to; -1 and err. */
int os_char_open_output(const char *path, bool append, struct error *err);
/* The FIFOs PATH.in and PATH.out, or, when those are not there, PATH for both. They stay open when
 * the other program ends. */
bool os_char_open_pipe(const char *path, int *in, int *out, struct error *err);
/* The master end of a new pseudo-terminal in raw mode, and the name of the other end. */
int os_char_open_pty(char *name, size_t size, struct error *err);
/* Whether some program has the other end of a pseudo-terminal open. */
bool os_char_pty_is_open(int master);

/* Waits until something can be written; false when timeout_ms is over first. */
bool os_char_wait_writable(int fd, int timeout_ms);

#endif
