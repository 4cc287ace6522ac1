/* The log of a recorded run: what came from outside and when, and hashes of the state to check a
 * replay by.
 *
 * A record is u32 length of the payload, u32 its check (the low half of hash_bytes), and the
 * payload: u64 virtual ns, u32 kind, u32 entry of the door, bytes. A file is the 8 bytes
 * "RIVLOG\x1a\x01", whose last is the format's version, and records. It is only appended to (and
 * cut when a run leaves its past on another way), and each record is given to the host's kernel at
 * once: what a crash leaves is a whole log and maybe a torn record, where reading ends. */
#ifndef RIVULET_MACHINE_INPUT_LOG_H
#define RIVULET_MACHINE_INPUT_LOG_H

#include "base/bits.h"
#include "base/error.h"

enum record_kind {
    RECORD_HEADER, /* the first: lines of text that must be the same, as machine/record.h says */
    RECORD_INPUT,  /* bytes that a sink took */
    RECORD_HASHES, /* u64 hashes of the state, in the order of the walk */
    RECORD_END,    /* recording was ended in order */
    RECORD_ANSWER, /* i64 and bytes: what the host answered within the round at this time */
    RECORD_EDIT,   /* what a debugger changed: record.c says how */
    RECORD_KINDS,
};

#define RECORD_MOST_BYTES (64u << 20)

struct log_record {
    uint64_t now_ns;
    enum record_kind kind;
    uint32_t entry; /* RECORD_INPUT */
    const uint8_t *bytes;
    size_t n;
};

struct input_log;

/* A new file, or one to be read. NULL and err. */
struct input_log *input_log_create(const char *path, struct error *err);
struct input_log *input_log_open(const char *path, struct error *err);
/* One that is also kept in memory, and can be read again; path NULL: in memory alone. */
struct input_log *input_log_keep(const char *path, struct error *err);
/* Whether no file has it. */
bool input_log_is_in_memory(const struct input_log *log);
/* False and err: the host could not write all of it. */
bool input_log_close(struct input_log *log, struct error *err) MUST_CHECK;

/* The first failure is kept for input_log_close; no file is written after it. A log that is kept
 * goes on in memory when only its file cannot be written. */
void input_log_append(struct input_log *log, const struct log_record *record);

/* A record could not be made: nothing is appended any more. */
void input_log_fail(struct input_log *log, const char *why);
/* Whether records are missing, so that what is kept cannot be repeated. */
bool input_log_has_hole(const struct input_log *log);

/* The next record, valid until the close; NULL: there is none. */
const struct log_record *input_log_next(const struct input_log *log);
void input_log_advance(struct input_log *log);
/* Where the next record is, and going there, of a log that is read or kept. */
size_t input_log_place(const struct input_log *log);
void input_log_seek(struct input_log *log, size_t place);
/* Drops the next record and all behind it, from the file that is written too; a log that was opened
 * is from now on one in memory, and the file stays as it is. False and err: no memory. */
bool input_log_cut(struct input_log *log, struct error *err) MUST_CHECK;
/* Whether there is something behind the last record that is none. */
bool input_log_is_torn(const struct input_log *log);

#endif
