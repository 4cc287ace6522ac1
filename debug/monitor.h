/* The monitor: lines of text in, lines of text out, with QEMU's names where QEMU has the command.
 * One table of commands serves the console, gdb's `monitor` and QMP's human-monitor-command.
 *
 * All of it belongs to the machine's thread (control.h). */
#ifndef RIVULET_DEBUG_MONITOR_H
#define RIVULET_DEBUG_MONITOR_H

#include "debug/control.h"

struct line_edit;
struct monitor;

/* The control outlives it. */
struct monitor *monitor_create(struct control *c, struct error *err);
void monitor_destroy(struct monitor *m);
/* What the commands trace and symbols work on; it outlives the monitor. */
struct trace;
void monitor_set_trace(struct monitor *m, struct trace *trace);
/* What the command gdbserver calls: gdb may come to this end, spelled as for -gdb. */
void monitor_set_gdb_server(struct monitor *m,
                            bool (*open)(void *owner, const char *end, struct error *err),
                            void *owner);
/* What the commands for passwords are about: the VNC server, which outlives the monitor's last
 * line; NULL: there is none. */
struct vnc_access;
void monitor_set_vnc(struct monitor *m, const struct vnc_access *vnc);
const struct vnc_access *monitor_vnc(const struct monitor *m);

/* Runs one line, without its newline; an empty one does nothing. What the command says, and one
 * line "Error: ..." when it fails, goes to out. */
void monitor_run(struct monitor *m, const char *line, const struct byte_sink *out);
/* The same for who can ask a user for what is not to be shown. True: the command wants a password,
 * and the next line is it. */
bool monitor_run_asking(struct monitor *m, const char *line,
                        const struct byte_sink *out) MUST_CHECK;
void monitor_take_password(struct monitor *m, const char *password, const struct byte_sink *out);
/* The hart that commands are about; the one chosen must exist. */
unsigned monitor_current_hart(const struct monitor *m);
void monitor_choose_hart(struct monitor *m, unsigned hart);
/* Whether `break` has set one there, which delete takes away. */
bool monitor_has_breakpoint(const struct monitor *m, uint64_t va);
/* Completes the word before the cursor, when it is a command's name or what info or help takes, as
 * far as there is no choice. False: there is one, or nothing fits; the choices tell. */
bool monitor_complete(struct line_edit *e);
void monitor_show_choices(const struct line_edit *e, const struct byte_sink *out);
/* `step` has been asked for and is not over: who reads lines waits for CONTROL_STOPPED. */
bool monitor_is_stepping(const struct monitor *m);
/* Where the machine stands and why: for who shows CONTROL_STOPPED to a user. The hart that stopped
 * is then the current one. */
void monitor_show_stop(struct monitor *m, const struct byte_sink *out);

#endif
