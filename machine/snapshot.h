/* A machine in a file, to go on from later or elsewhere.
 *
 * Sections (machine/snapshot_file.h): "machine", lines of text that must be the same for the
 * machine that loads it; "info", lines of text for people; "options", the command
 * line that makes the machine again; "state", the state walk without RAM;
 * "ram N", a bit a page and the pages that are not zero; "disk N", what a drive with snapshot=on
 * has of its own; and what the client adds. */
#ifndef RIVULET_MACHINE_SNAPSHOT_H
#define RIVULET_MACHINE_SNAPSHOT_H

#include "machine/machine.h"

/* A section of the client's. SNAPSHOT_PICTURE: what the screen shows, as PNG. */
#define SNAPSHOT_PICTURE "screen.png"
struct snapshot_extra {
    const char *name; /* at most 24 bytes */
    const void *bytes;
    size_t n;
};

struct snapshot_options {
    bool compress; /* a small file that takes longer */
    const struct snapshot_extra *extras;
    unsigned extra_count;
};

/* Between runs. Disks that keep what is written to them are not in the file: it goes with their
 * state of this moment, and cannot be loaded once they have been written to. False and err: the
 * file is as it was before. */
bool snapshot_save(struct machine *m, const char *path, const struct snapshot_options *options,
                   struct error *err) MUST_CHECK;

/* Between runs, into a machine of the same configuration. False and err: `is_intact` says whether
 * the machine is what it was; else nothing but a reset helps. Everything that can be checked is
 * checked before anything is changed. */
bool snapshot_load(struct machine *m, const char *path, bool *is_intact,
                   struct error *err) MUST_CHECK;

/* --- by a name, inside of the drives' images ------------------------------------------------- */

/* As QEMU's savevm: each qcow2 image that keeps what is written gets a snapshot of this name, and
 * the first one the machine's state too; what drives with snapshot=on hold is in the state. Whether
 * such a text is a name: it has no '/' and does not end in .rvs, which are files'. */
bool snapshot_is_name(const char *text);
/* One of this name that is there already goes, once the new one is whole. False and err: a drive
 * cannot have snapshots (raw, and written to), for example. */
bool snapshot_save_named(struct machine *m, const char *name,
                         const struct snapshot_options *options, struct error *err) MUST_CHECK;
/* As snapshot_load. The disks go back too. */
bool snapshot_load_named(struct machine *m, const char *name, bool *is_intact,
                         struct error *err) MUST_CHECK;
/* From all drives that have it. */
bool snapshot_delete_named(struct machine *m, const char *name, struct error *err) MUST_CHECK;
/* Those that can be loaded, as a table in QEMU's form. */
bool snapshot_list_named(struct machine *m, const struct byte_sink *out,
                         struct error *err) MUST_CHECK;

/* --- looking --------------------------------------------------------------------------------- */

/* The command line that makes such a machine: lines of an option's name, a space, and its value (or
 * none). The caller frees it. NULL and err: the file is none, or the machine has what belongs to
 * one host (disks, networks, character back-ends), which is then named. */
char *snapshot_command_line(const char *path, struct error *err);

/* What is in the file, as lines of text. */
bool snapshot_describe(const char *path, const struct byte_sink *out, struct error *err) MUST_CHECK;
/* Writes a section to a file. False and err: there is none, for example. */
bool snapshot_extract(const char *path, const char *section, const char *to,
                      struct error *err) MUST_CHECK;

#endif
