/* The host's side of semihosting for a program (contract: bare.h). */
#include "syscall/bare.h"

#include "firmware/semihosting.h"
#include "syscall/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAP_BYTES (128ull << 20) /* as QEMU gives */

struct bare {
    struct semihosting *calls; /* NULL: the program has made none */
    struct paths folder;       /* if there is one */
    char *command_line;
    bool has_heap;
    uint64_t memory[4];         /* of the heap and the stack, if it has */
    int fds[SEMIHOSTING_FILES]; /* -1: none */
};

/* --- the console ------------------------------------------------------------------------- */

/* What cannot be written is lost, as the call has no way to tell. */
static void console_write(void *owner, bool is_error, const uint8_t *bytes, size_t n)
{
    (void)owner;
    while (n) {
        ssize_t done = write(is_error ? STDERR_FILENO : STDOUT_FILENO, bytes, n);
        if (done < 0 && errno != EINTR)
            return;
        bytes += done < 0 ? 0 : done;
        n -= done < 0 ? 0 : (size_t)done;
    }
}

/* Waits for something; a signal that comes first is delivered before the call is made again. */
static long console_read(void *owner, uint8_t *bytes, size_t n)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    const uint64_t wait[6] = {(uintptr_t)&input, 1, 0, 0, 8};
    const uint64_t take[6] = {STDIN_FILENO, (uintptr_t)bytes, n};
    (void)owner;
    int64_t got = os_call(SYS_ppoll, wait);
    if (got > 0)
        got = os_call(SYS_read, take);
    if (got == OS_CALL_INTERRUPTED || got == -EINTR || got == -EAGAIN)
        return 0;
    return got > 0 ? (long)got : -1;
}

/* --- files ------------------------------------------------------------------------------- */

static int flags_of(unsigned mode)
{
    int access = mode & SEMIHOSTING_MODE_PLUS     ? O_RDWR
                 : mode >= SEMIHOSTING_MODE_WRITE ? O_WRONLY
                                                  : O_RDONLY;
    int makes = mode >= SEMIHOSTING_MODE_APPEND  ? O_CREAT | O_APPEND
                : mode >= SEMIHOSTING_MODE_WRITE ? O_CREAT | O_TRUNC
                                                 : 0;
    return access | makes | O_CLOEXEC;
}

static const struct paths *files_of(const struct process *p)
{
    return p->config->semihosting.folder ? &p->bare->folder : &p->paths;
}

/* A name as the paths take it: those of a folder of its own are all absolute. */
static const char *whole_name(const struct process *p, const char *name, char text[PATH_MAX])
{
    bool is_whole = name[0] == '/' || !p->config->semihosting.folder;
    snprintf(text, PATH_MAX, "%s%s", is_whole ? "" : "/", name);
    return text;
}

static void close_file(struct process *p, unsigned slot)
{
    int *fd = &p->bare->fds[slot];
    if (*fd >= 0)
        process_close_own(p, *fd);
    *fd = -1;
}

static void close_files(struct process *p)
{
    for (unsigned i = 0; i < SEMIHOSTING_FILES; i++)
        close_file(p, i);
}

/* A signal has no way to interrupt this, so that it must not wait: for the other end of a pipe. */
static int open_file(struct process *p, const struct semihosting_file_request *r)
{
    char text[PATH_MAX];
    const char *name = whole_name(p, r->name, text);
    int flags = flags_of(r->mode);
    if (process_owns(p, paths_named_descriptor(name)))
        return -ENOENT;
    int fd = paths_open(files_of(p), AT_FDCWD, name, flags | O_NONBLOCK, 0666);
    close_file(p, r->slot);
    if (fd < 0)
        return fd;
    fcntl(fd, F_SETFL, flags & O_APPEND);
    p->bare->fds[r->slot] = process_own(p, fd);
    return p->bare->fds[r->slot] < 0 ? -EMFILE : 0;
}

/* What has no positions, such as a pipe, is read and written as it comes, if no signal does. */
static int64_t move_bytes(int fd, const struct semihosting_file_request *r)
{
    bool reads = r->kind == SEMIHOSTING_READ;
    const uint64_t args[6] = {(uint64_t)fd, reads ? (uintptr_t)r->to : (uintptr_t)r->from, r->n};
    int64_t n = reads ? pread(fd, r->to, r->n, (off_t)r->offset)
                      : pwrite(fd, r->from, r->n, (off_t)r->offset);
    if (n >= 0 || errno != ESPIPE)
        return n < 0 ? -errno : n;
    n = os_call(reads ? SYS_read : SYS_write, args);
    return n == OS_CALL_INTERRUPTED ? -EINTR : n;
}

static int64_t length_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : -errno;
}

/* Removes the name, or gives it another one. */
static int64_t change_names(const struct process *p, const struct semihosting_file_request *r)
{
    const struct paths *paths = files_of(p);
    struct place from, to = {.own = -1};
    char text[PATH_MAX], to_text[PATH_MAX];
    bool renames = r->kind == SEMIHOSTING_RENAME;
    if (p->config->files.read_only)
        return -EROFS;
    int error = paths_find(paths, AT_FDCWD, whole_name(p, r->name, text), false, &from);
    if (!error && renames)
        error = paths_find(paths, AT_FDCWD, whole_name(p, r->to_name, to_text), false, &to);
    if (!error && (renames ? renameat(from.at, from.path, to.at, to.path)
                           : unlinkat(from.at, from.path, 0)) != 0)
        error = -errno;
    place_release(&from);
    place_release(&to);
    return error;
}

static int64_t on_file(void *owner, const struct semihosting_file_request *r)
{
    struct process *p = owner;
    int fd = p->bare->fds[r->slot];
    switch (r->kind) {
    case SEMIHOSTING_OPEN:
        return open_file(p, r);
    case SEMIHOSTING_CLOSE:
        close_file(p, r->slot);
        return 0;
    case SEMIHOSTING_READ:
    case SEMIHOSTING_WRITE:
        return move_bytes(fd, r);
    case SEMIHOSTING_LENGTH:
        return length_of(fd);
    case SEMIHOSTING_REMOVE:
    case SEMIHOSTING_RENAME:
        return change_names(p, r);
    case SEMIHOSTING_FORGET:
        close_files(p);
        return 0;
    }
    return -EINVAL;
}

/* --- memory and the end ------------------------------------------------------------------ */

/* The heap is behind the program, where brk makes it: as large as there is memory for. */
static void tell_memory(void *owner, uint64_t block[4])
{
    struct process *p = owner;
    struct bare *s = p->bare;
    if (!s->has_heap) {
        const struct mapping *stack = space_find(&p->space, p->first_sp);
        uint64_t start = p->space.brk, bytes = HEAP_BYTES;
        while (bytes >= PAGE_BYTES && space_set_brk(&p->space, start + bytes) != start + bytes)
            bytes /= 2;
        const uint64_t all[4] = {start, p->space.brk, p->first_sp, stack ? stack->start : 0};
        memcpy(s->memory, all, sizeof all);
        s->has_heap = true;
    }
    memcpy(block, s->memory, sizeof s->memory);
}

static void end(void *owner, int status)
{
    struct process *p = owner;
    p->ended = true;
    p->status = status;
}

/* --- life -------------------------------------------------------------------------------- */

bool bare_open(struct process *p, struct error *err)
{
    const struct paths_config files = {.root = p->config->semihosting.folder,
                                       .read_only = p->config->files.read_only};
    struct bare *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, "no memory for semihosting");
    p->bare = s;
    for (unsigned i = 0; i < SEMIHOSTING_FILES; i++)
        s->fds[i] = -1;
    if (!files.root)
        return true;
    if (!paths_init(&s->folder, &files, err))
        return false;
    process_add_own(p, s->folder.views.at[0].fd);
    return true;
}

static void forget(struct process *p)
{
    close_files(p);
    semihosting_destroy(p->bare->calls);
    free(p->bare->command_line);
    p->bare->calls = NULL;
    p->bare->command_line = NULL;
    p->bare->has_heap = false;
}

void bare_close(struct process *p)
{
    if (!p->bare)
        return;
    forget(p);
    paths_release(&p->bare->folder);
    free(p->bare);
}

/* The command line is the arguments, with a space between them. */
bool bare_begin(struct process *p, const struct words *argv)
{
    size_t n = 1;
    forget(p);
    for (size_t i = 0; i < argv->count; i++)
        n += strlen(argv->at[i]) + 1;
    char *line = calloc(1, n), *end = line;
    for (size_t i = 0; line && i < argv->count; i++)
        end += sprintf(end, "%s%s", i ? " " : "", argv->at[i]);
    p->bare->command_line = line;
    return line != NULL;
}

/* Few programs call: what it takes is made when one does. */
static struct semihosting *make_calls(struct process *p)
{
    const struct semihosting_config config = {
        .log = p->log,
        .in_user_mode = true,
        .epoch_ns = os_wall_clock_ns() - hart_now_ns(p->hart),
        .command_line = p->bare->command_line,
        .console_write = console_write,
        .console_read = console_read,
        .file = on_file,
        .memory = tell_memory,
        .exit = end,
        .owner = p,
    };
    return semihosting_create(&config);
}

bool bare_call(void *process, struct hart *h)
{
    struct process *p = process;
    if (!p->bare->calls)
        p->bare->calls = make_calls(p);
    return p->bare->calls && semihosting_call(p->bare->calls, h);
}
