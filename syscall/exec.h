/* Runs one riscv64 Linux program, its system calls translated to the host's. */
#ifndef RIVULET_SYSCALL_EXEC_H
#define RIVULET_SYSCALL_EXEC_H

#include "base/error.h"
#include "base/log.h"
#include "cpu/isa.h"
#include "syscall/bare.h"
#include "syscall/paths.h"

#include <stdio.h>

struct exec_config {
    const char *program; /* a path, or a name to be found by PATH */
    const char *argv0;   /* NULL: as program */
    char *const *args;   /* behind argv[0]; NULL behind the last */
    char *const *environment;
    struct paths_config files; /* -L, --root, --bind, --read-only */
    struct hart_isa isa;
    uint64_t memory_bytes; /* 0: no limit of our own */
    uint64_t cpu_seconds;  /* likewise */
    bool no_network;       /* sockets to other programs of the host only */
    struct bare_config semihosting;
    bool strace;
    const char *trace_file; /* of strace; NULL: standard error */
    struct log *log;
    int log_fd; /* that it writes to, if it is one of ours; -1 */
    /* Writes the name of a place in a file's code, "main+0x12", or nothing. NULL: nobody knows. */
    void (*name_place)(const char *file, uint64_t offset, char *text, size_t n);
};

/* A program that is loaded, and stands before its first instruction. NULL and err. */
struct process;
struct process *exec_start(const struct exec_config *config, struct error *err);
void exec_release(struct process *p);

/* A file that we write beside the program, which does not meet its descriptor if it is told of:
 * log_fd. NULL and err. */
FILE *exec_open_file(const char *path, struct error *err);

enum exec_stop {
    EXEC_RAN,
    EXEC_ENDED,  /* number: the status */
    EXEC_KILLED, /* number: of the signal; exec_die ends the host's process likewise */
    /* For those who asked for it (inspect.h). */
    EXEC_ATTENTION,  /* somebody wants to be heard */
    EXEC_BREAKPOINT, /* it stands before one; going on goes over it */
    EXEC_WATCHPOINT, /* it stands behind an instruction that touched what is watched */
    EXEC_STEPPED,
    EXEC_SIGNAL,  /* number: going on delivers it */
    EXEC_PROGRAM, /* another one, by execve */
    EXEC_FILE,    /* a file was mapped to be executed */
};
struct exec_exit {
    enum exec_stop stop;
    int number;
};
struct exec_exit exec_run(struct process *p);
_Noreturn void exec_die(int number);

#endif
