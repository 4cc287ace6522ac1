/* CFI flash (JEDEC JESD68.01 "Common Flash Interface", JEP137 command set 0001; Intel StrataFlash
 * P30 datasheet, chapters "Read", "Program" and "Erase Operation"). Both chips are written and read
 * together: each command is the low byte of both halves of the bus, and what the chips answer is in
 * both halves.
 *
 * Operations are done when their last command arrives: the status is always ready. Programming
 * clears bits only; erasing a block sets all of them. What changed goes to the image before the
 * next instruction.
 *
 * Invariants: loads go to the device unless mode is READ_ARRAY (the memory map is told at each
 * change); program_left is the number of bus words that a buffered program still takes, and the
 * buffer is all ones where nothing was written; sectors without `touched` are all zero. */
#include "devices/pflash.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdlib.h>

#define BUS_BYTES    4u
#define SECTOR_BYTES 0x40000u
#define SECTORS      (PFLASH_BYTES / SECTOR_BYTES)
#define BUFFER_BYTES 4096u /* CFI says 2^11 a chip */
#define DISK_BYTES   512u  /* what the image is written in multiples of */

#define STATUS_READY         0x80u
#define STATUS_ERASE_ERROR   0x20u
#define STATUS_PROGRAM_ERROR 0x10u

enum mode { READ_ARRAY, READ_STATUS, READ_ID, READ_CFI };

/* Which write comes next. */
enum step {
    STEP_COMMAND,
    STEP_PROGRAM,        /* one datum */
    STEP_BUFFER_COUNT,   /* words less one */
    STEP_BUFFER_DATA,    /* the words */
    STEP_BUFFER_CONFIRM, /* 0xd0 */
    STEP_ERASE_CONFIRM,  /* 0xd0 */
    STEP_LOCK,           /* which kind of lock: there is none */
    STEPS,
};

struct pflash {
    struct device device;
    /* --- guest state --- */
    uint8_t *bytes;
    bool touched[SECTORS];
    uint8_t mode, step; /* enum mode, enum step */
    uint8_t status;
    uint32_t program_left;
    bool buffer_placed; /* buffer_offset says where it goes */
    bool buffer_failed; /* a word lay elsewhere */
    uint32_t buffer_offset;
    uint8_t buffer[BUFFER_BYTES];
    /* --- host side --- */
    struct pflash_config config;
};

/* What each chip answers to a query, from its word 0x10 on (JESD68.01, section 3). */
static const uint8_t cfi_table[] = {
    'Q',         'R',  'Y',        /* 0x10 */
    0x01,        0x00, 0x31, 0x00, /* 0x13 Intel's command set, with a table of its own at 0x31 */
    0x00,        0x00, 0x00, 0x00, /* 0x17 no other */
    0x45,        0x55, 0x00, 0x00, /* 0x1b 4.5 to 5.5 V, no programming voltage */
    0x07,        0x07, 0x0a, 0x00, /* 0x1f typical times: 2^n us, us, ms; the whole chip: not there
                                    */
    0x04,        0x04, 0x04, 0x00, /* 0x23 the longest: 2^n times those */
    0x18,                          /* 0x27 2^24 bytes */
    0x02,        0x00,             /* 0x28 8 and 16 bits */
    0x0b,        0x00,             /* 0x2a the buffer has 2^11 bytes */
    0x01,                          /* 0x2c one kind of sector: */
    SECTORS - 1, 0,    0x00, 0x02, /* 0x2d their number less one, and the size of each in 256 bytes
                                    */
    'P',         'R',  'I',  '1',  '0', /* 0x31 Intel's table, version 1.0 */
    0x00,        0x00, 0x00, 0x00,      /* 0x36 no optional feature */
    0x00,        0x00, 0x00, 0x00, 0x00, 0x00,
};
#define CFI_FIRST 0x10u

#define MAKER_ID  0x89u /* Intel */
#define DEVICE_ID 0x18u

_Static_assert(SECTORS - 1 < 0x100, "the number of sectors fits its low byte");

/* --- reading ----------------------------------------------------------------------------- */

/* What both chips answer at this word. */
static uint8_t answer(const struct pflash *f, uint64_t word)
{
    switch (f->mode) {
    case READ_ID:
        return word % 0x100 == 0 ? MAKER_ID : word % 0x100 == 1 ? DEVICE_ID : 0;
    case READ_CFI:
        return word >= CFI_FIRST && word - CFI_FIRST < sizeof cfi_table
                   ? cfi_table[word - CFI_FIRST]
                   : 0;
    default:
        return f->status;
    }
}

/* The chips' answer is in the low byte of each 16 bits; an odd byte alone reads as 0. */
static uint64_t pflash_read(void *device, uint64_t offset, unsigned size)
{
    struct pflash *f = device;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        uint64_t at = offset + i;
        if (at % 2 == 0)
            value |= (uint64_t)answer(f, at / BUS_BYTES) << (8 * i);
    }
    return value;
}

/* --- the image --------------------------------------------------------------------------- */

static enum block_status transfer(struct pflash *f, enum block_op op, uint64_t offset,
                                  uint64_t bytes)
{
    struct block_request r = {
        .op = op, .offset = offset, .bytes = bytes, .buffer = f->bytes + offset};
    block_submit(f->config.block, &r);
    block_wait(f->config.block, &r);
    return r.status;
}

static bool read_image(struct pflash *f, struct error *err)
{
    for (unsigned sector = 0; sector < SECTORS; sector++) {
        f->touched[sector] = true;
        if (transfer(f, BLOCK_READ, sector * SECTOR_BYTES, SECTOR_BYTES) != BLOCK_OK)
            return error_set(err, "the image of a flash cannot be read");
    }
    return true;
}

/* n bytes at offset changed. A host that cannot keep them is an error of the operation. */
static void changed(struct pflash *f, uint64_t offset, uint64_t n, uint8_t error)
{
    f->touched[offset / SECTOR_BYTES] = true;
    memory_rom_device_changed(f->config.memory, f->config.base + offset, n);
    if (!f->config.block)
        return;
    uint64_t first = offset & ~(uint64_t)(DISK_BYTES - 1);
    if (transfer(f, BLOCK_WRITE, first, align_up(offset + n, DISK_BYTES) - first) == BLOCK_OK)
        return;
    f->status |= error;
    log_line(f->config.log, LOG_GUEST_ERRORS, "pflash: the image cannot be written");
}

static bool is_read_only(const struct pflash *f)
{
    return f->config.block && block_is_read_only(f->config.block);
}

/* --- program and erase ------------------------------------------------------------------- */

/* All within one sector: the callers' n bytes are aligned to a power of two of at most 4096. */
static void program(struct pflash *f, uint64_t offset, const uint8_t *data, unsigned n)
{
    if (is_read_only(f)) {
        f->status |= STATUS_PROGRAM_ERROR;
        return;
    }
    for (unsigned i = 0; i < n; i++)
        f->bytes[offset + i] &= data[i];
    changed(f, offset, n, STATUS_PROGRAM_ERROR);
}

static void erase(struct pflash *f, uint64_t offset)
{
    uint64_t sector = offset & ~(uint64_t)(SECTOR_BYTES - 1);
    if (is_read_only(f)) {
        f->status |= STATUS_ERASE_ERROR;
        return;
    }
    memset(f->bytes + sector, 0xff, SECTOR_BYTES);
    changed(f, sector, SECTOR_BYTES, STATUS_ERASE_ERROR);
}

/* A bus word, or a part of one, for the buffer. All must lie in one block of its size. */
static void fill_buffer(struct pflash *f, uint64_t offset, uint64_t value, unsigned size)
{
    uint32_t start = (uint32_t)offset & ~(BUFFER_BYTES - 1);
    if (!f->buffer_placed) {
        f->buffer_placed = true;
        f->buffer_offset = start;
    }
    if (start == f->buffer_offset)
        for (unsigned i = 0; i < size; i++)
            f->buffer[offset % BUFFER_BYTES + i] = (uint8_t)(value >> (8 * i));
    else
        f->buffer_failed = true;
    if (--f->program_left == 0)
        f->step = STEP_BUFFER_CONFIRM;
}

static void begin_buffer(struct pflash *f, uint64_t count)
{
    f->program_left = (uint32_t)(count & 0xffff) + 1;
    f->step = STEP_BUFFER_DATA;
    f->buffer_placed = f->buffer_failed = false;
    memset(f->buffer, 0xff, sizeof f->buffer);
    if (f->program_left <= BUFFER_BYTES / BUS_BYTES)
        return;
    f->status |= STATUS_PROGRAM_ERROR;
    f->program_left = 0;
    f->step = STEP_COMMAND;
}

/* --- commands ---------------------------------------------------------------------------- */

static void set_mode(struct pflash *f, enum mode mode)
{
    f->mode = (uint8_t)mode;
    memory_rom_device_reads(f->config.memory, f->config.base, mode != READ_ARRAY);
}

/* The first byte of a command: what reads answer from now on, and which write comes next. */
static void start_command(struct pflash *f, uint8_t command)
{
    enum mode mode = READ_STATUS;
    switch (command) {
    case 0x00: /* none, but QEMU's model takes it, so guests may rely on it */
    case 0xf0: /* the reset of AMD's command set, which probes try */
    case 0xff:
        mode = READ_ARRAY;
        break;
    case 0x10:
    case 0x40:
        f->step = STEP_PROGRAM;
        break;
    case 0x20:
        f->step = STEP_ERASE_CONFIRM;
        break;
    case 0x50:
        f->status = STATUS_READY;
        break;
    case 0x60:
        f->step = STEP_LOCK;
        break;
    case 0x70:
    case 0xb0: /* suspend, resume: nothing is under way */
    case 0xd0:
        break;
    case 0x90:
        mode = READ_ID;
        break;
    case 0x98:
        mode = READ_CFI;
        break;
    case 0xe8:
        f->step = STEP_BUFFER_COUNT;
        break;
    default:
        log_line(f->config.log, LOG_UNIMP, "pflash: no command 0x%02x", command);
        mode = READ_ARRAY;
    }
    set_mode(f, mode);
}

/* What a command in two parts ends with: the wrong word is an error in the sequence, for which both
 * error bits stand. */
static bool confirms(struct pflash *f, uint64_t value, uint8_t wanted)
{
    f->step = STEP_COMMAND;
    if ((value & 0xff) == wanted)
        return true;
    f->status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    return false;
}

static void end_lock(struct pflash *f, uint64_t value)
{
    const uint8_t kind = value & 0xff;
    if (kind != 0x01 && kind != 0x2f)
        confirms(f, value, 0xd0);
    f->step = STEP_COMMAND;
}

static void end_buffer(struct pflash *f, uint64_t value)
{
    if (!confirms(f, value, 0xd0))
        return;
    if (f->buffer_failed)
        f->status |= STATUS_PROGRAM_ERROR;
    else
        program(f, f->buffer_offset, f->buffer, BUFFER_BYTES);
}

static void take_write(struct pflash *f, uint64_t offset, uint64_t value, unsigned size)
{
    uint8_t data[BUS_BYTES];
    for (unsigned i = 0; i < size; i++)
        data[i] = (uint8_t)(value >> (8 * i));
    switch ((enum step)f->step) {
    case STEP_PROGRAM:
        f->step = STEP_COMMAND;
        program(f, offset, data, size);
        return;
    case STEP_BUFFER_COUNT:
        begin_buffer(f, value);
        return;
    case STEP_BUFFER_DATA:
        fill_buffer(f, offset, value, size);
        return;
    case STEP_BUFFER_CONFIRM:
        end_buffer(f, value);
        return;
    case STEP_ERASE_CONFIRM:
        if (confirms(f, value, 0xd0))
            erase(f, offset);
        return;
    case STEP_LOCK:
        end_lock(f, value);
        return;
    case STEP_COMMAND:
    case STEPS:
        start_command(f, data[0]);
    }
}

/* The bus has 32 bits: 64 are two accesses. */
static void pflash_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct pflash *f = device;
    if (offset % size || offset >= PFLASH_BYTES)
        return; /* nothing that the bus lets through */
    for (unsigned done = 0; done < size; done += BUS_BYTES)
        take_write(f, offset + done, value >> (8 * done),
                   (unsigned)min_u64(size - done, BUS_BYTES));
}

/* --- the device -------------------------------------------------------------------------- */

static void pflash_reset(struct device *d)
{
    struct pflash *f = (struct pflash *)d;
    f->step = STEP_COMMAND;
    f->status = STATUS_READY;
    f->program_left = f->buffer_offset = 0;
    f->buffer_placed = f->buffer_failed = false;
    memset(f->buffer, 0xff, sizeof f->buffer);
    set_mode(f, READ_ARRAY);
}

static void array_state(struct pflash *f, struct state *s)
{
    for (unsigned sector = 0; sector < SECTORS; sector++) {
        uint8_t *bytes = f->bytes + sector * SECTOR_BYTES;
        bool was_touched = f->touched[sector];
        state_bool(s, &f->touched[sector]);
        if (f->touched[sector])
            state_bytes(s, bytes, SECTOR_BYTES);
        else if (was_touched)
            memset(bytes, 0, SECTOR_BYTES);
    }
    if (state_loading(s))
        memory_rom_device_changed(f->config.memory, f->config.base, PFLASH_BYTES);
}

static void pflash_state(struct device *d, struct state *s)
{
    struct pflash *f = (struct pflash *)d;
    state_section(s, "pflash", 1);
    state_u8(s, &f->mode);
    state_u8(s, &f->step);
    state_u8(s, &f->status);
    state_u32(s, &f->program_left);
    state_bool(s, &f->buffer_placed);
    state_bool(s, &f->buffer_failed);
    state_u32(s, &f->buffer_offset);
    state_bytes(s, f->buffer, sizeof f->buffer);
    array_state(f, s);
    bool fills = f->step == STEP_BUFFER_DATA;
    if (f->mode > READ_CFI || f->step >= STEPS || f->buffer_offset % BUFFER_BYTES ||
        f->buffer_offset >= PFLASH_BYTES || fills != (f->program_left != 0) ||
        f->program_left > BUFFER_BYTES / BUS_BYTES)
        state_fail(s, "mode %u, step %u, %u words left at 0x%x", f->mode, f->step, f->program_left,
                   f->buffer_offset);
    else if (state_loading(s))
        set_mode(f, (enum mode)f->mode);
}

static void pflash_destroy(struct device *d)
{
    struct pflash *f = (struct pflash *)d;
    if (f->bytes)
        os_release(f->bytes, PFLASH_BYTES);
    free(f);
}

static const struct device_ops pflash_ops = {
    .mmio = {.name = "pflash", .read = pflash_read, .write = pflash_write, .sizes = 1 | 2 | 4 | 8},
    .reset = pflash_reset,
    .state = pflash_state,
    .destroy = pflash_destroy,
};

struct device *pflash_create(const struct pflash_config *config, struct error *err)
{
    if (config->block && block_bytes(config->block) != PFLASH_BYTES) {
        error_set(err, "a flash has exactly %llu bytes, its image %" PRIu64,
                  (unsigned long long)PFLASH_BYTES, block_bytes(config->block));
        return NULL;
    }
    struct pflash *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, "no memory for a flash");
        return NULL;
    }
    f->device.ops = &pflash_ops;
    f->config = *config;
    f->bytes = os_reserve(PFLASH_BYTES);
    if (!f->bytes)
        error_set(err, "no memory for a flash");
    else if (!config->block || read_image(f, err))
        return &f->device;
    pflash_destroy(&f->device);
    return NULL;
}

uint8_t *pflash_bytes(struct device *d)
{
    return ((struct pflash *)d)->bytes;
}
