/* Expressions (contract: expression.h): precedence climbing over one table of operators. */
#include "debug/expression.h"

#include "debug/registers.h"
#include "debug/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define NAME_BYTES 256u
#define DEPTH_MOST 64u /* of brackets and signs: more is a mistake, and would eat the stack */

struct reader {
    const char *at;
    struct hart *hart;
    const struct symbols *symbols;
    struct error *err;
    unsigned depth;
};

static void skip_spaces(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool read_number(struct reader *r, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(r->at, &end, 0);
    if (errno || isalnum((unsigned char)*end))
        return error_set(r->err, "not a number: %.40s", r->at);
    r->at = end;
    return true;
}

/* Letters, digits and what else is in `more`; a longer name is cut, and so no name at all. */
static void read_name(struct reader *r, const char *more, char *name)
{
    size_t n = 0;
    for (; *r->at && (isalnum((unsigned char)*r->at) || strchr(more, *r->at)); r->at++)
        if (n + 1 < NAME_BYTES)
            name[n++] = *r->at;
    name[n] = 0;
}

static bool read_register(struct reader *r, uint64_t *value)
{
    char name[NAME_BYTES];
    struct reg reg;
    read_name(r, "_", name);
    if (!register_find(name, &reg))
        return error_set(r->err, "unknown register $%.40s", name);
    *value = register_read(r->hart, &reg);
    return true;
}

static bool read_symbol(struct reader *r, uint64_t *value)
{
    char name[NAME_BYTES];
    read_name(r, "_.$", name);
    const struct symbol *symbol = symbols_named(r->symbols, name);
    if (!symbol)
        return error_set(r->err, "there is no symbol %.80s", name);
    *value = symbol->start;
    return true;
}

static bool read_sum(struct reader *r, unsigned least, uint64_t *value);

static bool read_operand(struct reader *r, uint64_t *value)
{
    skip_spaces(r);
    char c = *r->at;
    if (isdigit((unsigned char)c))
        return read_number(r, value);
    if ((isalpha((unsigned char)c) || c == '_') && r->symbols && symbols_count(r->symbols))
        return read_symbol(r, value);
    if (!c || !strchr("$(-~+", c))
        return error_set(
            r->err, c ? "unexpected '%.20s' in an expression" : "an expression ends too early%.20s",
            r->at);
    r->at++;
    if (c == '$')
        return read_register(r, value);
    if (r->depth == DEPTH_MOST)
        return error_set(r->err, "the expression is too deep");
    r->depth++;
    bool ok = c == '(' ? read_sum(r, 0, value) : read_operand(r, value);
    r->depth--;
    if (!ok)
        return false;
    if (c == '-')
        *value = -*value;
    else if (c == '~')
        *value = ~*value;
    skip_spaces(r);
    if (c == '(' && *r->at++ != ')')
        return error_set(r->err, "a ) is missing");
    return true;
}

/* How tightly an operator binds; 0: it is none. */
static unsigned strength(char c)
{
    static const char *const levels[] = {"|", "^", "&", "+-", "*/%"};
    for (unsigned i = 0; c && i < ARRAY_LEN(levels); i++)
        if (strchr(levels[i], c))
            return i + 1;
    return 0;
}

static bool apply(struct reader *r, char operator, uint64_t right, uint64_t *value)
{
    switch (operator) {
    case '|':
        *value |= right;
        break;
    case '^':
        *value ^= right;
        break;
    case '&':
        *value &= right;
        break;
    case '+':
        *value += right;
        break;
    case '-':
        *value -= right;
        break;
    case '*':
        *value *= right;
        break;
    default:
        if (right == 0)
            return error_set(r->err, "division by zero");
        *value = operator== '/' ? *value / right : * value % right;
    }
    return true;
}

/* Operators that bind more tightly than `least`. */
static bool read_sum(struct reader *r, unsigned least, uint64_t *value)
{
    if (!read_operand(r, value))
        return false;
    for (skip_spaces(r); strength(*r->at) > least; skip_spaces(r)) {
        char operator= * r->at++;
        uint64_t right;
        if (!read_sum(r, strength(operator), &right) || !apply(r, operator, right, value))
            return false;
    }
    return true;
}

bool expression_read(const char **text, struct hart *h, const struct symbols *symbols,
                     uint64_t *value, struct error *err)
{
    struct reader r = {.at = *text, .hart = h, .symbols = symbols, .err = err};
    if (!read_sum(&r, 0, value))
        return false;
    *text = r.at;
    return true;
}
