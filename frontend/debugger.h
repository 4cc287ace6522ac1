/* `rivulet debug`: the debugger for people, on the host's terminal. What it shows and does is
 * debug/view.h's; here are its keys and where things are on the screen. */
#ifndef RIVULET_FRONTEND_DEBUGGER_H
#define RIVULET_FRONTEND_DEBUGGER_H

#include "debug/view.h"

#include <stdio.h>

struct debugger;

/* Called on the debugger's thread. */
struct debugger_ports {
    void (*type)(void *owner, const uint8_t *bytes, size_t n); /* to the guest */
    void (*quit)(void *owner);
    void *owner;
};

/* Whether there is a terminal: asked before a machine is made. */
bool debugger_is_possible(struct error *err) MUST_CHECK;

/* Takes the terminal; on a thread of its own it draws what changes. View and ports outlive it. NULL
 * and err: there is no terminal. After os_catch_stop_signals. */
struct debugger *debugger_open(struct control *c, struct view *v,
                               const struct debugger_ports *ports, struct error *err);
/* After control_close. The terminal is itself again. */
void debugger_close(struct debugger *d);

/* `rivulet debug --help`. */
void debugger_print_help(FILE *out);

#endif
