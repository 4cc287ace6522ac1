/* A real hart with memory, a ROM and a test device, for tests of what runs code: RAM at BENCH_RAM,
 * ROM at BENCH_ROM, the device at BENCH_DEVICE. A step is 1 ns unless the test says otherwise. */
#ifndef RIVULET_TESTS_UNIT_HART_BENCH_H
#define RIVULET_TESTS_UNIT_HART_BENCH_H

#include "cpu/code.h"
#include "cpu/hart.h"
#include "tests/unit/asm.h"

#include <stdlib.h>

#define BENCH_RAM           0x80000000ull
#define BENCH_RAM_BYTES     (1ull << 20)
#define BENCH_PROGRAM_BYTES (1ull << 17) /* where the assembler may write */
#define BENCH_ROM           0x1000ull
#define BENCH_ROM_BYTES     0x2000ull
#define BENCH_DEVICE        0x10000000ull

/* Registers of the test device, all of 1 to 8 bytes: */
#define DEVICE_VALUE 0x00 /* remembers what was written */
#define DEVICE_TIME  0x08 /* reads as the clock */
#define DEVICE_DMA   0x10 /* a write copies the 4 bytes of dma_word to dma_gpa */
#define DEVICE_IRQ   0x18 /* drives MEIP of the hart */

struct bench {
    struct memory_map *memory;
    struct clock clock;
    struct code_cache *code;
    struct hart *h;
    struct assembler a; /* writes into RAM */
    uint64_t device_value;
    unsigned device_reads, device_writes;
    uint64_t dma_gpa;
    uint32_t dma_word;
};

static inline uint64_t bench_device_read(void *device, uint64_t offset, unsigned size)
{
    struct bench *b = (struct bench *)device;
    (void)size;
    b->device_reads++;
    return offset == DEVICE_TIME ? b->clock.now_ns : b->device_value;
}

static inline void bench_device_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct bench *b = (struct bench *)device;
    (void)size;
    b->device_writes++;
    b->device_value = value;
    if (offset == DEVICE_DMA)
        ck_assert(dma_write(b->memory, b->dma_gpa, &b->dma_word, sizeof b->dma_word));
    if (offset == DEVICE_IRQ)
        hart_set_irq(b->h, IRQ_MEIP, value);
}

static const struct mmio_ops bench_device_ops = {
    .name = "test device",
    .read = bench_device_read,
    .write = bench_device_write,
    .sizes = 1 | 2 | 4 | 8,
};

static inline void bench_init_shift(struct bench *b, unsigned icount_shift)
{
    struct error err;
    *b = (struct bench){.memory = memory_create(NULL)};
    ck_assert(memory_add_ram(b->memory, "RAM", BENCH_RAM, BENCH_RAM_BYTES, &err));
    ck_assert(memory_add_rom(b->memory, "ROM", BENCH_ROM, BENCH_ROM_BYTES, &err));
    ck_assert(memory_add_device(b->memory, BENCH_DEVICE, 0x100, &bench_device_ops, b, &err));
    b->code = code_create(b->memory, NULL, NULL);
    const struct hart_isa isa = isa_of_everything();
    struct hart_ports ports = {.memory = b->memory, .clock = &b->clock, .code = b->code};
    b->h = hart_create(0, &isa, &ports, icount_shift);
    hart_reset(b->h, BENCH_RAM);
    struct region *ram = memory_find(b->memory, BENCH_RAM);
    memset(ram->marks, PAGE_TOUCHED, BENCH_PROGRAM_BYTES / PAGE_BYTES);
    b->a = (struct assembler){.decoder = b->code->decoder,
                              .bytes = ram->hva,
                              .base = BENCH_RAM,
                              .size = BENCH_PROGRAM_BYTES,
                              .pc = BENCH_RAM};
}

static inline void bench_init(struct bench *b)
{
    bench_init_shift(b, 0);
}

static inline void bench_free(struct bench *b)
{
    hart_destroy(b->h);
    code_destroy(b->code);
    memory_destroy(b->memory);
}

static inline void *bench_at(struct bench *b, uint64_t gpa)
{
    struct region *region = memory_find(b->memory, gpa);
    return region->hva + (gpa - region->base);
}

static inline uint64_t bench_peek(struct bench *b, uint64_t gpa)
{
    uint64_t value;
    memcpy(&value, bench_at(b, gpa), sizeof value);
    return value;
}

/* As a loader: behind the back of TLB and code cache, before the hart runs there; marked. */
static inline void bench_poke(struct bench *b, uint64_t gpa, uint64_t value)
{
    ck_assert(memory_load(b->memory, gpa, &value, sizeof value));
}

static inline enum hart_stop bench_run(struct bench *b, uint64_t steps)
{
    return hart_run(b->h, b->h->steps + steps);
}

static inline uint64_t bench_hash(struct bench *b)
{
    struct state *s = state_new_hash();
    memory_state(b->memory, s);
    hart_state(b->h, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

#endif
