/* What one hart does while an interval of its past is run through, for who looks for the last
 * something: intervals come from the latest to the earliest. Machine thread. */
#ifndef RIVULET_DEBUG_PAST_WATCH_H
#define RIVULET_DEBUG_PAST_WATCH_H

#include "debug/past.h"

struct past_watch;

/* The hart's last step; if it was a return, or the end of a trap, the call or trap that it belongs
 * to. outwards: the call or trap that led to where the hart is now. NULL: no memory. */
struct past_watch *past_watch_calls(struct hart *h, bool outwards);
/* The last write to a register. NULL: no memory. */
struct past_watch *past_watch_register(struct hart *h, const struct reg *r);
void past_watch_destroy(struct past_watch *w);

/* Whether there is a way of looking that costs little where nothing is to be seen; once past_next
 * knows where it leads there is for calls. */
bool past_watch_is_fast(const struct past_watch *w);
/* Around a run through an interval. fast: in that way, if there is one; what is found is the same.
 */
void past_watch_begin(struct past_watch *w, struct machine *m, unsigned hart, bool fast);
void past_watch_end(struct past_watch *w);
/* False and err: no memory for all that was seen. */
bool past_watch_check(const struct past_watch *w, struct error *err) MUST_CHECK;
/* Whether it was in this interval: the moment before it, all harts' steps. */
bool past_watch_find(struct past_watch *w, uint64_t *steps);
/* Of past_watch_register: what was found; false: nothing was. */
bool past_watch_change(const struct past_watch *w, struct past_change *change);

#endif
