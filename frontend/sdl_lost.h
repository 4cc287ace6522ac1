/* When the host's display goes away under SDL: Xlib would end the program. */
#ifndef RIVULET_FRONTEND_SDL_LOST_H
#define RIVULET_FRONTEND_SDL_LOST_H

struct SDL_Window;

/* Has lost(owner) called on the thread that uses the window, when its X server is gone. It must
 * not return, and neither SDL nor the window can be used any more. Without X, nothing happens. */
void sdl_on_lost(struct SDL_Window *window, void (*lost)(void *owner), void *owner);

#endif
