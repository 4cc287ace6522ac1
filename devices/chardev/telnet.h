/* The telnet protocol (RFC 854), as much of it as makes `telnet` a raw terminal: the server echoes,
 * neither end waits for its turn, all bytes may pass. What the client says is read over. */
#ifndef RIVULET_DEVICES_CHARDEV_TELNET_H
#define RIVULET_DEVICES_CHARDEV_TELNET_H

#include <stddef.h>
#include <stdint.h>

/* What is sent to a new client. */
#define TELNET_GREETING_BYTES 12u
extern const uint8_t telnet_greeting[TELNET_GREETING_BYTES];

/* Where in a command the last byte was; 0 at the beginning. */
struct telnet {
    int state;
};

/* Takes commands out of what was read; returns how many bytes of data are left. */
size_t telnet_decode(struct telnet *t, uint8_t *bytes, size_t n);
/* Doubles the bytes that would begin a command; returns how many are in `to`. */
size_t telnet_encode(const uint8_t *bytes, size_t n, uint8_t *to);

#endif
