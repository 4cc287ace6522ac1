/* A network link (contract: link.h).
 *
 * A back-end receives into a port, which knows its link of the moment: so a back-end with its
 * connections can go over to the link of another machine while its thread runs. */
#include "devices/net/link.h"

#include "base/os.h"

#include <stdlib.h>

struct port {
    struct os_mutex *mutex;
    struct link *link; /* under the mutex */
};

struct link {
    struct input_door *door;
    unsigned entry;
    struct port *port;
    const struct clock *clock;
    struct link_backend backend;
    struct link_observer *observers;
    input_sink *receive; /* the device's; NULL: none attached */
    void *device;
    bool is_muted;
};

static void show(const struct link *l, enum link_direction direction, const uint8_t *frame,
                 size_t bytes)
{
    for (struct link_observer *o = l->observers; o; o = o->next)
        o->see(o->owner, direction, frame, bytes, clock_now_ns(l->clock));
}

static bool is_frame(size_t bytes)
{
    return bytes >= LINK_FRAME_LEAST && bytes <= LINK_FRAME_MAX;
}

/* The door's sink. A recording that is played may hold anything. */
static size_t deliver(void *owner, const uint8_t *frame, size_t bytes)
{
    struct link *l = owner;
    if (!is_frame(bytes))
        return bytes;
    if (l->receive && l->receive(l->device, frame, bytes) == 0)
        return 0;
    show(l, LINK_TO_GUEST, frame, bytes);
    return bytes;
}

static void push(void *owner, const uint8_t *frame, size_t bytes)
{
    struct port *port = owner;
    if (!is_frame(bytes))
        return;
    os_mutex_lock(port->mutex);
    input_push(port->link->door, port->link->entry, frame, bytes);
    os_mutex_unlock(port->mutex);
}

static void destroy_port(struct port *port)
{
    if (port)
        os_mutex_destroy(port->mutex);
    free(port);
}

static struct port *create_port(struct link *l)
{
    struct port *port = calloc(1, sizeof *port);
    if (!port)
        return NULL;
    port->link = l;
    port->mutex = os_mutex_create();
    if (port->mutex)
        return port;
    free(port);
    return NULL;
}

struct link *link_create(const char *name, struct input_door *door, const struct clock *clock)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct link){.door = door, .clock = clock};
    l->port = create_port(l);
    if (l->port)
        l->entry = input_register_packets(door, name, LINK_WAITING_MOST, deliver, l);
    if (l->port && l->entry != INPUT_NO_ENTRY)
        return l;
    link_destroy(l);
    return NULL;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    if (l->backend.ops)
        l->backend.ops->destroy(l->backend.backend);
    destroy_port(l->port);
    free(l);
}

unsigned link_entry(const struct link *l)
{
    return l->entry;
}

struct link_receiver link_receiver(struct link *l)
{
    return (struct link_receiver){.receive = push, .owner = l->port};
}

void link_connect(struct link *l, const struct link_backend *backend)
{
    l->backend = *backend;
}

const struct link_backend *link_backend(const struct link *l)
{
    return &l->backend;
}

static void set_port(struct link *l, struct port *port)
{
    os_mutex_lock(port->mutex);
    port->link = l;
    os_mutex_unlock(port->mutex);
    l->port = port;
}

void link_succeed(struct link *to, struct link *from)
{
    struct port *spare = to->port;
    set_port(to, from->port);
    set_port(from, spare);
    to->backend = from->backend;
    to->observers = from->observers;
    from->backend = (struct link_backend){0};
    from->observers = NULL;
}

void link_observe(struct link *l, struct link_observer *observer)
{
    observer->next = l->observers;
    l->observers = observer;
}

bool link_attach(struct link *l, input_sink *receive, void *device)
{
    if (l->receive)
        return false;
    l->receive = receive;
    l->device = device;
    return true;
}

bool link_is_attached(const struct link *l)
{
    return l->receive != NULL;
}

void link_mute(struct link *l, bool is_muted)
{
    l->is_muted = is_muted;
}

void link_send(struct link *l, const uint8_t *frame, size_t bytes)
{
    if (!is_frame(bytes) || l->is_muted)
        return;
    show(l, LINK_FROM_GUEST, frame, bytes);
    if (l->backend.ops)
        l->backend.ops->send(l->backend.backend, frame, bytes);
}
