/* The decoded operation: 16 bytes, the clean intermediate form between guest words and execution.
 * A block is a run of ops in the code cache (code.h), each with an entry in a cold side table. */
#ifndef RIVULET_CPU_OP_H
#define RIVULET_CPU_OP_H

#include "cpu/dispatch.h"

#include <stdint.h>

struct hart;

/* How handlers are called and how they go on is the dispatch form:
 * cpu/dispatch/<form>/cpu/dispatch.h, chosen by the build. */
typedef handler_result handler(struct hart *h, struct op *op, int64_t budget, uint64_t acc);

struct op {
    union {
        handler *run;
        uint64_t va;   /* second slot of jalr: the target that `target` is for */
        uint64_t page; /* third slot of an exit: physical page of `target` */
    };
    union {
        struct {
            uint8_t rd, rs1, rs2;
            uint8_t n; /* exits: steps from block entry up to here; fma: rs3 */
            int32_t imm;
        };
        struct op *target; /* link slots */
    };
};

_Static_assert(sizeof(struct op) == 16, "an op is 16 bytes");

#endif
