/* Character back-ends: a stream of bytes between one front-end (a serial port, a monitor, a gdb
 * stub) and the host: a file, a pipe, a pseudo-terminal, a socket. QEMU's -chardev.
 *
 * Each back-end that has a descriptor has an I/O thread of its own, which reads, writes what was
 * held back, and waits for peers. What it reads goes to the front-end on that thread: a device's
 * goes into the input door, and the thread reads no more while much of it waits there; other
 * front-ends take it themselves.
 *
 * Output never waits for ever: CHARDEV_HELD_MOST bytes are held for a slow peer; then the writer
 * waits, as long as the peer takes something every CHARDEV_PATIENCE_MS. A peer that does not is
 * taken for dead: what does not fit is lost (a line in the log says so) until it reads again.
 * What is written while no peer is there is lost. */
#ifndef RIVULET_DEVICES_CHARDEV_CHARDEV_H
#define RIVULET_DEVICES_CHARDEV_CHARDEV_H

#include "base/bits.h"
#include "base/error.h"
#include "base/input.h"
#include "base/log.h"

#define CHARDEV_HELD_MOST    (256u << 10)
#define CHARDEV_PATIENCE_MS  3000   /* on a busy host a peer may not run for a second */
#define CHARDEV_BACKLOG_MOST 65536u /* bytes in the door; no more is read meanwhile */
#define CHARDEV_ID_MAX       63u

struct chardev;

/* One key=value of -chardev. */
struct chardev_property {
    const char *key, *value;
};

struct chardev_config {
    const char *id;   /* for messages: "serial0" */
    const char *type; /* "file", "null", "pipe", "pty", "ringbuf", "socket" */
    const struct chardev_property *properties;
    unsigned count;
    struct log *log;
};

/* The types, from 0, but for the machine's own ("stdio"); NULL: there are no more. */
const char *chardev_type(unsigned i);

/* Checks type and properties, opens what they name, and starts. A socket that listens with wait=on,
 * which is the default, waits for its first peer. NULL and err: nothing is left open. */
struct chardev *chardev_open(const struct chardev_config *config, struct error *err);
/* Writes what is held, as long as the peer takes it, and closes; the front-end is not called
 * afterwards. False and err: the host lost output (a full disk), not because a peer went. */
bool chardev_close(struct chardev *c, struct error *err);

/* The front-end: who gets what the back-end reads. Called by the I/O thread; it may write, but not
 * attach or close. */
struct chardev_client {
    /* How many bytes it takes now; 0: it is asked again 10 ms later. */
    size_t (*room)(void *owner);
    void (*receive)(void *owner, const uint8_t *bytes, size_t n); /* n is at most `room` */
    /* A peer has come or gone; called when it is attached too. NULL: it does not matter. */
    void (*on_peer)(void *owner, bool is_there);
    void *owner;
};

/* The old client, if any, is not called any more when this returns. NULL: nobody; then nothing is
 * read, as before the first one. */
void chardev_attach(struct chardev *c, const struct chardev_client *client);

/* A client that puts what is read into the door: bytes into `data`, and, if `peers` is not
 * INPUT_NO_ENTRY, a byte 1 or 0 into `peers` when a peer comes or goes. Plain data: the entry
 * outlives the attachment. */
struct chardev_entry {
    struct input_door *door;
    unsigned data, peers;
};
void chardev_attach_door(struct chardev *c, struct chardev_entry *entry);

/* Output: copies all n bytes, and may wait as the head says. Any thread. */
void chardev_write(struct chardev *c, const uint8_t *bytes, size_t n);
/* The same for whole messages, whose reader waits for each: they go out at once. */
void chardev_send(struct chardev *c, const uint8_t *bytes, size_t n);
/* Whether a peer is there; a file and its like always have one. Any thread. */
bool chardev_has_peer(const struct chardev *c);
/* Where it is, for users: "pty:/dev/pts/3", "unix:/tmp/s,server=on". */
const char *chardev_place(const struct chardev *c);
/* The last bytes that a ringbuf keeps, taken out of it: how many; 0 for the other kinds. */
size_t chardev_read_ring(struct chardev *c, uint8_t *to, size_t n);

#endif
