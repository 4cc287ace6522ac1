/* The demo guest as data (firmware/demo, tools/make-demo-guest): raw code for where a kernel is
 * loaded behind a firmware. */
#ifndef RIVULET_FIRMWARE_DEMO_IMAGE_H
#define RIVULET_FIRMWARE_DEMO_IMAGE_H

#include <stddef.h>

struct demo_image {
    const unsigned char *bytes;
    size_t size;
};

extern const struct demo_image demo_image;

#endif
