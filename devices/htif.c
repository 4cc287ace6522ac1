/* HTIF (contract: htif.h), as Spike and the programs of riscv-tests have it: tohost holds a device
 * (8 bits), a command (8) and a payload (48). A store that completes it is served at once, and
 * tohost is 0 again; answers are put into fromhost. */
#include "devices/htif.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { DEVICE_SYSTEM, DEVICE_CONSOLE };
enum { CONSOLE_READ, CONSOLE_WRITE };

/* Linux's numbers: a system call is eight words in memory, the number, its arguments; the result
 * takes the number's place. */
enum { CALL_WRITE = 64, CALL_EXIT = 93 };
#define CALL_WORDS  4u
#define CHUNK_BYTES 4096u
#define WRITE_MOST  (1u << 30) /* bytes of one call */

struct htif {
    struct device device;
    /* --- guest state --- */
    uint64_t tohost, fromhost;
    bool reads; /* the console is asked for a byte */
    /* --- host side --- */
    struct htif_config config;
};

static void answer(const struct htif *t, uint64_t value)
{
    if (!dma_write(t->config.memory, t->fromhost, &value, sizeof value))
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: fromhost is not in RAM");
}

/* --- system calls ------------------------------------------------------------------------ */

static int64_t write_console(const struct htif *t, uint64_t fd, uint64_t gpa, uint64_t n)
{
    uint8_t chunk[CHUNK_BYTES];
    if (fd != 1 && fd != 2)
        return -EBADF;
    n = min_u64(n, WRITE_MOST);
    if (!dma_is_ram(t->config.memory, gpa, n))
        return -EFAULT;
    for (uint64_t done = 0, part; done < n; done += part) {
        part = min_u64(n - done, sizeof chunk);
        if (!dma_read(t->config.memory, gpa + done, chunk, part))
            return -EFAULT;
        if (t->config.sink.write)
            t->config.sink.write(t->config.sink.owner, chunk, part);
    }
    return (int64_t)n;
}

static int64_t system_call(const struct htif *t, const uint64_t words[CALL_WORDS])
{
    switch (words[0]) {
    case CALL_WRITE:
        return write_console(t, words[1], words[2], words[3]);
    case CALL_EXIT:
        t->config.power_off(t->config.owner, (unsigned)words[1] & 0xff);
        return 0;
    }
    log_line(t->config.log, LOG_UNIMP, "htif: no system call %" PRIu64, words[0]);
    return -ENOSYS;
}

static void proxy(const struct htif *t, uint64_t gpa)
{
    uint64_t words[CALL_WORDS];
    int64_t result;
    if (!dma_read(t->config.memory, gpa, words, sizeof words)) {
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: no system call at 0x%" PRIx64, gpa);
        return;
    }
    result = system_call(t, words);
    if (dma_write(t->config.memory, gpa, &result, sizeof result))
        answer(t, 1);
}

/* --- tohost ------------------------------------------------------------------------------ */

static void clear_tohost(const struct htif *t)
{
    const uint64_t zero = 0;
    if (!dma_write(t->config.memory, t->tohost, &zero, sizeof zero))
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: tohost is not in RAM");
}

static void console_command(struct htif *t, unsigned command, uint64_t payload)
{
    const uint8_t byte = (uint8_t)payload;
    if (command == CONSOLE_READ)
        t->reads = true;
    else if (command != CONSOLE_WRITE)
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: no command %u of the console", command);
    else if (t->config.sink.write)
        t->config.sink.write(t->config.sink.owner, &byte, 1);
}

/* An odd payload is a status and the end, an even one a system call. */
static void system_command(struct htif *t, unsigned command, uint64_t payload)
{
    if (command)
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: no command %u of device 0", command);
    else if (payload & 1)
        t->config.power_off(t->config.owner, (unsigned)(payload >> 1) & 0xff);
    else
        proxy(t, payload);
}

/* A program for 32 bits writes the low half first: the store of the last byte is what counts. What
 * this writes itself comes by here too, and is 0. */
static void on_written(void *owner, uint64_t gpa, uint64_t n)
{
    struct htif *t = owner;
    uint64_t value, last = t->tohost + HTIF_WORD_BYTES - 1;
    if (gpa + n <= last || !t->config.is_guest(t->config.owner) ||
        !dma_read(t->config.memory, t->tohost, &value, sizeof value) || value == 0)
        return;
    unsigned device = value >> 56, command = value >> 48 & 0xff;
    uint64_t payload = bits_get(value, 0, 48);
    clear_tohost(t);
    if (device == DEVICE_SYSTEM)
        system_command(t, command, payload);
    else if (device == DEVICE_CONSOLE)
        console_command(t, command, payload);
    else
        log_line(t->config.log, LOG_GUEST_ERRORS, "htif: no device %u", device);
    htif_poll(&t->device);
}

/* An answer that the program has not taken yet stays. */
void htif_poll(struct device *d)
{
    struct htif *t = (struct htif *)d;
    uint64_t there;
    uint8_t byte;
    if (!t->reads || !dma_read(t->config.memory, t->fromhost, &there, sizeof there) || there ||
        !t->config.read(t->config.owner, &byte))
        return;
    t->reads = false;
    answer(t, (uint64_t)DEVICE_CONSOLE << 56 | (uint64_t)CONSOLE_READ << 48 | byte);
}

/* --- life -------------------------------------------------------------------------------- */

static void htif_reset(struct device *d)
{
    ((struct htif *)d)->reads = false;
}

static bool are_words(const struct htif *t)
{
    uint64_t apart = max_u64(t->tohost, t->fromhost) - min_u64(t->tohost, t->fromhost);
    return apart >= HTIF_WORD_BYTES && dma_is_ram(t->config.memory, t->tohost, HTIF_WORD_BYTES) &&
           dma_is_ram(t->config.memory, t->fromhost, HTIF_WORD_BYTES);
}

static void watch_tohost(struct htif *t)
{
    memory_watch_for_device(t->config.memory, t->tohost, HTIF_WORD_BYTES, on_written, t);
}

static void htif_state(struct device *d, struct state *s)
{
    struct htif *t = (struct htif *)d;
    state_section(s, "htif", 1);
    state_u64(s, &t->tohost);
    state_u64(s, &t->fromhost);
    state_bool(s, &t->reads);
    if (!state_loading(s) || !state_ok(s))
        return;
    if (are_words(t))
        watch_tohost(t);
    else
        state_fail(s, "htif: its words cannot be at 0x%" PRIx64 " and 0x%" PRIx64, t->tohost,
                   t->fromhost);
}

static void htif_destroy(struct device *d)
{
    free(d);
}

static const struct device_ops htif_ops = {
    .mmio = {.name = "htif"},
    .reset = htif_reset,
    .state = htif_state,
    .destroy = htif_destroy,
};

struct device *htif_create(const struct htif_config *config, struct error *err)
{
    struct htif *t = calloc(1, sizeof *t);
    if (!t) {
        error_set(err, "no memory");
        return NULL;
    }
    *t = (struct htif){.device.ops = &htif_ops,
                       .tohost = config->tohost,
                       .fromhost = config->fromhost,
                       .config = *config};
    bool unknown = !config->tohost && !config->fromhost;
    if (unknown || are_words(t)) {
        if (!unknown)
            watch_tohost(t);
        return &t->device;
    }
    error_set(err, "tohost 0x%" PRIx64 " and fromhost 0x%" PRIx64 " must be 8 bytes of RAM each",
              t->tohost, t->fromhost);
    free(t);
    return NULL;
}
