/* The one door for what comes from outside: console bytes and received packets; keys and pointer
 * later. Any thread pushes; the machine's thread delivers between rounds, so that a recording is
 * the list of deliveries with their step counts. */
#ifndef RIVULET_BASE_INPUT_H
#define RIVULET_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input_door;

/* Takes up to n bytes and returns how many it took: the rest is offered again next round. */
typedef size_t input_sink(void *owner, const uint8_t *bytes, size_t n);

struct input_door *input_create(void);
void input_destroy(struct input_door *door);

/* What input_register returns when the host has no memory; pushes to it are lost. */
#define INPUT_NO_ENTRY (~0u)

/* A named entry; its number is handed to input_push. Before any other thread pushes. */
unsigned input_register(struct input_door *door, const char *name, input_sink *sink, void *owner);
/* An entry whose pushes are packets: the sink is offered one whole packet at a time, and takes all
 * of it or nothing. At most `most` packets wait: what comes then is lost, as at a network card. */
unsigned input_register_packets(struct input_door *door, const char *name, unsigned most,
                                input_sink *sink, void *owner);

/* Copies n bytes in, in order, and wakes input_wait. Any thread. The queue has no bound of its own:
 * a pusher that reads a stream stops reading while input_backlog is high. */
void input_push(struct input_door *door, unsigned entry, const void *bytes, size_t n);
/* Bytes pushed to this entry and not yet taken by its sink; for packets, their number. Any thread.
 */
size_t input_backlog(const struct input_door *door, unsigned entry);
/* Wakes input_wait and makes input_pending true once, with nothing to deliver. Async-signal-safe.
 */
void input_wake(struct input_door *door);
/* What waits in `from` waits in `to` instead; both have the same entries. Machine thread. For a
 * machine that takes the place of another. */
void input_move(struct input_door *from, struct input_door *to);

/* --- recording and replay: the machine's thread --- */

/* Sees all that sinks take, in its order. observe NULL: nobody does. */
void input_observe(struct input_door *door,
                   void (*observe)(void *owner, unsigned entry, const uint8_t *bytes, size_t n),
                   void *owner);
/* While the door is closed, what is pushed is lost, and what waited is too. */
void input_close(struct input_door *door, bool is_closed);
/* Offers bytes, or one packet, to a sink at once, past what waits. Whether it took them all; false
 * too when there is no such entry. */
bool input_give(struct input_door *door, unsigned entry, const void *bytes, size_t n);
/* The name of an entry; NULL: there are not so many. */
const char *input_entry_name(const struct input_door *door, unsigned entry);

/* Whether anything waits, refused bytes included; one relaxed atomic load. */
bool input_pending(const struct input_door *door);
/* Machine thread, between rounds: offers what waits to the sinks. */
void input_deliver(struct input_door *door);
/* Machine thread, all harts asleep: until something is pushed or timeout_ns host time is over
 * (UINT64_MAX: for ever). May return early; bytes that a sink refused do not end it. */
void input_wait(struct input_door *door, uint64_t timeout_ns);
/* The descriptor that can be read while input_wait would return at once. */
int input_wake_fd(const struct input_door *door);

#endif
