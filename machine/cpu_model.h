/* What -cpu says: a model, and switches with QEMU's names. */
#ifndef RIVULET_MACHINE_CPU_MODEL_H
#define RIVULET_MACHINE_CPU_MODEL_H

#include "base/byte_sink.h"
#include "base/error.h"
#include "cpu/isa.h"

/* "rv64,zba=off,sv48=on"; NULL: the default. */
bool cpu_model_parse(const char *text, struct hart_isa *isa, struct error *err)
    __attribute__((warn_unused_result));

/* The models, a line each. */
void cpu_model_list(const struct byte_sink *out);

#endif
