/* The console's host side: what the guest writes goes to one descriptor, what the user types comes
 * from another and goes through the machine's door, and Ctrl-A speaks to the program itself. With a
 * monitor Ctrl-A c switches between the guest and the monitor; both write to the same place. */
#ifndef RIVULET_FRONTEND_TERMINAL_H
#define RIVULET_FRONTEND_TERMINAL_H

#include "base/byte_sink.h"
#include "base/error.h"
#include "machine/machine.h"

struct terminal;

#define TERMINAL_NO_FD (-1)

/* Who hears of what the user does. Called on a thread of the terminal's own, which holds no lock.
 */
struct terminal_ports {
    void (*kick)(void *owner); /* terminal_wants_quit or terminal_output_error has changed */
    /* NULL: there is no monitor. What is typed to it, and that the user has turned to it. */
    void (*type)(void *owner, const uint8_t *bytes, size_t n);
    void (*turn)(void *owner);
    void *owner;
    bool only_monitor; /* nothing is typed to the guest */
};

/* Either descriptor may be TERMINAL_NO_FD: nothing is read, or output is thrown away. */
struct terminal *terminal_create(int input_fd, int output_fd, const struct terminal_ports *ports,
                                 struct error *err);
void terminal_destroy(struct terminal *t);

/* From now on input goes to this machine, and so does what its predecessor had not yet taken. */
void terminal_attach(struct terminal *t, struct machine *m);
/* Begins to read, in raw mode when the input is the host's terminal; after terminal_attach. */
bool terminal_start(struct terminal *t, struct error *err) MUST_CHECK;
/* Writes what is still held back, and leaves the host's terminal as it was: 0, or the errno that
 * output was lost for. The machine may go. Stopping what is not started has no effect. */
int terminal_stop(struct terminal *t);

/* Output of the guest: held back for 5 ms at most. Any thread. */
void terminal_write(struct terminal *t, const uint8_t *bytes, size_t n);
/* Input that does not come from the user: a script's. */
void terminal_type(struct terminal *t, const uint8_t *bytes, size_t n);

/* The user has asked for the end. */
bool terminal_wants_quit(const struct terminal *t);
/* Output is lost: 0, or why (errno). */
int terminal_output_error(const struct terminal *t);

/* Whether somebody may still type there: a terminal, a pipe or a socket. */
bool terminal_is_live(int fd);

#endif
