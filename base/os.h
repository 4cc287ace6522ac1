/* All that differs from host to host; os_posix.c is the only file with per-host code. */
#ifndef RIVULET_BASE_OS_H
#define RIVULET_BASE_OS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Monotonic host time and wall-clock time since 1970, in ns. */
uint64_t os_monotonic_ns(void);
uint64_t os_wall_clock_ns(void);
/* "2026-11-21T19:40:00Z" for a time in ns since 1970. */
#define OS_DATE_BYTES 32u
void os_date(uint64_t ns, char text[OS_DATE_BYTES]);
/* "2026-11-21 20:40:00", where the host is. */
void os_local_date(uint64_t ns, char text[OS_DATE_BYTES]);

/* The host's number of this process; on Linux its first thread's too. */
int os_process_id(void);

/* Bytes that nobody can foresee. */
void os_random(void *bytes, size_t n);

/* Zeroed pages that cost host memory only when touched; NULL when the host refuses. */
void *os_reserve(size_t bytes);
void os_release(void *pages, size_t bytes);
/* Gives the pages back to the host; they read as zero again. */
void os_discard(void *pages, size_t bytes);

/* A whole regular file, mapped read-only (private). Empty, missing and unreadable files are errors
 * that name the path. */
struct os_file {
    const uint8_t *bytes;
    size_t size;
};
bool os_map_file(const char *path, struct os_file *file, struct error *err);
void os_unmap_file(struct os_file *file);

/* Writes a whole file, replacing what was there. */
bool os_file_write(const char *path, const void *bytes, size_t n, struct error *err);
/* Cuts a file that is open for writing, of which nothing waits to be written. False and errno. */
bool os_truncate(FILE *file, uint64_t size);
/* Writes all n bytes to fd, waiting where it would block; false when the other end is gone. */
bool os_write_all(int fd, const void *bytes, size_t n);

struct os_thread;
/* Signals that ask the program to end go to the first thread, never to one started here. NULL when
 * the host refuses. */
struct os_thread *os_thread_start(void (*main)(void *arg), void *arg);
void os_thread_join(struct os_thread *thread);

struct os_mutex;
struct os_mutex *os_mutex_create(void);
void os_mutex_destroy(struct os_mutex *mutex);
void os_mutex_lock(struct os_mutex *mutex);
void os_mutex_unlock(struct os_mutex *mutex);

/* Waiting for what another thread changes under the mutex; may also return with nothing changed. */
struct os_condition;
struct os_condition *os_condition_create(void);
void os_condition_destroy(struct os_condition *condition);
void os_condition_wait(struct os_condition *condition, struct os_mutex *mutex);
void os_condition_signal(struct os_condition *condition); /* one waiting thread, not all */
void os_condition_broadcast(struct os_condition *condition);

/* Held by many threads (shared) or by one alone (exclusive). */
struct os_rwlock;
struct os_rwlock *os_rwlock_create(void);
void os_rwlock_destroy(struct os_rwlock *lock);
void os_rwlock_shared(struct os_rwlock *lock);
void os_rwlock_exclusive(struct os_rwlock *lock);
void os_rwlock_unlock(struct os_rwlock *lock);

/* Wakes one waiting thread from any thread or signal handler. A signal before the wait is kept;
 * several count as one. */
struct os_wake;
struct os_wake *os_wake_create(void);
void os_wake_destroy(struct os_wake *wake);
void os_wake_signal(struct os_wake *wake);
/* Returns after a signal, or after timeout_ns (UINT64_MAX: never); a host signal may end it too. */
void os_wake_wait(struct os_wake *wake, uint64_t timeout_ns);
/* The descriptor that can be read once signalled, for os_wait_readable. */
int os_wake_fd(const struct os_wake *wake);

/* Loads a shared library, for as long as the program runs. */
bool os_library_load(const char *file, struct error *err);
/* A symbol of a library that is loaded; NULL: there is none. */
void *os_library_symbol(const char *file, const char *name);

/* Terminal on fd 0: raw mode is undone by os_terminal_restore, at exit and at a fatal signal whose
 * action is the default one when os_terminal_raw is called. Output is still post-processed, so that
 * messages of the host look right. */
bool os_terminal_is_tty(int fd);
bool os_terminal_raw(struct error *err);
/* In characters; false: it is no terminal, or does not know. */
bool os_terminal_size(int fd, unsigned *columns, unsigned *rows);
void os_terminal_restore(void);

/* From now on a signal that asks the program to end (hang-up, interrupt, terminate) calls `stop`,
 * which must be async-signal-safe; a second one ends the program. What is ignored stays ignored,
 * and writing to a closed pipe becomes an error of the write. Before os_terminal_raw. */
void os_catch_stop_signals(void (*stop)(void *owner), void *owner);
/* As before os_catch_stop_signals; the owner may go. */
void os_release_stop_signals(void);
/* The number of the signal that called `stop`; 0: none. */
int os_stop_signal(void);

/* Waits until fd can be read (or is at its end), wake_fd can be read, or timeout_ms (-1: for ever).
 * Either may be -1: not looked at. A host signal ends it with OS_READY_NOTHING. */
enum os_ready { OS_READY_NOTHING, OS_READY_DATA, OS_READY_WAKE };
enum os_ready os_wait_readable(int fd, int wake_fd, int timeout_ms);

#endif
