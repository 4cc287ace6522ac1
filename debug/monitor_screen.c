/* Commands for the screen and the keyboard. */
#include "debug/actions.h"
#include "debug/monitor_internal.h"

#define PATH_BYTES 1024u

static bool dump_screen(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES];
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "a file is needed: screendump FILE.png, or FILE.ppm");
    return argument_end(a, err) && action_dump_screen(monitor_machine(m), path, err);
}

static bool send_key(struct monitor *m, struct arguments *a, struct error *err)
{
    char names[256];
    argument_word(a, names, sizeof names);
    return argument_end(a, err) && action_send_keys(monitor_machine(m), names, err);
}

const struct monitor_row monitor_screen_rows[] = {
    {"screendump", NULL, "FILE", "write what the display shows as PNG, or as PPM (FILE.ppm)",
     dump_screen},
    {"sendkey", NULL, "KEY[-KEY...]", "press keys together and release them: sendkey ctrl-alt-f1",
     send_key},
    {.name = NULL},
};
