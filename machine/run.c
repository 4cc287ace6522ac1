/* The run loop: rounds.
 *
 * All harts run the same virtual interval [start, end) in turn, on this thread. What comes from
 * outside and what devices have scheduled happens between rounds. A hart's present is the round's
 * start plus its own steps. With icount all of this is a function of the guest's state alone: a
 * round's length comes from the machine's own random state (or is fixed, with one hart), never from
 * where a caller's limit lies; a run that is interrupted goes on in the middle of its round.
 *
 * With the host clock a round is a number of steps, and time is what the host says. */
#include "devices/htif.h"
#include "devices/virtio/blk.h"
#include "machine/semihost.h"

#define SLICE_STEPS_ALONE 65536u /* one hart: console input is seen 15,000 times a second */
#define SLICE_STEPS_LEAST 8192u  /* several: 8,192 to 16,383, so that their order varies */
#define IDLE_POLL_NS      100000000ull

static uint64_t slice_steps(struct machine *m)
{
    if (m->config.harts == 1)
        return SLICE_STEPS_ALONE;
    return SLICE_STEPS_LEAST + random_next(&m->round.random_state) % SLICE_STEPS_LEAST;
}

/* --- a hart's turn ----------------------------------------------------------------------- */

static void set_hart_time(struct hart *h, uint64_t now_ns)
{
    h->time_base_ns = now_ns;
    h->time_base_steps = h->steps;
}

/* Whether the hart runs in this interval; one that sleeps is moved to the moment its timer wakes
 * it. */
static bool wake(struct machine *m, struct hart *h)
{
    if (h->stopped)
        return false;
    while (h->waiting && !hart_has_wakeup(h)) {
        uint64_t deadline = hart_timer_deadline_ns(h);
        if (m->clock.follows_host || deadline >= m->round.end_ns)
            return false;
        set_hart_time(h, deadline);
    }
    h->waiting = false;
    return true;
}

/* Whether the hart has made the steps of machine_stop_at, or all have those of
 * machine_stop_at_total; that is told once. */
static bool ends_step(struct machine *m, const struct hart *h)
{
    bool one = h->id == m->step_hart && h->steps >= m->step_end;
    bool all = m->total_end != UINT64_MAX && machine_steps(m) >= m->total_end;
    if (!one && !all)
        return false;
    if (one)
        m->step_end = UINT64_MAX;
    if (all)
        m->total_end = UINT64_MAX;
    m->exit = (struct machine_exit){.stop = MACHINE_STEPPED, .hart = h->id};
    return true;
}

/* The hart's last step of this round; with the host clock it may stop up to HART_RUN_SLACK before.
 */
static uint64_t last_step(const struct machine *m, const struct hart *h)
{
    if (m->clock.follows_host)
        return h->time_base_steps + SLICE_STEPS_LEAST;
    uint64_t now = hart_now_ns(h);
    uint64_t left = now < m->round.end_ns ? m->round.end_ns - now : 0;
    return h->steps + (left >> m->config.icount_shift);
}

static bool guest_asks(const struct machine *m)
{
    return m->ends || m->wants_reset;
}

/* The hart's step at which somebody wants it to stand. */
static uint64_t first_stop(const struct machine *m, const struct hart *h)
{
    uint64_t now = machine_steps(m), total = m->total_end;
    uint64_t first = h->id == m->step_hart ? m->step_end : UINT64_MAX;
    if (m->recorder)
        total = min_u64(total, recorder_edit_steps(m->recorder));
    return total == UINT64_MAX ? first : min_u64(first, h->steps + (total - now));
}

/* In a replay, what a debugger changed here is changed again. */
static bool edits(struct machine *m)
{
    return m->recorder && recorder_edit(m->recorder);
}

/* True: the turn is over. False: stopped in the middle; m->exit says why. */
static bool run_turn(struct machine *m, struct hart *h)
{
    if (edits(m) && guest_asks(m))
        return false;
    if (!m->round.turn_started)
        set_hart_time(h, m->round.start_ns);
    m->round.turn_started = true;
    for (;;) {
        if (edits(m) && guest_asks(m))
            return false;
        if (!wake(m, h))
            break;
        if (edits(m)) {
            if (guest_asks(m))
                return false;
            continue;
        }
        uint64_t most = last_step(m, h);
        uint64_t least = m->clock.follows_host ? most - HART_RUN_SLACK : most;
        if (h->steps >= least)
            break;
        uint64_t first = first_stop(m, h);
        if (first <= most)
            least = most = first;
        enum hart_stop stop = hart_run_between(h, least, most);
        if (stop == HART_BREAKPOINT) {
            m->exit = (struct machine_exit){.stop = MACHINE_BREAKPOINT, .hart = h->id};
            return false;
        }
        if (stop == HART_WATCHPOINT) {
            m->exit = (struct machine_exit){
                .stop = MACHINE_WATCHPOINT, .hart = h->id, .watch = h->watch_hit};
            return false;
        }
        if (stop == HART_REQUEST)
            return false;
        if (stop == HART_YIELDS && m->config.harts > 1)
            break;
        if (ends_step(m, h))
            return false;
    }
    m->round.turn_started = false;
    return true;
}

/* --- rounds ------------------------------------------------------------------------------ */

static bool all_asleep(const struct machine *m)
{
    for (unsigned i = 0; i < m->config.harts; i++) {
        const struct hart *h = m->harts[i];
        if (!h->stopped && (!h->waiting || hart_has_wakeup(h)))
            return false;
    }
    return true;
}

/* When something will happen by itself: an event or a hart's timer. */
static uint64_t next_deadline_ns(const struct machine *m)
{
    uint64_t next = m->events.next_ns;
    for (unsigned i = 0; i < m->config.harts; i++)
        if (!m->harts[i]->stopped)
            next = min_u64(next, hart_timer_deadline_ns(m->harts[i]));
    return next;
}

/* All harts sleep: time goes on to the next deadline, at most to until_ns; at host pace when input
 * may come meanwhile, or when nothing else will. */
static void idle(struct machine *m, uint64_t until_ns)
{
    bool replays = m->recorder && recorder_is_replay(m->recorder);
    uint64_t now = machine_now_ns(m), next = min_u64(next_deadline_ns(m), until_ns);
    if (replays)
        next = min_u64(next, recorder_next_ns(m->recorder));
    /* The host's time went on: a timer that was due before `next` was looked for is not in it. */
    bool woken = m->clock.follows_host && !all_asleep(m);
    if (next <= now || woken)
        return;
    bool jumps = replays || !m->config.icount_sleep;
    if (!m->clock.follows_host && jumps && next != EVENT_NEVER) {
        m->round.end_ns = next;
        return;
    }
    uint64_t began = os_monotonic_ns();
    input_wait(m->door, min_u64(next - now, IDLE_POLL_NS));
    if (!m->clock.follows_host)
        m->round.end_ns = min_u64(next, now + os_monotonic_ns() - began);
}

/* Between two rounds all harts stand at the same time. So nothing of how they came there is left in
 * the state, be it one sleep or several. */
void machine_meet(struct machine *m)
{
    m->round.end_ns = machine_now_ns(m);
    m->clock.now_ns = m->round.end_ns;
    for (unsigned i = 0; i < m->config.harts; i++)
        set_hart_time(m->harts[i], m->round.end_ns);
}

/* After machine_meet(). The round does not run yet while all harts sleep, and when an event or
 * input made the guest, or a disk that failed, ask for something. */
static void begin_round(struct machine *m, uint64_t until_ns)
{
    uint64_t now = m->round.end_ns;
    if (m->recorder)
        recorder_round(m->recorder, now);
    else if (input_pending(m->door))
        input_deliver(m->door);
    if (guest_asks(m))
        return;
    if (m->semihost)
        semihost_wake(m);
    if (m->htif)
        htif_poll(m->htif);
    if (m->events.next_ns <= now)
        events_run(&m->events, now);
    if (m->recorder)
        recorder_after_events(m->recorder, now);
    if (guest_asks(m))
        return;
    if (all_asleep(m)) {
        if (m->recorder)
            recorder_sleep(m->recorder, now);
        idle(m, until_ns);
        return;
    }
    m->round.start_ns = now;
    if (!m->clock.follows_host) {
        uint64_t end = now + (slice_steps(m) << m->config.icount_shift);
        m->round.end_ns = min_u64(end, max_u64(m->events.next_ns, now + 1));
    }
    m->round.turn = 0;
    m->round.running = true;
}

/* False: stopped in the middle. */
static bool run_round(struct machine *m)
{
    while (m->round.running) {
        struct hart *h = m->harts[m->round.turn];
        if (!run_turn(m, h))
            return false;
        m->round.turn = (m->round.turn + 1) % m->config.harts;
        m->round.running = m->round.turn != 0;
        if (ends_step(m, h)) /* with the last step of its turn */
            return false;
    }
    return true;
}

/* False: the run ends; m->exit says why. */
static bool serve_guest(struct machine *m)
{
    struct error err;
    if (m->ends) {
        m->ends = m->wants_reset = false;
        /* Whoever edited here then went on from this end. */
        return m->recorder && recorder_edit_is_due(m->recorder);
    }
    if (machine_reset(m, &err))
        return true;
    log_line(m->config.log, LOG_GUEST_ERRORS, "reset: %s", err.text);
    m->exit = (struct machine_exit){.stop = MACHINE_POWER_OFF, .status = 1};
    return false;
}

/* A moment that is gone to is that behind all edits; but a breakpoint is one of its own pc. */
static void settle(struct machine *m)
{
    if (m->exit.stop == MACHINE_STEPPED)
        edits(m);
}

static struct machine_exit run_rounds(struct machine *m, uint64_t until_ns)
{
    for (unsigned i = 0; i < m->disk_count; i++)
        virtio_blk_retry(m->disks[i]);
    for (;;) {
        if (guest_asks(m) && !serve_guest(m))
            return m->exit;
        if (atomic_load_explicit(&m->stop_requested, memory_order_relaxed)) {
            atomic_store_explicit(&m->stop_requested, false, memory_order_relaxed);
            return (struct machine_exit){.stop = MACHINE_REQUEST};
        }
        if (!m->round.running) {
            machine_meet(m);
            if (m->round.end_ns >= until_ns)
                return (struct machine_exit){.stop = MACHINE_TIME_LIMIT};
            begin_round(m, until_ns);
        }
        if (!run_round(m) && !guest_asks(m)) {
            settle(m);
            return m->exit;
        }
    }
}

struct machine_exit machine_run(struct machine *m, uint64_t until_ns)
{
    clock_start(&m->clock);
    struct machine_exit exit = run_rounds(m, until_ns);
    if (!m->round.running) /* a caller's wish that came behind a round's end shows in no state */
        machine_meet(m);
    clock_stop(&m->clock);
    return exit;
}

void machine_request_stop(struct machine *m)
{
    atomic_store_explicit(&m->stop_requested, true, memory_order_relaxed);
    input_wake(m->door);
}

void machine_stop_at_total(struct machine *m, uint64_t end_steps)
{
    m->total_end = end_steps;
}

void machine_stop_at(struct machine *m, unsigned hart, uint64_t end_steps)
{
    m->step_hart = hart;
    m->step_end = end_steps;
}
