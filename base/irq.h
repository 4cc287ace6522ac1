/* One interrupt wire. A device drives it by level; the board decides where it ends. Setting the
 * level it already has is free of effect. */
#ifndef RIVULET_BASE_IRQ_H
#define RIVULET_BASE_IRQ_H

#include <stdbool.h>

struct irq {
    void (*set)(void *target, unsigned number, bool level); /* NULL: not connected */
    void *target;
    unsigned number;
};

static inline void irq_set(const struct irq *irq, bool level)
{
    if (irq->set)
        irq->set(irq->target, irq->number, level);
}

#endif
