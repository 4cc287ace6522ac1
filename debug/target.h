/* What a control lets run: a machine, or a program without a kernel (syscall/), which is a hart and
 * its memory. All that debuggers and traces need of either is here; what only one of them has is
 * asked of itself. */
#ifndef RIVULET_DEBUG_TARGET_H
#define RIVULET_DEBUG_TARGET_H

#include "machine/edit.h"

#include <stdatomic.h>

/* Of a file that a debugger reads by its name. */
struct program_file {
    uint32_t mode, links;
    uint64_t bytes, blocks, modified_s;
};

/* How a program is run and looked at; signals are numbers of Linux. */
struct program_ops {
    struct machine_exit (*run)(void *owner); /* SIGNAL and REPLACED too */
    void (*request_stop)(void *owner);       /* any thread */
    void (*stop_at)(void *owner, uint64_t end_steps);
    struct hart *(*hart)(void *owner);
    bool (*add_breakpoint)(void *owner, uint64_t va);
    void (*remove_breakpoint)(void *owner, uint64_t va);
    bool (*add_watchpoint)(void *owner, const struct watch *w);
    void (*remove_watchpoint)(void *owner, const struct watch *w);
    /* What only programs have. */
    int (*pid)(void *owner);
    const char *(*file)(void *owner); /* the name of what runs */
    const void *(*auxv)(void *owner, size_t *bytes);
    int (*killed_by)(void *owner);                         /* once it has ended; 0: it returned */
    bool (*may_write)(void *owner, uint64_t va, size_t n); /* for a debugger */
    /* MACHINE_SIGNAL comes for these, bit number - 1. */
    void (*tell_signals)(void *owner, uint64_t signals);
    /* What it gets when it goes on, in place of what it stopped for; 0: nothing. */
    void (*set_signal)(void *owner, int number);
    /* Files as the program would find them, for reading: a descriptor or a negative errno, bytes or
     * a negative errno. What is read, described and closed has been opened so. */
    int (*open)(void *owner, const char *name);
    long (*read)(void *owner, int fd, void *to, size_t n, uint64_t offset);
    bool (*describe)(void *owner, int fd, struct program_file *file);
    void (*close)(void *owner, int fd);
};

struct target_program {
    const struct program_ops *ops;
    void *owner;
};

struct target {
    _Atomic(struct machine *) machine;    /* another one may succeed it */
    const struct target_program *program; /* in place of a machine; else NULL */
};

/* Each is what machine.h says of the function of its name. */
struct machine_exit target_run(const struct target *t, uint64_t until_ns);
void target_request_stop(const struct target *t);
void target_stop_at(const struct target *t, unsigned hart, uint64_t end_steps);
void target_stop_at_total(const struct target *t, uint64_t end_steps);
struct hart *target_hart(const struct target *t, unsigned id);
uint64_t target_steps(const struct target *t);
bool target_add_breakpoint(const struct target *t, uint64_t va) MUST_CHECK;
void target_remove_breakpoint(const struct target *t, uint64_t va);
bool target_add_watchpoint(const struct target *t, const struct watch *w) MUST_CHECK;
void target_remove_watchpoint(const struct target *t, const struct watch *w);
/* A program's registers of U-mode and its memory, what its host lets be written. */
bool target_edit(const struct target *t, const struct machine_edit *e,
                 struct error *err) MUST_CHECK;

#endif
