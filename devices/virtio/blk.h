/* The virtio block device over an image of devices/block. */
#ifndef RIVULET_DEVICES_VIRTIO_BLK_H
#define RIVULET_DEVICES_VIRTIO_BLK_H

#include "base/clock.h"
#include "base/events.h"
#include "devices/block/block.h"
#include "devices/virtio/virtio.h"

#define VIRTIO_BLK_SERIAL_BYTES 20u
#define VIRTIO_BLK_QUEUE_SIZE   256u /* QEMU's default */

/* What a failed access of the image means (QEMU's werror and rerror). */
enum virtio_blk_on_error {
    VIRTIO_BLK_REPORT, /* the guest sees an I/O error */
    VIRTIO_BLK_IGNORE, /* the guest sees success */
    VIRTIO_BLK_STOP,   /* the guest sees nothing: the machine stops, and the request is kept */
    VIRTIO_BLK_ENOSPC, /* STOP when there is no space, else REPORT */
};

/* A request that the host could not do. */
struct virtio_blk_failure {
    const char *drive;
    bool is_write;
    enum block_status status;
    enum virtio_blk_on_error action; /* what comes of it; not ENOSPC */
};

struct virtio_blk_config {
    char name[32];       /* of its event: one of its own */
    const char *drive;   /* the user's name for it; outlives the device */
    struct block *block; /* stays the caller's, and outlives the device */
    char serial[VIRTIO_BLK_SERIAL_BYTES + 1];
    bool write_through; /* the drive's cache mode: writes are stable when they are done */
    /* Powers of two, 512 or more; the physical block is not the smaller one. */
    uint32_t logical_block_bytes, physical_block_bytes;
    uint32_t min_io_bytes, opt_io_bytes; /* 0: not said; multiples of the logical block */
    uint16_t queue_size;
    enum virtio_blk_on_error on_read_error, on_write_error;
    struct memory_map *memory;
    const struct clock *clock;
    struct event_queue *events;
    struct log *log;
    /* Host clock: called by any thread when something is done; has virtio_blk_deliver called soon
     * on the machine's thread, between rounds. With icount it is never called. */
    void (*wake)(void *owner);
    /* A request failed and is kept: no hart may run before virtio_blk_retry is called. Called
     * between rounds, on the machine's thread. */
    void (*stop)(void *owner);
    /* Tells of a failure, once, before anything comes of it. Machine's thread; NULL: nobody asks.
     */
    void (*failed)(void *owner, const struct virtio_blk_failure *failure);
    void *owner;
};

/* NULL: no memory. */
struct virtio *virtio_blk_create(const struct virtio_blk_config *config);
void virtio_blk_deliver(struct virtio *v);
/* Tries the requests that were kept once more. With icount that costs no virtual time: the guest
 * cannot tell it from a host that was slow. */
void virtio_blk_retry(struct virtio *v);

#endif
