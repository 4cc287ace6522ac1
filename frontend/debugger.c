/* `rivulet debug`: its thread, and what it draws (contract: debugger.h).
 *
 * The thread waits for keys and for news. For each picture it has the machine's thread fill the
 * sheets (control_call) and draws them afterwards, so that the machine is never held up by a slow
 * terminal, and nothing needs a lock. */
#include "frontend/debugger_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS   100         /* how old the picture of a machine that runs may be */
#define REST_NS   20000000ull /* between two pictures that no key has asked for */
#define NS_PER_MS 1000000ull
/* So often there was something to read and no key came of it: the terminal is gone. */
#define SILENT_MOST 100

/* --- news, on the machine's thread ----------------------------------------------------------- */

static void on_change(void *owner)
{
    struct debugger *d = owner;
    atomic_store(&d->runs, control_state(d->control) == RUN_RUNNING);
    if (!atomic_exchange(&d->is_told, true)) /* guests write byte by byte */
        os_wake_signal(d->wake);
}

static void read_messages(struct debugger *d)
{
    char text[1024];
    size_t n;
    while (d->messages && (n = messages_read(d->messages, text, sizeof text)) > 0)
        view_note(d->view, text, n);
}

/* What is as old as the last stop: these panes would else change all the time. */
static bool is_stale(const struct debugger *d, enum view_pane pane)
{
    return atomic_load(&d->runs) &&
           (pane == VIEW_CODE || pane == VIEW_REGISTERS || pane == VIEW_CSRS || pane == VIEW_STACK);
}

static void fill(void *owner)
{
    struct debugger *d = owner;
    read_messages(d);
    for (enum view_pane pane = 0; pane < VIEW_PANES; pane++)
        view_title(d->view, pane, d->titles[pane], sizeof d->titles[pane]);
    sheet_row_begin(&d->status);
    view_show_status(d->view, &d->status);
    d->has_cursor = false;
    for (unsigned i = 0; i < d->layout.count; i++) {
        const struct place *p = &d->layout.slots[i].place;
        struct sheet *s = &d->sheets[i];
        enum view_pane pane = *debugger_shown(d, i);
        if (is_stale(d, pane) && d->filled[i] == pane)
            continue;
        sheet_begin(s, p->rows, p->columns);
        view_show(d->view, pane, s);
        d->filled[i] = pane;
        if (pane == VIEW_CONSOLE)
            d->has_cursor = view_console_cursor(d->view, s, &d->cursor_y, &d->cursor_x);
    }
}

/* --- slots -------------------------------------------------------------------------------- */

enum view_pane *debugger_shown(struct debugger *d, unsigned slot)
{
    return &d->shown[d->layout.count == LAYOUT_SLOTS][slot];
}

void debugger_focus(struct debugger *d, enum view_pane pane)
{
    d->focus = pane;
    *debugger_shown(d, layout_slot_of(&d->layout, pane)) = pane;
}

struct line_edit *debugger_line(struct debugger *d)
{
    return d->prompt == PROMPT_COMMAND ? &d->commands : &d->addresses;
}

static void measure(struct debugger *d)
{
    unsigned rows, columns;
    text_screen_size(d->screen, &rows, &columns);
    d->is_too_small = !layout_make(&d->layout, rows, columns);
    if (!d->is_too_small)
        debugger_focus(d, d->focus);
}

/* --- drawing ------------------------------------------------------------------------------ */

static void put_line(struct debugger *d, unsigned y, unsigned x, enum sheet_style style,
                     const char *text)
{
    struct sheet_row row;
    sheet_row_begin(&row);
    sheet_put(&row, style, text, strlen(text));
    text_screen_row(d->screen, y, x, SHEET_ROW_BYTES, &row, false);
}

static void draw_titles(struct debugger *d, unsigned slot)
{
    const struct place *p = &d->layout.slots[slot].place;
    unsigned x = p->x + 1, end = p->x + p->columns;
    text_screen_across(d->screen, p->y - 1, p->x, p->columns);
    for (unsigned pane = 0; pane < VIEW_PANES; pane++) {
        struct sheet_row row;
        bool is_shown = *debugger_shown(d, slot) == pane;
        if (!(d->layout.slots[slot].panes >> pane & 1) || x >= end)
            continue;
        sheet_row_begin(&row);
        row.is_cursor = is_shown && d->focus == pane && d->mode != MODE_GUEST;
        /* Titles that are not shown have no address. */
        int n = (int)(is_shown ? strlen(d->titles[pane]) : strcspn(d->titles[pane], " "));
        sheet_print(&row, is_shown ? SHEET_STRONG : SHEET_FAINT, " %u %.*s ", pane + 1, n,
                    d->titles[pane]);
        unsigned room = end - x, width = (unsigned)row.used;
        text_screen_row(d->screen, p->y - 1, x, width < room ? width : room, &row, false);
        x += width;
    }
}

static void draw_slot(struct debugger *d, unsigned slot)
{
    const struct place *p = &d->layout.slots[slot].place;
    const struct sheet *s = &d->sheets[slot];
    enum view_pane pane = *debugger_shown(d, slot);
    draw_titles(d, slot);
    for (unsigned i = 0; i < s->used; i++)
        text_screen_row(d->screen, p->y + i, p->x, p->columns, &s->row[i], is_stale(d, pane));
    if (d->mode == MODE_GUEST && pane == VIEW_CONSOLE && d->has_cursor)
        text_screen_cursor(d->screen, p->y + d->cursor_y, p->x + d->cursor_x);
}

/* A long line is scrolled so that its cursor is seen. */
static void draw_prompt(struct debugger *d, unsigned columns)
{
    const struct line_edit *e = debugger_line(d);
    struct sheet_row row;
    sheet_row_begin(&row);
    sheet_print(&row, SHEET_STRONG, "%s ", debugger_prompt(d));
    size_t label = row.used, first = 0;
    while (label + line_edit_columns(e->text + first, e->cursor - first) >= columns)
        first++;
    sheet_put(&row, SHEET_PLAIN, e->text + first, e->used - first);
    text_screen_row(d->screen, d->layout.message_y, 0, columns, &row, false);
    size_t x = label + line_edit_columns(e->text + first, e->cursor - first);
    text_screen_cursor(d->screen, d->layout.message_y, (unsigned)x);
}

static void draw_bottom(struct debugger *d, unsigned columns)
{
    struct sheet_row row;
    sheet_row_begin(&row);
    debugger_put_keys(d, &row, columns);
    text_screen_row(d->screen, d->layout.keys_y, 0, columns, &row, false);
    if (d->mode == MODE_PROMPT)
        draw_prompt(d, columns);
    else if (d->asks_to_quit)
        put_line(d, d->layout.message_y, 0, SHEET_STRONG, "End the machine and leave? y/n");
    else
        put_line(d, d->layout.message_y, 0, SHEET_STRONG, d->message.text);
}

static void draw_help(struct debugger *d, unsigned rows, unsigned columns)
{
    struct sheet *s = &d->sheets[0];
    d->filled[0] = VIEW_PANES; /* it is something else now */
    sheet_begin(s, rows - 1, columns);
    debugger_put_help(s);
    for (unsigned i = 0; i < s->used; i++)
        text_screen_row(d->screen, i + 1, 1, columns - 1, &s->row[i], false);
}

static void draw_panes(struct debugger *d, unsigned columns)
{
    d->status.is_cursor = true;
    text_screen_row(d->screen, d->layout.status_y, 0, columns, &d->status, false);
    for (unsigned i = 0; i < d->layout.count; i++)
        draw_slot(d, i);
    if (d->layout.rule_x)
        text_screen_down(d->screen, 1, d->layout.rule_x, d->layout.keys_y - 1);
    draw_bottom(d, columns);
}

static void draw_refusal(struct debugger *d, unsigned rows, unsigned columns)
{
    char text[128];
    snprintf(text, sizeof text, "%ux%u is too small: the debugger needs %ux%u", columns, rows,
             DEBUGGER_COLUMNS, DEBUGGER_ROWS);
    put_line(d, 0, 0, SHEET_PLAIN, text);
}

/* False: there is no machine any more. */
static bool draw(struct debugger *d)
{
    unsigned rows, columns;
    atomic_store(&d->is_told, false);
    measure(d);
    text_screen_size(d->screen, &rows, &columns);
    if (!control_call(d->control, fill, d))
        return false;
    text_screen_clear(d->screen);
    if (d->is_too_small)
        draw_refusal(d, rows, columns);
    else if (d->mode == MODE_HELP)
        draw_help(d, rows, columns);
    else
        draw_panes(d, columns);
    text_screen_show(d->screen);
    d->drawn_ns = os_monotonic_ns();
    return true;
}

/* --- the thread --------------------------------------------------------------------------- */

/* Until a key, news or the time for another look; news in a stream are collected. */
static enum os_ready wait(struct debugger *d)
{
    enum os_ready ready = os_wait_readable(STDIN_FILENO, os_wake_fd(d->wake), LOOK_MS);
    uint64_t age_ns = os_monotonic_ns() - d->drawn_ns;
    if (ready == OS_READY_WAKE)
        os_wake_wait(d->wake, 0);
    if (ready == OS_READY_WAKE && age_ns < REST_NS)
        ready = os_wait_readable(STDIN_FILENO, -1, (int)((REST_NS - age_ns) / NS_PER_MS) + 1);
    return ready;
}

/* A key may have changed what stale panes show. */
static void forget(struct debugger *d)
{
    for (unsigned i = 0; i < LAYOUT_SLOTS; i++)
        d->filled[i] = VIEW_PANES;
}

static void main_of_thread(void *owner)
{
    struct debugger *d = owner;
    unsigned silent = 0;
    while (!atomic_load(&d->ends) && draw(d)) {
        bool is_readable = wait(d) == OS_READY_DATA;
        bool has_keys = debugger_take_keys(d);
        silent = !has_keys && is_readable ? silent + 1 : 0;
        if (has_keys)
            forget(d);
        if (silent == SILENT_MOST)
            d->ports.quit(d->ports.owner);
    }
}

bool debugger_is_possible(struct error *err)
{
    return (os_terminal_is_tty(STDIN_FILENO) && os_terminal_is_tty(STDOUT_FILENO)) ||
           error_set(err, "debug needs a terminal as standard input and output; -monitor and "
                          "-gdb do not");
}

/* --- life --------------------------------------------------------------------------------- */

static bool open_parts(struct debugger *d, struct error *err)
{
    d->wake = os_wake_create();
    if (!d->wake)
        return error_set(err, "no memory for the debugger");
    d->screen = text_screen_open(err);
    if (!d->screen)
        return false;
    d->messages = messages_keep();
    view_on_change(d->view, on_change, d);
    d->thread = os_thread_start(main_of_thread, d);
    return d->thread || error_set(err, "no thread for the debugger");
}

struct debugger *debugger_open(struct control *c, struct view *v,
                               const struct debugger_ports *ports, struct error *err)
{
    static const enum view_pane narrow[LAYOUT_SLOTS] = {VIEW_CODE, VIEW_REGISTERS};
    static const enum view_pane wide[LAYOUT_SLOTS] = {VIEW_CODE, VIEW_REGISTERS, VIEW_CONSOLE,
                                                      VIEW_STACK};
    struct debugger *d = calloc(1, sizeof *d);
    if (!d) {
        error_set(err, "no memory for the debugger");
        return NULL;
    }
    d->control = c;
    d->view = v;
    d->ports = *ports;
    memcpy(d->shown[0], narrow, sizeof narrow);
    memcpy(d->shown[1], wide, sizeof wide);
    if (open_parts(d, err))
        return d;
    debugger_close(d);
    return NULL;
}

void debugger_close(struct debugger *d)
{
    if (!d)
        return;
    atomic_store(&d->ends, true);
    if (d->thread) {
        os_wake_signal(d->wake);
        os_thread_join(d->thread);
    }
    view_on_change(d->view, NULL, NULL);
    text_screen_close(d->screen);
    messages_release(d->messages);
    os_wake_destroy(d->wake);
    line_edit_free(&d->commands);
    line_edit_free(&d->addresses);
    free(d);
}
