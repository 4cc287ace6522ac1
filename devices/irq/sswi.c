/* Supervisor software interrupts (RISC-V ACLINT specification 1.0-rc4, section 4). SETSSIP of a
 * hart is an edge: writing 1 to bit 0 sets SSIP in the hart's mip, where software clears it; it
 * reads as 0. So there is no guest state here. */
#include "devices/irq/sswi.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct sswi {
    struct device device;
    /* --- host side --- */
    struct sswi_config config;
};

static bool is_register(const struct sswi *s, uint64_t offset)
{
    if (offset / 4 < s->config.harts)
        return true;
    log_line(s->config.log, LOG_GUEST_ERRORS, "sswi: no register at 0x%" PRIx64, offset);
    return false;
}

static uint64_t sswi_read(void *device, uint64_t offset, unsigned size)
{
    (void)size;
    is_register(device, offset);
    return 0;
}

static void sswi_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    const struct sswi *s = device;
    if (is_register(s, offset) && value & 1)
        irq_set(&s->config.ssip[offset / 4], true);
}

static void sswi_reset(struct device *d)
{
    (void)d;
}

static void sswi_state(struct device *d, struct state *s)
{
    (void)d;
    state_section(s, "sswi", 1);
}

static void sswi_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops sswi_ops = {
    .mmio = {.name = "sswi", .read = sswi_read, .write = sswi_write, .sizes = 4},
    .reset = sswi_reset,
    .state = sswi_state,
    .destroy = sswi_destroy,
};

struct device *sswi_create(const struct sswi_config *config)
{
    assert(config->harts >= 1 && config->harts <= SSWI_MAX_HARTS);
    struct sswi *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->device.ops = &sswi_ops;
    s->config = *config;
    return &s->device;
}
