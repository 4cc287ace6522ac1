/* What the files of the view share. */
#ifndef RIVULET_DEBUG_VIEW_INTERNAL_H
#define RIVULET_DEBUG_VIEW_INTERNAL_H

#include "cpu/hart.h"
#include "debug/insn_cache.h"
#include "debug/scrollback.h"
#include "debug/symbols.h"
#include "debug/view.h"

#define VIEW_CSRS_MOST        512u
#define VIEW_EXPRESSION_BYTES 256u

/* A hart's registers at a moment. */
struct snapshot {
    uint64_t pc, x[32], f[32], csr[VIEW_CSRS_MOST];
    uint8_t priv;
};

/* A run to where a function returns or the cursor stands (view_steps.c). */
struct motion {
    struct control_breakpoint breakpoint;
    bool is_set;       /* the breakpoint is */
    bool any_hart;     /* and at any depth of the stack */
    unsigned hart;     /* else: this one, */
    uint64_t sp, satp; /* here or further out on the stack, */
    uint8_t priv;      /* in this mode */
    /* VIEW_FINISH. */
    bool returned;        /* the last instruction was a return of the function itself */
    bool in_call;         /* it has called, */
    uint64_t behind_call; /* and goes on there */
    struct control_work clean_up;
};

struct view {
    struct control *control;
    struct monitor *monitor;
    const struct symbols *symbols;
    struct insn_cache *instructions;
    struct control_observer observer;
    void (*changed)(void *owner);
    void *changed_owner;
    struct motion motion;
    unsigned csr_count;
    uint16_t csrs[VIEW_CSRS_MOST];             /* numbers, the most wanted first */
    struct snapshot now[MACHINE_MAX_HARTS];    /* at the last stop */
    struct snapshot before[MACHINE_MAX_HARTS]; /* at the one before it */
    uint64_t top, cursor;                      /* VIEW_CODE: addresses */
    bool follows;                              /* VIEW_CODE is to show the pc */
    char expression[VIEW_PANES][VIEW_EXPRESSION_BYTES];
    int64_t offset[VIEW_PANES]; /* rows that a pane is scrolled by */
    struct scrollback *console, *said;
    enum view_action back; /* what go_back is to do */
    struct control_work go_back;
};

struct hart *view_hart(const struct view *v);
bool view_is_running(const struct view *v);
/* What the registers' panes show: the present, or while it runs the last stop. */
const struct snapshot *view_registers(struct view *v);

/* "<memcpy+0x10>", or nothing. */
void view_put_symbol(const struct view *v, struct sheet_row *r, const char *before,
                     uint64_t address);
bool view_evaluate(const struct view *v, const char *expression, uint64_t *value,
                   struct error *err) MUST_CHECK;

/* --- view_code.c -------------------------------------------------------------------------- */

/* The instruction at va; NULL: there is no memory. Valid until the next call. */
const struct insn_info *view_instruction(const struct view *v, uint64_t va);
void view_show_code(struct view *v, struct sheet *s);
void view_move_cursor(struct view *v, int rows);

/* --- view_data.c -------------------------------------------------------------------------- */

void view_find_csrs(struct view *v);
void view_show_registers(struct view *v, struct sheet *s);
void view_show_csrs(struct view *v, struct sheet *s);
void view_show_harts(struct view *v, struct sheet *s);

/* --- view_memory.c ------------------------------------------------------------------------ */

void view_show_memory(struct view *v, struct sheet *s);
void view_show_stack(struct view *v, struct sheet *s);
void view_show_walk(struct view *v, struct sheet *s);

/* --- view_steps.c ------------------------------------------------------------------------- */

bool view_step(struct view *v, struct error *err) MUST_CHECK;
bool view_step_over(struct view *v, struct error *err) MUST_CHECK;
bool view_finish(struct view *v, struct error *err) MUST_CHECK;
bool view_run_to(struct view *v, uint64_t va, struct error *err) MUST_CHECK;
void view_create_motion(struct view *v);
/* The machine has stopped: the motion is over. */
void view_end_motion(struct view *v);

#endif
