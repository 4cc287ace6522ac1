/* Commands for the screen and the keyboard. */
#include "debug/monitor_internal.h"

#include "debug/keys.h"
#include "debug/picture.h"
#include "devices/display/input_event.h"

#define PATH_BYTES 1024u
#define KEYS_MAX   8u /* pressed together */

static bool dump_screen(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES];
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "a file is needed: screendump FILE.png, or FILE.ppm");
    if (!argument_end(a, err))
        return false;
    struct screen *screen = machine_screen(monitor_machine(m), 0);
    if (!screen)
        return error_set(err, "the machine has no display: give -device virtio-gpu-pci");
    if (screen->refresh)
        screen->refresh(screen->owner);
    return picture_write(screen, path, err);
}

static void push_key(struct machine *m, unsigned entry, uint16_t code, bool is_down)
{
    const struct input_event group[] = {{INPUT_KEY, code, is_down}, {INPUT_SYN, 0, 0}};
    input_push(machine_door(m), entry, group, sizeof group);
}

/* "ctrl-alt-f1": all are pressed in this order, and released in the other. */
static bool read_keys(const char *names, uint16_t *codes, unsigned *count, struct error *err)
{
    *count = 0;
    for (const char *at = names; *at;) {
        size_t n = strcspn(at, "-");
        if (*count == KEYS_MAX)
            return error_set(err, "more than %u keys", KEYS_MAX);
        codes[*count] = key_by_name(at, n);
        if (!codes[(*count)++])
            return error_set(err,
                             "there is no key '%.*s'; there are a, 1, ret, esc, spc, ctrl, ...",
                             (int)min_u64(n, 40), at);
        at += n + (at[n] == '-');
    }
    return *count || error_set(err, "keys are needed, for example ctrl-alt-f1");
}

static bool send_key(struct monitor *m, struct arguments *a, struct error *err)
{
    char names[256];
    uint16_t codes[KEYS_MAX];
    unsigned count;
    struct machine *machine = monitor_machine(m);
    unsigned entry = machine_input_entry(machine, MACHINE_KEYBOARD);
    argument_word(a, names, sizeof names);
    if (!read_keys(names, codes, &count, err) || !argument_end(a, err))
        return false;
    if (entry == INPUT_NO_ENTRY)
        return error_set(err, "the machine has no keyboard: give -device virtio-keyboard-pci");
    for (unsigned i = 0; i < count; i++)
        push_key(machine, entry, codes[i], true);
    while (count--)
        push_key(machine, entry, codes[count], false);
    return true;
}

const struct monitor_row monitor_screen_rows[] = {
    {"screendump", NULL, "FILE", "write what the display shows as PNG, or as PPM (FILE.ppm)",
     dump_screen},
    {"sendkey", NULL, "KEY[-KEY...]", "press keys together and release them: sendkey ctrl-alt-f1",
     send_key},
    {.name = NULL},
};
