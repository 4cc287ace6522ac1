/* Telnet (contract: telnet.h). */
#include "devices/chardev/telnet.h"

enum { SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255, DO = 253 };
enum { BINARY = 0, ECHO = 1, SUPPRESS_GO_AHEAD = 3 }; /* RFC 856, 857, 858 */

enum { DATA, COMMAND, OPTION, SUBNEGOTIATION, SUBNEGOTIATION_COMMAND, AFTER_RETURN };

const uint8_t telnet_greeting[TELNET_GREETING_BYTES] = {
    IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, WILL, BINARY, IAC, DO, BINARY};

/* True: the byte is data. */
static int take(struct telnet *t, uint8_t byte)
{
    switch (t->state) {
    case COMMAND:
        t->state = byte == SB ? SUBNEGOTIATION : byte >= WILL && byte <= DONT ? OPTION : DATA;
        return byte == IAC;
    case OPTION:
        t->state = DATA;
        return 0;
    case SUBNEGOTIATION:
        t->state = byte == IAC ? SUBNEGOTIATION_COMMAND : SUBNEGOTIATION;
        return 0;
    case SUBNEGOTIATION_COMMAND:
        t->state = byte == SE ? DATA : SUBNEGOTIATION;
        return 0;
    case AFTER_RETURN: /* a client that is not binary sends Return as CR NUL */
        t->state = DATA;
        if (byte == 0)
            return 0;
        break;
    }
    t->state = byte == IAC ? COMMAND : byte == '\r' ? AFTER_RETURN : DATA;
    return byte != IAC;
}

size_t telnet_decode(struct telnet *t, uint8_t *bytes, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (take(t, bytes[i]))
            bytes[left++] = bytes[i];
    return left;
}

size_t telnet_encode(const uint8_t *bytes, size_t n, uint8_t *to)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        to[size++] = bytes[i];
        if (bytes[i] == IAC)
            to[size++] = IAC;
    }
    return size;
}
