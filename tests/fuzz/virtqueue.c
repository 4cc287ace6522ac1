/* A fuzzer of virtqueues: the input is the guest's memory with its rings and tables, and a list of
 * register accesses, thrown at a device on the MMIO transport. Whatever a guest writes, the device
 * must neither crash nor touch memory that is not the guest's (sanitizers watch), and must end.
 *
 * Input: a byte whose bit 0 chooses version 1, bits 1 and 2 the device, then actions of 8 bytes: a
 * kind and what it says. All queues share their rings, and so each other's buffers. A
 * guest that only threw random bytes would seldom make a chain that goes further than its first
 * check, so most kinds write what is nearly right. */
#include "devices/virtio/blk.h"
#include "devices/virtio/console.h"
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

struct guest {
    struct memory_map *memory;
    struct clock clock;
    struct event_queue events;
    struct block disk;
    struct input_door *door;
    struct link *link;
    struct virtio *console; /* NULL: another device */
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

static void create(struct guest *g, uint8_t how)
{
    static struct virtio *(*const devices[])(struct guest *) = {create_blk, create_net, create_rng,
                                                                create_console};
    struct error err;
    *g = (struct guest){.memory = memory_create(NULL), .door = input_create(), .legacy = how & 1};
    if (!memory_add_ram(g->memory, "RAM", RAM, RAM_BYTES, &err))
        abort();
    events_init(&g->events, NULL, NULL);
    fake_block_init(&g->disk, DISK_BYTES);
    g->link = link_create("n0", g->door, &g->clock);
    struct virtio_mmio_config mmio = {.virtio = devices[how >> 1 & 3](g), .legacy = g->legacy};
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

/* Bytes typed, or a frame. */
static void from_outside(struct guest *g, const uint8_t *a)
{
    static uint8_t frame[LINK_FRAME_MAX];
    struct link_receiver to = link_receiver(g->link);
    memcpy(frame + half(a + 1) % 64, a + 3, 5);
    if (g->console)
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
    switch (a[0] % 10) {
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
