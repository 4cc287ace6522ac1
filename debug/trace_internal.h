/* What the files of the tracers share. */
#ifndef RIVULET_DEBUG_TRACE_INTERNAL_H
#define RIVULET_DEBUG_TRACE_INTERNAL_H

#include "base/line.h"
#include "cpu/code.h"
#include "cpu/hart.h"
#include "debug/insn_cache.h"
#include "debug/stacks.h"
#include "debug/symbols.h"
#include "debug/trace.h"

#define TRACE_ALL_HARTS UINT32_MAX

/* What a tracer that writes lines is to write. */
enum trace_item {
    TRACE_INSN = 1 << 0,
    TRACE_TRAP = 1 << 1,
    TRACE_INT = 1 << 2,
    TRACE_RETURN = 1 << 3,
    TRACE_SBI = 1 << 4,
    TRACE_SYSCALL = 1 << 5,
    TRACE_CSR = 1 << 6,
    TRACE_MMIO = 1 << 7,
    TRACE_TLB = 1 << 8,
    TRACE_SWITCH = 1 << 9,
};

/* Which instructions count: pc, privilege and hart of the moment. */
struct trace_filter {
    uint32_t hart;     /* TRACE_ALL_HARTS: any */
    unsigned privs;    /* bit by enum priv */
    uint64_t from, to; /* from <= pc < to */
};

struct tracer;

struct tracer_kind {
    unsigned wants; /* NOTICE_BIT */
    enum code_watch watch;
    bool needs_file; /* what it writes at its end is not for a terminal */
    /* Fills tracer.state. */
    bool (*start)(struct tracer *t, struct error *err);
    /* What passes the filter; a NOTICE_RAN when its NOTICE_BEGINS did; each NOTICE_SAMPLE. */
    void (*notice)(struct tracer *t, struct hart *h, const struct notice *n);
    /* Writes what was collected, and frees the state. */
    void (*finish)(struct tracer *t);
};

/* A word of -trace. */
struct trace_word {
    const char *name;
    const struct tracer_kind *kind;
    unsigned items; /* enum trace_item */
    unsigned wants; /* beside the kind's */
    const char *help;
};

/* Who runs now: from NOTICE_BEGINS to NOTICE_RAN. */
struct trace_run {
    uint64_t pc, pa, steps, satp;
    uint8_t priv;
};

struct tracer {
    struct trace *trace;
    const struct tracer_kind *kind;
    unsigned wants, items;
    struct trace_filter filter;
    uint64_t every; /* steps between samples */
    bool drcov;     /* the form of a coverage */
    bool has_lines; /* of a profile: below functions */
    unsigned number;
    char spec[256], path[1024];
    FILE *file;
    void *state;
    bool in_run; /* its filter lets the present run through */
    struct tracer *next;
};

struct trace {
    struct control *control;
    struct hart_observer observers[MACHINE_MAX_HARTS];
    struct tracer *tracers;
    const char *folder;                /* of relative names; NULL: where the process is */
    int (*place)(void *owner, int fd); /* of files; NULL: where they are */
    void *place_owner;
    unsigned next_number;
    struct symbols *symbols;
    struct insn_cache *instructions;
    struct lines *lines; /* NULL: nobody wants them */
    struct trace_run run;
};

/* The words, up to one without a name: trace_spec.c. */
extern const struct trace_word trace_words[];
/* Fills all but trace, number, file and state. */
bool trace_read_spec(const struct symbols *symbols, const char *spec, struct tracer *t,
                     struct error *err) MUST_CHECK;

extern const struct tracer_kind tracer_lines, tracer_commits, tracer_profile, tracer_samples,
    tracer_coverage, tracer_mix;

bool trace_passes(const struct trace_filter *f, const struct hart *h);

/* The place below a function at which an instruction of it is counted: with lines=on its line of
 * source, if that is known, else the function's own. */
uint32_t trace_place(const struct tracer *t, struct stacks *stacks, uint32_t function, uint64_t pc);

/* "<memcpy+0x10>", or nothing. */
void trace_put_symbol(struct line *l, const struct symbols *symbols, uint64_t address);

/* --- trace_insn.c: the instruction that runs, for tracers that write it -------------------- */

struct insn_trace {
    const struct insn_info *info; /* NULL: none has begun */
    uint64_t address;             /* of its access to memory */
    uint64_t stored;
    unsigned csr; /* CSR_NONE: it wrote none */
    uint64_t csr_value;
};
#define CSR_NONE UINT32_MAX

void insn_trace_begin(struct insn_trace *i, struct tracer *t, const struct hart *h);
uint64_t insn_trace_mask(unsigned bytes);
/* The value that is in memory behind an access. Devices are not read: what a load of one gave is in
 * its register. */
bool insn_trace_memory(const struct insn_trace *i, const struct hart *h, uint64_t *value);
/* What it did, in the own form; h is behind it. */
void insn_trace_put(struct line *l, const struct insn_trace *i, struct tracer *t,
                    const struct hart *h, bool trapped);

/* --- trace_calls.c ------------------------------------------------------------------------- */

struct syscall_trace;
struct syscall_trace *syscall_trace_create(void);
/* "openat(AT_FDCWD, "/etc/passwd", O_RDONLY)", and it is remembered until it returns. */
void syscall_trace_put(struct line *l, struct syscall_trace *s, const struct hart *h);
/* At a return to U at pc: "openat = 3". False: no call returns there. */
bool syscall_trace_put_return(struct line *l, struct syscall_trace *s, const struct hart *h,
                              uint64_t pc);
void sbi_trace_put(struct line *l, const struct hart *h);

#endif
