/* What a display says of itself: VESA Enhanced EDID Standard, release A, revision 2 (EDID 1.4). */
#ifndef RIVULET_DEVICES_DISPLAY_EDID_H
#define RIVULET_DEVICES_DISPLAY_EDID_H

#include <stdint.h>

#define EDID_BYTES 128u

/* Of a display that prefers this size; both 1 to 4095, else the nearest that EDID can say. */
void edid_make(uint8_t edid[EDID_BYTES], uint32_t width, uint32_t height);

#endif
