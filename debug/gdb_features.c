/* The target description: what registers there are, in gdb's words (gdb manual, appendix "Target
 * Descriptions", section "RISC-V Features"). Numbers are gdb's own: x0 to x31, pc, f0 to f31, all
 * CSRs in the order of their numbers, and the privilege. */
#include "debug/gdb_internal.h"
#include "debug/registers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DESCRIPTION_BYTES (64u << 10)

struct description {
    char *text;
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct description *d, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(d->text + d->n, DESCRIPTION_BYTES - d->n, format, args);
    va_end(args);
    d->n = min_u64(d->n + (size_t)n, DESCRIPTION_BYTES - 1);
}

static void put_reg(struct description *d, const char *name, const char *type, unsigned number,
                    const char *more)
{
    put(d, "<reg name=\"%s\" bitsize=\"64\" type=\"%s\" regnum=\"%u\"%s/>\n", name, type, number,
        more);
}

/* x8 is fp to gdb; s0 is its other name there. */
static void put_cpu(struct description *d)
{
    put(d, "<feature name=\"org.gnu.gdb.riscv.cpu\">\n");
    for (unsigned i = 0; i < 32; i++) {
        const char *name = i == 8 ? "fp" : register_x_name(i);
        const char *type = i == 1 ? "code_ptr" : (i >= 2 && i <= 4) || i == 8 ? "data_ptr" : "int";
        put_reg(d, name, type, i, "");
    }
    put_reg(d, "pc", "code_ptr", 32, "");
    put(d, "</feature>\n");
}

static void put_fpu(struct description *d)
{
    put(d, "<feature name=\"org.gnu.gdb.riscv.fpu\">\n"
           "<union id=\"riscv_double\">\n"
           "<field name=\"float\" type=\"ieee_single\"/>\n"
           "<field name=\"double\" type=\"ieee_double\"/>\n"
           "</union>\n");
    for (unsigned i = 0; i < 32; i++)
        put_reg(d, register_f_name(i), "riscv_double", GDB_FIRST_F + i, "");
    put(d, "</feature>\n");
}

/* A program has fcsr and its parts, and the counters that user mode reads. */
static bool has_csr(bool is_program, unsigned number)
{
    bool is_users = (number >= 1 && number <= 3) || (number >= 0xc00 && number <= 0xc02);
    return csr_name(number) && (is_users || !is_program);
}

/* gdb restores what it may after a call of the guest's function: CSRs it may not. */
static void put_csrs(struct description *d, bool is_program)
{
    put(d, "<feature name=\"org.gnu.gdb.riscv.csr\">\n");
    for (unsigned number = 0; number < 4096; number++)
        if (has_csr(is_program, number))
            put_reg(d, csr_name(number), "int", GDB_FIRST_CSR + number,
                    " group=\"csr\" save-restore=\"no\"");
    put(d, "</feature>\n");
}

/* A machine has no OS ABI: gdb would else step as on Linux, by breakpoints, and so miss traps and
 * interrupts. */
char *gdb_describe_target(bool is_program)
{
    struct description d = {.text = malloc(DESCRIPTION_BYTES)};
    if (!d.text)
        return NULL;
    put(&d,
        "<?xml version=\"1.0\"?>\n"
        "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
        "<target version=\"1.0\">\n"
        "<architecture>riscv:rv64</architecture>\n"
        "<osabi>%s</osabi>\n",
        is_program ? "GNU/Linux" : "none");
    put_cpu(&d);
    put_fpu(&d);
    put_csrs(&d, is_program);
    put(&d, "<feature name=\"org.gnu.gdb.riscv.virtual\">\n");
    if (!is_program)
        put_reg(&d, "priv", "int", GDB_PRIV, " save-restore=\"no\"");
    put(&d, "</feature>\n</target>\n");
    return d.text;
}
