/* The window (contract: window.h), by SDL.
 *
 * All of SDL is called on the window's own thread. It asks the machine's thread, between two of its
 * runs, for the pixels that changed, and hands keys and pointer over in the same way: so they enter
 * by the door and change nothing else. What the window shows is a copy. */
#include "frontend/window.h"

#include "base/os.h"
#include "debug/keys.h"
#include "debug/picture.h"
#include "devices/display/input_event.h"
#include "devices/display/screen.h"

#include <SDL.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MS      16
#define IDLE_FRAME_MS 100 /* the window cannot be seen */

#define BTN_LEFT  0x110u
#define REL_X     0u
#define REL_Y     1u
#define REL_WHEEL 8u
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
    bool down[SDL_NUM_SCANCODES]; /* keys that the guest believes to be pressed */

    /* A copy of the screen; both threads in turn. */
    uint32_t width, height;
    uint32_t *pixels;
    struct screen_rect changed;
    bool is_resized;
    enum run_state state;
};

/* --- on the machine's thread ------------------------------------------------------------- */

static bool copy_size(struct window *w, const struct screen *s)
{
    if (s->width == w->width && s->height == w->height)
        return true;
    free(w->pixels);
    w->pixels = malloc((size_t)s->width * s->height * sizeof *w->pixels + 1);
    w->width = w->pixels ? s->width : 0;
    w->height = w->pixels ? s->height : 0;
    w->is_resized = true;
    return w->pixels != NULL;
}

static void take_frame(void *owner)
{
    struct window *w = owner;
    struct screen *s = machine_screen(control_machine(w->control), 0);
    w->state = control_state(w->control);
    w->changed = (struct screen_rect){0};
    if (!s)
        return;
    if (s->refresh)
        s->refresh(s->owner);
    bool all = s->width != w->width || s->height != w->height;
    if (!copy_size(w, s))
        return;
    struct screen_rect r = all ? (struct screen_rect){0, 0, s->width, s->height} : s->changed;
    for (uint32_t y = r.y; y < r.y + r.height; y++) {
        size_t at = (size_t)y * s->width + r.x;
        memcpy(w->pixels + at, s->pixels + at, r.width * sizeof *w->pixels);
    }
    w->changed = r;
    screen_taken(s);
}

/* A group of events for one device. */
struct group {
    struct window *window;
    enum machine_input input;
    struct input_event events[INPUT_GROUP_MAX];
    size_t count;
};

static void push_group(void *owner)
{
    struct group *g = owner;
    struct machine *m = control_machine(g->window->control);
    unsigned entry = machine_input_entry(m, g->input);
    if (entry != INPUT_NO_ENTRY)
        input_push(machine_door(m), entry, g->events, g->count * sizeof g->events[0]);
}

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

static bool has_tablet(const struct window *w)
{
    return machine_input_entry(control_machine(w->control), MACHINE_TABLET) != INPUT_NO_ENTRY;
}

/* --- events ------------------------------------------------------------------------------ */

static void add(struct group *g, uint16_t type, uint32_t code, uint32_t value)
{
    g->events[g->count++] = (struct input_event){type, (uint16_t)code, value};
}

static void send_group(struct window *w, struct group *g)
{
    add(g, INPUT_SYN, 0, 0);
    g->window = w;
    control_call(w->control, push_group, g);
}

static void send_key(struct window *w, uint16_t code, bool is_down)
{
    struct group g = {.input = MACHINE_KEYBOARD};
    add(&g, INPUT_KEY, code, is_down);
    send_group(w, &g);
}

static void release_keys(struct window *w)
{
    for (unsigned i = 0; i < SDL_NUM_SCANCODES; i++) {
        if (w->down[i])
            send_key(w, key_by_usb(i), false);
        w->down[i] = false;
    }
}

static void set_title(const struct window *w)
{
    char title[128];
    snprintf(title, sizeof title, "Rivulet%s%s",
             w->state == RUN_RUNNING    ? ""
             : w->state == RUN_SHUTDOWN ? " [off]"
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
    w->is_resized = true; /* a new texture is made, with the other scaling */
}

static void run_hot_key(struct window *w, enum hot_key_action action)
{
    bool is_full = SDL_GetWindowFlags(w->window) & SDL_WINDOW_FULLSCREEN_DESKTOP;
    switch (action) {
    case RELEASE:
        grab(w, !w->grabs && !has_tablet(w));
        break;
    case FULL_SCREEN:
        SDL_SetWindowFullscreen(w->window, is_full ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP);
        break;
    case NATIVE_SIZE:
        SDL_SetWindowSize(w->window, (int)w->width, (int)w->height);
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
        release_keys(w);
        run_hot_key(w, action);
        return;
    }
    if (!key_by_usb(scancode) || is_down == w->down[scancode])
        return;
    w->down[scancode] = is_down;
    send_key(w, key_by_usb(scancode), is_down);
}

static uint32_t to_absolute(int at, int size)
{
    int64_t inside = at < 0 ? 0 : at >= size ? size - 1 : at;
    return size > 1 ? (uint32_t)(inside * INPUT_ABSOLUTE_MAX / (size - 1)) : 0;
}

static void on_motion(struct window *w, const SDL_MouseMotionEvent *motion)
{
    struct group g = {.input = has_tablet(w) ? MACHINE_TABLET : MACHINE_MOUSE};
    if (g.input == MACHINE_TABLET) { /* SDL gives coordinates of the picture */
        add(&g, INPUT_ABS, 0, to_absolute(motion->x, (int)w->width));
        add(&g, INPUT_ABS, 1, to_absolute(motion->y, (int)w->height));
    } else if (w->grabs) {
        add(&g, INPUT_REL, REL_X, (uint32_t)motion->xrel);
        add(&g, INPUT_REL, REL_Y, (uint32_t)motion->yrel);
    }
    if (g.count)
        send_group(w, &g);
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *button)
{
    static const uint8_t codes[] = {[SDL_BUTTON_LEFT] = 0,
                                    [SDL_BUTTON_RIGHT] = 1,
                                    [SDL_BUTTON_MIDDLE] = 2,
                                    [SDL_BUTTON_X1] = 3,
                                    [SDL_BUTTON_X2] = 4};
    bool is_tablet = has_tablet(w);
    struct group g = {.input = is_tablet ? MACHINE_TABLET : MACHINE_MOUSE};
    if (!is_tablet && !w->grabs) {
        grab(w, true);
        return;
    }
    if (button->button >= ARRAY_LEN(codes))
        return;
    add(&g, INPUT_KEY, BTN_LEFT + codes[button->button], button->state == SDL_PRESSED);
    send_group(w, &g);
}

static void on_wheel(struct window *w, const SDL_MouseWheelEvent *wheel)
{
    struct group g = {.input = has_tablet(w) ? MACHINE_TABLET : MACHINE_MOUSE};
    add(&g, INPUT_REL, REL_WHEEL, (uint32_t)wheel->y);
    send_group(w, &g);
}

/* The first time the guest's power key is pressed; the second time the program ends. */
static void on_close(struct window *w)
{
    if (w->asked_to_end || w->state != RUN_RUNNING) {
        w->ports.quit(w->ports.owner);
        return;
    }
    w->asked_to_end = true;
    send_key(w, KEY_POWER, true);
    send_key(w, KEY_POWER, false);
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
        on_wheel(w, &event->wheel);
        break;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_FOCUS_LOST)
            release_keys(w);
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
    w->is_resized = false;
    if (!w->width)
        return;
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, w->is_smooth ? "linear" : "nearest");
    w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   (int)w->width, (int)w->height);
    SDL_RenderSetLogicalSize(w->renderer, (int)w->width, (int)w->height);
    if (!(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_FULLSCREEN_DESKTOP | SDL_WINDOW_MAXIMIZED)))
        SDL_SetWindowSize(w->window, (int)w->width, (int)w->height);
    w->changed = (struct screen_rect){0, 0, w->width, w->height};
}

static void draw(struct window *w)
{
    if (w->is_resized)
        make_texture(w);
    if (w->texture && !rect_is_empty(w->changed)) {
        const struct screen_rect *r = &w->changed;
        SDL_Rect part = {(int)r->x, (int)r->y, (int)r->width, (int)r->height};
        SDL_UpdateTexture(w->texture, &part, w->pixels + (size_t)r->y * w->width + r->x,
                          (int)(w->width * sizeof *w->pixels));
    }
    SDL_RenderClear(w->renderer);
    if (w->texture)
        SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
    SDL_RenderPresent(w->renderer);
}

/* --- life -------------------------------------------------------------------------------- */

/* SDL takes a driver that shows nothing when there is no display; only who asks for it wants it. */
static bool is_seen(void)
{
    const char *driver = SDL_GetCurrentVideoDriver();
    bool is_hidden = driver && (!strcmp(driver, "offscreen") || !strcmp(driver, "dummy"));
    return !is_hidden || getenv("SDL_VIDEODRIVER") ||
           SDL_SetError("there is no display, or it does not answer") == 0;
}

static bool open_sdl(struct window *w)
{
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0 || !is_seen())
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
        control_call(w->control, take_frame, w);
        if (came || w->is_resized || !rect_is_empty(w->changed))
            draw(w);
        if (shown != w->state)
            set_title(w);
        shown = w->state;
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
    free(w->pixels);
    free(w);
}

bool window_is_possible(void)
{
    return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || getenv("SDL_VIDEODRIVER");
}
