/* Platform-level interrupt controller (riscv-plic 1.0.0).
 *
 * A request's life: a gateway whose wire is high forwards one request (pending). A claim takes the
 * best pending source, clears pending and closes its gateway (in_service) until the completion,
 * which looks at the wire again. A request once forwarded stays pending even when its wire falls
 * (section "Interrupt Gateways"): the handler finds its device idle.
 *
 * Invariants: bit 0 of every bit map is clear, for source 0 does not exist; a source in service is
 * not pending; the level of out[] is a function of the guest state. A load drives no wire: the
 * harts save the levels they were given. */
#include "devices/irq/plic.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define PRIORITY_BASE  0x000000u /* 4 bytes a source */
#define PENDING_BASE   0x001000u
#define ENABLE_BASE    0x002000u
#define ENABLE_STRIDE  0x80u /* a context */
#define CONTEXT_BASE   0x200000u
#define CONTEXT_STRIDE 0x1000u
#define THRESHOLD      0x0u /* in a context's page */
#define CLAIM          0x4u /* read: claim; write: completion */

#define PRIORITY_MASK 7u /* WARL: 3 bits; 0 never interrupts */
#define WORDS         (PLIC_SOURCES / 32)

_Static_assert(PLIC_SOURCES % 32 == 0, "every bit of a word is a source");

struct plic {
    struct device device;
    /* --- guest state --- */
    uint32_t level[WORDS]; /* the wires, as last driven */
    uint32_t pending[WORDS];
    uint32_t in_service[WORDS];
    uint8_t priority[PLIC_SOURCES];
    uint32_t enable[PLIC_MAX_CONTEXTS][WORDS];
    uint8_t threshold[PLIC_MAX_CONTEXTS];
    /* --- host side --- */
    struct plic_config config;
};

static bool bit_of(const uint32_t *map, unsigned source)
{
    return map[source / 32] >> source % 32 & 1;
}

static void set_bit(uint32_t *map, unsigned source, bool value)
{
    uint32_t bit = 1u << source % 32;
    map[source / 32] = value ? map[source / 32] | bit : map[source / 32] & ~bit;
}

/* The pending source of highest priority that the context enables, 0 if none; the lowest id wins a
 * tie. The threshold plays no part in a claim, only in the notification. */
static unsigned best_source(const struct plic *p, unsigned context)
{
    unsigned best = 0, best_priority = 0;
    for (unsigned word = 0; word < WORDS; word++) {
        uint32_t ready = p->pending[word] & p->enable[context][word];
        for (; ready; ready &= ready - 1) {
            unsigned source = word * 32 + (unsigned)__builtin_ctz(ready);
            if (p->priority[source] > best_priority) {
                best = source;
                best_priority = p->priority[source];
            }
        }
    }
    return best;
}

/* Drives every context's wire; called after anything that decides it changed. */
static void notify(struct plic *p)
{
    for (unsigned context = 0; context < p->config.contexts; context++) {
        unsigned source = best_source(p, context);
        irq_set(&p->config.out[context], p->priority[source] > p->threshold[context]);
    }
}

/* An open gateway whose wire is high forwards its request. */
static void sample_gateway(struct plic *p, unsigned source)
{
    if (bit_of(p->level, source) && !bit_of(p->in_service, source))
        set_bit(p->pending, source, true);
}

void plic_set_source(void *plic, unsigned source, bool level)
{
    struct plic *p = plic;
    assert(source >= 1 && source < PLIC_SOURCES);
    if (bit_of(p->level, source) == level)
        return;
    set_bit(p->level, source, level);
    sample_gateway(p, source);
    notify(p);
}

static unsigned claim(struct plic *p, unsigned context)
{
    unsigned source = best_source(p, context);
    if (source) {
        set_bit(p->pending, source, false);
        set_bit(p->in_service, source, true);
        notify(p);
    }
    return source;
}

/* Which context claimed is not remembered; a source that this one does not enable is ignored
 * (section "Interrupt Completion"). */
static void complete(struct plic *p, unsigned context, uint64_t source)
{
    if (source >= PLIC_SOURCES || !bit_of(p->enable[context], source)) {
        log_line(p->config.log, LOG_GUEST_ERRORS,
                 "plic: completion of %" PRIu64 ", which context %u does not enable", source,
                 context);
        return;
    }
    set_bit(p->in_service, source, false);
    sample_gateway(p, source);
    notify(p);
}

/* Where an offset points. */
enum plic_register { REG_NONE, REG_PRIORITY, REG_PENDING, REG_ENABLE, REG_THRESHOLD, REG_CLAIM };

struct place {
    enum plic_register reg;
    unsigned context;
    unsigned index; /* of the source, or of the word in a bit map */
};

static struct place place_in_context(const struct plic *p, uint64_t offset)
{
    uint64_t context = (offset - CONTEXT_BASE) / CONTEXT_STRIDE;
    if (context >= p->config.contexts)
        return (struct place){.reg = REG_NONE};
    switch (offset % CONTEXT_STRIDE) {
    case THRESHOLD:
        return (struct place){.reg = REG_THRESHOLD, .context = context};
    case CLAIM:
        return (struct place){.reg = REG_CLAIM, .context = context};
    default:
        return (struct place){.reg = REG_NONE};
    }
}

static struct place place_of(const struct plic *p, uint64_t offset)
{
    if (offset >= CONTEXT_BASE)
        return place_in_context(p, offset);
    if (offset >= ENABLE_BASE) {
        unsigned context = (offset - ENABLE_BASE) / ENABLE_STRIDE;
        unsigned word = offset % ENABLE_STRIDE / 4;
        if (context < p->config.contexts && word < WORDS)
            return (struct place){REG_ENABLE, context, word};
    } else if (offset >= PENDING_BASE) {
        if (offset - PENDING_BASE < WORDS * 4)
            return (struct place){.reg = REG_PENDING, .index = (offset - PENDING_BASE) / 4};
    } else if (offset / 4 < PLIC_SOURCES) {
        return (struct place){.reg = REG_PRIORITY, .index = offset / 4};
    }
    return (struct place){.reg = REG_NONE};
}

static uint64_t plic_read(void *device, uint64_t offset, unsigned size)
{
    (void)size;
    struct plic *p = device;
    struct place at = place_of(p, offset);
    switch (at.reg) {
    case REG_PRIORITY:
        return p->priority[at.index];
    case REG_PENDING:
        return p->pending[at.index];
    case REG_ENABLE:
        return p->enable[at.context][at.index];
    case REG_THRESHOLD:
        return p->threshold[at.context];
    case REG_CLAIM:
        return claim(p, at.context);
    case REG_NONE:
        break;
    }
    log_line(p->config.log, LOG_GUEST_ERRORS, "plic: no register at 0x%" PRIx64 ", reads as 0",
             offset);
    return 0;
}

static void plic_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    struct plic *p = device;
    struct place at = place_of(p, offset);
    switch (at.reg) {
    case REG_PRIORITY:
        p->priority[at.index] = at.index ? value & PRIORITY_MASK : 0;
        notify(p);
        return;
    case REG_ENABLE:
        p->enable[at.context][at.index] = at.index ? value : value & ~1u;
        notify(p);
        return;
    case REG_THRESHOLD:
        p->threshold[at.context] = value & PRIORITY_MASK;
        notify(p);
        return;
    case REG_CLAIM:
        complete(p, at.context, value);
        return;
    case REG_PENDING: /* read-only */
    case REG_NONE:
        break;
    }
    log_line(p->config.log, LOG_GUEST_ERRORS,
             "plic: no writable register at 0x%" PRIx64 ", write ignored", offset);
}

static void plic_reset(struct device *d)
{
    struct plic *p = (struct plic *)d;
    *p = (struct plic){.device = p->device, .config = p->config};
    notify(p);
}

static void state_map(struct state *s, uint32_t *map, const char *name)
{
    for (unsigned word = 0; word < WORDS; word++)
        state_u32(s, &map[word]);
    if (map[0] & 1)
        state_fail(s, "plic: %s of source 0 is set", name);
}

static void state_level3(struct state *s, uint8_t *level)
{
    state_u8(s, level);
    if (*level > PRIORITY_MASK)
        state_fail(s, "plic: priority %u is above %u", *level, PRIORITY_MASK);
}

static void plic_state(struct device *d, struct state *s)
{
    struct plic *p = (struct plic *)d;
    state_section(s, "plic", 1);
    state_map(s, p->level, "level");
    state_map(s, p->pending, "pending");
    state_map(s, p->in_service, "in-service");
    for (unsigned source = 1; source < PLIC_SOURCES; source++)
        state_level3(s, &p->priority[source]);
    for (unsigned context = 0; context < p->config.contexts; context++) {
        state_map(s, p->enable[context], "enable");
        state_level3(s, &p->threshold[context]);
    }
    for (unsigned word = 0; word < WORDS; word++)
        if (p->pending[word] & p->in_service[word])
            state_fail(s, "plic: a source is both pending and in service");
}

static void plic_destroy(struct device *d)
{
    free(d);
}

/* --- for people -------------------------------------------------------------------------- */

static bool is_enabled(const struct plic *p, unsigned source)
{
    for (unsigned context = 0; context < p->config.contexts; context++)
        if (bit_of(p->enable[context], source))
            return true;
    return false;
}

static void describe_source(const struct plic *p, unsigned source, const struct byte_sink *out)
{
    bool high = bit_of(p->level, source), pending = bit_of(p->pending, source);
    bool in_service = bit_of(p->in_service, source);
    if (high || pending || in_service || is_enabled(p, source))
        byte_sink_print(out, "source %2u: priority %u%s%s%s\n", source, p->priority[source],
                        high ? ", wire high" : "", pending ? ", pending" : "",
                        in_service ? ", in service" : "");
}

static void describe_context(const struct plic *p, unsigned context, const struct byte_sink *out)
{
    bool any = false;
    for (unsigned source = 1; source < PLIC_SOURCES; source++) {
        if (!bit_of(p->enable[context], source))
            continue;
        if (!any)
            byte_sink_print(out, "hart %u, %c-mode: threshold %u, enables", context / 2,
                            context % 2 ? 'S' : 'M', p->threshold[context]);
        byte_sink_print(out, " %u", source);
        any = true;
    }
    if (any)
        byte_sink_print(out, "\n");
}

void plic_describe(const struct device *d, const struct byte_sink *out)
{
    const struct plic *p = (const struct plic *)d;
    byte_sink_print(out, "PLIC\n");
    for (unsigned source = 1; source < PLIC_SOURCES; source++)
        describe_source(p, source, out);
    for (unsigned context = 0; context < p->config.contexts; context++)
        describe_context(p, context, out);
}

static const struct device_ops plic_ops = {
    .mmio = {.name = "plic", .read = plic_read, .write = plic_write, .sizes = 4},
    .reset = plic_reset,
    .state = plic_state,
    .destroy = plic_destroy,
};

struct device *plic_create(const struct plic_config *config)
{
    assert(config->contexts >= 1 && config->contexts <= PLIC_MAX_CONTEXTS);
    struct plic *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->device.ops = &plic_ops;
    p->config = *config;
    return &p->device;
}
