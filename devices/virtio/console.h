/* The virtio console: byte streams between the guest and the host, one or many. */
#ifndef RIVULET_DEVICES_VIRTIO_CONSOLE_H
#define RIVULET_DEVICES_VIRTIO_CONSOLE_H

#include "base/byte_sink.h"
#include "devices/virtio/virtio.h"

#define VIRTIO_CONSOLE_PORTS_MAX 31u /* QEMU's */
#define VIRTIO_CONSOLE_NAME_MAX  63u

struct virtio_console_port {
    bool is_present;
    bool is_console; /* always open for the guest; else a plain stream, found by its name */
    char name[VIRTIO_CONSOLE_NAME_MAX + 1]; /* "": none */
    struct byte_sink sink;                  /* what the guest sends */
};

struct virtio_console_config {
    struct virtio_console_port ports[VIRTIO_CONSOLE_PORTS_MAX];
    unsigned count; /* 1 or more; those in between may be absent */
    bool multiport; /* offered; a driver that does not take it has port 0 alone */
    struct memory_map *memory;
    struct log *log;
};

/* NULL: no memory. */
struct virtio *virtio_console_create(const struct virtio_console_config *config);
/* Bytes for the guest: how many it had room for. None while nobody listens. */
size_t virtio_console_receive(struct virtio *v, unsigned port, const uint8_t *bytes, size_t n);
/* Somebody on the host's side has come to a stream, or gone: the guest is told. */
void virtio_console_set_peer(struct virtio *v, unsigned port, bool is_there);

#endif
