/* What a display shows, as a file. */
#ifndef RIVULET_DEBUG_PICTURE_H
#define RIVULET_DEBUG_PICTURE_H

#include "base/error.h"
#include "devices/display/screen.h"

/* Writes PNG (ISO/IEC 15948), or PPM when the name ends in .ppm. The device's cursor is in it.
 * False and err: the screen shows nothing, or the file cannot be written. */
bool picture_write(const struct screen *s, const char *path, struct error *err) MUST_CHECK;
/* The same, whatever its name. */
enum picture_format { PICTURE_PNG, PICTURE_PPM };
bool picture_write_as(const struct screen *s, enum picture_format format, const char *path,
                      struct error *err) MUST_CHECK;

/* A PNG in memory, malloc()ed; the screen shows something. NULL: no memory. */
uint8_t *picture_png(const struct screen *s, size_t *size);

#endif
