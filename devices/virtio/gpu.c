/* The commands of the virtio GPU (contract: gpu.h; virtio 1.2, section 5.7).
 *
 * Each command is one chain and is answered at once: nothing here takes long enough to be worth a
 * thread, and so a run is repeatable. What is flushed goes to the screen, whose pixels the device
 * never reads back. */
#include "devices/virtio/gpu.h"

#include "devices/display/edid.h"
#include "devices/virtio/gpu_resource.h"

#include <stdlib.h>

#define QUEUES     2u  /* commands; commands of the cursor */
#define QUEUE_SIZE 64u /* QEMU's */

#define F_EDID 1u

#define EVENT_DISPLAY 1u
#define SCANOUTS      1u
#define SCANOUTS_MOST 16u /* entries in the answer of GET_DISPLAY_INFO */
#define FLAG_FENCE    1u
#define SIDE_LEAST    16u /* of a scanout, as QEMU's */
#define PIECE_PIXELS  512u

/* enum virtio_gpu_ctrl_type. */
enum command {
    GET_DISPLAY_INFO = 0x0100,
    RESOURCE_CREATE_2D,
    RESOURCE_UNREF,
    SET_SCANOUT,
    RESOURCE_FLUSH,
    TRANSFER_TO_HOST_2D,
    RESOURCE_ATTACH_BACKING,
    RESOURCE_DETACH_BACKING,
    GET_CAPSET_INFO,
    GET_CAPSET,
    GET_EDID,
    UPDATE_CURSOR = 0x0300,
    MOVE_CURSOR,
};

enum answer {
    OK_NODATA = 0x1100,
    OK_DISPLAY_INFO = 0x1101,
    OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200,
    ERR_OUT_OF_MEMORY,
    ERR_INVALID_SCANOUT_ID,
    ERR_INVALID_RESOURCE_ID,
    ERR_INVALID_CONTEXT_ID,
    ERR_INVALID_PARAMETER,
};

struct config_space {
    uint32_t events_read, events_clear, num_scanouts, num_capsets;
};

struct header {
    uint32_t type, flags;
    uint64_t fence_id;
    uint32_t ctx_id;
    uint8_t ring_idx, padding[3];
};

struct rect {
    uint32_t x, y, width, height;
};

_Static_assert(sizeof(struct header) == 24 && sizeof(struct rect) == sizeof(struct screen_rect),
               "as the specification lays it out");

struct virtio_gpu {
    struct virtio virtio;
    /* --- guest state --- */
    struct gpu_resources resources;
    uint32_t scanout_resource;  /* 0: it shows nothing */
    struct screen_rect scanout; /* the part of the resource that is shown */
    uint32_t events;            /* EVENT_DISPLAY: not yet cleared by the driver */
    uint32_t width, height;     /* what the display prefers */
    uint32_t cursor_resource;   /* 0: none is shown */
    uint32_t cursor_x, cursor_y, hot_x, hot_y;
    /* --- host side --- */
    struct virtio_gpu_config config;
    struct screen screen;
};

/* A command that is being answered: the chain's readable part behind the header. */
struct request {
    struct virtio_gpu *gpu;
    const struct virtio_chain *chain;
    struct header header;
    uint32_t written; /* by an answer that has more than a header */
};

static struct virtio_gpu *gpu_of(struct virtio *v)
{
    return CONTAINER_OF(v, struct virtio_gpu, virtio);
}

/* --- configuration ----------------------------------------------------------------------- */

static uint64_t gpu_features(struct virtio *v)
{
    return (uint64_t)gpu_of(v)->config.has_edid << F_EDID;
}

static void gpu_read_config(struct virtio *v, uint8_t *bytes)
{
    struct config_space space = {.events_read = gpu_of(v)->events, .num_scanouts = SCANOUTS};
    memcpy(bytes, &space, sizeof space);
}

static void gpu_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    uint32_t clear = 0;
    if (offset != offsetof(struct config_space, events_clear) || n != sizeof clear) {
        log_line(v->log, LOG_GUEST_ERRORS,
                 "virtio-gpu: the configuration at 0x%x is read-only (%u bytes)", offset, n);
        return;
    }
    memcpy(&clear, bytes, sizeof clear);
    gpu_of(v)->events &= ~clear;
}

void virtio_gpu_prefer(struct virtio *v, uint32_t width, uint32_t height)
{
    struct virtio_gpu *g = gpu_of(v);
    if (!width || !height || width > SCREEN_SIDE_MAX || height > SCREEN_SIDE_MAX ||
        (width == g->width && height == g->height))
        return;
    g->width = width;
    g->height = height;
    g->events |= EVENT_DISPLAY;
    virtio_config_changed(v);
}

/* --- the screen -------------------------------------------------------------------------- */

static void draw_row(struct virtio_gpu *g, const struct gpu_resource *r, struct screen_rect part,
                     uint32_t y)
{
    uint32_t piece[PIECE_PIXELS];
    const uint8_t *from = r->pixels + ((uint64_t)y * r->width + part.x) * 4;
    if (pixel_format_is_native(r->format)) { /* Linux's own: not looked at twice */
        screen_put(&g->screen, part.x - g->scanout.x, y - g->scanout.y, (const void *)from,
                   part.width);
        return;
    }
    for (uint32_t x = 0, n; x < part.width; x += n, from += n * sizeof *piece) {
        n = (uint32_t)min_u64(part.width - x, PIECE_PIXELS);
        pixels_convert(piece, from, n, r->format);
        screen_put(&g->screen, part.x + x - g->scanout.x, y - g->scanout.y, piece, n);
    }
}

/* Draws a part of the resource that the scanout shows. X flushes all of a screen of which it
 * changed a character: to compare costs less than to have the rest copied and sent to who looks. */
static void draw(struct virtio_gpu *g, const struct gpu_resource *r, struct screen_rect part)
{
    part = rect_intersect(part, g->scanout);
    for (uint32_t y = part.y; y < part.y + part.height; y++)
        draw_row(g, r, part, y);
}

static void show_nothing(struct virtio_gpu *g)
{
    g->scanout_resource = 0;
    g->scanout = (struct screen_rect){0};
    (void)screen_resize(&g->screen, 0, 0); /* takes no memory */
}

static bool show(struct virtio_gpu *g, const struct gpu_resource *r, struct screen_rect part)
{
    bool has_size = g->screen.width == part.width && g->screen.height == part.height;
    if (!has_size && !screen_resize(&g->screen, part.width, part.height)) {
        show_nothing(g);
        return false;
    }
    g->scanout_resource = r->id;
    g->scanout = part;
    draw(g, r, part);
    return true;
}

/* Of a cursor the byte that a picture does not use is its alpha: Linux makes cursors in B8G8R8X8,
 * and QEMU takes it so. */
static enum pixel_format with_alpha(uint32_t format)
{
    switch (format) {
    case PIXEL_B8G8R8X8:
        return PIXEL_B8G8R8A8;
    case PIXEL_X8R8G8B8:
        return PIXEL_A8R8G8B8;
    case PIXEL_X8B8G8R8:
        return PIXEL_A8B8G8R8;
    case PIXEL_R8G8B8X8:
        return PIXEL_R8G8B8A8;
    default:
        return (enum pixel_format)format;
    }
}

/* A cursor that is smaller or larger than the screen's is cut or filled with nothing. */
static void draw_cursor(struct virtio_gpu *g)
{
    struct screen_cursor *c = &g->screen.cursor;
    const struct gpu_resource *r = gpu_resource_find(&g->resources, g->cursor_resource);
    c->is_shown = r != NULL;
    c->hot_x = g->hot_x;
    c->hot_y = g->hot_y;
    c->has_changed = true;
    if (!r)
        return;
    memset(c->pixels, 0, sizeof c->pixels);
    uint32_t width = (uint32_t)min_u64(r->width, SCREEN_CURSOR_SIDE);
    uint32_t height = (uint32_t)min_u64(r->height, SCREEN_CURSOR_SIDE);
    for (uint32_t y = 0; y < height; y++)
        pixels_convert(c->pixels + (size_t)y * SCREEN_CURSOR_SIDE,
                       r->pixels + (uint64_t)y * r->width * 4, width, with_alpha(r->format));
}

static void place_cursor(struct virtio_gpu *g)
{
    g->screen.cursor.x = g->cursor_x;
    g->screen.cursor.y = g->cursor_y;
    g->screen.cursor.has_changed = true;
}

/* --- commands ---------------------------------------------------------------------------- */

static bool get(const struct request *q, void *to, size_t n)
{
    return virtio_read(&q->gpu->virtio, q->chain, sizeof q->header, to, n) == n;
}

static void put(struct request *q, const void *from, size_t n)
{
    q->written = (uint32_t)virtio_write(&q->gpu->virtio, q->chain, sizeof q->header, from, n);
}

static uint32_t get_display_info(struct request *q)
{
    struct {
        struct rect rect;
        uint32_t enabled, flags;
    } modes[SCANOUTS_MOST] = {{.rect = {0, 0, q->gpu->width, q->gpu->height}, .enabled = 1}};
    put(q, modes, sizeof modes);
    return OK_DISPLAY_INFO;
}

static uint32_t get_edid(struct request *q)
{
    struct {
        uint32_t scanout, padding;
    } asked;
    struct {
        uint32_t size, padding;
        uint8_t edid[1024];
    } answer = {.size = EDID_BYTES};
    if (!get(q, &asked, sizeof asked) || !q->gpu->config.has_edid)
        return ERR_UNSPEC;
    if (asked.scanout >= SCANOUTS)
        return ERR_INVALID_SCANOUT_ID;
    edid_make(answer.edid, q->gpu->width, q->gpu->height);
    put(q, &answer, sizeof answer);
    return OK_EDID;
}

static uint32_t resource_create(struct request *q)
{
    struct {
        uint32_t id, format, width, height;
    } c;
    struct gpu_resources *all = &q->gpu->resources;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    if (!c.id || gpu_resource_find(all, c.id))
        return ERR_INVALID_RESOURCE_ID;
    if (!pixel_format_is_known(c.format) || !c.width || !c.height || c.width > SCREEN_SIDE_MAX ||
        c.height > SCREEN_SIDE_MAX)
        return ERR_INVALID_PARAMETER;
    return gpu_resource_create(all, c.id, c.width, c.height, c.format) ? OK_NODATA
                                                                       : ERR_OUT_OF_MEMORY;
}

static uint32_t resource_unref(struct request *q)
{
    uint32_t id;
    if (!get(q, &id, sizeof id))
        return ERR_UNSPEC;
    struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, id);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (q->gpu->scanout_resource == id)
        show_nothing(q->gpu);
    gpu_resource_destroy(&q->gpu->resources, r);
    if (q->gpu->cursor_resource == id) {
        q->gpu->cursor_resource = 0;
        draw_cursor(q->gpu);
    }
    return OK_NODATA;
}

static uint32_t set_scanout(struct request *q)
{
    struct {
        struct screen_rect part;
        uint32_t scanout, id;
    } c;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    if (c.scanout >= SCANOUTS)
        return ERR_INVALID_SCANOUT_ID;
    if (!c.id) {
        show_nothing(q->gpu);
        return OK_NODATA;
    }
    const struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, c.id);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (!rect_is_inside(c.part, r->width, r->height) || c.part.width < SIDE_LEAST ||
        c.part.height < SIDE_LEAST)
        return ERR_INVALID_PARAMETER;
    return show(q->gpu, r, c.part) ? OK_NODATA : ERR_OUT_OF_MEMORY;
}

static uint32_t resource_flush(struct request *q)
{
    struct {
        struct screen_rect part;
        uint32_t id, padding;
    } c;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    const struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, c.id);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (!rect_is_inside(c.part, r->width, r->height))
        return ERR_INVALID_PARAMETER;
    if (q->gpu->scanout_resource == c.id)
        draw(q->gpu, r, c.part);
    return OK_NODATA;
}

static uint32_t transfer_to_host(struct request *q)
{
    struct {
        struct screen_rect part;
        uint64_t offset;
        uint32_t id, padding;
    } c;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, c.id);
    if (!r)
        return ERR_INVALID_RESOURCE_ID;
    if (!r->backing || !rect_is_inside(c.part, r->width, r->height) ||
        !gpu_resource_fill(r, q->gpu->virtio.memory, c.part, c.offset))
        return ERR_INVALID_PARAMETER;
    return OK_NODATA;
}

static uint32_t attach_backing(struct request *q)
{
    struct {
        uint32_t id, count;
    } c;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, c.id);
    if (!r || r->backing)
        return r ? ERR_UNSPEC : ERR_INVALID_RESOURCE_ID;
    size_t bytes = c.count * sizeof(struct gpu_backing);
    if (!c.count || c.count > GPU_BACKING_MOST ||
        q->chain->readable_bytes < sizeof q->header + sizeof c + bytes)
        return ERR_UNSPEC;
    struct gpu_backing *backing = gpu_resource_attach(&q->gpu->resources, r, c.count);
    if (!backing)
        return ERR_OUT_OF_MEMORY;
    virtio_read(&q->gpu->virtio, q->chain, sizeof q->header + sizeof c, backing, bytes);
    return OK_NODATA;
}

static uint32_t detach_backing(struct request *q)
{
    uint32_t id;
    if (!get(q, &id, sizeof id))
        return ERR_UNSPEC;
    struct gpu_resource *r = gpu_resource_find(&q->gpu->resources, id);
    if (!r || !r->backing)
        return ERR_INVALID_RESOURCE_ID;
    gpu_resource_detach(&q->gpu->resources, r);
    return OK_NODATA;
}

/* Both commands of the cursor have the same layout; a move has no resource. */
static uint32_t set_cursor(struct request *q)
{
    struct {
        uint32_t scanout, x, y, padding, id, hot_x, hot_y, padding2;
    } c;
    struct virtio_gpu *g = q->gpu;
    if (!get(q, &c, sizeof c))
        return ERR_UNSPEC;
    if (c.scanout >= SCANOUTS)
        return ERR_INVALID_SCANOUT_ID;
    g->cursor_x = c.x;
    g->cursor_y = c.y;
    if (q->header.type == UPDATE_CURSOR) {
        g->cursor_resource = c.id;
        g->hot_x = c.hot_x;
        g->hot_y = c.hot_y;
        draw_cursor(g);
    }
    place_cursor(g);
    return OK_NODATA;
}

static const struct {
    enum command type;
    uint32_t (*run)(struct request *q); /* enum answer */
} commands[] = {
    {GET_DISPLAY_INFO, get_display_info},
    {RESOURCE_CREATE_2D, resource_create},
    {RESOURCE_UNREF, resource_unref},
    {SET_SCANOUT, set_scanout},
    {RESOURCE_FLUSH, resource_flush},
    {TRANSFER_TO_HOST_2D, transfer_to_host},
    {RESOURCE_ATTACH_BACKING, attach_backing},
    {RESOURCE_DETACH_BACKING, detach_backing},
    {GET_EDID, get_edid},
    {UPDATE_CURSOR, set_cursor},
    {MOVE_CURSOR, set_cursor},
};

static uint32_t run(struct request *q)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].type == q->header.type)
            return commands[i].run(q);
    return ERR_UNSPEC;
}

/* The answer's header is the command's: the fence with its flag, and who asked (section 5.7.6.7).
 */
static void answer(struct virtio_gpu *g, struct virtio_chain *chain)
{
    struct request q = {.gpu = g, .chain = chain};
    struct header h = {0};
    if (virtio_read(&g->virtio, chain, 0, &q.header, sizeof q.header) == sizeof q.header)
        h.type = run(&q);
    else
        h.type = ERR_UNSPEC;
    if (h.type >= ERR_UNSPEC)
        log_line(g->virtio.log, LOG_GUEST_ERRORS, "virtio-gpu: command 0x%x is answered with 0x%x",
                 q.header.type, h.type);
    if (q.header.flags & FLAG_FENCE) {
        h.flags = FLAG_FENCE;
        h.fence_id = q.header.fence_id;
        h.ctx_id = q.header.ctx_id;
    }
    uint32_t written = (uint32_t)virtio_write(&g->virtio, chain, 0, &h, sizeof h);
    virtio_give(&g->virtio, chain, written + q.written);
}

static void gpu_notify(struct virtio *v, unsigned queue)
{
    for (struct virtio_chain *c; (c = virtio_take(v, queue));)
        answer(gpu_of(v), c);
    virtio_publish(v, queue);
}

/* --- life and state ---------------------------------------------------------------------- */

static void gpu_reset(struct virtio *v)
{
    struct virtio_gpu *g = gpu_of(v);
    show_nothing(g);
    gpu_resources_clear(&g->resources);
    g->events = 0;
    g->cursor_resource = g->cursor_x = g->cursor_y = g->hot_x = g->hot_y = 0;
    draw_cursor(g);
}

static void draw_again(struct virtio_gpu *g, struct state *s)
{
    uint32_t id = g->scanout_resource;
    const struct screen_rect part = g->scanout;
    const struct gpu_resource *r = gpu_resource_find(&g->resources, id);
    show_nothing(g);
    if (id && (!r || !rect_is_inside(part, r->width, r->height) || rect_is_empty(part)))
        state_fail(s, "the scanout shows what is not in resource %u", id);
    else if (id && !show(g, r, part))
        state_fail(s, "no memory for a screen of %u x %u", part.width, part.height);
    draw_cursor(g);
    place_cursor(g);
}

static void gpu_state(struct virtio *v, struct state *s)
{
    struct virtio_gpu *g = gpu_of(v);
    uint32_t *const numbers[] = {
        &g->scanout_resource, &g->scanout.x, &g->scanout.y, &g->scanout.width,   &g->scanout.height,
        &g->events,           &g->width,     &g->height,    &g->cursor_resource, &g->cursor_x,
        &g->cursor_y,         &g->hot_x,     &g->hot_y,
    };
    gpu_resources_state(&g->resources, s);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        state_u32(s, numbers[i]);
    if (state_loading(s) && state_ok(s))
        draw_again(g, s);
}

static void gpu_destroy(struct virtio *v)
{
    struct virtio_gpu *g = gpu_of(v);
    gpu_resources_clear(&g->resources);
    screen_deinit(&g->screen);
    virtio_deinit(v);
    free(g);
}

static const struct virtio_device_ops gpu_ops = {
    .name = "virtio-gpu",
    .id = 16,
    .config_bytes = sizeof(struct config_space),
    .features = gpu_features,
    .read_config = gpu_read_config,
    .write_config = gpu_write_config,
    .notify = gpu_notify,
    .reset = gpu_reset,
    .state = gpu_state,
    .destroy = gpu_destroy,
};

struct virtio *virtio_gpu_create(const struct virtio_gpu_config *config)
{
    struct virtio_gpu *g = calloc(1, sizeof *g);
    struct virtio_config base = {.ops = &gpu_ops,
                                 .queues = QUEUES,
                                 .queue_size = QUEUE_SIZE,
                                 .memory = config->memory,
                                 .log = config->log};
    if (!g || !virtio_init(&g->virtio, &base)) {
        free(g);
        return NULL;
    }
    g->config = *config;
    g->width = config->width;
    g->height = config->height;
    g->resources.bytes_max = config->host_bytes_max;
    return &g->virtio;
}

struct screen *virtio_gpu_screen(struct virtio *v)
{
    return &gpu_of(v)->screen;
}
