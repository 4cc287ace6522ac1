/* What the tests of PCI share: a host bridge with its windows in a memory map of its own, wires
 * that remember, and accesses as a CPU makes them. */
#ifndef RIVULET_TESTS_UNIT_PCI_BENCH_H
#define RIVULET_TESTS_UNIT_PCI_BENCH_H

#include "devices/pci/host.h"
#include "tests/unit/device_bench.h"

#define ECAM_BASE      0x30000000ull
#define IO_BASE        0x03000000ull
#define IO_BYTES       0x10000ull
#define MEMORY_32_BASE 0x40000000ull
#define MEMORY_64_BASE 0x400000000ull

struct pci_bench {
    struct memory_map *memory;
    struct device *host;
    struct wire wires[PCI_WIRES];
};

static inline void pci_bench_init(struct pci_bench *b, struct log *log)
{
    *b = (struct pci_bench){.memory = memory_create(log)};
    struct pci_host_config config = {.io = {IO_BASE, IO_BYTES},
                                     .memory_32 = {MEMORY_32_BASE, 0x40000000},
                                     .memory_64 = {MEMORY_64_BASE, 16ull << 30},
                                     .log = log};
    for (unsigned i = 0; i < PCI_WIRES; i++)
        config.wires[i] = wire_to(b->wires, i);
    b->host = pci_host_create(&config);
    struct error err;
    ck_assert(memory_add_device(b->memory, ECAM_BASE, PCI_ECAM_BYTES, &b->host->ops->mmio, b->host,
                                &err));
    ck_assert(pci_host_add_windows(b->host, b->memory, &err));
}

static inline void pci_bench_free(struct pci_bench *b)
{
    b->host->ops->destroy(b->host);
    memory_destroy(b->memory);
}

static inline uint64_t bus_read(struct pci_bench *b, uint64_t gpa, unsigned size)
{
    uint64_t value;
    ck_assert_msg(memory_mmio_read(b->memory, gpa, size, &value), "no device at 0x%llx",
                  (unsigned long long)gpa);
    return value;
}

static inline void bus_write(struct pci_bench *b, uint64_t gpa, uint64_t value, unsigned size)
{
    ck_assert_msg(memory_mmio_write(b->memory, gpa, size, value), "no device at 0x%llx",
                  (unsigned long long)gpa);
}

static inline uint64_t config_address(unsigned devfn, unsigned offset)
{
    return ECAM_BASE + devfn * 4096ull + offset;
}

static inline uint64_t config_get(struct pci_bench *b, unsigned devfn, unsigned offset,
                                  unsigned size)
{
    return bus_read(b, config_address(devfn, offset), size);
}

static inline void config_put(struct pci_bench *b, unsigned devfn, unsigned offset, uint64_t value,
                              unsigned size)
{
    bus_write(b, config_address(devfn, offset), value, size);
}

/* Any access that a CPU can make to ECAM or windows: most at registers that mean something. */
static inline void pci_fuzz_once(struct pci_bench *b, uint64_t *seed)
{
    static const uint64_t bases[] = {ECAM_BASE, ECAM_BASE, IO_BASE, MEMORY_32_BASE, MEMORY_64_BASE};
    uint64_t r = bench_random(seed), base = bases[r % ARRAY_LEN(bases)];
    unsigned size = 1u << (r >> 8 & 3);
    uint64_t offset = bench_random(seed) % (r >> 10 & 7 ? 0x10000 : IO_BYTES);
    if (base == ECAM_BASE && (r >> 13 & 3))
        offset &= ~0xf00ull;
    uint64_t value = bench_random(seed) >> (r >> 16 & 63);
    if (r >> 22 & 1)
        value = bench_random(seed) % 5 ? base + (value & 0xffff) : ~0ull;
    uint64_t gpa = (base + offset) & ~(uint64_t)(size - 1);
    if (r >> 23 & 1)
        (void)memory_mmio_write(b->memory, gpa, size, value);
    else
        (void)memory_mmio_read(b->memory, gpa, size, &value);
}

/* A hostile state, byte by byte: refused, or harmless. */
static inline void pci_check_damaged_states(struct pci_bench *from, struct pci_bench *to)
{
    size_t size;
    uint8_t *saved = device_save(from->host, &size);
    uint64_t seed = 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < size; i++) {
        ck_assert(!device_load(to->host, saved, i));
        uint8_t whole = saved[i];
        saved[i] ^= 1 + bench_random(&seed) % 255;
        to->host->ops->reset(to->host);
        device_load(to->host, saved, size);
        for (unsigned n = 0; n < 100; n++)
            pci_fuzz_once(to, &seed);
        saved[i] = whole;
    }
    free(saved);
}

#endif
