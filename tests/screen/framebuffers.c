/* Displays whose picture lies where the guest can write: bochs-display (QEMU: standard-vga.rst) and
 * ramfb (fw_cfg.rst). */
#include "tests/screen/screen.h"

#define ECAM          0x30000000ul
#define BAR_PIXELS    0x40000000ul
#define BAR_REGISTERS 0x42000000ul
#define BOCHS_ID      0x11111234u
#define VBE           (BAR_REGISTERS + 0x500)

#define FW_CFG      0x10100000ul
#define DIRECTORY   0x19u
#define NAME_BYTES  56u
#define DMA_CONTROL 0x18u /* select and write */
#define FORMAT_XR24 0x34325258u

enum { VBE_WIDTH = 1, VBE_HEIGHT, VBE_BITS, VBE_ENABLE };

static void flush_nothing(struct display *d)
{
    (void)d;
    barrier();
}

/* --- bochs-display --- */

static void vbe(unsigned index, uint32_t value)
{
    *(volatile uint16_t *)(VBE + 2 * index) = (uint16_t)value;
}

static bool set_bochs_size(struct display *d, uint32_t width, uint32_t height)
{
    d->width = width;
    d->height = height;
    vbe(VBE_ENABLE, 0);
    vbe(VBE_WIDTH, width);
    vbe(VBE_HEIGHT, height);
    vbe(VBE_BITS, 32);
    vbe(VBE_ENABLE, 0x41); /* with a linear framebuffer */
    return true;
}

struct display *bochs_open(void)
{
    static struct display display = {(uint32_t *)BAR_PIXELS, 0, 0, set_bochs_size, flush_nothing};
    for (uint64_t function = ECAM; function < ECAM + (32ul << 15); function += 1ul << 15) {
        if (get(function) != BOCHS_ID)
            continue;
        set(function + 0x10, BAR_PIXELS);
        set(function + 0x18, BAR_REGISTERS);
        set(function + 4, 2); /* memory */
        return &display;
    }
    return NULL;
}

/* --- ramfb --- */

static uint32_t read_number(unsigned bytes)
{
    uint32_t n = 0;
    while (bytes--)
        n = n << 8 | *(volatile uint8_t *)FW_CFG;
    return n;
}

/* The key of etc/ramfb; 0: there is no such file. */
static uint32_t find_ramfb(void)
{
    static const char wanted[] = "etc/ramfb";
    *(volatile uint16_t *)(FW_CFG + 8) = __builtin_bswap16(DIRECTORY);
    for (uint32_t count = read_number(4); count; count--) {
        unsigned same = 0;
        read_number(4);
        uint32_t key = read_number(4) >> 16;
        for (unsigned i = 0; i < NAME_BYTES; i++) {
            char c = (char)read_number(1);
            same += i < sizeof wanted && c == wanted[i];
        }
        if (same == sizeof wanted)
            return key;
    }
    return 0;
}

static bool set_ramfb_size(struct display *d, uint32_t width, uint32_t height)
{
    static struct {
        uint64_t address;
        uint32_t format, flags, width, height, stride;
    } __attribute__((packed)) config;
    static volatile struct {
        uint32_t control, bytes;
        uint64_t address;
    } dma;
    d->width = width;
    d->height = height;
    config.address = __builtin_bswap64((uint64_t)d->pixels);
    config.format = __builtin_bswap32(FORMAT_XR24);
    config.width = __builtin_bswap32(width);
    config.height = __builtin_bswap32(height);
    config.stride = __builtin_bswap32(4 * width);
    dma.control = __builtin_bswap32(find_ramfb() << 16 | DMA_CONTROL);
    dma.bytes = __builtin_bswap32(sizeof config);
    dma.address = __builtin_bswap64((uint64_t)&config);
    barrier();
    *(volatile uint64_t *)(FW_CFG + 16) = __builtin_bswap64((uint64_t)&dma);
    while (__builtin_bswap32(dma.control) & ~1u)
        ;
    return dma.control == 0;
}

struct display *ramfb_open(void)
{
    static struct display display = {frame_memory, 0, 0, set_ramfb_size, flush_nothing};
    return find_ramfb() ? &display : NULL;
}
