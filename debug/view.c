/* What a person who debugs looks at and does (contract: view.h). */
#include "debug/view_internal.h"

#include "debug/expression.h"

#include <stdio.h>
#include <stdlib.h>

struct hart *view_hart(const struct view *v)
{
    return machine_hart(control_machine(v->control), monitor_current_hart(v->monitor));
}

bool view_is_running(const struct view *v)
{
    return control_state(v->control) == RUN_RUNNING;
}

/* --- what the registers were --------------------------------------------------------------- */

static void take(const struct view *v, struct hart *h, struct snapshot *s)
{
    s->pc = h->pc;
    s->priv = h->priv;
    memcpy(s->x, h->x, sizeof s->x);
    memcpy(s->f, h->f, sizeof s->f);
    for (unsigned i = 0; i < v->csr_count; i++)
        hart_csr_peek(h, v->csrs[i], &s->csr[i]);
}

static void take_all(struct view *v)
{
    struct machine *m = control_machine(v->control);
    for (unsigned i = 0; i < MACHINE_MAX_HARTS && machine_hart(m, i); i++) {
        v->before[i] = v->now[i];
        take(v, machine_hart(m, i), &v->now[i]);
    }
}

/* While it stands, others may change registers: gdb, the monitor's set. */
const struct snapshot *view_registers(struct view *v)
{
    unsigned hart = monitor_current_hart(v->monitor);
    if (!view_is_running(v))
        take(v, view_hart(v), &v->now[hart]);
    return &v->now[hart];
}

/* --- news --------------------------------------------------------------------------------- */

static void on_said(void *owner, const uint8_t *bytes, size_t n)
{
    struct view *v = owner;
    scrollback_write(v->said, bytes, n);
}

static void on_news(void *owner, const struct control_news *news)
{
    struct view *v = owner;
    struct byte_sink out = {.write = on_said, .owner = v};
    if (news->event == CONTROL_STOPPED || news->event == CONTROL_RESET) {
        take_all(v);
        v->follows = true;
        v->offset[VIEW_STACK] = 0;
    }
    if (news->event == CONTROL_STOPPED) {
        view_end_motion(v);
        monitor_show_stop(v->monitor, &out); /* and makes the hart that stopped the current one */
    }
    if (v->changed)
        v->changed(v->changed_owner);
}

void view_on_change(struct view *v, void (*changed)(void *owner), void *owner)
{
    v->changed = changed;
    v->changed_owner = owner;
}

/* --- life --------------------------------------------------------------------------------- */

static bool create_parts(struct view *v, struct control *c)
{
    v->instructions = insn_cache_create(&machine_hart(control_machine(c), 0)->isa);
    v->console = scrollback_create();
    v->said = scrollback_create();
    return v->instructions && v->console && v->said;
}

/* Deferred, so that whoever asked for it can ask for its end too. */
static void go_back(void *owner)
{
    static const char *const commands[] = {
        [VIEW_STEP_BACK] = "reverse-step",
        [VIEW_NEXT_BACK] = "reverse-next",
        [VIEW_FINISH_BACK] = "reverse-finish",
        [VIEW_RUN_BACK] = "reverse-continue",
    };
    struct view *v = owner;
    view_command(v, commands[v->back]);
}

struct view *view_create(struct control *c, struct monitor *m, const struct symbols *symbols,
                         struct error *err)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v || !create_parts(v, c)) {
        view_destroy(v);
        error_set(err, "no memory for the debugger");
        return NULL;
    }
    v->control = c;
    v->monitor = m;
    v->symbols = symbols;
    v->follows = true;
    memcpy(v->expression[VIEW_MEMORY], "$sp", sizeof "$sp");
    memcpy(v->expression[VIEW_PAGES], "$pc", sizeof "$pc");
    v->observer = (struct control_observer){.tell = on_news, .owner = v};
    v->go_back = (struct control_work){.work = go_back, .owner = v};
    view_create_motion(v);
    view_find_csrs(v);
    take_all(v);
    take_all(v); /* nothing has changed yet */
    control_observe(c, &v->observer);
    return v;
}

void view_destroy(struct view *v)
{
    if (!v)
        return;
    if (v->control) {
        control_unobserve(v->control, &v->observer);
        control_cancel(v->control, &v->motion.clean_up);
        control_cancel(v->control, &v->go_back);
        if (v->motion.is_set)
            control_remove_breakpoint(v->control, &v->motion.breakpoint);
    }
    if (v->instructions)
        insn_cache_destroy(v->instructions);
    scrollback_destroy(v->console);
    scrollback_destroy(v->said);
    free(v);
}

/* --- addresses ---------------------------------------------------------------------------- */

void view_put_symbol(const struct view *v, struct sheet_row *r, const char *before,
                     uint64_t address)
{
    const struct symbol *symbol = symbols_at(v->symbols, address);
    if (!symbol)
        return;
    sheet_print(r, SHEET_NAME, "%s<%.100s", before, symbol->name);
    if (address != symbol->start)
        sheet_print(r, SHEET_NAME, "+0x%llx", (unsigned long long)(address - symbol->start));
    sheet_print(r, SHEET_NAME, ">");
}

bool view_evaluate(const struct view *v, const char *expression, uint64_t *value, struct error *err)
{
    if (!expression_read(&expression, view_hart(v), v->symbols, value, err))
        return false;
    return !*expression || error_set(err, "unexpected '%.40s'", expression);
}

bool view_look_at(struct view *v, enum view_pane pane, const char *expression, struct error *err)
{
    uint64_t value;
    if (!view_evaluate(v, expression, &value, err))
        return false;
    snprintf(v->expression[pane], sizeof v->expression[pane], "%s", expression);
    v->offset[pane] = 0;
    if (pane != VIEW_CODE)
        return true;
    v->cursor = value & ~1ull;
    v->follows = false;
    return true;
}

const char *view_expression(const struct view *v, enum view_pane pane)
{
    return v->expression[pane];
}

/* --- looking ------------------------------------------------------------------------------ */

static void show_text(struct view *v, enum view_pane pane, struct sheet *s)
{
    const struct scrollback *text = pane == VIEW_CONSOLE ? v->console : v->said;
    int64_t back = v->offset[pane] < 0 ? -v->offset[pane] : 0;
    v->offset[pane] =
        -(int64_t)scrollback_show(text, s, (unsigned)min_u64((uint64_t)back, 1u << 20));
}

void view_show(struct view *v, enum view_pane pane, struct sheet *s)
{
    static void (*const shows[VIEW_PANES])(struct view * v, struct sheet * s) = {
        [VIEW_CODE] = view_show_code,   [VIEW_REGISTERS] = view_show_registers,
        [VIEW_CSRS] = view_show_csrs,   [VIEW_MEMORY] = view_show_memory,
        [VIEW_STACK] = view_show_stack, [VIEW_PAGES] = view_show_walk,
        [VIEW_HARTS] = view_show_harts,
    };
    if (s->rows == 0 || s->columns == 0)
        return;
    if (shows[pane])
        shows[pane](v, s);
    else
        show_text(v, pane, s);
}

bool view_console_cursor(const struct view *v, const struct sheet *s, unsigned *row,
                         unsigned *column)
{
    if (v->offset[VIEW_CONSOLE] != 0 || s->columns == 0)
        return false;
    scrollback_cursor(v->console, s, row, column);
    return *row < s->rows;
}

static const char *why_it_stands(const struct view *v, struct machine_exit exit)
{
    switch (control_state(v->control)) {
    case RUN_RUNNING:
        return "runs";
    case RUN_PRELAUNCH:
        return "stopped: not started";
    case RUN_SHUTDOWN:
        return "stopped: the guest is off";
    case RUN_IO_ERROR:
        return "stopped: a disk's error";
    case RUN_DEBUG:
        return exit.stop == MACHINE_BREAKPOINT   ? "stopped: breakpoint"
               : exit.stop == MACHINE_WATCHPOINT ? "stopped: watchpoint"
                                                 : "stopped: step";
    default:
        return "stopped";
    }
}

void view_show_status(struct view *v, struct sheet_row *r)
{
    static const char modes[] = "US?M";
    struct machine *m = control_machine(v->control);
    unsigned long long ns = hart_now_ns(view_hart(v));
    struct machine_exit exit = control_exit(v->control);
    sheet_print(r, SHEET_STRONG, "hart %u  %c-mode  %s", monitor_current_hart(v->monitor),
                modes[view_registers(v)->priv & 3], why_it_stands(v, exit));
    if (control_state(v->control) == RUN_SHUTDOWN)
        sheet_print(r, SHEET_STRONG, " with status %d; :system_reset starts it again", exit.status);
    sheet_print(r, SHEET_PLAIN, "  step %llu  %llu.%09llu s", (unsigned long long)machine_steps(m),
                ns / 1000000000, ns % 1000000000);
    if (!view_is_running(v))
        view_put_symbol(v, r, "  ", view_hart(v)->pc);
}

void view_title(const struct view *v, enum view_pane pane, char *text, size_t size)
{
    static const char *const names[VIEW_PANES] = {
        [VIEW_CODE] = "Code",     [VIEW_REGISTERS] = "Registers", [VIEW_CSRS] = "CSRs",
        [VIEW_MEMORY] = "Memory", [VIEW_STACK] = "Stack",         [VIEW_PAGES] = "Pages",
        [VIEW_HARTS] = "Harts",   [VIEW_CONSOLE] = "Console",     [VIEW_MONITOR] = "Monitor",
    };
    bool has_address = pane == VIEW_MEMORY || pane == VIEW_PAGES;
    snprintf(text, size, "%s%s%.40s", names[pane], has_address ? " " : "",
             has_address ? v->expression[pane] : "");
}

void view_scroll(struct view *v, enum view_pane pane, int rows)
{
    if (pane == VIEW_CODE)
        view_move_cursor(v, rows);
    else if (pane != VIEW_PAGES && pane != VIEW_HARTS)
        v->offset[pane] += rows;
    if ((pane == VIEW_CONSOLE || pane == VIEW_MONITOR) && v->offset[pane] > 0)
        v->offset[pane] = 0;
}

/* --- doing -------------------------------------------------------------------------------- */

static void toggle_breakpoint(struct view *v)
{
    char line[48];
    bool has = monitor_has_breakpoint(v->monitor, v->cursor);
    snprintf(line, sizeof line, "%s 0x%llx", has ? "delete" : "break",
             (unsigned long long)v->cursor);
    view_command(v, line);
}

static void next_hart(struct view *v)
{
    char line[16];
    unsigned next = monitor_current_hart(v->monitor) + 1;
    if (next == MACHINE_MAX_HARTS || !machine_hart(control_machine(v->control), next))
        next = 0;
    snprintf(line, sizeof line, "cpu %u", next);
    view_command(v, line);
    v->follows = true;
}

static bool run_or_pause(struct view *v, struct error *err)
{
    if (!view_is_running(v))
        return control_continue(v->control, err);
    control_stop(v->control, RUN_PAUSED);
    return true;
}

static bool move_on(struct view *v, enum view_action action, struct error *err)
{
    if (view_is_running(v))
        return error_set(err, "the machine runs: c stops it");
    if (action == VIEW_STEP)
        return view_step(v, err);
    if (action == VIEW_NEXT)
        return view_step_over(v, err);
    return action == VIEW_FINISH ? view_finish(v, err) : view_run_to(v, v->cursor, err);
}

bool view_act(struct view *v, enum view_action action, struct error *err)
{
    switch (action) {
    case VIEW_RUN:
        return run_or_pause(v, err);
    case VIEW_BREAKPOINT:
        toggle_breakpoint(v);
        return true;
    case VIEW_TO_PC:
        v->follows = true;
        return true;
    case VIEW_NEXT_HART:
        next_hart(v);
        return true;
    case VIEW_STEP_BACK:
    case VIEW_NEXT_BACK:
    case VIEW_FINISH_BACK:
    case VIEW_RUN_BACK:
        v->back = action;
        control_defer(v->control, &v->go_back);
        return true;
    default:
        return move_on(v, action, err);
    }
}

void view_command(struct view *v, const char *line)
{
    struct byte_sink out = {.write = on_said, .owner = v};
    unsigned hart = monitor_current_hart(v->monitor);
    byte_sink_print(&out, "(rivulet) %.400s\n", line);
    monitor_run(v->monitor, line, &out);
    v->follows |= hart != monitor_current_hart(v->monitor);
    v->offset[VIEW_MONITOR] = 0;
}

void view_note(struct view *v, const char *text, size_t n)
{
    scrollback_write(v->said, (const uint8_t *)text, n);
}

void view_console_write(struct view *v, const uint8_t *bytes, size_t n)
{
    scrollback_write(v->console, bytes, n);
    if (v->changed)
        v->changed(v->changed_owner);
}
