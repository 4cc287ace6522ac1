/* A copy of what a machine's display shows, and the way of keys and pointer to the machine: what a
 * window, a VNC server and a picture made of characters have in common. All is for one thread of
 * the client's, which is not the machine's; the machine is touched by control_call alone, and input
 * enters by the door. A machine has one view. */
#ifndef RIVULET_FRONTEND_SCREEN_VIEW_H
#define RIVULET_FRONTEND_SCREEN_VIEW_H

#include "debug/control.h"
#include "devices/display/input_event.h"
#include "devices/display/screen.h"

#define VIEW_KEYS 256u /* evdev's codes that a keyboard here can have */

/* Keys of a pointer, in the order of their codes. */
enum screen_view_button { VIEW_LEFT, VIEW_RIGHT, VIEW_MIDDLE, VIEW_SIDE, VIEW_EXTRA };

struct screen_view {
    struct control *control;
    uint32_t width, height; /* both 0: nothing is shown */
    uint32_t *pixels;       /* 0x..RRGGBB, rows without gaps */
    struct screen_rect changed;
    bool is_resized; /* the pixels lie elsewhere; the client sets it back */
    bool has_new_cursor;
    struct screen_cursor cursor;
    enum run_state state;
    bool has_tablet; /* else a mouse, or nothing */
    bool has_keyboard;
    bool keys_wait; /* the guest had not taken all keys when the copy was made */
    bool down[VIEW_KEYS];
    unsigned quiet_looks; /* in which nothing had changed, since something did or input came */
};

void screen_view_init(struct screen_view *v, struct control *c);
void screen_view_deinit(struct screen_view *v);

/* How long to wait before the next look: a frame at 60 Hz while something happens, longer when
 * nothing has for a while, so that an idle guest costs little. */
unsigned screen_view_wait_ms(const struct screen_view *v);

/* Brings the copy up to date; `changed` is what did since the last call. */
void screen_view_update(struct screen_view *v);

/* A key by its evdev code; 0 has no effect, nor has pressing what is pressed. */
void screen_view_key(struct screen_view *v, uint16_t code, bool is_down);
void screen_view_release_keys(struct screen_view *v);
/* The tablet is moved to this pixel of the picture; without a tablet nothing happens. */
void screen_view_point(struct screen_view *v, int x, int y);
/* The mouse is moved. */
void screen_view_move(struct screen_view *v, int dx, int dy);
void screen_view_button(struct screen_view *v, enum screen_view_button button, bool is_down);
void screen_view_wheel(struct screen_view *v, int steps); /* up: positive */

/* The display would like to be of this size; a guest that knows how follows. False: no display of
 * the machine can say so. */
bool screen_view_prefer_size(struct screen_view *v, uint32_t width, uint32_t height);

#endif
