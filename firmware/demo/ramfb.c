/* A picture on the screen by QEMU's ramfb: fw_cfg's file etc/ramfb is told where it lies
 * (docs/specs/fw_cfg.rst of QEMU). All is big endian. */
#include "firmware/demo/demo.h"
#include "firmware/demo/library.h"

#define SELECTOR    8u
#define DMA         16u
#define DIRECTORY   0x19u
#define DMA_ERROR   1u
#define DMA_WRITE   (1u << 4)
#define DMA_SELECT  (1u << 3)
#define FORMAT_XR24 0x34325258u
#define NAME_BYTES  56u
#define FILES_MAX   1000u

struct dma {
    uint32_t control, length;
    uint64_t address;
};

struct config {
    uint64_t address;
    uint32_t format, flags, width, height, stride;
} __attribute__((packed));

static uint32_t read_number(uint64_t fw_cfg, unsigned bytes)
{
    uint32_t n = 0;
    while (bytes--)
        n = n << 8 | *(volatile uint8_t *)fw_cfg;
    return n;
}

/* The key of a file; 0: there is none of this name. */
static uint32_t find_file(uint64_t fw_cfg, const char *wanted)
{
    *(volatile uint16_t *)(fw_cfg + SELECTOR) = __builtin_bswap16(DIRECTORY);
    uint32_t count = read_number(fw_cfg, 4);
    for (uint32_t i = 0; i < count && i < FILES_MAX; i++) {
        char name[NAME_BYTES];
        read_number(fw_cfg, 4); /* its size */
        uint32_t key = read_number(fw_cfg, 2);
        read_number(fw_cfg, 2);
        for (unsigned j = 0; j < NAME_BYTES; j++)
            name[j] = (char)read_number(fw_cfg, 1);
        name[NAME_BYTES - 1] = 0;
        if (same_text(name, wanted))
            return key;
    }
    return 0;
}

bool ramfb_show(uint64_t fw_cfg, const struct picture *p)
{
    uint32_t key = fw_cfg ? find_file(fw_cfg, "etc/ramfb") : 0;
    if (!key)
        return false;
    const struct config config = {
        .address = __builtin_bswap64((uint64_t)p->pixels),
        .format = __builtin_bswap32(FORMAT_XR24),
        .width = __builtin_bswap32(p->width),
        .height = __builtin_bswap32(p->height),
        .stride = __builtin_bswap32(p->stride * 4),
    };
    volatile struct dma dma = {
        .control = __builtin_bswap32(key << 16 | DMA_SELECT | DMA_WRITE),
        .length = __builtin_bswap32(sizeof config),
        .address = __builtin_bswap64((uint64_t)&config),
    };
    __asm__ volatile("fence" : : "r"(&config) : "memory");
    *(volatile uint64_t *)(fw_cfg + DMA) = __builtin_bswap64((uint64_t)&dma);
    while (__builtin_bswap32(dma.control) & ~DMA_ERROR)
        ;
    return dma.control == 0;
}
