/* Debugging and measuring a program that `rivulet exec` runs. */
#ifndef RIVULET_FRONTEND_EXEC_DEBUG_H
#define RIVULET_FRONTEND_EXEC_DEBUG_H

#include "base/bits.h"
#include "syscall/exec.h"
#include "syscall/words.h"

struct exec_debug_options {
    const char *gdb_end; /* where gdb may come: exec_gdb.h; NULL: nowhere */
    bool waits_for_gdb;  /* before the first instruction */
    bool starts_stopped; /* likewise, with whoever comes */
    struct words traces, symbols;
    const char *folder; /* of relative names: the program's may be another; NULL: not known */
};

/* Whether the program must be watched. */
bool exec_debug_is_wanted(const struct exec_debug_options *o);
/* As exec_run to the end, with all that is asked for. False and err. */
bool exec_debug_run(struct process *p, const struct exec_debug_options *o, struct exec_exit *exit,
                    struct error *err) MUST_CHECK;
/* For exec_config.name_place: "main+0x12 (crash.c:7)". */
void exec_name_place(const char *file, uint64_t offset, char *text, size_t n);

#endif
