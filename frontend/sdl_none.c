/* The window of a build without SDL: there is none (contract: window.h). */
#include "frontend/window.h"

struct window *window_open(struct control *c, const struct window_ports *ports, struct error *err)
{
    (void)c, (void)ports;
    error_set(err, "this program was built without SDL: install libsdl2-dev and build again");
    return NULL;
}

void window_close(struct window *w)
{
    (void)w;
}

bool window_is_possible(void)
{
    return false;
}
