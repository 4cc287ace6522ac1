/* The simple kinds: nothing, a ring in memory, a file, FIFOs. */
#include "devices/chardev/backend.h"

#include "base/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const no_properties[] = {NULL};

/* --- null -------------------------------------------------------------------------------- */

static bool null_open(const struct chardev_config *config, void **state, struct chardev_ends *ends,
                      char *place, struct error *err)
{
    (void)config, (void)state, (void)ends, (void)place, (void)err;
    return true;
}

static void null_keep(void *state, const uint8_t *bytes, size_t n)
{
    (void)state, (void)bytes, (void)n;
}

const struct chardev_kind chardev_null = {
    .name = "null", .properties = no_properties, .open = null_open, .keep = null_keep};

/* --- ringbuf ----------------------------------------------------------------------------- */

#define RING_BYTES_DEFAULT 65536u /* QEMU's */
#define RING_BYTES_MOST    (64u << 20)

/* The last bytes written; they end before bytes[end % bytes]. */
struct ring {
    size_t capacity, used, end;
    uint8_t bytes[];
};

static bool ringbuf_open(const struct chardev_config *config, void **state,
                         struct chardev_ends *ends, char *place, struct error *err)
{
    (void)ends, (void)place;
    const char *text = chardev_value(config, "size");
    uint64_t size = RING_BYTES_DEFAULT;
    if (text && (!value_size(text, 1, &size) || !is_power_of_two(size) || size > RING_BYTES_MOST))
        return error_set(err, "size is a power of two, up to %uM", RING_BYTES_MOST >> 20);
    struct ring *r = malloc(sizeof *r + size);
    if (!r)
        return error_set(err, "no memory for a ringbuf");
    *r = (struct ring){.capacity = size};
    *state = r;
    return true;
}

static void ringbuf_keep(void *state, const uint8_t *bytes, size_t n)
{
    struct ring *r = state;
    for (size_t i = 0; i < n; i++)
        r->bytes[r->end++ % r->capacity] = bytes[i];
    r->used = min_u64(r->used + n, r->capacity);
}

static size_t ringbuf_take(void *state, uint8_t *bytes, size_t n)
{
    struct ring *r = state;
    size_t taken = min_u64(n, r->used);
    for (size_t i = 0; i < taken; i++)
        bytes[i] = r->bytes[(r->end - r->used + i) % r->capacity];
    r->used -= taken;
    return taken;
}

static const char *const ringbuf_properties[] = {"size", NULL};

const struct chardev_kind chardev_ringbuf = {.name = "ringbuf",
                                             .properties = ringbuf_properties,
                                             .open = ringbuf_open,
                                             .close = free,
                                             .keep = ringbuf_keep,
                                             .take = ringbuf_take};

/* --- file and pipe ----------------------------------------------------------------------- */

static bool needs_path(const struct chardev_config *config, const char **path, struct error *err)
{
    *path = chardev_value(config, "path");
    return (*path && **path) || error_set(err, "it needs path=PATH");
}

static bool keep_ends(struct chardev_ends ends, void **state, struct error *err)
{
    struct chardev_ends *kept = malloc(sizeof *kept);
    if (!kept) {
        os_net_close(ends.in);
        os_net_close(ends.out);
        return error_set(err, "no memory for a character back-end");
    }
    *kept = ends;
    *state = kept;
    return true;
}

static void close_ends(void *state)
{
    struct chardev_ends *ends = state;
    os_net_close(ends->in);
    os_net_close(ends->out);
    free(ends);
}

static bool file_open(const struct chardev_config *config, void **state, struct chardev_ends *ends,
                      char *place, struct error *err)
{
    const char *path;
    bool append = false;
    if (!needs_path(config, &path, err) || !chardev_switch(config, "append", &append, err))
        return false;
    snprintf(place, CHARDEV_PLACE_BYTES, "%s", path);
    ends->out = os_char_open_output(path, append, err);
    return ends->out >= 0 && keep_ends(*ends, state, err);
}

static bool pipe_open(const struct chardev_config *config, void **state, struct chardev_ends *ends,
                      char *place, struct error *err)
{
    const char *path;
    if (!needs_path(config, &path, err) || !os_char_open_pipe(path, &ends->in, &ends->out, err))
        return false;
    snprintf(place, CHARDEV_PLACE_BYTES, "pipe:%s", path);
    return keep_ends(*ends, state, err);
}

static const char *const file_properties[] = {"path", "append", NULL};
static const char *const pipe_properties[] = {"path", NULL};

const struct chardev_kind chardev_file = {
    .name = "file", .properties = file_properties, .open = file_open, .close = close_ends};
const struct chardev_kind chardev_pipe = {
    .name = "pipe", .properties = pipe_properties, .open = pipe_open, .close = close_ends};
