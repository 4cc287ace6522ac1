/* The 2D resources of the virtio GPU: pictures in host memory, filled from guest memory. For gpu.c
 * alone. */
#ifndef RIVULET_DEVICES_VIRTIO_GPU_RESOURCE_H
#define RIVULET_DEVICES_VIRTIO_GPU_RESOURCE_H

#include "base/state.h"
#include "devices/display/screen.h"
#include "memory/map.h"

#define GPU_BACKING_MOST 16384u /* entries of one resource, as QEMU's */

/* One run of guest memory, as the driver writes it (struct virtio_gpu_mem_entry). */
struct gpu_backing {
    uint64_t gpa;
    uint32_t bytes, padding;
};

struct gpu_resource {
    uint32_t id; /* not 0 */
    uint32_t width, height;
    uint32_t format;             /* enum pixel_format */
    uint8_t *pixels;             /* as the guest's format says, rows without gaps */
    struct gpu_backing *backing; /* NULL: none is attached */
    uint32_t backing_count;
    struct gpu_resource *next;
};

struct gpu_resources {
    struct gpu_resource *first;
    uint64_t bytes, bytes_max; /* of host memory */
};

struct gpu_resource *gpu_resource_find(const struct gpu_resources *all, uint32_t id);
/* The caller has checked that the id is free, the format known, and each side 1 to
 * SCREEN_SIDE_MAX. NULL: too much memory, here or at the host. */
struct gpu_resource *gpu_resource_create(struct gpu_resources *all, uint32_t id, uint32_t width,
                                         uint32_t height, uint32_t format);
void gpu_resource_destroy(struct gpu_resources *all, struct gpu_resource *r);
void gpu_resources_clear(struct gpu_resources *all);

/* Room for count entries, which the caller fills. NULL: too much memory. There was none before. */
struct gpu_backing *gpu_resource_attach(struct gpu_resources *all, struct gpu_resource *r,
                                        uint32_t count);
void gpu_resource_detach(struct gpu_resources *all, struct gpu_resource *r);

/* Copies a part of the picture, which lies inside, from `offset` of the backing on, whose rows are
 * as long as the picture's. False: the backing is too short, or not all of it is RAM; part of the
 * picture may be new. */
bool gpu_resource_fill(struct gpu_resource *r, struct memory_map *memory, struct screen_rect part,
                       uint64_t offset);

void gpu_resources_state(struct gpu_resources *all, struct state *s);

#endif
