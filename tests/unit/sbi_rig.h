/* What the tests of the built-in SBI share: a machine of three harts, and calls made as the trap
 * code makes them: registers in, registers out. */
#ifndef RIVULET_TESTS_UNIT_SBI_RIG_H
#define RIVULET_TESTS_UNIT_SBI_RIG_H

#include "firmware/sbi.h"

#include "cpu/code.h"
#include "memory/tlb.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

#define RAM_BASE  0x80000000ull
#define RAM_BYTES (4ull << 20)
#define HARTS     3u
#define ARGS      5
#define CODE      (RAM_BASE + 0x1000)
#define BUFFER    (RAM_BASE + 0x2000)

enum { A0 = 10, A1, A2, A3, A4, A5, A6, A7 };
enum {
    BASE = 0x10,
    TIME = 0x54494d45,
    IPI = 0x735049,
    RFENCE = 0x52464e43,
    HSM = 0x48534d,
    SRST = 0x53525354,
    DBCN = 0x4442434e,
    PMU = 0x504d55,
    SUSP = 0x53555350,
    FWFT = 0x46574654,
};
enum {
    SUCCESS = 0,
    FAILED = -1,
    NOT_SUPPORTED = -2,
    INVALID_PARAM = -3,
    DENIED = -4,
    INVALID_ADDRESS = -5,
    ALREADY_AVAILABLE = -6,
    ALREADY_STARTED = -7,
    ALREADY_STOPPED = -8,
    NO_SHMEM = -9,
    DENIED_LOCKED = -14,
};

struct fixture {
    struct memory_map *memory;
    struct clock clock;
    struct code_cache *code;
    struct hart *harts[HARTS];
    struct sbi *sbi;
    uint8_t out[200000];
    size_t out_bytes;
    const char *in;
    int resets;
    enum sbi_reset_type type;
    enum sbi_reset_reason reason;
};

static inline void take_output(void *owner, const uint8_t *bytes, size_t n)
{
    struct fixture *f = owner;
    ck_assert(f->out_bytes + n <= sizeof f->out);
    memcpy(f->out + f->out_bytes, bytes, n);
    f->out_bytes += n;
}

static inline size_t give_input(void *owner, uint8_t *bytes, size_t n)
{
    struct fixture *f = owner;
    size_t have = strlen(f->in);
    n = n < have ? n : have;
    memcpy(bytes, f->in, n);
    f->in += n;
    return n;
}

static inline void take_reset(void *owner, enum sbi_reset_type type, enum sbi_reset_reason reason)
{
    struct fixture *f = owner;
    f->resets++;
    f->type = type;
    f->reason = reason;
}

static inline struct fixture *fixture_create(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err;
    struct hart_isa isa = isa_of_everything();
    isa.svade = false; /* so hardware updates A and D */
    f->in = "";
    f->memory = memory_create(NULL);
    ck_assert_msg(memory_add_ram(f->memory, "ram", RAM_BASE, RAM_BYTES, &err), "%s", err.text);
    f->code = code_create(f->memory, NULL, NULL);
    const struct hart_ports ports = {.memory = f->memory, .clock = &f->clock, .code = f->code};
    for (unsigned i = 0; i < HARTS; i++) {
        f->harts[i] = hart_create(i, &isa, &ports, 0);
        hart_reset(f->harts[i], 0x1000);
    }
    const struct sbi_config config = {
        .harts = f->harts,
        .count = HARTS,
        .memory = f->memory,
        .console_write = take_output,
        .console_read = give_input,
        .console_owner = f,
        .system_reset = take_reset,
        .reset_owner = f,
    };
    f->sbi = sbi_create(&config);
    sbi_boot(f->sbi, CODE, BUFFER);
    return f;
}

static inline void fixture_destroy(struct fixture *f)
{
    sbi_destroy(f->sbi);
    for (unsigned i = 0; i < HARTS; i++)
        hart_destroy(f->harts[i]);
    code_destroy(f->code);
    memory_destroy(f->memory);
    free(f);
}

struct result {
    int64_t error;
    uint64_t value;
};

static inline struct result call_on(struct fixture *f, unsigned hart, uint64_t extension,
                                    uint64_t function, const uint64_t *args)
{
    struct hart *h = f->harts[hart];
    memcpy(&h->x[A0], args, ARGS * sizeof *args);
    h->x[A6] = function;
    h->x[A7] = extension;
    sbi_ecall(f->sbi, h);
    return (struct result){(int64_t)h->x[A0], h->x[A1]};
}

static inline struct result call(struct fixture *f, uint64_t extension, uint64_t function,
                                 const uint64_t *args)
{
    return call_on(f, 0, extension, function, args);
}

static inline void start_all(struct fixture *f)
{
    for (unsigned i = 1; i < HARTS; i++)
        ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){i, CODE}).error, SUCCESS);
}

static inline bool ssip(const struct fixture *f, unsigned hart)
{
    return hart_mip(f->harts[hart]) >> IRQ_SSIP & 1;
}

/* Puts a translation of va's page into the second level of the TLB. */
static inline void remember(struct hart *h, uint64_t va, uint16_t asid)
{
    const struct translation t = {
        .va = va, .pa = RAM_BASE, .pte = PTE_V | PTE_R | PTE_A, .page_shift = 12};
    tlb_insert(h->tlb, &t, asid);
}

static inline int sbi_suite(const char *name, void (*add_tests)(TCase *c))
{
    Suite *suite = suite_create(name);
    TCase *c = tcase_create(name);
    add_tests(c);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}

#endif
