/* The virtio core (Virtual I/O Device specification 1.2, sections 2 and 3): feature negotiation,
 * status, reset, and split virtqueues. ring.c is the only file that reads rings.
 *
 * Three parts make a device. The core holds what the specification gives to every device. A
 * *device* (blk.c, net.c, ...) begins with `struct virtio` and answers requests; it sees chains,
 * never rings. A *transport* (mmio.c, PCI) turns registers into calls of the second half of this
 * header.
 *
 *     void notify(struct virtio *v, unsigned queue)      the whole life of a chain
 *     {
 *         for (struct virtio_chain *c; (c = virtio_take(v, queue));) {
 *             size_t n = virtio_read(v, c, 0, request, sizeof request);
 *             virtio_give(v, c, virtio_write(v, c, 0, answer, sizeof answer));
 *         }
 *         virtio_publish(v, queue);
 *     }
 *
 * Chains may be kept and given back later and in any order. A chain that breaks the rules (a loop,
 * a length of 0 or over the end, a readable part behind a writable one, an address outside RAM) is
 * never seen by a device: the core sets DEVICE_NEEDS_RESET, logs why, and takes nothing more until
 * the driver resets. */
#ifndef RIVULET_DEVICES_VIRTIO_VIRTIO_H
#define RIVULET_DEVICES_VIRTIO_VIRTIO_H

#include "base/bits.h"
#include "base/log.h"
#include "base/state.h"
#include "memory/map.h"

/* Descriptors of one chain, and entries of one ring: as many as QEMU allows. */
#define VIRTIO_QUEUE_MOST    1024u
#define VIRTIO_VENDOR        0x554d4551u /* "QEMU" */
#define VIRTIO_CONFIG_CHANGE (~0u)       /* instead of a queue's number */

/* Section 2.1. */
enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

/* Section 6, and 6.3 for what legacy devices had: bit numbers. */
enum virtio_feature {
    VIRTIO_F_ANY_LAYOUT = 27, /* offered to legacy drivers: all devices here take any layout */
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
};

/* Interrupt status of every transport. */
enum virtio_isr { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

struct virtio;
struct virtio_chain;

/* --- what a device is -------------------------------------------------------------------- */

struct virtio_device_ops {
    const char *name;      /* "virtio-blk", for logs */
    uint16_t id;           /* device type, section 5 */
    uint32_t config_bytes; /* of its configuration space */
    /* The device's own feature bits (0 to 23, 50 to 127): what it offers. */
    uint64_t (*features)(struct virtio *v);
    /* Fills config_bytes; NULL when there are none. */
    void (*read_config)(struct virtio *v, uint8_t *config);
    /* n bytes at offset, inside config_bytes; NULL: read-only. */
    void (*write_config)(struct virtio *v, uint32_t offset, const uint8_t *bytes, uint32_t n);
    /* The driver set DRIVER_OK: queues can be used from now on. NULL: nobody asks. */
    void (*start)(struct virtio *v);
    /* The driver has put chains into this queue. */
    void (*notify)(struct virtio *v, unsigned queue);
    /* Back to power-on. Every chain that the device holds is given up: virtio_drop. */
    void (*reset)(struct virtio *v);
    /* The device's own guest state, chains that it holds included. The core is loaded before. */
    void (*state)(struct virtio *v, struct state *s);
    void (*destroy)(struct virtio *v);
};

struct virtio_queue {
    bool ready;
    uint16_t size;              /* entries, a power of two; the driver may make it smaller */
    uint64_t desc, avail, used; /* gpa of the three parts */
    uint16_t next_avail;        /* the next entry of the available ring to take */
    uint16_t next_used;         /* the next entry of the used ring to fill */
    uint16_t published;         /* the used ring's idx as the driver sees it */
    uint16_t held;              /* chains taken and not given back */
};

/* How the core reaches a transport. `queue` may be VIRTIO_CONFIG_CHANGE. The interrupt status (isr)
 * is set already. */
struct virtio_transport {
    void (*interrupt)(void *owner, unsigned queue);
    void *owner;
};

/* Every device's struct begins with it. Devices and transports read; the core alone writes, but
 * where it says so. */
struct virtio {
    const struct virtio_device_ops *ops;
    /* --- guest state --- */
    uint8_t status;     /* enum virtio_status */
    uint8_t isr;        /* enum virtio_isr; the transport clears what the driver acknowledged */
    uint8_t generation; /* of the configuration space */
    bool legacy;        /* the driver uses the legacy interface; the transport sets it */
    bool broken;        /* the driver broke a rule: nothing is taken until it resets */
    uint64_t driver_features;
    struct virtio_queue *queues;
    /* --- host side --- */
    unsigned queue_count;
    uint16_t queue_most; /* entries that a queue has when the driver does not say */
    struct memory_map *memory;
    struct log *log;
    struct virtio_transport transport;
    struct virtio_chain *scratch; /* the chain that is being read */
};

/* --- for devices ------------------------------------------------------------------------- */

struct virtio_config {
    const struct virtio_device_ops *ops;
    unsigned queues;
    uint16_t queue_size; /* a power of two, at most VIRTIO_QUEUE_MOST */
    struct memory_map *memory;
    struct log *log;
};

/* False: no memory; nothing is to be freed. */
bool virtio_init(struct virtio *v, const struct virtio_config *config) MUST_CHECK;
/* From ops->destroy. */
void virtio_deinit(struct virtio *v);

struct virtio_segment {
    uint64_t gpa; /* every byte is RAM */
    uint32_t bytes;
};

/* One request: memory that the device reads, then memory that it writes. Made by virtio_take, freed
 * by virtio_give or virtio_drop. */
struct virtio_chain {
    uint16_t queue;
    uint16_t head;                           /* the chain's name in the used ring */
    uint16_t readable, writable;             /* segments */
    uint32_t readable_bytes, writable_bytes; /* a chain has less than 2^32 bytes */
    struct virtio_segment segments[];        /* first the readable ones */
};

/* The next chain of a queue; NULL when there is none (the driver will notify when it adds one), the
 * device is broken, the queue is not ready, or the host has no memory. */
struct virtio_chain *virtio_take(struct virtio *v, unsigned queue);
/* Puts back the chain that was taken last: the next take finds it again. */
void virtio_untake(struct virtio *v, struct virtio_chain *c);
/* Hands the chain back to the driver, `written` bytes of its writable part filled. The driver sees
 * it with virtio_publish. */
void virtio_give(struct virtio *v, struct virtio_chain *c, uint32_t written);
/* Shows the driver all that was given to this queue, and interrupts it if it wants that. */
void virtio_publish(struct virtio *v, unsigned queue);
/* Frees a chain that will not be given back: the device is being reset. */
void virtio_drop(struct virtio *v, struct virtio_chain *c);

/* Copy up to n bytes of the readable / into the writable part, from its byte `offset` on; how many
 * there were. */
size_t virtio_read(struct virtio *v, const struct virtio_chain *c, uint64_t offset, void *to,
                   size_t n);
size_t virtio_write(struct virtio *v, const struct virtio_chain *c, uint64_t offset,
                    const void *from, size_t n);

/* Saves, loads or hashes a chain that a device holds. A load makes it, or fails the walk and leaves
 * NULL. */
void virtio_chain_state(struct virtio *v, struct virtio_chain **c, struct state *s);

/* Whether the driver has accepted this feature. */
bool virtio_has(const struct virtio *v, unsigned feature);
/* Whether the driver is done with set-up and the device works. */
bool virtio_is_running(const struct virtio *v);
/* The configuration space has changed by itself. */
void virtio_config_changed(struct virtio *v);
/* A request that breaks the rules of this device so that it cannot be answered. */
void virtio_break(struct virtio *v, unsigned queue, const char *why);

/* --- for transports ---------------------------------------------------------------------- */

void virtio_attach(struct virtio *v, const struct virtio_transport *transport);
/* Power-on, or the driver wrote 0 to the status. The transport then drops its interrupt line. */
void virtio_reset(struct virtio *v);
/* Core and device. */
void virtio_state(struct virtio *v, struct state *s);
void virtio_destroy(struct virtio *v);

/* What is offered over the interface that `legacy` names. */
uint64_t virtio_offered(struct virtio *v);
/* Ignored, with a line in the log, once FEATURES_OK is set. */
void virtio_accept(struct virtio *v, uint64_t features);
/* Applies the rules of section 3.1; 0 resets. */
void virtio_set_status(struct virtio *v, uint8_t status);

/* n bytes of the configuration space; 0 for those that do not exist. */
void virtio_read_config(struct virtio *v, uint32_t offset, void *to, uint32_t n);
void virtio_write_config(struct virtio *v, uint32_t offset, const void *from, uint32_t n);

/* A queue's set-up: NULL when there is no queue of this number. Addresses are written to the queue
 * by the transport while it is not ready. */
struct virtio_queue *virtio_queue(struct virtio *v, unsigned queue);
/* The most entries that a driver may give a queue. */
unsigned virtio_queue_limit(const struct virtio *v);
/* Ignored, with a line in the log, unless the size is a power of two that fits. */
void virtio_queue_set_size(struct virtio *v, unsigned queue, uint32_t size);
void virtio_queue_set_ready(struct virtio *v, unsigned queue, bool ready);
/* The legacy layout: the three parts one after the other from gpa on, the used ring at the next
 * multiple of align (a power of two). gpa 0: not ready, as after a reset. */
void virtio_queue_set_legacy(struct virtio *v, unsigned queue, uint64_t gpa, uint64_t align);
/* The driver rang for this queue. */
void virtio_notify(struct virtio *v, unsigned queue);

#endif
