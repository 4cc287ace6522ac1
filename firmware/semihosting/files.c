/* The handles of semihosting: the console (":tt"), the list of features, and files. */
#include "firmware/semihosting/internal.h"

#include <stdio.h>

/* "SHFB", and in the first byte of features: SYS_EXIT_EXTENDED, and a standard error of its own. */
static const uint8_t features[] = {'S', 'H', 'F', 'B', 1 | 2};

/* --- handles ----------------------------------------------------------------------------- */

/* Handles are slot numbers and 1, since 0 is for some libraries no file. NULL: it is not open. */
static struct handle *find_handle(struct semi_call *c, uint64_t number)
{
    uint64_t slot = number - 1;
    bool is_open = slot < SEMIHOSTING_FILES && c->s->handles[slot].kind != HANDLE_FREE;
    return is_open ? &c->s->handles[slot] : NULL;
}

static int64_t ask(struct semi_call *c, const struct semihosting_file_request *request)
{
    const struct semihosting_config *config = &c->s->config;
    return config->file ? config->file(config->owner, request) : -EACCES;
}

static struct semihosting_file_request
request_for(const struct semi_call *c, const struct handle *handle, enum semihosting_file_kind kind)
{
    return (struct semihosting_file_request){.kind = kind,
                                             .slot = (unsigned)(handle - c->s->handles),
                                             .mode = handle->mode,
                                             .name = handle->name};
}

static bool is_readable(const struct handle *handle)
{
    return handle->mode < SEMIHOSTING_MODE_WRITE || handle->mode & SEMIHOSTING_MODE_PLUS;
}

static bool is_writable(const struct handle *handle)
{
    return handle->mode >= SEMIHOSTING_MODE_WRITE || handle->mode & SEMIHOSTING_MODE_PLUS;
}

static int64_t open_file(struct semi_call *c, struct handle *handle)
{
    struct semihosting_file_request request = request_for(c, handle, SEMIHOSTING_OPEN);
    int64_t result = ask(c, &request);
    if (result >= 0)
        return 0;
    *handle = (struct handle){0};
    return semi_fail(c, (int)-result);
}

/* Name, mode, length of the name. */
int64_t semi_open(struct semi_call *c)
{
    char name[SEMIHOSTING_NAME_BYTES];
    int64_t result;
    unsigned slot = 0;
    if (!semi_read_name(c, c->args[0], c->args[2], name, &result))
        return result;
    if (c->args[1] >= SEMIHOSTING_MODES)
        return semi_fail(c, EINVAL);
    while (slot < SEMIHOSTING_FILES && c->s->handles[slot].kind != HANDLE_FREE)
        slot++;
    if (slot == SEMIHOSTING_FILES)
        return semi_fail(c, EMFILE);
    struct handle *handle = &c->s->handles[slot];
    *handle = (struct handle){.mode = (uint8_t)c->args[1]};
    if (strcmp(name, ":tt") == 0)
        handle->kind = HANDLE_CONSOLE;
    else if (strcmp(name, ":semihosting-features") != 0) {
        handle->kind = HANDLE_FILE;
        memcpy(handle->name, name, strlen(name) + 1);
        if (open_file(c, handle) != 0)
            return -1;
    } else if (handle->mode > 1)
        return semi_fail(c, EACCES);
    else
        handle->kind = HANDLE_FEATURES;
    return slot + 1;
}

int64_t semi_close(struct semi_call *c)
{
    struct handle *handle = find_handle(c, c->args[0]);
    if (!handle)
        return semi_fail(c, EBADF);
    struct semihosting_file_request request = request_for(c, handle, SEMIHOSTING_CLOSE);
    if (handle->kind == HANDLE_FILE)
        ask(c, &request);
    *handle = (struct handle){0};
    return 0;
}

/* --- reading and writing: how many bytes are left over ------------------------------------ */

/* Moves up to n <= CHUNK_BYTES bytes between memory at va and the handle's position: how many, 0 at
 * the end, or a negative errno. */
typedef int64_t mover(struct semi_call *c, struct handle *handle, uint64_t va, size_t n);

static int64_t write_chunk(struct semi_call *c, struct handle *handle, uint64_t va, size_t n)
{
    uint8_t chunk[CHUNK_BYTES];
    struct semihosting_file_request request = request_for(c, handle, SEMIHOSTING_WRITE);
    request.from = chunk;
    request.n = n;
    request.offset = handle->position;
    return semi_read(c, va, chunk, n) ? ask(c, &request) : -EFAULT;
}

static int64_t read_features(const struct handle *handle, uint8_t *to, size_t n)
{
    uint64_t left = sizeof features - min_u64(handle->position, sizeof features);
    n = min_u64(n, left);
    memcpy(to, features + (sizeof features - left), n);
    return (int64_t)n;
}

static int64_t read_chunk(struct semi_call *c, struct handle *handle, uint64_t va, size_t n)
{
    uint8_t chunk[CHUNK_BYTES];
    struct semihosting_file_request request = request_for(c, handle, SEMIHOSTING_READ);
    request.to = chunk;
    request.n = n;
    request.offset = handle->position;
    int64_t got =
        handle->kind == HANDLE_FEATURES ? read_features(handle, chunk, n) : ask(c, &request);
    return got > 0 && !semi_write(c, va, chunk, (size_t)got) ? -EFAULT : got;
}

/* A host that moved less than it was asked for says why when it is asked for the rest. What does
 * not fit into memory was not read: the position is behind what did. */
static uint64_t move(struct semi_call *c, struct handle *handle, mover *move_chunk)
{
    uint64_t n = c->args[2], most = min_u64(n, CALL_BYTES_MOST), done = 0;
    while (done < most) {
        size_t part = min_u64(most - done, CHUNK_BYTES);
        int64_t moved = move_chunk(c, handle, c->args[1] + done, part);
        if (moved < 0)
            semi_fail(c, (int)-moved);
        if (moved <= 0)
            break;
        done += (uint64_t)moved;
        handle->position += (uint64_t)moved;
    }
    return n - done;
}

/* A result of n, nothing done, is also how a call fails. */
static int64_t fail_with_all(struct semi_call *c, int error)
{
    semi_fail(c, error);
    return (int64_t)c->args[2];
}

/* Handle, buffer, size. */
int64_t semi_write_file(struct semi_call *c)
{
    struct handle *handle = find_handle(c, c->args[0]);
    if (!handle || !is_writable(handle))
        return fail_with_all(c, EBADF);
    if (handle->kind == HANDLE_CONSOLE)
        return (int64_t)console_write_from(c, handle->mode >= SEMIHOSTING_MODE_APPEND, c->args[1],
                                           c->args[2]);
    return (int64_t)move(c, handle, write_chunk);
}

int64_t semi_read_file(struct semi_call *c)
{
    struct handle *handle = find_handle(c, c->args[0]);
    if (!handle || !is_readable(handle))
        return fail_with_all(c, EBADF);
    if (handle->kind == HANDLE_CONSOLE)
        return (int64_t)console_read_to(c, c->args[1], c->args[2]);
    return (int64_t)move(c, handle, read_chunk);
}

/* --- about a handle ---------------------------------------------------------------------- */

int64_t semi_istty(struct semi_call *c)
{
    const struct handle *handle = find_handle(c, c->args[0]);
    return handle ? handle->kind == HANDLE_CONSOLE : semi_fail(c, EBADF);
}

int64_t semi_seek(struct semi_call *c)
{
    struct handle *handle = find_handle(c, c->args[0]);
    if (!handle)
        return semi_fail(c, EBADF);
    if (handle->kind == HANDLE_CONSOLE)
        return semi_fail(c, ESPIPE);
    if (c->args[1] > INT64_MAX)
        return semi_fail(c, EINVAL);
    handle->position = c->args[1];
    return 0;
}

int64_t semi_flen(struct semi_call *c)
{
    const struct handle *handle = find_handle(c, c->args[0]);
    if (!handle)
        return semi_fail(c, EBADF);
    if (handle->kind == HANDLE_CONSOLE)
        return semi_fail(c, ESPIPE);
    struct semihosting_file_request request = request_for(c, handle, SEMIHOSTING_LENGTH);
    int64_t length = handle->kind == HANDLE_FEATURES ? (int64_t)sizeof features : ask(c, &request);
    return length >= 0 ? length : semi_fail(c, (int)-length);
}

/* --- by name ----------------------------------------------------------------------------- */

/* Buffer, a number up to 255, size. The same number is the same name, as the call wants it. */
int64_t semi_tmpnam(struct semi_call *c)
{
    char name[16];
    size_t n = (size_t)snprintf(name, sizeof name, "tmp-%02x", (unsigned)c->args[1] & 0xff) + 1;
    if (n > c->args[2])
        return semi_fail(c, EINVAL);
    return semi_write(c, c->args[0], name, n) ? 0 : semi_fail(c, EFAULT);
}

int64_t semi_remove(struct semi_call *c)
{
    char name[SEMIHOSTING_NAME_BYTES];
    int64_t result;
    if (!semi_read_name(c, c->args[0], c->args[1], name, &result))
        return result;
    struct semihosting_file_request request = {.kind = SEMIHOSTING_REMOVE, .name = name};
    result = ask(c, &request);
    return result >= 0 ? 0 : semi_fail(c, (int)-result);
}

int64_t semi_rename(struct semi_call *c)
{
    char name[SEMIHOSTING_NAME_BYTES], to_name[SEMIHOSTING_NAME_BYTES];
    int64_t result;
    if (!semi_read_name(c, c->args[0], c->args[1], name, &result) ||
        !semi_read_name(c, c->args[2], c->args[3], to_name, &result))
        return result;
    struct semihosting_file_request request = {
        .kind = SEMIHOSTING_RENAME, .name = name, .to_name = to_name};
    result = ask(c, &request);
    return result >= 0 ? 0 : semi_fail(c, (int)-result);
}

/* --- life -------------------------------------------------------------------------------- */

static void forget(struct semihosting *s)
{
    const struct semihosting_file_request request = {.kind = SEMIHOSTING_FORGET};
    if (s->config.file)
        s->config.file(s->config.owner, &request);
}

void files_reset(struct semihosting *s)
{
    forget(s);
    memset(s->handles, 0, sizeof s->handles);
}

void files_state(struct semihosting *s, struct state *state)
{
    for (unsigned i = 0; i < SEMIHOSTING_FILES; i++) {
        struct handle *handle = &s->handles[i];
        state_u8(state, &handle->kind);
        state_u8(state, &handle->mode);
        state_u64(state, &handle->position);
        state_bytes(state, handle->name, sizeof handle->name);
        if (handle->kind >= HANDLE_KINDS || handle->mode >= SEMIHOSTING_MODES ||
            handle->position > INT64_MAX || !memchr(handle->name, 0, sizeof handle->name))
            state_fail(state, "semihosting: handle %u is none", i + 1);
    }
    if (state_loading(state))
        forget(s);
}
