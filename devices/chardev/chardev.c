/* Character back-ends (contract: chardev.h): what all kinds have in common.
 *
 * A guest writes byte by byte, and a system call a byte is too slow. So the first bytes after a
 * pause are written at once, by the writer; what follows is held, and written COLLECT_MS later by
 * the I/O thread, or when no more can be held. Whole messages (chardev_send) are not collected.
 *
 * Two locks. `mutex` guards the output: what is held and where it goes. `attachment` guards the
 * front-end: it is held around its calls, so that it can be replaced while the thread runs; it is
 * the outer one. Invariants: while bytes are held the thread knows of it (is_collecting is set and
 * it was woken, or it waits for the peer); only the I/O thread changes `ends`, once it runs. */
#include "devices/chardev/backend.h"

#include "base/os.h"
#include "base/values.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLLECT_MS 5
#define BACKLOG_MS 10
/* A pipe that can be written to takes this much without blocking, and a read is no larger. */
#define PART_BYTES CHARDEV_PART

struct chardev {
    const struct chardev_kind *kind;
    void *state; /* the kind's */
    char id[CHARDEV_ID_MAX + 1];
    char place[CHARDEV_PLACE_BYTES];
    struct log *log;
    struct os_wake *wake;
    struct os_thread *thread; /* NULL: no descriptors */
    struct os_poll *polls;
    int in_place, out_place; /* of the last wait */
    atomic_bool stops, has_peer;

    struct os_mutex *attachment;
    struct chardev_client client; /* room NULL: nobody */

    struct os_mutex *mutex;
    struct chardev_ends ends;
    uint8_t *held; /* a ring of CHARDEV_HELD_MOST bytes */
    size_t head, size;
    bool is_collecting;
    bool is_broken; /* the peer takes nothing any more; what it has sent may still be read */
    bool is_dead;   /* it has had CHARDEV_PATIENCE_MS */
    FILE *copy;     /* logfile= */
    int error;      /* errno that output to a file was lost for */
};

/* --- output, under the mutex ------------------------------------------------------------- */

static void break_off(struct chardev *c, int error)
{
    c->is_broken = true;
    c->size = 0;
    if (!c->kind->lose && !c->error) /* a file: not a peer who may go */
        c->error = error;
}

static void flush(struct chardev *c)
{
    while (c->size && c->ends.out >= 0) {
        size_t part = min_u64(min_u64(c->size, CHARDEV_HELD_MOST - c->head), PART_BYTES);
        long n = os_net_write(c->ends.out, c->held + c->head, part);
        if (n == OS_ENDED)
            break_off(c, errno);
        if (n < 0)
            return;
        c->head = (c->head + (size_t)n) % CHARDEV_HELD_MOST;
        c->size -= (size_t)n;
        c->is_dead = false;
    }
}

/* Waits for the peer, without the lock: the thread must go on reading what the peer sends, or each
 * would wait for the other. */
static void be_patient(struct chardev *c)
{
    int out = c->ends.out;
    if (c->is_dead)
        return;
    os_mutex_unlock(c->mutex);
    bool is_writable = os_char_wait_writable(out, CHARDEV_PATIENCE_MS);
    os_mutex_lock(c->mutex);
    if (is_writable)
        return;
    c->is_dead = true;
    log_line(c->log, LOG_GUEST_ERRORS, "%s: nobody reads %s; output is lost", c->id, c->place);
}

static bool can_hold(const struct chardev *c)
{
    return c->ends.out >= 0 && !c->is_broken;
}

/* Room for one byte at least; 0: it must be lost. */
static size_t find_room(struct chardev *c)
{
    while (can_hold(c) && c->size == CHARDEV_HELD_MOST && !c->is_dead) {
        flush(c);
        if (c->size == CHARDEV_HELD_MOST)
            be_patient(c);
    }
    if (can_hold(c) && c->is_dead)
        flush(c);
    return can_hold(c) ? CHARDEV_HELD_MOST - c->size : 0;
}

static void hold(struct chardev *c, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t room = find_room(c), tail = (c->head + c->size) % CHARDEV_HELD_MOST;
        size_t part = min_u64(min_u64(n, room), CHARDEV_HELD_MOST - tail);
        if (part == 0)
            return;
        memcpy(c->held + tail, bytes, part);
        c->size += part;
        bytes += part;
        n -= part;
    }
}

static void hold_encoded(struct chardev *c, const uint8_t *bytes, size_t n)
{
    uint8_t encoded[2 * CHARDEV_PART];
    for (size_t part; n && c->kind->encode; bytes += part, n -= part) {
        part = min_u64(n, CHARDEV_PART);
        hold(c, encoded, c->kind->encode(c->state, bytes, part, encoded));
    }
    hold(c, bytes, n);
}

void chardev_write(struct chardev *c, const uint8_t *bytes, size_t n)
{
    bool was_quiet = false;
    os_mutex_lock(c->mutex);
    if (c->copy)
        fwrite(bytes, 1, n, c->copy);
    if (c->kind->keep) {
        c->kind->keep(c->state, bytes, n);
    } else if (can_hold(c)) {
        hold_encoded(c, bytes, n);
        was_quiet = !c->is_collecting;
        if (was_quiet)
            flush(c);
        c->is_collecting = true;
    }
    os_mutex_unlock(c->mutex);
    if (was_quiet)
        os_wake_signal(c->wake);
}

/* Bytes that were held before go with it. The thread need not know, unless the peer is slow. */
void chardev_send(struct chardev *c, const uint8_t *bytes, size_t n)
{
    if (c->kind->keep || c->copy) {
        chardev_write(c, bytes, n);
        return;
    }
    os_mutex_lock(c->mutex);
    if (can_hold(c)) {
        hold_encoded(c, bytes, n);
        flush(c);
    }
    bool is_held = c->size != 0;
    os_mutex_unlock(c->mutex);
    if (is_held)
        os_wake_signal(c->wake);
}

size_t chardev_read_ring(struct chardev *c, uint8_t *to, size_t n)
{
    if (!c->kind->take)
        return 0;
    os_mutex_lock(c->mutex);
    size_t taken = c->kind->take(c->state, to, n);
    os_mutex_unlock(c->mutex);
    return taken;
}

/* --- peers ------------------------------------------------------------------------------- */

static void tell(struct chardev *c, bool has_peer)
{
    os_mutex_lock(c->attachment);
    atomic_store(&c->has_peer, has_peer);
    if (c->client.room && c->client.on_peer)
        c->client.on_peer(c->client.owner, has_peer);
    os_mutex_unlock(c->attachment);
}

static void set_ends(struct chardev *c, struct chardev_ends ends)
{
    os_mutex_lock(c->mutex);
    flush(c);
    c->ends = ends;
    c->size = c->head = 0;
    c->is_broken = c->is_dead = false;
    os_mutex_unlock(c->mutex);
}

/* Nobody waits for a descriptor of it but be_patient, whose wait then ends. */
static void lose_peer(struct chardev *c)
{
    set_ends(c, (struct chardev_ends){-1, -1});
    if (c->kind->lose)
        c->kind->lose(c->state);
    tell(c, false);
}

static void look_for_peer(struct chardev *c)
{
    struct chardev_ends ends;
    if (!c->kind->find || !c->kind->find(c->state, c->polls, &ends))
        return;
    set_ends(c, ends);
    tell(c, true);
}

/* --- input ------------------------------------------------------------------------------- */

static size_t client_room(struct chardev *c, bool *is_attached)
{
    os_mutex_lock(c->attachment);
    *is_attached = c->client.room;
    size_t room = *is_attached ? c->client.room(c->client.owner) : 0;
    os_mutex_unlock(c->attachment);
    return room;
}

static void read_input(struct chardev *c)
{
    uint8_t bytes[PART_BYTES];
    bool is_attached;
    size_t room = client_room(c, &is_attached);
    if (room == 0)
        return;
    long n = os_net_read(c->ends.in, bytes, min_u64(room, sizeof bytes));
    if (n == OS_ENDED)
        lose_peer(c);
    if (n < 0)
        return;
    size_t size = c->kind->decode ? c->kind->decode(c->state, bytes, (size_t)n) : (size_t)n;
    os_mutex_lock(c->attachment);
    if (size && c->client.room)
        c->client.receive(c->client.owner, bytes, size);
    os_mutex_unlock(c->attachment);
}

/* --- the I/O thread ---------------------------------------------------------------------- */

static int prepare_output(struct chardev *c)
{
    os_mutex_lock(c->mutex);
    bool is_collecting = c->is_collecting;
    if (!is_collecting && c->size)
        c->out_place = os_poll_add(c->polls, c->ends.out, OS_EVENT_OUT);
    os_mutex_unlock(c->mutex);
    return is_collecting ? COLLECT_MS : -1;
}

static bool prepare_input(struct chardev *c)
{
    bool is_attached;
    size_t room = client_room(c, &is_attached);
    if (room)
        c->in_place = os_poll_add(c->polls, c->ends.in, OS_EVENT_IN);
    return room || !is_attached;
}

/* Returns the longest wait in ms. */
static int prepare(struct chardev *c)
{
    os_poll_clear(c->polls);
    os_poll_add(c->polls, os_wake_fd(c->wake), OS_EVENT_IN);
    c->in_place = c->out_place = -1;
    if (!atomic_load(&c->has_peer))
        return c->kind->seek ? c->kind->seek(c->state, c->polls) : -1;
    int timeout_ms = prepare_output(c);
    if (c->ends.in >= 0 && !prepare_input(c) && timeout_ms < 0)
        timeout_ms = BACKLOG_MS;
    return timeout_ms;
}

static void flush_now(struct chardev *c)
{
    os_mutex_lock(c->mutex);
    flush(c);
    c->is_collecting = false;
    os_mutex_unlock(c->mutex);
}

static void io_main(void *owner)
{
    struct chardev *c = owner;
    while (!atomic_load(&c->stops)) {
        os_poll_wait(c->polls, prepare(c));
        os_wake_wait(c->wake, 0);
        if (!atomic_load(&c->has_peer)) {
            look_for_peer(c);
            continue;
        }
        flush_now(c);
        if (os_poll_happened(c->polls, c->in_place))
            read_input(c);
    }
}

/* --- front-ends -------------------------------------------------------------------------- */

void chardev_attach(struct chardev *c, const struct chardev_client *client)
{
    os_mutex_lock(c->attachment);
    c->client = client ? *client : (struct chardev_client){0};
    if (client && client->on_peer)
        client->on_peer(client->owner, atomic_load(&c->has_peer));
    os_mutex_unlock(c->attachment);
    os_wake_signal(c->wake);
}

static size_t entry_room(void *owner)
{
    const struct chardev_entry *e = owner;
    size_t backlog = input_backlog(e->door, e->data);
    return backlog < CHARDEV_BACKLOG_MOST ? CHARDEV_BACKLOG_MOST - backlog : 0;
}

static void entry_receive(void *owner, const uint8_t *bytes, size_t n)
{
    const struct chardev_entry *e = owner;
    input_push(e->door, e->data, bytes, n);
}

static void entry_on_peer(void *owner, bool is_there)
{
    const struct chardev_entry *e = owner;
    input_push(e->door, e->peers, &(uint8_t){is_there}, 1);
}

void chardev_attach_door(struct chardev *c, struct chardev_entry *entry)
{
    chardev_attach(c, &(struct chardev_client){.room = entry_room,
                                               .receive = entry_receive,
                                               .on_peer = entry_on_peer,
                                               .owner = entry});
}

bool chardev_has_peer(const struct chardev *c)
{
    return atomic_load(&c->has_peer);
}

const char *chardev_place(const struct chardev *c)
{
    return c->place;
}

/* --- words ------------------------------------------------------------------------------- */

static const struct chardev_kind *const kinds[] = {
    &chardev_null, &chardev_file, &chardev_pipe, &chardev_pty, &chardev_socket, &chardev_ringbuf,
};

const char *chardev_type(unsigned i)
{
    return i < ARRAY_LEN(kinds) ? kinds[i]->name : NULL;
}

static const char *const common_properties[] = {"mux", "logfile", "logappend", NULL};

const char *chardev_value(const struct chardev_config *config, const char *key)
{
    for (unsigned i = config->count; i > 0; i--)
        if (strcmp(config->properties[i - 1].key, key) == 0)
            return config->properties[i - 1].value;
    return NULL;
}

bool chardev_switch(const struct chardev_config *config, const char *key, bool *on,
                    struct error *err)
{
    const char *value = chardev_value(config, key);
    return !value || value_switch(value, on) ||
           error_set(err, "%s is on or off, not '%.80s'", key, value);
}

static const struct chardev_kind *find_kind(const char *name, struct error *err)
{
    const char *names[ARRAY_LEN(kinds) + 2] = {"stdio"}; /* the machine's own */
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
        names[i + 1] = kinds[i]->name;
    }
    error_set(err, "there is no character back-end '%.60s'; the nearest is %s", name,
              nearest_name(name, names));
    return NULL;
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

static bool check_properties(const struct chardev_kind *kind, const struct chardev_config *config,
                             struct error *err)
{
    bool is_mux = false;
    for (unsigned i = 0; i < config->count; i++) {
        const char *key = config->properties[i].key;
        if (!is_among(key, kind->properties) && !is_among(key, common_properties))
            return error_set(
                err, "%s has no property '%.60s'; the nearest is %s", kind->name, key,
                nearest_name(key, *kind->properties ? kind->properties : common_properties));
    }
    if (!chardev_switch(config, "mux", &is_mux, err))
        return false;
    return !is_mux || error_set(err, "mux=on is there for stdio alone; leave it out");
}

/* --- making ------------------------------------------------------------------------------ */

static bool create_parts(struct chardev *c)
{
    c->wake = os_wake_create();
    c->polls = os_poll_create();
    c->mutex = os_mutex_create();
    c->attachment = os_mutex_create();
    return c->wake && c->polls && c->mutex && c->attachment;
}

static bool open_copy(struct chardev *c, const struct chardev_config *config, struct error *err)
{
    const char *path = chardev_value(config, "logfile");
    bool append = false;
    if (!chardev_switch(config, "logappend", &append, err))
        return false;
    if (!path)
        return true;
    c->copy = fopen(path, append ? "ae" : "we");
    if (!c->copy)
        return error_set(err, "cannot write %.300s: %s", path, strerror(errno));
    setvbuf(c->copy, NULL, _IOLBF, BUFSIZ);
    return true;
}

static bool start(struct chardev *c, struct error *err)
{
    atomic_store(&c->has_peer, c->kind->keep || c->ends.out >= 0 || c->ends.in >= 0);
    if (c->kind->keep)
        return true;
    c->held = malloc(CHARDEV_HELD_MOST);
    if (!c->held)
        return error_set(err, "no memory for a character back-end");
    c->thread = os_thread_start(io_main, c);
    return c->thread || error_set(err, "cannot start a thread for a character back-end");
}

static void destroy(struct chardev *c)
{
    if (c->state)
        c->kind->close(c->state);
    if (c->copy)
        fclose(c->copy);
    os_poll_destroy(c->polls);
    os_wake_destroy(c->wake);
    os_mutex_destroy(c->mutex);
    os_mutex_destroy(c->attachment);
    free(c->held);
    free(c);
}

struct chardev *chardev_open(const struct chardev_config *config, struct error *err)
{
    const struct chardev_kind *kind = find_kind(config->type, err);
    if (!kind || !check_properties(kind, config, err))
        return NULL;
    struct chardev *c = calloc(1, sizeof *c);
    if (!c) {
        error_set(err, "no memory for a character back-end");
        return NULL;
    }
    *c = (struct chardev){.kind = kind, .log = config->log, .ends = {-1, -1}};
    snprintf(c->id, sizeof c->id, "%s", config->id);
    snprintf(c->place, sizeof c->place, "%s", kind->name);
    if (!create_parts(c))
        error_set(err, "no memory for a character back-end");
    else if (open_copy(c, config, err) && kind->open(config, &c->state, &c->ends, c->place, err) &&
             start(c, err))
        return c;
    destroy(c);
    return NULL;
}

/* What is held goes out as long as the peer takes it. */
static void finish_output(struct chardev *c)
{
    os_mutex_lock(c->mutex);
    for (flush(c); c->size && can_hold(c) && !c->is_dead; flush(c))
        be_patient(c);
    os_mutex_unlock(c->mutex);
}

bool chardev_close(struct chardev *c, struct error *err)
{
    if (!c)
        return true;
    if (c->thread) {
        atomic_store(&c->stops, true);
        os_wake_signal(c->wake);
        os_thread_join(c->thread);
        finish_output(c);
    }
    int error = c->error;
    if (error)
        error_set(err, "cannot write %.300s: %s", c->place, strerror(error));
    destroy(c);
    return !error;
}
