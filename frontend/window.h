/* The window of a machine's display, with its keyboard and pointer. */
#ifndef RIVULET_FRONTEND_WINDOW_H
#define RIVULET_FRONTEND_WINDOW_H

#include "debug/control.h"

struct window;

struct window_ports {
    /* The user has closed the window twice, or its display is lost. Called by the window's thread.
     */
    void (*quit)(void *owner);
    void *owner;
};

/* Opens it, on a thread of its own that draws what changes and never holds the machine up. NULL and
 * err: the host has no display, or the program was built without SDL. Ports outlive it. */
struct window *window_open(struct control *c, const struct window_ports *ports, struct error *err);
void window_close(struct window *w);

/* Whether the host seems to have a display. */
bool window_is_possible(void);

#endif
