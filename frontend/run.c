/* One run of the program (contract: run.h).
 *
 * The first thread is the machine's (debug/control.h). The machine runs in slices that end where
 * the front has something to do: -until, -save-load, a script's limits of time. Where slices end is
 * not seen by the guest (machine.h), so that a run with them and one without are the same. */
#include "frontend/run.h"

#include "base/os.h"
#include "debug/console.h"
#include "debug/picture.h"
#include "debug/qmp.h"
#include "debug/trace.h"
#include "frontend/debugger.h"
#include "frontend/demo_guest.h"
#include "frontend/gdb_server.h"
#include "frontend/option_setters.h"
#include "frontend/remote.h"
#include "frontend/script.h"
#include "frontend/terminal.h"
#include "frontend/terminal_display.h"
#include "frontend/vnc.h"
#include "frontend/window.h"
#include "machine/history.h"
#include "machine/record.h"
#include "machine/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_SLICE_NS 100000000ull /* how exactly the limits of a script are kept */
#define SIGNAL_STATUS   128          /* as a shell shows it */
#define RETRY_NS        200000000ull /* how soon a disk that failed is tried again */

struct run {
    const struct options *options;
    struct machine_config config;
    struct machine *machine;
    struct control *volatile control;  /* the signal handler reads it */
    struct terminal *terminal;         /* of the serial port */
    struct terminal *monitor_terminal; /* the same, or the monitor's own; NULL: no monitor */
    struct trace *trace;
    struct monitor *monitor;
    struct console *console; /* at the monitor's terminal: this, or QMP */
    struct qmp *qmp;
    struct remote *remotes[OPTION_REMOTES];
    struct gdb_server gdb_server;
    struct script *script;                     /* NULL: none */
    struct window *window;                     /* NULL: none */
    struct vnc *vnc;                           /* NULL: none */
    struct terminal_display *terminal_display; /* NULL: none */
    struct view *view;                         /* of the debugger; NULL: none */
    struct debugger *debugger;
    atomic_bool user_quits; /* at a display or in the debugger */
    int serial_fd;          /* a file of our own, or -1 */
    unsigned next_save_load;
    struct control_breakpoint breakpoints[OPTION_LIST_MAX];
    uint64_t breakpoints_hit;
};

/* --- the ends of the wires --------------------------------------------------------------- */

static void on_serial(void *owner, const uint8_t *bytes, size_t n)
{
    struct run *r = owner;
    terminal_write(r->terminal, bytes, n);
    if (r->script)
        script_output(r->script, bytes, n);
    if (r->view)
        view_console_write(r->view, bytes, n);
}

/* What a script or the user of the debugger types. */
static void on_send(void *owner, const uint8_t *bytes, size_t n)
{
    struct run *r = owner;
    terminal_type(r->terminal, bytes, n);
}

/* Also the answer to a signal: async-signal-safe. */
static void on_stop(void *owner)
{
    struct run *r = owner;
    if (r->control)
        control_kick(r->control);
}

static void on_user_quit(void *owner)
{
    struct run *r = owner;
    atomic_store(&r->user_quits, true);
    control_kick(r->control);
}

/* What is typed to the monitor is taken on the machine's thread. */
struct typed {
    struct run *run;
    const uint8_t *bytes; /* NULL: the user has turned to the monitor */
    size_t n;
};

static void take_typed(void *owner)
{
    const struct typed *t = owner;
    struct run *r = t->run;
    if (r->qmp && t->bytes)
        qmp_receive(r->qmp, t->bytes, t->n);
    else if (r->qmp)
        qmp_greet(r->qmp);
    else if (t->bytes)
        console_type(r->console, t->bytes, t->n);
    else
        console_turn(r->console);
}

static void on_type(void *owner, const uint8_t *bytes, size_t n)
{
    struct typed typed = {owner, bytes, n};
    control_call(typed.run->control, take_typed, &typed);
}

static void on_turn(void *owner)
{
    on_type(owner, NULL, 0);
}

static void on_answer(void *owner, const uint8_t *bytes, size_t n)
{
    struct run *r = owner;
    terminal_write(r->monitor_terminal, bytes, n);
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

/* A script shares its terminal with nobody. */
static bool open_terminals(struct run *r, int input, int output, struct error *err)
{
    struct terminal_ports plain = {.kick = on_stop, .owner = r};
    struct terminal_ports monitor = {.kick = on_stop, .type = on_type, .turn = on_turn, .owner = r};
    bool shares = r->options->shares_stdio && !r->script;
    r->terminal = terminal_create(input, output, shares ? &monitor : &plain, err);
    if (shares)
        r->monitor_terminal = r->terminal;
    else if ((r->options->has_monitor || r->options->has_qmp) && !r->options->shares_stdio) {
        monitor.only_monitor = true;
        r->monitor_terminal = terminal_create(STDIN_FILENO, STDOUT_FILENO, &monitor, err);
        return r->terminal && r->monitor_terminal;
    }
    return r->terminal != NULL;
}

/* Whether bytes may come at any time, for the same reason. */
static bool has_live_chardev(const struct machine_config *c)
{
    static const char *const live[] = {"pipe", "pty", "socket"};
    for (unsigned i = 0; i < c->chardevs.count; i++)
        for (unsigned j = 0; j < ARRAY_LEN(live); j++)
            if (c->chardevs.items[i].items[0].value &&
                strcmp(c->chardevs.items[i].items[0].value, live[j]) == 0)
                return true;
    return false;
}

static bool open_console(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    int input = TERMINAL_NO_FD, output = TERMINAL_NO_FD;
    if (o->script_file) {
        struct script_ports ports = {.send = on_send, .stop = on_stop, .owner = r};
        r->script = script_open(o->script_file, &ports, err);
        if (!r->script)
            return false;
    }
    if (o->serial == SERIAL_FILE) {
        if (!open_serial_file(r, err))
            return false;
        output = r->serial_fd;
    } else if (o->serial == SERIAL_STDIO || o->has_stdio_chardev) {
        output = o->debugger ? TERMINAL_NO_FD : STDOUT_FILENO;
        /* Nobody types into a script, and the debugger takes its keys itself. */
        input = r->script || o->debugger ? TERMINAL_NO_FD : STDIN_FILENO;
    }
    if (!o->sleep_given)
        r->config.icount_sleep =
            o->debugger || (input != TERMINAL_NO_FD && terminal_is_live(input)) ||
            o->display >= DISPLAY_SDL || has_network(&o->machine) || has_live_chardev(&o->machine);
    if (o->serial_count > 1)
        fprintf(stderr, "rivulet: the board has one serial port, the first -serial; nobody is at "
                        "the others\n");
    r->config.serial = (struct byte_sink){.write = on_serial, .owner = r};
    return open_terminals(r, input, output, err);
}

static void close_console(struct run *r)
{
    for (unsigned i = 0; i < OPTION_REMOTES; i++)
        remote_close(r->remotes[i]);
    gdb_server_close(&r->gdb_server);
    console_destroy(r->console);
    view_destroy(r->view);
    qmp_destroy(r->qmp);
    monitor_destroy(r->monitor);
    if (r->monitor_terminal != r->terminal)
        terminal_destroy(r->monitor_terminal);
    terminal_destroy(r->terminal);
    script_close(r->script);
    if (r->serial_fd >= 0)
        close(r->serial_fd);
}

/* --- the machine ------------------------------------------------------------------------- */

/* -break counts, and stops nothing. */
static bool count_hit(void *owner, unsigned hart)
{
    (void)hart;
    struct run *r = owner;
    r->breakpoints_hit++;
    return false;
}

static bool add_breakpoints(struct run *r, struct error *err)
{
    const struct option_list *list = &r->options->breakpoints;
    for (unsigned i = 0; i < list->count; i++) {
        r->breakpoints[i] =
            (struct control_breakpoint){.va = list->items[i], .hit = count_hit, .owner = r};
        if (!control_add_breakpoint(r->control, &r->breakpoints[i]))
            return error_set(err, "no memory for the breakpoint at 0x%llx",
                             (unsigned long long)list->items[i]);
    }
    return true;
}

static bool open_remotes(struct run *r, struct error *err)
{
    r->gdb_server = (struct gdb_server){.control = r->control, .monitor = r->monitor};
    for (unsigned i = 0; i < r->options->remote_count; i++) {
        bool is_gdb = r->options->remotes[i].kind == REMOTE_GDB && !r->gdb_server.remote;
        struct remote **at = is_gdb ? &r->gdb_server.remote : &r->remotes[i];
        *at = remote_open(r->control, r->monitor, &r->options->remotes[i], err);
        if (!*at)
            return false;
    }
    return true;
}

static bool create_monitor(struct run *r, struct error *err)
{
    struct byte_sink answers = {.write = on_answer, .owner = r};
    if (!r->monitor_terminal && !r->options->remote_count && !r->options->debugger)
        return true;
    r->monitor = monitor_create(r->control, err);
    if (!r->monitor)
        return false;
    monitor_set_trace(r->monitor, r->trace);
    if (r->options->debugger) {
        r->view = view_create(r->control, r->monitor, trace_symbols(r->trace), err);
        if (!r->view)
            return false;
    }
    monitor_set_gdb_server(r->monitor, gdb_server_move, &r->gdb_server);
    if (r->options->has_qmp)
        r->qmp = qmp_create(r->control, r->monitor, &answers, r->options->qmp_is_pretty, err);
    else if (r->monitor_terminal)
        r->console =
            console_create(r->control, r->monitor, &answers, os_terminal_is_tty(STDIN_FILENO), err);
    return (!r->monitor_terminal || r->qmp || r->console) && open_remotes(r, err);
}

/* Traces may name symbols. */
static bool start_traces(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    struct error reason;
    r->trace = trace_create(r->control, err);
    if (!r->trace)
        return false;
    for (unsigned i = 0; i < o->symbols_count; i++)
        if (!trace_load_symbols(r->trace, o->symbols[i], &reason))
            return error_set(err, "-symbols: %s", reason.text);
    if (o->debugger && o->machine.kernel_file && !o->symbols_count)
        (void)!trace_load_symbols(r->trace, o->machine.kernel_file, &reason); /* if it is an ELF */
    for (unsigned i = 0; i < o->trace_count; i++)
        if (!trace_start(r->trace, o->traces[i], &reason))
            return error_set(err, "-trace %.100s: %s", o->traces[i], reason.text);
    return true;
}

static bool create_machine(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    struct control_config config = {.starts_stopped = o->starts_stopped,
                                    .no_shutdown = o->no_shutdown,
                                    .no_reboot = o->machine.no_reboot};
    r->config.no_reboot = true; /* the control resets */
    r->config.awaits_snapshot = o->load_file != NULL;
    r->config.awaits_replay = o->replays;
    r->machine = machine_create(&r->config, err);
    if (!r->machine)
        return false;
    bool is_intact;
    if (o->load_file && !(snapshot_is_name(o->load_file) && !o->load_is_file
                              ? snapshot_load_named
                              : snapshot_load)(r->machine, o->load_file, &is_intact, err))
        return false;
    if (o->record_file && !(o->replays ? machine_replay(r->machine, o->record_file, err)
                                       : machine_record(r->machine, o->record_file, err)))
        return false;
    if (r->config.history_bytes && !machine_keep_history(r->machine, err))
        return false;
    r->control = control_create(r->machine, &config, err);
    return r->control && add_breakpoints(r, err) && start_traces(r, err) && create_monitor(r, err);
}

/* Without being asked for a window is a convenience: the machine runs without it too. */
static bool open_window(struct run *r, struct error *err)
{
    struct window_ports ports = {.quit = on_user_quit, .owner = r};
    enum display_kind kind = r->options->display;
    bool is_wanted = kind == DISPLAY_SDL || (kind == DISPLAY_IF_ANY && !r->options->nographic &&
                                             !r->script && window_is_possible());
    if (!is_wanted || !machine_screen(r->machine, 0))
        return kind != DISPLAY_SDL ||
               error_set(err, "-display sdl: the machine has no display; give -device "
                              "virtio-gpu-pci");
    r->window = window_open(r->control, &ports, err);
    if (!r->window && kind == DISPLAY_IF_ANY)
        fprintf(stderr, "rivulet: %s; the guest runs without it\n", err->text);
    return r->window || kind == DISPLAY_IF_ANY;
}

static bool open_debugger(struct run *r, struct error *err)
{
    struct debugger_ports ports = {.type = on_send, .quit = on_user_quit, .owner = r};
    if (!r->view)
        return true;
    r->debugger = debugger_open(r->control, r->view, &ports, err);
    return r->debugger != NULL;
}

static bool open_vnc(struct run *r, struct error *err)
{
    struct vnc_config config;
    struct error why;
    if (vnc_config_parse(r->options->vnc, &r->config.objects, &config, &why))
        r->vnc = vnc_open(r->control, &config, &why);
    if (r->vnc && r->monitor)
        monitor_set_vnc(r->monitor, vnc_access(r->vnc));
    return r->vnc || error_set(err, "-vnc %.80s: %.400s", r->options->vnc, why.text);
}

static bool open_terminal_display(struct run *r, struct error *err)
{
    struct error why;
    r->terminal_display = terminal_display_open(r->control, on_user_quit, r, &why);
    return r->terminal_display || error_set(err, "-display terminal: %.400s", why.text);
}

/* The machine has one view. */
static bool open_display(struct run *r, struct error *err)
{
    enum display_kind kind = r->options->display;
    if (kind != DISPLAY_VNC && kind != DISPLAY_TERMINAL)
        return open_window(r, err);
    if (!machine_screen(r->machine, 0))
        return error_set(err, "the machine has no display to show; give -device virtio-gpu-pci");
    return kind == DISPLAY_VNC ? open_vnc(r, err) : open_terminal_display(r, err);
}

static void attach_terminals(struct run *r, struct machine *m)
{
    terminal_attach(r->terminal, m);
    if (r->monitor_terminal && r->monitor_terminal != r->terminal)
        terminal_attach(r->monitor_terminal, m);
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
    attach_terminals(r, m);
    r->machine = m;
    bool ok = control_replace_machine(r->control, m, err);
    trace_attach(r->trace);
    machine_destroy(old);
    if (!ok)
        return false;
    struct state *load = state_new_load(data, size);
    if (!load)
        return error_set(err, "-save-load: no memory for the state");
    machine_state(m, load);
    ok = state_ok(load) || error_set(err, "-save-load: %s", state_error(load));
    state_free(load);
    return ok;
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

static bool wants_quit(const struct run *r)
{
    return atomic_load(&r->user_quits) || terminal_wants_quit(r->terminal) ||
           (r->monitor_terminal && terminal_wants_quit(r->monitor_terminal));
}

static int output_error(const struct run *r)
{
    int error = terminal_output_error(r->terminal);
    return error || !r->monitor_terminal ? error : terminal_output_error(r->monitor_terminal);
}

/* Whether somebody other than the guest has ended the run. */
static bool is_ended_outside(struct run *r, int *status)
{
    enum script_state script = r->script ? script_state(r->script) : SCRIPT_DONE;
    if (script == SCRIPT_EXITS || script == SCRIPT_FAILED)
        *status = script_status(r->script);
    else if (os_stop_signal())
        *status = SIGNAL_STATUS + os_stop_signal();
    else if (wants_quit(r))
        *status = 0;
    else
        return output_error(r) != 0;
    return true;
}

/* The exit status after the guest has ended the run. */
static int guest_status(struct run *r)
{
    struct machine_exit exit = control_exit(r->control);
    if (r->script) {
        script_guest_ended(r->script);
        if (script_state(r->script) == SCRIPT_FAILED)
            return script_status(r->script);
    }
    return exit.stop == MACHINE_POWER_OFF || exit.stop == MACHINE_DIVERGED ? exit.status : 0;
}

/* Whether a disk's error stopped the machine, and the log says which: without a monitor, whose cont
 * tries it again, it is tried again here until there is space, or a signal comes. */
static bool waits_for_disk(const struct run *r)
{
    return control_state(r->control) == RUN_IO_ERROR && !r->monitor;
}

/* One slice. False and err; or true, and *ended tells whether that was the end. */
static bool run_slice(struct run *r, uint64_t now_ns, bool *ended, int *status, struct error *err)
{
    bool retry = waits_for_disk(r);
    uint64_t sleep_ns = retry ? RETRY_NS : r->script ? SCRIPT_SLICE_NS : UINT64_MAX;
    *ended = true;
    *status = 0;
    switch (control_run(r->control, slice_end_ns(r, now_ns), sleep_ns, err)) {
    case CONTROL_GUEST_ENDED:
        *status = guest_status(r);
        return true;
    case CONTROL_QUIT:
        return true;
    case CONTROL_FAILED:
        return false;
    case CONTROL_GOES_ON:
        break;
    }
    *ended = machine_now_ns(r->machine) >= r->options->until_ns;
    return !retry || control_continue(r->control, err);
}

static bool run_machine(struct run *r, int *status, struct error *err)
{
    for (bool ended = false; !ended;) {
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
        if (!run_slice(r, now_ns, &ended, status, err))
            return false;
    }
    return true;
}

/* --- the end ----------------------------------------------------------------------------- */

/* The picture at the end, as a file or as a hash. */
static bool show_picture(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    struct screen *s = machine_screen(r->machine, 0);
    if (s && s->refresh)
        s->refresh(s->owner);
    if (o->show_hash && s)
        fprintf(stderr, "picture hash: 0x%016llx size %ux%u\n",
                (unsigned long long)hash_bytes(0, s->pixels,
                                               (size_t)s->width * s->height * sizeof *s->pixels),
                s->width, s->height);
    if (o->picture_file && !s)
        return error_set(err, "-picture %s: the machine has no display", o->picture_file);
    return !o->picture_file || picture_write(s, o->picture_file, err);
}

static void show_figures(struct run *r)
{
    unsigned long long steps = machine_steps(r->machine), traps = machine_traps(r->machine);
    unsigned long long now_ns = machine_now_ns(r->machine);
    if (*machine_replay_end(r->machine))
        fprintf(stderr, "rivulet: %s\n", machine_replay_end(r->machine));
    log_line(r->config.log, LOG_STATS, "steps %llu traps %llu time %llu ns", steps, traps, now_ns);
    if (r->options->breakpoints.count)
        fprintf(stderr, "breakpoints reached: %llu\n", (unsigned long long)r->breakpoints_hit);
    if (r->options->show_hash)
        fprintf(stderr, "state hash: 0x%016llx steps %llu time %llu ns\n",
                (unsigned long long)machine_hash(r->machine), steps, now_ns);
}

static bool start_terminals(struct run *r, struct error *err)
{
    demo_guest_greet(r->options);
    return terminal_start(r->terminal, err) &&
           (!r->monitor_terminal || r->monitor_terminal == r->terminal ||
            terminal_start(r->monitor_terminal, err));
}

/* 0, or the errno that output was lost for. */
static int stop_terminals(struct run *r)
{
    int lost = terminal_stop(r->terminal), lost_too = 0;
    if (r->monitor_terminal && r->monitor_terminal != r->terminal)
        lost_too = terminal_stop(r->monitor_terminal);
    return lost ? lost : lost_too;
}

/* The terminal is restored before anything is said, so that it is readable. */
static bool run_to_end(struct run *r, int *status, struct error *err)
{
    attach_terminals(r, r->machine);
    os_catch_stop_signals(on_stop, r);
    struct error ignored;
    bool ok = open_display(r, err) && start_terminals(r, err) && open_debugger(r, err);
    if (ok && r->script)
        script_start(r->script);
    ok = ok && run_machine(r, status, err);
    os_release_stop_signals();
    control_close(r->control); /* threads of terminal and window may wait for an answer */
    window_close(r->window);
    debugger_close(r->debugger);
    vnc_close(r->vnc);
    terminal_display_close(r->terminal_display);
    int lost = stop_terminals(r);
    demo_guest_leave(r->options);
    if (ok && r->script && script_state(r->script) == SCRIPT_FAILED)
        script_explain(r->script, stderr);
    if (ok)
        show_figures(r);
    ok = machine_record_close(r->machine, ok ? err : &ignored) && ok;
    ok = ok && show_picture(r, err);
    ok = trace_stop_all(r->trace, ok ? err : &ignored) && ok;
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
    if (*r->options->dump_dtb && !r->config.kernel_file && r->config.bios == BIOS_BUILT_IN)
        r->config.bios = BIOS_NONE; /* a machine that has nothing to run has a device tree too */
    bool ok = open_console(r, err) && create_machine(r, err);
    *status = 0;
    if (ok && *r->options->dump_dtb)
        ok = dump_device_tree(r, err);
    else if (ok)
        ok = run_to_end(r, status, err);
    if (r->control)
        control_close(r->control);
    close_console(r);
    trace_destroy(r->trace);
    control_destroy(r->control);
    machine_destroy(r->machine);
    gdb_server_free(&r->gdb_server);
    return ok;
}

bool run(const struct options *options, int *status, struct error *err)
{
    struct run r = {.options = options, .config = options->machine, .serial_fd = -1};
    if (options->debugger && !debugger_is_possible(err))
        return false;
    r.config.log = log_open(options->log_file, options->log_topics | LOG_HOST_ERRORS, err);
    if (!r.config.log)
        return false;
    bool ok = run_with_log(&r, status, err);
    log_close(r.config.log);
    return ok;
}
