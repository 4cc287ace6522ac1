/* The loop, counting how often each slot is executed: for `-d profile`. */
#ifndef RIVULET_CPU_DISPATCH_H
#define RIVULET_CPU_DISPATCH_H

struct op;
typedef struct op *handler_result;

/* Whether code_cache.executed is counted. */
enum { DISPATCH_COUNTS = 1 };

#define CONTINUE_AT(next)                                                                          \
    do {                                                                                           \
        h->budget = budget;                                                                        \
        h->acc = acc;                                                                              \
        return (next);                                                                             \
    } while (0)
#define TAIL(other) return other(h, op, budget, acc)
#define LEAVE       return NULL
#define DISPATCH(h, first, first_budget)                                                           \
    do {                                                                                           \
        struct op *next_ = (first);                                                                \
        (h)->budget = (first_budget);                                                              \
        while (next_) {                                                                            \
            if ((h)->ports.code->executed)                                                         \
                (h)->ports.code->executed[next_ - (h)->ports.code->ops]++;                         \
            next_ = next_->run(h, next_, (h)->budget, (h)->acc);                                   \
        }                                                                                          \
    } while (0)

#endif
