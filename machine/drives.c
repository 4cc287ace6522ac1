/* Drives (contract: drives.h). The words are QEMU's. */
#include "machine/drives.h"

#include "machine/properties.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const interfaces[] = {"virtio", "none", "pflash", NULL};
static const char *const formats[] = {"raw", "qcow2", NULL};
static const char *const caches[] = {"writeback",  "none",   "writethrough",
                                     "directsync", "unsafe", NULL};
static const char *const discards[] = {"ignore", "off", "unmap", "on", NULL};
static const char *const aios[] = {"threads", "native", "io_uring", NULL};
static const char *const media[] = {"disk", "cdrom", NULL};
static const char *const offs[] = {"off", NULL};

static const struct property_rule drive_rules[] = {
    {"file", NULL},         {"if", interfaces}, {"id", NULL},      {"format", formats},
    {"readonly", NULL},     {"snapshot", NULL}, {"cache", caches}, {"discard", discards},
    {"werror", NULL},       {"rerror", NULL},   {"serial", NULL},  {"aio", aios},
    {"media", media},       {"index", NULL},    {"unit", NULL},    {"detect-zeroes", offs},
    {"copy-on-read", offs}, {NULL, NULL},
};

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const struct error_action {
    const char *word;
    enum virtio_blk_on_error action;
} error_actions[] = {
    {"report", VIRTIO_BLK_REPORT},
    {"ignore", VIRTIO_BLK_IGNORE},
    {"stop", VIRTIO_BLK_STOP},
    {"enospc", VIRTIO_BLK_ENOSPC},
};

static bool find_action(const char *text, enum virtio_blk_on_error *action)
{
    for (size_t i = 0; text && i < ARRAY_LEN(error_actions); i++)
        if (strcmp(text, error_actions[i].word) == 0) {
            *action = error_actions[i].action;
            return true;
        }
    return !text || strcmp(text, "auto") == 0;
}

bool drive_write_error(const char *text, enum virtio_blk_on_error *action, struct error *err)
{
    return find_action(text, action) ||
           error_set(err, "werror=%.40s: give report, ignore, stop or enospc", text);
}

const char *drive_action_name(enum virtio_blk_on_error action)
{
    for (size_t i = 0; i < ARRAY_LEN(error_actions); i++)
        if (error_actions[i].action == action)
            return error_actions[i].word;
    return "report";
}

bool drive_read_error(const char *text, enum virtio_blk_on_error *action, struct error *err)
{
    enum virtio_blk_on_error found = *action;
    if (!find_action(text, &found) || found == VIRTIO_BLK_ENOSPC)
        return error_set(err, "rerror=%.40s: give report, ignore or stop", text);
    *action = found;
    return true;
}

static bool check_rules(const struct machine_option *option, struct error *err)
{
    for (unsigned i = 0; i < option->count; i++)
        if (!property_check(&option->items[i], drive_rules, err))
            return false;
    return true;
}

static bool set_id(struct drive *drive, unsigned number, const struct properties *p,
                   struct error *err)
{
    const char *id = properties_text(p, "id");
    int n = id ? snprintf(drive->id, sizeof drive->id, "%s", id)
               : snprintf(drive->id, sizeof drive->id, "drive%u", number);
    return (size_t)n < sizeof drive->id ||
           error_set(err, "id is longer than %zu bytes", sizeof drive->id - 1);
}

static bool open_image(struct drive *drive, const struct properties *p,
                       const struct machine_config *config, struct error *err)
{
    const char *cache = properties_text(p, "cache"), *discard = properties_text(p, "discard");
    struct block_options options = {
        .path = properties_text(p, "file"),
        .format = properties_text(p, "format"),
        .snapshot = config->snapshot,
        .history = config->history_bytes != 0,
        .read_only = is_word(properties_text(p, "media"), "cdrom"),
        .discard = is_word(discard, "unmap") || is_word(discard, "on") ? BLOCK_DISCARD_UNMAP
                                                                       : BLOCK_DISCARD_IGNORE,
    };
    if (!options.path || !*options.path)
        return error_set(err, "give file=FILE");
    if (!properties_switch(p, "readonly", &options.read_only, err) ||
        !properties_switch(p, "snapshot", &options.snapshot, err))
        return false;
    drive->write_through = is_word(cache, "writethrough") || is_word(cache, "directsync");
    options.cache = drive->write_through       ? BLOCK_CACHE_WRITETHROUGH
                    : is_word(cache, "unsafe") ? BLOCK_CACHE_UNSAFE
                                               : BLOCK_CACHE_WRITEBACK;
    drive->block = block_open(&options, err);
    return drive->block != NULL;
}

static struct drive *find(struct drives *d, const char *id)
{
    for (unsigned i = 0; i < d->count; i++)
        if (strcmp(d->items[i].id, id) == 0)
            return &d->items[i];
    return NULL;
}

/* if=pflash: the unit that is given, or the first that is free. */
static bool set_flash(struct drives *d, struct drive *drive, const struct properties *p,
                      struct error *err)
{
    uint64_t unit = 0;
    while (unit + 1 < DRIVES_FLASHES && drives_flash(d, (unsigned)unit))
        unit++;
    if (!properties_size(p, "index", DRIVES_FLASHES - 1, &unit, err) ||
        !properties_size(p, "unit", DRIVES_FLASHES - 1, &unit, err))
        return false;
    if (drives_flash(d, (unsigned)unit))
        return error_set(err, "flash %u has an image already", (unsigned)unit);
    drive->is_flash = drive->is_taken = true;
    drive->flash_unit = (unsigned)unit;
    return true;
}

static bool open_drive(struct drives *d, const struct machine_option *option,
                       const struct machine_config *config, struct error *err)
{
    struct drive drive = {.option = option, .on_write_error = VIRTIO_BLK_ENOSPC}; /* QEMU's */
    struct properties p = {.option = option};
    if (!check_rules(option, err) || !set_id(&drive, d->count, &p, err))
        return false;
    if (find(d, drive.id))
        return error_set(err, "there are two drives '%s'", drive.id);
    drive.serial = properties_text(&p, "serial");
    const char *interface = properties_text(&p, "if");
    drive.wants_device = !interface || is_word(interface, "virtio");
    if (is_word(interface, "pflash") && !set_flash(d, &drive, &p, err))
        return false;
    if (!drive_write_error(properties_text(&p, "werror"), &drive.on_write_error, err) ||
        !drive_read_error(properties_text(&p, "rerror"), &drive.on_read_error, err) ||
        !open_image(&drive, &p, config, err))
        return false;
    d->items[d->count++] = drive;
    return true;
}

/* How the user would find the option again in his command line. */
static const char *name_of(const struct machine_option *option)
{
    const char *file = option_text(option, "file");
    return file ? file : "without a file";
}

/* -machine pflash0=ID. */
static bool name_flashes(struct drives *d, const struct machine_config *config, struct error *err)
{
    for (unsigned unit = 0; unit < DRIVES_FLASHES; unit++) {
        const char *id = config->flash_drives[unit];
        if (!id)
            continue;
        if (drives_flash(d, unit))
            return error_set(err, "-machine pflash%u=%.80s: it has an image already", unit, id);
        struct error why;
        struct drive *drive = drives_take(d, id, &why);
        if (!drive)
            return error_set(err, "-machine pflash%u: %.400s", unit, why.text);
        drive->is_flash = true;
        drive->flash_unit = unit;
    }
    return true;
}

struct drives *drives_open(const struct machine_config *config, struct error *err)
{
    struct error why;
    struct drives *d = calloc(1, sizeof *d);
    if (!d) {
        error_set(err, "no memory for the drives");
        return NULL;
    }
    for (unsigned i = 0; i < config->drives.count; i++) {
        const struct machine_option *option = &config->drives.items[i];
        if (d->count == MACHINE_DRIVES_MAX)
            error_set(&why, "there are %u already", MACHINE_DRIVES_MAX);
        else if (open_drive(d, option, config, &why))
            continue;
        error_set(err, "-drive %.100s: %.380s", name_of(option), why.text);
        drives_close(d, config->log);
        return NULL;
    }
    if (name_flashes(d, config, err))
        return d;
    drives_close(d, config->log);
    return NULL;
}

const struct drive *drives_flash(const struct drives *d, unsigned unit)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->items[i].is_flash && d->items[i].flash_unit == unit)
            return &d->items[i];
    return NULL;
}

void drives_close(struct drives *d, struct log *log)
{
    if (!d)
        return;
    for (unsigned i = 0; i < d->count; i++) {
        enum block_status status = block_close(d->items[i].block);
        if (status != BLOCK_OK)
            log_line(log, LOG_HOST_ERRORS,
                     "drive %s: what the guest wrote last and did not flush may be lost: %s",
                     d->items[i].id, block_status_text(status));
    }
    free(d);
}

struct drive *drives_take(struct drives *d, const char *id, struct error *err)
{
    struct drive *drive = find(d, id);
    if (!drive) {
        error_set(err, "there is no drive '%.80s'; give -drive if=none,id=%.80s,file=FILE", id, id);
        return NULL;
    }
    if (drive->is_taken) {
        error_set(err, "another device has the drive '%.80s'", id);
        return NULL;
    }
    drive->is_taken = true;
    return drive;
}

void drives_describe(const struct drives *d, const struct byte_sink *out)
{
    for (unsigned i = 0; i < d->count; i++) {
        const struct drive *drive = &d->items[i];
        const char *cache = option_text(drive->option, "cache");
        byte_sink_print(out, "%s: %.300s (%s%s)\n", drive->id, name_of(drive->option),
                        block_format(drive->block),
                        block_is_read_only(drive->block) ? ", read-only" : "");
        byte_sink_print(out, "    %llu bytes, %s, cache mode %s\n",
                        (unsigned long long)block_bytes(drive->block),
                        drive->is_taken ? "attached" : "not attached", cache ? cache : "writeback");
    }
    if (d->count == 0)
        byte_sink_print(out, "There are no drives.\n");
}
