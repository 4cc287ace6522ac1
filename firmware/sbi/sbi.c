/* Dispatch of the built-in SBI: a7 selects the extension, a6 the function, a0 and a1 return (SBI,
 * chapter "Binary Encoding"). */
#include "firmware/sbi/sbi_internal.h"

#include <assert.h>
#include <stdlib.h>

enum { A0 = 10, A1 = 11, A6 = 16, A7 = 17 };

static const struct sbi_extension *const extensions[] = {
    &sbi_base, &sbi_time, &sbi_ipi, &sbi_rfence, &sbi_hsm,
    &sbi_srst, &sbi_dbcn, &sbi_pmu, &sbi_susp,   &sbi_fwft,
};

struct sbi *sbi_create(const struct sbi_config *config)
{
    assert(config->count >= 1 && config->count <= SBI_MAX_HARTS &&
           "one hart mask names every hart");
    struct sbi *sbi = calloc(1, sizeof *sbi);
    if (sbi)
        sbi->config = *config;
    return sbi;
}

void sbi_destroy(struct sbi *sbi)
{
    free(sbi);
}

static const struct sbi_extension *find_extension(uint64_t id)
{
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
        if (extensions[i]->id == id)
            return extensions[i];
    return NULL;
}

bool sbi_has_extension(uint64_t id)
{
    return id <= SBI_LEGACY_LAST || find_extension(id);
}

/* A CSR instruction is not counted yet when it acts; the ecall is. */
void sbi_csr(struct hart *h, unsigned number, enum csr_op op, uint64_t operand)
{
    uint64_t old = 0;
    h->steps--;
    if (op != CSR_WRITE && hart_csr_peek(h, number, &old))
        operand = op == CSR_SET ? old | operand : old & ~operand;
    if (!hart_csr_poke(h, number, operand))
        log_line(h->ports.log, LOG_UNIMP, "SBI: hart %u has no CSR 0x%03x", h->id, number);
    h->steps++;
}

static sbi_function *find_function(uint64_t extension_id, uint64_t function)
{
    const struct sbi_extension *extension = find_extension(extension_id);
    return extension && function < extension->count ? extension->functions[function] : NULL;
}

void sbi_ecall(void *owner, struct hart *h)
{
    struct sbi *sbi = owner;
    const uint64_t extension = h->x[A7], function_number = h->x[A6];
    uint64_t args[SBI_ARGS];
    memcpy(args, &h->x[A0], sizeof args);
    if (extension <= SBI_LEGACY_LAST) {
        h->x[A0] = sbi_legacy_call(sbi, h, extension, args);
        return;
    }
    sbi_function *function = find_function(extension, function_number);
    if (!function)
        log_line(sbi->config.log, LOG_UNIMP, "hart %u: no SBI function %llu of extension 0x%llx",
                 h->id, (unsigned long long)function_number, (unsigned long long)extension);
    const struct sbi_ret ret =
        function ? function(sbi, h, args) : sbi_failure(SBI_ERR_NOT_SUPPORTED);
    if (ret.registers_set)
        return;
    h->x[A0] = (uint64_t)(int64_t)ret.error;
    h->x[A1] = ret.value;
}

void sbi_state(struct sbi *sbi, struct state *s)
{
    state_section(s, "sbi", 3);
    for (unsigned i = 0; i < sbi->config.count; i++) {
        state_bool(s, &sbi->suspended[i]);
        state_u64(s, &sbi->suspend_step[i]);
        sbi_pmu_state(&sbi->pmu[i], s);
        sbi_fwft_state(&sbi->fwft[i], s);
    }
}
