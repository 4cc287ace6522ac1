/* The panes of registers, CSRs and harts (contract: view.h). */
#include "debug/view_internal.h"

#include "debug/registers.h"

#define REGISTER_COLUMNS 23u /* "s11 *0123456789abcdef  " */
#define CSR_COLUMNS      33u /* "sscratch       *0123456789abcdef  " */

/* --- registers ---------------------------------------------------------------------------- */

/* The item of a row and column, when items run down the columns. */
static unsigned item_at(unsigned row, unsigned column, unsigned rows)
{
    return column * rows + row;
}

static void put_value(struct sheet_row *r, const char *name, int width, uint64_t value,
                      uint64_t before)
{
    bool changed = value != before;
    enum sheet_style style = changed ? SHEET_CHANGED : value ? SHEET_PLAIN : SHEET_FAINT;
    sheet_print(r, SHEET_PLAIN, "%-*s", width, name);
    sheet_print(r, style, "%c%016llx", changed ? '*' : ' ', (unsigned long long)value);
}

/* pc, then x1 to x31, then f0 to f31. */
#define REGISTER_ITEMS 64u

static void put_register(struct sheet_row *r, const struct snapshot *now,
                         const struct snapshot *before, unsigned item)
{
    if (item == 0)
        put_value(r, "pc", 4, now->pc, before->pc);
    else if (item < 32)
        put_value(r, register_x_name(item), 4, now->x[item], before->x[item]);
    else
        put_value(r, register_f_name(item - 32), 4, now->f[item - 32], before->f[item - 32]);
}

/* Integer registers fill the place before floating-point ones follow. */
void view_show_registers(struct view *v, struct sheet *s)
{
    const struct snapshot *now = view_registers(v);
    const struct snapshot *before = &v->before[monitor_current_hart(v->monitor)];
    unsigned columns = s->columns / REGISTER_COLUMNS ? s->columns / REGISTER_COLUMNS : 1;
    unsigned rows = (32 + columns - 1) / columns;
    unsigned last = 2 * rows > s->rows ? 2 * rows - s->rows : 0;
    int64_t *offset = &v->offset[VIEW_REGISTERS];
    *offset = *offset < 0 ? 0 : (int64_t)min_u64((uint64_t)*offset, last);
    for (unsigned row = (unsigned)*offset; row < 2 * rows; row++) {
        struct sheet_row *r = sheet_add(s);
        if (!r)
            return;
        for (unsigned column = 0; column < columns; column++) {
            unsigned item = item_at(row % rows, column, rows);
            sheet_pad(r, (size_t)column * REGISTER_COLUMNS);
            if (item < 32)
                put_register(r, now, before, item + (row < rows ? 0 : 32));
        }
    }
}

/* --- CSRs --------------------------------------------------------------------------------- */

static void add_csr(struct view *v, unsigned number)
{
    uint64_t value;
    for (unsigned i = 0; i < v->csr_count; i++)
        if (v->csrs[i] == number)
            return;
    if (v->csr_count < VIEW_CSRS_MOST && csr_name(number) &&
        hart_csr_peek(view_hart(v), number, &value))
        v->csrs[v->csr_count++] = (uint16_t)number;
}

/* Those of traps and translation come first, then all by number. */
void view_find_csrs(struct view *v)
{
    static const char *const wanted[] = {
        "mstatus", "mtvec",   "mepc", "mcause",   "mtval", "mscratch", "mip",   "mie",
        "mideleg", "medeleg", "satp", "stvec",    "sepc",  "scause",   "stval", "sscratch",
        "sie",     "sip",     "fcsr", "stimecmp", "time",  "instret",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        add_csr(v, (unsigned)csr_number(wanted[i]));
    for (unsigned number = 0; number < 4096; number++)
        add_csr(v, number);
}

void view_show_csrs(struct view *v, struct sheet *s)
{
    const struct snapshot *now = view_registers(v);
    const struct snapshot *before = &v->before[monitor_current_hart(v->monitor)];
    unsigned columns = s->columns / CSR_COLUMNS ? s->columns / CSR_COLUMNS : 1;
    unsigned rows = (v->csr_count + columns - 1) / columns;
    unsigned last = rows > s->rows ? rows - s->rows : 0;
    int64_t *offset = &v->offset[VIEW_CSRS];
    *offset = *offset < 0 ? 0 : (int64_t)min_u64((uint64_t)*offset, last);
    for (unsigned row = (unsigned)*offset; row < rows; row++) {
        struct sheet_row *r = sheet_add(s);
        if (!r)
            return;
        for (unsigned column = 0; column < columns; column++) {
            unsigned i = row * columns + column;
            sheet_pad(r, (size_t)column * CSR_COLUMNS);
            if (i < v->csr_count)
                put_value(r, csr_name(v->csrs[i]), 14, now->csr[i], before->csr[i]);
        }
    }
}

/* --- harts -------------------------------------------------------------------------------- */

static const char *condition(const struct hart *h)
{
    return h->stopped ? "not started" : h->waiting ? "asleep" : "runs";
}

void view_show_harts(struct view *v, struct sheet *s)
{
    static const char modes[] = "US?M";
    struct machine *m = control_machine(v->control);
    struct hart *h;
    for (unsigned i = 0; i < MACHINE_MAX_HARTS && (h = machine_hart(m, i)) != NULL; i++) {
        bool is_current = i == monitor_current_hart(v->monitor);
        struct sheet_row *r = sheet_add(s);
        if (!r)
            return;
        sheet_print(r, is_current ? SHEET_STRONG : SHEET_PLAIN, "%c%u %c %016llx %-12s",
                    is_current ? '>' : ' ', i, modes[h->priv & 3], (unsigned long long)h->pc,
                    condition(h));
        sheet_print(r, SHEET_FAINT, "%llu steps", (unsigned long long)h->steps);
        view_put_symbol(v, r, " ", h->pc);
    }
}
