/* Runs one riscv64 Linux program, its system calls translated to the host's. */
#ifndef RIVULET_SYSCALL_EXEC_H
#define RIVULET_SYSCALL_EXEC_H

#include "base/error.h"
#include "base/log.h"
#include "cpu/isa.h"
#include "syscall/paths.h"

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
    bool strace;
    const char *trace_file; /* of strace; NULL: standard error */
    struct log *log;
    /* Writes the name of a place in a file's code, "main+0x12", or nothing. NULL: nobody knows. */
    void (*name_place)(const char *file, uint64_t offset, char *text, size_t n);
};

/* False and err: it could not be started. Does not return if the program dies of a signal. */
bool exec_run(const struct exec_config *config, int *status, struct error *err);

#endif
