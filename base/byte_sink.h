/* The output end of a byte stream. */
#ifndef RIVULET_BASE_BYTE_SINK_H
#define RIVULET_BASE_BYTE_SINK_H

#include <stddef.h>
#include <stdint.h>

/* Where a device's output bytes go: a terminal, a file, a test's buffer. Never blocks the guest
 * for long; the receiver takes all n bytes. */
struct byte_sink {
    void (*write)(void *owner, const uint8_t *bytes, size_t n); /* NULL: thrown away */
    void *owner;
};

/* Writes text; what one call writes is cut at 511 bytes. */
__attribute__((format(printf, 2, 3))) void byte_sink_print(const struct byte_sink *sink,
                                                           const char *format, ...);

/* What is quoted from a file may be anything: it must not move a terminal's cursor, nor begin
 * lines. */
void text_make_printable(char *text);

#endif
