/* Virtio GPU in 2D (virtio 1.2, section 5.7): one scanout, with EDID and a cursor. */
#ifndef RIVULET_DEVICES_VIRTIO_GPU_H
#define RIVULET_DEVICES_VIRTIO_GPU_H

#include "devices/display/screen.h"
#include "devices/virtio/virtio.h"

struct virtio_gpu_config {
    uint32_t width, height; /* pixels that the display prefers at power-on; 1 to 16384 each */
    bool has_edid;
    uint64_t host_bytes_max; /* all resources together: a guest cannot take more host memory */
    struct memory_map *memory;
    struct log *log;
};

/* NULL: no memory. */
struct virtio *virtio_gpu_create(const struct virtio_gpu_config *config);
/* What it shows. It lives as long as the device. */
struct screen *virtio_gpu_screen(struct virtio *v);
/* The display prefers another size from now on: its window has it. The driver is told. Input: comes
 * by the door. */
void virtio_gpu_prefer(struct virtio *v, uint32_t width, uint32_t height);

#endif
