/* Drives: what -drive describes, an image and how a device is to treat it. They are opened before
 * the machine's devices are made and closed after those are gone. */
#ifndef RIVULET_MACHINE_DRIVES_H
#define RIVULET_MACHINE_DRIVES_H

#include "devices/block/block.h"
#include "devices/virtio/blk.h"
#include "machine/machine.h"

struct drive {
    char id[64];
    const struct machine_option *option;
    struct block *block;
    const char *serial; /* NULL: none */
    bool wants_device;  /* if=virtio: a device is made for it */
    bool is_flash;      /* if=pflash, or -machine pflash0=, pflash1= */
    unsigned flash_unit;
    bool write_through;
    enum virtio_blk_on_error on_read_error, on_write_error;
    bool is_taken; /* by a device */
};

#define DRIVES_FLASHES 2u

struct drives {
    struct drive items[MACHINE_DRIVES_MAX];
    unsigned count;
};

/* NULL and err: nothing is open. */
struct drives *drives_open(const struct machine_config *config, struct error *err);

/* The drive of this id, which no device has yet; NULL and err. */
struct drive *drives_take(struct drives *d, const char *id, struct error *err);

/* Closes them all; what could not be flushed is told to the log. */
void drives_close(struct drives *d, struct log *log);

/* What werror=TEXT and rerror=TEXT of -drive or -device mean; NULL and "auto" leave *action. */
bool drive_write_error(const char *text, enum virtio_blk_on_error *action,
                       struct error *err) MUST_CHECK;
bool drive_read_error(const char *text, enum virtio_blk_on_error *action,
                      struct error *err) MUST_CHECK;

/* The word for it: "report", ... */
const char *drive_action_name(enum virtio_blk_on_error action);

/* Lines of text, a drive each. */
void drives_describe(const struct drives *d, const struct byte_sink *out);
/* The drive that a flash of the board is kept in; NULL: none. */
const struct drive *drives_flash(const struct drives *d, unsigned unit);

#endif
