/* The registers of a hart by name: pc, x0 or zero, f0 or ft0, and every CSR of cpu/csr.def. */
#ifndef RIVULET_DEBUG_REGISTERS_H
#define RIVULET_DEBUG_REGISTERS_H

#include "cpu/hart.h"
#include "machine/edit.h"

enum register_kind { REGISTER_PC, REGISTER_X, REGISTER_F, REGISTER_CSR };

struct reg {
    enum register_kind kind;
    unsigned number; /* 0 to 31, or a CSR's */
};

/* The names of the calling convention: "zero", "ra", ..., "ft0", ... */
const char *register_x_name(unsigned i);
const char *register_f_name(unsigned i);

/* False: there is no such register. */
bool register_find(const char *name, struct reg *r) MUST_CHECK;
uint64_t register_read(struct hart *h, const struct reg *r);
/* What control_edit takes to write it. */
struct machine_edit register_edit(unsigned hart, const struct reg *r, uint64_t value);

#endif
