/* The table of extensions made ready for use (contract: isa.h). */
#include "cpu/isa.h"

#include "base/bits.h"
#include "cpu/csr_fields.h"

#include <stdio.h>

#define RV64  (1u << ISA_RV64)
#define MAX   (1u << ISA_MAX)
#define RVA22 (1u << ISA_RVA22)

const struct extension isa_extensions[] = {
#define EXTENSION(NAME, MODELS, NEEDS) {#NAME, MODELS, NEEDS, offsetof(struct hart_isa, NAME)},
#include "cpu/extensions.def"
#undef EXTENSION
};
const unsigned isa_extension_count = ARRAY_LEN(isa_extensions);

const struct extension *isa_find(const char *name)
{
    for (unsigned i = 0; i < isa_extension_count; i++)
        if (strcmp(isa_extensions[i].name, name) == 0)
            return &isa_extensions[i];
    return NULL;
}

static bool is_on(const struct hart_isa *isa, const struct extension *extension)
{
    return *((const bool *)((const char *)isa + extension->offset));
}

/* The next extension that *list names; NULL at its end. */
static const struct extension *next_needed(const char **list)
{
    char name[32];
    *list += strspn(*list, " ");
    size_t length = strcspn(*list, " ");
    snprintf(name, sizeof name, "%.*s", (int)length, *list);
    *list += length;
    return isa_find(name);
}

/* One step towards a whole set; *changed when there was something to do. */
static bool settle(struct hart_isa *isa, const struct hart_isa *fixed,
                   const struct extension *extension, const struct extension **off, bool *changed)
{
    const char *list = extension->needs;
    while (is_on(isa, extension) && (*off = next_needed(&list))) {
        if (is_on(isa, *off))
            continue;
        if (is_on(fixed, *off) && is_on(fixed, extension))
            return false;
        /* What is off because it was asked for takes this one along. */
        bool keep_off = is_on(fixed, *off);
        *isa_switch(isa, keep_off ? extension : *off) = !keep_off;
        *changed = true;
    }
    return true;
}

bool isa_complete(struct hart_isa *isa, const struct hart_isa *fixed,
                  const struct extension **needs, const struct extension **off)
{
    struct hart_isa known = *fixed;
    bool changed = true;
    while (changed) {
        changed = false;
        for (unsigned i = 0; i < isa_extension_count; i++) {
            *needs = &isa_extensions[i];
            bool was_on = is_on(isa, *needs);
            if (!settle(isa, &known, *needs, off, &changed))
                return false;
            /* What went stays away, so that nothing brings it back. */
            if (was_on && !is_on(isa, *needs))
                *isa_switch(&known, *needs) = true;
        }
    }
    return true;
}

static struct hart_isa isa_with(unsigned models)
{
    struct hart_isa isa = {.max_satp_mode = models == RVA22 ? SATP_SV39 : SATP_SV57};
    const struct hart_isa none = {0};
    const struct extension *needs, *off;
    for (unsigned i = 0; i < isa_extension_count; i++)
        *isa_switch(&isa, &isa_extensions[i]) = !models || isa_extensions[i].models & models;
    isa_complete(&isa, &none, &needs, &off);
    return isa;
}

struct hart_isa isa_of_model(enum isa_model model)
{
    return isa_with(1u << model);
}

struct hart_isa isa_of_everything(void)
{
    return isa_with(0);
}

bool isa_string(const struct hart_isa *isa, char *text, size_t n)
{
    size_t used = (size_t)snprintf(text, n, "rv64");
    for (unsigned i = 0; i < isa_extension_count && used < n; i++) {
        bool letter = !isa_extensions[i].name[1];
        if (is_on(isa, &isa_extensions[i]))
            used += (size_t)snprintf(text + used, n - used, "%s%s", letter ? "" : "_",
                                     isa_extensions[i].name);
    }
    return used < n;
}

uint64_t isa_misa(const struct hart_isa *isa)
{
    uint64_t misa = 2ull << 62 | 1ull << ('S' - 'A') | 1ull << ('U' - 'A');
    for (unsigned i = 0; i < isa_extension_count; i++)
        if (!isa_extensions[i].name[1] && is_on(isa, &isa_extensions[i]))
            misa |= 1ull << (isa_extensions[i].name[0] - 'a');
    return misa;
}
