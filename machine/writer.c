/* Who wrote to memory: the past is run through again, interval by interval from its end, and what
 * writes to the range is noted (contract: history.h). */
#include "cpu/peek.h"
#include "machine/history.h"
#include "machine/internal.h"

struct search {
    struct machine *m;
    const struct machine_written *what;
    const struct machine_place *before;
    bool sleeps;    /* up to it, with the last step made */
    uint64_t value; /* what is there now */
    struct machine_writer last;
    bool found;
};

/* At most 8 bytes, little-endian, as one number. */
static uint64_t value_there(const struct search *s)
{
    uint8_t bytes[8] = {0};
    uint64_t value = 0, n = min_u64(s->what->n, sizeof bytes);
    if (!peek_physical(s->m->memory, s->what->gpa, bytes, n))
        return 0;
    for (uint64_t i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* While a hart is in its turn it is the one who writes: devices write between rounds, or when a
 * hart tells them to, within its instruction. */
static const char *other_writer(const struct machine *m)
{
    const struct round *r = &m->round;
    const char *who = recorder_giver(m->recorder);
    if (!who && r->running && r->turn_started)
        return NULL;
    return who ? who : m->events.firing ? m->events.firing : "the loader";
}

static void on_written(void *owner, uint64_t gpa, uint64_t n)
{
    struct search *s = owner;
    uint64_t steps = machine_steps(s->m), old = s->value;
    s->value = value_there(s);
    bool counts = !s->what->has_value || (s->value == s->what->value && old != s->value);
    if ((steps >= s->before->steps && !s->sleeps) || !counts)
        return;
    s->found = true;
    s->last = (struct machine_writer){.steps = steps,
                                      .other = other_writer(s->m),
                                      .hart = s->m->round.turn,
                                      .gpa = gpa,
                                      .n = n,
                                      .old = old,
                                      .now = s->value};
}

static void watch(struct search *s, memory_watcher *hook)
{
    struct machine *m = s->m;
    memory_watch(m->memory, s->what->gpa, hook ? s->what->n : 0, hook, s);
    for (unsigned i = 0; i < m->config.harts; i++)
        tlb_poison_all_stores(m->harts[i]->tlb);
}

/* What devices write while all harts sleep at `limit` comes behind its last step. A limit that is a
 * checkpoint's is left again by a hart's step, which is in the past. */
static bool run_through_sleep(struct search *s, uint64_t limit, struct error *err)
{
    struct machine_place awake = {.steps = limit, .ns = UINT64_MAX, .is_in_round = true};
    s->sleeps = limit == s->before->steps;
    bool ok = history_sleep_to(s->m, s->sleeps ? s->before : &awake, err);
    s->sleeps = false;
    return ok;
}

/* All that was written between a checkpoint and `limit`. */
static bool search_interval(struct search *s, uint64_t from, uint64_t limit, struct error *err)
{
    struct machine *m = s->m;
    if (!machine_go_to(m, from, err))
        return false;
    s->value = value_there(s);
    watch(s, on_written);
    machine_mute(m, true);
    machine_stop_at_total(m, limit);
    bool ok = history_run(m, err) && run_through_sleep(s, limit, err);
    machine_mute(m, false);
    watch(s, NULL);
    return ok;
}

bool machine_find_writer(struct machine *m, const struct machine_written *what,
                         const struct machine_place *before, struct machine_writer *writer,
                         bool *found, struct error *err)
{
    struct search s = {.m = m, .what = what, .before = before};
    uint64_t limit = before->steps, from;
    while (!s.found && (from = machine_checkpoint_before(m, limit)) != UINT64_MAX) {
        if (!search_interval(&s, from, limit, err))
            return false;
        limit = from;
    }
    *writer = s.last;
    *found = s.found;
    return true;
}
