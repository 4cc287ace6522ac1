/* One run of the program (contract: run.h).
 *
 * The machine runs in slices that end where the front has something to do: -until, -save-load, a
 * script's limits of time. Where slices end is not seen by the guest (machine.h), so that a run
 * with them and one without are the same. */
#include "frontend/run.h"

#include "base/os.h"
#include "frontend/script.h"
#include "frontend/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_SLICE_NS 100000000ull /* how exactly the limits of a script are kept */
#define SIGNAL_STATUS   128          /* as a shell shows it */
#define RETRY_NS        200000000l   /* how soon a disk that failed is tried again */

struct run {
    const struct options *options;
    struct machine_config config;
    struct machine *volatile machine; /* the signal handler reads it */
    struct terminal *terminal;
    struct script *script; /* NULL: none */
    int serial_fd;         /* a file of our own, or -1 */
    unsigned next_save_load;
    uint64_t breakpoints_hit;
};

/* --- the ends of the wires --------------------------------------------------------------- */

static void on_serial(void *owner, const uint8_t *bytes, size_t n)
{
    struct run *r = owner;
    terminal_write(r->terminal, bytes, n);
    if (r->script)
        script_output(r->script, bytes, n);
}

static void on_script_send(void *owner, const uint8_t *bytes, size_t n)
{
    struct run *r = owner;
    terminal_type(r->terminal, bytes, n);
}

/* Also the answer to a signal: async-signal-safe. */
static void on_stop(void *owner)
{
    struct run *r = owner;
    if (r->machine)
        machine_request_stop(r->machine);
}

static bool open_serial_file(struct run *r, struct error *err)
{
    const char *path = r->options->serial_file;
    r->serial_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return r->serial_fd >= 0 || error_set(err, "cannot write %s: %s", path, strerror(errno));
}

/* Whether frames may come from outside: the guest's timeouts must then be as long as the host's. */
static bool has_network(const struct machine_config *c)
{
    unsigned none = 0;
    for (unsigned i = 0; i < c->nics.count; i++) {
        const char *type = c->nics.items[i].items[0].value;
        none += type && strcmp(type, "none") == 0;
    }
    return c->netdevs.count + c->nics.count > none;
}

static bool open_console(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    int input = TERMINAL_NO_FD, output = TERMINAL_NO_FD;
    if (o->script_file) {
        struct script_ports ports = {.send = on_script_send, .stop = on_stop, .owner = r};
        r->script = script_open(o->script_file, &ports, err);
        if (!r->script)
            return false;
    }
    if (o->serial == SERIAL_FILE) {
        if (!open_serial_file(r, err))
            return false;
        output = r->serial_fd;
    } else if (o->serial == SERIAL_STDIO) {
        output = STDOUT_FILENO;
        input = r->script ? TERMINAL_NO_FD : STDIN_FILENO; /* nobody types into a script */
    }
    if (!o->sleep_given)
        r->config.icount_sleep =
            (input != TERMINAL_NO_FD && terminal_is_live(input)) || has_network(&o->machine);
    r->config.serial = (struct byte_sink){.write = on_serial, .owner = r};
    r->terminal = terminal_create(input, output, err);
    return r->terminal != NULL;
}

static void close_console(struct run *r)
{
    terminal_destroy(r->terminal);
    script_close(r->script);
    if (r->serial_fd >= 0)
        close(r->serial_fd);
}

/* --- the machine ------------------------------------------------------------------------- */

static bool set_breakpoints(const struct option_list *list, struct machine *m, struct error *err)
{
    for (unsigned i = 0; i < list->count; i++)
        if (!machine_add_breakpoint(m, list->items[i]))
            return error_set(err, "no memory for the breakpoint at 0x%llx",
                             (unsigned long long)list->items[i]);
    return true;
}

static bool create_machine(const struct run *r, struct machine **m, struct error *err)
{
    *m = machine_create(&r->config, err);
    if (*m && set_breakpoints(&r->options->breakpoints, *m, err))
        return true;
    machine_destroy(*m);
    *m = NULL;
    return false;
}

/* The old machine saves, the new one takes its disks over, the old one goes, the new one loads. */
static bool succeed(struct run *r, struct state *save, struct error *err)
{
    size_t size;
    struct machine *old = r->machine;
    machine_state(old, save);
    const void *data = state_data(save, &size);
    struct machine *m = machine_succeed(old, err);
    if (!m)
        return false;
    terminal_attach(r->terminal, m);
    r->machine = m;
    machine_destroy(old);
    struct state *load = state_new_load(data, size);
    if (!load)
        return error_set(err, "-save-load: no memory for the state");
    machine_state(m, load);
    bool ok = state_ok(load) || error_set(err, "-save-load: %s", state_error(load));
    state_free(load);
    return ok && set_breakpoints(&r->options->breakpoints, m, err);
}

static bool save_load(struct run *r, struct error *err)
{
    struct state *save = state_new_save();
    r->next_save_load++;
    if (!save)
        return error_set(err, "-save-load: no memory for the state");
    bool ok = succeed(r, save, err);
    state_free(save);
    return ok;
}

/* --- running ----------------------------------------------------------------------------- */

/* The time of the next -save-load; UINT64_MAX: none. */
static uint64_t next_save_load_ns(const struct run *r)
{
    const struct option_list *list = &r->options->save_loads;
    return r->next_save_load < list->count ? list->items[r->next_save_load] : UINT64_MAX;
}

static uint64_t slice_end_ns(const struct run *r, uint64_t now_ns)
{
    uint64_t end = min_u64(r->options->until_ns, next_save_load_ns(r));
    return r->script ? min_u64(end, now_ns + SCRIPT_SLICE_NS) : end;
}

/* Whether somebody other than the guest has ended the run. */
static bool is_ended_outside(struct run *r, int *status)
{
    enum script_state script = r->script ? script_state(r->script) : SCRIPT_DONE;
    if (script == SCRIPT_EXITS || script == SCRIPT_FAILED)
        *status = script_status(r->script);
    else if (os_stop_signal())
        *status = SIGNAL_STATUS + os_stop_signal();
    else if (terminal_wants_quit(r->terminal))
        *status = 0;
    else
        return terminal_output_error(r->terminal) != 0;
    return true;
}

/* Whether the guest or -until has. */
static bool is_ended_inside(struct run *r, struct machine_exit exit, int *status)
{
    switch (exit.stop) {
    case MACHINE_POWER_OFF:
    case MACHINE_RESET:
        *status = exit.stop == MACHINE_POWER_OFF ? exit.status : 0;
        if (r->script) {
            script_guest_ended(r->script);
            if (script_state(r->script) == SCRIPT_FAILED)
                *status = script_status(r->script);
        }
        return true;
    case MACHINE_TIME_LIMIT:
        *status = 0;
        return machine_now_ns(r->machine) >= r->options->until_ns;
    case MACHINE_BREAKPOINT:
        r->breakpoints_hit++;
        return false;
    case MACHINE_IO_ERROR: /* the log says which; a signal ends the wait */
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
        return false;
    case MACHINE_REQUEST:
        return false;
    }
    return false;
}

static bool run_machine(struct run *r, int *status, struct error *err)
{
    for (;;) {
        uint64_t now_ns = machine_now_ns(r->machine);
        if (r->script)
            script_check_time(r->script, now_ns, os_monotonic_ns());
        if (is_ended_outside(r, status))
            return true;
        if (now_ns >= next_save_load_ns(r)) {
            if (!save_load(r, err))
                return false;
            continue;
        }
        struct machine_exit exit = machine_run(r->machine, slice_end_ns(r, now_ns));
        if (is_ended_inside(r, exit, status))
            return true;
    }
}

/* --- the end ----------------------------------------------------------------------------- */

static void show_figures(struct run *r)
{
    unsigned long long steps = machine_steps(r->machine), traps = machine_traps(r->machine);
    unsigned long long now_ns = machine_now_ns(r->machine);
    log_line(r->config.log, LOG_STATS, "steps %llu traps %llu time %llu ns", steps, traps, now_ns);
    if (r->options->breakpoints.count)
        fprintf(stderr, "breakpoints reached: %llu\n", (unsigned long long)r->breakpoints_hit);
    if (r->options->show_hash)
        fprintf(stderr, "state hash: 0x%016llx steps %llu time %llu ns\n",
                (unsigned long long)machine_hash(r->machine), steps, now_ns);
}

/* The terminal is restored before anything is said, so that it is readable. */
static bool run_to_end(struct run *r, int *status, struct error *err)
{
    terminal_attach(r->terminal, r->machine);
    os_catch_stop_signals(on_stop, r);
    bool ok = terminal_start(r->terminal, err);
    if (ok && r->script)
        script_start(r->script);
    ok = ok && run_machine(r, status, err);
    os_release_stop_signals();
    int lost = terminal_stop(r->terminal);
    if (ok && r->script && script_state(r->script) == SCRIPT_FAILED)
        script_explain(r->script, stderr);
    if (ok)
        show_figures(r);
    if (ok && lost)
        return error_set(err, "cannot write the guest's output: %s", strerror(lost));
    return ok;
}

static bool dump_device_tree(const struct run *r, struct error *err)
{
    size_t size;
    const void *blob = machine_device_tree(r->machine, &size);
    return os_file_write(r->options->dump_dtb, blob, size, err);
}

static bool run_with_log(struct run *r, int *status, struct error *err)
{
    struct machine *m = NULL;
    if (*r->options->dump_dtb && !r->config.kernel_file && r->config.bios == BIOS_BUILT_IN)
        r->config.bios = BIOS_NONE; /* a machine that has nothing to run has a device tree too */
    bool ok = open_console(r, err) && create_machine(r, &m, err);
    r->machine = m;
    *status = 0;
    if (ok && *r->options->dump_dtb)
        ok = dump_device_tree(r, err);
    else if (ok)
        ok = run_to_end(r, status, err);
    close_console(r);
    machine_destroy(r->machine);
    return ok;
}

bool run(const struct options *options, int *status, struct error *err)
{
    struct run r = {.options = options, .config = options->machine, .serial_fd = -1};
    r.config.log = log_open(options->log_file, options->log_topics | LOG_HOST_ERRORS, err);
    if (!r.config.log)
        return false;
    bool ok = run_with_log(&r, status, err);
    log_close(r.config.log);
    return ok;
}
