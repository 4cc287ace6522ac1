/* What the files of the gdb stub share. */
#ifndef RIVULET_DEBUG_GDB_INTERNAL_H
#define RIVULET_DEBUG_GDB_INTERNAL_H

#include "cpu/hart.h"
#include "debug/gdb.h"
#include "debug/gdb_agent.h"
#include "debug/gdb_packet.h"

#define GDB_POINTS_MOST 512u
#define GDB_FILES_MOST  8u

/* Errors are told as numbers of errno, as QEMU's stub does. */
#define GDB_EPERM  "E01"
#define GDB_EFAULT "E14"
#define GDB_EINVAL "E22"

/* Bits of the sstep mask. */
enum gdb_sstep { GDB_SSTEP_ENABLE = 1, GDB_SSTEP_NOIRQ = 2, GDB_SSTEP_NOTIMER = 4 };

/* Types of Z packets. */
enum gdb_point_type { GDB_SOFTWARE, GDB_HARDWARE, GDB_WRITE, GDB_READ, GDB_ACCESS };

/* gdb takes all its breakpoints away at each stop and puts them back before going on. Each change
 * costs the decoded code: so one that it does not want any more stays until the machine goes on
 * without it. */
struct gdb_point {
    bool is_used, is_wanted;
    enum gdb_point_type type;
    uint64_t kind; /* the length of what is watched */
    struct control_breakpoint breakpoint;
    struct control_watchpoint watchpoint;
    struct gdb_conditions *conditions; /* NULL: none */
    struct gdb *gdb;
};

struct gdb {
    struct control *control;
    const struct target_program *program; /* NULL: it is a machine */
    struct monitor *monitor;              /* NULL: there is none */
    struct control_observer observer;
    struct gdb_packets packets;
    bool has_peer;
    bool owes_stop; /* the machine goes on at gdb's wish: the next stop is the reply */
    bool multiprocess, tells_software, tells_hardware, tells_programs;
    bool physical;                   /* m, M, x, X: addresses are physical */
    unsigned sstep;                  /* enum gdb_sstep */
    unsigned hart;                   /* Hg: of registers and memory */
    unsigned actor;                  /* Hc: of c and s */
    unsigned signal;                 /* gdb's number: a program gets it when it goes on */
    uint64_t range_start, range_end; /* vCont;r */
    struct gdb_point points[GDB_POINTS_MOST];
    int files[GDB_FILES_MOST]; /* descriptors + 1 that this peer has opened; 0: none */
    char *features;            /* the target description */
};

/* A packet's handler: t is what stands behind its name. It replies, but when the reply is a stop.
 */
typedef void gdb_handler(struct gdb *g, struct gdb_text *t);

/* --- gdb.c: threads, and what all use --- */

enum gdb_thread_kind { GDB_ALL_THREADS, GDB_ANY_THREAD, GDB_ONE_THREAD };
struct gdb_thread {
    enum gdb_thread_kind kind;
    unsigned hart; /* ONE: it exists */
};

/* A whole reply. */
void gdb_answer(struct gdb *g, const char *text);
struct machine *gdb_machine(const struct gdb *g); /* NULL: it is a program */
struct hart *gdb_hart(const struct gdb *g);
unsigned gdb_hart_count(const struct gdb *g);
void gdb_put_thread(struct gdb *g, unsigned hart);
bool gdb_take_thread(const struct gdb *g, struct gdb_text *t, struct gdb_thread *thread) MUST_CHECK;

/* --- gdb_memory.c: registers and memory --- */

gdb_handler gdb_read_registers, gdb_write_registers, gdb_read_register, gdb_write_register;
gdb_handler gdb_read_memory, gdb_write_memory, gdb_read_binary, gdb_write_binary, gdb_search;

/* By gdb's number. False: there is none here. */
bool gdb_register_value(struct hart *h, uint64_t number, uint64_t *value) MUST_CHECK;

#define GDB_FIRST_F   33u
#define GDB_FIRST_CSR 65u
#define GDB_PRIV      (GDB_FIRST_CSR + 4096u)

/* --- gdb_query.c: q and Q packets --- */

gdb_handler gdb_query, gdb_set;

/* --- gdb_features.c --- */

/* The target description; NULL: no memory. The caller frees it. */
char *gdb_describe_target(bool is_program);

/* --- gdb_program.c: what only programs have --- */

/* The process that a machine is, or a program's. */
unsigned gdb_process(const struct gdb *g);
/* gdb's number of the signal that stopped it. */
unsigned gdb_program_signal(const struct machine_exit *exit);
/* In a stop's reply: that it is another program now. */
void gdb_put_program(struct gdb *g);
/* Before it goes on. */
void gdb_give_signal(struct gdb *g);
/* The last packet of all. */
void gdb_tell_end(struct gdb *g);
gdb_handler gdb_read_auxv, gdb_read_file_name, gdb_pass_signals;

/* --- gdb_vfile.c --- */

gdb_handler gdb_file_packet;
/* A peer that leaves has perhaps not closed its own. */
void gdb_close_files(struct gdb *g);

/* --- gdb_query.c: a document's part, OFFSET,LENGTH --- */

void gdb_answer_document(struct gdb *g, struct gdb_text *t, const void *document, size_t size);

/* --- gdb_points.c: breakpoints and watchpoints --- */

gdb_handler gdb_insert_point, gdb_remove_point;
void gdb_remove_all_points(struct gdb *g);
/* What gdb does not want any more; before the machine goes on, or steps. */
void gdb_remove_unwanted(struct gdb *g, bool steps);
/* One at this address that gdb wants, or does not want any more; or NULL. */
const struct gdb_point *gdb_breakpoint_at(const struct gdb *g, uint64_t va, bool is_wanted);

/* --- gdb_resume.c: going on, stopping --- */

gdb_handler gdb_continue, gdb_continue_with, gdb_step, gdb_step_back, gdb_continue_back,
    gdb_step_with, gdb_v_packet;
/* The reply that tells where the machine stands; ? asks for it. */
void gdb_report_stop(struct gdb *g, bool is_asked);
/* A stopped machine steps no more. */
void gdb_end_step(struct gdb *g);

#endif
