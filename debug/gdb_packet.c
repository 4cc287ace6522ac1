/* Packets of gdb's remote protocol (contract: gdb_packet.h). */
#include "debug/gdb_packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CTRL_C     3
#define ESCAPE     '}'
#define ESCAPE_XOR 0x20

static const char digits[] = "0123456789abcdef";

/* The value of a digit; -1: it is none. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* small */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* --- in ---------------------------------------------------------------------------------- */

static void send(struct gdb_packets *p, const char *bytes, size_t n)
{
    if (p->out.write)
        p->out.write(p->out.owner, (const uint8_t *)bytes, n);
}

static void begin_packet(struct gdb_packets *p)
{
    p->part = GDB_DATA;
    p->n = 0;
    p->sum = 0;
    p->is_too_long = false;
}

static void keep(struct gdb_packets *p, char c)
{
    if (p->n == GDB_PACKET_MOST)
        p->is_too_long = true;
    else
        p->data[p->n++] = c;
}

/* The ack goes out with the reply, if there is one at once: two small writes would be two packets
 * of the network. */
static void end_packet(struct gdb_packets *p)
{
    if (p->claimed != p->sum) {
        if (!p->no_acks)
            send(p, "-", 1);
        return;
    }
    p->owes_ack = !p->no_acks;
    p->data[p->n] = 0;
    if (p->is_too_long) {
        gdb_reply_begin(p);
        gdb_reply_text(p, "E22");
        gdb_reply_send(p);
    } else {
        p->take(p->owner, p->data, p->n);
    }
    if (p->owes_ack)
        send(p, "+", 1);
    p->owes_ack = false;
}

static void receive_between(struct gdb_packets *p, char c)
{
    if (c == '$')
        begin_packet(p);
    else if (c == CTRL_C)
        p->interrupt(p->owner);
    else if (c == '-' && p->reply_n)
        gdb_reply_send(p);
}

static void receive_data(struct gdb_packets *p, char c)
{
    if (c == '$') { /* the end of the one before was lost */
        begin_packet(p);
    } else if (c == '#') {
        p->part = GDB_SUM_HIGH;
    } else {
        p->sum = (uint8_t)(p->sum + (uint8_t)c);
        if (c == ESCAPE)
            p->part = GDB_ESCAPED;
        else
            keep(p, c);
    }
}

static void receive_byte(struct gdb_packets *p, char c)
{
    switch (p->part) {
    case GDB_BETWEEN:
        receive_between(p, c);
        break;
    case GDB_DATA:
        receive_data(p, c);
        break;
    case GDB_ESCAPED:
        p->sum = (uint8_t)(p->sum + (uint8_t)c);
        keep(p, (char)(c ^ ESCAPE_XOR));
        p->part = GDB_DATA;
        break;
    case GDB_SUM_HIGH:
        p->claimed = digit(c) * 16;
        p->part = GDB_SUM_LOW;
        break;
    case GDB_SUM_LOW:
        p->claimed = digit(c) < 0 ? -1 : p->claimed + digit(c);
        p->part = GDB_BETWEEN;
        end_packet(p);
        break;
    }
}

void gdb_packets_receive(struct gdb_packets *p, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        receive_byte(p, (char)bytes[i]);
}

void gdb_packets_reset(struct gdb_packets *p)
{
    p->part = GDB_BETWEEN;
    p->no_acks = p->owes_ack = false;
    p->reply_n = 0;
}

/* --- out --------------------------------------------------------------------------------- */

void gdb_reply_begin(struct gdb_packets *p)
{
    p->reply_n = 0;
    p->reply_sum = 0;
    p->reply[p->reply_n++] = '$';
}

static void put(struct gdb_packets *p, char c)
{
    if (p->reply_n >= sizeof p->reply - 4) /* #, two digits, and an escape is not cut */
        return;
    p->reply[p->reply_n++] = c;
    p->reply_sum = (uint8_t)(p->reply_sum + (uint8_t)c);
}

void gdb_reply_text(struct gdb_packets *p, const char *text)
{
    while (*text)
        put(p, *text++);
}

void gdb_reply_print(struct gdb_packets *p, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gdb_reply_text(p, text);
}

void gdb_reply_hex(struct gdb_packets *p, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < n; i++) {
        put(p, digits[at[i] >> 4]);
        put(p, digits[at[i] & 15]);
    }
}

/* '*' would be the sign of a run. */
void gdb_reply_binary(struct gdb_packets *p, const void *bytes, size_t n)
{
    const char *at = bytes;
    for (size_t i = 0; i < n && p->reply_n + 2 <= sizeof p->reply - 4; i++) {
        bool is_special = at[i] == '$' || at[i] == '#' || at[i] == ESCAPE || at[i] == '*';
        if (is_special)
            put(p, ESCAPE);
        put(p, is_special ? (char)(at[i] ^ ESCAPE_XOR) : at[i]);
    }
}

/* The end is written behind the reply each time, so that sending it again is the same. */
void gdb_reply_send(struct gdb_packets *p)
{
    char frame[sizeof p->reply + 1];
    size_t n = 0;
    if (p->owes_ack)
        frame[n++] = '+';
    p->owes_ack = false;
    memcpy(frame + n, p->reply, p->reply_n);
    n += p->reply_n;
    frame[n++] = '#';
    frame[n++] = digits[p->reply_sum >> 4];
    frame[n++] = digits[p->reply_sum & 15];
    send(p, frame, n);
}

/* --- reading ----------------------------------------------------------------------------- */

bool gdb_take(struct gdb_text *t, const char *word)
{
    size_t n = strlen(word);
    if (gdb_left(t) < n || memcmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

bool gdb_take_number(struct gdb_text *t, uint64_t *value)
{
    unsigned count = 0;
    *value = 0;
    for (; count < 16 && digit(*t->at) >= 0; count++, t->at++)
        *value = *value << 4 | (unsigned)digit(*t->at);
    return count > 0 && digit(*t->at) < 0;
}

bool gdb_take_bytes(struct gdb_text *t, void *to, size_t n)
{
    uint8_t *bytes = to;
    if (gdb_left(t) / 2 < n)
        return false;
    for (size_t i = 0; i < n; i++, t->at += 2) {
        int high = digit(t->at[0]), low = digit(t->at[1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
