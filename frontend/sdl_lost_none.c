/* On a host without X no display can be lost in its way (contract: sdl_lost.h). */
#include "frontend/sdl_lost.h"

void sdl_on_lost(struct SDL_Window *window, void (*lost)(void *owner), void *owner)
{
    (void)window, (void)lost, (void)owner;
}
