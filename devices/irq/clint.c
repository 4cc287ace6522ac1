/* Core-local interruptor, as SiFive's CLINT and the ACLINT's MSWI and MTIMER devices at CLINT
 * offsets (RISC-V ACLINT specification 1.0-rc4, sections 2 and 3).
 *
 * mtime has no counter of its own: it is virtual time, and what was once written is kept as the
 * distance from it. The harts compare: each write is handed on, so that a timer interrupt comes at
 * an exact step. A load drives no wire and calls no callback: the harts save what they were told.
 */
#include "devices/irq/clint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define MSIP_BASE     0x0000u /* 4 bytes a hart */
#define MTIMECMP_BASE 0x4000u /* 8 bytes a hart */
#define MTIME         0xbff8u

struct clint {
    struct device device;
    /* --- guest state --- */
    bool msip[CLINT_MAX_HARTS];
    uint64_t mtimecmp[CLINT_MAX_HARTS];
    uint64_t mtime_offset;
    /* --- host side --- */
    struct clint_config config;
};

/* Whether offset is msip of a hart that exists; it is a 32-bit register. */
static bool is_msip(const struct clint *c, uint64_t offset, unsigned size)
{
    return size == 4 && offset / 4 < c->config.harts;
}

static bool is_mtimecmp(const struct clint *c, uint64_t offset)
{
    return offset >= MTIMECMP_BASE && (offset - MTIMECMP_BASE) / 8 < c->config.harts;
}

static bool is_mtime(uint64_t offset)
{
    return (offset & ~7ull) == MTIME;
}

static uint64_t mtime_of(const struct clint *c)
{
    return clock_now_ns(c->config.clock) / NS_PER_MTIME + c->mtime_offset;
}

/* A 64-bit register as an access of 4 or 8 bytes at this offset sees it. */
static uint64_t part_of(uint64_t reg, uint64_t offset, unsigned size)
{
    return size == 8 ? reg : (uint32_t)(reg >> (offset & 4) * 8);
}

static uint64_t with_part(uint64_t reg, uint64_t offset, unsigned size, uint64_t value)
{
    if (size == 8)
        return value;
    unsigned shift = (offset & 4) * 8;
    return (reg & ~(0xffffffffull << shift)) | (uint64_t)(uint32_t)value << shift;
}

static uint64_t clint_read(void *device, uint64_t offset, unsigned size)
{
    const struct clint *c = device;
    if (is_msip(c, offset, size))
        return c->msip[offset / 4];
    if (is_mtimecmp(c, offset))
        return part_of(c->mtimecmp[(offset - MTIMECMP_BASE) / 8], offset, size);
    if (is_mtime(offset))
        return part_of(mtime_of(c), offset, size);
    log_line(c->config.log, LOG_GUEST_ERRORS,
             "clint: no register of %u bytes at 0x%" PRIx64 ", reads as 0", size, offset);
    return 0;
}

static void set_msip(struct clint *c, unsigned hart, bool level)
{
    c->msip[hart] = level;
    irq_set(&c->config.msip[hart], level);
}

static void set_mtimecmp(struct clint *c, unsigned hart, uint64_t value)
{
    c->mtimecmp[hart] = value;
    c->config.set_mtimecmp(c->config.owner, hart, value);
}

static void set_mtime_offset(struct clint *c, uint64_t offset)
{
    c->mtime_offset = offset;
    c->config.set_mtime_offset(c->config.owner, offset);
}

static void clint_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    struct clint *c = device;
    if (is_msip(c, offset, size)) {
        set_msip(c, offset / 4, value & 1);
    } else if (is_mtimecmp(c, offset)) {
        unsigned hart = (offset - MTIMECMP_BASE) / 8;
        set_mtimecmp(c, hart, with_part(c->mtimecmp[hart], offset, size, value));
    } else if (is_mtime(offset)) {
        uint64_t now = mtime_of(c);
        set_mtime_offset(c, c->mtime_offset + with_part(now, offset, size, value) - now);
    } else {
        log_line(c->config.log, LOG_GUEST_ERRORS,
                 "clint: no register of %u bytes at 0x%" PRIx64 ", write ignored", size, offset);
    }
}

/* The specification leaves mtimecmp undefined at reset; all ones keeps the timer quiet. */
static void clint_reset(struct device *d)
{
    struct clint *c = (struct clint *)d;
    for (unsigned hart = 0; hart < c->config.harts; hart++) {
        set_msip(c, hart, false);
        set_mtimecmp(c, hart, UINT64_MAX);
    }
    set_mtime_offset(c, 0);
}

static void clint_state(struct device *d, struct state *s)
{
    struct clint *c = (struct clint *)d;
    state_section(s, "clint", 2);
    state_u64(s, &c->mtime_offset);
    for (unsigned hart = 0; hart < c->config.harts; hart++) {
        state_bool(s, &c->msip[hart]);
        state_u64(s, &c->mtimecmp[hart]);
    }
}

static void clint_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops clint_ops = {
    .mmio = {.name = "clint", .read = clint_read, .write = clint_write, .sizes = 4 | 8},
    .reset = clint_reset,
    .state = clint_state,
    .destroy = clint_destroy,
};

struct device *clint_create(const struct clint_config *config)
{
    assert(config->harts >= 1 && config->harts <= CLINT_MAX_HARTS);
    struct clint *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->device.ops = &clint_ops;
    c->config = *config;
    return &c->device;
}
