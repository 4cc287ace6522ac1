/* The display on a terminal (contract: terminal_display.h). */
#include "frontend/terminal_display.h"

#include "base/os.h"
#include "debug/keys.h"
#include "debug/keysyms.h"
#include "frontend/colours.h"
#include "frontend/screen_view.h"
#include "frontend/text_picture.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BEGIN  "\x1b[?1049h\x1b[?25l\x1b[2J" /* another page, no cursor */
#define END    "\x1b[0m\x1b[?25h\x1b[?1049l"
#define ESCAPE 0x1b
#define PREFIX 0x01 /* Ctrl-A speaks to the program, as it does at the console */

struct terminal_display {
    void (*quit)(void *owner);
    void *owner;
    struct os_thread *thread;
    struct os_wake *wake;
    atomic_bool ends;
    /* The thread's. */
    struct screen_view view;
    struct text_picture picture;
    bool after_prefix;
};

/* --- keys -------------------------------------------------------------------------------- */

static uint16_t named(const char *name)
{
    return key_by_name(name, strlen(name));
}

/* A terminal tells of characters: the key is pressed and released, with what it takes. */
static void strike(struct terminal_display *d, const char *with, uint16_t code)
{
    uint16_t modifier = *with ? named(with) : 0;
    screen_view_key(&d->view, modifier, true);
    screen_view_key(&d->view, code, true);
    screen_view_key(&d->view, code, false);
    screen_view_key(&d->view, modifier, false);
}

static void strike_character(struct terminal_display *d, uint8_t c)
{
    bool is_shifted;
    uint16_t code = key_by_character(c == '\r' ? '\n' : c, &is_shifted);
    if (code)
        strike(d, is_shifted ? "shift" : "", code);
    else if (c == 0x7f || c == '\b')
        strike(d, "", named("backspace"));
    else if (c == ESCAPE)
        strike(d, "", named("esc"));
    else if (c < 0x20)
        strike(d, "ctrl", key_by_keysym(c | 0x60u));
}

/* What follows an escape, as xterm writes it. */
static const struct {
    const char *text, *key;
} sequences[] = {
    {"[A", "up"},      {"[B", "down"},  {"[C", "right"}, {"[D", "left"},  {"[H", "home"},
    {"[F", "end"},     {"OA", "up"},    {"OB", "down"},  {"OC", "right"}, {"OD", "left"},
    {"OH", "home"},    {"OF", "end"},   {"OP", "f1"},    {"OQ", "f2"},    {"OR", "f3"},
    {"OS", "f4"},      {"[15~", "f5"},  {"[17~", "f6"},  {"[18~", "f7"},  {"[19~", "f8"},
    {"[20~", "f9"},    {"[21~", "f10"}, {"[23~", "f11"}, {"[24~", "f12"}, {"[2~", "insert"},
    {"[3~", "delete"}, {"[5~", "pgup"}, {"[6~", "pgdn"}, {"[1~", "home"}, {"[4~", "end"},
};

/* How many bytes behind an escape belong to a key; it is struck. */
static size_t strike_sequence(struct terminal_display *d, const char *bytes, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        size_t length = strlen(sequences[i].text);
        if (length <= n && memcmp(bytes, sequences[i].text, length) == 0) {
            strike(d, "", named(sequences[i].key));
            return length;
        }
    }
    strike_character(d, ESCAPE);
    return 0;
}

/* True: the byte is for the program. */
static bool take_prefix(struct terminal_display *d, uint8_t byte)
{
    if (!d->after_prefix) {
        d->after_prefix = byte == PREFIX;
        return d->after_prefix;
    }
    d->after_prefix = false;
    if (byte == 'x')
        d->quit(d->owner);
    return byte != 'a'; /* Ctrl-A a is the guest's Ctrl-A */
}

static void take_input(struct terminal_display *d)
{
    char bytes[256];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n <= 0)
        d->quit(d->owner); /* the terminal is gone */
    for (ssize_t i = 0; i < n; i++) {
        bool was_prefix = d->after_prefix;
        if (take_prefix(d, (uint8_t)bytes[i]))
            continue;
        if (was_prefix)
            strike_character(d, PREFIX);
        else if (bytes[i] == ESCAPE)
            i += (ssize_t)strike_sequence(d, bytes + i + 1, (size_t)(n - i - 1));
        else
            strike_character(d, (uint8_t)bytes[i]);
    }
}

/* --- the picture ------------------------------------------------------------------------- */

static void write_all(const char *bytes, size_t n)
{
    while (n) {
        ssize_t now = write(STDOUT_FILENO, bytes, n);
        if (now <= 0)
            return; /* reading will tell */
        bytes += now;
        n -= (size_t)now;
    }
}

static void show(struct terminal_display *d)
{
    unsigned columns, rows;
    screen_view_update(&d->view);
    bool is_new = d->view.is_resized || !rect_is_empty(d->view.changed);
    if (os_terminal_size(STDOUT_FILENO, &columns, &rows) &&
        (columns != d->picture.columns || rows != d->picture.rows)) {
        is_new = text_picture_resize(&d->picture, columns, rows);
        write_all("\x1b[2J", 4);
    }
    if (!is_new || !d->picture.text)
        return;
    d->view.is_resized = false;
    text_picture_draw(&d->picture, d->view.width ? d->view.pixels : NULL, d->view.width,
                      d->view.height);
    write_all(d->picture.text, d->picture.used);
}

/* --- life -------------------------------------------------------------------------------- */

static void main_of_thread(void *owner)
{
    struct terminal_display *d = owner;
    write_all(BEGIN, strlen(BEGIN));
    while (!atomic_load(&d->ends)) {
        show(d);
        enum os_ready ready =
            os_wait_readable(STDIN_FILENO, os_wake_fd(d->wake), (int)screen_view_wait_ms(&d->view));
        if (ready == OS_READY_DATA)
            take_input(d);
    }
    write_all(END, strlen(END));
}

struct terminal_display *terminal_display_open(struct control *c, void (*quit)(void *owner),
                                               void *owner, struct error *err)
{
    if (!os_terminal_is_tty(STDIN_FILENO) || !os_terminal_is_tty(STDOUT_FILENO)) {
        error_set(err, "standard input and output are no terminal");
        return NULL;
    }
    if (!terminal_has_colours()) {
        error_set(err,
                  "this terminal has no colours; set TERM, for example xterm-256color, if it has");
        return NULL;
    }
    struct terminal_display *d = calloc(1, sizeof *d);
    if (!d || !(d->wake = os_wake_create())) {
        free(d);
        error_set(err, "no memory for the display");
        return NULL;
    }
    d->quit = quit;
    d->owner = owner;
    d->picture.has_all_colours = terminal_has_all_colours();
    screen_view_init(&d->view, c);
    if (os_terminal_raw(err)) {
        d->thread = os_thread_start(main_of_thread, d);
        if (d->thread)
            return d;
        error_set(err, "no thread for the display");
    }
    terminal_display_close(d);
    return NULL;
}

void terminal_display_close(struct terminal_display *d)
{
    if (!d)
        return;
    atomic_store(&d->ends, true);
    os_wake_signal(d->wake);
    if (d->thread)
        os_thread_join(d->thread);
    os_terminal_restore();
    os_wake_destroy(d->wake);
    text_picture_deinit(&d->picture);
    screen_view_deinit(&d->view);
    free(d);
}
