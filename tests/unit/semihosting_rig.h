/* A hart that calls semihosting by the true instructions, with a console of the test's own and the
 * files of the folder that the test is in. */
#ifndef RIVULET_TESTS_UNIT_SEMIHOSTING_RIG_H
#define RIVULET_TESTS_UNIT_SEMIHOSTING_RIG_H

#include "firmware/semihosting.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/temp_folder.h"

#define SEMI_CODE  BENCH_RAM
#define SEMI_BLOCK (BENCH_RAM + 0x1000)
#define SEMI_TEXT  (BENCH_RAM + 0x2000)
#define SEMI_DATA  (BENCH_RAM + 0x10000)
#define SEMI_END   (BENCH_RAM + BENCH_RAM_BYTES)

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE,
    SYS_WRITEC,
    SYS_WRITE0,
    SYS_WRITE,
    SYS_READ,
    SYS_READC,
    SYS_ISERROR,
    SYS_ISTTY,
    SYS_SEEK,
    SYS_FLEN = 0x0c,
    SYS_TMPNAM,
    SYS_REMOVE,
    SYS_RENAME,
    SYS_CLOCK,
    SYS_TIME,
    SYS_SYSTEM,
    SYS_ERRNO,
    SYS_GET_CMDLINE = 0x15,
    SYS_HEAPINFO,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_ELAPSED = 0x30,
    SYS_TICKFREQ,
};

/* Modes of SYS_OPEN. */
enum { MODE_R = 0, MODE_R_PLUS = 2, MODE_W = 4, MODE_W_PLUS = 6, MODE_A = 8, MODE_A_PLUS = 10 };

struct semi_rig {
    struct bench b;
    struct semihosting *s;
    struct semihosting_folder *folder;
    char out[1 << 16], err[256];
    size_t out_bytes, err_bytes;
    const char *in; /* NULL: the end of input */
    int status;     /* -1: still running */
};

static inline void semi_write(void *owner, bool is_error, const uint8_t *bytes, size_t n)
{
    struct semi_rig *r = (struct semi_rig *)owner;
    char *to = is_error ? r->err : r->out;
    size_t *count = is_error ? &r->err_bytes : &r->out_bytes;
    size_t room = (is_error ? sizeof r->err : sizeof r->out) - *count;
    n = n < room ? n : room;
    memcpy(to + *count, bytes, n);
    *count += n;
}

static inline long semi_read(void *owner, uint8_t *bytes, size_t n)
{
    struct semi_rig *r = (struct semi_rig *)owner;
    if (!r->in)
        return -1;
    size_t there = strlen(r->in);
    n = n < there ? n : there;
    memcpy(bytes, r->in, n);
    r->in += n;
    return (long)n;
}

static inline int64_t semi_file(void *owner, const struct semihosting_file_request *request)
{
    return semihosting_folder_file(((struct semi_rig *)owner)->folder, request);
}

static inline void semi_exit(void *owner, int status)
{
    ((struct semi_rig *)owner)->status = status;
}

/* For hart_ports: the rig's semihosting, as it is now. */
static inline bool semi_port(void *owner, struct hart *h)
{
    return semihosting_call(((struct semi_rig *)owner)->s, h);
}

static inline struct semihosting_config semi_config(struct semi_rig *r)
{
    return (struct semihosting_config){.epoch_ns = 1000000000000000000,
                                       .command_line = "prog one two",
                                       .console_write = semi_write,
                                       .console_read = semi_read,
                                       .file = r->folder ? semi_file : NULL,
                                       .exit = semi_exit,
                                       .owner = r};
}

static inline void put_sequence(struct assembler *a)
{
    asm_word(a, 0x01f01013);
    asm_word(a, 0x00100073);
    asm_word(a, 0x40705013);
}

/* folder NULL: no files. */
static inline struct semi_rig *semi_create(const char *folder)
{
    struct error err;
    struct semi_rig *r = (struct semi_rig *)calloc(1, sizeof *r);
    bench_init(&r->b);
    r->in = "";
    r->status = -1;
    if (folder) {
        r->folder = semihosting_folder_open(folder, &err);
        ck_assert_msg(r->folder != NULL, "%s", err.text);
    }
    struct semihosting_config config = semi_config(r);
    r->s = semihosting_create(&config);
    r->b.h->ports.semihosting = semi_port;
    r->b.h->ports.owner = r;
    put_sequence(&r->b.a);
    return r;
}

static inline void semi_free(struct semi_rig *r)
{
    semihosting_destroy(r->s);
    semihosting_folder_close(r->folder);
    bench_free(&r->b);
    free(r);
}

/* a0 after the call; the hart is behind the sequence, or waits at the ebreak. */
static inline int64_t semi_raw(struct semi_rig *r, uint64_t operation, uint64_t a1)
{
    struct hart *h = r->b.h;
    h->pc = SEMI_CODE;
    h->page_valid = false;
    h->x[A0] = operation;
    h->x[A1] = a1;
    bench_run(&r->b, 1);
    bench_run(&r->b, 1);
    if (!h->waiting && r->status < 0) {
        ck_assert_uint_eq(h->pc, SEMI_CODE + 8);
        bench_run(&r->b, 1);
    }
    return (int64_t)h->x[A0];
}

/* The same with a block of four words. */
static inline int64_t semi(struct semi_rig *r, uint64_t operation, uint64_t a, uint64_t b,
                           uint64_t c, uint64_t d)
{
    const uint64_t words[4] = {a, b, c, d};
    ck_assert(memory_load(r->b.memory, SEMI_BLOCK, words, sizeof words));
    return semi_raw(r, operation, SEMI_BLOCK);
}

static inline uint64_t semi_text(struct semi_rig *r, uint64_t gpa, const char *text)
{
    ck_assert(memory_load(r->b.memory, gpa, text, strlen(text) + 1));
    return gpa;
}

static inline int64_t semi_open(struct semi_rig *r, const char *name, unsigned mode)
{
    return semi(r, SYS_OPEN, semi_text(r, SEMI_TEXT, name), mode, strlen(name), 0);
}

static inline int64_t semi_errno(struct semi_rig *r)
{
    return semi_raw(r, SYS_ERRNO, 0);
}

static inline int64_t semi_write_text(struct semi_rig *r, int64_t handle, const char *text)
{
    return semi(r, SYS_WRITE, (uint64_t)handle, semi_text(r, SEMI_DATA, text), strlen(text), 0);
}

#endif
