/* The test device, "sifive,test1", which is also the syscon of syscon-poweroff and syscon-reboot.
 * The low half of a write to its one register says what to do, the high half is the exit status of
 * a failure. It reads as 0 and has no guest state. */
#include "devices/sifive_test.h"

#include <inttypes.h>
#include <stdlib.h>

#define FINISHER 0x0u

#define FINISHER_FAIL  0x3333u
#define FINISHER_PASS  0x5555u
#define FINISHER_RESET 0x7777u

struct sifive_test {
    struct device device;
    /* --- host side --- */
    struct sifive_test_config config;
};

static uint64_t sifive_test_read(void *device, uint64_t offset, unsigned size)
{
    (void)device, (void)offset, (void)size;
    return 0;
}

static void finish(const struct sifive_test_config *c, uint32_t value)
{
    switch (value & 0xffff) {
    case FINISHER_FAIL:
        c->power_off(c->owner, value >> 16);
        return;
    case FINISHER_PASS:
        c->power_off(c->owner, 0);
        return;
    case FINISHER_RESET:
        c->reset(c->owner);
        return;
    }
    log_line(c->log, LOG_GUEST_ERRORS, "sifive-test: unknown command 0x%" PRIx32, value);
}

static void sifive_test_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    const struct sifive_test *t = device;
    if (offset == FINISHER)
        finish(&t->config, size == 2 ? (uint16_t)value : (uint32_t)value);
    else
        log_line(t->config.log, LOG_GUEST_ERRORS,
                 "sifive-test: no register at 0x%" PRIx64 ", write ignored", offset);
}

static void sifive_test_reset(struct device *d)
{
    (void)d;
}

static void sifive_test_state(struct device *d, struct state *s)
{
    (void)d;
    state_section(s, "sifive-test", 1);
}

static void sifive_test_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops sifive_test_ops = {
    .mmio = {.name = "sifive-test",
             .read = sifive_test_read,
             .write = sifive_test_write,
             .sizes = 2 | 4},
    .reset = sifive_test_reset,
    .state = sifive_test_state,
    .destroy = sifive_test_destroy,
};

struct device *sifive_test_create(const struct sifive_test_config *config)
{
    struct sifive_test *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->device.ops = &sifive_test_ops;
    t->config = *config;
    return &t->device;
}
