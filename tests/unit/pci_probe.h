/* A PCI function that remembers its last access, with a BAR of each kind and three capabilities. */
#ifndef RIVULET_TESTS_UNIT_PCI_PROBE_H
#define RIVULET_TESTS_UNIT_PCI_PROBE_H

#include "tests/unit/pci_bench.h"

#define SLOT(n)         ((n) << 3)
#define IO_BAR          0u
#define MEMORY_BAR      1u
#define MEMORY_64_BAR   2u
#define IO_BAR_BYTES    0x20u
#define MEMORY_BYTES    0x1000u
#define MEMORY_64_BYTES 0x4000u
#define ALL_COMMANDS    0x0507u

/* A function that remembers its last access. */
struct probe {
    struct pci_function function;
    uint8_t latch; /* guest state of its own */
    unsigned bar, size, writes;
    uint64_t offset, value;
    unsigned config_reads, config_writes;
};

static inline uint64_t probe_read(struct probe *p, unsigned bar, uint64_t offset, unsigned size)
{
    p->bar = bar;
    p->offset = offset;
    p->size = size;
    return 0x1122334455667788ull + offset;
}

static inline void probe_write(struct probe *p, unsigned bar, uint64_t offset, uint64_t value,
                               unsigned size)
{
    p->bar = bar;
    p->offset = offset;
    p->size = size;
    p->value = value;
    p->writes++;
    p->latch = (uint8_t)value;
}

#define PROBE_BAR(id, number, widths)                                                              \
    static inline uint64_t id##_read(void *p, uint64_t offset, unsigned size)                      \
    {                                                                                              \
        return probe_read(p, number, offset, size);                                                \
    }                                                                                              \
    static inline void id##_write(void *p, uint64_t offset, uint64_t value, unsigned size)         \
    {                                                                                              \
        probe_write(p, number, offset, value, size);                                               \
    }                                                                                              \
    static const struct mmio_ops id##_ops = {                                                      \
        .name = #id, .read = id##_read, .write = id##_write, .sizes = widths}

PROBE_BAR(io, IO_BAR, 1 | 2 | 4);
PROBE_BAR(memory, MEMORY_BAR, 4);
PROBE_BAR(memory_64, MEMORY_64_BAR, 1 | 2 | 4 | 8);

static inline void probe_reset(struct pci_function *f)
{
    ((struct probe *)f)->latch = 0;
}

static inline void probe_state(struct pci_function *f, struct state *s)
{
    state_u8(s, &((struct probe *)f)->latch);
}

static inline void probe_destroy(struct pci_function *f)
{
    free(f);
}

/* Byte 0x60 counts reads; a write to it is copied to byte 0x61. */
static inline void probe_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    (void)size;
    if (offset == 0x60)
        f->config[0x60] = (uint8_t)++((struct probe *)f)->config_reads;
}

static inline void probe_config_written(struct pci_function *f, unsigned offset, unsigned size)
{
    (void)size;
    ((struct probe *)f)->config_writes++;
    if (offset == 0x60)
        f->config[0x61] = f->config[0x60];
}

static const struct pci_function_ops probe_ops = {
    .reset = probe_reset,
    .state = probe_state,
    .destroy = probe_destroy,
    .config_read = probe_config_read,
    .config_written = probe_config_written,
};

static inline struct probe *probe_new(uint8_t pin)
{
    struct probe *p = calloc(1, sizeof *p);
    struct pci_identity id = {.name = "probe",
                              .vendor = 0x1234,
                              .device = 0x5678,
                              .subsystem_vendor = 0x9abc,
                              .subsystem = 0xdef0,
                              .class_code = 0x020304,
                              .revision = 7,
                              .irq_pin = pin};
    pci_function_init(&p->function, &probe_ops, &id);
    pci_add_bar(&p->function, IO_BAR,
                &(struct pci_bar){.type = PCI_BAR_IO, .bytes = IO_BAR_BYTES, .ops = &io_ops});
    pci_add_bar(
        &p->function, MEMORY_BAR,
        &(struct pci_bar){.type = PCI_BAR_MEMORY_32, .bytes = MEMORY_BYTES, .ops = &memory_ops});
    pci_add_bar(&p->function, MEMORY_64_BAR,
                &(struct pci_bar){.type = PCI_BAR_MEMORY_64_PREFETCH,
                                  .bytes = MEMORY_64_BYTES,
                                  .ops = &memory_64_ops});
    const uint8_t first[16] = {[2] = 16, [3] = 0xaa}, second[7] = {[2] = 7}, third[36] = {[2] = 36};
    uint8_t writable[36];
    memset(writable, 0xff, sizeof writable);
    writable[0] = writable[1] = 0;
    ck_assert_uint_eq(pci_add_capability(&p->function, 0x09, first, NULL, sizeof first), 0x40);
    ck_assert_uint_eq(pci_add_capability(&p->function, 0x01, second, NULL, sizeof second), 0x50);
    ck_assert_uint_eq(pci_add_capability(&p->function, 0x05, third, writable, sizeof third), 0x58);
    return p;
}

static inline struct probe *add_probe(struct pci_bench *b, unsigned devfn, uint8_t pin)
{
    struct probe *p = probe_new(pin);
    struct error err;
    ck_assert_msg(pci_host_add(b->host, &p->function, (int)devfn, &err), "%s", err.text);
    return p;
}

static inline void place_bar(struct pci_bench *b, unsigned devfn, unsigned bar, uint64_t address)
{
    unsigned size = bar == MEMORY_64_BAR ? 8 : 4;
    config_put(b, devfn, PCI_BAR0 + 4 * bar, address, size);
}

/* A probe in slot 1 with its three BARs placed and decoded. */
static inline struct probe *placed_probe(struct pci_bench *b)
{
    struct probe *p = add_probe(b, SLOT(1), 1);
    place_bar(b, SLOT(1), IO_BAR, 0x1000);
    place_bar(b, SLOT(1), MEMORY_BAR, MEMORY_32_BASE);
    place_bar(b, SLOT(1), MEMORY_64_BAR, MEMORY_64_BASE);
    config_put(b, SLOT(1), PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    return p;
}

static inline void expect_hit(struct pci_bench *b, struct probe *p, uint64_t gpa, unsigned bar,
                              uint64_t offset)
{
    p->bar = 99;
    ck_assert_uint_eq(bus_read(b, gpa, 4), (uint32_t)(0x55667788 + offset));
    ck_assert_uint_eq(p->bar, bar);
    ck_assert_uint_eq(p->offset, offset);
    bus_write(b, gpa, 0xdeadbeef, 4);
    ck_assert_uint_eq(p->value, 0xdeadbeef);
    ck_assert_uint_eq(p->offset, offset);
}

static inline void expect_nobody(struct pci_bench *b, struct probe *p, uint64_t gpa)
{
    unsigned writes = p->writes;
    p->bar = 99;
    ck_assert_uint_eq(bus_read(b, gpa, 4), 0xffffffff);
    bus_write(b, gpa, 1, 4);
    ck_assert_uint_eq(p->bar, 99);
    ck_assert_uint_eq(p->writes, writes);
}

#endif
