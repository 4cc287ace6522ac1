/* A place where a user types to the monitor (contract: console.h). */
#include "debug/console.h"

#include "debug/line_edit.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MOST 65536u /* bytes that wait for the end of a step */

enum key { CTRL_C = 3, ESCAPE = 27 };

/* Keys that are no bytes come as "ESC [ LETTER", "ESC O LETTER" or "ESC [ NUMBER ~" (ECMA-48). */
enum escape { NO_ESCAPE, AFTER_ESCAPE, IN_SEQUENCE };

struct console {
    struct control *control;
    struct monitor *monitor;
    struct control_observer observer;
    struct byte_sink out;
    bool echo, has_greeted;
    bool is_over;    /* the program ends */
    bool waits;      /* for the end of a step that was asked for here */
    bool runs_line;  /* a command is being run: others may speak, if it moves in the past */
    bool asks;       /* the line is a password: it is neither shown nor remembered */
    bool was_return; /* the last byte was '\r': '\n' behind it ends no second line */
    struct line_edit edit;
    enum escape escape;
    unsigned number; /* of an escape sequence */
    struct control_work waiting_work;
    uint8_t waiting[WAITING_MOST];
    size_t waiting_bytes;
};

static void prompt(struct console *c)
{
    byte_sink_print(&c->out, c->asks ? "Password: " : CONSOLE_PROMPT);
}

static void write_text(struct console *c, const char *text, size_t n)
{
    if (n)
        c->out.write(c->out.owner, (const uint8_t *)text, n);
}

static void run_line(struct console *c)
{
    char line[LINE_EDIT_BYTES];
    memcpy(line, c->edit.text, c->edit.used + 1);
    if (!c->asks)
        line_edit_remember(&c->edit);
    line_edit_clear(&c->edit);
    c->waits = c->runs_line = true; /* keys that come meanwhile are for what comes behind it */
    bool is_password = c->asks;
    c->asks = !is_password && monitor_run_asking(c->monitor, line, &c->out);
    if (is_password)
        monitor_take_password(c->monitor, line, &c->out);
    c->runs_line = false;
    c->waits = monitor_is_stepping(c->monitor);
    if (c->waits || c->is_over)
        return;
    prompt(c);
    control_defer(c->control, &c->waiting_work);
}

/* --- editing ----------------------------------------------------------------------------- */

static void repeat(struct console *c, char byte, size_t n)
{
    while (n-- > 0)
        write_text(c, &byte, 1);
}

/* The line and its cursor, behind a prompt. */
static void show_line(struct console *c)
{
    const struct line_edit *e = &c->edit;
    if (c->asks)
        return;
    write_text(c, e->text, e->used);
    repeat(c, '\b', line_edit_columns(e->text + e->cursor, e->used - e->cursor));
}

/* The screen shows `old`: moves to the first place that differs, and writes what follows there. */
static void show_change(struct console *c, const char *old, size_t used, size_t cursor)
{
    const struct line_edit *e = &c->edit;
    size_t same = 0;
    while (same < used && same < e->used && old[same] == e->text[same])
        same++;
    if (same == used && same == e->used)
        same = e->cursor;
    if (cursor > same)
        repeat(c, '\b', line_edit_columns(old + same, cursor - same));
    else
        write_text(c, old + cursor, same - cursor);
    if (used == e->used && memcmp(old, e->text, used) == 0)
        return;
    size_t now = line_edit_columns(e->text + same, e->used - same);
    size_t before = line_edit_columns(old + same, used - same);
    size_t spare = before > now ? before - now : 0;
    write_text(c, e->text + same, e->used - same);
    repeat(c, ' ', spare);
    repeat(c, '\b', spare + line_edit_columns(e->text + e->cursor, e->used - e->cursor));
}

static void edit(struct console *c, unsigned key)
{
    char old[LINE_EDIT_BYTES];
    size_t used = c->edit.used, cursor = c->edit.cursor;
    memcpy(old, c->edit.text, used);
    if (line_edit_key(&c->edit, key) && c->echo && !c->asks)
        show_change(c, old, used, cursor);
}

static void complete(struct console *c)
{
    char old[LINE_EDIT_BYTES];
    size_t used = c->edit.used, cursor = c->edit.cursor;
    memcpy(old, c->edit.text, used);
    if (monitor_complete(&c->edit)) {
        show_change(c, old, used, cursor);
        return;
    }
    byte_sink_print(&c->out, "\n");
    monitor_show_choices(&c->edit, &c->out);
    prompt(c);
    show_line(c);
}

/* --- keys -------------------------------------------------------------------------------- */

/* The byte that ends an escape sequence; 0: no key of ours. */
static unsigned sequence_key(unsigned number, uint8_t last)
{
    static const struct {
        uint8_t last;
        unsigned number, key;
    } keys[] = {
        {'A', 0, EDIT_UP},   {'B', 0, EDIT_DOWN}, {'C', 0, EDIT_RIGHT},  {'D', 0, EDIT_LEFT},
        {'H', 0, EDIT_HOME}, {'F', 0, EDIT_END},  {'~', 1, EDIT_HOME},   {'~', 7, EDIT_HOME},
        {'~', 4, EDIT_END},  {'~', 8, EDIT_END},  {'~', 3, EDIT_DELETE},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].last == last && keys[i].number == number)
            return keys[i].key;
    return 0;
}

/* Whether the byte is part of an escape sequence. */
static bool take_escape(struct console *c, uint8_t byte)
{
    enum escape was = c->escape;
    c->escape = NO_ESCAPE;
    if (byte == ESCAPE) {
        c->escape = AFTER_ESCAPE;
        return true;
    }
    if (was == AFTER_ESCAPE && (byte == '[' || byte == 'O')) {
        c->escape = IN_SEQUENCE;
        c->number = 0;
        return true;
    }
    if (was != IN_SEQUENCE || byte < ' ')
        return false;
    if (byte >= '0' && byte <= ';') {
        c->number = byte <= '9' ? (c->number * 10 + byte - '0') % 1000 : c->number;
        c->escape = IN_SEQUENCE;
        return true;
    }
    unsigned key = sequence_key(c->number, byte);
    if (key)
        edit(c, key);
    return true;
}

static void take_key(struct console *c, uint8_t key)
{
    bool follows_return = c->was_return;
    c->was_return = key == '\r';
    if (c->echo && take_escape(c, key))
        return;
    switch (key) {
    case '\n':
    case '\r':
        if (key == '\n' && follows_return)
            break;
        if (c->echo)
            byte_sink_print(&c->out, "\n");
        run_line(c);
        break;
    case CTRL_C:
        line_edit_clear(&c->edit);
        c->asks = false;
        byte_sink_print(&c->out, "\n");
        prompt(c);
        break;
    case '\t':
        if (c->echo && !c->asks)
            complete(c);
        else
            line_edit_insert(&c->edit, "\t", 1);
        break;
    default:
        edit(c, key);
    }
}

/* --- steps ------------------------------------------------------------------------------- */

static void keep(struct console *c, uint8_t key)
{
    if (c->waiting_bytes < sizeof c->waiting)
        c->waiting[c->waiting_bytes++] = key;
}

static void take_waiting(void *owner)
{
    struct console *c = owner;
    size_t n = 0;
    while (n < c->waiting_bytes && !c->waits)
        take_key(c, c->waiting[n++]);
    c->waiting_bytes -= n;
    memmove(c->waiting, c->waiting + n, c->waiting_bytes);
}

/* Who says `stop` knows that it stops; all else is news. */
static void on_news(void *owner, const struct control_news *news)
{
    struct console *c = owner;
    bool asked = control_state(c->control) == RUN_PAUSED && (c->runs_line || !c->waits);
    c->is_over |= news->event == CONTROL_SHUTDOWN && !news->by_guest;
    if (news->event != CONTROL_STOPPED || !c->has_greeted || asked)
        return;
    if (c->runs_line) {
        monitor_show_stop(c->monitor, &c->out);
        return;
    }
    c->waits = false;
    monitor_show_stop(c->monitor, &c->out);
    prompt(c);
    show_line(c); /* what was being typed */
    control_defer(c->control, &c->waiting_work);
}

void console_type(struct console *c, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (c->waits && bytes[i] == CTRL_C)
            control_stop(c->control, RUN_PAUSED);
        else if (c->waits || c->waiting_bytes)
            keep(c, bytes[i]);
        else
            take_key(c, bytes[i]);
    }
}

void console_turn(struct console *c)
{
    if (!c->has_greeted)
        byte_sink_print(&c->out,
                        "Rivulet " RIVULET_VERSION " monitor - type 'help' for more information\n");
    else
        byte_sink_print(&c->out, "\n");
    c->has_greeted = true;
    c->asks = false;
    line_edit_clear(&c->edit);
    prompt(c);
}

/* --- life -------------------------------------------------------------------------------- */

struct console *console_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                               bool echo, struct error *err)
{
    struct console *console = calloc(1, sizeof *console);
    if (!console) {
        error_set(err, "no memory for the monitor's console");
        return NULL;
    }
    console->control = c;
    console->monitor = m;
    console->out = *out;
    console->echo = echo;
    console->waiting_work = (struct control_work){.work = take_waiting, .owner = console};
    console->observer = (struct control_observer){.tell = on_news, .owner = console};
    control_observe(c, &console->observer);
    return console;
}

void console_destroy(struct console *c)
{
    if (!c)
        return;
    control_unobserve(c->control, &c->observer);
    control_cancel(c->control, &c->waiting_work);
    line_edit_free(&c->edit);
    free(c);
}
