/* What the tests of virtio over PCI share: a device that answers "pong", behind a host bridge with
 * RAM, and a small driver for both interfaces. */
#ifndef RIVULET_TESTS_UNIT_VIRTIO_PCI_RIG_H
#define RIVULET_TESTS_UNIT_VIRTIO_PCI_RIG_H

#include "devices/virtio/pci.h"
#include "tests/unit/pci_bench.h"

#define DEVFN    (1u << 3)
#define WIRE     1u
#define RAM_BASE 0x80000000ull
#define RAM_SIZE 0x10000ull
#define IO_PORT  0x1000u

#define COMMON (MEMORY_64_BASE + 0x0000)
#define ISR    (MEMORY_64_BASE + 0x1000)
#define CONFIG (MEMORY_64_BASE + 0x2000)
#define NOTIFY (MEMORY_64_BASE + 0x3000)
#define LEGACY (IO_BASE + IO_PORT)

/* Fields of the common configuration. */
#define DEVICE_FEATURE_SELECT (COMMON + 0x00)
#define DEVICE_FEATURE        (COMMON + 0x04)
#define DRIVER_FEATURE_SELECT (COMMON + 0x08)
#define DRIVER_FEATURE        (COMMON + 0x0c)
#define CONFIG_VECTOR         (COMMON + 0x10)
#define NUM_QUEUES            (COMMON + 0x12)
#define DEVICE_STATUS         (COMMON + 0x14)
#define GENERATION            (COMMON + 0x15)
#define QUEUE_SELECT          (COMMON + 0x16)
#define QUEUE_SIZE            (COMMON + 0x18)
#define QUEUE_VECTOR          (COMMON + 0x1a)
#define QUEUE_ENABLE          (COMMON + 0x1c)
#define QUEUE_NOTIFY_OFF      (COMMON + 0x1e)
#define QUEUE_DESC            (COMMON + 0x20)
#define QUEUE_DRIVER          (COMMON + 0x28)
#define QUEUE_DEVICE          (COMMON + 0x30)

#define LEGACY_STATUS (LEGACY + 0x12)
#define LEGACY_ISR    (LEGACY + 0x13)

#define ALIVE (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER)

/* --- a device that answers "pong" --- */

#define TYPE_BLOCK 2u  /* legacy drivers know it */
#define TYPE_GPU   16u /* they do not */
#define FEATURE    5u

struct pong {
    struct virtio virtio;
    uint8_t config[8];
};

static inline uint64_t pong_features(struct virtio *v)
{
    (void)v;
    return 1ull << FEATURE;
}

static inline void pong_read_config(struct virtio *v, uint8_t *config)
{
    memcpy(config, ((struct pong *)v)->config, 8);
}

static inline void pong_write_config(struct virtio *v, uint32_t offset, const uint8_t *bytes,
                                     uint32_t n)
{
    memcpy(((struct pong *)v)->config + offset, bytes, n);
}

static inline void pong_notify(struct virtio *v, unsigned queue)
{
    for (struct virtio_chain *c; (c = virtio_take(v, queue));)
        virtio_give(v, c, (uint32_t)virtio_write(v, c, 0, "pong", 4));
    virtio_publish(v, queue);
}

static inline void pong_reset(struct virtio *v)
{
    memcpy(((struct pong *)v)->config, "\1\2\3\4\5\6\7\10", 8);
}

static inline void pong_state(struct virtio *v, struct state *s)
{
    state_bytes(s, ((struct pong *)v)->config, 8);
}

static inline void pong_destroy(struct virtio *v)
{
    virtio_deinit(v);
    free(v);
}

#define PONG_OPS(type, bytes)                                                                      \
    {                                                                                              \
        .name = "pong", .id = (type), .config_bytes = (bytes), .features = pong_features,          \
        .read_config = pong_read_config, .write_config = pong_write_config, .notify = pong_notify, \
        .reset = pong_reset, .state = pong_state, .destroy = pong_destroy                          \
    }

static const struct virtio_device_ops block_ops = PONG_OPS(TYPE_BLOCK, 8);
/* As large as a disk's configuration. */
static const struct virtio_device_ops large_ops = PONG_OPS(TYPE_BLOCK, 60);
static const struct virtio_device_ops gpu_ops = PONG_OPS(TYPE_GPU, 8);

/* --- the rig --- */

struct rig {
    struct pci_bench bus;
    struct virtio *virtio;
    struct pci_function *function;
};

static inline void rig_init(struct rig *r, const struct virtio_device_ops *ops, bool legacy,
                            bool modern, struct log *log)
{
    struct error err;
    pci_bench_init(&r->bus, log);
    ck_assert(memory_add_ram(r->bus.memory, "RAM", RAM_BASE, RAM_SIZE, &err));
    struct pong *pong = calloc(1, sizeof *pong);
    struct virtio_config config = {
        .ops = ops, .queues = 2, .queue_size = 8, .memory = r->bus.memory, .log = log};
    ck_assert(virtio_init(&pong->virtio, &config));
    r->virtio = &pong->virtio;
    struct virtio_pci_config pci = {
        .virtio = r->virtio, .legacy = legacy, .modern = modern, .log = log};
    r->function = virtio_pci_create(&pci);
    ck_assert(pci_host_add(r->bus.host, r->function, (int)DEVFN, &err));
}

/* Puts both BARs where the macros above say, and lets the device work. */
static inline void map_bars(struct rig *r)
{
    config_put(&r->bus, DEVFN, PCI_BAR0, IO_PORT, 4);
    config_put(&r->bus, DEVFN, PCI_BAR0 + 16, MEMORY_64_BASE, 8);
    config_put(&r->bus, DEVFN, PCI_COMMAND,
               PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static inline void rig_init_mapped(struct rig *r, struct log *log)
{
    rig_init(r, &block_ops, true, true, log);
    map_bars(r);
}

static inline void rig_free(struct rig *r)
{
    pci_bench_free(&r->bus);
}

static inline uint64_t get(struct rig *r, uint64_t gpa, unsigned size)
{
    return bus_read(&r->bus, gpa, size);
}

static inline void put(struct rig *r, uint64_t gpa, uint64_t value, unsigned size)
{
    bus_write(&r->bus, gpa, value, size);
}

static inline uint32_t config_word(struct rig *r, unsigned offset)
{
    return (uint32_t)config_get(&r->bus, DEVFN, offset, 4);
}

/* --- a driver --- */

/* Queue of 8 entries in the legacy layout with 4096 alignment, which the modern interface takes
 * too. */
static inline uint64_t ring_at(unsigned queue)
{
    return RAM_BASE + 0x1000 + queue * 0x2000;
}

#define BUFFER (RAM_BASE + 0x8000)

static inline void modern_start(struct rig *r)
{
    put(r, DEVICE_STATUS, 0, 1);
    put(r, DEVICE_STATUS, ALIVE, 1);
    put(r, DRIVER_FEATURE_SELECT, 0, 4);
    put(r, DRIVER_FEATURE, 1u << FEATURE, 4);
    put(r, DRIVER_FEATURE_SELECT, 1, 4);
    put(r, DRIVER_FEATURE, 1, 4); /* VERSION_1 */
    put(r, DEVICE_STATUS, ALIVE | VIRTIO_FEATURES_OK, 1);
    for (unsigned queue = 0; queue < 2; queue++) {
        put(r, QUEUE_SELECT, queue, 2);
        put(r, QUEUE_DESC, ring_at(queue), 8);
        put(r, QUEUE_DRIVER, ring_at(queue) + 128, 4);
        put(r, QUEUE_DRIVER + 4, 0, 4);
        put(r, QUEUE_DEVICE, ring_at(queue) + 0x1000, 8);
        put(r, QUEUE_ENABLE, 1, 2);
    }
    put(r, DEVICE_STATUS, ALIVE | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK, 1);
}

static inline void legacy_start(struct rig *r)
{
    put(r, LEGACY_STATUS, 0, 1);
    put(r, LEGACY_STATUS, ALIVE, 1);
    put(r, LEGACY + 4, 1u << FEATURE, 4);
    for (unsigned queue = 0; queue < 2; queue++) {
        put(r, LEGACY + 0xe, queue, 2);
        put(r, LEGACY + 8, ring_at(queue) / 4096, 4);
    }
    put(r, LEGACY_STATUS, ALIVE | VIRTIO_DRIVER_OK, 1);
}

/* Makes one request of 4 writable bytes available. */
static inline void offer_request(struct rig *r, unsigned queue)
{
    struct {
        uint64_t gpa;
        uint32_t bytes;
        uint16_t flags, next;
    } descriptor = {BUFFER, 4, 2, 0};
    uint16_t index;
    const uint16_t head = 0;
    uint64_t avail = ring_at(queue) + 128;
    ck_assert(dma_write(r->bus.memory, ring_at(queue), &descriptor, sizeof descriptor));
    ck_assert(dma_read(r->bus.memory, avail + 2, &index, sizeof index));
    ck_assert(dma_write(r->bus.memory, avail + 4 + 2 * (index % 8), &head, sizeof head));
    index++;
    ck_assert(dma_write(r->bus.memory, avail + 2, &index, sizeof index));
}

static inline unsigned used_count(struct rig *r, unsigned queue)
{
    uint16_t index;
    ck_assert(dma_read(r->bus.memory, ring_at(queue) + 0x1002, &index, sizeof index));
    return index;
}

static inline void expect_pong(struct rig *r)
{
    char answer[5] = "";
    ck_assert(dma_read(r->bus.memory, BUFFER, answer, 4));
    ck_assert_str_eq(answer, "pong");
}

#endif
