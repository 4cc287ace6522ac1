/* Agent expressions (contract: gdb_agent.h). The stack holds 64-bit numbers; operands in the code
 * are big-endian. Codes that trace or that compute with floats are not for conditions. */
#include "debug/gdb_agent.h"

#include "cpu/peek.h"
#include "debug/gdb_internal.h"

#include <stdlib.h>

#define CODE_MOST  4096u
#define STACK_MOST 64u
#define OPS_MOST   10000u /* a loop ends some time */

/* The manual's names, section "Bytecode Descriptions". */
enum agent_op {
    AX_ADD = 0x02,
    AX_SUB = 0x03,
    AX_MUL = 0x04,
    AX_DIV_SIGNED = 0x05,
    AX_DIV_UNSIGNED = 0x06,
    AX_REM_SIGNED = 0x07,
    AX_REM_UNSIGNED = 0x08,
    AX_LSH = 0x09,
    AX_RSH_SIGNED = 0x0a,
    AX_RSH_UNSIGNED = 0x0b,
    AX_LOG_NOT = 0x0e,
    AX_BIT_AND = 0x0f,
    AX_BIT_OR = 0x10,
    AX_BIT_XOR = 0x11,
    AX_BIT_NOT = 0x12,
    AX_EQUAL = 0x13,
    AX_LESS_SIGNED = 0x14,
    AX_LESS_UNSIGNED = 0x15,
    AX_EXT = 0x16,
    AX_REF8 = 0x17,
    AX_REF16 = 0x18,
    AX_REF32 = 0x19,
    AX_REF64 = 0x1a,
    AX_IF_GOTO = 0x20,
    AX_GOTO = 0x21,
    AX_CONST8 = 0x22,
    AX_CONST16 = 0x23,
    AX_CONST32 = 0x24,
    AX_CONST64 = 0x25,
    AX_REG = 0x26,
    AX_END = 0x27,
    AX_DUP = 0x28,
    AX_POP = 0x29,
    AX_ZERO_EXT = 0x2a,
    AX_SWAP = 0x2b,
    AX_PICK = 0x32,
    AX_ROT = 0x33,
};

struct gdb_conditions {
    struct gdb_conditions *next;
    size_t n;
    uint8_t code[];
};

struct agent {
    const uint8_t *code;
    size_t n, at;
    uint64_t stack[STACK_MOST];
    unsigned depth;
    struct hart *hart;
};

/* --- stack and operands ------------------------------------------------------------------ */

static bool push(struct agent *a, uint64_t value)
{
    if (a->depth == STACK_MOST)
        return false;
    a->stack[a->depth++] = value;
    return true;
}

/* The operand of so many bytes that stands behind the code. */
static bool take_operand(struct agent *a, unsigned bytes, uint64_t *value)
{
    *value = 0;
    if (a->n - a->at < bytes)
        return false;
    while (bytes--)
        *value = *value << 8 | a->code[a->at++];
    return true;
}

static bool push_constant(struct agent *a, unsigned bytes)
{
    uint64_t value;
    return take_operand(a, bytes, &value) && push(a, value);
}

static bool push_register(struct agent *a)
{
    uint64_t number, value;
    return take_operand(a, 2, &number) && gdb_register_value(a->hart, number, &value) &&
           push(a, value);
}

static bool go_to(struct agent *a, bool takes)
{
    uint64_t target;
    if (!take_operand(a, 2, &target) || target >= a->n)
        return false;
    if (takes)
        a->at = target;
    return true;
}

static bool load(struct agent *a, unsigned bytes)
{
    uint64_t *top = &a->stack[a->depth - 1], value = 0;
    if (!peek_memory(a->hart, *top, &value, bytes))
        return false;
    *top = value;
    return true;
}

/* The low bits of the top, with their sign or without. */
static bool extend(struct agent *a, bool is_signed)
{
    uint64_t bits, *top = &a->stack[a->depth - 1];
    if (!take_operand(a, 1, &bits) || bits == 0)
        return false;
    if (bits >= 64)
        return true;
    *top <<= 64 - bits;
    *top = is_signed ? (uint64_t)((int64_t)*top >> (64 - bits)) : *top >> (64 - bits);
    return true;
}

static bool pick(struct agent *a)
{
    uint64_t below;
    return take_operand(a, 1, &below) && below < a->depth &&
           push(a, a->stack[a->depth - 1 - below]);
}

static bool swap(struct agent *a)
{
    if (a->depth < 2)
        return false;
    uint64_t *at = &a->stack[a->depth - 2], top = at[1];
    at[1] = at[0];
    at[0] = top;
    return true;
}

/* a b c, c on top, become c a b. */
static bool rotate(struct agent *a)
{
    if (a->depth < 3)
        return false;
    uint64_t *at = &a->stack[a->depth - 3], top = at[2];
    at[2] = at[1];
    at[1] = at[0];
    at[0] = top;
    return true;
}

/* --- arithmetic -------------------------------------------------------------------------- */

static bool divide(enum agent_op op, uint64_t a, uint64_t b, uint64_t *result)
{
    int64_t x = (int64_t)a, y = (int64_t)b;
    if (b == 0 || (x == INT64_MIN && y == -1))
        return false;
    if (op == AX_DIV_SIGNED)
        *result = (uint64_t)(x / y);
    else if (op == AX_DIV_UNSIGNED)
        *result = a / b;
    else
        *result = op == AX_REM_SIGNED ? (uint64_t)(x % y) : a % b;
    return true;
}

static uint64_t shift(enum agent_op op, uint64_t a, uint64_t by)
{
    if (by > 63)
        return op == AX_RSH_SIGNED && a >> 63 ? UINT64_MAX : 0;
    if (op == AX_LSH)
        return a << by;
    return op == AX_RSH_SIGNED ? (uint64_t)((int64_t)a >> by) : a >> by;
}

/* Codes that make one value of two. False: it is none, or it cannot be computed. */
static bool combine(enum agent_op op, uint64_t a, uint64_t b, uint64_t *result)
{
    switch (op) {
    case AX_ADD:
        *result = a + b;
        return true;
    case AX_SUB:
        *result = a - b;
        return true;
    case AX_MUL:
        *result = a * b;
        return true;
    case AX_BIT_AND:
        *result = a & b;
        return true;
    case AX_BIT_OR:
        *result = a | b;
        return true;
    case AX_BIT_XOR:
        *result = a ^ b;
        return true;
    case AX_EQUAL:
        *result = a == b;
        return true;
    case AX_LESS_SIGNED:
        *result = (int64_t)a < (int64_t)b;
        return true;
    case AX_LESS_UNSIGNED:
        *result = a < b;
        return true;
    case AX_LSH:
    case AX_RSH_SIGNED:
    case AX_RSH_UNSIGNED:
        *result = shift(op, a, b);
        return true;
    default:
        return op >= AX_DIV_SIGNED && op <= AX_REM_UNSIGNED && divide(op, a, b, result);
    }
}

static bool run_binary(struct agent *a, enum agent_op op)
{
    if (a->depth < 2)
        return false;
    a->depth--;
    uint64_t *top = &a->stack[a->depth - 1];
    return combine(op, top[0], top[1], top);
}

/* --- running ----------------------------------------------------------------------------- */

/* Codes that need nothing on the stack. *is_one: it is such a code. */
static bool run_push(struct agent *a, enum agent_op op, bool *is_one)
{
    *is_one = true;
    switch (op) {
    case AX_CONST8:
    case AX_CONST16:
    case AX_CONST32:
    case AX_CONST64:
        return push_constant(a, 1u << (op - AX_CONST8));
    case AX_REG:
        return push_register(a);
    case AX_GOTO:
        return go_to(a, true);
    case AX_PICK:
        return pick(a);
    case AX_ROT:
        return rotate(a);
    default:
        *is_one = false;
        return false;
    }
}

/* Codes on the top of the stack, which is there. */
static bool run_unary(struct agent *a, enum agent_op op)
{
    uint64_t *top = &a->stack[a->depth - 1];
    switch (op) {
    case AX_LOG_NOT:
        *top = !*top;
        return true;
    case AX_BIT_NOT:
        *top = ~*top;
        return true;
    case AX_EXT:
    case AX_ZERO_EXT:
        return extend(a, op == AX_EXT);
    case AX_REF8:
    case AX_REF16:
    case AX_REF32:
    case AX_REF64:
        return load(a, 1u << (op - AX_REF8));
    case AX_IF_GOTO:
        a->depth--;
        return go_to(a, *top != 0);
    case AX_DUP:
        return push(a, *top);
    case AX_POP:
        a->depth--;
        return true;
    case AX_SWAP:
        return swap(a);
    default:
        return run_binary(a, op);
    }
}

/* False: it cannot be evaluated. */
static bool evaluate(struct agent *a, uint64_t *value)
{
    for (unsigned i = 0; i < OPS_MOST && a->at < a->n; i++) {
        enum agent_op op = a->code[a->at++];
        bool is_push;
        if (op == AX_END) {
            *value = a->depth ? a->stack[a->depth - 1] : 0;
            return a->depth > 0;
        }
        bool ok = run_push(a, op, &is_push);
        if (!is_push)
            ok = a->depth && run_unary(a, op);
        if (!ok)
            return false;
    }
    return false;
}

bool gdb_conditions_hold(const struct gdb_conditions *c, struct hart *h)
{
    for (; c; c = c->next) {
        struct agent a = {.code = c->code, .n = c->n, .hart = h};
        uint64_t value;
        if (!evaluate(&a, &value) || value)
            return true;
    }
    return false;
}

/* --- reading ----------------------------------------------------------------------------- */

static struct gdb_conditions *read_one(struct gdb_text *t)
{
    uint64_t n;
    if (!gdb_take_number(t, &n) || n > CODE_MOST || !gdb_take(t, ","))
        return NULL;
    struct gdb_conditions *c = malloc(sizeof *c + n);
    if (!c)
        return NULL;
    *c = (struct gdb_conditions){.n = n};
    if (gdb_take_bytes(t, c->code, n))
        return c;
    free(c);
    return NULL;
}

bool gdb_conditions_read(struct gdb_text *t, struct gdb_conditions **c)
{
    struct gdb_conditions **last = c;
    *c = NULL;
    while (gdb_take(t, "X")) {
        *last = read_one(t);
        if (!*last) {
            gdb_conditions_free(*c);
            *c = NULL;
            return false;
        }
        last = &(*last)->next;
    }
    return *c != NULL;
}

void gdb_conditions_free(struct gdb_conditions *c)
{
    while (c) {
        struct gdb_conditions *next = c->next;
        free(c);
        c = next;
    }
}
