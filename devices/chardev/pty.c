/* A pseudo-terminal: its other end has a name, which a terminal program opens. While none has it
 * open there is no peer. The host does not tell when one comes, so that this is asked. */
#include "devices/chardev/backend.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_MS 100

struct pty {
    int master;
};

static bool pty_open(const struct chardev_config *config, void **state, struct chardev_ends *ends,
                     char *place, struct error *err)
{
    (void)ends;
    char name[256];
    struct pty *p = malloc(sizeof *p);
    if (!p)
        return error_set(err, "no memory for a pseudo-terminal");
    p->master = os_char_open_pty(name, sizeof name, err);
    if (p->master < 0) {
        free(p);
        return false;
    }
    *state = p;
    snprintf(place, CHARDEV_PLACE_BYTES, "pty:%s", name);
    fprintf(stderr, "char device redirected to %s (label %s)\n", name, config->id); /* QEMU's */
    return true;
}

static int pty_seek(void *state, struct os_poll *polls)
{
    (void)state, (void)polls;
    return ASK_MS;
}

static bool pty_find(void *state, const struct os_poll *polls, struct chardev_ends *ends)
{
    (void)polls;
    struct pty *p = state;
    *ends = (struct chardev_ends){p->master, p->master};
    return os_char_pty_is_open(p->master);
}

static void pty_lose(void *state)
{
    (void)state;
}

static void pty_close(void *state)
{
    struct pty *p = state;
    os_net_close(p->master);
    free(p);
}

static const char *const pty_properties[] = {NULL};

const struct chardev_kind chardev_pty = {.name = "pty",
                                         .properties = pty_properties,
                                         .open = pty_open,
                                         .close = pty_close,
                                         .seek = pty_seek,
                                         .find = pty_find,
                                         .lose = pty_lose};
