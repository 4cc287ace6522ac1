/* The window (contract: window.h), by SDL.
 *
 * All of SDL is called on the window's own thread. It asks the machine's thread, between two of its
 * runs, for the pixels that changed, and hands keys and pointer over in the same way: so they enter
 * by the door and change nothing else. What the window shows is a copy. */
#include "frontend/window.h"

#include "base/os.h"
#include "debug/keys.h"
#include "debug/picture.h"
#include "frontend/view.h"

#include <SDL.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define FRAME_MS      16
#define IDLE_FRAME_MS 100 /* the window cannot be seen */

#define KEY_POWER 116u

enum hot_key_action { RELEASE, FULL_SCREEN, NATIVE_SIZE, SMOOTH, PAUSE, RESET, PICTURE };

static const struct {
    SDL_Scancode key;
    enum hot_key_action action;
} hot_keys[] = {
    {SDL_SCANCODE_G, RELEASE}, {SDL_SCANCODE_F, FULL_SCREEN}, {SDL_SCANCODE_U, NATIVE_SIZE},
    {SDL_SCANCODE_I, SMOOTH},  {SDL_SCANCODE_P, PAUSE},       {SDL_SCANCODE_R, RESET},
    {SDL_SCANCODE_S, PICTURE},
};

struct window {
    struct control *control;
    struct window_ports ports;
    struct os_thread *thread;
    struct os_wake *opened;
    struct error error; /* of opening */
    bool is_open;
    atomic_bool ends;

    /* The window's thread. */
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    bool grabs, is_smooth, asked_to_end;
    struct view view;
};

/* --- on the machine's thread ------------------------------------------------------------- */

static void toggle_pause(void *owner)
{
    struct window *w = owner;
    struct error err;
    if (control_state(w->control) == RUN_RUNNING)
        control_stop(w->control, RUN_PAUSED);
    else if (!control_continue(w->control, &err))
        fprintf(stderr, "rivulet: %s\n", err.text);
}

static void reset_machine(void *owner)
{
    struct window *w = owner;
    struct error err;
    if (!control_reset(w->control, &err))
        fprintf(stderr, "rivulet: %s\n", err.text);
}

static void save_picture(void *owner)
{
    struct window *w = owner;
    struct error err;
    char path[64];
    struct screen *s = machine_screen(control_machine(w->control), 0);
    snprintf(path, sizeof path, "rivulet-%llu.png",
             (unsigned long long)(os_wall_clock_ns() / 1000000));
    if (s && picture_write(s, path, &err))
        fprintf(stderr, "rivulet: the screen is in %s\n", path);
    else
        fprintf(stderr, "rivulet: no picture of the screen: %s\n", s ? err.text : "no display");
}

/* --- events ------------------------------------------------------------------------------ */

static void set_title(const struct window *w)
{
    char title[128];
    snprintf(title, sizeof title, "Rivulet%s%s",
             w->view.state == RUN_RUNNING    ? ""
             : w->view.state == RUN_SHUTDOWN ? " [off]"
                                             : " [stopped]",
             w->grabs ? " - Ctrl-Alt-G releases the pointer" : "");
    SDL_SetWindowTitle(w->window, title);
}

static void grab(struct window *w, bool grabs)
{
    w->grabs = grabs;
    SDL_SetRelativeMouseMode(grabs ? SDL_TRUE : SDL_FALSE);
    set_title(w);
}

static void toggle_smooth(struct window *w)
{
    w->is_smooth = !w->is_smooth;
    w->view.is_resized = true; /* a new texture is made, with the other scaling */
}

static void run_hot_key(struct window *w, enum hot_key_action action)
{
    bool is_full = SDL_GetWindowFlags(w->window) & SDL_WINDOW_FULLSCREEN_DESKTOP;
    switch (action) {
    case RELEASE:
        grab(w, !w->grabs && !w->view.has_tablet);
        break;
    case FULL_SCREEN:
        SDL_SetWindowFullscreen(w->window, is_full ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
        break;
    case NATIVE_SIZE:
        SDL_SetWindowSize(w->window, (int)w->view.width, (int)w->view.height);
        break;
    case SMOOTH:
        toggle_smooth(w);
        break;
    case PAUSE:
        control_call(w->control, toggle_pause, w);
        break;
    case RESET:
        control_call(w->control, reset_machine, w);
        break;
    case PICTURE:
        control_call(w->control, save_picture, w);
        break;
    }
}

static bool is_hot(const SDL_KeyboardEvent *key, enum hot_key_action *action)
{
    if (!(key->keysym.mod & KMOD_CTRL) || !(key->keysym.mod & KMOD_ALT))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(hot_keys); i++) {
        *action = hot_keys[i].action;
        if (hot_keys[i].key == key->keysym.scancode)
            return true;
    }
    return false;
}

/* The guest repeats keys itself. */
static void on_key(struct window *w, const SDL_KeyboardEvent *key)
{
    enum hot_key_action action;
    SDL_Scancode scancode = key->keysym.scancode;
    bool is_down = key->state == SDL_PRESSED;
    if (key->repeat || scancode >= SDL_NUM_SCANCODES)
        return;
    if (is_down && is_hot(key, &action)) {
        view_release_keys(&w->view);
        run_hot_key(w, action);
        return;
    }
    view_key(&w->view, key_by_usb(scancode), is_down);
}

static void on_motion(struct window *w, const SDL_MouseMotionEvent *motion)
{
    if (w->view.has_tablet) /* SDL gives coordinates of the picture */
        view_point(&w->view, motion->x, motion->y);
    else if (w->grabs)
        view_move(&w->view, motion->xrel, motion->yrel);
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *button)
{
    static const enum view_button buttons[] = {[SDL_BUTTON_LEFT] = VIEW_LEFT,
                                               [SDL_BUTTON_RIGHT] = VIEW_RIGHT,
                                               [SDL_BUTTON_MIDDLE] = VIEW_MIDDLE,
                                               [SDL_BUTTON_X1] = VIEW_SIDE,
                                               [SDL_BUTTON_X2] = VIEW_EXTRA};
    if (!w->view.has_tablet && !w->grabs)
        grab(w, true);
    else if (button->button < ARRAY_LEN(buttons))
        view_button(&w->view, buttons[button->button], button->state == SDL_PRESSED);
}

/* The first time the guest's power key is pressed; the second time the program ends. */
static void on_close(struct window *w)
{
    if (w->asked_to_end || w->view.state != RUN_RUNNING) {
        w->ports.quit(w->ports.owner);
        return;
    }
    w->asked_to_end = true;
    view_key(&w->view, KEY_POWER, true);
    view_key(&w->view, KEY_POWER, false);
    fprintf(stderr, "rivulet: the guest is asked to power off; close the window again to end it\n");
}

static void on_event(struct window *w, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        on_key(w, &event->key);
        break;
    case SDL_MOUSEMOTION:
        on_motion(w, &event->motion);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        on_button(w, &event->button);
        break;
    case SDL_MOUSEWHEEL:
        view_wheel(&w->view, event->wheel.y);
        break;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_FOCUS_LOST)
            view_release_keys(&w->view);
        else if (event->window.event == SDL_WINDOWEVENT_CLOSE)
            on_close(w);
        break;
    default:
        break;
    }
}

/* --- drawing ----------------------------------------------------------------------------- */

static void make_texture(struct window *w)
{
    if (w->texture)
        SDL_DestroyTexture(w->texture);
    w->texture = NULL;
    w->view.is_resized = false;
    if (!w->view.width)
        return;
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, w->is_smooth ? "linear" : "nearest");
    w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)w->view.width, (int)w->view.height);
    SDL_RenderSetLogicalSize(w->renderer, (int)w->view.width, (int)w->view.height);
    if (!(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_FULLSCREEN_DESKTOP | SDL_WINDOW_MAXIMIZED)))
        SDL_SetWindowSize(w->window, (int)w->view.width, (int)w->view.height);
    w->view.changed = (struct screen_rect){0, 0, w->view.width, w->view.height};
}

static void draw(struct window *w)
{
    if (w->view.is_resized)
        make_texture(w);
    if (w->texture && !rect_is_empty(w->view.changed)) {
        const struct screen_rect *r = &w->view.changed;
        SDL_Rect part = {(int)r->x, (int)r->y, (int)r->width, (int)r->height};
        SDL_UpdateTexture(w->texture, &part, w->view.pixels + (size_t)r->y * w->view.width + r->x,
                          (int)(w->view.width * sizeof *w->view.pixels));
    }
    SDL_RenderClear(w->renderer);
    if (w->texture)
        SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
    SDL_RenderPresent(w->renderer);
}

/* --- life -------------------------------------------------------------------------------- */

static bool open_sdl(struct window *w)
{
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0)
        return false;
    w->window = SDL_CreateWindow("Rivulet", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 640,
                                 480, SDL_WINDOW_RESIZABLE);
    if (w->window)
        w->renderer = SDL_CreateRenderer(w->window, -1, 0);
    return w->renderer != NULL;
}

static void close_sdl(struct window *w)
{
    if (w->texture)
        SDL_DestroyTexture(w->texture);
    if (w->renderer)
        SDL_DestroyRenderer(w->renderer);
    if (w->window)
        SDL_DestroyWindow(w->window);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
}

static bool is_visible(const struct window *w)
{
    return !(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_MINIMIZED | SDL_WINDOW_HIDDEN));
}

/* Draws after an event too: the window may have been uncovered. */
static void run_loop(struct window *w)
{
    enum run_state shown = RUN_STATES;
    while (!atomic_load(&w->ends)) {
        SDL_Event event;
        bool came = SDL_WaitEventTimeout(&event, is_visible(w) ? FRAME_MS : IDLE_FRAME_MS);
        for (bool more = came; more; more = SDL_PollEvent(&event))
            on_event(w, &event);
        view_update(&w->view);
        if (came || w->view.is_resized || !rect_is_empty(w->view.changed))
            draw(w);
        if (shown != w->view.state)
            set_title(w);
        shown = w->view.state;
    }
}

static void main_of_thread(void *owner)
{
    struct window *w = owner;
    w->is_open = open_sdl(w);
    if (!w->is_open)
        error_set(&w->error, "no window can be opened: %.300s", SDL_GetError());
    bool is_open = w->is_open;
    os_wake_signal(w->opened);
    if (is_open)
        run_loop(w);
    close_sdl(w);
}

struct window *window_open(struct control *c, const struct window_ports *ports, struct error *err)
{
    struct window *w = calloc(1, sizeof *w);
    if (!w || !(w->opened = os_wake_create())) {
        free(w);
        error_set(err, "no memory for a window");
        return NULL;
    }
    w->control = c;
    view_init(&w->view, c);
    w->ports = *ports;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    w->thread = os_thread_start(main_of_thread, w);
    if (w->thread)
        os_wake_wait(w->opened, UINT64_MAX);
    else
        error_set(&w->error, "no thread for a window");
    if (w->is_open)
        return w;
    *err = w->error;
    window_close(w);
    return NULL;
}

void window_close(struct window *w)
{
    if (!w)
        return;
    atomic_store(&w->ends, true);
    if (w->thread)
        os_thread_join(w->thread);
    os_wake_destroy(w->opened);
    view_deinit(&w->view);
    free(w);
}

bool window_is_possible(void)
{
    return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || getenv("SDL_VIDEODRIVER");
}
