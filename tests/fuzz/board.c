/* A fuzzer of the board: random accesses of every width to every device, PCI configuration space
 * and BARs among them, with typed input, time, resets and saved states in between. Whatever a guest
 * does, nothing of the host is touched (sanitizers watch), and a state that was saved can be
 * loaded.
 *
 * Input: actions of 8 bytes: a kind, a place of the table, an offset, a value. */
#include "machine/internal.h"
#include "tests/fuzz/fuzz.h"

#define DISK_BYTES 0x10000u
#define LOOP       0x0000006fu /* j . */
#define STEP_NS    20000u

/* With offsets below the size. The small ones are repeated in `places`, being the interesting. */
static const struct place {
    uint64_t base, size;
} places[] = {
    {0x100000, 0x1000},       /* test */
    {0x101000, 0x40},         /* RTC */
    {0x2000000, 0x10000},     /* CLINT */
    {0x2f00000, 0x4000},      /* SSWI */
    {0xc000000, 0x600000},    /* PLIC */
    {0xc000000, 0x200},       /* its priorities */
    {0x10000000, 0x100},      /* UART */
    {0x10100000, 0x18},       /* fw_cfg */
    {0x20000000, 0x4000000},  /* flash */
    {0x10001000, 0x8000},     /* virtio-mmio */
    {0x10005000, 0x140},      /* the tablet */
    {0x10006000, 0x140},      /* the display */
    {0x10007000, 0x140},      /* the entropy source */
    {0x10008000, 0x140},      /* the disk */
    {0x30000000, 0x8000 * 5}, /* configuration space of the first PCI devices */
    {0x3000000, 0x10000},     /* PCI I/O */
    {0x40000000, 0x10000},    /* PCI memory */
    {0x400000000, 0x10000},   /* above 4 GiB */
    {FUZZ_RAM, 0x1000},       /* rings */
    {0x1000, 0x1000},         /* ROM */
};

static const char *const devices[][3] = {
    {"virtio-blk-device", "drive", "d"}, {"virtio-rng-device", NULL, NULL},
    {"virtio-gpu-device", NULL, NULL},   {"virtio-tablet-device", NULL, NULL},
    {"virtio-blk-pci", "drive", "e"},    {"virtio-rng-pci", NULL, NULL},
    {"virtio-serial-pci", NULL, NULL},   {"virtio-keyboard-pci", NULL, NULL},
};

struct board {
    struct fuzz_file kernel, disk;
    struct machine_option devices[ARRAY_LEN(devices)], drives[2];
    struct machine_config config;
};

static void option_add(struct machine_option *o, const char *name, const char *value)
{
    o->items[o->count++] = (struct machine_property){name, value};
}

static void board_init(struct board *b)
{
    static const uint8_t zeroes[DISK_BYTES];
    const uint32_t loop = LOOP;
    b->kernel = fuzz_file_create(&loop, sizeof loop);
    b->disk = fuzz_file_create(zeroes, sizeof zeroes);
    b->config = fuzz_config(b->kernel.path);
    b->config.harts = 2;
    b->config.aclint = true;
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        option_add(&b->devices[i], "driver", devices[i][0]);
        if (devices[i][1])
            option_add(&b->devices[i], devices[i][1], devices[i][2]);
    }
    for (unsigned i = 0; i < 2; i++) {
        option_add(&b->drives[i], "file", b->disk.path);
        option_add(&b->drives[i], "format", "raw");
        option_add(&b->drives[i], "if", "none");
        option_add(&b->drives[i], "id", i ? "e" : "d");
        option_add(&b->drives[i], "snapshot", "on");
    }
    b->config.devices = (struct machine_options){b->devices, ARRAY_LEN(devices)};
    b->config.drives = (struct machine_options){b->drives, 2};
}

static void load_what_was_saved(struct machine *m)
{
    size_t size;
    struct state *save = state_new_save();
    machine_state(m, save);
    const void *bytes = state_data(save, &size);
    struct state *load = state_new_load(bytes, size);
    machine_state(m, load);
    if (!state_ok(load)) {
        fprintf(stderr, "%s\n", state_error(load));
        abort();
    }
    state_free(load);
    state_free(save);
}

static void act(struct machine *m, struct cursor *c)
{
    struct error err;
    unsigned kind = (unsigned)take(c, 1), size = 1u << (kind >> 4 & 3);
    const struct place *p = &places[take(c, 1) % ARRAY_LEN(places)];
    uint64_t gpa = p->base + (take(c, 3) % p->size & (kind >> 6 ? ~(uint64_t)(size - 1) : ~0ull));
    uint64_t value = take(c, 3);
    switch (kind % 8) {
    case 0:
    case 1:
        memory_mmio_read(m->memory, gpa, size, &value);
        return;
    case 2:
        input_push(machine_door(m), machine_console_entry(m), &value, 3);
        return;
    case 3:
        machine_run(m, machine_now_ns(m) + STEP_NS);
        return;
    case 4:
        if (p->base == FUZZ_RAM)
            (void)dma_write(m->memory, gpa, &value, 3);
        else if (value & 1)
            load_what_was_saved(m);
        else if (!machine_reset(m, &err))
            abort();
        return;
    default: /* seldom an address above RAM's first pages: a queue there is worth more */
        if (kind >> 7)
            value = FUZZ_RAM | (value & 0x3f) << (value & 0x40 ? 6 : 0);
        memory_mmio_write(m->memory, gpa, size, value);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct board board;
    if (!board.kernel.path[0])
        board_init(&board);
    struct machine *m = fuzz_machine(&board.config);
    struct cursor c = {data, data + size};
    while (c.at < c.end)
        act(m, &c);
    machine_run(m, machine_now_ns(m) + STEP_NS);
    machine_destroy(m);
    return 0;
}
