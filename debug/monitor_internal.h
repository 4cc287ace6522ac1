/* What the files of the monitor share: its state, how commands are written, and their arguments. */
#ifndef RIVULET_DEBUG_MONITOR_INTERNAL_H
#define RIVULET_DEBUG_MONITOR_INTERNAL_H

#include "cpu/insn.h"
#include "debug/monitor.h"

struct hart;

#define MONITOR_BREAKPOINTS_MAX 64u
#define MONITOR_WATCHPOINTS_MAX 16u

struct monitor {
    struct control *control;
    struct control_observer observer;
    struct insn_decoder *decoder;
    struct trace *trace;                                               /* NULL: none was given */
    bool (*open_gdb)(void *owner, const char *end, struct error *err); /* NULL: nobody can */
    void *gdb_owner;
    const struct vnc_access *vnc; /* NULL: there is no server */
    bool may_ask, asks_password;  /* the line that runs: monitor_run_asking */
    unsigned hart;                /* the current one */
    bool is_stepping;
    char condition[128]; /* of run-until */
    struct control_breakpoint breakpoints[MONITOR_BREAKPOINTS_MAX];
    unsigned breakpoint_count;
    struct control_watchpoint watchpoints[MONITOR_WATCHPOINTS_MAX]; /* bytes 0: free */
    struct byte_sink out;                                           /* during a command */
};

/* What stands behind a command's name. */
struct arguments {
    const char *rest; /* no spaces before it */
    /* name/FMT: count 1 to ..., the letters or 0. */
    uint64_t count;
    char format, size;
};

/* False and err: the command has failed. */
typedef bool monitor_command(struct monitor *m, struct arguments *a, struct error *err);

struct monitor_row {
    const char *name, *alias; /* alias NULL: none */
    const char *syntax;       /* of the arguments */
    const char *help;
    monitor_command *run;
};

/* The tables end with a row without a name. */
extern const struct monitor_row monitor_run_rows[];      /* monitor_run.c */
extern const struct monitor_row monitor_point_rows[];    /* monitor_points.c */
extern const struct monitor_row monitor_memory_rows[];   /* monitor_memory.c */
extern const struct monitor_row monitor_screen_rows[];   /* monitor_screen.c */
extern const struct monitor_row monitor_trace_rows[];    /* monitor_trace.c */
extern const struct monitor_row monitor_snapshot_rows[]; /* monitor_snapshot.c */
extern const struct monitor_row monitor_past_rows[];     /* monitor_past.c */
extern const struct monitor_row monitor_info_rows[];     /* monitor_info.c: info NAME */

/* --- monitor.c ---------------------------------------------------------------------------- */

#define say(m, ...) byte_sink_print(&(m)->out, __VA_ARGS__)

/* The names of all commands, from 0; NULL: there are no more. */
const char *monitor_command_name(size_t i);
struct machine *monitor_machine(const struct monitor *m);
struct hart *monitor_hart(const struct monitor *m);

/* The next word, in which "..." may hold spaces; "" at the end; longer ones are cut. */
void argument_word(struct arguments *a, char *word, size_t size);
bool argument_number(struct monitor *m, struct arguments *a, uint64_t *value,
                     struct error *err) MUST_CHECK;
/* Whether nothing is left; else an error that shows it. */
bool argument_end(const struct arguments *a, struct error *err) MUST_CHECK;

/* --- others ------------------------------------------------------------------------------- */

/* One line: the instruction at va. False: there is no memory. */
bool monitor_show_instruction(struct monitor *m, struct hart *h, uint64_t va, size_t *length);
/* info mem: monitor_pages.c. */
bool monitor_show_pages(struct monitor *m, struct arguments *a, struct error *err);
/* info breakpoints: monitor_points.c. */
bool monitor_show_breakpoints(struct monitor *m, struct arguments *a, struct error *err);
void monitor_remove_points(struct monitor *m);
/* info snapshots, info checkpoint: monitor_snapshot.c. */
bool monitor_show_checkpoint(struct monitor *m, struct arguments *a, struct error *err);
bool monitor_show_snapshots(struct monitor *m, struct arguments *a, struct error *err);

#endif
