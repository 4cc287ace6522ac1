/* A Linux program without a kernel: a hart in U-mode, an address space, and what a kernel keeps for
 * a process. Its exceptions end hart_run; system calls are then translated to the host's.
 *
 * The host's process is the guest's: descriptors, identities, children, the mask of signals and
 * what waits for them are the host's own, and cost nothing to keep. */
#ifndef RIVULET_SYSCALL_PROCESS_H
#define RIVULET_SYSCALL_PROCESS_H

#include "base/clock.h"
#include "cpu/code.h"
#include "syscall/exec.h"
#include "syscall/paths.h"
#include "syscall/signals.h"
#include "syscall/space.h"
#include "syscall/words.h"

#include <stdio.h>

#define X_RA 1
#define X_SP 2
#define X_TP 4
#define X_A0 10
#define X_A7 17

struct process {
    const struct exec_config *config;
    struct log *log;
    struct clock clock;
    struct memory_map *memory;
    struct code_cache *code;
    struct hart *hart;
    struct space space;
    struct paths paths;
    struct signals signals;
    int trace_fd; /* of trace, if it is a file; -1 */
    FILE *trace;  /* -strace; NULL: none */
    bool ended;   /* with this status */
    int status;
    int first_pid;
    uint64_t stack_limit[2], space_limit[2], data_limit[2]; /* RLIMIT_STACK, _AS, _DATA */
    int vfork_fd;      /* a parent waits until it is closed; -1: none */
    uint64_t named[8]; /* missing calls that the log has named, a bit each */
};

/* Loads a program in place of the one that is there: execve. `path` is the guest's name, relative
 * to `at`. Negative errno: nothing happened, and *why says it in words. After the point of no
 * return a failure ends the process. */
int process_load(struct process *p, int at, const char *path, struct words *argv,
                 const struct words *envp, const char **why);

/* Whether a descriptor is ours, which the guest's calls must leave alone. */
bool process_owns(const struct process *p, int fd);
/* The lowest of ours that is at least `from`; -1: none. */
int process_next_own(const struct process *p, uint64_t from);
/* The system call that the hart stands at. */
void process_call(struct process *p);
/* A signal that what the hart stands at raised itself. */
void process_fault(struct process *p, int number, int code, uint64_t address);
/* Ends the host's process too. */
_Noreturn void process_die(struct process *p, int number);

#endif
