/* Commands that stop the machine and let it go on, change it while it runs, or end it. */
#include "debug/monitor_internal.h"

#include "cpu/hart.h"

#define RULE_BYTES 256u

static bool quit(struct monitor *m, struct arguments *a, struct error *err)
{
    if (!argument_end(a, err))
        return false;
    control_quit(m->control);
    return true;
}

static bool stop(struct monitor *m, struct arguments *a, struct error *err)
{
    if (!argument_end(a, err))
        return false;
    control_stop(m->control, RUN_PAUSED);
    return true;
}

static bool go_on(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && control_continue(m->control, err);
}

static bool step(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t steps = 1;
    if ((*a->rest && !argument_number(m, a, &steps, err)) || !argument_end(a, err) ||
        !control_step(m->control, m->hart, steps, err))
        return false;
    m->is_stepping = true;
    return true;
}

static bool reset(struct monitor *m, struct arguments *a, struct error *err)
{
    return argument_end(a, err) && control_reset(m->control, err);
}

static bool power_down(struct monitor *m, struct arguments *a, struct error *err)
{
    (void)m, (void)a;
    return error_set(err, "the board has no power button: tell the guest to power off");
}

static bool inject_nmi(struct monitor *m, struct arguments *a, struct error *err)
{
    (void)m, (void)a;
    return error_set(err, "the board has no non-maskable interrupt");
}

static bool choose_hart(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t number;
    if (!argument_number(m, a, &number, err) || !argument_end(a, err))
        return false;
    if (number >= MACHINE_MAX_HARTS || !machine_hart(monitor_machine(m), (unsigned)number))
        return error_set(err, "there is no hart %llu", (unsigned long long)number);
    m->hart = (unsigned)number;
    return true;
}

/* [END] */
static bool serve_gdb(struct monitor *m, struct arguments *a, struct error *err)
{
    char end[256];
    argument_word(a, end, sizeof end);
    if (!argument_end(a, err))
        return false;
    if (!m->open_gdb)
        return error_set(err, "gdb cannot come here later; start with -gdb");
    const char *place = *end ? end : "tcp::1234";
    if (!m->open_gdb(m->gdb_owner, place, err))
        return false;
    if (strcmp(place, "none") == 0)
        say(m, "Disabled gdbserver\n");
    else
        say(m, "Waiting for gdb connection on device '%s'\n", place);
    return true;
}

/* --- networks ---------------------------------------------------------------------------- */

/* [NETDEV] RULE: netdev is "" when it is not given. */
static bool read_forward(struct arguments *a, char *netdev, char *rule, struct error *err)
{
    argument_word(a, netdev, RULE_BYTES);
    argument_word(a, rule, RULE_BYTES);
    if (!*rule) {
        memcpy(rule, netdev, RULE_BYTES);
        *netdev = 0;
    }
    if (!*rule)
        return error_set(err, "a rule is needed, for example tcp::2222-:22");
    return argument_end(a, err);
}

static bool add_forward(struct monitor *m, struct arguments *a, struct error *err)
{
    char netdev[RULE_BYTES], rule[RULE_BYTES];
    return read_forward(a, netdev, rule, err) &&
           machine_add_forward(monitor_machine(m), *netdev ? netdev : NULL, rule, err);
}

static bool remove_forward(struct monitor *m, struct arguments *a, struct error *err)
{
    char netdev[RULE_BYTES], rule[RULE_BYTES];
    if (!read_forward(a, netdev, rule, err) ||
        !machine_remove_forward(monitor_machine(m), *netdev ? netdev : NULL, rule, err))
        return false;
    say(m, "host forwarding rule for %s removed\n", rule);
    return true;
}

/* --- the table --------------------------------------------------------------------------- */

const struct monitor_row monitor_run_rows[] = {
    {"quit", "q", "", "end the program", quit},
    {"stop", "s", "", "stop the machine; its time stands still", stop},
    {"cont", "c", "", "let the machine go on", go_on},
    {"step", "si", "[N]", "go on for N instructions (1) of the current hart", step},
    {"system_reset", NULL, "", "reset the machine", reset},
    {"system_powerdown", NULL, "", "press the power button", power_down},
    {"nmi", NULL, "", "a non-maskable interrupt, which the board has not", inject_nmi},
    {"cpu", NULL, "N", "make hart N the current one", choose_hart},
    {"gdbserver", NULL, "[END|none]",
     "let gdb come, as -gdb END does (tcp::1234), and no more to the end before", serve_gdb},
    {"hostfwd_add", NULL, "[NETDEV] [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT",
     "let a port of the host lead into the guest", add_forward},
    {"hostfwd_remove", NULL, "[NETDEV] [tcp|udp]:[HOSTADDR]:HOSTPORT", "close it again",
     remove_forward},
    {.name = NULL},
};

/* --- where it stopped -------------------------------------------------------------------- */

void monitor_show_stop(struct monitor *m, const struct byte_sink *out)
{
    struct machine_exit exit = control_exit(m->control);
    enum run_state state = control_state(m->control);
    struct byte_sink before = m->out; /* a command may be the cause */
    m->out = *out;
    if (state == RUN_DEBUG)
        m->hart = exit.hart;
    struct hart *h = monitor_hart(m);
    if (exit.stop == MACHINE_BREAKPOINT)
        say(m, "hart %u: breakpoint\n", m->hart);
    else if (exit.stop == MACHINE_WATCHPOINT)
        say(m, "hart %u: watchpoint at 0x%llx\n", m->hart, (unsigned long long)exit.watch.va);
    else if (state != RUN_DEBUG)
        say(m, "stopped (%s)\n", run_state_name(state));
    size_t length;
    if (state == RUN_DEBUG && !monitor_show_instruction(m, h, h->pc, &length))
        say(m, "0x%016llx:  no memory\n", (unsigned long long)h->pc);
    m->out = before;
}
