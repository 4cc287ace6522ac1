/* What a user writes for a number: 0x80000000, $a0 + 8, ($sp & ~15) * 2, memcpy + 4. As in C, in 64
 * bits, without signs; $NAME is a register (debug/registers.h), NAME a symbol's address. */
#ifndef RIVULET_DEBUG_EXPRESSION_H
#define RIVULET_DEBUG_EXPRESSION_H

#include "cpu/hart.h"

struct symbols;

/* Reads the longest expression at *text and moves behind it and the spaces that follow. */
bool expression_read(const char **text, struct hart *h, const struct symbols *symbols,
                     uint64_t *value, struct error *err) MUST_CHECK;

#endif
