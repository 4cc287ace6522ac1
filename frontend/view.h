/* A copy of what a machine's display shows, and the way of keys and pointer to the machine: what a
 * window, a VNC server and a picture made of characters have in common. All is for one thread of
 * the client's, which is not the machine's; the machine is touched by control_call alone, and input
 * enters by the door. A machine has one view. */
#ifndef RIVULET_FRONTEND_VIEW_H
#define RIVULET_FRONTEND_VIEW_H

#include "debug/control.h"
#include "devices/display/input_event.h"
#include "devices/display/screen.h"

#define VIEW_KEYS 256u /* evdev's codes that a keyboard here can have */

/* Keys of a pointer, in the order of their codes. */
enum view_button { VIEW_LEFT, VIEW_RIGHT, VIEW_MIDDLE, VIEW_SIDE, VIEW_EXTRA };

struct view {
    struct control *control;
    uint32_t width, height; /* both 0: nothing is shown */
    uint32_t *pixels;       /* 0x..RRGGBB, rows without gaps */
    struct screen_rect changed;
    bool is_resized; /* the pixels lie elsewhere; the client sets it back */
    bool has_new_cursor;
    struct screen_cursor cursor;
    enum run_state state;
    bool has_tablet; /* else a mouse, or nothing */
    bool down[VIEW_KEYS];
    unsigned quiet_looks; /* in which nothing had changed, since something did or input came */
};

void view_init(struct view *v, struct control *c);
void view_deinit(struct view *v);

/* How long to wait before the next look: a frame at 60 Hz while something happens, longer when
 * nothing has for a while, so that an idle guest costs little. */
unsigned view_wait_ms(const struct view *v);

/* Brings the copy up to date; `changed` is what did since the last call. */
void view_update(struct view *v);

/* A key by its evdev code; 0 has no effect, nor has pressing what is pressed. */
void view_key(struct view *v, uint16_t code, bool is_down);
void view_release_keys(struct view *v);
/* The tablet is moved to this pixel of the picture; without a tablet nothing happens. */
void view_point(struct view *v, int x, int y);
/* The mouse is moved. */
void view_move(struct view *v, int dx, int dy);
void view_button(struct view *v, enum view_button button, bool is_down);
void view_wheel(struct view *v, int steps); /* up: positive */

/* The display would like to be of this size; a guest that knows how follows. False: no display of
 * the machine can say so. */
bool view_prefer_size(struct view *v, uint32_t width, uint32_t height);

#endif
