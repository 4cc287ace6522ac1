/* What the files of semihosting share. */
#ifndef RIVULET_FIRMWARE_SEMIHOSTING_INTERNAL_H
#define RIVULET_FIRMWARE_SEMIHOSTING_INTERNAL_H

#include "firmware/semihosting.h"

#include <errno.h>

/* What one call moves: it is one instruction to all others, which cannot stop it. */
#define CALL_BYTES_MOST (256ull << 20)
#define TEXT_BYTES_MOST (16ull << 20)
#define CALL_ARGS       4u
#define CHUNK_BYTES     4096u

enum handle_kind { HANDLE_FREE, HANDLE_CONSOLE, HANDLE_FEATURES, HANDLE_FILE, HANDLE_KINDS };

struct handle {
    uint8_t kind; /* enum handle_kind */
    uint8_t mode;
    uint64_t position;
    char name[SEMIHOSTING_NAME_BYTES];
};

struct semihosting {
    /* --- guest state --- */
    uint64_t epoch_ns;
    uint32_t last_error;
    uint64_t heap_start, heap_end;
    bool waits[SEMIHOSTING_HARTS]; /* for the console */
    bool has_byte;                 /* taken from the console by a look, and not yet read */
    uint8_t byte;
    struct handle handles[SEMIHOSTING_FILES];
    /* --- host side --- */
    struct semihosting_config config;
};

/* One call: its words are those of the block at `block`, or `block` itself, which is then a1. */
struct semi_call {
    struct semihosting *s;
    struct hart *h;
    uint64_t block;
    uint64_t args[CALL_ARGS];
    bool waits; /* it cannot be answered yet, and the hart comes again */
};

/* What goes into a0. */
typedef int64_t semi_function(struct semi_call *c);

/* --- calls.c --- */

/* -1, with this errno for SYS_ERRNO. */
int64_t semi_fail(struct semi_call *c, int error);
/* The caller's memory, with its own rights. False: not all of it is there. */
bool semi_read(struct semi_call *c, uint64_t va, void *to, size_t n);
bool semi_write(struct semi_call *c, uint64_t va, const void *from, size_t n);
/* A name of n bytes at va, with an end. False: the call has failed, in *result. */
bool semi_read_name(struct semi_call *c, uint64_t va, uint64_t n, char name[SEMIHOSTING_NAME_BYTES],
                    int64_t *result);

/* --- console.c --- */

semi_function semi_writec, semi_write0, semi_readc;
/* Moves n bytes: how many are left over. */
uint64_t console_write_from(struct semi_call *c, bool is_error, uint64_t va, uint64_t n);
uint64_t console_read_to(struct semi_call *c, uint64_t va, uint64_t n);

/* --- files.c --- */

semi_function semi_open, semi_close, semi_write_file, semi_read_file, semi_istty, semi_seek,
    semi_flen, semi_tmpnam, semi_remove, semi_rename;
void files_reset(struct semihosting *s);
void files_state(struct semihosting *s, struct state *state);

#endif
