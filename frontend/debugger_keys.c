/* The keys of the debugger (contract: debugger_internal.h): one table says what each does, what the
 * bottom of the screen calls it, and what help says of it. */
#include "frontend/debugger_internal.h"

#include <string.h>
#include <unistd.h>

#define TAB         '\t'
#define CTRL_C      3
#define CTRL_L      12
#define ESCAPE      27
#define GIVE_BACK   29 /* Ctrl-] */
#define TYPED_BYTES 256u
#define SETTLE_NS   30000000ull /* a step is over by then: nothing flashes */
#define PAGE_ROWS   10

/* --- on the machine's thread ------------------------------------------------------------------ */

struct request {
    struct debugger *debugger;
    enum view_action action;
    int rows;
    const char *text;
    struct error err;
};

static void do_action(void *owner)
{
    struct request *r = owner;
    struct error err = {""};
    if (!view_act(r->debugger->view, r->action, &err))
        r->err = err;
}

static void do_scroll(void *owner)
{
    struct request *r = owner;
    view_scroll(r->debugger->view, r->debugger->focus, r->rows);
}

static void do_command(void *owner)
{
    struct request *r = owner;
    view_command(r->debugger->view, r->text);
}

static void do_look(void *owner)
{
    static const enum view_pane panes[] = {
        [PROMPT_GO_TO] = VIEW_CODE, [PROMPT_MEMORY] = VIEW_MEMORY, [PROMPT_PAGES] = VIEW_PAGES};
    struct request *r = owner;
    struct error err = {""};
    enum view_pane pane = panes[r->debugger->prompt];
    if (view_look_at(r->debugger->view, pane, r->text, &err))
        debugger_focus(r->debugger, pane);
    else
        r->err = err;
}

static void call(struct debugger *d, void (*work)(void *owner), struct request *r)
{
    r->debugger = d;
    control_call(d->control, work, r);
    d->message = r->err;
}

/* --- what keys do ------------------------------------------------------------------------- */

struct key;
typedef void key_action(struct debugger *d, const struct key *key);

struct key {
    unsigned key;
    const char *name, *label; /* label NULL: not at the bottom of the screen */
    const char *help;         /* NULL: as the row before it */
    key_action *run;
    int what; /* enum view_action, enum prompt_kind, enum debugger_mode, rows, or a pane */
};

/* The picture waits for the end of a short step. */
static void act(struct debugger *d, const struct key *key)
{
    struct request r = {.action = (enum view_action)key->what};
    uint64_t end_ns = os_monotonic_ns() + SETTLE_NS, now_ns;
    call(d, do_action, &r);
    if (key->what == VIEW_RUN)
        return;
    while (atomic_load(&d->runs) && (now_ns = os_monotonic_ns()) < end_ns) {
        atomic_store(&d->is_told, false);
        if (atomic_load(&d->runs)) /* else nobody will wake us */
            os_wake_wait(d->wake, end_ns - now_ns);
    }
}

static void pause_machine(struct debugger *d, const struct key *key)
{
    if (atomic_load(&d->runs))
        act(d, key);
}

static void scroll(struct debugger *d, const struct key *key)
{
    struct request r = {.rows = key->what};
    call(d, do_scroll, &r);
}

static void begin_prompt(struct debugger *d, const struct key *key)
{
    d->mode = MODE_PROMPT;
    d->prompt = (enum prompt_kind)key->what;
    struct line_edit *e = debugger_line(d);
    const char *now = d->prompt == PROMPT_MEMORY  ? view_expression(d->view, VIEW_MEMORY)
                      : d->prompt == PROMPT_PAGES ? view_expression(d->view, VIEW_PAGES)
                                                  : "";
    line_edit_clear(e);
    line_edit_insert(e, now, strlen(now));
}

static void set_mode(struct debugger *d, const struct key *key)
{
    d->mode = (enum debugger_mode)key->what;
    text_screen_raw_keys(d->screen, d->mode == MODE_GUEST);
    if (d->mode == MODE_GUEST)
        debugger_focus(d, VIEW_CONSOLE);
}

static void show_pane(struct debugger *d, const struct key *key)
{
    debugger_focus(d, (enum view_pane)key->what);
}

/* To the next part of the screen, forwards or backwards. */
static void next_slot(struct debugger *d, const struct key *key)
{
    unsigned count = d->layout.count, slot = layout_slot_of(&d->layout, d->focus);
    if (count)
        d->focus = *debugger_shown(d, (slot + count + (unsigned)key->what) % count);
}

static void ask_to_quit(struct debugger *d, const struct key *key)
{
    (void)key;
    d->asks_to_quit = true;
}

static void redraw(struct debugger *d, const struct key *key)
{
    (void)key;
    text_screen_redraw(d->screen);
}

/* At the bottom of the screen in this order, as many as fit. */
static const struct key keys[] = {
    {'?', "?", "help", "this text", set_mode, MODE_HELP},
    {'s', "s", "step", "one instruction of this hart", act, VIEW_STEP},
    {'n', "n", "next", "the same, and a call or ecall with all that it does", act, VIEW_NEXT},
    {'f', "f", "finish", "go on until the function returns", act, VIEW_FINISH},
    {'u', "u", "here", "go on until any hart comes to the cursor", act, VIEW_RUN_TO_CURSOR},
    {'c', "c", "run", "let the machine run, or stop it (Ctrl-C too)", act, VIEW_RUN},
    {'S', "S N F C", NULL, "step, next, finish and run back, in the past: needs -history", act,
     VIEW_STEP_BACK},
    {'N', NULL, NULL, NULL, act, VIEW_NEXT_BACK},
    {'F', NULL, NULL, NULL, act, VIEW_FINISH_BACK},
    {'C', NULL, NULL, NULL, act, VIEW_RUN_BACK},
    {'b', "b", "break", "set a breakpoint at the cursor, or take it away", act, VIEW_BREAKPOINT},
    {':', ":", "cmd", "a command of the monitor (:help lists them)", begin_prompt, PROMPT_COMMAND},
    {'q', "q", "quit", "end the machine and leave", ask_to_quit, 0},
    {'i', "i", "type", "the keyboard is the guest's until Ctrl-]", set_mode, MODE_GUEST},
    {'g', "g", "go to", "show the code at an address: a number, a symbol, $ra + 4", begin_prompt,
     PROMPT_GO_TO},
    {'.', ".", NULL, "show the code at the pc", act, VIEW_TO_PC},
    {'m', "m", "memory", "show memory at an address", begin_prompt, PROMPT_MEMORY},
    {'p', "p", "pages", "show how an address is translated, or why not", begin_prompt,
     PROMPT_PAGES},
    {'w', "w", "watch", "stop behind what writes to an address; with r or rw: reads", begin_prompt,
     PROMPT_WATCH},
    {'h', "h", NULL, "look at the next hart", act, VIEW_NEXT_HART},
    {TAB, "Tab", NULL, "go to the next part of the screen; arrows scroll it", next_slot, 1},
    {TEXT_BACK_TAB, NULL, NULL, NULL, next_slot, -1},
    {'1', "1-9", NULL, "show the pane of this number", show_pane, VIEW_CODE},
    {'2', NULL, NULL, NULL, show_pane, VIEW_REGISTERS},
    {'3', NULL, NULL, NULL, show_pane, VIEW_CSRS},
    {'4', NULL, NULL, NULL, show_pane, VIEW_MEMORY},
    {'5', NULL, NULL, NULL, show_pane, VIEW_STACK},
    {'6', NULL, NULL, NULL, show_pane, VIEW_PAGES},
    {'7', NULL, NULL, NULL, show_pane, VIEW_HARTS},
    {'8', NULL, NULL, NULL, show_pane, VIEW_CONSOLE},
    {'9', NULL, NULL, NULL, show_pane, VIEW_MONITOR},
    {EDIT_UP, NULL, NULL, NULL, scroll, -1},
    {EDIT_DOWN, NULL, NULL, NULL, scroll, 1},
    {'k', NULL, NULL, NULL, scroll, -1},
    {'j', NULL, NULL, NULL, scroll, 1},
    {TEXT_PAGE_UP, NULL, NULL, NULL, scroll, -PAGE_ROWS},
    {TEXT_PAGE_DOWN, NULL, NULL, NULL, scroll, PAGE_ROWS},
    {CTRL_C, NULL, NULL, NULL, pause_machine, VIEW_RUN},
    {CTRL_L, "Ctrl-L", NULL, "draw the screen anew", redraw, 0},
};

/* --- modes -------------------------------------------------------------------------------- */

static void take_command_key(struct debugger *d, unsigned key)
{
    d->message.text[0] = 0;
    if (d->asks_to_quit) {
        d->asks_to_quit = false;
        if (key == 'y')
            d->ports.quit(d->ports.owner);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == key)
            keys[i].run(d, &keys[i]);
}

static void end_prompt(struct debugger *d)
{
    struct line_edit *e = debugger_line(d);
    char line[LINE_EDIT_BYTES + 8];
    struct request r = {.text = line};
    snprintf(line, sizeof line, "%s%s", d->prompt == PROMPT_WATCH ? "watch " : "", e->text);
    bool is_empty = e->used == 0;
    line_edit_remember(e);
    line_edit_clear(e);
    d->mode = MODE_KEYS;
    if (is_empty)
        return;
    bool is_command = d->prompt == PROMPT_COMMAND || d->prompt == PROMPT_WATCH;
    call(d, is_command ? do_command : do_look, &r);
    if (is_command)
        debugger_focus(d, VIEW_MONITOR);
}

static void take_choice(void *owner, const uint8_t *bytes, size_t n)
{
    struct error *message = owner;
    size_t used = strlen(message->text), room = sizeof message->text - 1 - used;
    n = strnlen((const char *)bytes, n < room ? n : room);
    memcpy(message->text + used, bytes, n);
    message->text[used + n] = 0;
}

static void complete(struct debugger *d)
{
    struct byte_sink choices = {.write = take_choice, .owner = &d->message};
    d->message.text[0] = 0;
    if (d->prompt == PROMPT_COMMAND && !monitor_complete(&d->commands))
        monitor_show_choices(&d->commands, &choices);
    d->message.text[strcspn(d->message.text, "\n")] = 0;
}

static void take_prompt_key(struct debugger *d, unsigned key)
{
    if (key == '\r' || key == '\n')
        end_prompt(d);
    else if (key == ESCAPE || key == CTRL_C)
        d->mode = MODE_KEYS;
    else if (key == TAB)
        complete(d);
    else if (key < EDIT_KEYS_END)
        line_edit_key(debugger_line(d), key);
}

/* What is typed to the guest goes to it in one piece. */
static void take_guest_keys(struct debugger *d, unsigned key)
{
    uint8_t typed[TYPED_BYTES];
    size_t n = 0;
    while (key != TEXT_NONE && key != GIVE_BACK && n < sizeof typed) {
        if (key < 256)
            typed[n++] = (uint8_t)key;
        key = n < sizeof typed ? text_screen_key(d->screen) : TEXT_NONE;
    }
    if (n)
        d->ports.type(d->ports.owner, typed, n);
    if (key == GIVE_BACK) {
        d->mode = MODE_KEYS;
        text_screen_raw_keys(d->screen, false);
    }
}

bool debugger_take_keys(struct debugger *d)
{
    unsigned key;
    bool any = false;
    while ((key = text_screen_key(d->screen)) != TEXT_NONE && key != TEXT_RESIZED) {
        any = true;
        if (d->mode == MODE_GUEST)
            take_guest_keys(d, key);
        else if (d->mode == MODE_HELP)
            d->mode = MODE_KEYS;
        else if (d->mode == MODE_PROMPT)
            take_prompt_key(d, key);
        else
            take_command_key(d, key);
    }
    return any || key == TEXT_RESIZED;
}

/* --- what is said of them ------------------------------------------------------------------ */

const char *debugger_prompt(const struct debugger *d)
{
    static const char *const prompts[] = {
        [PROMPT_COMMAND] = ":",       [PROMPT_GO_TO] = "go to:", [PROMPT_MEMORY] = "memory at:",
        [PROMPT_PAGES] = "pages of:", [PROMPT_WATCH] = "watch:",
    };
    return prompts[d->prompt];
}

static void put_key(struct sheet_row *r, const char *name, const char *label)
{
    sheet_print(r, SHEET_STRONG, "%s%s", r->used ? "  " : "", name);
    sheet_print(r, SHEET_PLAIN, " %s", label);
}

void debugger_put_keys(const struct debugger *d, struct sheet_row *r, unsigned columns)
{
    if (d->mode == MODE_GUEST) {
        put_key(r, "Ctrl-]", "takes the keyboard back from the guest");
        return;
    }
    if (d->mode == MODE_PROMPT) {
        put_key(r, "Enter", "runs it");
        put_key(r, "Esc", "leaves");
        put_key(r, "Up", "former lines");
        if (d->prompt == PROMPT_COMMAND)
            put_key(r, "Tab", "completes");
        sheet_print(r, SHEET_FAINT, "  %s", d->message.text);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        bool stops = keys[i].key == 'c' && atomic_load(&d->runs);
        const char *label = stops ? "stop" : keys[i].label;
        size_t gap = r->used ? 2 : 0;
        if (label && r->used + gap + strlen(keys[i].name) + 1 + strlen(label) <= columns)
            put_key(r, keys[i].name, label);
    }
}

static void put_rows(struct sheet *s)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct sheet_row *r = keys[i].help ? sheet_add(s) : NULL;
        if (!r)
            continue;
        sheet_print(r, SHEET_STRONG, "%8s  ", keys[i].name);
        sheet_print(r, SHEET_PLAIN, "%s", keys[i].help);
    }
}

void debugger_put_help(struct sheet *s)
{
    static const char *const marks =
        ">: the pc   *: a breakpoint, or what has changed   +: where the jump leads";
    struct sheet_row *r;
    put_rows(s);
    if ((r = sheet_add(s)) != NULL)
        sheet_print(r, SHEET_FAINT, "%s", marks);
}

void debugger_print_help(FILE *out)
{
    fprintf(out, "usage: rivulet debug [OPTION...] [FILE]\n"
                 "The debugger for people: what `rivulet [OPTION...] [FILE]` runs, stopped before "
                 "its\n"
                 "first instruction, on the terminal. The options are those of `rivulet --help`. "
                 "What\n"
                 "differs: -icount 1 is the default, so that a run is the same each time and is "
                 "not\n"
                 "changed by looking (-icount off: time follows the host's); -no-shutdown is on; "
                 "the\n"
                 "guest's console is a pane; a kernel's own symbols are loaded when it is an ELF "
                 "file\n"
                 "(-symbols FILE: others).\n\nKeys:\n");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].help)
            fprintf(out, "%8s  %s\n", keys[i].name, keys[i].help);
}
