/* What the files of the debugger share. */
#ifndef RIVULET_FRONTEND_DEBUGGER_INTERNAL_H
#define RIVULET_FRONTEND_DEBUGGER_INTERNAL_H

#include "base/os.h"
#include "frontend/debugger.h"
#include "frontend/messages.h"
#include "frontend/text_screen.h"

#include <stdatomic.h>

#define DEBUGGER_ROWS    24u /* the least that it is drawn on */
#define DEBUGGER_COLUMNS 80u

/* --- debugger_layout.c: where the panes are -------------------------------------------------- */

#define LAYOUT_SLOTS 4u

struct place {
    unsigned y, x, rows, columns;
};

/* A part of the screen that shows one of several panes; the title is above the place. */
struct slot {
    struct place place;
    unsigned panes; /* bit by enum view_pane */
};

struct layout {
    struct slot slots[LAYOUT_SLOTS];
    unsigned count;
    unsigned status_y, keys_y, message_y;
    unsigned rule_x; /* a line down between the columns; 0: there is none */
};

/* False: the terminal is too small. */
bool layout_make(struct layout *l, unsigned rows, unsigned columns);
unsigned layout_slot_of(const struct layout *l, enum view_pane pane);

/* --- debugger.c ---------------------------------------------------------------------------- */

enum debugger_mode { MODE_KEYS, MODE_GUEST, MODE_PROMPT, MODE_HELP };

enum prompt_kind { PROMPT_COMMAND, PROMPT_GO_TO, PROMPT_MEMORY, PROMPT_PAGES, PROMPT_WATCH };

struct debugger {
    struct control *control;
    struct view *view;
    struct debugger_ports ports;
    struct text_screen *screen;
    struct messages *messages; /* NULL: standard error is not the terminal */
    struct os_thread *thread;
    struct os_wake *wake;   /* there is something new to be shown */
    atomic_bool is_told;    /* and the thread has been woken for it */
    atomic_bool ends, runs; /* runs: the machine */
    uint64_t drawn_ns;

    /* The debugger's thread. */
    struct layout layout;
    bool is_too_small;
    enum view_pane shown[2][LAYOUT_SLOTS]; /* by wide screens and narrow ones */
    enum view_pane focus;                  /* what keys scroll */
    enum debugger_mode mode;
    enum prompt_kind prompt;
    struct line_edit commands, addresses;
    bool asks_to_quit;
    struct error message; /* "": none */

    /* Both threads in turn. */
    struct sheet sheets[LAYOUT_SLOTS];
    enum view_pane filled[LAYOUT_SLOTS]; /* what the sheets hold; VIEW_PANES: nothing of use */
    char titles[VIEW_PANES][80];
    struct sheet_row status;
    bool has_cursor;
    unsigned cursor_y, cursor_x; /* the guest's, on the console's sheet */
};

enum view_pane *debugger_shown(struct debugger *d, unsigned slot);
/* Brings a pane to the front, and gives it the keys that scroll. */
void debugger_focus(struct debugger *d, enum view_pane pane);
/* The line that is edited. */
struct line_edit *debugger_line(struct debugger *d);
const char *debugger_prompt(const struct debugger *d);

/* --- debugger_keys.c ------------------------------------------------------------------------ */

/* What has been typed so far; false: nothing. */
bool debugger_take_keys(struct debugger *d);
/* The keys of the present mode in a line of so many columns. */
void debugger_put_keys(const struct debugger *d, struct sheet_row *r, unsigned columns);
void debugger_put_help(struct sheet *s);

#endif
