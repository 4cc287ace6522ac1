/* The Bochs display (contract: bochs.h; QEMU: docs/specs/standard-vga.rst, MMIO area spec).
 *
 * Video memory is RAM behind a BAR, which the guest reaches without a call; its pages remember that
 * they were written, as those of the machine's RAM do. Programs may draw on it as they do there. */
#include "devices/display/bochs.h"

#include "devices/display/edid.h"

#include <inttypes.h>
#include <stdlib.h>

#define MMIO_BYTES 0x1000u
#define VBE_AT     0x500u
#define QEXT_AT    0x600u /* size of this part, and the order of bytes */
#define QEXT_BYTES 8u

#define QEXT_LITTLE_ENDIAN 0x1e1e1e1eu
#define QEXT_BIG_ENDIAN    0xbebebebeu

enum vbe_register {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRTUAL_WIDTH,
    VBE_VIRTUAL_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_REGISTERS,
    VBE_MEMORY_64K = VBE_REGISTERS, /* read-only */
};

#define VBE_ID5     0xb0c5u
#define VBE_ENABLED 1u
#define SIDE_LEAST  64u /* of a picture, as QEMU's */
#define PIXEL_BYTES 4u
#define STATE_BLOCK 4096u /* of video memory: not saved when it is zero */

struct bochs {
    struct pci_function function;
    /* --- guest state --- */
    uint16_t vbe[VBE_REGISTERS];
    bool is_big_endian;
    uint8_t *bytes; /* video memory */
    /* --- host side --- */
    struct bochs_config config;
    struct region memory; /* the bytes, for the CPU */
    uint8_t edid[EDID_BYTES];
    struct screen screen;
    uint32_t *row;          /* room for one */
    uint32_t start, stride; /* of what the screen shows; stride 0: nothing */
    bool is_new;            /* nothing of that was drawn yet */
};

static struct bochs *bochs_of(struct pci_function *f)
{
    return CONTAINER_OF(f, struct bochs, function);
}

/* --- the screen -------------------------------------------------------------------------- */

static void draw_row(struct bochs *b, uint32_t y)
{
    const uint8_t *from = b->bytes + b->start + (size_t)y * b->stride;
    pixels_convert(b->row, from, b->screen.width,
                   b->is_big_endian ? PIXEL_A8R8G8B8 : PIXEL_B8G8R8A8);
    screen_put(&b->screen, 0, y, b->row, b->screen.width);
}

/* Rows of which some byte lies in these, which may reach beyond the picture. */
static void draw_written(void *owner, uint64_t gpa, uint64_t bytes)
{
    struct bochs *b = owner;
    uint64_t first = max_u64(gpa - b->memory.base, b->start) - b->start;
    uint64_t last = gpa - b->memory.base + (bytes - 1) - b->start;
    if (b->is_new)
        return; /* all is drawn anyway */
    for (uint64_t y = first / b->stride; y <= last / b->stride && y < b->screen.height; y++)
        draw_row(b, (uint32_t)y);
}

static void refresh(void *owner)
{
    struct bochs *b = owner;
    if (!b->stride)
        return;
    memory_take_written_of(b->config.memory, &b->memory, b->start,
                           (uint64_t)b->stride * b->screen.height, draw_written, b);
    for (uint32_t y = 0; b->is_new && y < b->screen.height; y++)
        draw_row(b, y);
    b->is_new = false;
}

static void show_nothing(struct bochs *b)
{
    b->stride = 0;
    (void)screen_resize(&b->screen, 0, 0); /* takes no memory */
}

/* Shows what the registers say, if it lies in video memory. */
static void show(struct bochs *b)
{
    const uint16_t *vbe = b->vbe;
    uint32_t width = vbe[VBE_XRES], height = vbe[VBE_YRES];
    uint64_t stride = max_u64(vbe[VBE_VIRTUAL_WIDTH], width) * PIXEL_BYTES;
    uint64_t start = vbe[VBE_X_OFFSET] * PIXEL_BYTES + vbe[VBE_Y_OFFSET] * stride;
    bool is_on = vbe[VBE_ENABLE] & VBE_ENABLED && vbe[VBE_BPP] == 32 && width >= SIDE_LEAST &&
                 height >= SIDE_LEAST && width <= SCREEN_SIDE_MAX && height <= SCREEN_SIDE_MAX &&
                 start + stride * height <= b->config.memory_bytes;
    uint32_t *row = is_on ? realloc(b->row, width * sizeof *row) : NULL;
    if (row)
        b->row = row;
    if (!row || ((b->screen.width != width || b->screen.height != height) &&
                 !screen_resize(&b->screen, width, height))) {
        show_nothing(b);
        return;
    }
    b->start = (uint32_t)start;
    b->stride = (uint32_t)stride;
    b->is_new = true;
}

/* --- registers --------------------------------------------------------------------------- */

static uint64_t read_vbe(const struct bochs *b, unsigned number)
{
    if (number == VBE_ID)
        return VBE_ID5;
    if (number == VBE_MEMORY_64K)
        return b->config.memory_bytes >> 16;
    return number < VBE_REGISTERS ? b->vbe[number] : 0xffff;
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    const struct bochs *b = bochs_of(device);
    uint64_t value = 0;
    if (offset < EDID_BYTES && b->config.has_edid) {
        memcpy(&value, b->edid + offset, min_u64(size, EDID_BYTES - offset));
        return value;
    }
    if (offset < VBE_AT)
        return 0; /* an EDID's extensions; VGA's registers, which it has not */
    if (size == 2 && offset < VBE_AT + 2 * (VBE_MEMORY_64K + 1))
        return read_vbe(b, (unsigned)(offset - VBE_AT) / 2);
    if (size == 4 && offset == QEXT_AT)
        return QEXT_BYTES;
    if (size == 4 && offset == QEXT_AT + 4)
        return b->is_big_endian ? QEXT_BIG_ENDIAN : QEXT_LITTLE_ENDIAN;
    log_line(b->config.log, LOG_GUEST_ERRORS,
             "bochs-display: no register of %u bytes at 0x%" PRIx64 ", reads as 0", size, offset);
    return 0;
}

static void mmio_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct bochs *b = bochs_of(device);
    if (offset >= VBE_AT && offset < VBE_AT + 2 * VBE_REGISTERS && size == 2) {
        b->vbe[(offset - VBE_AT) / 2] = (uint16_t)value;
        show(b);
    } else if (offset == QEXT_AT + 4 && size == 4 &&
               (value == QEXT_BIG_ENDIAN || value == QEXT_LITTLE_ENDIAN)) {
        b->is_big_endian = value == QEXT_BIG_ENDIAN;
        show(b);
    } else if (offset >= EDID_BYTES && offset < VBE_AT) {
        /* Drivers unlock VGA's registers, which are not there, without looking. */
    } else {
        log_line(b->config.log, LOG_GUEST_ERRORS,
                 "bochs-display: no register of %u bytes to write at 0x%" PRIx64 ", write ignored",
                 size, offset);
    }
}

static const struct mmio_ops mmio_ops = {
    .name = "bochs-display-mmio", .read = mmio_read, .write = mmio_write, .sizes = 1 | 2 | 4};

/* --- life and state ---------------------------------------------------------------------- */

/* Video memory stays as it is, as that of a real card does. */
static void bochs_reset(struct pci_function *f)
{
    struct bochs *b = bochs_of(f);
    memset(b->vbe, 0, sizeof b->vbe);
    b->is_big_endian = false;
    show_nothing(b);
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

static void video_memory_state(struct bochs *b, struct state *s)
{
    for (uint64_t at = 0; at < b->config.memory_bytes && state_ok(s); at += STATE_BLOCK) {
        bool has_content = !is_zero(b->bytes + at, STATE_BLOCK);
        state_bool(s, &has_content);
        if (has_content)
            state_bytes(s, b->bytes + at, STATE_BLOCK);
        else if (state_loading(s))
            memset(b->bytes + at, 0, STATE_BLOCK);
    }
}

static void bochs_state(struct pci_function *f, struct state *s)
{
    struct bochs *b = bochs_of(f);
    uint64_t bytes = b->config.memory_bytes;
    state_u64(s, &bytes);
    if (bytes != b->config.memory_bytes)
        state_fail(s, "saved with %" PRIu64 " bytes of video memory, here %" PRIu64, bytes,
                   b->config.memory_bytes);
    for (unsigned i = 0; i < VBE_REGISTERS; i++)
        state_u16(s, &b->vbe[i]);
    state_bool(s, &b->is_big_endian);
    video_memory_state(b, s);
    if (state_loading(s))
        show(b);
}

static void bochs_destroy(struct pci_function *f)
{
    struct bochs *b = bochs_of(f);
    screen_deinit(&b->screen);
    free(b->row);
    free(b->bytes);
    free(b->memory.marks);
    free(b);
}

static const struct pci_function_ops bochs_ops = {
    .reset = bochs_reset, .state = bochs_state, .destroy = bochs_destroy};

static bool make_memory(struct bochs *b, uint64_t bytes)
{
    b->bytes = calloc(1, bytes);
    b->memory = (struct region){.kind = REGION_RAM,
                                .name = "bochs-display",
                                .size = bytes,
                                .hva = b->bytes,
                                .marks = calloc(bytes / PAGE_BYTES, 1)};
    if (b->bytes && b->memory.marks)
        return true;
    free(b->bytes);
    free(b->memory.marks);
    return false;
}

struct pci_function *bochs_create(const struct bochs_config *config)
{
    static const struct pci_identity identity = {.name = "bochs-display",
                                                 .vendor = 0x1234,
                                                 .device = 0x1111,
                                                 .subsystem_vendor = 0x1af4,
                                                 .subsystem = 0x1100,
                                                 .class_code = 0x038000};
    struct bochs *b = calloc(1, sizeof *b);
    if (!b || !make_memory(b, config->memory_bytes)) {
        free(b);
        return NULL;
    }
    b->config = *config;
    b->screen.refresh = refresh;
    b->screen.owner = b;
    edid_make(b->edid, config->width, config->height);
    pci_function_init(&b->function, &bochs_ops, &identity);
    pci_add_bar(&b->function, 0,
                &(struct pci_bar){.type = PCI_BAR_MEMORY_32_PREFETCH,
                                  .bytes = config->memory_bytes,
                                  .memory = &b->memory});
    pci_add_bar(
        &b->function, 2,
        &(struct pci_bar){.type = PCI_BAR_MEMORY_32, .bytes = MMIO_BYTES, .ops = &mmio_ops});
    return &b->function;
}

struct screen *bochs_screen(struct pci_function *f)
{
    return &bochs_of(f)->screen;
}
