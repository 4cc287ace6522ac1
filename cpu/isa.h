/* What the harts of a machine can do: a switch for each extension, fixed when the machine is made.
 * The decoder leaves out the rows of what is off, and CSR rows ask in their presence column, so
 * that a switch costs nothing while the hart runs. */
#ifndef RIVULET_CPU_ISA_H
#define RIVULET_CPU_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hart_isa {
#define EXTENSION(name, models, needs) bool name;
#include "cpu/extensions.def"
#undef EXTENSION
    unsigned max_satp_mode; /* 8 Sv39, 9 Sv48, 10 Sv57 */
};

enum isa_model { ISA_RV64, ISA_MAX, ISA_RVA22 };

struct extension {
    const char *name;
    unsigned models;   /* bits by enum isa_model */
    const char *needs; /* names with spaces between */
    size_t offset;     /* in struct hart_isa */
};

extern const struct extension isa_extensions[];
extern const unsigned isa_extension_count;

/* What a model has, Sv57 or (RVA22) Sv39 included. */
struct hart_isa isa_of_model(enum isa_model model);
/* All that there is, for tests and tools. */
struct hart_isa isa_of_everything(void);

/* The extension of this name; NULL: there is none. */
const struct extension *isa_find(const char *name);
static inline bool *isa_switch(struct hart_isa *isa, const struct extension *extension)
{
    return (bool *)((char *)isa + extension->offset);
}

/* Makes the set whole: what is needed comes along, and what needs something that `fixed` (a switch
 * is true: its value in isa was asked for) keeps off goes. False: both were asked for, and *needs
 * cannot be without *off. */
bool isa_complete(struct hart_isa *isa, const struct hart_isa *fixed,
                  const struct extension **needs, const struct extension **off);

/* "rv64imafdc_zicbom_...": the letters, then the words. False: it does not fit. */
bool isa_string(const struct hart_isa *isa, char *text, size_t n);
/* The register misa. */
uint64_t isa_misa(const struct hart_isa *isa);

#endif
