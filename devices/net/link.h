/* A network link: Ethernet frames, without checksum, between one device and one back-end (libslirp,
 * tap, socket).
 *
 * Frames for the guest enter through the input door, on whatever thread the back-end has; frames
 * from the guest go straight to the back-end. Observers see both kinds on the machine's thread, in
 * virtual time, so that what they see is the same in every run of the same input. A link without a
 * back-end (a replay) drops what the guest sends. */
#ifndef RIVULET_DEVICES_NET_LINK_H
#define RIVULET_DEVICES_NET_LINK_H

#include "base/bits.h"
#include "base/byte_sink.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/input.h"

#define LINK_FRAME_MAX    65550u /* Ethernet header and the largest payload of offloads */
#define LINK_FRAME_LEAST  14u    /* the header alone */
#define LINK_WAITING_MOST 1024u  /* frames for the guest; what comes then is lost */

/* What a back-end is to a link. */
struct link_ops {
    const char *name;
    /* Machine thread: one frame from the guest. Copied; may be dropped. */
    void (*send)(void *backend, const uint8_t *frame, size_t bytes);
    /* Adds or removes a forward of the host's ports, in the spelling of hostfwd= (removing: without
     * the guest's part). Machine thread or its caller's. NULL: the back-end has none. */
    bool (*add_forward)(void *backend, const char *rule, struct error *err);
    bool (*remove_forward)(void *backend, const char *rule, struct error *err);
    /* Its connections, as lines of text; NULL: it knows of none. Machine thread. */
    void (*describe)(void *backend, const struct byte_sink *out);
    void (*destroy)(void *backend); /* nothing is received after it */
};

struct link_backend {
    const struct link_ops *ops; /* NULL: none */
    void *backend;
};

/* Where a back-end puts received frames. Any thread; copied. */
struct link_receiver {
    void (*receive)(void *owner, const uint8_t *frame, size_t bytes);
    void *owner;
};

enum link_direction { LINK_TO_GUEST = 1, LINK_FROM_GUEST = 2 };

struct link_observer {
    void (*see)(void *owner, enum link_direction direction, const uint8_t *frame, size_t bytes,
                uint64_t now_ns);
    void *owner;
    struct link_observer *next;
};

struct link;

/* `name` is kept by pointer. Registers an entry at the door; NULL: no memory. */
struct link *link_create(const char *name, struct input_door *door, const struct clock *clock);
/* Destroys the back-end too. */
void link_destroy(struct link *l);

/* The entry at the door by which frames come, INPUT_NO_ENTRY if there is none. */
unsigned link_entry(const struct link *l);
/* For the back-end that is then connected. */
struct link_receiver link_receiver(struct link *l);
void link_connect(struct link *l, const struct link_backend *backend);
const struct link_backend *link_backend(const struct link *l);
/* Back-end and observers of `from` are `to`'s, which has none: for a machine that takes the place
 * of another. The back-end may be receiving meanwhile. */
void link_succeed(struct link *to, struct link *from);
/* Before the first frame; the observer must outlive the link. */
void link_observe(struct link *l, struct link_observer *observer);

/* The device takes one frame, or answers 0: it is offered again later. False: there is a device at
 * this link already. */
bool link_attach(struct link *l, input_sink *receive, void *device) MUST_CHECK;
bool link_is_attached(const struct link *l);
/* What the guest sends goes nowhere: it has been sent before. */
void link_mute(struct link *l, bool is_muted);
void link_send(struct link *l, const uint8_t *frame, size_t bytes);

#endif
