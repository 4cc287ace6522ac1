/* What the demo guest gets (contract: demo_guest.h). */
#include "frontend/demo_guest.h"

#include "base/os.h"
#include "frontend/colours.h"
#include "frontend/option_setters.h"
#include "frontend/window.h"

#include <unistd.h>

#define HARTS 4u

/* What firmware/demo/terminal.c does at its end: no mouse reports, the cursor, the other screen. */
#define LEAVE "\033[0m\033[?1006l\033[?1003l\033[?25h\033[?1049l"

static bool has_screen(const struct options *o)
{
    if (options_have_device(o, "ramfb"))
        return true;
    if (o->display != DISPLAY_IF_ANY)
        return o->display != DISPLAY_NONE;
    return !o->nographic && !o->script_file && !o->no_defaults && window_is_possible();
}

static bool has_terminal(const struct options *o)
{
    return o->serial == SERIAL_STDIO && !o->script_file && os_terminal_is_tty(STDIN_FILENO) &&
           os_terminal_is_tty(STDOUT_FILENO) && terminal_has_colours();
}

static bool add_missing_device(struct options *o, const char *name, struct error *err)
{
    return options_have_device(o, name) || add_device(o, name, err);
}

/* A window that cannot be opened is an error then: nobody else would see the picture. */
static bool add_screen(struct options *o, struct error *err)
{
    if (o->display == DISPLAY_IF_ANY && !options_have_device(o, "ramfb"))
        o->display = DISPLAY_SDL;
    return add_missing_device(o, "ramfb", err) &&
           add_missing_device(o, "virtio-keyboard-device", err) &&
           add_missing_device(o, "virtio-tablet-device", err);
}

bool demo_guest_apply(struct options *o, struct error *err)
{
    if (!o->machine.demo)
        return true;
    o->demo_place = "its text only, for there is neither a display nor a terminal with colours";
    if (!o->harts_given)
        o->machine.harts = HARTS;
    if (has_screen(o)) {
        o->demo_place = "on the display";
        if (!add_screen(o, err))
            return false;
    } else if (has_terminal(o)) {
        o->demo_place = "in this terminal";
        o->draws_in_terminal = true;
        o->machine.append = terminal_has_all_colours() ? "terminal truecolor" : "terminal";
    }
    return true;
}

void demo_guest_greet(const struct options *o)
{
    if (o->demo_place)
        fprintf(stderr, "rivulet: nothing to run is given, so this is the demo guest, %s\n",
                o->demo_place);
}

void demo_guest_leave(const struct options *o)
{
    if (o->draws_in_terminal && write(STDOUT_FILENO, LEAVE, sizeof LEAVE - 1) < 0)
        return; /* the terminal is gone, and with it what was to be given back */
}
