/* Semihosting: a program without an operating system asks the emulator for console, files, time and
 * its end. RISC-V Semihosting 0.4, which takes the calls of "Semihosting for AArch32 and AArch64",
 * release 2.0 (ARM): operation in a0, in a1 the address of a block of 64-bit arguments, or an
 * argument; the answer in a0.
 *
 * All that a call has of the host comes through the ports below, so that who has the program
 * decides what it may have, and can repeat it. Open files are names and positions, which are guest
 * state; the host's descriptors behind them are only kept at hand. */
#ifndef RIVULET_FIRMWARE_SEMIHOSTING_H
#define RIVULET_FIRMWARE_SEMIHOSTING_H

#include "base/error.h"
#include "base/log.h"
#include "base/state.h"
#include "cpu/hart.h"

#define SEMIHOSTING_HARTS      64u
#define SEMIHOSTING_FILES      64u  /* that can be open */
#define SEMIHOSTING_NAME_BYTES 256u /* of a file, with its end */

/* How a file is opened: fopen's "r", "rb", "r+", "r+b", "w", ... in ARM's order. */
enum {
    SEMIHOSTING_MODE_PLUS = 2,
    SEMIHOSTING_MODE_WRITE = 4,
    SEMIHOSTING_MODE_APPEND = 8,
    SEMIHOSTING_MODES = 12
};

enum semihosting_file_kind {
    SEMIHOSTING_OPEN,   /* as fopen: made or truncated if the mode says so */
    SEMIHOSTING_CLOSE,  /* never fails */
    SEMIHOSTING_READ,   /* n bytes at offset to `to`: how many */
    SEMIHOSTING_WRITE,  /* n bytes at offset, or at the end, from `from`: how many */
    SEMIHOSTING_LENGTH, /* bytes */
    SEMIHOSTING_REMOVE,
    SEMIHOSTING_RENAME, /* from `name` to `to_name` */
    SEMIHOSTING_FORGET, /* all that is open is closed: another state has been loaded */
};

/* A file has a slot while it is open; who serves it may open its name again at any time. */
struct semihosting_file_request {
    enum semihosting_file_kind kind;
    unsigned slot, mode;
    const char *name, *to_name;
    uint64_t offset;
    void *to;
    const void *from;
    size_t n;
};

struct semihosting_config {
    struct log *log;
    bool in_user_mode;        /* U-mode may call too */
    uint64_t epoch_ns;        /* since 1970, at virtual time 0 */
    const char *command_line; /* outlives the semihosting */
    /* The console: `is_error` is standard error. Read: how many of up to n bytes are there, 0: none
     * yet, -1: there will be none. */
    void (*console_write)(void *owner, bool is_error, const uint8_t *bytes, size_t n);
    long (*console_read)(void *owner, uint8_t *bytes, size_t n);
    /* 0 or more, or a negative errno. NULL: there are no files. */
    int64_t (*file)(void *owner, const struct semihosting_file_request *request);
    /* SYS_HEAPINFO: the heap's start and end, the stack's base and its lowest address. NULL: as
     * semihosting_set_heap said. */
    void (*memory)(void *owner, uint64_t block[4]);
    /* The program has ended; the calling hart leaves its loop. */
    void (*exit)(void *owner, int status);
    void *owner;
};

struct semihosting;

struct semihosting *semihosting_create(const struct semihosting_config *config);
void semihosting_destroy(struct semihosting *s);
/* As at power-on. */
void semihosting_reset(struct semihosting *s);
/* Where the program may put its heap, and at its end its stack. */
void semihosting_set_heap(struct semihosting *s, uint64_t start, uint64_t end);
void semihosting_state(struct semihosting *s, struct state *state);

/* For hart_ports.semihosting. False: this hart may not call. */
bool semihosting_call(void *semihosting, struct hart *h);
/* Whether a hart waits for the console, which now has something for it: it must be woken. */
bool semihosting_wakes(struct semihosting *s, const struct hart *h);

/* host_files.c: the files of one folder, for config.file with the folder as its owner. */
struct semihosting_folder;
struct semihosting_folder *semihosting_folder_open(const char *path, struct error *err);
void semihosting_folder_close(struct semihosting_folder *folder);
int64_t semihosting_folder_file(void *folder, const struct semihosting_file_request *request);

#endif
