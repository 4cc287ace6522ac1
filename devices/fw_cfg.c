/* fw_cfg (QEMU: docs/specs/fw_cfg.rst). Selector and DMA registers and all of a DMA descriptor are
 * big-endian; numbers inside items are little-endian, those of the directory big-endian.
 *
 * Only an item that a device added can be written, and is its state. All other contents are
 * configuration: a loaded machine must have the same items. */
#include "devices/fw_cfg.h"

#include <inttypes.h>
#include <stdlib.h>

#define DATA_BYTES 0x08u /* from 0 on: data, at any width and address */
#define SELECTOR   0x08u
#define DMA        0x10u
#define DMA_LOW    0x14u /* writing it starts the transfer */

#define KEY_MASK 0x3fffu /* bit 15: items of an architecture; bit 14 once meant writing */

#define ID_TRADITIONAL 1u
#define ID_DMA         2u

#define DMA_ERROR  0x01u
#define DMA_READ   0x02u
#define DMA_SKIP   0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE  0x10u

#define DMA_SIGNATURE 0x47464320554d4551ull /* "QEMU CFG", as it lies in memory */

/* As it lies in guest memory. */
struct dma_descriptor {
    uint32_t control, length;
    uint64_t address;
};

/* The directory, as the guest reads it. */
struct directory_entry {
    uint32_t bytes;
    uint16_t key, reserved;
    char name[FW_CFG_NAME_BYTES];
};

struct directory {
    uint32_t count;
    struct directory_entry entries[FW_CFG_FILES_MAX];
};

_Static_assert(sizeof(struct dma_descriptor) == 16, "as the guest lays it out");
_Static_assert(sizeof(struct directory_entry) == 64, "as the guest reads it");

struct fw_cfg {
    struct device device;
    /* --- guest state --- */
    uint16_t key;
    uint32_t offset; /* in the item; never beyond its end */
    uint64_t dma_address;
    /* --- host side --- */
    struct fw_cfg_config config;
    const struct fw_cfg_item *files[FW_CFG_FILES_MAX]; /* sorted by name: key order */
    unsigned file_count;
    struct directory directory;
    uint32_t directory_bytes;
};

static const uint32_t id = ID_TRADITIONAL | ID_DMA;
static const struct fw_cfg_item signature_item = {.data = "QEMU", .bytes = 4};
static const struct fw_cfg_item id_item = {.data = &id, .bytes = sizeof id};

/* The item of the selected key; without data when there is none. */
static struct fw_cfg_item selected(const struct fw_cfg *f)
{
    unsigned key = f->key & KEY_MASK;
    if (key != f->key) /* an architecture's, of which RISC-V has none */
        return (struct fw_cfg_item){0};
    if (key == FW_CFG_SIGNATURE)
        return signature_item;
    if (key == FW_CFG_ID)
        return id_item;
    if (key == FW_CFG_FILE_DIR)
        return (struct fw_cfg_item){.data = &f->directory, .bytes = f->directory_bytes};
    if (key >= FW_CFG_FILE_FIRST && key - FW_CFG_FILE_FIRST < f->file_count)
        return *f->files[key - FW_CFG_FILE_FIRST];
    for (unsigned i = 0; i < f->config.count; i++)
        if (!f->config.items[i].name && f->config.items[i].key == key)
            return f->config.items[i];
    return (struct fw_cfg_item){0};
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->key = key;
    f->offset = 0;
}

/* The next bytes in the order of memory; behind the end they are zero. */
static uint64_t read_data(struct fw_cfg *f, unsigned size)
{
    const struct fw_cfg_item item = selected(f);
    uint64_t value = 0;
    uint32_t n = (uint32_t)min_u64(size, item.bytes - f->offset);
    if (n)
        memcpy(&value, (const uint8_t *)item.data + f->offset, n);
    f->offset += n;
    return value;
}

/* --- DMA --------------------------------------------------------------------------------- */

static bool clear(struct fw_cfg *f, uint64_t gpa, uint64_t n)
{
    static const uint8_t zeros[PAGE_BYTES];
    for (uint64_t at = 0; at < n; at += sizeof zeros)
        if (!dma_write(f->config.memory, gpa + at, zeros, min_u64(n - at, sizeof zeros)))
            return false;
    return true;
}

/* What lies behind the item's end reads as zero. Nothing is written unless all can be. */
static bool transfer_read(struct fw_cfg *f, uint64_t gpa, uint32_t length)
{
    const struct fw_cfg_item item = selected(f);
    uint32_t n = (uint32_t)min_u64(length, item.bytes - f->offset);
    if (!dma_is_ram(f->config.memory, gpa, length))
        return false;
    bool ok =
        (n == 0 || dma_write(f->config.memory, gpa, (const uint8_t *)item.data + f->offset, n)) &&
        clear(f, gpa + n, length - n);
    f->offset += n;
    return ok;
}

/* An item takes all of the bytes, or none. */
static bool transfer_write(struct fw_cfg *f, uint64_t gpa, uint32_t length)
{
    const struct fw_cfg_item item = selected(f);
    uint32_t at = f->offset;
    if (!item.writable || length > item.bytes - at ||
        !dma_read(f->config.memory, gpa, (uint8_t *)item.writable + at, length))
        return length == 0;
    f->offset += length;
    item.written(item.owner);
    return true;
}

/* control's bits in the order of their weight: reading wins over skipping. */
static bool transfer(struct fw_cfg *f, const struct dma_descriptor *d)
{
    const uint32_t control = __builtin_bswap32(d->control), length = __builtin_bswap32(d->length);
    if (control & DMA_SELECT)
        select_item(f, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        return transfer_read(f, __builtin_bswap64(d->address), length);
    if (control & DMA_WRITE)
        return transfer_write(f, __builtin_bswap64(d->address), length);
    if (control & DMA_SKIP)
        f->offset += (uint32_t)min_u64(length, selected(f).bytes - f->offset);
    return true;
}

/* The answer is the descriptor's control: 0, or the error bit. Where there is no RAM for a
 * descriptor, nobody can be answered. */
static void run_dma(struct fw_cfg *f)
{
    struct dma_descriptor d;
    const uint64_t gpa = f->dma_address;
    f->dma_address = 0;
    bool is_read = dma_read(f->config.memory, gpa, &d, sizeof d);
    uint32_t answer = __builtin_bswap32(is_read && transfer(f, &d) ? 0 : DMA_ERROR);
    if (!dma_write(f->config.memory, gpa, &answer, sizeof answer))
        log_line(f->config.log, LOG_GUEST_ERRORS, "fw-cfg: no RAM for a descriptor at 0x%" PRIx64,
                 gpa);
    else if (answer)
        log_line(f->config.log, LOG_GUEST_ERRORS,
                 "fw-cfg: the transfer of the descriptor at 0x%" PRIx64 " is refused", gpa);
}

/* --- registers --------------------------------------------------------------------------- */

static uint64_t fw_cfg_read(void *device, uint64_t offset, unsigned size)
{
    struct fw_cfg *f = device;
    if (offset < DATA_BYTES && offset + size <= DATA_BYTES)
        return read_data(f, size);
    if (offset >= DMA && offset < FW_CFG_BYTES)
        return DMA_SIGNATURE >> (8 * (offset - DMA));
    log_line(f->config.log, LOG_GUEST_ERRORS,
             "fw-cfg: no readable register at 0x%" PRIx64 ", reads as 0", offset);
    return 0;
}

static void fw_cfg_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct fw_cfg *f = device;
    if (offset == SELECTOR && size == 2) {
        select_item(f, __builtin_bswap16((uint16_t)value));
    } else if (offset == DMA && size == 8) {
        f->dma_address = __builtin_bswap64(value);
        run_dma(f);
    } else if (offset == DMA && size == 4) {
        f->dma_address = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
    } else if (offset == DMA_LOW && size == 4) {
        f->dma_address |= __builtin_bswap32((uint32_t)value);
        run_dma(f);
    } else {
        log_line(f->config.log, LOG_GUEST_ERRORS,
                 "fw-cfg: no register of %u bytes to write at 0x%" PRIx64 ", write ignored", size,
                 offset);
    }
}

/* --- the device -------------------------------------------------------------------------- */

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    select_item(f, FW_CFG_SIGNATURE);
    f->dma_address = 0;
}

static void fw_cfg_state(struct device *d, struct state *s)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    state_section(s, "fw-cfg", 1);
    state_u16(s, &f->key);
    state_u32(s, &f->offset);
    state_u64(s, &f->dma_address);
    if (f->offset > selected(f).bytes) {
        state_fail(s, "offset %u of item 0x%x, which has %u bytes", f->offset, f->key,
                   selected(f).bytes);
        f->offset = 0;
    }
}

static void fw_cfg_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops fw_cfg_ops = {
    .mmio = {.name = "fw-cfg", .read = fw_cfg_read, .write = fw_cfg_write, .sizes = 1 | 2 | 4 | 8},
    .reset = fw_cfg_reset,
    .state = fw_cfg_state,
    .destroy = fw_cfg_destroy,
};

static int by_name(const void *a, const void *b)
{
    const struct fw_cfg_item *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void make_directory(struct fw_cfg *f)
{
    qsort(f->files, f->file_count, sizeof f->files[0], by_name);
    f->directory.count = __builtin_bswap32(f->file_count);
    for (unsigned i = 0; i < f->file_count; i++) {
        struct directory_entry *entry = &f->directory.entries[i];
        entry->bytes = __builtin_bswap32(f->files[i]->bytes);
        entry->key = __builtin_bswap16((uint16_t)(FW_CFG_FILE_FIRST + i));
        strncpy(entry->name, f->files[i]->name, sizeof entry->name - 1);
    }
    f->directory_bytes = (uint32_t)(offsetof(struct directory, entries) +
                                    f->file_count * sizeof f->directory.entries[0]);
}

struct device *fw_cfg_create(const struct fw_cfg_config *config)
{
    struct fw_cfg *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->device.ops = &fw_cfg_ops;
    f->config = *config;
    for (unsigned i = 0; i < config->count && f->file_count < FW_CFG_FILES_MAX; i++)
        if (config->items[i].name)
            f->files[f->file_count++] = &config->items[i];
    make_directory(f);
    return &f->device;
}

bool fw_cfg_add_file(struct device *d, const struct fw_cfg_item *item, struct error *err)
{
    struct fw_cfg *f = (struct fw_cfg *)d;
    for (unsigned i = 0; i < f->file_count; i++)
        if (strcmp(f->files[i]->name, item->name) == 0)
            return error_set(err, "fw_cfg has the file %s already", item->name);
    if (f->file_count == FW_CFG_FILES_MAX)
        return error_set(err, "fw_cfg has %u files already", FW_CFG_FILES_MAX);
    f->files[f->file_count++] = item;
    make_directory(f);
    return true;
}
