/* Commands for what is at the ends of devices: the screen, the keyboard, character back-ends. */
#include "debug/actions.h"
#include "debug/monitor_internal.h"

#include <stdlib.h>

#define PATH_BYTES 1024u

static bool dump_screen(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES], format[8] = "";
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "a file is needed: screendump FILE.png, or FILE.ppm");
    if (strncmp(a->rest, "-f ", 3) == 0) {
        argument_word(a, format, sizeof format);
        argument_word(a, format, sizeof format);
    }
    return argument_end(a, err) &&
           action_dump_screen(monitor_machine(m), path, *format ? format : NULL, err);
}

static bool send_key(struct monitor *m, struct arguments *a, struct error *err)
{
    char names[256];
    argument_word(a, names, sizeof names);
    return argument_end(a, err) && action_send_keys(monitor_machine(m), names, err);
}

/* DEVICE SIZE */
static bool read_ring(struct monitor *m, struct arguments *a, struct error *err)
{
    char id[64];
    uint64_t size;
    argument_word(a, id, sizeof id);
    if (!argument_number(m, a, &size, err) || !argument_end(a, err))
        return false;
    char *text = action_read_ring(monitor_machine(m), id, size, err);
    if (!text)
        return false;
    m->out.write(m->out.owner, (const uint8_t *)text, strlen(text));
    say(m, "\n");
    free(text);
    return true;
}

const struct monitor_row monitor_screen_rows[] = {
    {"screendump", NULL, "FILE [-f png|ppm]", "write what the display shows; FILE.ppm is PPM",
     dump_screen},
    {"sendkey", NULL, "KEY[-KEY...]", "press keys together and release them: sendkey ctrl-alt-f1",
     send_key},
    {"ringbuf_read", NULL, "ID SIZE", "take what a -chardev ringbuf keeps", read_ring},
    {.name = NULL},
};
