/* The console's host side (contract: terminal.h).
 *
 * Guests write byte by byte, and a system call a byte is too slow. So the first bytes after a pause
 * are written at once, since a user may wait for the echo of a key; what follows is collected, and
 * written COLLECT_MS later by the I/O thread, or when the buffer is full. 1 MB byte by byte takes
 * 25 ms so, and 1,560 ms with a write each.
 *
 * The I/O thread does three things: it reads input, answers Ctrl-A, and flushes. Invariants: the
 * machine pointer, its door and the output buffer are touched under the mutex; while the buffer
 * holds bytes is_collecting is set, and the thread has been woken for it. */
#include "frontend/terminal.h"

#include "base/os.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLLECT_MS    5
#define OUTPUT_BYTES  4096u
#define INPUT_BYTES   256u
#define BACKLOG_BYTES 4096u /* no more is read until the guest has taken some */
#define BACKLOG_MS    10
#define ESCAPE        1 /* Ctrl-A */

static const char help[] = "\n"
                           "Ctrl-A h       this help\n"
                           "Ctrl-A x       end the program\n"
                           "Ctrl-A c       switch between the guest and the monitor\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A\n";

struct terminal {
    int input_fd, output_fd;
    struct terminal_ports ports;
    struct os_mutex *mutex;
    struct os_wake *wake;
    struct os_thread *thread; /* NULL: not started */
    atomic_bool ends, wants_quit;
    atomic_int output_error;
    /* Under the mutex. */
    struct machine *machine;
    uint8_t output[OUTPUT_BYTES];
    size_t output_used;
    bool is_collecting;
    /* The I/O thread's. */
    bool escaped; /* Ctrl-A was the last byte */
    bool at_monitor;
};

/* --- output ------------------------------------------------------------------------------ */

/* flush and append are called under the mutex; kick takes none of ours. */
static void flush(struct terminal *t)
{
    if (t->output_used && !atomic_load(&t->output_error) &&
        !os_write_all(t->output_fd, t->output, t->output_used)) {
        atomic_store(&t->output_error, errno);
        t->ports.kick(t->ports.owner);
    }
    t->output_used = 0;
}

static void append(struct terminal *t, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t part = min_u64(n, OUTPUT_BYTES - t->output_used);
        memcpy(t->output + t->output_used, bytes, part);
        t->output_used += part;
        bytes += part;
        n -= part;
        if (t->output_used == OUTPUT_BYTES)
            flush(t);
    }
}

void terminal_write(struct terminal *t, const uint8_t *bytes, size_t n)
{
    if (t->output_fd == TERMINAL_NO_FD)
        return;
    os_mutex_lock(t->mutex);
    append(t, bytes, n);
    bool was_quiet = !t->is_collecting;
    if (was_quiet)
        flush(t);
    t->is_collecting = true;
    os_mutex_unlock(t->mutex);
    if (was_quiet)
        os_wake_signal(t->wake);
}

static void say(struct terminal *t, const char *text)
{
    terminal_write(t, (const uint8_t *)text, strlen(text));
}

/* --- input ------------------------------------------------------------------------------- */

void terminal_type(struct terminal *t, const uint8_t *bytes, size_t n)
{
    os_mutex_lock(t->mutex);
    input_push(machine_door(t->machine), machine_console_entry(t->machine), bytes, n);
    os_mutex_unlock(t->mutex);
}

static void quit(struct terminal *t)
{
    atomic_store(&t->wants_quit, true);
    t->ports.kick(t->ports.owner);
}

static void switch_monitor(struct terminal *t)
{
    if (!t->ports.type)
        say(t, "\nThere is no monitor here; -serial mon:stdio has one.\n");
    t->at_monitor = t->ports.type && (!t->at_monitor || t->ports.only_monitor);
    if (t->at_monitor)
        t->ports.turn(t->ports.owner);
}

/* The key after Ctrl-A; true when it is to be typed. */
static bool answer_escape(struct terminal *t, uint8_t key)
{
    switch (key) {
    case ESCAPE:
        return true;
    case 'x':
        quit(t);
        return false;
    case 'c':
        switch_monitor(t);
        return false;
    case 'h':
    case '?':
        say(t, help);
        return false;
    default: /* as QEMU: unknown keys are swallowed */
        return false;
    }
}

static void pass_on(struct terminal *t, const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return;
    if (t->at_monitor)
        t->ports.type(t->ports.owner, bytes, n);
    else
        terminal_type(t, bytes, n);
}

/* What came before a switch goes to whom it was typed. */
static void take_input(struct terminal *t, const uint8_t *bytes, size_t n)
{
    uint8_t typed[INPUT_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool escaped = t->escaped;
        t->escaped = !escaped && bytes[i] == ESCAPE;
        if (escaped) {
            pass_on(t, typed, count);
            count = 0;
        }
        if (!t->escaped && (!escaped || answer_escape(t, bytes[i])))
            typed[count++] = bytes[i];
    }
    pass_on(t, typed, count);
}

/* At the end of input, or when it cannot be read, nothing is read any more; the guest goes on. */
static void read_input(struct terminal *t)
{
    uint8_t bytes[INPUT_BYTES];
    ssize_t n = read(t->input_fd, bytes, sizeof bytes);
    if (n > 0)
        take_input(t, bytes, (size_t)n);
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        t->input_fd = TERMINAL_NO_FD;
}

static bool is_behind(struct terminal *t)
{
    if (t->at_monitor)
        return false;
    os_mutex_lock(t->mutex);
    size_t backlog = input_backlog(machine_door(t->machine), machine_console_entry(t->machine));
    os_mutex_unlock(t->mutex);
    return backlog >= BACKLOG_BYTES;
}

/* --- the I/O thread ---------------------------------------------------------------------- */

static bool is_collecting(struct terminal *t)
{
    os_mutex_lock(t->mutex);
    bool due = t->is_collecting;
    os_mutex_unlock(t->mutex);
    return due;
}

static void flush_now(struct terminal *t)
{
    os_mutex_lock(t->mutex);
    flush(t);
    t->is_collecting = false;
    os_mutex_unlock(t->mutex);
}

static void io_main(void *arg)
{
    struct terminal *t = arg;
    if (t->at_monitor)
        t->ports.turn(t->ports.owner);
    while (!atomic_load(&t->ends)) {
        bool due = is_collecting(t);
        bool behind = t->input_fd != TERMINAL_NO_FD && is_behind(t);
        int timeout_ms = due ? COLLECT_MS : behind ? BACKLOG_MS : -1;
        int fd = behind ? TERMINAL_NO_FD : t->input_fd;
        enum os_ready ready = os_wait_readable(fd, os_wake_fd(t->wake), timeout_ms);
        if (ready == OS_READY_WAKE)
            os_wake_wait(t->wake, 0);
        if (due)
            flush_now(t);
        if (ready == OS_READY_DATA)
            read_input(t);
    }
}

/* --- making ------------------------------------------------------------------------------ */

struct terminal *terminal_create(int input_fd, int output_fd, const struct terminal_ports *ports,
                                 struct error *err)
{
    struct terminal *t = calloc(1, sizeof *t);
    if (t) {
        t->input_fd = input_fd;
        t->output_fd = output_fd;
        t->ports = *ports;
        t->at_monitor = ports->only_monitor;
        t->mutex = os_mutex_create();
        t->wake = os_wake_create();
    }
    if (t && t->mutex && t->wake)
        return t;
    terminal_destroy(t);
    error_set(err, "no memory for the terminal");
    return NULL;
}

void terminal_attach(struct terminal *t, struct machine *m)
{
    os_mutex_lock(t->mutex);
    if (t->machine)
        input_move(machine_door(t->machine), machine_door(m));
    t->machine = m;
    os_mutex_unlock(t->mutex);
}

bool terminal_start(struct terminal *t, struct error *err)
{
    if (t->input_fd == STDIN_FILENO && os_terminal_is_tty(STDIN_FILENO) && !os_terminal_raw(err))
        return false;
    t->thread = os_thread_start(io_main, t);
    return t->thread || error_set(err, "cannot start the terminal's thread");
}

int terminal_stop(struct terminal *t)
{
    if (t->thread) {
        atomic_store(&t->ends, true);
        os_wake_signal(t->wake);
        os_thread_join(t->thread);
        t->thread = NULL;
        flush_now(t);
    }
    os_terminal_restore();
    t->machine = NULL;
    return terminal_output_error(t);
}

void terminal_destroy(struct terminal *t)
{
    if (!t)
        return;
    terminal_stop(t);
    os_wake_destroy(t->wake);
    os_mutex_destroy(t->mutex);
    free(t);
}

bool terminal_wants_quit(const struct terminal *t)
{
    return atomic_load(&t->wants_quit);
}

int terminal_output_error(const struct terminal *t)
{
    return atomic_load(&t->output_error);
}

bool terminal_is_live(int fd)
{
    struct stat st;
    return os_terminal_is_tty(fd) ||
           (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)));
}
