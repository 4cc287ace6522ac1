/* Dispatch of semihosting: which call it is, its arguments, and the calls that need neither console
 * nor files. */
#include "firmware/semihosting/internal.h"

#include <stdlib.h>

enum { A0 = 10, A1 = 11 };

#define TICKS_PER_SECOND   1000000000ull /* of SYS_ELAPSED */
#define STOPPED_EXIT       0x20026ull    /* ADP_Stopped_ApplicationExit */
#define NEWLIB_NAMETOOLONG 91

/* --- the caller's memory ----------------------------------------------------------------- */

bool semi_read(struct semi_call *c, uint64_t va, void *to, size_t n)
{
    uint8_t *bytes = to;
    for (size_t part; n; va += part, bytes += part, n -= part) {
        uint64_t value;
        part = n < sizeof value ? 1 : sizeof value;
        if (!hart_load(c->h, va, (unsigned)part, &value))
            return false;
        memcpy(bytes, &value, part);
    }
    return true;
}

bool semi_write(struct semi_call *c, uint64_t va, const void *from, size_t n)
{
    const uint8_t *bytes = from;
    for (size_t part; n; va += part, bytes += part, n -= part) {
        uint64_t value = 0;
        part = n < sizeof value ? 1 : sizeof value;
        memcpy(&value, bytes, part);
        if (!hart_store(c->h, va, (unsigned)part, value))
            return false;
    }
    return true;
}

bool semi_read_name(struct semi_call *c, uint64_t va, uint64_t n, char name[SEMIHOSTING_NAME_BYTES],
                    int64_t *result)
{
    bool fits = n < SEMIHOSTING_NAME_BYTES;
    if (fits && semi_read(c, va, name, n)) {
        name[n] = 0;
        if (name[0])
            return true;
        *result = semi_fail(c, ENOENT);
        return false;
    }
    *result = semi_fail(c, fits ? EFAULT : ENAMETOOLONG);
    return false;
}

/* Numbers up to ERANGE are the same everywhere; of the rest the C libraries of such programs, which
 * are newlib and its kin, share what BSD had. */
int64_t semi_fail(struct semi_call *c, int error)
{
    c->s->last_error = error == ENAMETOOLONG ? NEWLIB_NAMETOOLONG : error <= ERANGE ? error : EIO;
    return -1;
}

/* --- the end ----------------------------------------------------------------------------- */

static void end(struct semi_call *c, uint64_t reason, uint64_t status)
{
    int code = reason == STOPPED_EXIT ? (int)(status & 0xff) : 1;
    c->h->stop = HART_REQUEST;
    hart_leave(c->h);
    c->s->config.exit(c->s->config.owner, code);
}

/* As the call is for 64 bits: a block with reason and status. Programs written for 32 bits give the
 * reason itself, which is no address of memory. */
static int64_t semi_exit(struct semi_call *c)
{
    uint64_t block[2] = {c->block, 0};
    if (!semi_read(c, c->block, block, sizeof block))
        block[0] = c->block;
    end(c, block[0], block[1]);
    return 0;
}

static int64_t semi_exit_extended(struct semi_call *c)
{
    end(c, c->args[0], c->args[1]);
    return 0;
}

/* --- time -------------------------------------------------------------------------------- */

static int64_t semi_clock(struct semi_call *c)
{
    return (int64_t)(hart_now_ns(c->h) / 10000000);
}

static int64_t semi_time(struct semi_call *c)
{
    return (int64_t)((c->s->epoch_ns + hart_now_ns(c->h)) / TICKS_PER_SECOND);
}

static int64_t semi_elapsed(struct semi_call *c)
{
    uint64_t now = hart_now_ns(c->h);
    return semi_write(c, c->block, &now, sizeof now) ? 0 : semi_fail(c, EFAULT);
}

static int64_t semi_tickfreq(struct semi_call *c)
{
    (void)c;
    return TICKS_PER_SECOND;
}

/* --- the rest ---------------------------------------------------------------------------- */

static int64_t semi_iserror(struct semi_call *c)
{
    return (int64_t)c->args[0] < 0;
}

static int64_t semi_errno(struct semi_call *c)
{
    return c->s->last_error;
}

/* A shell of the host is nobody's to give. */
static int64_t semi_system(struct semi_call *c)
{
    return semi_fail(c, EPERM);
}

/* Buffer and its size; the size becomes the length. */
static int64_t semi_get_cmdline(struct semi_call *c)
{
    const char *line = c->s->config.command_line;
    uint64_t n = strlen(line);
    if (n + 1 > c->args[1])
        return semi_fail(c, E2BIG);
    if (!semi_write(c, c->block + 8, &n, sizeof n) || !semi_write(c, c->args[0], line, n + 1))
        return semi_fail(c, EFAULT);
    return 0;
}

/* Heap upwards and stack downwards share what is free. */
static int64_t semi_heapinfo(struct semi_call *c)
{
    const uint64_t start = c->s->heap_start, limit = c->s->heap_end;
    uint64_t block[4] = {start, limit, limit, start};
    if (c->s->config.memory)
        c->s->config.memory(c->s->config.owner, block);
    return semi_write(c, c->args[0], block, sizeof block) ? 0 : semi_fail(c, EFAULT);
}

/* --- dispatch ---------------------------------------------------------------------------- */

/* By operation; args: how many words its block has. */
static const struct {
    semi_function *function;
    unsigned args;
} calls[] = {
    [0x01] = {semi_open, 3},          /* SYS_OPEN */
    [0x02] = {semi_close, 1},         /* SYS_CLOSE */
    [0x03] = {semi_writec, 0},        /* SYS_WRITEC */
    [0x04] = {semi_write0, 0},        /* SYS_WRITE0 */
    [0x05] = {semi_write_file, 3},    /* SYS_WRITE */
    [0x06] = {semi_read_file, 3},     /* SYS_READ */
    [0x07] = {semi_readc, 0},         /* SYS_READC */
    [0x08] = {semi_iserror, 1},       /* SYS_ISERROR */
    [0x09] = {semi_istty, 1},         /* SYS_ISTTY */
    [0x0a] = {semi_seek, 2},          /* SYS_SEEK */
    [0x0c] = {semi_flen, 1},          /* SYS_FLEN */
    [0x0d] = {semi_tmpnam, 3},        /* SYS_TMPNAM */
    [0x0e] = {semi_remove, 2},        /* SYS_REMOVE */
    [0x0f] = {semi_rename, 4},        /* SYS_RENAME */
    [0x10] = {semi_clock, 0},         /* SYS_CLOCK */
    [0x11] = {semi_time, 0},          /* SYS_TIME */
    [0x12] = {semi_system, 0},        /* SYS_SYSTEM */
    [0x13] = {semi_errno, 0},         /* SYS_ERRNO */
    [0x15] = {semi_get_cmdline, 2},   /* SYS_GET_CMDLINE */
    [0x16] = {semi_heapinfo, 1},      /* SYS_HEAPINFO */
    [0x18] = {semi_exit, 0},          /* SYS_EXIT */
    [0x20] = {semi_exit_extended, 2}, /* SYS_EXIT_EXTENDED */
    [0x30] = {semi_elapsed, 0},       /* SYS_ELAPSED */
    [0x31] = {semi_tickfreq, 0},      /* SYS_TICKFREQ */
};

static int64_t answer(struct semi_call *c, uint32_t operation)
{
    if (operation >= ARRAY_LEN(calls) || !calls[operation].function) {
        log_line(c->s->config.log, LOG_UNIMP, "hart %u: no semihosting call 0x%x", c->h->id,
                 operation);
        return semi_fail(c, EINVAL);
    }
    if (!semi_read(c, c->block, c->args, calls[operation].args * sizeof c->args[0]))
        return semi_fail(c, EFAULT);
    return calls[operation].function(c);
}

/* A call that waits is made again when the hart is woken, be it for an interrupt. */
bool semihosting_call(void *semihosting, struct hart *h)
{
    struct semihosting *s = semihosting;
    if (h->priv == PRIV_U && !s->config.in_user_mode)
        return false;
    struct semi_call c = {.s = s, .h = h, .block = h->x[A1]};
    int64_t result = answer(&c, (uint32_t)h->x[A0]);
    s->waits[h->id] = c.waits;
    if (c.waits) {
        h->pc -= 4;
        h->waiting = true;
        h->stop = HART_WAITS;
        hart_leave(h);
    } else {
        h->x[A0] = (uint64_t)result;
    }
    return true;
}

bool semihosting_wakes(struct semihosting *s, const struct hart *h)
{
    if (!s->waits[h->id])
        return false;
    if (!s->has_byte)
        s->has_byte = s->config.console_read(s->config.owner, &s->byte, 1) == 1;
    if (s->has_byte)
        s->waits[h->id] = false;
    return s->has_byte;
}

/* --- life -------------------------------------------------------------------------------- */

struct semihosting *semihosting_create(const struct semihosting_config *config)
{
    struct semihosting *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    s->epoch_ns = config->epoch_ns;
    return s;
}

void semihosting_destroy(struct semihosting *s)
{
    free(s);
}

void semihosting_reset(struct semihosting *s)
{
    s->last_error = 0;
    s->has_byte = false;
    s->byte = 0;
    memset(s->waits, 0, sizeof s->waits);
    files_reset(s);
}

void semihosting_set_heap(struct semihosting *s, uint64_t start, uint64_t end)
{
    s->heap_start = start;
    s->heap_end = end;
}

void semihosting_state(struct semihosting *s, struct state *state)
{
    state_section(state, "semihosting", 1);
    state_u64(state, &s->epoch_ns);
    state_u32(state, &s->last_error);
    state_u64(state, &s->heap_start);
    state_u64(state, &s->heap_end);
    for (unsigned i = 0; i < SEMIHOSTING_HARTS; i++)
        state_bool(state, &s->waits[i]);
    state_bool(state, &s->has_byte);
    state_u8(state, &s->byte);
    files_state(s, state);
}
