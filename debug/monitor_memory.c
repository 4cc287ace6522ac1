/* Commands that look at registers and memory, and change them. */
#include "debug/monitor_internal.h"

#include "cpu/peek.h"
#include "debug/actions.h"
#include "debug/disasm.h"
#include "debug/registers.h"

#include <ctype.h>

#define LINE_BYTES 16u
#define PATH_BYTES 1024u

/* --- instructions ------------------------------------------------------------------------ */

static bool read_at(struct hart *h, bool physical, uint64_t address, void *to, size_t n)
{
    return physical ? peek_physical(h->ports.memory, address, to, n)
                    : peek_memory(h, address, to, n);
}

static bool show_instruction(struct monitor *m, struct hart *h, bool physical, uint64_t address,
                             size_t *length)
{
    uint8_t bytes[4] = {0};
    char text[DISASM_TEXT_BYTES];
    if (!read_at(h, physical, address, bytes, 2) ||
        ((bytes[0] & 3) == 3 && !read_at(h, physical, address, bytes, 4)))
        return false;
    uint32_t word =
        (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
    *length = disasm(m->decoder, word, address, text, sizeof text);
    say(m, "0x%016llx:  %0*x%*s  %s\n", (unsigned long long)address, *length == 2 ? 4 : 8, word,
        *length == 2 ? 4 : 0, "", text);
    return true;
}

bool monitor_show_instruction(struct monitor *m, struct hart *h, uint64_t va, size_t *length)
{
    return show_instruction(m, h, false, va, length);
}

/* --- dumps ------------------------------------------------------------------------------- */

static unsigned size_of(const struct arguments *a)
{
    switch (a->size) {
    case 'b':
        return 1;
    case 'h':
        return 2;
    case 'g':
        return 8;
    default:
        return a->format == 'c' && !a->size ? 1 : 4;
    }
}

static uint64_t little_endian(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static void show_value(struct monitor *m, char format, unsigned size, uint64_t value)
{
    int digits = (int)(format == 'o' ? (8 * size + 2) / 3 : 2 * size);
    switch (format) {
    case 'd':
        say(m, "%lld", (long long)sign_extend(value, 8 * size));
        break;
    case 'u':
        say(m, "%llu", (unsigned long long)value);
        break;
    case 'o':
        say(m, "0%0*llo", digits, (unsigned long long)value);
        break;
    case 'c':
        if (isprint((int)(value & 0xff)))
            say(m, "'%c'", (char)value);
        else
            say(m, "'\\x%02x'", (unsigned)(value & 0xff));
        break;
    default:
        say(m, "0x%0*llx", digits, (unsigned long long)value);
    }
}

static bool no_memory(const struct hart *h, bool physical, uint64_t address, struct error *err)
{
    uint64_t pa = address;
    if (!physical && !peek_address(h, address, &pa))
        return error_set(err, "0x%llx leads nowhere (walk 0x%llx tells why)",
                         (unsigned long long)address, (unsigned long long)address);
    const struct region *region = memory_find(h->ports.memory, pa);
    if (region && region->kind == REGION_DEVICE)
        return error_set(err, "0x%llx is a register of %s, which only the guest touches",
                         (unsigned long long)address, region->ops->name);
    return error_set(err, "there is no memory at 0x%llx", (unsigned long long)address);
}

static bool dump_instructions(struct monitor *m, const struct arguments *a, bool physical,
                              uint64_t address, struct error *err)
{
    struct hart *h = monitor_hart(m);
    size_t length;
    for (uint64_t i = 0; i < a->count; i++, address += length)
        if (!show_instruction(m, h, physical, address, &length))
            return no_memory(h, physical, address, err);
    return true;
}

static bool dump_values(struct monitor *m, const struct arguments *a, bool physical,
                        uint64_t address, struct error *err)
{
    struct hart *h = monitor_hart(m);
    unsigned size = size_of(a), per_line = LINE_BYTES / size;
    for (uint64_t i = 0; i < a->count; i++, address += size) {
        uint8_t bytes[8];
        if (!read_at(h, physical, address, bytes, size)) {
            say(m, i % per_line ? "\n" : "");
            return no_memory(h, physical, address, err);
        }
        if (i % per_line == 0)
            say(m, "%016llx:", (unsigned long long)address);
        say(m, " ");
        show_value(m, a->format, size, little_endian(bytes, size));
        if (i % per_line == per_line - 1 || i + 1 == a->count)
            say(m, "\n");
    }
    return true;
}

static bool dump(struct monitor *m, struct arguments *a, bool physical, struct error *err)
{
    uint64_t address;
    if (!argument_number(m, a, &address, err) || !argument_end(a, err))
        return false;
    return a->format == 'i' ? dump_instructions(m, a, physical, address, err)
                            : dump_values(m, a, physical, address, err);
}

static bool dump_virtual(struct monitor *m, struct arguments *a, struct error *err)
{
    return dump(m, a, false, err);
}

static bool dump_physical(struct monitor *m, struct arguments *a, struct error *err)
{
    return dump(m, a, true, err);
}

static bool print(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t value;
    if (!argument_number(m, a, &value, err) || !argument_end(a, err))
        return false;
    if (a->format && !a->size)
        a->size = 'g';
    show_value(m, a->format, a->format ? size_of(a) : 0, value);
    say(m, "\n");
    return true;
}

/* --- changing ---------------------------------------------------------------------------- */

static bool set_register(struct monitor *m, struct arguments *a, struct error *err)
{
    char name[32];
    struct reg reg;
    uint64_t value;
    argument_word(a, name, sizeof name);
    if (!register_find(name + (*name == '$'), &reg))
        return error_set(err, "unknown register '%s'", name);
    if (!argument_number(m, a, &value, err) || !argument_end(a, err))
        return false;
    struct machine_edit edit = register_edit(m->hart, &reg, value);
    return control_may_edit(m->control, err) &&
           (control_edit(m->control, &edit, err) ||
            error_set(err, "%s cannot be set to 0x%llx", name, (unsigned long long)value));
}

static bool write_memory(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t address, value;
    uint8_t bytes[8];
    unsigned size = size_of(a);
    if (!argument_number(m, a, &address, err))
        return false;
    if (!*a->rest)
        return error_set(err, "a value is needed: write/SIZE ADDRESS VALUE");
    if (!argument_number(m, a, &value, err) || !argument_end(a, err))
        return false;
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    struct machine_edit edit = {
        .kind = EDIT_MEMORY, .hart = m->hart, .value = address, .bytes = bytes, .n = size};
    return control_may_edit(m->control, err) && (control_edit(m->control, &edit, err) ||
                                                 no_memory(monitor_hart(m), false, address, err));
}

/* --- translation ------------------------------------------------------------------------- */

static void show_entry(struct monitor *m, unsigned level, uint64_t gpa, uint64_t pte)
{
    static const char letters[] = "vrwxugad";
    char bits[sizeof letters];
    for (unsigned i = 0; i < 8; i++)
        bits[i] = pte >> i & 1 ? letters[i] : '-';
    bits[8] = 0;
    say(m, "level %u: entry at 0x%llx is 0x%016llx, %s\n", level, (unsigned long long)gpa,
        (unsigned long long)pte, bits);
}

static void show_walk(struct monitor *m, struct hart *h, uint64_t va, enum tlb_access access,
                      const char *name)
{
    struct walk_report report;
    enum walk_result result;
    if (!peek_walk(h, va, access, &result, &report)) {
        say(m, "%s: the address is physical (%s)\n", name, h->csr.satp ? "M-mode" : "satp is Bare");
        return;
    }
    if (access == TLB_LOAD) /* the entries are the same for all */
        for (unsigned i = 0; i < report.count; i++)
            show_entry(m, (unsigned)(h->csr.satp >> SATP_MODE_SHIFT) - 6 - i, report.entries[i].gpa,
                       report.entries[i].pte);
    if (result == WALK_OK)
        say(m, "%s: 0x%llx\n", name, (unsigned long long)(report.leaf.pa + va % PAGE_BYTES));
    else
        say(m, "%s: %s fault: %s\n", name, result == WALK_PAGE_FAULT ? "page" : "access",
            report.why);
}

static bool walk_address(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t va;
    struct hart *h = monitor_hart(m);
    if (!argument_number(m, a, &va, err) || !argument_end(a, err))
        return false;
    show_walk(m, h, va, TLB_LOAD, "load");
    show_walk(m, h, va, TLB_STORE, "store");
    show_walk(m, h, va, TLB_FETCH, "fetch");
    return true;
}

/* --- addresses and files ----------------------------------------------------------------- */

static bool translate(struct monitor *m, struct arguments *a, struct error *err)
{
    uint64_t va, pa;
    if (!argument_number(m, a, &va, err) || !argument_end(a, err))
        return false;
    if (peek_address(monitor_hart(m), va, &pa))
        say(m, "gpa: 0x%llx\n", (unsigned long long)pa);
    else
        say(m, "Unmapped\n");
    return true;
}

/* ADDRESS SIZE FILE */
static bool save(struct monitor *m, struct arguments *a, bool physical, struct error *err)
{
    uint64_t address, bytes;
    char path[PATH_BYTES];
    if (!argument_number(m, a, &address, err) || !argument_number(m, a, &bytes, err))
        return false;
    argument_word(a, path, sizeof path);
    if (!*path)
        return error_set(err, "give an address, a size and a file");
    return argument_end(a, err) &&
           action_save_memory(monitor_hart(m), physical, address, bytes, path, err);
}

static bool save_virtual(struct monitor *m, struct arguments *a, struct error *err)
{
    return save(m, a, false, err);
}

static bool save_physical(struct monitor *m, struct arguments *a, struct error *err)
{
    return save(m, a, true, err);
}

/* --- the table --------------------------------------------------------------------------- */

const struct monitor_row monitor_memory_rows[] = {
    {"x", NULL, "/FMT ADDRESS", "show virtual memory: FMT is a count, x d u o c i, b h w g",
     dump_virtual},
    {"xp", NULL, "/FMT ADDRESS", "show physical memory", dump_physical},
    {"print", "p", "/FMT EXPRESSION", "show a value: $pc, $a0, any CSR, + - * / % & | ^ ~ ( )",
     print},
    {"walk", NULL, "ADDRESS", "show the page-table walk of a virtual address, and its faults",
     walk_address},
    {"gva2gpa", NULL, "ADDRESS", "the physical address of a virtual one", translate},
    {"memsave", NULL, "ADDRESS SIZE FILE", "write virtual memory to a file", save_virtual},
    {"pmemsave", NULL, "ADDRESS SIZE FILE", "write physical memory to a file", save_physical},
    {"set", NULL, "REGISTER VALUE", "change a register or CSR of the current hart", set_register},
    {"write", NULL, "/SIZE ADDRESS VALUE", "change virtual memory: SIZE is b h w g", write_memory},
    {.name = NULL},
};
