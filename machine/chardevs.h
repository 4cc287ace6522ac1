/* The character back-ends of a machine: what -chardev describes. Their ends in the guest are
 * devices, which take them while the machine is made; they are opened last, when nothing else can
 * go wrong, or taken over with their peers from the machine that this one succeeds.
 *
 * The type "stdio" is the client's of the library: config.serial is where its output goes, and
 * machine_console_entry where its input enters. */
#ifndef RIVULET_MACHINE_CHARDEVS_H
#define RIVULET_MACHINE_CHARDEVS_H

#include "devices/chardev/chardev.h"
#include "machine/machine.h"

struct chardevs;

/* Checks ids. The configuration must outlive the chardevs. NULL and err. */
struct chardevs *chardevs_create(const struct machine_config *config, struct input_door *door,
                                 struct error *err);
bool chardevs_open(struct chardevs *c, struct error *err) MUST_CHECK;
/* A further one, opened at once; the option outlives all that have it. */
bool chardevs_add(struct chardevs *c, const struct machine_option *option,
                  struct error *err) MUST_CHECK;
/* Closes one that a client has, and who is not attached any more; its id is free then. */
void chardevs_remove(struct chardevs *c, const char *id);
/* In two steps, both of the same configuration: between them nobody pushes into the old door. */
void chardevs_detach(struct chardevs *from);
void chardevs_succeed(struct chardevs *to, struct chardevs *from);
void chardevs_destroy(struct chardevs *c);

/* A device at the guest's end. */
struct chardev_device {
    const char *name;    /* of its entries at the door */
    input_sink *receive; /* bytes from the host */
    input_sink *on_peer; /* a byte 1 or 0: a peer has come or gone. NULL: it does not matter */
    void *owner;
};
/* The device takes the back-end of this id, which no other has: *sink is where it sends to, and
 * *entry, if not NULL, where bytes for it enter. */
bool chardevs_take(struct chardevs *c, const char *id, const struct chardev_device *device,
                   struct byte_sink *sink, unsigned *entry, struct error *err) MUST_CHECK;

/* The back-end of this id, which no device and no other client has; NULL and err. */
struct chardev *chardevs_take_for_client(struct chardevs *c, const char *id, struct error *err);

/* What devices send goes nowhere. */
void chardevs_mute(struct chardevs *c, bool is_muted);

/* The i-th back-end; false: there are not so many. */
bool chardevs_show(const struct chardevs *c, unsigned i, struct machine_chardev *chardev);

/* What the ringbuf of this id keeps; -1 and err: it is none. */
long chardevs_read_ring(struct chardevs *c, const char *id, uint8_t *to, size_t n,
                        struct error *err);

/* The door entry of the device that has stdio; false: none has. */
bool chardevs_stdio_entry(const struct chardevs *c, unsigned *entry);

#endif
