/* What a Linux host gives to a guest program that runs in its process (syscall/): mappings at fixed
 * places, signals, and system calls that a signal cannot slip past. The signals of a process are
 * one: there is one guest program in it. */
#ifndef RIVULET_BASE_OS_PROCESS_H
#define RIVULET_BASE_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- mappings: all return 0 or a negative errno ---- */

enum os_map_kind { OS_MAP_NOTHING, OS_MAP_PRIVATE, OS_MAP_SHARED };

/* Replaces the pages at `at`. fd -1: zeros. A private mapping can be read and written. A shared one
 * too if the file permits it: else it fails if it must be *writable, or is read-only; *writable
 * says what came of it. Nothing: no access. */
int os_map_at(void *at, size_t bytes, enum os_map_kind kind, int fd, uint64_t offset,
              bool *writable);
/* Moves pages to a place that becomes theirs and can have another size; nothing is left behind. */
int os_map_move(void *from, size_t bytes, void *to, size_t new_bytes);
size_t os_page_bytes(void);

/* ---- system calls ---- */

#define OS_CALL_INTERRUPTED (-512) /* not begun: a caught signal waits to be taken */

/* The host's call of this number; a negative errno when it fails. A signal that is caught before it
 * blocks ends it with OS_CALL_INTERRUPTED, one that comes later with -EINTR. */
int64_t os_call(long number, const uint64_t args[6]);

/* ---- signals: numbers and masks (bit number - 1) are Linux's ---- */

#define OS_SIGINFO_BYTES 128u

enum os_signal_action { OS_SIGNAL_DEFAULT, OS_SIGNAL_IGNORE, OS_SIGNAL_CATCH };

void os_signal_set(int number, enum os_signal_action action);
bool os_signal_is_ignored(int number);
/* One caught signal at a time waits here; the others are held in the kernel until a mask is set. */
bool os_signal_waits(void);
/* Its number, and the kernel's siginfo; 0: none. All signals stay blocked. */
int os_signal_take(void *siginfo);
void os_signal_mask(uint64_t mask);
/* The mask that this process was started with. */
uint64_t os_signal_first_mask(void);
/* What can be read from the descriptor from now on, or a connection that waits there, is told of by
 * a caught signal, whatever the mask. */
bool os_attention_watch(int fd);
/* Whether this siginfo is of that. */
bool os_is_attention(const void *siginfo);
/* After a fork, in the child: what waited was the parent's. */
void os_signal_forget(void);
/* Ends the process as this signal does by default. */
_Noreturn void os_signal_die(int number);

/* Accesses to [base, base + bytes) for which the host has no memory (a file that became shorter,
 * no page left) find zeros, and the first one's address is kept. */
void os_fault_watch(void *base, size_t bytes);
/* The address, or NULL. */
void *os_fault_take(void);

#endif
