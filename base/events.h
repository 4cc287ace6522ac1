/* The event queue: named things that happen at a virtual time. An event is embedded in its owner,
 * registered once, and armed or disarmed; the queue never allocates. Two events of the same time
 * fire in the order of registration, so that a run is reproducible. */
#ifndef RIVULET_BASE_EVENTS_H
#define RIVULET_BASE_EVENTS_H

#include "base/state.h"

#include <stdint.h>

#define EVENT_NEVER UINT64_MAX

struct event {
    const char *name;
    void (*fire)(void *owner, uint64_t now_ns);
    void *owner;
    uint64_t deadline_ns; /* EVENT_NEVER: disarmed */
    struct event *next;   /* in order of registration */
};

struct event_queue {
    struct event *first;
    uint64_t next_ns;   /* the earliest deadline of all */
    const char *firing; /* while one does: its name */
    /* Called when the earliest deadline moved, so that the run loop shortens its slice. */
    void (*on_change)(void *owner);
    void *owner;
};

void events_init(struct event_queue *q, void (*on_change)(void *owner), void *owner);
void event_register(struct event_queue *q, struct event *e, const char *name,
                    void (*fire)(void *owner, uint64_t now_ns), void *owner);
void event_arm(struct event_queue *q, struct event *e, uint64_t deadline_ns);
void event_disarm(struct event_queue *q, struct event *e);
/* Fires every event whose deadline is at or before now_ns, earliest first. An event is disarmed
 * when it fires and may arm itself or others again; what it arms at or before now_ns fires in this
 * same call, so that a periodic event needs a period above zero. */
void events_run(struct event_queue *q, uint64_t now_ns);
void events_state(struct event_queue *q, struct state *s);

#endif
