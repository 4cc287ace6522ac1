/* A Linux program without a kernel: a hart in U-mode, an address space, and what a kernel keeps for
 * a process. Its exceptions end hart_run; system calls are then translated to the host's.
 *
 * The host's process is the guest's: descriptors, identities, children, the mask of signals and
 * what waits for them are the host's own, and cost nothing to keep. */
#ifndef RIVULET_SYSCALL_PROCESS_H
#define RIVULET_SYSCALL_PROCESS_H

#include "base/clock.h"
#include "base/os_process.h"
#include "cpu/code.h"
#include "syscall/exec.h"
#include "syscall/inspect.h"
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

#define AUXV_MOST 20u
#define OWN_MOST  128u

#define TIMERS_MOST 64u

/* What a debugger has asked for, and what it is to be told (inspect.h). */
struct inspection {
    bool is_on;
    bool tells_programs;   /* each execve */
    bool tells_files;      /* each file that is mapped to be executed */
    uint64_t told_signals; /* bit number - 1: they stop the program before they do anything */
    uint64_t step_end;     /* UINT64_MAX: none */
    struct watch *watches;
    unsigned watch_count;
    /* News. */
    bool attention, is_replaced;
    uint64_t files_told; /* of space.file_count */
    struct {
        bool waits; /* to be told, or to be delivered when the program goes on */
        bool is_told, is_fault;
        int number;
        uint8_t info[OS_SIGINFO_BYTES];
    } signal;
    int files[INSPECT_FILES]; /* descriptors of ours + 1; 0: none */
};

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
    /* Descriptors that are ours: the guest's calls do not find them. Those of the views too. */
    int own[OWN_MOST];
    unsigned own_count;
    FILE *trace; /* -strace; NULL: none */
    bool ended;  /* with this status, or by this signal */
    int status, killed_by;
    int first_pid;
    uint64_t stack_limit[2], space_limit[2], data_limit[2]; /* RLIMIT_STACK, _AS, _DATA */
    int vfork_fd;      /* a parent waits until it is closed; -1: none */
    uint64_t named[8]; /* missing calls that the log has named, a bit each */
    uint64_t auxv[AUXV_MOST][2];
    unsigned auxv_count;
    struct inspection inspection;
    struct bare *bare;
    uint64_t first_sp;           /* as the program was started */
    int32_t timers[TIMERS_MOST]; /* that timer_create made */
    unsigned timer_count;
};

/* Loads a program in place of the one that is there: execve. `path` is the guest's name, relative
 * to `at`. Negative errno: nothing happened, and *why says it in words. After the point of no
 * return a failure ends the process. */
int process_load(struct process *p, int at, const char *path, struct words *argv,
                 const struct words *envp, const char **why);

/* Makes a descriptor ours: its new number, or -1, and it is closed. */
int process_own(struct process *p, int fd);
void process_close_own(struct process *p, int fd);
/* One that was moved already, and that another closes with the process. */
void process_add_own(struct process *p, int fd);
/* Whether a descriptor is ours, which the guest's calls must leave alone. */
bool process_owns(const struct process *p, int fd);
/* The lowest of ours that is at least `from`; -1: none. */
int process_next_own(const struct process *p, uint64_t from);
/* The system call that the hart stands at. */
void process_call(struct process *p);
/* A signal that what the hart stands at raised itself. */
void process_fault(struct process *p, int number, int code, uint64_t address);
/* The same once a debugger has seen it: a handler runs, or it is the program's end. */
void process_take_fault(struct process *p, int number, const void *siginfo);
/* The program ends of a signal, and the host's process with it when exec_run has returned. */
void process_die(struct process *p, int number);
/* Registers, and where the program stands, to standard error; address: of a fault, or NULL.
 * report.c */
void process_report(const struct process *p, int number, const uint64_t *address);

/* Those that are left, which execve does not keep. call_timer.c */
void process_delete_timers(struct process *p);

/* --- inspect.c --- */

void inspect_init(struct process *p);
/* Whether the signal waits for a debugger, who will be told of it. */
bool inspect_holds(struct process *p, int number, bool is_fault, const void *siginfo);
/* Before the program goes on: what was held is delivered. */
void inspect_go_on(struct process *p);
/* Whether there is something to tell; EXEC_RAN: there is not. */
enum exec_stop inspect_news(struct process *p);
/* In the child of a fork: nobody debugs it. */
void inspect_leave(struct process *p);
void inspect_release(struct process *p);

#endif
