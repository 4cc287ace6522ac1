/* Keys of a keyboard: by QEMU's names (sendkey), and by their USB codes, as SDL numbers them. */
#ifndef RIVULET_DEBUG_KEYS_H
#define RIVULET_DEBUG_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* The evdev code (input-event-codes.h); 0: there is no such key. */
uint16_t key_by_name(const char *name, size_t length);
uint16_t key_by_usb(uint32_t usage); /* HID Usage Tables, page 7 */

#endif
