/* What the monitor and QMP both do (contract: actions.h). */
#include "debug/actions.h"

#include "cpu/peek.h"
#include "debug/keys.h"
#include "debug/picture.h"
#include "devices/display/input_event.h"
#include "machine/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 4096u
#define KEYS_MAX    8u /* pressed together */
#define RING_MOST   (1u << 20)

/* --- memory ------------------------------------------------------------------------------ */

/* A piece never goes over the end of a page: what can be read of it can be read as a whole. */
static bool save_piece(struct hart *h, bool physical, uint64_t address, size_t n, FILE *file,
                       struct error *err)
{
    uint8_t bytes[PIECE_BYTES];
    bool ok = physical ? peek_physical(h->ports.memory, address, bytes, n)
                       : peek_memory(h, address, bytes, n);
    if (!ok)
        return error_set(err, "there is no memory at 0x%llx", (unsigned long long)address);
    return fwrite(bytes, 1, n, file) == n ||
           error_set(err, "cannot write the file: %s", strerror(errno));
}

bool action_save_memory(struct hart *h, bool physical, uint64_t address, uint64_t bytes,
                        const char *path, struct error *err)
{
    FILE *file = fopen(path, "wb");
    bool ok = true;
    if (!file)
        return error_set(err, "cannot write %s: %s", path, strerror(errno));
    while (ok && bytes) {
        size_t n = (size_t)min_u64(bytes, PIECE_BYTES - address % PIECE_BYTES);
        ok = save_piece(h, physical, address, n, file, err);
        address += n;
        bytes -= n;
    }
    if (fclose(file) != 0 && ok)
        return error_set(err, "cannot write %s: %s", path, strerror(errno));
    return ok;
}

/* --- the screen ---------------------------------------------------------------------------- */

static struct screen *find_screen(struct machine *m, const char *device, int64_t head,
                                  struct error *err)
{
    struct screen *screen = !device     ? machine_screen(m, 0)
                            : head == 0 ? machine_screen_of(m, device)
                                        : NULL;
    if (screen)
        return screen;
    if (!device)
        error_set(err, "the machine has no display: give -device virtio-gpu-pci");
    else if (!machine_has_device(m, device))
        error_set(err, "Device '%.80s' not found", device);
    else
        error_set(err, "Device %.80s (head %lld) is no display", device, (long long)head);
    return NULL;
}

bool action_dump_screen(struct machine *m, const char *device, int64_t head, const char *path,
                        const char *format, struct error *err)
{
    struct screen *screen;
    bool is_ppm = format && strcmp(format, "ppm") == 0;
    if (format && !is_ppm && strcmp(format, "png") != 0)
        return error_set(err, "format %.40s: it can be png or ppm", format);
    if (!(screen = find_screen(m, device, head, err)))
        return false;
    if (screen->refresh)
        screen->refresh(screen->owner);
    if (!format)
        return picture_write(screen, path, err);
    return picture_write_as(screen, is_ppm ? PICTURE_PPM : PICTURE_PNG, path, err);
}

/* --- saving -------------------------------------------------------------------------------- */

typedef bool save_machine(struct machine *m, const char *where,
                          const struct snapshot_options *options, struct error *err);

static bool save_with_picture(struct machine *m, const char *where, bool compress,
                              save_machine *save, struct error *err)
{
    struct screen *screen = machine_screen(m, 0);
    struct snapshot_extra picture = {.name = SNAPSHOT_PICTURE};
    if (screen && screen->refresh)
        screen->refresh(screen->owner);
    uint8_t *png = screen && screen->pixels ? picture_png(screen, &picture.n) : NULL;
    picture.bytes = png;
    struct snapshot_options options = {
        .compress = compress, .extras = &picture, .extra_count = png != NULL};
    bool ok = save(m, where, &options, err);
    free(png);
    return ok;
}

bool action_save(struct machine *m, const char *path, bool compress, struct error *err)
{
    return save_with_picture(m, path, compress, snapshot_save, err);
}

bool action_save_named(struct machine *m, const char *name, bool compress, struct error *err)
{
    return save_with_picture(m, name, compress, snapshot_save_named, err);
}

/* --- the keyboard ------------------------------------------------------------------------- */

static void push_key(struct machine *m, unsigned entry, uint16_t code, bool is_down)
{
    const struct input_event group[] = {{INPUT_KEY, code, is_down}, {INPUT_SYN, 0, 0}};
    input_push(machine_door(m), entry, group, sizeof group);
}

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

bool action_send_keys(struct machine *m, const char *names, struct error *err)
{
    uint16_t codes[KEYS_MAX];
    unsigned count, entry = machine_input_entry(m, MACHINE_KEYBOARD);
    if (!read_keys(names, codes, &count, err))
        return false;
    if (entry == INPUT_NO_ENTRY)
        return error_set(err, "the machine has no keyboard: give -device virtio-keyboard-pci");
    for (unsigned i = 0; i < count; i++)
        push_key(m, entry, codes[i], true);
    while (count--)
        push_key(m, entry, codes[count], false);
    return true;
}

/* --- character back-ends ------------------------------------------------------------------ */

/* A byte 0 would end the text: it is shown as none. */
char *action_read_ring(struct machine *m, const char *id, uint64_t n, struct error *err)
{
    if (n > RING_MOST) {
        error_set(err, "at most %u bytes at once", RING_MOST);
        return NULL;
    }
    char *text = malloc((size_t)n + 1);
    if (!text) {
        error_set(err, "no memory for the text");
        return NULL;
    }
    long got = machine_read_ring(m, id, (uint8_t *)text, (size_t)n, err);
    if (got < 0) {
        free(text);
        return NULL;
    }
    size_t used = 0;
    for (long i = 0; i < got; i++)
        if (text[i])
            text[used++] = text[i];
    text[used] = 0;
    return text;
}
