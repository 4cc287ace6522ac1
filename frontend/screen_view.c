/* Views (contract: view.h). */
#include "frontend/screen_view.h"

#include <stdlib.h>

#define BTN_LEFT  0x110u
#define ABS_X     0u
#define ABS_Y     1u
#define REL_X     0u
#define REL_Y     1u
#define REL_WHEEL 8u

#define FRAME_MS    16u
#define QUIET_MS    40u /* a change is seen at most so late, but for what input brings about */
#define QUIET_LOOKS 4u

void screen_view_init(struct screen_view *v, struct control *c)
{
    *v = (struct screen_view){.control = c};
}

void screen_view_deinit(struct screen_view *v)
{
    free(v->pixels);
}

/* --- looking: on the machine's thread ---------------------------------------------------- */

static bool copy_size(struct screen_view *v, const struct screen *s)
{
    if (s->width == v->width && s->height == v->height)
        return true;
    free(v->pixels);
    v->pixels = malloc((size_t)s->width * s->height * sizeof *v->pixels + 1);
    v->width = v->pixels ? s->width : 0;
    v->height = v->pixels ? s->height : 0;
    v->is_resized = true;
    return v->pixels != NULL;
}

static void copy_pixels(struct screen_view *v, const struct screen *s, struct screen_rect r)
{
    for (uint32_t y = r.y; y < r.y + r.height; y++) {
        size_t at = (size_t)y * s->width + r.x;
        memcpy(v->pixels + at, s->pixels + at, r.width * sizeof *v->pixels);
    }
    v->changed = r;
}

static void look_at_inputs(struct screen_view *v, struct machine *m)
{
    unsigned keyboard = machine_input_entry(m, MACHINE_KEYBOARD);
    v->has_tablet = machine_input_entry(m, MACHINE_TABLET) != INPUT_NO_ENTRY;
    v->has_keyboard = keyboard != INPUT_NO_ENTRY;
    v->keys_wait = v->has_keyboard && input_backlog(machine_door(m), keyboard) > 0;
}

static void take_frame(void *owner)
{
    struct screen_view *v = owner;
    struct machine *m = control_machine(v->control);
    struct screen *s = machine_screen(m, 0);
    v->state = control_state(v->control);
    look_at_inputs(v, m);
    if (!s)
        return;
    if (s->refresh)
        s->refresh(s->owner);
    bool all = s->width != v->width || s->height != v->height;
    if (!copy_size(v, s))
        return;
    copy_pixels(v, s, all ? (struct screen_rect){0, 0, s->width, s->height} : s->changed);
    v->has_new_cursor = s->cursor.has_changed;
    if (v->has_new_cursor)
        v->cursor = s->cursor;
    screen_taken(s);
}

void screen_view_update(struct screen_view *v)
{
    v->changed = (struct screen_rect){0};
    v->has_new_cursor = false;
    control_call(v->control, take_frame, v);
    bool is_quiet = rect_is_empty(v->changed) && !v->is_resized && !v->has_new_cursor;
    v->quiet_looks = is_quiet ? v->quiet_looks + 1 : 0;
}

unsigned screen_view_wait_ms(const struct screen_view *v)
{
    return v->quiet_looks < QUIET_LOOKS ? FRAME_MS : QUIET_MS;
}

/* --- input ------------------------------------------------------------------------------- */

/* A group of events for one device. */
struct group {
    struct screen_view *view;
    enum machine_input input;
    struct input_event events[INPUT_GROUP_MAX];
    size_t count;
};

static void push_group(void *owner)
{
    struct group *g = owner;
    struct machine *m = control_machine(g->view->control);
    unsigned entry = machine_input_entry(m, g->input);
    if (entry != INPUT_NO_ENTRY)
        input_push(machine_door(m), entry, g->events, g->count * sizeof g->events[0]);
}

static void add(struct group *g, uint16_t type, uint32_t code, uint32_t value)
{
    g->events[g->count++] = (struct input_event){type, (uint16_t)code, value};
}

static void send_group(struct screen_view *v, struct group *g)
{
    add(g, INPUT_SYN, 0, 0);
    g->view = v;
    v->quiet_looks = 0;
    control_call(v->control, push_group, g);
}

void screen_view_key(struct screen_view *v, uint16_t code, bool is_down)
{
    struct group g = {.input = MACHINE_KEYBOARD};
    if (!code || code >= VIEW_KEYS || v->down[code] == is_down)
        return;
    v->down[code] = is_down;
    add(&g, INPUT_KEY, code, is_down);
    send_group(v, &g);
}

void screen_view_release_keys(struct screen_view *v)
{
    for (uint16_t code = 1; code < VIEW_KEYS; code++)
        screen_view_key(v, code, false);
}

static uint32_t to_absolute(int at, uint32_t size)
{
    int64_t inside = at < 0 ? 0 : min_u64((uint32_t)at, size - 1);
    return size > 1 ? (uint32_t)(inside * INPUT_ABSOLUTE_MAX / (size - 1)) : 0;
}

static enum machine_input pointer_of(const struct screen_view *v)
{
    return v->has_tablet ? MACHINE_TABLET : MACHINE_MOUSE;
}

void screen_view_point(struct screen_view *v, int x, int y)
{
    struct group g = {.input = MACHINE_TABLET};
    if (!v->has_tablet)
        return;
    add(&g, INPUT_ABS, ABS_X, to_absolute(x, v->width));
    add(&g, INPUT_ABS, ABS_Y, to_absolute(y, v->height));
    send_group(v, &g);
}

void screen_view_move(struct screen_view *v, int dx, int dy)
{
    struct group g = {.input = MACHINE_MOUSE};
    add(&g, INPUT_REL, REL_X, (uint32_t)dx);
    add(&g, INPUT_REL, REL_Y, (uint32_t)dy);
    send_group(v, &g);
}

void screen_view_button(struct screen_view *v, enum screen_view_button button, bool is_down)
{
    struct group g = {.input = pointer_of(v)};
    add(&g, INPUT_KEY, BTN_LEFT + button, is_down);
    send_group(v, &g);
}

void screen_view_wheel(struct screen_view *v, int steps)
{
    struct group g = {.input = pointer_of(v)};
    add(&g, INPUT_REL, REL_WHEEL, (uint32_t)steps);
    send_group(v, &g);
}

/* --- size -------------------------------------------------------------------------------- */

struct size_wish {
    struct screen_view *view;
    uint32_t width, height;
    bool is_heard;
};

static void prefer(void *owner)
{
    struct size_wish *w = owner;
    w->is_heard = machine_prefer_size(control_machine(w->view->control), w->width, w->height);
}

bool screen_view_prefer_size(struct screen_view *v, uint32_t width, uint32_t height)
{
    struct size_wish w = {.view = v, .width = width, .height = height};
    return control_call(v->control, prefer, &w) && w.is_heard;
}
