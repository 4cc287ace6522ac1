/* Commands that move in the past of the machine, and ask about it. */
#include "debug/monitor_internal.h"

#include "cpu/hart.h"
#include "cpu/peek.h"
#include "debug/past.h"

#include <inttypes.h>

static bool step_back(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps = 1;
    if ((*a->rest && !argument_number(m, a, &steps, err)) || !argument_end(a, err))
        return false;
    return past_step(m->control, m->hart, steps, err);
}

static bool run_back(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && past_continue(m->control, m->hart, err);
}

static bool go_to(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps;
    if (!argument_number(m, a, &steps, err) || !argument_end(a, err) ||
        !past_go_to(m->control, steps, err))
        return false;
    m->is_stepping = control_state(m->control) == RUN_RUNNING;
    return true;
}

static bool run_until(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps;
    if (!argument_number(m, a, &steps, err) || !argument_end(a, err) ||
        !control_run_until(m->control, steps, err))
        return false;
    m->is_stepping = true;
    return true;
}

static bool branch(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && control_branch(m->control, err);
}

/* --- who wrote ---------------------------------------------------------------------------- */

/* At most 8 bytes, little-endian, as one number. */
static uint64_t value_at(struct monitor *m, uint64_t gpa, uint64_t n)
{
    uint8_t bytes[8] = {0};
    uint64_t value = 0;
    n = min_u64(n, sizeof bytes);
    if (!peek_physical(monitor_hart(m)->ports.memory, gpa, bytes, n))
        return 0;
    for (uint64_t i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* The machine stands before the write: one step on for the new value, and back. */
static bool show_writer(struct monitor *m, const struct machine_writer *w, struct error *err)
{
    size_t length;
    int digits = (int)(2 * min_u64(w->n, 8));
    uint64_t before = value_at(m, w->gpa, w->n);
    if (!past_go_to(m->control, w->steps + 1, err))
        return false;
    uint64_t after = value_at(m, w->gpa, w->n);
    if (!past_go_to(m->control, w->steps, err))
        return false;
    if (w->is_device)
        say(m, "step %" PRIu64 ", a device, between two instructions\n", w->steps);
    else
        say(m, "step %" PRIu64 ", hart %u\n", w->steps, w->hart);
    struct hart *h = machine_hart(monitor_machine(m), w->hart);
    if (!w->is_device)
        (void)monitor_show_instruction(m, h, h->pc, &length);
    say(m, "0x%" PRIx64 ", %" PRIu64 " bytes: 0x%0*" PRIx64 " became 0x%0*" PRIx64 "\n", w->gpa,
        w->n, digits, before, digits, after);
    return true;
}

/* "phys ADDR" is physical; an address alone is one of the current hart's. */
static bool who_wrote(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t address, n = 1, gpa;
    struct machine_writer writer;
    bool found, is_physical = strncmp(a->rest, "phys ", 5) == 0;
    a->rest += is_physical ? 5 : 0;
    if (!argument_number(m, a, &address, err) || (*a->rest && !argument_number(m, a, &n, err)) ||
        !argument_end(a, err))
        return false;
    gpa = address;
    if (!is_physical && !peek_address(monitor_hart(m), address, &gpa))
        return error_set(err, "0x%" PRIx64 " leads nowhere now", address);
    if (n == 0 || n > MACHINE_PAGE_BYTES - gpa % MACHINE_PAGE_BYTES)
        return error_set(err, "%" PRIu64 " bytes: give 1 or more that lie on one page", n);
    if (!past_find_writer(m->control, gpa, n, &writer, &found, err))
        return false;
    if (found)
        return show_writer(m, &writer, err);
    say(m, "Nobody since step %" PRIu64 ".\n", machine_history_start(monitor_machine(m)));
    return true;
}

const struct monitor_row monitor_past_rows[] = {
    {"reverse-step", "rs", "[N]", "go N steps of the current hart back", step_back},
    {"reverse-continue", "rc", "", "run back to the last breakpoint or watchpoint", run_back},
    {"goto", NULL, "STEP", "go to a moment, the sum of all harts' steps, back or forth", go_to},
    {"run-until", NULL, "STEP", "run until all harts together have made so many steps", run_until},
    {"branch", NULL, "", "make what is seen now the present: what came after it is lost", branch},
    {"who-wrote", NULL, "[phys] ADDR [BYTES]",
     "find who wrote there last, and go there; physical, or the current hart's address", who_wrote},
    {.name = NULL},
};
