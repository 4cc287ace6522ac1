/* A place where a user types to the monitor: bytes in, lines edited, prompt and answers out.
 *
 * With echo (a terminal): the keys of line_edit.h edit the line, TAB completes names of commands,
 * Ctrl-C clears it, or stops a step that is under way. Without it (a pipe): lines as they come.
 *
 * All of it belongs to the machine's thread (control.h). */
#ifndef RIVULET_DEBUG_CONSOLE_H
#define RIVULET_DEBUG_CONSOLE_H

#include "debug/monitor.h"

#define CONSOLE_PROMPT "(rivulet) "

struct console;

/* The control and the monitor outlive it. */
struct console *console_create(struct control *c, struct monitor *m, const struct byte_sink *out,
                               bool echo, struct error *err);
void console_destroy(struct console *c);

/* The user has turned to the monitor: greets him the first time, and prompts. */
void console_turn(struct console *c);
/* What he types. While a step is under way it waits. */
void console_type(struct console *c, const uint8_t *bytes, size_t n);

#endif
