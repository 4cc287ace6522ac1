/* Resources (contract: gpu_resource.h). */
#include "devices/virtio/gpu_resource.h"

#include <stdlib.h>

#define PIXEL_BYTES 4u
/* What one counts beside its pixels, so that a guest cannot make so many that finding one takes
 * long. */
#define RESOURCE_BYTES 65536u

static uint64_t pixel_bytes(const struct gpu_resource *r)
{
    return (uint64_t)r->width * r->height * PIXEL_BYTES;
}

static uint64_t backing_bytes(uint32_t count)
{
    return (uint64_t)count * sizeof(struct gpu_backing);
}

/* Whether so much more may be taken; it then is. */
static bool take(struct gpu_resources *all, uint64_t bytes)
{
    if (bytes > all->bytes_max - all->bytes)
        return false;
    all->bytes += bytes;
    return true;
}

struct gpu_resource *gpu_resource_find(const struct gpu_resources *all, uint32_t id)
{
    struct gpu_resource *r = all->first;
    while (r && r->id != id)
        r = r->next;
    return r;
}

struct gpu_resource *gpu_resource_create(struct gpu_resources *all, uint32_t id, uint32_t width,
                                         uint32_t height, uint32_t format)
{
    const struct gpu_resource made = {.id = id, .width = width, .height = height, .format = format};
    uint64_t bytes = pixel_bytes(&made) + RESOURCE_BYTES;
    if (!take(all, bytes))
        return NULL;
    struct gpu_resource *r = malloc(sizeof *r);
    uint8_t *pixels = calloc(1, pixel_bytes(&made));
    if (!r || !pixels) {
        free(r);
        free(pixels);
        all->bytes -= bytes;
        return NULL;
    }
    *r = made;
    r->pixels = pixels;
    struct gpu_resource **last = &all->first;
    while (*last)
        last = &(*last)->next;
    *last = r;
    return r;
}

void gpu_resource_destroy(struct gpu_resources *all, struct gpu_resource *r)
{
    struct gpu_resource **at = &all->first;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    gpu_resource_detach(all, r);
    all->bytes -= pixel_bytes(r) + RESOURCE_BYTES;
    free(r->pixels);
    free(r);
}

void gpu_resources_clear(struct gpu_resources *all)
{
    while (all->first)
        gpu_resource_destroy(all, all->first);
}

struct gpu_backing *gpu_resource_attach(struct gpu_resources *all, struct gpu_resource *r,
                                        uint32_t count)
{
    if (!take(all, backing_bytes(count)))
        return NULL;
    r->backing = calloc(count, sizeof *r->backing);
    if (!r->backing) {
        all->bytes -= backing_bytes(count);
        return NULL;
    }
    r->backing_count = count;
    return r->backing;
}

void gpu_resource_detach(struct gpu_resources *all, struct gpu_resource *r)
{
    all->bytes -= backing_bytes(r->backing_count);
    free(r->backing);
    r->backing = NULL;
    r->backing_count = 0;
}

/* --- filling ----------------------------------------------------------------------------- */

/* A place in a backing: rows come one after the other, so that it only moves forward. */
struct cursor {
    const struct gpu_resource *resource;
    uint32_t entry;
    uint64_t entry_at; /* byte of the backing at which the entry begins */
};

/* Copies n bytes from byte `at` on, which is not before what was copied last. */
static bool copy_from(struct cursor *c, struct memory_map *memory, uint64_t at, uint8_t *to,
                      uint64_t n)
{
    while (n) {
        if (c->entry == c->resource->backing_count)
            return false;
        const struct gpu_backing *b = &c->resource->backing[c->entry];
        uint64_t skip = at - c->entry_at;
        if (skip >= b->bytes) {
            c->entry_at += b->bytes;
            c->entry++;
            continue;
        }
        uint64_t now = min_u64(n, b->bytes - skip);
        if (b->gpa + skip < skip || !dma_read(memory, b->gpa + skip, to, now))
            return false;
        at += now;
        to += now;
        n -= now;
    }
    return true;
}

bool gpu_resource_fill(struct gpu_resource *r, struct memory_map *memory, struct screen_rect part,
                       uint64_t offset)
{
    struct cursor c = {.resource = r};
    uint64_t row_bytes = (uint64_t)r->width * PIXEL_BYTES;
    uint8_t *to = r->pixels + part.y * row_bytes + (uint64_t)part.x * PIXEL_BYTES;
    uint64_t all_bytes = (uint64_t)part.height * row_bytes;
    if (offset > UINT64_MAX - all_bytes)
        return false;
    for (uint32_t row = 0; row < part.height; row++, to += row_bytes, offset += row_bytes)
        if (!copy_from(&c, memory, offset, to, (uint64_t)part.width * PIXEL_BYTES))
            return false;
    return true;
}

/* --- state ------------------------------------------------------------------------------- */

static uint32_t count_all(const struct gpu_resources *all)
{
    uint32_t n = 0;
    for (const struct gpu_resource *r = all->first; r; r = r->next)
        n++;
    return n;
}

static void content_state(struct gpu_resources *all, struct gpu_resource *r, struct state *s)
{
    uint32_t count = r->backing_count;
    state_bytes(s, r->pixels, pixel_bytes(r));
    state_u32(s, &count);
    if (count > GPU_BACKING_MOST)
        state_fail(s, "%u entries of a backing", count);
    if (state_ok(s) && state_loading(s) && count && !gpu_resource_attach(all, r, count))
        state_fail(s, "no memory for a backing");
    for (uint32_t i = 0; i < r->backing_count && state_ok(s); i++) {
        state_u64(s, &r->backing[i].gpa);
        state_u32(s, &r->backing[i].bytes);
    }
}

static void load_one(struct gpu_resources *all, struct state *s)
{
    struct gpu_resource r = {0};
    state_u32(s, &r.id);
    state_u32(s, &r.width);
    state_u32(s, &r.height);
    state_u32(s, &r.format);
    if (!state_ok(s))
        return;
    if (!r.id || gpu_resource_find(all, r.id) || !pixel_format_is_known(r.format) || !r.width ||
        !r.height || r.width > SCREEN_SIDE_MAX || r.height > SCREEN_SIDE_MAX) {
        state_fail(s, "resource %u of %u x %u in format %u", r.id, r.width, r.height, r.format);
        return;
    }
    struct gpu_resource *made = gpu_resource_create(all, r.id, r.width, r.height, r.format);
    if (made)
        content_state(all, made, s);
    else
        state_fail(s, "no memory for resource %u", r.id);
}

void gpu_resources_state(struct gpu_resources *all, struct state *s)
{
    uint32_t count = count_all(all);
    state_u32(s, &count);
    if (state_loading(s)) {
        gpu_resources_clear(all);
        while (count-- && state_ok(s))
            load_one(all, s);
        return;
    }
    for (struct gpu_resource *r = all->first; r; r = r->next) {
        state_u32(s, &r->id);
        state_u32(s, &r->width);
        state_u32(s, &r->height);
        state_u32(s, &r->format);
        content_state(all, r, s);
    }
}
