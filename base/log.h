/* The guest log: what the guest did wrong, what is not implemented, and the traces of -d.
 * Guest-caused topics are rate limited, so that a hostile guest cannot fill a disk. */
#ifndef RIVULET_BASE_LOG_H
#define RIVULET_BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

/* The names of -d, as QEMU spells them where QEMU has them. */
enum log_topic {
    LOG_GUEST_ERRORS = 1 << 0, /* guest_errors: invalid accesses, bad register values */
    LOG_UNIMP = 1 << 1,        /* unimp: a register or function that we lack */
    LOG_INT = 1 << 2,          /* int: traps and interrupts */
    LOG_MMU = 1 << 3,          /* mmu: page walks and TLB flushes */
    LOG_PROFILE = 1 << 5,      /* profile: how often each decoded op ran, at exit */
    LOG_STATS = 1 << 4,        /* stats: counters at exit */
    LOG_HOST_ERRORS = 1 << 6,  /* host_errors: what the host could not do while the guest ran */
};

#define LOG_LINES_PER_SOURCE 64u

struct log;

/* A log that writes the given topics to `path`, or to stderr when path is NULL. */
struct log *log_open(const char *path, unsigned topics, struct error *err);
/* One that writes to this stream, which becomes its own; but stderr stays the process's. */
struct log *log_open_stream(FILE *file, unsigned topics, struct error *err);
void log_close(struct log *log);
/* From now on: other topics; another file, emptied (path NULL: stderr). False and err: all is as
 * before. */
void log_set_topics(struct log *log, unsigned topics);
bool log_set_file(struct log *log, const char *path, struct error *err);

/* Topics of a comma-separated list as -d takes it; false and err names the unknown word and lists
 * the known ones. */
bool log_parse_topics(const char *list, unsigned *topics, struct error *err);

/* Whether a line of this topic would be written; log may be NULL (no log). */
bool log_wants(const struct log *log, enum log_topic topic);

/* One line, no newline in format. Any thread. Lines of guest_errors and unimp begin with "guest: ",
 * those of host_errors with "host: "; after LOG_LINES_PER_SOURCE of them with the same format
 * string further ones are counted, not written; the count is shown at close. */
__attribute__((format(printf, 3, 4))) void log_line(struct log *log, enum log_topic topic,
                                                    const char *format, ...);

#endif
