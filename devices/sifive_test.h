/* The test device: one register with which the guest powers the machine off or resets it. */
#ifndef RIVULET_DEVICES_SIFIVE_TEST_H
#define RIVULET_DEVICES_SIFIVE_TEST_H

#include "devices/device.h"

#define SIFIVE_TEST_BYTES 0x1000u

struct sifive_test_config {
    void (*power_off)(void *owner, unsigned status); /* status: 0 to 65535, as the guest gave it */
    void (*reset)(void *owner);
    void *owner;
    struct log *log; /* NULL: none */
};

/* Copies config; NULL when the host has no memory. The callbacks run inside a guest's store: they
 * must only ask for what shall happen. */
struct device *sifive_test_create(const struct sifive_test_config *config) MUST_CHECK;

#endif
