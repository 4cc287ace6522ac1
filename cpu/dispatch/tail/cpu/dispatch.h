/* Dispatch by tail calls: each handler jumps to the next one; the budget stays in a register.
 * For compilers whose optimiser turns these calls into jumps but lack the attribute that demands it
 * (gcc): the build tests it, see tools/check-style. A call that stayed one would only cost stack
 * until the end of the slice. */
#ifndef RIVULET_CPU_DISPATCH_H
#define RIVULET_CPU_DISPATCH_H

struct op;
typedef void handler_result;

/* Whether code_cache.executed is counted. */
enum { DISPATCH_COUNTS = 0 };

/* Runs the op at `next`, the last thing that a handler does. The empty asm keeps gcc from loading
 * op->run by the old `op`, which takes two more instructions a handler. */
#define CONTINUE_AT(next)                                                                          \
    do {                                                                                           \
        op = (next);                                                                               \
        __asm__("" : "+r"(op));                                                                    \
        return op->run(h, op, budget, acc);                                                        \
    } while (0)
/* Goes on in another handler for the same op. */
#define TAIL(other) return other(h, op, budget, acc)
/* Back to hart_run: pc and steps are set. */
#define LEAVE return
/* Runs from op until a handler leaves. */
#define DISPATCH(h, op, budget) (op)->run(h, op, budget, 0)

#endif
