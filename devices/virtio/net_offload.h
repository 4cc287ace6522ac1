/* What a network card does in the driver's place: checksums, and cutting long TCP segments. */
#ifndef RIVULET_DEVICES_VIRTIO_NET_OFFLOAD_H
#define RIVULET_DEVICES_VIRTIO_NET_OFFLOAD_H

#include "base/bits.h"

/* Of struct virtio_net_hdr, section 5.1.6; the driver's words, not checked. */
struct offload {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, csum_start, csum_offset;
};

#define OFFLOAD_NEEDS_CSUM 1u /* flags */
#define OFFLOAD_DATA_VALID 2u

/* Does what the driver asks for this frame, in place, and sends what becomes of it: one frame, or
 * several. False: the request makes no sense, and nothing was sent. */
bool offload_send(const struct offload *o, uint8_t *frame, size_t bytes,
                  void (*send)(void *owner, const uint8_t *frame, size_t bytes),
                  void *owner) MUST_CHECK;

/* Whether the frame holds a whole TCP or UDP packet whose checksum is right. */
bool offload_checksum_is_right(const uint8_t *frame, size_t bytes);

#endif
