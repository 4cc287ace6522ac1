/* Frames on a byte stream, as QEMU's stream and socket back-ends send them: the length in 4 bytes,
 * big-endian, then the frame. */
#ifndef RIVULET_DEVICES_NET_FRAMING_H
#define RIVULET_DEVICES_NET_FRAMING_H

#include "devices/net/link.h"

#define FRAMING_HEADER 4u

/* What has arrived of the frame that is under way. */
struct framing_reader {
    uint8_t bytes[FRAMING_HEADER + LINK_FRAME_MAX];
    size_t size;
};

void framing_header(uint8_t header[FRAMING_HEADER], uint32_t frame_bytes);

/* Takes n bytes as they came and hands on each frame that is whole. False: the peer announced a
 * frame longer than any; the stream cannot be used any more. */
bool framing_read(struct framing_reader *r, const uint8_t *bytes, size_t n,
                  const struct link_receiver *receiver) MUST_CHECK;

#endif
