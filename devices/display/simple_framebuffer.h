/* A picture that lies in RAM from power-on, described by the device tree (simple-framebuffer). */
#ifndef RIVULET_DEVICES_DISPLAY_SIMPLE_FRAMEBUFFER_H
#define RIVULET_DEVICES_DISPLAY_SIMPLE_FRAMEBUFFER_H

#include "devices/device.h"
#include "devices/display/framebuffer.h"

/* NULL and err: no memory, or the picture is not possible (framebuffer_show). It has no registers,
 * and all that it has of the guest's is in RAM. */
struct device *simple_framebuffer_create(struct memory_map *memory,
                                         const struct framebuffer_mode *mode,
                                         struct error *err) MUST_CHECK;
struct screen *simple_framebuffer_screen(struct device *d);

#endif
