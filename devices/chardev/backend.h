/* What the kinds of character back-ends are to chardev.c: one row each in its table. For the files
 * of this folder alone. */
#ifndef RIVULET_DEVICES_CHARDEV_BACKEND_H
#define RIVULET_DEVICES_CHARDEV_BACKEND_H

#include "base/os_char.h"
#include "base/os_net.h"
#include "devices/chardev/chardev.h"

#define CHARDEV_PLACE_BYTES 320u

/* Where bytes go just now; -1: nowhere. The descriptors belong to the kind. */
struct chardev_ends {
    int in, out;
};

struct chardev_kind {
    const char *name;
    const char *const *properties; /* what it knows beside id, logfile, ...; NULL after the last */

    /* Opens; *state is the kind's own and goes to the other functions. `ends` are those of the
     * first peer, `place` is for users. When it fails, `close` is called if *state is set. */
    bool (*open)(const struct chardev_config *config, void **state, struct chardev_ends *ends,
                 char *place, struct error *err);
    void (*close)(void *state);

    /* While there is no peer. NULL: none will ever come. `seek` adds what to wait for and returns
     * the longest wait in ms (-1: for ever); `find` is called after it and returns whether one has
     * come. `lose`: the peer has gone. I/O thread. */
    int (*seek)(void *state, struct os_poll *polls);
    bool (*find)(void *state, const struct os_poll *polls, struct chardev_ends *ends);
    void (*lose)(void *state);

    /* Takes what is no data out of what was read; how much is left. NULL: all is data. */
    size_t (*decode)(void *state, uint8_t *bytes, size_t n);
    /* Makes n bytes (at most CHARDEV_PART) ready to be sent; at most twice as many. NULL: as they
     * are. */
    size_t (*encode)(void *state, const uint8_t *bytes, size_t n, uint8_t *to);

    /* Instead of all this, for kinds without descriptors: under a lock. */
    void (*keep)(void *state, const uint8_t *bytes, size_t n);
    size_t (*take)(void *state, uint8_t *bytes, size_t n);
};

#define CHARDEV_PART 4096u

extern const struct chardev_kind chardev_null, chardev_ringbuf, chardev_file, chardev_pipe,
    chardev_pty, chardev_socket;

/* The last value of a key, or NULL. */
const char *chardev_value(const struct chardev_config *config, const char *key);
/* Leaves *on as it is when the key is missing. */
bool chardev_switch(const struct chardev_config *config, const char *key, bool *on,
                    struct error *err) MUST_CHECK;

#endif
