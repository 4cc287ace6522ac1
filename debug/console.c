/* A place where a user types to the monitor (contract: console.h). */
#include "debug/console.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES   1024u
#define WAITING_MOST 65536u /* bytes that wait for the end of a step */

enum key { CTRL_C = 3, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

struct console {
    struct control *control;
    struct monitor *monitor;
    struct control_observer observer;
    struct byte_sink out;
    bool echo, has_greeted;
    bool is_over;    /* the program ends */
    bool waits;      /* for the end of a step that was asked for here */
    bool was_return; /* the last byte was '\r': '\n' behind it ends no second line */
    char line[LINE_BYTES];
    size_t used;
    struct control_work waiting_work;
    uint8_t waiting[WAITING_MOST];
    size_t waiting_bytes;
};

static void prompt(struct console *c)
{
    byte_sink_print(&c->out, CONSOLE_PROMPT);
}

static void run_line(struct console *c)
{
    c->line[c->used] = 0;
    c->used = 0;
    monitor_run(c->monitor, c->line, &c->out);
    c->waits = monitor_is_stepping(c->monitor);
    if (!c->waits && !c->is_over)
        prompt(c);
}

/* --- editing ----------------------------------------------------------------------------- */

static void erase(struct console *c, size_t n)
{
    for (; n && c->used; n--, c->used--)
        if (c->echo)
            byte_sink_print(&c->out, "\b \b");
}

static void insert(struct console *c, uint8_t byte)
{
    if (c->used + 1 == sizeof c->line)
        return;
    c->line[c->used++] = (char)byte;
    if (c->echo)
        c->out.write(c->out.owner, &byte, 1);
}

static void take_key(struct console *c, uint8_t key)
{
    bool follows_return = c->was_return;
    c->was_return = key == '\r';
    switch (key) {
    case '\n':
    case '\r':
        if (key == '\n' && follows_return)
            break;
        if (c->echo)
            byte_sink_print(&c->out, "\n");
        run_line(c);
        break;
    case BACKSPACE:
    case DELETE:
        erase(c, 1);
        break;
    case CTRL_U:
        erase(c, c->used);
        break;
    case CTRL_C:
        c->used = 0;
        byte_sink_print(&c->out, "\n");
        prompt(c);
        break;
    default:
        if (key >= ' ' || key == '\t')
            insert(c, key);
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
    bool asked = control_state(c->control) == RUN_PAUSED && !c->waits;
    c->is_over |= news->event == CONTROL_SHUTDOWN && !news->by_guest;
    if (news->event != CONTROL_STOPPED || !c->has_greeted || asked)
        return;
    c->waits = false;
    monitor_show_stop(c->monitor, &c->out);
    prompt(c);
    c->out.write(c->out.owner, (const uint8_t *)c->line, c->used); /* what was being typed */
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
    c->used = 0;
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
    free(c);
}
