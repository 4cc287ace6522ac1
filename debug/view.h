/* What a person who debugs looks at and does: panes of text about a machine, made for a place of
 * any size, and the steps that go further than one instruction. It knows no terminal and no keys.
 *
 * There is one current hart, one list of breakpoints and one language of commands: the monitor's.
 * Looking changes nothing that the guest computes.
 *
 * All of it belongs to the machine's thread (control.h). */
#ifndef RIVULET_DEBUG_VIEW_H
#define RIVULET_DEBUG_VIEW_H

#include "debug/monitor.h"
#include "debug/sheet.h"

enum view_pane {
    VIEW_CODE,
    VIEW_REGISTERS,
    VIEW_CSRS,
    VIEW_MEMORY,
    VIEW_STACK,
    VIEW_PAGES,
    VIEW_HARTS,
    VIEW_CONSOLE,
    VIEW_MONITOR,
    VIEW_PANES
};

struct view;
struct symbols;

/* Control, monitor and symbols outlive it. */
struct view *view_create(struct control *c, struct monitor *m, const struct symbols *symbols,
                         struct error *err);
void view_destroy(struct view *v);
/* Has changed(owner) called when the machine stops or goes on, or the guest's console has said
 * something. It may only take note. */
void view_on_change(struct view *v, void (*changed)(void *owner), void *owner);

/* --- looking ------------------------------------------------------------------------------ */

/* Fills the sheet, for which sheet_begin has set the place. */
void view_show(struct view *v, enum view_pane pane, struct sheet *s);
/* One line: hart, privilege, why it stands, steps and time. */
void view_show_status(struct view *v, struct sheet_row *r);
/* "Memory $sp". */
void view_title(const struct view *v, enum view_pane pane, char *text, size_t size);
/* Where the guest's cursor is on the sheet of VIEW_CONSOLE; false: it is out of sight. */
bool view_console_cursor(const struct view *v, const struct sheet *s, unsigned *row,
                         unsigned *column);

/* By so many rows; in VIEW_CODE the cursor moves. */
void view_scroll(struct view *v, enum view_pane pane, int rows);

/* The address that the pane shows: an expression. VIEW_CODE goes there once; memory and pages look
 * at it anew each time, so that "$sp" follows the register. */
bool view_look_at(struct view *v, enum view_pane pane, const char *expression,
                  struct error *err) MUST_CHECK;
/* The expression that the pane has, for an editor to begin with. */
const char *view_expression(const struct view *v, enum view_pane pane);

/* --- doing -------------------------------------------------------------------------------- */

enum view_action {
    VIEW_STEP,          /* one instruction */
    VIEW_NEXT,          /* likewise, and a call or ecall with all that it does */
    VIEW_FINISH,        /* until the function returns */
    VIEW_RUN_TO_CURSOR, /* of VIEW_CODE */
    VIEW_RUN,           /* or pause */
    VIEW_BREAKPOINT,    /* set or take away, at the cursor */
    VIEW_TO_PC,         /* the cursor */
    VIEW_STEP_BACK,     /* and so on: in the past of the machine (debug/past.h) */
    VIEW_NEXT_BACK,
    VIEW_FINISH_BACK,
    VIEW_RUN_BACK,
    VIEW_NEXT_HART, /* becomes the current one */
};
bool view_act(struct view *v, enum view_action action, struct error *err) MUST_CHECK;
/* A line for the monitor: the answer is shown in VIEW_MONITOR. */
void view_command(struct view *v, const char *line);
/* A further line there. */
void view_note(struct view *v, const char *text, size_t n);
/* What the guest's console says. */
void view_console_write(struct view *v, const uint8_t *bytes, size_t n);

#endif
