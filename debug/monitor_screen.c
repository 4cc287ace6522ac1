/* Commands for what is at the ends of devices: the screen, who may see it, the keyboard, character
 * back-ends. */
#include "debug/actions.h"
#include "debug/monitor_internal.h"
#include "debug/vnc_access.h"

#include <stdlib.h>

#define PATH_BYTES 1024u

static bool dump_screen(struct monitor *m, struct arguments *a, struct error *err)
{
    char path[PATH_BYTES], format[8] = "", device[64];
    uint64_t head = 0;
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "a file is needed: screendump FILE.png, or FILE.ppm");
    if (strncmp(a->rest, "-f ", 3) == 0) {
        argument_word(a, format, sizeof format);
        argument_word(a, format, sizeof format);
    }
    argument_word(a, device, sizeof device);
    if (*a->rest && !argument_number(m, a, &head, err))
        return false;
    return argument_end(a, err) &&
           action_dump_screen(monitor_machine(m), *device ? device : NULL, (int64_t)head, path,
                              *format ? format : NULL, err);
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

/* --- the VNC server ----------------------------------------------------------------------- */

/* What may follow a password or a time: [-d DISPLAY] [ACTION]. */
struct target_words {
    char protocol[16], display[64], action[16];
};

static struct vnc_target target_of(const struct target_words *words)
{
    return (struct vnc_target){.protocol = words->protocol,
                               .display = *words->display ? words->display : NULL,
                               .action = *words->action ? words->action : NULL};
}

static bool read_target(struct arguments *a, struct target_words *words, bool has_action,
                        struct error *err)
{
    if (strncmp(a->rest, "-d ", 3) == 0) {
        argument_word(a, words->display, sizeof words->display);
        argument_word(a, words->display, sizeof words->display);
    }
    if (has_action)
        argument_word(a, words->action, sizeof words->action);
    return argument_end(a, err);
}

static bool set_password(struct monitor *m, struct arguments *a, struct error *err)
{
    struct target_words words = {.display = ""};
    char password[64];
    argument_word(a, words.protocol, sizeof words.protocol);
    if (!*a->rest)
        return error_set(err, "a protocol and a password are needed: set_password vnc WORD");
    argument_word(a, password, sizeof password);
    if (!read_target(a, &words, true, err))
        return false;
    const struct vnc_target target = target_of(&words);
    return vnc_access_set_password(m->vnc, &target, password, err);
}

static bool expire_password(struct monitor *m, struct arguments *a, struct error *err)
{
    struct target_words words = {.display = ""};
    char when[32];
    argument_word(a, words.protocol, sizeof words.protocol);
    if (!*a->rest)
        return error_set(err, "a protocol and a time are needed: expire_password vnc +60");
    argument_word(a, when, sizeof when);
    if (!read_target(a, &words, false, err))
        return false;
    const struct vnc_target target = target_of(&words);
    return vnc_access_set_expiry(m->vnc, &target, when, err);
}

/* Of QEMU's command for media that can be changed there is the password alone. */
static bool change(struct monitor *m, struct arguments *a, struct error *err)
{
    const struct vnc_target vnc = {.protocol = "vnc"};
    char device[64], what[16], password[64];
    argument_word(a, device, sizeof device);
    argument_word(a, what, sizeof what);
    if (strcmp(device, "vnc") != 0 ||
        (strcmp(what, "password") != 0 && strcmp(what, "passwd") != 0))
        return error_set(err, "no device has a medium that can be changed; there is: change vnc "
                              "password [WORD]");
    if (!*a->rest) {
        m->asks_password = m->may_ask;
        return m->may_ask || error_set(err, "a password cannot be asked for here: give it as "
                                            "change vnc password WORD");
    }
    argument_word(a, password, sizeof password);
    return argument_end(a, err) && vnc_access_set_password(m->vnc, &vnc, password, err);
}

const struct monitor_row monitor_screen_rows[] = {
    {"screendump", NULL, "FILE [-f png|ppm] [ID [0]]",
     "write what the first display shows, or that of -device ...,id=ID; FILE.ppm is PPM",
     dump_screen},
    {"sendkey", NULL, "KEY[-KEY...]", "press keys together and release them: sendkey ctrl-alt-f1",
     send_key},
    {"set_password", NULL, "vnc WORD [-d ID] [keep]",
     "let viewers in by this password; -vnc ...,password=on asks for one", set_password},
    {"expire_password", NULL, "vnc now|never|+SECONDS|SECONDS [-d ID]",
     "let nobody in from then on, SECONDS being since 1970", expire_password},
    {"change", NULL, "vnc password [WORD]", "the same as set_password; asks for it without WORD",
     change},
    {"ringbuf_read", NULL, "ID SIZE", "take what a -chardev ringbuf keeps", read_ring},
    {.name = NULL},
};
