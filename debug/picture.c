/* Pictures of screens (contract: picture.h). zlib makes what a PNG holds. */
#include "debug/picture.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define CHUNK_OVERHEAD 12u /* length, name, check sum */
#define HEADER_BYTES   13u
#define PIXEL_BYTES    3u

static void put_big_endian(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}

/* A chunk whose n bytes lie at to + 8 already; where the next one begins. */
static uint8_t *end_chunk(uint8_t *to, const char *name, size_t n)
{
    put_big_endian(to, (uint32_t)n);
    memcpy(to + 4, name, 4);
    put_big_endian(to + 8 + n, (uint32_t)crc32(0, to + 4, (uInt)n + 4));
    return to + CHUNK_OVERHEAD + n;
}

static uint32_t blend(uint32_t under, uint32_t over)
{
    uint32_t alpha = over >> 24, result = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t a = under >> shift & 0xff, b = over >> shift & 0xff;
        result |= (a * (255 - alpha) + b * alpha) / 255 << shift;
    }
    return result;
}

static uint32_t pixel_at(const struct screen *s, uint32_t x, uint32_t y)
{
    const struct screen_cursor *c = &s->cursor;
    uint32_t pixel = s->pixels[(size_t)y * s->width + x];
    uint32_t in_x = x - c->x + c->hot_x, in_y = y - c->y + c->hot_y; /* outside: huge */
    if (!c->is_shown || in_x >= SCREEN_CURSOR_SIDE || in_y >= SCREEN_CURSOR_SIDE)
        return pixel;
    return blend(pixel, c->pixels[in_y * SCREEN_CURSOR_SIDE + in_x]);
}

/* Red, green and blue of all pixels; `before` bytes of 0 before each row (a PNG's filter). */
static void put_rows(const struct screen *s, uint8_t *to, size_t before)
{
    for (uint32_t y = 0; y < s->height; y++) {
        memset(to, 0, before);
        to += before;
        for (uint32_t x = 0; x < s->width; x++) {
            uint32_t pixel = pixel_at(s, x, y);
            *to++ = (uint8_t)(pixel >> 16);
            *to++ = (uint8_t)(pixel >> 8);
            *to++ = (uint8_t)pixel;
        }
    }
}

/* malloc()ed; NULL: no memory. */
static uint8_t *make_ppm(const struct screen *s, size_t *size)
{
    char header[64];
    int n = snprintf(header, sizeof header, "P6\n%u %u\n255\n", s->width, s->height);
    *size = (size_t)n + (size_t)s->width * s->height * PIXEL_BYTES;
    uint8_t *ppm = malloc(*size);
    if (!ppm)
        return NULL;
    memcpy(ppm, header, (size_t)n);
    put_rows(s, ppm + n, 0);
    return ppm;
}

uint8_t *picture_png(const struct screen *s, size_t *size)
{
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uLong raw_bytes = (uLong)s->height * (s->width * (uLong)PIXEL_BYTES + 1);
    uLongf packed_bytes = compressBound(raw_bytes);
    uint8_t *raw = malloc(raw_bytes);
    uint8_t *png = malloc(sizeof signature + 3 * CHUNK_OVERHEAD + HEADER_BYTES + packed_bytes);
    if (!raw || !png) {
        free(raw);
        free(png);
        return NULL;
    }
    put_rows(s, raw, 1);
    memcpy(png, signature, sizeof signature);
    uint8_t *at = png + sizeof signature;
    memcpy(at + 8 + 8, (const uint8_t[]){8, 2, 0, 0, 0}, 5); /* 8 bits, RGB, no interlacing */
    put_big_endian(at + 8, s->width);
    put_big_endian(at + 12, s->height);
    at = end_chunk(at, "IHDR", HEADER_BYTES);
    bool ok = compress2(at + 8, &packed_bytes, raw, raw_bytes, Z_DEFAULT_COMPRESSION) == Z_OK;
    free(raw);
    if (!ok) {
        free(png);
        return NULL;
    }
    at = end_chunk(at, "IDAT", packed_bytes);
    at = end_chunk(at, "IEND", 0);
    *size = (size_t)(at - png);
    return png;
}

bool picture_write(const struct screen *s, const char *path, struct error *err)
{
    size_t n = strlen(path);
    bool is_ppm = n >= 4 && strcmp(path + n - 4, ".ppm") == 0;
    return picture_write_as(s, is_ppm ? PICTURE_PPM : PICTURE_PNG, path, err);
}

bool picture_write_as(const struct screen *s, enum picture_format format, const char *path,
                      struct error *err)
{
    size_t size;
    if (!s->pixels)
        return error_set(err, "the display shows nothing yet");
    uint8_t *file = format == PICTURE_PPM ? make_ppm(s, &size) : picture_png(s, &size);
    if (!file)
        return error_set(err, "no memory for a picture of %u x %u", s->width, s->height);
    bool ok = os_file_write(path, file, size, err);
    free(file);
    return ok;
}
