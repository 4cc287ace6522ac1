/* A fuzzer of virtqueues: the input is the guest's memory with its rings and tables, and a list of
 * register accesses, thrown at a device on the MMIO transport. Whatever a guest writes, the device
 * must neither crash nor touch memory that is not the guest's (sanitizers watch), and must end.
 *
 * Input: a byte whose bit 0 chooses version 1, bits 1 to 3 the device, then actions of 8 bytes: a
 * kind and what it says. All queues share their rings, and so each other's buffers. A
 * guest that only threw random bytes would seldom make a chain that goes further than its first
 * check, so most kinds write what is nearly right. */
#include "devices/virtio/blk.h"
#include "devices/virtio/console.h"
#include "devices/virtio/gpu.h"
#include "devices/virtio/input.h"
#include "devices/virtio/mmio.h"
#include "devices/virtio/net.h"
#include "devices/virtio/rng.h"
#include "tests/unit/fake_block.h"

#include <stdlib.h>

#define RAM        0x80000000ull
#define RAM_BYTES  0x10000u
#define INDIRECT   (RAM + 0x1000) /* a table */
#define HEADERS    (RAM + 0x2000)
#define DISK_BYTES 0x10000u
#define QUEUE_SIZE 8u
#define QUEUES     4u /* of a device; what it has not is an error of the guest */
#define GPU_BYTES  (1u << 20)

struct guest {
    struct memory_map *memory;
    struct clock clock;
    struct event_queue events;
    struct block disk;
    struct input_door *door;
    struct link *link;
    /* NULL: another device. */
    struct virtio *console, *gpu, *input;
    struct device *slot;
    bool legacy;
};

static void ignore_wake(void *owner)
{
    (void)owner;
}

static struct virtio *create_blk(struct guest *g)
{
    struct virtio_blk_config blk = {.name = "virtio-blk0",
                                    .block = &g->disk,
                                    .logical_block_bytes = 512,
                                    .physical_block_bytes = 512,
                                    .queue_size = QUEUE_SIZE,
                                    .memory = g->memory,
                                    .clock = &g->clock,
                                    .events = &g->events,
                                    .on_write_error = VIRTIO_BLK_ENOSPC,
                                    .wake = ignore_wake,
                                    .stop = ignore_wake};
    return virtio_blk_create(&blk);
}

static struct virtio *create_net(struct guest *g)
{
    struct virtio_net_config net = {.link = g->link, .memory = g->memory};
    return virtio_net_create(&net);
}

static struct virtio *create_rng(struct guest *g)
{
    struct virtio_rng_config rng = {.seed = 1, .memory = g->memory};
    return virtio_rng_create(&rng);
}

static struct virtio *create_console(struct guest *g)
{
    struct virtio_console_config console = {.ports = {{.is_console = true}, {.name = "p"}},
                                            .count = 2,
                                            .multiport = true,
                                            .memory = g->memory};
    return g->console = virtio_console_create(&console);
}

static struct virtio *create_gpu(struct guest *g)
{
    struct virtio_gpu_config gpu = {.width = 64,
                                    .height = 48,
                                    .has_edid = true,
                                    .host_bytes_max = GPU_BYTES,
                                    .memory = g->memory};
    return g->gpu = virtio_gpu_create(&gpu);
}

static struct virtio *create_input(struct guest *g, enum virtio_input_kind kind)
{
    struct virtio_input_config input = {.kind = kind, .memory = g->memory};
    return g->input = virtio_input_create(&input);
}

static struct virtio *create_keyboard(struct guest *g)
{
    return create_input(g, VIRTIO_INPUT_KEYBOARD);
}

static struct virtio *create_mouse(struct guest *g)
{
    return create_input(g, VIRTIO_INPUT_MOUSE);
}

static struct virtio *create_tablet(struct guest *g)
{
    return create_input(g, VIRTIO_INPUT_TABLET);
}

static void create(struct guest *g, uint8_t how)
{
    static struct virtio *(*const devices[])(struct guest *) = {
        create_blk, create_net,      create_rng,   create_console,
        create_gpu, create_keyboard, create_mouse, create_tablet};
    struct error err;
    *g = (struct guest){.memory = memory_create(NULL), .door = input_create(), .legacy = how & 1};
    if (!memory_add_ram(g->memory, "RAM", RAM, RAM_BYTES, &err))
        abort();
    events_init(&g->events, NULL, NULL);
    fake_block_init(&g->disk, DISK_BYTES);
    g->link = link_create("n0", g->door, &g->clock);
    struct virtio_mmio_config mmio = {.virtio = devices[how >> 1 & 7](g), .legacy = g->legacy};
    g->slot = virtio_mmio_create(&mmio);
    g->slot->ops->reset(g->slot);
}

static void destroy(struct guest *g)
{
    g->slot->ops->destroy(g->slot);
    fake_block_free(&g->disk);
    link_destroy(g->link);
    input_destroy(g->door);
    memory_destroy(g->memory);
}

static void set(struct guest *g, uint64_t offset, uint32_t value)
{
    g->slot->ops->mmio.write(g->slot, offset, value, 4);
}

static void set_up_queue(struct guest *g, bool legacy)
{
    set(g, 0x38, QUEUE_SIZE);
    if (legacy) {
        set(g, 0x3c, 256);
        set(g, 0x40, RAM >> 12);
        return;
    }
    set(g, 0x80, (uint32_t)RAM);
    set(g, 0x90, (uint32_t)RAM + 0x80);
    set(g, 0xa0, (uint32_t)RAM + 0x100);
    set(g, 0x44, 1);
}

/* Queues at the start of memory, with all features: the accesses of the input go on from there. */
static void set_up(struct guest *g, bool legacy)
{
    set(g, 0x70, 1);
    set(g, 0x70, 3);
    set(g, 0x20, legacy ? 0x30006e54 : 0x30ffffff);
    if (!legacy) {
        set(g, 0x24, 1);
        set(g, 0x20, 1);
        set(g, 0x70, 11);
    } else {
        set(g, 0x28, 4096);
    }
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        set(g, 0x30, queue);
        set_up_queue(g, legacy);
    }
    set(g, 0x70, 15);
    set(g, 0x50, 0);
}

/* Lets virtual time pass until nothing is due. */
static void settle(struct guest *g)
{
    while (g->events.next_ns != EVENT_NEVER) {
        g->clock.now_ns = max_u64(g->clock.now_ns, g->events.next_ns);
        events_run(&g->events, g->clock.now_ns);
    }
}

static void poke(struct guest *g, uint64_t gpa, const void *from, size_t n)
{
    if (!dma_write(g->memory, gpa, from, n))
        abort();
}

static uint16_t half(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* A descriptor of the ring or of the indirect table, mostly inside RAM. */
static void put_descriptor(struct guest *g, const uint8_t *a)
{
    uint64_t gpa = (a[7] & 1 ? 0 : RAM) + half(a + 2);
    uint64_t table = a[7] & 2 ? INDIRECT : RAM;
    uint32_t bytes = a[7] & 4 ? half(a + 4) * 0x10001u : half(a + 4);
    uint16_t flags = a[6] & 7, next = a[6] >> 3;
    uint8_t d[16];
    if (a[7] & 8)
        gpa = INDIRECT + 16 * (a[2] & 15);
    if (a[7] & 16)
        gpa = HEADERS + 16 * (a[2] & 15);
    memcpy(d, &gpa, 8);
    memcpy(d + 8, &bytes, 4);
    memcpy(d + 12, &flags, 2);
    memcpy(d + 14, &next, 2);
    poke(g, table + 16 * (a[1] % QUEUE_SIZE), d, sizeof d);
}

static void put_header(struct guest *g, const uint8_t *a)
{
    uint32_t words[4] = {a[2] & 15, 0, half(a + 4), a[6] & 1};
    poke(g, HEADERS + 16 * (a[1] & 15), words, sizeof words);
}

/* A word of a GPU's command, by its letter: some are right, some are not. */
static uint32_t gpu_word(char letter, const uint8_t *a)
{
    static const uint32_t formats[] = {1, 2, 3, 4, 67, 68, 121, 134, 5};
    switch (letter) {
    case 'i': /* resource */
        return a[3] & 3;
    case 'n': /* entries of its backing */
        return a[3] >> 2 & 3;
    case 's': /* scanout */
        return a[7] >> 7;
    case 'f':
        return formats[a[7] % ARRAY_LEN(formats)];
    case 'w':
        return a[4] & 0xf0 ? 16u * (a[4] >> 4) : 1u << a[4];
    case 'h':
        return a[5] & 0xf0 ? 16u * (a[5] >> 4) : 1u << a[5];
    case 'x':
        return a[6] & 15;
    case 'y':
        return a[6] >> 4;
    case 'p': /* address of an entry */
        return (uint32_t)RAM + 16u * half(a + 4);
    case 'o': /* offset, or length of an entry */
        return half(a + 6);
    default:
        return 0;
    }
}

/* A command of the GPU (section 5.7.6.8), in four of the headers' places. */
static void put_gpu_command(struct guest *g, const uint8_t *a)
{
    static const struct {
        uint32_t type;
        const char *body;
    } commands[] = {{0x100, ""},           {0x101, "ifwh"},    {0x102, "i0"},
                    {0x103, "xywhsi"},     {0x104, "xywhi0"},  {0x105, "xywho0i0"},
                    {0x106, "inp0o0p0o0"}, {0x107, "i0"},      {0x10a, "s0"},
                    {0x300, "sxy0ixy0"},   {0x301, "sxy0ixy0"}};
    const char *body = commands[a[2] % ARRAY_LEN(commands)].body;
    uint32_t words[16] = {commands[a[2] % ARRAY_LEN(commands)].type, a[3] >> 7, a[7]};
    for (unsigned i = 0; body[i]; i++)
        words[6 + i] = gpu_word(body[i], a);
    poke(g, HEADERS + 64 * (a[1] & 3), words, sizeof words);
}

/* One more entry of the available ring, and the driver rings. */
static void offer(struct guest *g, const uint8_t *a)
{
    uint16_t index = 0, head = a[1] & 15;
    if (!dma_read(g->memory, RAM + 0x82, &index, 2))
        abort();
    poke(g, RAM + 0x84 + 2 * (index % QUEUE_SIZE), &head, 2);
    index++;
    poke(g, RAM + 0x82, &index, 2);
    set(g, 0x50, a[2] % QUEUES);
}

/* Bytes typed, keys, another size of the window, or a frame. */
static void from_outside(struct guest *g, const uint8_t *a)
{
    static uint8_t frame[LINK_FRAME_MAX];
    struct link_receiver to = link_receiver(g->link);
    memcpy(frame + half(a + 1) % 64, a + 3, 5);
    struct input_event group[2] = {{a[1] & 3, half(a + 2), half(a + 4)}, {0}};
    if (g->input)
        virtio_input_receive(g->input, (const uint8_t *)group, sizeof group);
    else if (g->gpu)
        virtio_gpu_prefer(g->gpu, 16 + a[2], 16 + a[3]);
    else if (g->console)
        virtio_console_receive(g->console, a[1] & 1, frame, half(a + 2));
    else
        to.receive(to.owner, frame, half(a + 1));
    input_deliver(g->door);
}

static void act(struct guest *g, const uint8_t *a)
{
    uint64_t offset = 4ull * a[1];
    uint32_t value = half(a + 2) | (uint32_t)half(a + 4) << 16;
    static const enum block_status statuses[] = {BLOCK_OK, BLOCK_IO_ERROR, BLOCK_NO_SPACE,
                                                 BLOCK_UNSUPPORTED};
    switch (a[0] % 11) {
    case 0:
        put_descriptor(g, a);
        return;
    case 1:
        put_header(g, a);
        return;
    case 2:
        offer(g, a);
        return;
    case 3:
        poke(g, RAM + half(a + 1) % (RAM_BYTES - 4), a + 3, 4);
        return;
    case 4:
        g->slot->ops->mmio.read(g->slot, offset, 1u << a[2] % 4);
        return;
    case 5:
        set(g, offset, value);
        return;
    case 6:
        settle(g);
        return;
    case 7:
        set(g, 0x70, 0);
        set_up(g, g->legacy);
        return;
    case 8:
        g->disk.status = statuses[a[1] % ARRAY_LEN(statuses)];
        return;
    case 9:
        from_outside(g, a);
        return;
    case 10:
        put_gpu_command(g, a);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest g;
    if (size == 0)
        return 0;
    create(&g, data[0]);
    set_up(&g, g.legacy);
    for (size_t at = 1; at + 8 <= size; at += 8)
        act(&g, data + at);
    settle(&g);
    destroy(&g);
    return 0;
}
