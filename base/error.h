/* Errors of the host (a file, a socket, an option): returned up, one clear line, never exit().
 * A fallible function returns false (or NULL) and has filled *err: what, where, what to do. */
#ifndef RIVULET_BASE_ERROR_H
#define RIVULET_BASE_ERROR_H

#include <stdbool.h>

struct error {
    char text[512];
};

/* Fills err with one line, no newline at its end; control characters become '?'. Always false, so
 * that it can be returned. */
__attribute__((format(printf, 2, 3))) bool error_set(struct error *err, const char *format, ...);

#endif
