/* A fuzzer of semihosting: random calls with blocks of arguments that point into RAM, over its end
 * and nowhere. There is a file system of its own that answers at random; nothing of the host is
 * reached.
 *
 * Input: calls of 14 bytes: operation, how the block lies, four arguments of three bytes. */
#include "firmware/semihosting.h"
#include "cpu/code.h"
#include "tests/fuzz/fuzz.h"

#define RAM_BYTES 0x10000u
#define BLOCK     (FUZZ_RAM + 0x1000)
#define A0        10
#define A1        11

struct host {
    struct cursor *c;
    bool ended;
};

static void console_write(void *owner, bool is_error, const uint8_t *bytes, size_t n)
{
    (void)owner, (void)is_error;
    for (size_t i = 0; i < n; i++) /* all of it can be read */
        __asm__ volatile("" : : "r"(bytes[i]));
}

static long console_read(void *owner, uint8_t *bytes, size_t n)
{
    struct host *host = owner;
    long there = (long)take(host->c, 1) - 1;
    if (there > (long)n)
        there = (long)n;
    for (long i = 0; i < there; i++)
        bytes[i] = (uint8_t)i;
    return there;
}

static int64_t on_file(void *owner, const struct semihosting_file_request *r)
{
    struct host *host = owner;
    if (r->kind == SEMIHOSTING_FORGET || r->kind == SEMIHOSTING_CLOSE)
        return 0;
    if (strlen(r->name) >= SEMIHOSTING_NAME_BYTES || r->slot >= SEMIHOSTING_FILES)
        abort();
    int64_t result = (int64_t)take(host->c, 1) - 8;
    if (r->kind != SEMIHOSTING_READ && r->kind != SEMIHOSTING_WRITE)
        return result;
    if (result > 64)
        result = (int64_t)r->n;
    if (result > (int64_t)r->n)
        result = (int64_t)r->n;
    if (result > 0 && r->kind == SEMIHOSTING_READ)
        memset(r->to, 'f', (size_t)result);
    return result;
}

static void on_end(void *owner, int status)
{
    struct host *host = owner;
    host->ended = true;
    if (status < 0 || status > 255)
        abort();
}

static uint64_t argument(struct cursor *c)
{
    uint64_t kind = take(c, 1), value = take(c, 2);
    switch (kind % 8) {
    case 0:
    case 1:
        return FUZZ_RAM + value;
    case 2:
        return FUZZ_RAM + RAM_BYTES - value % 64;
    case 3:
        return value << 48;
    case 4:
        return ~value;
    default:
        return value % 300;
    }
}

static void check_state(struct semihosting *s)
{
    size_t n;
    struct state *save = state_new_save();
    semihosting_state(s, save);
    const void *bytes = state_data(save, &n);
    struct state *load = state_new_load(bytes, n);
    semihosting_state(s, load);
    if (!state_ok(load))
        abort();
    state_free(load);
    state_free(save);
}

static void call(struct semihosting *s, struct hart *h, struct memory_map *memory, struct cursor *c)
{
    static const char names[] = ":tt\0:semihosting-features\0a\0b";
    uint64_t operation = take(c, 1), lies = take(c, 1), block[4];
    for (unsigned i = 0; i < 4; i++)
        block[i] = argument(c);
    if (lies % 4 == 0) { /* an open that may succeed */
        block[0] = FUZZ_RAM;
        block[1] %= 13;
        block[2] = lies / 4 % 2 ? 3 : 21;
    }
    if (!memory_load(memory, FUZZ_RAM, names + (lies / 4 % 2 ? 0 : 4), 24) ||
        !memory_load(memory, BLOCK, block, sizeof block))
        abort();
    h->waiting = false;
    h->x[A0] = operation % 0x34;
    h->x[A1] = lies % 8 == 7 ? block[0] : BLOCK;
    semihosting_call(s, h);
    if (h->waiting)
        semihosting_wakes(s, h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct cursor c = {data, data + size};
    struct host host = {.c = &c};
    struct clock clock = {0};
    struct hart_isa isa = isa_of_everything();
    struct memory_map *memory = memory_create(NULL);
    if (!memory_add_ram(memory, "RAM", FUZZ_RAM, RAM_BYTES, &err))
        abort();
    struct code_cache *code = code_create(memory, NULL, NULL);
    struct hart_ports ports = {.memory = memory, .clock = &clock, .code = code};
    struct hart *h = hart_create(0, &isa, &ports, 0);
    struct semihosting_config config = {.command_line = "fuzz",
                                        .console_write = console_write,
                                        .console_read = console_read,
                                        .file = on_file,
                                        .exit = on_end,
                                        .owner = &host};
    struct semihosting *s = semihosting_create(&config);
    hart_reset(h, FUZZ_RAM);
    while (c.at < c.end && !host.ended)
        call(s, h, memory, &c);
    check_state(s);
    semihosting_destroy(s);
    hart_destroy(h);
    code_destroy(code);
    memory_destroy(memory);
    return 0;
}
