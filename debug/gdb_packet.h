/* Packets of gdb's remote protocol: bytes in, bytes out (gdb manual, appendix "GDB Remote Serial
 * Protocol", section "Overview"; its words are used here).
 *
 * A packet is $DATA#CHECKSUM. Each is acknowledged by + or -, until both ends agree not to. The
 * byte 0x03 between packets is the user's Ctrl-C. This file knows nothing of what packets mean. */
#ifndef RIVULET_DEBUG_GDB_PACKET_H
#define RIVULET_DEBUG_GDB_PACKET_H

#include "base/bits.h"
#include "base/byte_sink.h"

/* Data bytes of the longest packet that is taken, and of the longest reply. */
#define GDB_PACKET_MOST 0x4000u

enum gdb_packet_part { GDB_BETWEEN, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW };

struct gdb_packets {
    /* Set by whom they belong to; all else is 0 at first. */
    struct byte_sink out;
    void (*take)(void *owner, const char *data, size_t n); /* data[n] is 0; it may reply */
    void (*interrupt)(void *owner);
    void *owner;
    /* QStartNoAckMode: from the reply to it on. */
    bool no_acks;

    bool owes_ack;
    enum gdb_packet_part part;
    uint8_t sum;
    int claimed; /* below 0: it has no digits */
    bool is_too_long;
    char data[GDB_PACKET_MOST + 1];
    size_t n;
    /* The last reply, framed, for whom it did not reach; behind room for an ack. A byte of data
     * may take two. */
    char reply[2 * GDB_PACKET_MOST + 8];
    size_t reply_n;
    uint8_t reply_sum;
};

/* Bytes from the peer, cut in any way. */
void gdb_packets_receive(struct gdb_packets *p, const uint8_t *bytes, size_t n);
/* Another peer: nothing is left of the last one. */
void gdb_packets_reset(struct gdb_packets *p);

/* A reply is begun, put together and sent. What is too much for it is left out. */
void gdb_reply_begin(struct gdb_packets *p);
void gdb_reply_text(struct gdb_packets *p, const char *text);
__attribute__((format(printf, 2, 3))) void gdb_reply_print(struct gdb_packets *p,
                                                           const char *format, ...);
void gdb_reply_hex(struct gdb_packets *p, const void *bytes, size_t n);
void gdb_reply_binary(struct gdb_packets *p, const void *bytes, size_t n);
void gdb_reply_send(struct gdb_packets *p);

/* --- reading a packet's data --- */

struct gdb_text {
    const char *at, *end; /* *end can be read, and is 0 */
};

/* Takes the word if the text goes on with it. */
bool gdb_take(struct gdb_text *t, const char *word);
/* 1 to 16 hexadecimal digits. */
bool gdb_take_number(struct gdb_text *t, uint64_t *value) MUST_CHECK;
/* Pairs of hexadecimal digits, exactly n. */
bool gdb_take_bytes(struct gdb_text *t, void *to, size_t n) MUST_CHECK;

static inline size_t gdb_left(const struct gdb_text *t)
{
    return (size_t)(t->end - t->at);
}

#endif
