/* What a debugger does to a program: it looks at its hart, sets points and ends of steps, and is
 * told of signals before they do anything. All of it between two exec_runs, on the thread that
 * calls them: there is no other. A child of a fork runs on without a debugger. */
#ifndef RIVULET_SYSCALL_INSPECT_H
#define RIVULET_SYSCALL_INSPECT_H

#include "base/bits.h"
#include "base/error.h"
#include "cpu/watch.h"

#include <stddef.h>

#define INSPECT_FILES 32u

struct process;
struct hart;

/* From now on a signal that would end the host's process ends exec_run, so that what was collected
 * can be written. */
void inspect_begin(struct process *p);
/* Whether this is a child of the program that was started. */
bool inspect_is_child(const struct process *p);
/* Whether it has come to its end; a signal that waits acts before, if nobody is to be told. */
bool inspect_is_ended(struct process *p);
struct hart *inspect_hart(struct process *p);

/* EXEC_STEPPED, once, when the hart's steps come to end_steps. UINT64_MAX: no longer. */
void inspect_stop_at(struct process *p, uint64_t end_steps);
/* EXEC_ATTENTION, soon. */
void inspect_request_stop(struct process *p);

bool inspect_add_breakpoint(struct process *p, uint64_t va) MUST_CHECK;
void inspect_remove_breakpoint(struct process *p, uint64_t va);
bool inspect_add_watchpoint(struct process *p, const struct watch *w) MUST_CHECK;
void inspect_remove_watchpoint(struct process *p, const struct watch *w);

/* EXEC_WATCHPOINT: the one that was hit, from the first byte touched on. */
struct watch inspect_watch_hit(const struct process *p);

/* EXEC_SIGNAL: these signals, bit number - 1. EXEC_PROGRAM and EXEC_FILE: whether they are told. */
void inspect_tell_signals(struct process *p, uint64_t signals);
void inspect_tell_programs(struct process *p, bool on);
void inspect_tell_files(struct process *p, bool on);
/* What the program gets when it goes on, in place of what it was stopped for; 0: nothing. */
void inspect_set_signal(struct process *p, int number);

/* Whether a debugger may write there: the guest's protection does not matter, the host's does. */
bool inspect_may_write(const struct process *p, uint64_t va, size_t n);

int inspect_pid(const struct process *p);
/* The guest's name of the program's file. */
const char *inspect_program(const struct process *p);
const void *inspect_auxv(const struct process *p, size_t *bytes);

/* Opens a file of the program's view for reading: a descriptor that the program does not meet, or a
 * negative errno. /proc/PID/maps is the program's own. */
int inspect_open(struct process *p, const char *path);
/* Makes a descriptor one that the program does not meet: its new number, or -1, and it is closed.
 */
int inspect_own(struct process *p, int fd);
void inspect_close(struct process *p, int fd);
/* Input at the descriptor ends exec_run with EXEC_ATTENTION, from a call that waits too. */
bool inspect_watch(struct process *p, int fd);

/* Each mapping [va, end) of a file that may be executed: the host's path of the file, and the
 * offset of what is at va. */
void inspect_files(const struct process *p,
                   void (*tell)(void *owner, const char *path, uint64_t va, uint64_t end,
                                uint64_t offset),
                   void *owner);

#endif
