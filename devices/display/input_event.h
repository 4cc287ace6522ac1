/* What a keyboard or a pointer tells. Codes are those of Linux's evdev (include/uapi/linux/
 * input-event-codes.h), which virtio takes (1.2, section 5.8). */
#ifndef RIVULET_DEVICES_DISPLAY_INPUT_EVENT_H
#define RIVULET_DEVICES_DISPLAY_INPUT_EVENT_H

#include <stdint.h>

#define INPUT_ABSOLUTE_MAX 0x7fffu /* right and lower end of a tablet */
#define INPUT_GROUP_MAX    8u /* events that belong together, the one that ends them included */

enum input_event_type {
    INPUT_SYN = 0, /* ends a group */
    INPUT_KEY = 1,
    INPUT_REL = 2,
    INPUT_ABS = 3,
};

/* As it goes through the door, and to the driver. */
struct input_event {
    uint16_t type, code;
    uint32_t value; /* of INPUT_REL: signed */
};

#endif
