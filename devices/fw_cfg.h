/* QEMU's firmware configuration device: a list of blobs that firmware reads by number or by name,
 * word by word or by DMA. */
#ifndef RIVULET_DEVICES_FW_CFG_H
#define RIVULET_DEVICES_FW_CFG_H

#include "devices/device.h"

#define FW_CFG_BYTES      0x18u
#define FW_CFG_NAME_BYTES 56u /* with its NUL */
#define FW_CFG_FILES_MAX  64u

/* Keys of what has no name. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
};

struct fw_cfg_item {
    const char *name; /* NULL: it is found by its key; else the device gives it one */
    uint16_t key;
    const void *data;
    uint32_t bytes;
    /* The same bytes when the guest may write them, by DMA; NULL: it may not. */
    void *writable;
    void (*written)(void *owner);
    void *owner;
};

struct fw_cfg_config {
    const struct fw_cfg_item *items; /* beside signature, id and directory; no two alike */
    unsigned count;
    struct memory_map *memory;
    struct log *log; /* NULL: none */
};

/* Items, names and data outlive the device. NULL when the host has no memory. */
struct device *fw_cfg_create(const struct fw_cfg_config *config) MUST_CHECK;
/* A named item of another device, which outlives this one; before the machine runs. */
bool fw_cfg_add_file(struct device *d, const struct fw_cfg_item *item,
                     struct error *err) MUST_CHECK;

#endif
