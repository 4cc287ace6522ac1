/* Frames on a byte stream (contract: framing.h). */
#include "devices/net/framing.h"

void framing_header(uint8_t header[FRAMING_HEADER], uint32_t frame_bytes)
{
    for (unsigned i = 0; i < FRAMING_HEADER; i++)
        header[i] = (uint8_t)(frame_bytes >> 8 * (FRAMING_HEADER - 1 - i));
}

static uint32_t announced(const struct framing_reader *r)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < FRAMING_HEADER; i++)
        n = n << 8 | r->bytes[i];
    return n;
}

/* How many more bytes the header, and then the frame, needs. */
static size_t missing(const struct framing_reader *r)
{
    if (r->size < FRAMING_HEADER)
        return FRAMING_HEADER - r->size;
    return FRAMING_HEADER + announced(r) - r->size;
}

bool framing_read(struct framing_reader *r, const uint8_t *bytes, size_t n,
                  const struct link_receiver *receiver)
{
    while (n) {
        size_t part = min_u64(missing(r), n);
        memcpy(r->bytes + r->size, bytes, part);
        r->size += part;
        bytes += part;
        n -= part;
        if (r->size < FRAMING_HEADER)
            continue;
        if (announced(r) > LINK_FRAME_MAX)
            return false;
        if (missing(r) == 0) {
            receiver->receive(receiver->owner, r->bytes + FRAMING_HEADER, announced(r));
            r->size = 0;
        }
    }
    return true;
}
