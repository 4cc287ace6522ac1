/* HTIF, the host-target interface of Berkeley's test chips: two 64-bit words in RAM, by which a
 * bare program tells of its end, has a console, and hands system calls to the host. Test suites and
 * benchmarks are linked with their places as symbols, tohost and fromhost. */
#ifndef RIVULET_DEVICES_HTIF_H
#define RIVULET_DEVICES_HTIF_H

#include "devices/device.h"

#define HTIF_WORD_BYTES 8u

struct htif_config {
    uint64_t tohost, fromhost; /* 8 bytes of RAM each; both 0: a state that is loaded will say */
    struct memory_map *memory;
    struct byte_sink sink; /* the console's output */
    /* A byte of its input; false: none is there. */
    bool (*read)(void *owner, uint8_t *byte);
    void (*power_off)(void *owner, unsigned status);
    /* Whether what is written is a hart's doing, and not a loader's or a debugger's. */
    bool (*is_guest)(void *owner);
    void *owner;
    struct log *log; /* NULL: none */
};

/* Copies config, and watches tohost; the memory map must not be written after ops->destroy. NULL
 * and err: the words cannot be there. */
struct device *htif_create(const struct htif_config *config, struct error *err) MUST_CHECK;

/* Console input may have come: answers a program that asked for some. */
void htif_poll(struct device *htif);

#endif
