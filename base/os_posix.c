/* The host, POSIX (contract: os.h).
 *
 * The mutable globals of the program are here: what signal handlers must reach, that is the
 * terminal's settings before raw mode, and whom a signal stops. Both belong to the process. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

/* ---- time ---- */

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t os_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t os_wall_clock_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void os_date(uint64_t ns, char text[OS_DATE_BYTES])
{
    struct tm tm;
    time_t seconds = (time_t)(ns / NS_PER_S);
    text[0] = '\0';
    if (gmtime_r(&seconds, &tm))
        strftime(text, OS_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void os_local_date(uint64_t ns, char text[OS_DATE_BYTES])
{
    struct tm tm;
    time_t seconds = (time_t)(ns / NS_PER_S);
    text[0] = '\0';
    if (localtime_r(&seconds, &tm))
        strftime(text, OS_DATE_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
}

int os_process_id(void)
{
    return (int)getpid();
}

/* ---- memory ---- */

void os_random(void *bytes, size_t n)
{
    uint8_t *at = bytes;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got <= 0)
            continue; /* a signal: the call has no other failure */
        at += got;
        n -= (size_t)got;
    }
}

void *os_reserve(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void os_release(void *pages, size_t bytes)
{
    munmap(pages, bytes);
}

void os_discard(void *pages, size_t bytes)
{
    if (madvise(pages, bytes, MADV_DONTNEED) != 0)
        memset(pages, 0, bytes);
}

/* ---- files ---- */

/* Maps the open file fd of the given size, or says why not. */
static bool map_fd(int fd, const char *path, struct os_file *file, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, "cannot read %s: not a regular file", path);
    if (st.st_size == 0)
        return error_set(err, "cannot use %s: the file is empty", path);
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    *file = (struct os_file){.bytes = bytes, .size = (size_t)st.st_size};
    return true;
}

bool os_map_file(const char *path, struct os_file *file, struct error *err)
{
    /* O_NONBLOCK: a pipe without a writer must give an error, not a hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    bool ok = map_fd(fd, path, file, err);
    close(fd);
    return ok;
}

void os_unmap_file(struct os_file *file)
{
    if (file->bytes)
        munmap((void *)file->bytes, file->size);
    *file = (struct os_file){0};
}

bool os_write_all(int fd, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done >= 0) {
            p += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool os_file_write(const char *path, const void *bytes, size_t n, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(err, "cannot write %s: %s", path, strerror(errno));
    bool ok = os_write_all(fd, bytes, n);
    int reason = errno;
    if (close(fd) != 0 && ok) { /* network file systems report a full disk here */
        ok = false;
        reason = errno;
    }
    return ok || error_set(err, "cannot write %s: %s", path, strerror(reason));
}

bool os_truncate(FILE *file, uint64_t size)
{
    return ftruncate(fileno(file), (off_t)size) == 0;
}

/* ---- threads ---- */

struct os_thread {
    pthread_t id;
    void (*main)(void *arg);
    void *arg;
};

static void *thread_main(void *arg)
{
    struct os_thread *thread = arg;
    thread->main(thread->arg);
    return NULL;
}

struct os_thread *os_thread_start(void (*main)(void *arg), void *arg)
{
    struct os_thread *thread = malloc(sizeof *thread);
    if (!thread)
        return NULL;
    thread->main = main;
    thread->arg = arg;
    /* A thread's own faults cannot be blocked: they would kill without the handler. */
    sigset_t all_but_faults, before;
    sigfillset(&all_but_faults);
    sigdelset(&all_but_faults, SIGSEGV);
    sigdelset(&all_but_faults, SIGBUS);
    sigdelset(&all_but_faults, SIGILL);
    sigdelset(&all_but_faults, SIGFPE);
    sigdelset(&all_but_faults, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all_but_faults, &before);
    int failure = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        free(thread);
        return NULL;
    }
    return thread;
}

void os_thread_join(struct os_thread *thread)
{
    pthread_join(thread->id, NULL);
    free(thread);
}

struct os_mutex {
    pthread_mutex_t mutex;
};

struct os_mutex *os_mutex_create(void)
{
    struct os_mutex *m = malloc(sizeof *m);
    if (m && pthread_mutex_init(&m->mutex, NULL) != 0) {
        free(m);
        return NULL;
    }
    return m;
}

void os_mutex_destroy(struct os_mutex *m)
{
    if (m)
        pthread_mutex_destroy(&m->mutex);
    free(m);
}

void os_mutex_lock(struct os_mutex *m)
{
    pthread_mutex_lock(&m->mutex);
}

void os_mutex_unlock(struct os_mutex *m)
{
    pthread_mutex_unlock(&m->mutex);
}

struct os_condition {
    pthread_cond_t condition;
};

struct os_condition *os_condition_create(void)
{
    struct os_condition *c = malloc(sizeof *c);
    if (c && pthread_cond_init(&c->condition, NULL) != 0) {
        free(c);
        return NULL;
    }
    return c;
}

void os_condition_destroy(struct os_condition *c)
{
    if (c)
        pthread_cond_destroy(&c->condition);
    free(c);
}

void os_condition_wait(struct os_condition *c, struct os_mutex *mutex)
{
    pthread_cond_wait(&c->condition, &mutex->mutex);
}

void os_condition_signal(struct os_condition *c)
{
    pthread_cond_signal(&c->condition);
}

void os_condition_broadcast(struct os_condition *c)
{
    pthread_cond_broadcast(&c->condition);
}

struct os_rwlock {
    pthread_rwlock_t lock;
};

struct os_rwlock *os_rwlock_create(void)
{
    struct os_rwlock *l = malloc(sizeof *l);
    if (l && pthread_rwlock_init(&l->lock, NULL) != 0) {
        free(l);
        return NULL;
    }
    return l;
}

void os_rwlock_destroy(struct os_rwlock *l)
{
    if (l)
        pthread_rwlock_destroy(&l->lock);
    free(l);
}

void os_rwlock_shared(struct os_rwlock *l)
{
    pthread_rwlock_rdlock(&l->lock);
}

void os_rwlock_exclusive(struct os_rwlock *l)
{
    pthread_rwlock_wrlock(&l->lock);
}

void os_rwlock_unlock(struct os_rwlock *l)
{
    pthread_rwlock_unlock(&l->lock);
}

/* ---- waking and waiting ---- */

/* A pipe: the only thing that both a signal handler may write and poll may wait for on every POSIX
 * host. Neither end blocks: a full pipe is signal enough. */
struct os_wake {
    int read_fd, write_fd;
};

static void set_up_pipe_end(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

struct os_wake *os_wake_create(void)
{
    struct os_wake *wake = malloc(sizeof *wake);
    int ends[2];
    if (!wake || pipe(ends) != 0) {
        free(wake);
        return NULL;
    }
    set_up_pipe_end(ends[0]);
    set_up_pipe_end(ends[1]);
    *wake = (struct os_wake){.read_fd = ends[0], .write_fd = ends[1]};
    return wake;
}

void os_wake_destroy(struct os_wake *wake)
{
    if (!wake)
        return;
    close(wake->read_fd);
    close(wake->write_fd);
    free(wake);
}

void os_wake_signal(struct os_wake *wake)
{
    int kept = errno; /* may be called by a signal handler */
    while (write(wake->write_fd, "", 1) < 0 && errno == EINTR)
        ;
    errno = kept;
}

void os_wake_wait(struct os_wake *wake, uint64_t timeout_ns)
{
    struct pollfd p = {.fd = wake->read_fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
                               .tv_nsec = (long)(timeout_ns % NS_PER_S)};
    if (ppoll(&p, 1, timeout_ns == UINT64_MAX ? NULL : &timeout, NULL) <= 0)
        return;
    char drain[4096];
    while (read(wake->read_fd, drain, sizeof drain) == (ssize_t)sizeof drain)
        ;
}

int os_wake_fd(const struct os_wake *wake)
{
    return wake->read_fd;
}

enum os_ready os_wait_readable(int fd, int wake_fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    if (poll(fds, 2, timeout_ms) <= 0)
        return OS_READY_NOTHING;
    return fds[0].revents ? OS_READY_WAKE : OS_READY_DATA;
}

/* ---- the terminal ---- */

static struct {
    struct termios before;
    volatile sig_atomic_t is_raw;
    bool hooked; /* the exit and signal handlers are installed */
} terminal;

bool os_terminal_is_tty(int fd)
{
    return isatty(fd);
}

bool os_terminal_size(int fd, unsigned *columns, unsigned *rows)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0)
        return false;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return size.ws_col && size.ws_row;
}

/* Async-signal-safe. SIGTTOU is blocked, since a process in the background would be stopped by it
 * in the middle of its end. */
void os_terminal_restore(void)
{
    if (!terminal.is_raw)
        return;
    terminal.is_raw = 0;
    sigset_t ttou, before;
    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &before);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Installed with SA_RESETHAND: the signal raised again meets the default action. */
static void restore_and_die(int signal_number)
{
    os_terminal_restore();
    raise(signal_number);
}

static void restore_at_every_end(void)
{
    static const int fatal[] = {SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGPIPE,
                                SIGSEGV, SIGBUS, SIGILL,  SIGFPE,  SIGABRT};
    atexit(os_terminal_restore);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        struct sigaction action;
        if (sigaction(fatal[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL)
            continue; /* somebody else answers it, or it is ignored */
        action = (struct sigaction){.sa_handler = restore_and_die, .sa_flags = SA_RESETHAND};
        sigemptyset(&action.sa_mask);
        sigaction(fatal[i], &action, NULL);
    }
}

bool os_terminal_raw(struct error *err)
{
    if (terminal.is_raw)
        return true;
    if (tcgetattr(STDIN_FILENO, &terminal.before) != 0)
        return error_set(err, "cannot read the terminal's settings: %s", strerror(errno));
    struct termios raw = terminal.before;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (!terminal.hooked)
        restore_at_every_end();
    terminal.hooked = true;
    terminal.is_raw = 1; /* before the change: a signal between the two must undo it */
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
        return true;
    terminal.is_raw = 0;
    return error_set(err, "cannot set the terminal to raw mode: %s", strerror(errno));
}

/* ---- signals that ask for the end ---- */

static const int stop_signals[] = {SIGHUP, SIGINT, SIGTERM};

static struct {
    void (*stop)(void *owner);
    void *owner;
    volatile sig_atomic_t number; /* 0: none came yet */
} ending;

/* The first signal asks; when the program does not follow, the second one ends it. */
static void on_stop_signal(int number)
{
    if (!ending.number) {
        ending.number = number;
        ending.stop(ending.owner);
        return;
    }
    os_terminal_restore();
    signal(number, SIG_DFL);
    raise(number);
}

static void handle_stop_signals(void (*from)(int), void (*to)(int))
{
    for (size_t i = 0; i < sizeof stop_signals / sizeof stop_signals[0]; i++) {
        struct sigaction action;
        if (sigaction(stop_signals[i], NULL, &action) != 0 || action.sa_handler != from)
            continue;
        action = (struct sigaction){.sa_handler = to};
        sigemptyset(&action.sa_mask);
        sigaction(stop_signals[i], &action, NULL);
    }
}

void os_catch_stop_signals(void (*stop)(void *owner), void *owner)
{
    ending.stop = stop;
    ending.owner = owner;
    ending.number = 0;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit of file sizes is an error like others */
    handle_stop_signals(SIG_DFL, on_stop_signal);
}

void os_release_stop_signals(void)
{
    handle_stop_signals(on_stop_signal, SIG_DFL);
}

int os_stop_signal(void)
{
    return ending.number;
}
