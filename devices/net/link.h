/* A network link: Ethernet frames between a device and a back-end (libslirp, tap, socket).
 * Frames to the guest enter through the input door; frames from the guest go straight out. */
#ifndef RIVULET_DEVICES_NET_LINK_H
#define RIVULET_DEVICES_NET_LINK_H

#include "base/bits.h"
#include "base/error.h"

#define LINK_FRAME_MAX 65550u /* Ethernet header and the largest payload of offloads */

/* What a back-end is to a device and to the program. */
struct link_ops {
    const char *name;
    /* Machine thread: one frame from the guest, without checksum. Copied; may be dropped. */
    void (*send)(void *backend, const uint8_t *frame, size_t bytes);
    void (*destroy)(void *backend);
};

struct link_backend {
    const struct link_ops *ops;
    void *backend;
};

/* Where a back-end's I/O thread puts received frames: the input door's entry of the device. */
struct link_receiver {
    void (*receive)(void *owner, const uint8_t *frame, size_t bytes); /* any thread; copies */
    void *owner;
};

#endif
