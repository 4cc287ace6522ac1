/* Semihosting on the board (contract: semihost.h). */
#include "machine/semihost.h"

#include "devices/serial/ns16550a.h"
#include "firmware/semihosting.h"
#include "machine/chardevs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_BYTES 1024u
#define ERRNO_MOST  4095

struct semihost {
    struct semihosting *calls;
    /* --- guest state: what a back-end of its own has received --- */
    uint8_t input[INPUT_BYTES];
    uint32_t input_count;
    /* --- host side --- */
    struct machine *m;
    struct semihosting_folder *folder; /* NULL: in a replay nobody asks for it */
    bool has_end;
    struct byte_sink end;
    char *command_line;
};

/* --- the console ------------------------------------------------------------------------- */

static size_t receive(void *owner, const uint8_t *bytes, size_t n)
{
    struct semihost *s = owner;
    n = min_u64(n, INPUT_BYTES - s->input_count);
    memcpy(s->input + s->input_count, bytes, n);
    s->input_count += (uint32_t)n;
    return n;
}

static void console_write(void *owner, bool is_error, const uint8_t *bytes, size_t n)
{
    struct semihost *s = owner;
    (void)is_error;
    if (!s->has_end)
        machine_uart_write(s->m, bytes, n);
    else if (!s->m->is_silent && s->end.write)
        s->end.write(s->end.owner, bytes, n);
}

static long console_read(void *owner, uint8_t *bytes, size_t n)
{
    struct semihost *s = owner;
    if (!s->has_end)
        return (long)ns16550a_take_input(s->m->devices[SLOT_UART0], bytes, n);
    n = min_u64(n, s->input_count);
    memcpy(bytes, s->input, n);
    s->input_count -= (uint32_t)n;
    memmove(s->input, s->input + n, s->input_count);
    return (long)n;
}

void semihost_wake(struct machine *m)
{
    for (unsigned i = 0; i < m->config.harts; i++)
        if (semihosting_wakes(m->semihost->calls, m->harts[i]))
            m->harts[i]->waiting = false;
}

/* --- files and the end ------------------------------------------------------------------- */

/* A recording may be damaged. */
static bool is_answer(const struct semihosting_file_request *request, int64_t result)
{
    bool moves = request->kind == SEMIHOSTING_READ || request->kind == SEMIHOSTING_WRITE;
    return result >= -ERRNO_MOST && (!moves || result <= (int64_t)request->n);
}

static int64_t on_file(void *owner, const struct semihosting_file_request *request)
{
    const struct semihost *s = owner;
    struct recorder *recorder = s->m->recorder;
    bool reads = request->kind == SEMIHOSTING_READ;
    int64_t result;
    if (request->kind == SEMIHOSTING_FORGET)
        return s->folder ? semihosting_folder_file(s->folder, request) : 0;
    if (recorder && recorder_recall(recorder, &result, request->to, reads ? request->n : 0))
        return is_answer(request, result) ? result : -EIO;
    result = s->folder ? semihosting_folder_file(s->folder, request) : -EACCES;
    if (recorder)
        recorder_keep(recorder, result, request->to, reads && result > 0 ? (size_t)result : 0);
    return result;
}

static void on_program_exit(void *owner, int status)
{
    const struct semihost *s = owner;
    machine_end(s->m, MACHINE_POWER_OFF, status);
}

bool semihost_call(void *machine, struct hart *h)
{
    struct machine *m = machine;
    m->clock.now_ns = hart_now_ns(h); /* the callee may look at a device */
    return semihosting_call(m->semihost->calls, h);
}

/* --- making ------------------------------------------------------------------------------ */

/* What was given, or as QEMU makes it: the kernel's name and its command line. */
static bool make_command_line(struct semihost *s, const struct machine_config *c, struct error *err)
{
    const char *kernel = c->kernel_file ? c->kernel_file : "", *append = c->append ? c->append : "";
    const char *given = c->semihosting.command_line;
    int n = given ? asprintf(&s->command_line, "%s", given)
                  : asprintf(&s->command_line, "%s%s%s", kernel, *append ? " " : "", append);
    if (n < 0)
        s->command_line = NULL;
    return n >= 0 || error_set(err, "no memory for semihosting");
}

bool semihost_open_folder(struct machine *m, struct error *err)
{
    struct semihost *s = m->semihost;
    const char *path = m->config.semihosting.folder;
    struct error why;
    if (!s || !path || s->folder)
        return true;
    s->folder = semihosting_folder_open(path, &why);
    return s->folder || error_set(err, "-semihosting-config: %.400s", why.text);
}

static bool open_ends(struct semihost *s, const struct machine_config *c, struct error *err)
{
    const struct machine_semihosting *config = &c->semihosting;
    struct chardev_device device = {.name = "semihosting", .receive = receive, .owner = s};
    struct error why;
    s->has_end = config->chardev != NULL;
    if (s->has_end && !chardevs_take(s->m->chardevs, config->chardev, &device, &s->end, NULL, &why))
        return error_set(err, "-semihosting-config: %.400s", why.text);
    return c->awaits_replay || semihost_open_folder(s->m, err);
}

bool semihost_create(struct machine *m, struct error *err)
{
    const struct machine_config *c = &m->config;
    if (!c->semihosting.is_enabled)
        return true;
    struct semihost *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, "no memory for semihosting");
    m->semihost = s;
    s->m = m;
    if (!make_command_line(s, c, err) || !open_ends(s, c, err))
        return false;
    struct semihosting_config config = {
        .log = c->log,
        .in_user_mode = c->semihosting.in_user_mode,
        .epoch_ns = c->rtc == RTC_FIXED ? c->rtc_epoch_ns : os_wall_clock_ns(),
        .command_line = s->command_line,
        .console_write = console_write,
        .console_read = console_read,
        .file = c->semihosting.folder ? on_file : NULL,
        .exit = on_program_exit,
        .owner = s,
    };
    s->calls = semihosting_create(&config);
    return s->calls || error_set(err, "no memory for semihosting");
}

void semihost_destroy(struct semihost *s)
{
    if (!s)
        return;
    semihosting_destroy(s->calls);
    semihosting_folder_close(s->folder);
    free(s->command_line);
    free(s);
}

void semihost_reset(struct semihost *s)
{
    s->input_count = 0;
    memset(s->input, 0, sizeof s->input);
    semihosting_reset(s->calls);
}

void semihost_set_heap(struct semihost *s, uint64_t start, uint64_t end)
{
    semihosting_set_heap(s->calls, start, end);
}

void semihost_state(struct semihost *s, struct state *state)
{
    semihosting_state(s->calls, state);
    state_bytes(state, s->input, sizeof s->input);
    state_u32(state, &s->input_count);
    if (s->input_count > INPUT_BYTES)
        state_fail(state, "semihosting: %u bytes of input", s->input_count);
}
