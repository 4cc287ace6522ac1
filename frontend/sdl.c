/* The window (contract: window.h), by SDL.
 *
 * All of SDL is called on the window's own thread. It asks the machine's thread, between two of its
 * runs, for the pixels that changed, and hands keys and pointer over in the same way: so they enter
 * by the door and change nothing else. What the window shows is a copy. */
#include "frontend/window.h"

#include "base/os.h"
#include "debug/keys.h"
#include "debug/picture.h"
#include "frontend/screen_view.h"
#include "frontend/sdl_library.h"
#include "frontend/sdl_lost.h"
#include "frontend/typist.h"

#include <SDL.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN_MS 100 /* between two looks while the window cannot be seen */
#define SETTLE_MS 200 /* from the last change of the window's size until the guest hears of it */

#define KEY_POWER 116u

/* How the picture fills a window of another size: by repeated pixels, by mixed ones, or with a
 * whole number of the window's pixels for each, in both directions, as far as one fits. */
enum scaling { SHARP, SMOOTH, WHOLE, SCALINGS };

enum hot_key_action { RELEASE, FULL_SCREEN, NATIVE_SIZE, SCALING, PAUSE, RESET, PICTURE, PASTE };

static const struct {
    SDL_Scancode key;
    enum hot_key_action action;
} hot_keys[] = {
    {SDL_SCANCODE_G, RELEASE}, {SDL_SCANCODE_F, FULL_SCREEN}, {SDL_SCANCODE_U, NATIVE_SIZE},
    {SDL_SCANCODE_I, SCALING}, {SDL_SCANCODE_P, PAUSE},       {SDL_SCANCODE_R, RESET},
    {SDL_SCANCODE_S, PICTURE}, {SDL_SCANCODE_V, PASTE},
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
    SDL_Surface *picture; /* the view's pixels; NULL: nothing is shown */
    SDL_Rect place;       /* of the picture in the window */
    /* The guest's pointer, where its display draws one: the host's has its shape, and while that is
     * hidden it is drawn on the picture. */
    SDL_Surface *shape; /* of these pixels; NULL: no memory */
    uint32_t shape_pixels[SCREEN_CURSOR_PIXELS];
    SDL_Cursor *cursor; /* NULL: the host's own is shown */
    jmp_buf on_lost;    /* the end of the thread, from wherever the display is found lost */
    bool is_stale;      /* all of the window is to be drawn */
    bool grabs, asked_to_end;
    enum scaling scaling;
    uint32_t wide, high, wished_ms; /* the size that the user gave the window, and when; 0: none */
    struct screen_view view;
    struct typist typist;
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
    w->is_stale = true; /* the guest's pointer comes or goes */
    set_title(w);
}

static void change_scaling(struct window *w)
{
    w->scaling = (w->scaling + 1) % SCALINGS;
    w->is_stale = true;
}

/* The clipboard's owner is another program, which may take its time. */
static void paste(struct window *w)
{
    struct error err;
    char *text = SDL_GetClipboardText();
    if (!typist_begin(&w->typist, &w->view, text, text ? strlen(text) : 0, &err))
        fprintf(stderr, "rivulet: %s\n", err.text);
    SDL_free(text);
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
    case SCALING:
        change_scaling(w);
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
    case PASTE:
        paste(w);
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
    if (is_down)
        typist_stop(&w->typist); /* by any key, for a text that was not meant */
    if (is_down && is_hot(key, &action)) {
        screen_view_release_keys(&w->view);
        run_hot_key(w, action);
        return;
    }
    screen_view_key(&w->view, key_by_usb(scancode), is_down);
}

static void on_motion(struct window *w, const SDL_MouseMotionEvent *motion)
{
    if (w->view.has_tablet && w->picture && w->place.w)
        screen_view_point(&w->view, (motion->x - w->place.x) * w->picture->w / w->place.w,
                          (motion->y - w->place.y) * w->picture->h / w->place.h);
    else if (w->grabs)
        screen_view_move(&w->view, motion->xrel, motion->yrel);
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *button)
{
    static const enum screen_view_button buttons[] = {[SDL_BUTTON_LEFT] = VIEW_LEFT,
                                                      [SDL_BUTTON_RIGHT] = VIEW_RIGHT,
                                                      [SDL_BUTTON_MIDDLE] = VIEW_MIDDLE,
                                                      [SDL_BUTTON_X1] = VIEW_SIDE,
                                                      [SDL_BUTTON_X2] = VIEW_EXTRA};
    if (!w->view.has_tablet && !w->grabs)
        grab(w, true);
    else if (button->button < ARRAY_LEN(buttons))
        screen_view_button(&w->view, buttons[button->button], button->state == SDL_PRESSED);
}

/* The first time the guest's power key is pressed; the second time the program ends. */
static void on_close(struct window *w)
{
    if (w->asked_to_end || w->view.state != RUN_RUNNING) {
        w->ports.quit(w->ports.owner);
        return;
    }
    w->asked_to_end = true;
    screen_view_key(&w->view, KEY_POWER, true);
    screen_view_key(&w->view, KEY_POWER, false);
    fprintf(stderr, "rivulet: the guest is asked to power off; close the window again to end it\n");
}

static void on_window(struct window *w, const SDL_WindowEvent *event)
{
    switch (event->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST:
        screen_view_release_keys(&w->view);
        break;
    case SDL_WINDOWEVENT_CLOSE:
        on_close(w);
        break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user; what the program sets is SIZE_CHANGED alone */
        w->wide = (uint32_t)max_u64((uint64_t)event->data1, 1);
        w->high = (uint32_t)max_u64((uint64_t)event->data2, 1);
        w->wished_ms = SDL_GetTicks();
        w->is_stale = true;
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        w->is_stale = true;
        break;
    default:
        break;
    }
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
        screen_view_wheel(&w->view, event->wheel.y);
        break;
    case SDL_WINDOWEVENT:
        on_window(w, &event->window);
        break;
    default:
        break;
    }
}

/* --- drawing ----------------------------------------------------------------------------- */

/* The picture as large as the window holds it, in its middle. */
static SDL_Rect find_place(const struct window *w, int wide, int high)
{
    int64_t width = w->view.width, height = w->view.height;
    bool is_wide = wide * height > high * width; /* wider than the picture's shape */
    int64_t to_wide = is_wide ? high * width / height : wide;
    int64_t to_high = is_wide ? high : wide * height / width;
    if (w->scaling == WHOLE && to_wide >= width) {
        to_high = to_wide / width * height;
        to_wide = to_wide / width * width;
    }
    return (SDL_Rect){(int)(wide - to_wide) / 2, (int)(high - to_high) / 2,
                      (int)max_u64((uint64_t)to_wide, 1), (int)max_u64((uint64_t)to_high, 1)};
}

static void take_size(struct window *w)
{
    SDL_FreeSurface(w->picture);
    w->picture = NULL;
    w->view.is_resized = false;
    w->is_stale = true;
    if (!w->view.width)
        return;
    w->picture = SDL_CreateRGBSurfaceWithFormatFrom(
        w->view.pixels, (int)w->view.width, (int)w->view.height, 32,
        (int)(w->view.width * sizeof *w->view.pixels), SDL_PIXELFORMAT_RGB888);
    if (!(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_FULLSCREEN_DESKTOP | SDL_WINDOW_MAXIMIZED)))
        SDL_SetWindowSize(w->window, (int)w->view.width, (int)w->view.height);
}

static void show_shape(struct window *w)
{
    const struct screen_cursor *c = &w->view.cursor;
    const int most = SCREEN_CURSOR_SIDE - 1;
    SDL_Cursor *old = w->cursor;
    memcpy(w->shape_pixels, c->pixels, sizeof w->shape_pixels);
    w->cursor = c->is_shown && w->shape
                    ? SDL_CreateColorCursor(w->shape, (int)min_u64(c->hot_x, (uint64_t)most),
                                            (int)min_u64(c->hot_y, (uint64_t)most))
                    : NULL;
    SDL_SetCursor(w->cursor ? w->cursor : SDL_GetDefaultCursor());
    if (old)
        SDL_FreeCursor(old);
}

/* A pointer that only moved keeps its shape. */
static void take_cursor(struct window *w)
{
    const struct screen_cursor *c = &w->view.cursor;
    bool has_shape =
        w->cursor && c->is_shown && memcmp(w->shape_pixels, c->pixels, sizeof w->shape_pixels) == 0;
    if (!has_shape && (w->cursor || c->is_shown))
        show_shape(w);
    w->is_stale |= w->grabs;
}

/* The guest may say any place. */
static void draw_cursor(const struct window *w, SDL_Surface *surface)
{
    const struct screen_cursor *c = &w->view.cursor;
    int64_t left = ((int64_t)c->x - c->hot_x) * w->place.w / w->picture->w;
    int64_t top = ((int64_t)c->y - c->hot_y) * w->place.h / w->picture->h;
    int side = (int)SCREEN_CURSOR_SIDE * w->place.w / w->picture->w;
    if (!c->is_shown || !w->shape || left < -side || left > w->place.w || top < -side ||
        top > w->place.h)
        return;
    SDL_Rect to = {w->place.x + (int)left, w->place.y + (int)top, side, side};
    SDL_BlitScaled(w->shape, NULL, surface, &to);
}

/* What changed, where the window has a pixel for each of the picture's. */
static void draw_changed(struct window *w, SDL_Surface *surface)
{
    const struct screen_rect *r = &w->view.changed;
    SDL_Rect from = {(int)r->x, (int)r->y, (int)r->width, (int)r->height}, to = from;
    to.x += w->place.x;
    to.y += w->place.y;
    SDL_BlitSurface(w->picture, &from, surface, &to);
    SDL_UpdateWindowSurfaceRects(w->window, &to, 1);
}

static void draw_all(struct window *w, SDL_Surface *surface)
{
    SDL_FillRect(surface, NULL, 0);
    if (w->picture) {
        w->place = find_place(w, surface->w, surface->h);
        SDL_Rect to = w->place;
        bool is_drawn =
            w->scaling == SMOOTH && SDL_SoftStretchLinear(w->picture, NULL, surface, &to) == 0;
        if (!is_drawn)
            SDL_BlitScaled(w->picture, NULL, surface, &to);
        if (w->grabs)
            draw_cursor(w, surface);
    }
    SDL_UpdateWindowSurface(w->window);
    w->is_stale = false;
}

/* Without a renderer: one that runs on the host's CPU draws all of the window for a cursor that
 * blinks, and which one does cannot be told. */
static void draw(struct window *w)
{
    if (w->view.is_resized)
        take_size(w);
    if (w->view.has_new_cursor)
        take_cursor(w);
    bool has_changed = w->picture && !rect_is_empty(w->view.changed);
    if (!w->is_stale && !has_changed)
        return;
    SDL_Surface *surface = SDL_GetWindowSurface(w->window);
    if (!surface)
        return;
    bool is_alone = !w->grabs || !w->view.cursor.is_shown; /* the picture, on the window */
    if (!w->is_stale && is_alone && w->place.w == w->picture->w && w->place.h == w->picture->h)
        draw_changed(w, surface);
    else
        draw_all(w, surface);
}

/* --- life -------------------------------------------------------------------------------- */

/* SDL takes a driver that shows nothing when there is no display; only who asks for it wants it. */
static bool is_seen(void)
{
    const char *driver = SDL_GetCurrentVideoDriver();
    bool is_hidden = driver && (!strcmp(driver, "offscreen") || !strcmp(driver, "dummy"));
    return !is_hidden || getenv("SDL_VIDEODRIVER");
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool window_is_possible(void)
{
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("SDL_VIDEODRIVER");
}

static bool open_sdl(struct window *w)
{
    const char *why = NULL;
    /* What is not there must not be tried: SDL's libraries have their own words for it. */
    if (is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        SDL_SetHint(SDL_HINT_VIDEODRIVER, "x11"); /* the variable of this name is stronger */
    if (!window_is_possible())
        why = "there is no display: DISPLAY is not set";
    else if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0)
        why = SDL_GetError();
    else if (!is_seen())
        why = "there is no display, or it does not answer";
    if (why)
        return error_set(&w->error, "no window can be opened: %.300s", why);
    w->shape = SDL_CreateRGBSurfaceWithFormatFrom(
        w->shape_pixels, SCREEN_CURSOR_SIDE, SCREEN_CURSOR_SIDE, 32,
        SCREEN_CURSOR_SIDE * sizeof *w->shape_pixels, SDL_PIXELFORMAT_ARGB8888);
    w->window = SDL_CreateWindow("Rivulet", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 640,
                                 480, SDL_WINDOW_RESIZABLE);
    return w->window || error_set(&w->error, "no window can be opened: %.300s", SDL_GetError());
}

static void close_sdl(struct window *w)
{
    SDL_FreeSurface(w->picture);
    SDL_FreeSurface(w->shape);
    if (w->cursor)
        SDL_FreeCursor(w->cursor);
    if (w->window)
        SDL_DestroyWindow(w->window);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
}

static bool is_visible(const struct window *w)
{
    return !(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_MINIMIZED | SDL_WINDOW_HIDDEN));
}

/* A guest that shows something is asked to follow the window when its user has let go of it. */
static void tell_size(struct window *w)
{
    if (!w->wide || SDL_GetTicks() - w->wished_ms < SETTLE_MS)
        return;
    if (w->view.width && (w->wide != w->view.width || w->high != w->view.height))
        screen_view_prefer_size(&w->view, w->wide, w->high);
    w->wide = w->high = 0;
}

static void run_loop(struct window *w)
{
    enum run_state shown = RUN_STATES;
    while (!atomic_load(&w->ends)) {
        SDL_Event event;
        bool came = SDL_WaitEventTimeout(&event, is_visible(w) ? (int)screen_view_wait_ms(&w->view)
                                                               : HIDDEN_MS);
        for (bool more = came; more; more = SDL_PollEvent(&event))
            on_event(w, &event);
        screen_view_update(&w->view);
        typist_go_on(&w->typist, &w->view);
        draw(w);
        tell_size(w);
        if (shown != w->view.state)
            set_title(w);
        shown = w->view.state;
    }
}

/* Called by Xlib in the middle of some call, to which there is no way back. */
static void on_lost(void *owner)
{
    struct window *w = owner;
    longjmp(w->on_lost, 1);
}

/* SDL is left as it is: to close the window would call Xlib again. */
static void end_lost(struct window *w)
{
    screen_view_release_keys(&w->view);
    fprintf(stderr, "rivulet: the window's display is lost; the guest goes on without a window\n");
}

static void main_of_thread(void *owner)
{
    struct window *w = owner;
    w->is_open = open_sdl(w);
    bool is_open = w->is_open;
    os_wake_signal(w->opened);
    if (is_open && setjmp(w->on_lost)) {
        end_lost(w);
        return;
    }
    if (is_open) {
        sdl_on_lost(w->window, on_lost, w);
        run_loop(w);
    }
    close_sdl(w);
}

struct window *window_open(struct control *c, const struct window_ports *ports, struct error *err)
{
    if (!sdl_load(err))
        return NULL;
    struct window *w = calloc(1, sizeof *w);
    if (!w || !(w->opened = os_wake_create())) {
        free(w);
        error_set(err, "no memory for a window");
        return NULL;
    }
    w->control = c;
    screen_view_init(&w->view, c);
    w->ports = *ports;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
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
    typist_deinit(&w->typist);
    screen_view_deinit(&w->view);
    free(w);
}
