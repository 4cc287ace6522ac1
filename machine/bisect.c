/* Where two replays part (contract: bisect.h): both run in ever longer strides until their states
 * are different, and then go back and forth between the last moment at which they were the same and
 * the first at which they are not. */
#include "machine/bisect.h"

#include "machine/history.h"
#include "machine/record.h"

#include <stdio.h>

#define FIRST_STRIDE (1ull << 8)
#define MOST_STRIDE  (1ull << 28)

/* Forwards. *ended: the recording, or the guest, ended before. */
static bool run_to(struct machine *m, uint64_t steps, bool *ended, struct error *err)
{
    machine_stop_at_total(m, steps);
    for (;;) {
        switch (machine_run(m, UINT64_MAX).stop) {
        case MACHINE_STEPPED:
            return true;
        case MACHINE_RESET:
            if (!machine_reset(m, err))
                return false;
            break;
        case MACHINE_DIVERGED:
            return error_set(err, "%s", machine_replay_end(m));
        case MACHINE_IO_ERROR:
            return error_set(err, "a disk has failed");
        case MACHINE_REPLAYED:
        case MACHINE_POWER_OFF:
            *ended = true;
            return true;
        default:
            break;
        }
    }
}

static bool same(struct machine *a, struct machine *b)
{
    return machine_steps(a) == machine_steps(b) && machine_hash(a) == machine_hash(b);
}

/* *last: the last moment that is known to be the same; *first: one that is not. False and no error:
 * there is none. */
static bool find_strides(struct machine *a, struct machine *b, uint64_t *last, uint64_t *first,
                         struct bisection *found, struct error *err)
{
    bool a_ended = false, b_ended = false;
    for (uint64_t stride = FIRST_STRIDE;; stride = min_u64(2 * stride, MOST_STRIDE)) {
        uint64_t to = *last + stride;
        if (!run_to(a, to, &a_ended, err))
            return false;
        if (a_ended)
            to = machine_steps(a);
        if (to > *last && !run_to(b, to, &b_ended, err))
            return false;
        if (b_ended && machine_steps(b) < to) {
            to = machine_steps(b);
            a_ended = false; /* later than here, if at all */
            if (!machine_go_to(a, to, err))
                return false;
        }
        /* At an end the moment may be another one of the same step: the one before decides. */
        if ((a_ended || b_ended) && to > *last) {
            to--;
            if (!machine_go_to(a, to, err) || !machine_go_to(b, to, err))
                return false;
        }
        *first = to;
        if (!same(a, b))
            return true;
        *last = to;
        if (a_ended || b_ended) {
            snprintf(found->end, sizeof found->end, "the recording of %s ends there",
                     a_ended && b_ended ? "both"
                     : a_ended          ? "the first"
                                        : "the second");
            return true;
        }
    }
}

/* Whether both are the same where the round begins; both stand there, or at an end before it. */
static bool same_at(struct machine *a, struct machine *b, uint64_t ns)
{
    bool ok = machine_run(a, ns).stop == MACHINE_TIME_LIMIT;
    return machine_run(b, ns).stop == MACHINE_TIME_LIMIT && ok && same(a, b);
}

/* Back to where the past of both begins: not before the first round, for a recording may begin in
 * the middle of one. */
static bool go_to_start(struct machine *a, struct machine *b, uint64_t *start, struct error *err)
{
    *start = machine_history_start(a);
    if (!machine_go_to(a, *start, err) || !machine_go_to(b, *start, err))
        return false;
    return same(a, b) || error_set(err,
                                   "they are different at step %llu already, before which there "
                                   "is no way back",
                                   (unsigned long long)*start);
}

bool machine_bisect(struct machine *a, struct machine *b, uint64_t same_ns, struct bisection *found,
                    struct error *err)
{
    uint64_t last = 0, first = 0;
    *found = (struct bisection){0};
    if (!same(a, b))
        return error_set(err, "the two machines are different before their first step");
    if (same_at(a, b, same_ns))
        last = machine_steps(a);
    else if (!go_to_start(a, b, &last, err))
        return false;
    if (!find_strides(a, b, &last, &first, found, err))
        return false;
    found->differs = first > last;
    while (first - last > 1 && found->differs) {
        uint64_t middle = last + (first - last) / 2;
        if (!machine_go_to(a, middle, err) || !machine_go_to(b, middle, err))
            return false;
        *(same(a, b) ? &last : &first) = middle;
    }
    found->steps = last;
    return machine_go_to(a, last, err) && machine_go_to(b, last, err);
}
