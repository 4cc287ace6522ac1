/* The pane of instructions (contract: view.h): a cursor that walks over them, with the pc, the
 * breakpoints, and where jumps lead. */
#include "debug/view_internal.h"

#include "cpu/peek.h"

#define BYTES_COLUMN   21u /* "*> 0123456789abcdef  " */
#define TEXT_COLUMN    31u /* behind them */
#define OPERANDS       8u  /* of the text */
#define ROW_WITH_BYTES 62u /* columns from which the instruction's bytes are shown */
#define SHORTEST       2u
#define LONGEST        4u

/* What the row before tells of the next one: auipc and what takes its result are one address. */
struct code_context {
    bool has_upper;
    unsigned reg;
    uint64_t value;
    uint64_t wanted; /* where the instruction at the cursor leads */
    bool has_wanted;
};

const struct insn_info *view_instruction(const struct view *v, uint64_t va)
{
    uint32_t word;
    return peek_instruction(view_hart(v), va, &word) ? insn_cache_find(v->instructions, va, word)
                                                     : NULL;
}

/* --- walking ------------------------------------------------------------------------------ */

static uint64_t length_at(const struct view *v, uint64_t va)
{
    const struct insn_info *i = view_instruction(v, va);
    return i ? i->in.length : LONGEST;
}

/* The start of the last instruction before `to` when instructions begin at `from`; UINT64_MAX:
 * then `to` is in the middle of one. */
static uint64_t last_before(const struct view *v, uint64_t from, uint64_t to)
{
    uint64_t last = UINT64_MAX;
    for (uint64_t left = to - from, length; left; left -= length, from += length) {
        length = length_at(v, from);
        last = from;
        if (length > left)
            return UINT64_MAX;
    }
    return last;
}

/* Instructions have two lengths, and only a symbol is sure to be where one begins; else what is
 * decoded from some way before soon falls into step. */
static uint64_t previous(const struct view *v, uint64_t va)
{
    const struct symbol *symbol = symbols_at(v->symbols, va - SHORTEST);
    uint64_t last, far = 16 * LONGEST;
    if (symbol && va - symbol->start <= 16 * far) {
        last = last_before(v, symbol->start, va);
        if (last != UINT64_MAX)
            return last;
    }
    for (uint64_t distance = far; distance > 0; distance -= SHORTEST) {
        last = va > distance ? last_before(v, va - distance, va) : UINT64_MAX;
        if (last != UINT64_MAX)
            return last;
    }
    return va - LONGEST;
}

static void go(const struct view *v, uint64_t *va, int rows)
{
    for (; rows > 0; rows--)
        *va += length_at(v, *va);
    for (; rows < 0; rows++)
        *va = previous(v, *va);
}

void view_move_cursor(struct view *v, int rows)
{
    v->follows = false;
    go(v, &v->cursor, rows);
    if (v->cursor < v->top)
        v->top = v->cursor;
}

/* --- rows --------------------------------------------------------------------------------- */

static bool is_direct(const struct insn_info *i)
{
    return i->in.base->format == FORMAT_B || i->in.base->format == FORMAT_J;
}

/* The address that the instruction names: a jump's target, or what auipc began. */
static bool target_of(const struct code_context *c, const struct insn_info *i, uint64_t *target)
{
    if (i->class == CLASS_ILLEGAL)
        return false;
    if (is_direct(i)) {
        *target = i->pc + (uint64_t)(int64_t)i->in.imm;
        return true;
    }
    *target = c->value + (uint64_t)(int64_t)i->in.imm;
    return c->has_upper && i->in.rs1 == c->reg &&
           (i->in.base->format == FORMAT_I || i->in.base->format == FORMAT_S);
}

static void learn(struct code_context *c, const struct insn_info *i)
{
    c->has_upper = i && i->class != CLASS_ILLEGAL && i->in.base->format == FORMAT_UPC;
    if (!c->has_upper)
        return;
    c->reg = i->in.rd;
    c->value = i->pc + (uint64_t)(int64_t)i->in.imm;
}

/* '>' the pc, '+' where the cursor's jump leads, a digit: the hart that stands there. */
static char mark_of(const struct view *v, const struct code_context *c, uint64_t va)
{
    struct machine *m = control_machine(v->control);
    if (view_is_running(v))
        return c->has_wanted && c->wanted == va ? '+' : ' ';
    if (view_hart(v)->pc == va)
        return '>';
    for (unsigned i = 0; i < MACHINE_MAX_HARTS && machine_hart(m, i); i++)
        if (machine_hart(m, i)->pc == va)
            return (char)('0' + i);
    return c->has_wanted && c->wanted == va ? '+' : ' ';
}

static void put_instruction(const struct view *v, struct sheet_row *r, const struct insn_info *i,
                            enum sheet_style style, bool has_bytes)
{
    if (!i) {
        sheet_print(r, SHEET_FAINT, "no memory");
        return;
    }
    size_t column = has_bytes ? TEXT_COLUMN : BYTES_COLUMN;
    if (has_bytes)
        sheet_print(r, SHEET_FAINT, "%0*x", 2 * (int)i->in.length, i->word);
    sheet_pad(r, column);
    const char *text = insn_cache_text(v->instructions, i->pc, i->word);
    size_t name = strcspn(text, " ");
    sheet_put(r, style == SHEET_PLAIN ? SHEET_STRONG : style, text, name);
    if (!text[name])
        return;
    sheet_pad(r, column + (name < OPERANDS ? OPERANDS : name + 1));
    sheet_print(r, style, "%s", text + name + 1);
}

/* One instruction; the cache's entry may go with the next one. */
static uint64_t show_row(const struct view *v, struct sheet *s, struct code_context *c, uint64_t va)
{
    uint64_t target;
    struct sheet_row *r = sheet_add(s);
    const struct insn_info *i = view_instruction(v, va);
    char mark = mark_of(v, c, va);
    bool has_point = control_has_breakpoint(v->control, va);
    enum sheet_style style = mark == '>' ? SHEET_STRONG : SHEET_PLAIN;
    bool has_bytes = s->columns >= ROW_WITH_BYTES;
    r->is_cursor = va == v->cursor;
    sheet_print(r, SHEET_POINT, "%c", has_point ? '*' : ' ');
    sheet_print(r, SHEET_STRONG, "%c ", mark);
    sheet_print(r, has_point ? SHEET_POINT : style, "%016llx  ", (unsigned long long)va);
    put_instruction(v, r, i, style, has_bytes);
    if (i && target_of(c, i, &target))
        view_put_symbol(v, r, "  ", target);
    learn(c, i);
    return i ? i->in.length : LONGEST;
}

/* Where the cursor's instruction leads, with the one before it in mind. */
static void find_wanted(const struct view *v, struct code_context *c)
{
    const struct insn_info *i = view_instruction(v, previous(v, v->cursor));
    learn(c, i);
    i = view_instruction(v, v->cursor);
    c->has_wanted = i && target_of(c, i, &c->wanted) &&
                    (is_direct(i) || i->class == CLASS_CALL || i->class == CLASS_JUMP);
    c->has_upper = false;
}

/* Returns the cursor's row; s->rows: it is not there. */
static unsigned show_rows(const struct view *v, struct sheet *s)
{
    struct code_context context = {.has_upper = false};
    uint64_t va = v->top;
    unsigned cursor = s->rows;
    sheet_begin(s, s->rows, s->columns);
    find_wanted(v, &context);
    learn(&context, view_instruction(v, previous(v, va)));
    while (s->used < s->rows) {
        const struct symbol *symbol = symbols_at(v->symbols, va);
        if (symbol && symbol->start == va && s->used + 1 < s->rows)
            sheet_print(sheet_add(s), SHEET_NAME, "   %s:", symbol->name);
        if (va == v->cursor)
            cursor = s->used;
        va += show_row(v, s, &context, va);
    }
    return cursor;
}

/* What came before is seen too, if anything did: a third of the place. */
static void centre(struct view *v, unsigned rows)
{
    uint64_t before = previous(v, v->cursor);
    v->top = v->cursor;
    for (unsigned i = 0; i < rows / 3 && view_instruction(v, before); i++) {
        v->top = before;
        before = previous(v, before);
    }
}

/* Far away the pane begins anew around the cursor; nearby it moves row by row. Where the pc goes,
 * what comes next is to be seen. */
void view_show_code(struct view *v, struct sheet *s)
{
    unsigned ahead = v->follows ? s->rows / 4 : 0;
    if (v->follows)
        v->cursor = view_hart(v)->pc;
    v->follows = false;
    if (v->cursor < v->top || v->cursor - v->top > (uint64_t)s->rows * LONGEST)
        centre(v, s->rows);
    for (unsigned tries = 0; tries < s->rows; tries++) {
        if (show_rows(v, s) + ahead < s->rows)
            return;
        go(v, &v->top, 1);
    }
    v->top = v->cursor;
    show_rows(v, s);
}
