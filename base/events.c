/* The event queue (contract: events.h). A machine has about a dozen events, so the list is kept in
 * order of registration and searched; only next_ns, which the run loop reads, is cached.
 *
 * Invariant: next_ns is the least deadline whenever no function of this file is at work. */
#include "base/events.h"

#include "base/bits.h"

#include <assert.h>

#define EVENT_NAME_MAX 63u

void events_init(struct event_queue *q, void (*on_change)(void *owner), void *owner)
{
    *q = (struct event_queue){.next_ns = EVENT_NEVER, .on_change = on_change, .owner = owner};
}

/* The earliest; of equal ones the first registered. NULL only when nothing is registered. */
static struct event *earliest(const struct event_queue *q)
{
    struct event *best = q->first;
    for (struct event *e = q->first; e; e = e->next) {
        if (e->deadline_ns < best->deadline_ns)
            best = e;
    }
    return best;
}

static void update_next(struct event_queue *q)
{
    const struct event *e = earliest(q);
    uint64_t next_ns = e ? e->deadline_ns : EVENT_NEVER;
    if (next_ns == q->next_ns)
        return;
    q->next_ns = next_ns;
    if (q->on_change)
        q->on_change(q->owner);
}

void event_register(struct event_queue *q, struct event *e, const char *name,
                    void (*fire)(void *owner, uint64_t now_ns), void *owner)
{
    assert(strlen(name) <= EVENT_NAME_MAX && "an event's name is short: it is saved");
    *e = (struct event){.name = name, .fire = fire, .owner = owner, .deadline_ns = EVENT_NEVER};
    struct event **end = &q->first;
    while (*end)
        end = &(*end)->next;
    *end = e;
}

void event_arm(struct event_queue *q, struct event *e, uint64_t deadline_ns)
{
    e->deadline_ns = deadline_ns;
    update_next(q);
}

void event_disarm(struct event_queue *q, struct event *e)
{
    event_arm(q, e, EVENT_NEVER);
}

void events_run(struct event_queue *q, uint64_t now_ns)
{
    while (q->next_ns <= now_ns && q->next_ns != EVENT_NEVER) {
        struct event *e = earliest(q);
        event_disarm(q, e);
        q->firing = e->name;
        e->fire(e->owner, now_ns);
    }
    q->firing = NULL;
}

static struct event *find_event(const struct event_queue *q, const char *name)
{
    for (struct event *e = q->first; e; e = e->next) {
        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL;
}

/* Saved by name, so that a board that registers in another order loads the same file. */
static void event_state(struct event_queue *q, struct event *e, struct state *s)
{
    char name[EVENT_NAME_MAX + 1] = "";
    uint8_t length = (uint8_t)strlen(e->name);
    memcpy(name, e->name, length);
    state_u8(s, &length);
    if (length > EVENT_NAME_MAX) {
        state_fail(s, "an event's name of %u bytes", length);
        return;
    }
    state_bytes(s, name, length);
    name[length] = 0;
    struct event *named = find_event(q, name);
    if (named)
        state_u64(s, &named->deadline_ns);
    else
        state_fail(s, "this machine has no event '%s'", name);
}

void events_state(struct event_queue *q, struct state *s)
{
    state_section(s, "events", 1);
    uint64_t count = 0;
    for (struct event *e = q->first; e; e = e->next)
        count++;
    uint64_t seen = count;
    state_u64(s, &seen);
    if (seen != count)
        state_fail(s, "%llu events, this machine has %llu", (unsigned long long)seen,
                   (unsigned long long)count);
    for (struct event *e = q->first; e && state_ok(s); e = e->next)
        event_state(q, e, s);
    update_next(q);
}
