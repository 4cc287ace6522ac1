/* A monitor, QMP or the gdb stub at a character back-end (contract: remote.h).
 *
 * The back-end's I/O thread hands what it reads to the machine's thread and waits for the answer,
 * so that it reads no faster than the monitor takes. While remote_open runs, that thread and the
 * machine's both may tell of a peer: until `is_open` it is only noted. */
#include "frontend/remote.h"

#include "base/os.h"
#include "debug/console.h"
#include "debug/gdb.h"
#include "debug/qmp.h"
#include "devices/chardev/chardev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES 4096u

struct remote {
    struct control *control;
    struct chardev *chardev;
    char chardev_id[CHARDEV_ID_MAX + 1];
    struct control_caller caller; /* the back-end's thread */
    bool is_taking;               /* the machine's thread's: what has come is answered */
    struct console *console;      /* MONITOR */
    struct qmp *qmp;              /* QMP */
    struct gdb *gdb;              /* GDB */
    struct os_mutex *mutex;
    /* Under the mutex. */
    bool is_open, has_peer;
};

/* --- on the machine's thread ------------------------------------------------------------- */

struct received {
    struct remote *remote;
    const uint8_t *bytes;
    size_t n;
};

static void greet(void *owner)
{
    struct remote *r = owner;
    if (r->qmp)
        qmp_greet(r->qmp);
    else if (r->gdb)
        gdb_connect(r->gdb);
    else
        console_turn(r->console);
}

static void take_leave(void *owner)
{
    struct remote *r = owner;
    gdb_disconnect(r->gdb);
}

static void take(void *owner)
{
    const struct received *received = owner;
    struct remote *r = received->remote;
    r->is_taking = true;
    if (r->qmp)
        qmp_receive(r->qmp, received->bytes, received->n);
    else if (r->gdb)
        gdb_receive(r->gdb, received->bytes, received->n);
    else
        console_type(r->console, received->bytes, received->n);
    r->is_taking = false;
}

static void answer(void *owner, const uint8_t *bytes, size_t n)
{
    struct remote *r = owner;
    if (r->gdb)
        chardev_send(r->chardev, bytes, n);
    else
        chardev_write(r->chardev, bytes, n);
}

/* --- on the back-end's thread ------------------------------------------------------------ */

static size_t room(void *owner)
{
    (void)owner;
    return ROOM_BYTES;
}

static void receive(void *owner, const uint8_t *bytes, size_t n)
{
    struct received received = {owner, bytes, n};
    control_call_as(received.remote->control, &received.remote->caller, take, &received);
}

static void on_peer(void *owner, bool is_there)
{
    struct remote *r = owner;
    os_mutex_lock(r->mutex);
    bool is_open = r->is_open;
    r->has_peer = is_there;
    os_mutex_unlock(r->mutex);
    if (is_open && is_there)
        control_call_as(r->control, &r->caller, greet, r);
    else if (is_open && r->gdb)
        control_call_as(r->control, &r->caller, take_leave, r);
}

/* --- life -------------------------------------------------------------------------------- */

static bool create_parts(struct remote *r, struct monitor *m, const struct remote_config *config,
                         struct error *err)
{
    struct byte_sink out = {.write = answer, .owner = r};
    snprintf(r->chardev_id, sizeof r->chardev_id, "%s", config->chardev);
    r->chardev = machine_take_chardev(control_machine(r->control), config->chardev, err);
    if (!r->chardev)
        return false;
    if (config->kind == REMOTE_QMP)
        r->qmp = qmp_create(r->control, m, &out, config->is_pretty, err);
    else if (config->kind == REMOTE_GDB)
        r->gdb = gdb_create(r->control, m, &out, err);
    else
        r->console = console_create(r->control, m, &out, config->echo, err);
    return r->qmp || r->gdb || r->console;
}

static void attach(struct remote *r)
{
    struct chardev_client client = {
        .room = room, .receive = receive, .on_peer = on_peer, .owner = r};
    chardev_attach(r->chardev, &client);
    os_mutex_lock(r->mutex);
    r->is_open = true;
    bool has_peer = r->has_peer;
    os_mutex_unlock(r->mutex);
    if (has_peer)
        greet(r);
}

struct remote *remote_open(struct control *c, struct monitor *m, const struct remote_config *config,
                           struct error *err)
{
    struct remote *r = calloc(1, sizeof *r);
    if (r)
        r->mutex = os_mutex_create();
    if (!r || !r->mutex) {
        free(r);
        error_set(err, "no memory for a monitor");
        return NULL;
    }
    r->control = c;
    if (!create_parts(r, m, config, err)) {
        remote_close(r);
        return NULL;
    }
    attach(r);
    return r;
}

void remote_close(struct remote *r)
{
    if (!r)
        return;
    if (r->chardev)
        chardev_attach(r->chardev, NULL);
    console_destroy(r->console);
    qmp_destroy(r->qmp);
    gdb_destroy(r->gdb);
    os_mutex_destroy(r->mutex);
    free(r);
}

/* Its thread may wait for ours. */
bool remote_remove(struct remote *r, struct error *err)
{
    char id[sizeof r->chardev_id];
    struct machine *m = control_machine(r->control);
    if (r->is_taking)
        return error_set(err, "gdb cannot take its own end away: detach, then it can go");
    control_send_away(r->control, &r->caller);
    gdb_disconnect(r->gdb);
    memcpy(id, r->chardev_id, sizeof id);
    remote_close(r);
    machine_remove_chardev(m, id);
    return true;
}
