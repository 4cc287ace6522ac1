/* A lost X server (contract: sdl_lost.h; Xlib 1.7 and later). SDL loads Xlib itself, so the
 * function is asked of what is loaded. */
#include "frontend/sdl_lost.h"

#include <SDL_syswm.h>
#include <dlfcn.h>

struct lost {
    void (*call)(void *owner);
    void *owner;
};

static void on_no_way_back(Display *display, void *data)
{
    (void)display;
    const struct lost lost = *(struct lost *)data;
    SDL_free(data);
    lost.call(lost.owner);
}

/* Xlib's own would end the program before on_no_way_back is asked. */
static int on_error(Display *display)
{
    (void)display;
    return 0;
}

typedef int (*error_handler)(Display *display);
typedef void (*exit_handler)(Display *display, void *data);
typedef error_handler set_error_handler(error_handler handler);
typedef void set_exit_handler(Display *display, exit_handler handler, void *data);

void sdl_on_lost(SDL_Window *window, void (*lost)(void *owner), void *owner)
{
    SDL_SysWMinfo info = {.version = {SDL_MAJOR_VERSION, SDL_MINOR_VERSION, SDL_PATCHLEVEL}};
    void *library = dlopen("libX11.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *for_exit = library ? dlsym(library, "XSetIOErrorExitHandler") : NULL;
    void *for_error = library ? dlsym(library, "XSetIOErrorHandler") : NULL;
    struct lost *data = for_exit && for_error ? SDL_malloc(sizeof *data) : NULL;
    set_error_handler *set_error;
    set_exit_handler *set_exit;
    if (!data || !SDL_GetWindowWMInfo(window, &info) || info.subsystem != SDL_SYSWM_X11) {
        SDL_free(data);
        return;
    }
    *data = (struct lost){lost, owner};
    memcpy(&set_error, &for_error, sizeof set_error); /* C has no cast of one to the other */
    memcpy(&set_exit, &for_exit, sizeof set_exit);
    set_error(on_error);
    set_exit(info.info.x11.display, on_no_way_back, data);
}
