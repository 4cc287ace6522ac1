/* The words of -cpu (contract: cpu_model.h): models, every row of cpu/extensions.def, paging modes.
 * A switch that was given is kept; what depends on it follows. */
#include "machine/cpu_model.h"

#include "base/values.h"
#include "cpu/csr_fields.h"

struct choice {
    struct hart_isa isa;
    struct hart_isa given;        /* switches that the user set */
    unsigned modes_on, modes_off; /* bits by satp.MODE */
};

static bool is_word_of(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(name, *words) == 0)
            return true;
    return false;
}

static bool set_paging(struct choice *c, const char *name, bool on)
{
    static const char *const modes[] = {"sv39", "sv48", "sv57"};
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(name, modes[i]) != 0)
            continue;
        *(on ? &c->modes_on : &c->modes_off) |= 1u << (SATP_SV39 + i);
        return true;
    }
    return false;
}

/* The widest mode: of those switched on, if any, else the model's; and below each that is switched
 * off. */
static bool apply_paging(struct choice *c, struct error *err)
{
    unsigned widest = c->modes_on ? SATP_SV57 : c->isa.max_satp_mode;
    while (c->modes_on && !(c->modes_on >> widest & 1))
        widest--;
    for (unsigned mode = widest; mode >= SATP_SV39; mode--)
        if (c->modes_off >> mode & 1)
            widest = mode - 1;
    if (widest < SATP_SV39)
        return error_set(err,
                         "sv39=off leaves no paging mode, and a hart without one is not there");
    if (c->modes_on >> (widest + 1))
        return error_set(err, "a paging mode is on and a narrower one is off");
    c->isa.max_satp_mode = widest;
    return true;
}

static bool unknown(const char *name, struct error *err)
{
    const char *nearest = "";
    unsigned least = ~0u;
    for (unsigned i = 0; i < isa_extension_count; i++) {
        unsigned distance = edit_distance(name, isa_extensions[i].name);
        if (distance < least) {
            least = distance;
            nearest = isa_extensions[i].name;
        }
    }
    return error_set(err, "unknown property '%.40s'; the nearest is %s", name, nearest);
}

/* What has no row: parts of every hart here, and what QEMU has and we do not. */
static bool set_other(const char *name, bool on, struct error *err)
{
    static const char *const always[] = {"s", "u", "mmu", "pmp", NULL};
    static const char *const missing[] = {
        "e",      "h",      "v",        "zfbfmin",  "zve32f",   "zve32x",   "zve64d",
        "zve64f", "zve64x", "zvfh",     "zvfhmin",  "zvfbfmin", "zvfbfwma", "zvbb",
        "zvbc",   "zvkb",   "zvkg",     "zvkn",     "zvknc",    "zvkned",   "zvkng",
        "zvknha", "zvknhb", "zvks",     "zvksc",    "zvksed",   "zvksg",    "zvksh",
        "zvkt",   "zcf",    "zce",      "zcmp",     "zcmt",     "zicfilp",  "zicfiss",
        "zfinx",  "zdinx",  "zhinx",    "zhinxmin", "zama16b",  "ztso",     "smaia",
        "ssaia",  "smrnmi", "smdbltrp", "ssdbltrp", "smcsrind", "sscsrind", "smcdeleg",
        "ssccfg", "smctr",  "ssctr",    "smnpm",    "ssnpm",    "smmpm",    "sspm",
        "supm",   NULL};
    if (is_word_of(name, always))
        return on || error_set(err, "%.40s cannot be switched off", name);
    if (is_word_of(name, missing))
        return !on || error_set(err, "%.40s is not there yet", name);
    return unknown(name, err);
}

static bool set_one(struct choice *c, const char *name, bool on, struct error *err)
{
    const struct extension *extension = isa_find(name);
    if (set_paging(c, name, on))
        return true;
    if (!extension)
        return set_other(name, on, err);
    if (extension == isa_find("i") && !on)
        return error_set(err, "%.40s cannot be switched off", name);
    *isa_switch(&c->isa, extension) = on;
    *isa_switch(&c->given, extension) = true;
    return true;
}

/* G is IMAFD with Zicsr and Zifencei. */
static bool set_property(struct choice *c, const char *name, bool on, struct error *err)
{
    static const char *const general[] = {"i", "m", "a", "f", "d", "zicsr", "zifencei"};
    if (strcmp(name, "g") != 0)
        return set_one(c, name, on, err);
    if (!on)
        return error_set(err, "g cannot be switched off; switch off what is in it");
    for (unsigned i = 0; i < ARRAY_LEN(general); i++)
        if (!set_one(c, general[i], true, err))
            return false;
    return true;
}

static const struct {
    const char *name;
    enum isa_model model;
} models[] = {{"rv64", ISA_RV64}, {"max", ISA_MAX}, {"rva22s64", ISA_RVA22}};

void cpu_model_list(const struct byte_sink *out)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        byte_sink_print(out, "%s\n", models[i].name);
}

static bool set_model(struct choice *c, const struct list_item *item, struct error *err)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        if (item->value || strcmp(item->key, models[i].name) != 0)
            continue;
        c->isa = isa_of_model(models[i].model);
        return true;
    }
    return error_set(err, "no CPU '%.80s'; known are rv64, max, rva22s64", item->key);
}

bool cpu_model_parse(const char *text, struct hart_isa *isa, struct error *err)
{
    const char *list = text ? text : "rv64";
    const struct extension *needs, *off;
    struct choice c = {.modes_on = 0};
    struct list_item item;
    bool on;
    err->text[0] = 0;
    if (!list_next(&list, &item, err) || !set_model(&c, &item, err))
        return false;
    while (list_next(&list, &item, err)) {
        if (!item.value || !value_switch(item.value, &on))
            return error_set(err, "%.40s needs =on or =off", item.key);
        if (!set_property(&c, item.key, on, err))
            return false;
    }
    if (err->text[0] || !apply_paging(&c, err))
        return false;
    if (!isa_complete(&c.isa, &c.given, &needs, &off))
        return error_set(err, "%s=on needs %s, which is off", needs->name, off->name);
    *isa = c.isa;
    return true;
}
