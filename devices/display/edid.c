/* EDID (contract: edid.h). Numbers of sections are the standard's. */
#include "devices/display/edid.h"

#include "base/bits.h"

#define DOTS_PER_CM 39u /* 100 dots an inch */
#define REFRESH_HZ  60u
#define SIDE_MAX    4095u

/* Three letters, five bits each, "RVU" (3.4.1). */
#define MANUFACTURER ((('R' - '@') << 10) | (('V' - '@') << 5) | ('U' - '@'))

/* Blanking of the Coordinated Video Timings with reduced blanking. */
#define BLANK_COLUMNS 160u
#define FRONT_COLUMNS 48u
#define SYNC_COLUMNS  32u
#define BLANK_ROWS    40u
#define FRONT_ROWS    3u
#define SYNC_ROWS     6u

static uint32_t millimetres(uint32_t pixels)
{
    return pixels * 10 / DOTS_PER_CM;
}

/* 3.10.2: the preferred mode. */
static void put_timing(uint8_t *d, uint32_t width, uint32_t height)
{
    uint64_t dots = (uint64_t)(width + BLANK_COLUMNS) * (height + BLANK_ROWS) * REFRESH_HZ;
    uint32_t clock = (uint32_t)min_u64(dots / 10000, UINT16_MAX);
    uint32_t wide = millimetres(width), high = millimetres(height);
    d[0] = (uint8_t)clock;
    d[1] = (uint8_t)(clock >> 8);
    d[2] = (uint8_t)width;
    d[3] = BLANK_COLUMNS;
    d[4] = (uint8_t)(width >> 8 << 4);
    d[5] = (uint8_t)height;
    d[6] = BLANK_ROWS;
    d[7] = (uint8_t)(height >> 8 << 4);
    d[8] = FRONT_COLUMNS;
    d[9] = SYNC_COLUMNS;
    d[10] = FRONT_ROWS << 4 | SYNC_ROWS;
    d[12] = (uint8_t)wide;
    d[13] = (uint8_t)high;
    d[14] = (uint8_t)(wide >> 8 << 4 | high >> 8);
    d[17] = 0x18; /* digital, separate syncs */
}

/* 3.10.3: a descriptor with a text of at most 13 bytes. */
static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t n = strlen(text);
    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, text, n);
    if (n < 13)
        d[5 + n] = '\n';
}

void edid_make(uint8_t edid[EDID_BYTES], uint32_t width, uint32_t height)
{
    static const uint8_t header[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    /* sRGB's primaries and white point (3.7). */
    static const uint8_t colours[10] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    width = (uint32_t)min_u64(max_u64(width, 1), SIDE_MAX);
    height = (uint32_t)min_u64(max_u64(height, 1), SIDE_MAX);
    memset(edid, 0, EDID_BYTES);
    memcpy(edid, header, sizeof header);
    edid[8] = MANUFACTURER >> 8;
    edid[9] = MANUFACTURER & 0xff;
    edid[10] = 1;  /* product */
    edid[17] = 35; /* 1990 + 35 */
    edid[18] = 1;  /* version 1.4 */
    edid[19] = 4;
    edid[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    edid[21] = (uint8_t)min_u64(millimetres(width) / 10, 255);
    edid[22] = (uint8_t)min_u64(millimetres(height) / 10, 255);
    edid[23] = 120;  /* gamma 2.2 */
    edid[24] = 0x06; /* sRGB; the first timing is the preferred one */
    memcpy(edid + 25, colours, sizeof colours);
    memset(edid + 38, 0x01, 16); /* no standard timings (3.9) */
    put_timing(edid + 54, width, height);
    put_text(edid + 72, 0xfc, "Rivulet");
    edid[90 + 3] = edid[108 + 3] = 0x10; /* dummy descriptors */
    uint8_t sum = 0;
    for (unsigned i = 0; i < EDID_BYTES - 1; i++)
        sum = (uint8_t)(sum + edid[i]);
    edid[EDID_BYTES - 1] = (uint8_t)-sum;
}
