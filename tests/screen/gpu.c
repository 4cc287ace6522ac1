/* The 2D half of the virtio GPU (virtio 1.2, 5.7). */
#include "tests/screen/screen.h"

enum command {
    GET_DISPLAY_INFO = 0x100,
    CREATE_2D,
    UNREF,
    SET_SCANOUT,
    FLUSH,
    TRANSFER,
    ATTACH_BACKING,
    UPDATE_CURSOR = 0x300,
    OK_NODATA = 0x1100,
    OK_DISPLAY_INFO = 0x1101
};

#define FORMAT_B8G8R8A8 1u
#define FORMAT_B8G8R8X8 2u
#define EVENT_DISPLAY   1u
#define CONFIG_EVENTS   0x100u
#define CONFIG_CLEAR    0x104u
#define RESOURCE_CURSOR 9u

struct header {
    uint32_t type, flags;
    uint64_t fence;
    uint32_t context, padding;
};

struct rect {
    uint32_t x, y, width, height;
};

/* What the commands have behind their header, all of which are numbers. */
struct request {
    struct header header;
    union {
        uint32_t words[12];
        struct {
            struct rect rect;
            uint64_t offset;
            uint32_t resource, padding;
        } transfer;
        struct {
            uint32_t resource, count;
            uint64_t address;
            uint32_t bytes, padding;
        } backing;
    };
};

struct display_info {
    struct header header;
    struct {
        struct rect rect;
        uint32_t enabled, flags;
    } modes[16];
};

static struct {
    struct display display;
    volatile struct queue control, cursor;
    uint64_t slot;
    uint32_t resource;
    uint32_t shape[CURSOR_SIDE * CURSOR_SIDE];
} gpu;

static void command(uint32_t type, struct request *r)
{
    static struct header answer;
    r->header.type = type;
    virtio_ask(&gpu.control, r, sizeof *r, &answer, sizeof answer);
    if (answer.type != OK_NODATA)
        give_up("the GPU refuses a command");
}

static void make_resource(uint32_t id, uint32_t format, uint32_t width, uint32_t height,
                          const uint32_t *pixels)
{
    static struct request r;
    r = (struct request){.words = {id, format, width, height}};
    command(CREATE_2D, &r);
    r = (struct request){.backing = {id, 1, (uint64_t)pixels, 4 * width * height, 0}};
    command(ATTACH_BACKING, &r);
}

static void transfer(uint32_t id, uint32_t width, uint32_t height)
{
    static struct request r;
    r = (struct request){.transfer = {{0, 0, width, height}, 0, id, 0}};
    command(TRANSFER, &r);
}

static void flush(struct display *d)
{
    static struct request r;
    transfer(gpu.resource, d->width, d->height);
    r = (struct request){.words = {0, 0, d->width, d->height, gpu.resource}};
    command(FLUSH, &r);
}

/* The resource before is given up when the new one is shown. */
static bool set_size(struct display *d, uint32_t width, uint32_t height)
{
    static struct request r;
    uint32_t old = gpu.resource;
    gpu.resource = old == 1 ? 2 : 1;
    d->width = width;
    d->height = height;
    make_resource(gpu.resource, FORMAT_B8G8R8X8, width, height, d->pixels);
    r = (struct request){.words = {0, 0, width, height, 0, gpu.resource}};
    command(SET_SCANOUT, &r);
    r = (struct request){.words = {old}};
    if (old)
        command(UNREF, &r);
    return true;
}

bool gpu_wish(uint32_t *width, uint32_t *height)
{
    static struct request r;
    static struct display_info info;
    if (!gpu.slot || !(get(gpu.slot + CONFIG_EVENTS) & EVENT_DISPLAY))
        return false;
    set(gpu.slot + CONFIG_CLEAR, EVENT_DISPLAY);
    r.header.type = GET_DISPLAY_INFO;
    virtio_ask(&gpu.control, &r, sizeof r.header, &info, sizeof info);
    if (info.header.type != OK_DISPLAY_INFO)
        give_up("the GPU does not tell its displays");
    *width = info.modes[0].rect.width;
    *height = info.modes[0].rect.height;
    return true;
}

/* The cursor's queue gets no answers. */
void gpu_cursor(uint32_t colour, uint32_t x, uint32_t y)
{
    static struct request r;
    static bool is_made;
    if (!gpu.slot)
        return;
    for (unsigned i = 0; i < CURSOR_SIDE * CURSOR_SIDE; i++)
        gpu.shape[i] = colour;
    if (!is_made)
        make_resource(RESOURCE_CURSOR, FORMAT_B8G8R8A8, CURSOR_SIDE, CURSOR_SIDE, gpu.shape);
    is_made = true;
    transfer(RESOURCE_CURSOR, CURSOR_SIDE, CURSOR_SIDE);
    r = (struct request){.header.type = UPDATE_CURSOR,
                         .words = {0, 0, 0, 0, colour ? RESOURCE_CURSOR : 0, x, y}};
    virtio_ask(&gpu.cursor, &r, sizeof r, &(struct header){0}, sizeof(struct header));
}

struct display *gpu_open(void)
{
    gpu.slot = virtio_find(DEVICE_GPU, 0);
    if (!gpu.slot)
        return NULL;
    virtio_begin(gpu.slot);
    virtio_add_queue(&gpu.control, gpu.slot, 0);
    virtio_add_queue(&gpu.cursor, gpu.slot, 1);
    virtio_go(gpu.slot);
    gpu.display = (struct display){.pixels = frame_memory, .set_size = set_size, .flush = flush};
    return &gpu.display;
}
