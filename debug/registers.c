/* The registers of a hart by name (contract: registers.h). */
#include "debug/registers.h"

#include "base/values.h"

static const char *const x_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char *const f_names[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

const char *register_x_name(unsigned i)
{
    return x_names[i & 31];
}

const char *register_f_name(unsigned i)
{
    return f_names[i & 31];
}

/* "x7" of prefix x is 7, and so is the seventh name; -1: neither. */
static int number_in(const char *name, char prefix, const char *const *names)
{
    uint64_t number;
    if (name[0] == prefix && value_number(name + 1, &number) && number < 32 && strlen(name) <= 3)
        return (int)number;
    for (unsigned i = 0; i < 32; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

bool register_find(const char *name, struct reg *r)
{
    int number = 0;
    if (strcmp(name, "pc") == 0)
        r->kind = REGISTER_PC;
    else if ((number = strcmp(name, "fp") ? number_in(name, 'x', x_names) : 8) >= 0)
        r->kind = REGISTER_X;
    else if ((number = number_in(name, 'f', f_names)) >= 0)
        r->kind = REGISTER_F;
    else if ((number = csr_number(name)) >= 0)
        r->kind = REGISTER_CSR;
    else
        return false;
    r->number = (unsigned)number;
    return true;
}

uint64_t register_read(struct hart *h, const struct reg *r)
{
    uint64_t value = 0;
    switch (r->kind) {
    case REGISTER_PC:
        return h->pc;
    case REGISTER_X:
        return h->x[r->number];
    case REGISTER_F:
        return h->f[r->number];
    case REGISTER_CSR:
        hart_csr_peek(h, r->number, &value);
        return value;
    }
    return value;
}

struct machine_edit register_edit(unsigned hart, const struct reg *r, uint64_t value)
{
    static const enum edit_kind kinds[] = {[REGISTER_PC] = EDIT_PC,
                                           [REGISTER_X] = EDIT_X,
                                           [REGISTER_F] = EDIT_F,
                                           [REGISTER_CSR] = EDIT_CSR};
    return (struct machine_edit){
        .kind = kinds[r->kind], .hart = hart, .number = r->number, .value = value};
}
