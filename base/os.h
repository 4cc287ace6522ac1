/* All that differs from host to host; os_posix.c is the only file with per-host code. */
#ifndef RIVULET_BASE_OS_H
#define RIVULET_BASE_OS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Monotonic host time and wall-clock time since 1970, in ns. */
uint64_t os_monotonic_ns(void);
uint64_t os_wall_clock_ns(void);

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

struct os_thread;
struct os_thread *os_thread_start(void (*main)(void *arg), void *arg);
void os_thread_join(struct os_thread *thread);

/* Terminal on fd 0: raw mode is undone by os_terminal_restore, at exit and at a fatal signal. */
bool os_terminal_is_tty(int fd);
bool os_terminal_raw(struct error *err);
void os_terminal_restore(void);

/* Waits until fd can be read, wake_fd can be read, or timeout_ms (-1: for ever). */
enum os_ready { OS_READY_NOTHING, OS_READY_DATA, OS_READY_WAKE };
enum os_ready os_wait_readable(int fd, int wake_fd, int timeout_ms);

#endif
