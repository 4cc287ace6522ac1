/* A machine's display on the host's terminal, for hosts that have nothing else; what is typed there
 * goes to the guest's keyboard. */
#ifndef RIVULET_FRONTEND_TERMINAL_DISPLAY_H
#define RIVULET_FRONTEND_TERMINAL_DISPLAY_H

#include "debug/control.h"

struct terminal_display;

/* Takes standard input and output over, on a thread of its own. quit is called on it when the user
 * asks for the end (Ctrl-A x). NULL and err: they are no terminal, or the host has no memory. */
struct terminal_display *terminal_display_open(struct control *c, void (*quit)(void *owner),
                                               void *owner, struct error *err);
/* The terminal is as it was before. */
void terminal_display_close(struct terminal_display *d);

#endif
