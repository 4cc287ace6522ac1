/* QEMU's ramfb: firmware says through fw_cfg where in RAM its picture lies. */
#ifndef RIVULET_DEVICES_DISPLAY_RAMFB_H
#define RIVULET_DEVICES_DISPLAY_RAMFB_H

#include "devices/device.h"
#include "devices/display/screen.h"
#include "devices/fw_cfg.h"

/* NULL: no memory. It has no registers. */
struct device *ramfb_create(struct memory_map *memory, struct log *log) MUST_CHECK;
/* The file that it adds to fw_cfg; it lives as long as the device. */
const struct fw_cfg_item *ramfb_file(struct device *d);
struct screen *ramfb_screen(struct device *d);

#endif
