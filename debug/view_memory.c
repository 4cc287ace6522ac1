/* The panes of memory, the stack and page tables (contract: view.h). */
#include "debug/view_internal.h"

#include "cpu/peek.h"
#include "debug/registers.h"

#include <ctype.h>

#define WIDE_COLUMNS 85u /* "0123456789abcdef  00 * 16  |................|" */
#define WORD         8u
#define X_SP         2

/* --- memory ------------------------------------------------------------------------------- */

static void show_bytes(const struct hart *h, struct sheet_row *r, uint64_t va, unsigned n)
{
    char text[17] = "";
    sheet_print(r, SHEET_FAINT, "%016llx", (unsigned long long)va);
    for (unsigned i = 0; i < n; i++) {
        uint8_t byte;
        bool is_there = peek_memory(h, va + i, &byte, 1);
        const char *gap = i % 8 == 0 ? "  " : " ";
        if (is_there)
            sheet_print(r, byte ? SHEET_PLAIN : SHEET_FAINT, "%s%02x", gap, byte);
        else
            sheet_print(r, SHEET_FAINT, "%s--", gap);
        text[i] = (char)(is_there ? isprint(byte) && byte < 0x80 ? byte : '.' : ' ');
    }
    sheet_print(r, SHEET_PLAIN, "  %s", text);
}

static void show_error(struct sheet *s, const struct error *err)
{
    struct sheet_row *r = sheet_add(s);
    if (r)
        sheet_print(r, SHEET_FAINT, "%s", err->text);
}

void view_show_memory(struct view *v, struct sheet *s)
{
    struct error err;
    uint64_t va;
    unsigned n = s->columns >= WIDE_COLUMNS ? 16 : 8;
    if (!view_evaluate(v, v->expression[VIEW_MEMORY], &va, &err)) {
        show_error(s, &err);
        return;
    }
    va += (uint64_t)v->offset[VIEW_MEMORY] * n;
    for (struct sheet_row *r; (r = sheet_add(s)) != NULL; va += n)
        show_bytes(view_hart(v), r, va, n);
}

/* --- stack -------------------------------------------------------------------------------- */

/* Registers that point here, as text: "sp s0". */
static void put_pointers(const struct snapshot *now, struct sheet_row *r, uint64_t va)
{
    static const unsigned pointers[] = {2, 8}; /* sp, s0: the frame pointer, where there is one */
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++)
        sheet_print(r, SHEET_STRONG, "%-3s",
                    now->x[pointers[i]] == va ? register_x_name(pointers[i]) : "");
}

void view_show_stack(struct view *v, struct sheet *s)
{
    const struct snapshot *now = view_registers(v);
    uint64_t va = (now->x[X_SP] & ~(uint64_t)(WORD - 1)) + (uint64_t)v->offset[VIEW_STACK] * WORD;
    for (struct sheet_row *r; (r = sheet_add(s)) != NULL; va += WORD) {
        uint64_t value;
        put_pointers(now, r, va);
        sheet_print(r, SHEET_FAINT, "%016llx  ", (unsigned long long)va);
        if (peek_memory(view_hart(v), va, &value, sizeof value)) {
            sheet_print(r, value ? SHEET_PLAIN : SHEET_FAINT, "%016llx", (unsigned long long)value);
            view_put_symbol(v, r, " ", value);
        } else {
            sheet_print(r, SHEET_FAINT, "no memory");
        }
    }
}

/* --- page tables -------------------------------------------------------------------------- */

static void show_entries(struct sheet *s, const struct walk_report *report, unsigned levels)
{
    static const char letters[] = "vrwxugad";
    for (unsigned i = 0; i < report->count; i++) {
        struct sheet_row *r = sheet_add(s);
        if (!r)
            return;
        sheet_print(r, SHEET_PLAIN, "level %u  ", levels - 1 - i);
        sheet_print(r, SHEET_FAINT, "%012llx  ", (unsigned long long)report->entries[i].gpa);
        sheet_print(r, SHEET_PLAIN, "%016llx ", (unsigned long long)report->entries[i].pte);
        for (unsigned bit = 0; bit < 8; bit++)
            sheet_print(r, SHEET_STRONG, "%c",
                        report->entries[i].pte >> bit & 1 ? letters[bit] : '-');
    }
}

static void show_result(struct sheet *s, const char *name, enum walk_result result,
                        const struct walk_report *report, uint64_t va)
{
    struct sheet_row *r = sheet_add(s);
    if (!r)
        return;
    sheet_print(r, SHEET_PLAIN, "%-7s  ", name);
    if (result == WALK_OK)
        sheet_print(r, SHEET_STRONG, "%012llx",
                    (unsigned long long)(report->leaf.pa + va % PAGE_BYTES));
    else
        sheet_print(r, SHEET_CHANGED, "%s fault: %s", result == WALK_PAGE_FAULT ? "page" : "access",
                    report->why);
}

static void show_walk(struct sheet *s, struct hart *h, uint64_t va)
{
    static const char *const names[TLB_ACCESSES] = {
        [TLB_LOAD] = "load", [TLB_STORE] = "store", [TLB_FETCH] = "fetch"};
    unsigned levels = (unsigned)(h->csr.satp >> SATP_MODE_SHIFT) - 5; /* 8, 9, 10: 3, 4, 5 */
    for (unsigned access = 0; access < TLB_ACCESSES; access++) {
        struct walk_report report;
        enum walk_result result;
        if (!peek_walk(h, va, access, &result, &report)) {
            struct sheet_row *r = sheet_add(s);
            if (r)
                sheet_print(r, SHEET_PLAIN, "%-7s  physical: %s", names[access],
                            h->csr.satp ? "M-mode" : "satp is Bare");
            continue;
        }
        if (access == TLB_LOAD) /* the entries are the same for all */
            show_entries(s, &report, levels);
        show_result(s, names[access], result, &report, va);
        if (access == TLB_FETCH && report.has_leaf) {
            struct sheet_row *r = sheet_add(s);
            if (r)
                sheet_print(r, SHEET_FAINT, "the page has %llu KiB",
                            1ull << (report.leaf.page_shift - 10));
        }
    }
}

void view_show_walk(struct view *v, struct sheet *s)
{
    struct error err;
    uint64_t va;
    if (!view_evaluate(v, v->expression[VIEW_PAGES], &va, &err)) {
        show_error(s, &err);
        return;
    }
    struct sheet_row *r = sheet_add(s);
    if (r)
        sheet_print(r, SHEET_PLAIN, "address  %016llx", (unsigned long long)va);
    show_walk(s, view_hart(v), va);
}
