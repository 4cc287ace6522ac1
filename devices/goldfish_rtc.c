/* Goldfish real-time clock (Android's goldfish virtual hardware description, section "RTC").
 *
 * The time is virtual time plus zero_ns, so it runs as the machine's clock does. zero_ns is guest
 * state from the start: a loaded machine goes on where the saved one stood, whatever epoch this one
 * was configured with. It is battery-backed: a reset leaves it, as QEMU's does.
 *
 * Invariant: the event is armed only while alarm_running. A load drives no wire: the interrupt
 * controller saves the level it was given. */
#include "devices/goldfish_rtc.h"

#include <inttypes.h>
#include <stdlib.h>

#define TIME_LOW        0x00u /* reading latches TIME_HIGH */
#define TIME_HIGH       0x04u
#define ALARM_LOW       0x08u /* writing arms the alarm: HIGH comes first */
#define ALARM_HIGH      0x0cu
#define IRQ_ENABLED     0x10u
#define CLEAR_ALARM     0x14u
#define ALARM_STATUS    0x18u
#define CLEAR_INTERRUPT 0x1cu

struct goldfish_rtc {
    struct device device;
    /* --- guest state --- */
    uint64_t zero_ns; /* the real-time clock at virtual time 0, modulo 2^64 */
    uint64_t alarm_ns;
    uint32_t time_high; /* latched by a read of TIME_LOW */
    bool alarm_running, irq_pending, irq_enabled;
    /* --- host side --- */
    struct goldfish_rtc_config config;
    struct event alarm; /* its deadline is saved by the event queue */
};

static uint64_t time_ns(const struct goldfish_rtc *r)
{
    return r->zero_ns + clock_now_ns(r->config.clock);
}

static uint64_t with_low(uint64_t v, uint32_t low)
{
    return (v & 0xffffffff00000000ull) | low;
}

static uint64_t with_high(uint64_t v, uint32_t high)
{
    return (v & 0xffffffffull) | (uint64_t)high << 32;
}

static void update_irq(struct goldfish_rtc *r)
{
    irq_set(&r->config.irq, r->irq_pending && r->irq_enabled);
}

static void clear_alarm(struct goldfish_rtc *r)
{
    event_disarm(r->config.events, &r->alarm);
    r->alarm_running = false;
}

static void ring(void *owner, uint64_t now_ns)
{
    (void)now_ns;
    struct goldfish_rtc *r = owner;
    r->alarm_running = false;
    r->irq_pending = true;
    update_irq(r);
}

/* An alarm in the past rings at once; one further away than virtual time reaches never does. */
static void set_alarm(struct goldfish_rtc *r)
{
    uint64_t virtual_ns = clock_now_ns(r->config.clock);
    uint64_t now_ns = r->zero_ns + virtual_ns;
    if (r->alarm_ns <= now_ns) {
        clear_alarm(r);
        ring(r, virtual_ns);
        return;
    }
    uint64_t wait_ns = min_u64(r->alarm_ns - now_ns, EVENT_NEVER - virtual_ns);
    r->alarm_running = true;
    event_arm(r->config.events, &r->alarm, virtual_ns + wait_ns);
}

/* Moves the clock; an alarm that runs is one of the new time. */
static void set_time(struct goldfish_rtc *r, uint64_t ns)
{
    r->zero_ns = ns - clock_now_ns(r->config.clock);
    if (r->alarm_running)
        set_alarm(r);
}

static uint64_t goldfish_rtc_read(void *device, uint64_t offset, unsigned size)
{
    (void)size;
    struct goldfish_rtc *r = device;
    uint64_t now_ns = time_ns(r);
    switch (offset) {
    case TIME_LOW:
        r->time_high = now_ns >> 32;
        return (uint32_t)now_ns;
    case TIME_HIGH:
        return r->time_high;
    case ALARM_LOW:
        return (uint32_t)r->alarm_ns;
    case ALARM_HIGH:
        return r->alarm_ns >> 32;
    case IRQ_ENABLED:
        return r->irq_enabled;
    case ALARM_STATUS:
        return r->alarm_running;
    }
    log_line(r->config.log, LOG_GUEST_ERRORS,
             "goldfish-rtc: no readable register at 0x%" PRIx64 ", reads as 0", offset);
    return 0;
}

static void goldfish_rtc_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    struct goldfish_rtc *r = device;
    switch (offset) {
    case TIME_LOW:
        set_time(r, with_low(time_ns(r), value));
        return;
    case TIME_HIGH:
        set_time(r, with_high(time_ns(r), value));
        return;
    case ALARM_LOW:
        r->alarm_ns = with_low(r->alarm_ns, value);
        set_alarm(r);
        return;
    case ALARM_HIGH:
        r->alarm_ns = with_high(r->alarm_ns, value);
        return;
    case IRQ_ENABLED:
        r->irq_enabled = value & 1;
        update_irq(r);
        return;
    case CLEAR_ALARM:
        clear_alarm(r);
        return;
    case CLEAR_INTERRUPT:
        r->irq_pending = false;
        update_irq(r);
        return;
    }
    log_line(r->config.log, LOG_GUEST_ERRORS,
             "goldfish-rtc: no writable register at 0x%" PRIx64 ", write ignored", offset);
}

static void goldfish_rtc_reset(struct device *d)
{
    struct goldfish_rtc *r = (struct goldfish_rtc *)d;
    r->alarm_ns = 0;
    r->time_high = 0;
    r->irq_pending = r->irq_enabled = false;
    clear_alarm(r);
    update_irq(r);
}

static void goldfish_rtc_state(struct device *d, struct state *s)
{
    struct goldfish_rtc *r = (struct goldfish_rtc *)d;
    state_section(s, "goldfish-rtc", 1);
    state_u64(s, &r->zero_ns);
    state_u64(s, &r->alarm_ns);
    state_u32(s, &r->time_high);
    state_bool(s, &r->alarm_running);
    state_bool(s, &r->irq_pending);
    state_bool(s, &r->irq_enabled);
}

static void goldfish_rtc_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops goldfish_rtc_ops = {
    .mmio = {.name = "goldfish-rtc",
             .read = goldfish_rtc_read,
             .write = goldfish_rtc_write,
             .sizes = 4},
    .reset = goldfish_rtc_reset,
    .state = goldfish_rtc_state,
    .destroy = goldfish_rtc_destroy,
};

struct device *goldfish_rtc_create(const struct goldfish_rtc_config *config)
{
    struct goldfish_rtc *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->device.ops = &goldfish_rtc_ops;
    r->config = *config;
    r->zero_ns = config->epoch_ns;
    event_register(config->events, &r->alarm, "goldfish-rtc-alarm", ring, r);
    return &r->device;
}
