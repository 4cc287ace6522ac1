/* The handlers of the rows that superinstructions are made of, and of the superinstructions, which
 * may hold floating-point rows too. */
#include "cpu/arith.h"
#include "cpu/crypto.h"
#include "cpu/exec_fp.h"
#include "cpu/exec_words.h"
#include "cpu/fuse.h"

#define I(name, pattern, format, operands, ...)                                                    \
    HANDLER(op_##name)                                                                             \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
        NEXT;                                                                                      \
    }
#define F I
#define G I
#include "cpu/isa/b.def"
#include "cpu/isa/block.def"
#include "cpu/isa/fmem.def"
#include "cpu/isa/i.def"
#include "cpu/isa/m.def"
#undef I
#undef F
#undef G

#include "cpu/superinstructions.inc"
