/* A fuzzer of the built-in SBI: random calls of all extensions on random harts.
 *
 * Input: calls of 16 bytes: hart, extension, function, five arguments of which each is small, an
 * address near RAM or its end, or all ones. */
#include "machine/internal.h"
#include "tests/fuzz/fuzz.h"

#define HARTS 3u
#define A0    10

static const uint64_t extensions[] = {
    0,          1,        2,          3,          4,          5,          6,
    7,          8,        0x10,       0x54494d45, 0x735049,   0x52464e43, 0x48534d,
    0x53525354, 0x504d55, 0x4442434e, 0x53555350, 0x46574654, 0x09000000,
};

static uint64_t argument(struct cursor *c, uint64_t ram_bytes)
{
    uint64_t value = take(c, 2);
    switch (value >> 13) {
    case 0:
        return FUZZ_RAM + (value & 0x1fff);
    case 1:
        return FUZZ_RAM + ram_bytes - 0x1000 + (value & 0x1fff);
    case 2:
        return (value & 0x1fff) << 51;
    case 3:
        return ~0ull - (value & 0xf);
    case 4:
        return 1ull << (value & 63);
    default:
        return value & 0xff;
    }
}

static void call(struct machine *m, struct cursor *c)
{
    struct hart *h = machine_hart(m, (unsigned)take(c, 1) % HARTS);
    uint64_t extension = take(c, 1), function = take(c, 1), time = take(c, 1);
    for (int i = 0; i < 5; i++)
        h->x[A0 + i] = argument(c, m->config.ram_bytes);
    h->x[A0 + 6] = function % 24;
    h->x[A0 + 7] = extensions[extension % ARRAY_LEN(extensions)];
    sbi_ecall(m->sbi, h);
    if (time & 1)
        machine_run(m, machine_now_ns(m) + 10 * time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_file kernel;
    static const uint32_t loop = 0x0000006f;
    if (!kernel.path[0])
        kernel = fuzz_file_create(&loop, sizeof loop);
    struct machine_config config = fuzz_config(kernel.path);
    struct cursor c = {data, data + size};
    config.bios = BIOS_BUILT_IN;
    config.harts = HARTS;
    struct machine *m = fuzz_machine(&config);
    while (c.at < c.end)
        call(m, &c);
    machine_run(m, machine_now_ns(m) + 1000);
    machine_destroy(m);
    return 0;
}
