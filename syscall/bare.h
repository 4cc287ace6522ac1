/* Semihosting for a program that may know no Linux: what it names are the program's files, its
 * console is the process's three descriptors, its end is the program's. */
#ifndef RIVULET_SYSCALL_BARE_H
#define RIVULET_SYSCALL_BARE_H

#include "base/bits.h"
#include "base/error.h"

#include <stdbool.h>

struct process;
struct hart;
struct words;

struct bare_config {
    bool is_off;        /* such an ebreak is one as any other */
    const char *folder; /* whose files there are; NULL: the program's, as system calls find them */
};

/* Before there is a program. */
bool bare_open(struct process *p, struct error *err) MUST_CHECK;
void bare_close(struct process *p);
/* A new program with these arguments: what the one before had open is closed. False: no memory. */
bool bare_begin(struct process *p, const struct words *argv);
/* For hart_ports.semihosting; the owner is the process. */
bool bare_call(void *process, struct hart *h);

#endif
