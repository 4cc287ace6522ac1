/* Keyboard, mouse and tablet (virtio 1.2, section 5.8). Codes are those of Linux's evdev
 * (include/uapi/linux/input-event-codes.h), which the specification takes. */
#ifndef RIVULET_DEVICES_VIRTIO_INPUT_H
#define RIVULET_DEVICES_VIRTIO_INPUT_H

#include "devices/display/input_event.h"
#include "devices/virtio/virtio.h"

enum virtio_input_kind { VIRTIO_INPUT_KEYBOARD, VIRTIO_INPUT_MOUSE, VIRTIO_INPUT_TABLET };

struct virtio_input_config {
    enum virtio_input_kind kind;
    struct memory_map *memory;
    struct log *log;
};

/* NULL: no memory. */
struct virtio *virtio_input_create(const struct virtio_input_config *config);
/* A sink for packets of the door (owner: the struct virtio): one group of events, whole. It waits
 * while a driver that runs has given too few buffers, and is lost when there is none. */
size_t virtio_input_receive(void *owner, const uint8_t *bytes, size_t n);

#endif
