/* What the tests of devices share: a clock and an event queue of their own, wires that remember,
 * round trips and damaged states, and a register fuzzer. */
#ifndef RIVULET_TESTS_UNIT_DEVICE_BENCH_H
#define RIVULET_TESTS_UNIT_DEVICE_BENCH_H

#include "devices/device.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- wires --- */

struct wire {
    bool level;
    unsigned rises;
};

/* irq.set; target is an array of wires. */
static inline void wire_set(void *target, unsigned number, bool level)
{
    struct wire *w = (struct wire *)target + number;
    w->rises += level && !w->level;
    w->level = level;
}

static inline struct irq wire_to(struct wire *wires, unsigned number)
{
    return (struct irq){.set = wire_set, .target = wires, .number = number};
}

/* --- time --- */

struct bench_time {
    struct clock clock;
    struct event_queue events;
};

static inline void bench_nothing(void *owner)
{
    (void)owner;
}

static inline void bench_time_init(struct bench_time *t)
{
    *t = (struct bench_time){.clock.follows_host = false};
    events_init(&t->events, bench_nothing, NULL);
}

/* Virtual time moves on and events fire at their own times, as in the run loop. */
static inline void bench_advance(struct bench_time *t, uint64_t ns)
{
    uint64_t end = t->clock.now_ns + ns;
    while (t->events.next_ns <= end) {
        t->clock.now_ns = max_u64(t->clock.now_ns, t->events.next_ns);
        events_run(&t->events, t->clock.now_ns);
    }
    t->clock.now_ns = end;
}

/* --- registers --- */

static inline uint64_t reg_read(struct device *d, uint64_t offset, unsigned size)
{
    return d->ops->mmio.read(d, offset, size);
}

static inline void reg_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    d->ops->mmio.write(d, offset, value, size);
}

static inline uint64_t bench_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* One access to any offset of the region, now and then far outside, of any width, aligned or not,
 * with values small and large: more than the bus would let through. */
static inline void fuzz_once(struct device *d, uint64_t region_bytes, uint64_t *seed)
{
    uint64_t r = bench_random(seed);
    unsigned size = 1u << (r & 3);
    uint64_t offset = bench_random(seed);
    if (r >> 2 & 15)
        offset %= region_bytes;
    if (r >> 6 & 3)
        offset &= ~(uint64_t)(size - 1);
    uint64_t value = bench_random(seed) >> (r >> 8 & 63);
    if (r >> 14 & 1)
        reg_write(d, offset, value, size);
    else
        reg_read(d, offset, size);
}

/* --- state --- */

static inline uint64_t device_hash(struct device *d)
{
    struct state *s = state_new_hash();
    d->ops->state(d, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

static inline bool device_load(struct device *d, const void *data, size_t size)
{
    struct state *s = state_new_load(data, size);
    d->ops->state(d, s);
    bool ok = state_ok(s);
    state_free(s);
    return ok;
}

/* A saved state of d; the caller frees it. */
static inline uint8_t *device_save(struct device *d, size_t *size)
{
    struct state *s = state_new_save();
    d->ops->state(d, s);
    const void *data = state_data(s, size);
    uint8_t *copy = malloc(*size + 1);
    memcpy(copy, data, *size);
    state_free(s);
    return copy;
}

/* Hands the deadlines of one queue's events to another, as a save and load of the machine does. */
static inline void copy_events(struct event_queue *from, struct event_queue *to)
{
    struct state *save = state_new_save();
    events_state(from, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    events_state(to, load);
    ck_assert(state_ok(load));
    state_free(load);
    state_free(save);
}

/* What one device saves, another loads, and then the two are equal. */
static inline void check_round_trip(struct device *from, struct device *to)
{
    ck_assert_uint_ne(device_hash(from), device_hash(to));
    size_t size;
    uint8_t *saved = device_save(from, &size);
    ck_assert(device_load(to, saved, size));
    ck_assert_uint_eq(device_hash(from), device_hash(to));
    free(saved);
}

/* A state that is cut short is refused; one with a damaged byte is refused or harmless. */
static inline void check_damaged_states(struct device *from, struct device *to,
                                        uint64_t region_bytes)
{
    size_t size;
    uint8_t *saved = device_save(from, &size);
    uint64_t seed = 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < size; i++) {
        ck_assert(!device_load(to, saved, i));
        uint8_t whole = saved[i];
        saved[i] ^= 1 + bench_random(&seed) % 255;
        to->ops->reset(to);
        device_load(to, saved, size);
        for (unsigned n = 0; n < 100; n++)
            fuzz_once(to, region_bytes, &seed);
        saved[i] = whole;
    }
    free(saved);
}

/* --- log --- */

struct bench_log {
    struct log *log;
    char path[32];
};

static inline void bench_log_open(struct bench_log *l)
{
    strcpy(l->path, "/tmp/rivulet-test-XXXXXX");
    int fd = mkstemp(l->path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct error err;
    l->log = log_open(l->path, LOG_GUEST_ERRORS | LOG_UNIMP, &err);
    ck_assert_ptr_nonnull(l->log);
}

/* Closes the log and counts its lines that hold a text. */
static inline unsigned bench_log_close(struct bench_log *l, const char *text)
{
    log_close(l->log);
    FILE *f = fopen(l->path, "r");
    ck_assert_ptr_nonnull(f);
    unsigned count = 0;
    for (char line[512]; fgets(line, sizeof line, f);)
        count += strstr(line, text) != NULL;
    fclose(f);
    unlink(l->path);
    return count;
}

#endif
