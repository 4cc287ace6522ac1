/* The virtio network device at a link of devices/net. */
#ifndef RIVULET_DEVICES_VIRTIO_NET_H
#define RIVULET_DEVICES_VIRTIO_NET_H

#include "devices/net/link.h"
#include "devices/virtio/virtio.h"

#define VIRTIO_NET_MAC_BYTES  6u
#define VIRTIO_NET_QUEUE_SIZE 256u /* QEMU's default */

struct virtio_net_config {
    struct link *link; /* stays the caller's, and outlives the device; no device is attached */
    uint8_t mac[VIRTIO_NET_MAC_BYTES];
    struct memory_map *memory;
    struct log *log;
};

/* NULL: no memory, or the link has a device. */
struct virtio *virtio_net_create(const struct virtio_net_config *config);

#endif
