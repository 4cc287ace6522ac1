/* gdb's connection to a program (contract: exec_gdb.h). */
#include "frontend/exec_gdb.h"

#include "base/os.h"
#include "base/os_net.h"
#include "base/values.h"
#include "debug/gdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THIS_HOST "127.0.0.1" /* who talks to a stub can do anything */

struct exec_gdb {
    struct process *process;
    struct gdb *gdb;
    struct os_poll *poll;
    int listener, peer; /* -1: none */
    char *path;         /* of the socket's file; NULL: none */
};

/* ---- the end that listens ---- */

static bool listen_at(struct exec_gdb *g, const struct os_address *address, struct error *err)
{
    int fd = os_net_listen(address, err);
    if (fd < 0)
        return false;
    if (address->path)
        g->path = strdup(address->path);
    g->listener = inspect_own(g->process, fd);
    return (g->listener >= 0 && inspect_watch(g->process, g->listener)) ||
           error_set(err, "gdb's end cannot be watched");
}

/* The program may be in another folder when the socket's name is removed. */
static bool listen_at_path(struct exec_gdb *g, const char *folder, const char *path,
                           struct error *err)
{
    char *name = value_path(folder, path);
    if (!name)
        return error_set(err, "no memory for gdb's end");
    bool ok = listen_at(g, &(struct os_address){.path = name}, err);
    free(name);
    return ok;
}

static bool open_end(struct exec_gdb *g, const char *end, const char *folder, struct error *err)
{
    char text[512];
    uint64_t port;
    if (strncmp(end, "unix:", 5) == 0)
        return listen_at_path(g, folder, end + 5, err);
    if (strncmp(end, "tcp:", 4) == 0)
        end += 4;
    else if (strchr(end, '/'))
        return listen_at_path(g, folder, end, err);
    snprintf(text, sizeof text, "%s", end);
    char *colon = strrchr(text, ':');
    const char *number = colon ? colon + 1 : text;
    if (!value_number(number, &port) || port > 65535 || strlen(end) >= sizeof text)
        return error_set(err, "'%.80s' is no end for gdb: give PORT, tcp:[HOST]:PORT or unix:PATH",
                         end);
    if (colon)
        *colon = 0;
    const char *host = colon && *text ? text : THIS_HOST;
    return listen_at(g, &(struct os_address){.host = host, .port = number}, err);
}

/* ---- the peer ---- */

static void hang_up(struct exec_gdb *g)
{
    inspect_close(g->process, g->peer);
    g->peer = -1;
}

static void answer(void *owner, const uint8_t *bytes, size_t n)
{
    struct exec_gdb *g = owner;
    while (n && g->peer >= 0) {
        long done = os_net_write(g->peer, bytes, n);
        if (done == OS_ENDED)
            return; /* reading tells of it too */
        if (done == OS_WOULD_BLOCK) {
            os_poll_clear(g->poll);
            os_poll_add(g->poll, g->peer, OS_EVENT_OUT);
            os_poll_wait(g->poll, -1);
            continue;
        }
        bytes += done;
        n -= (size_t)done;
    }
}

static void take_peer(struct exec_gdb *g)
{
    int fd = os_net_accept(g->listener);
    g->peer = fd < 0 ? -1 : inspect_own(g->process, fd);
    if (g->peer < 0)
        return;
    if (inspect_watch(g->process, g->peer))
        gdb_connect(g->gdb);
    else
        hang_up(g);
}

static void take_bytes(struct exec_gdb *g)
{
    uint8_t bytes[4096];
    long n = os_net_read(g->peer, bytes, sizeof bytes);
    if (n > 0)
        gdb_receive(g->gdb, bytes, (size_t)n);
    if (n != OS_ENDED)
        return;
    gdb_disconnect(g->gdb);
    hang_up(g);
}

void exec_gdb_serve(struct exec_gdb *g, bool waits)
{
    int fd = g->peer >= 0 ? g->peer : g->listener;
    if (waits)
        os_wait_readable(fd, -1, -1);
    if (g->peer >= 0)
        take_bytes(g);
    else
        take_peer(g);
}

bool exec_gdb_has_peer(const struct exec_gdb *g)
{
    return g->peer >= 0;
}

/* ---- life ---- */

struct exec_gdb *exec_gdb_open(struct process *p, struct control *c, const char *end,
                               const char *folder, struct error *err)
{
    struct exec_gdb *g = calloc(1, sizeof *g);
    if (!g) {
        error_set(err, "no memory for gdb's end");
        return NULL;
    }
    g->process = p;
    g->listener = g->peer = -1;
    g->poll = os_poll_create();
    g->gdb = gdb_create(c, NULL, &(struct byte_sink){.write = answer, .owner = g}, err);
    if (g->poll && g->gdb && open_end(g, end, folder, err))
        return g;
    exec_gdb_close(g);
    return NULL;
}

void exec_gdb_close(struct exec_gdb *g)
{
    if (!g)
        return;
    gdb_destroy(g->gdb);
    hang_up(g);
    inspect_close(g->process, g->listener);
    if (g->path)
        os_net_remove(g->path);
    free(g->path);
    os_poll_destroy(g->poll);
    free(g);
}
