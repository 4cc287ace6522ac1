/* A bytecode interpreter: a stack machine with a switch, whose program sums divisors. Its indirect
 * jump is hard to predict, as an interpreter's is. */
#include "bench.h"

#define LIMIT 1800

enum code {
    PUSH,
    LOAD,
    STORE,
    ADD,
    MUL,
    REM,
    XOR,
    LESS,
    JUMP,
    JUMP_IF_ZERO,
    JUMP_UNLESS_ZERO,
    HALT
};
enum variable { NUMBER, DIVISOR, SUM, HASH, VARIABLES };
/* Where the program's jumps lead. */
enum label { NEXT_NUMBER = 2, NEXT_DIVISOR = 10, NO_DIVISOR = 22, ALL_DIVISORS = 27, END = 38 };

struct bytecode {
    enum code code;
    int operand;
};

static const struct bytecode program[] = {
    {PUSH, 2},
    {STORE, NUMBER},
    {LOAD, NUMBER}, /* NEXT_NUMBER */
    {PUSH, LIMIT},
    {LESS, 0},
    {JUMP_IF_ZERO, END},
    {PUSH, 1},
    {STORE, DIVISOR},
    {PUSH, 0},
    {STORE, SUM},
    {LOAD, DIVISOR}, /* NEXT_DIVISOR */
    {LOAD, NUMBER},
    {LESS, 0},
    {JUMP_IF_ZERO, ALL_DIVISORS},
    {LOAD, NUMBER},
    {LOAD, DIVISOR},
    {REM, 0},
    {JUMP_UNLESS_ZERO, NO_DIVISOR},
    {LOAD, SUM},
    {LOAD, DIVISOR},
    {ADD, 0},
    {STORE, SUM},
    {LOAD, DIVISOR}, /* NO_DIVISOR */
    {PUSH, 1},
    {ADD, 0},
    {STORE, DIVISOR},
    {JUMP, NEXT_DIVISOR},
    {LOAD, HASH}, /* ALL_DIVISORS */
    {LOAD, SUM},
    {XOR, 0},
    {PUSH, 31},
    {MUL, 0},
    {STORE, HASH},
    {LOAD, NUMBER},
    {PUSH, 1},
    {ADD, 0},
    {STORE, NUMBER},
    {JUMP, NEXT_NUMBER},
    {HALT, 0}, /* END */
};

static uint64_t interpret(const struct bytecode *start)
{
    uint64_t variables[VARIABLES] = {0}, stack[8] = {0};
    uint64_t *top = stack; /* the highest value; stack[0] stays 0 */
    for (const struct bytecode *at = start;; at++) {
        switch (at->code) {
        case PUSH:
            *++top = (uint64_t)at->operand;
            break;
        case LOAD:
            *++top = variables[at->operand];
            break;
        case STORE:
            variables[at->operand] = *top--;
            break;
        case ADD:
            top--;
            top[0] += top[1];
            break;
        case MUL:
            top--;
            top[0] *= top[1];
            break;
        case REM:
            top--;
            top[0] %= top[1];
            break;
        case XOR:
            top--;
            top[0] ^= top[1];
            break;
        case LESS:
            top--;
            top[0] = top[0] < top[1];
            break;
        case JUMP:
            at = start + at->operand - 1;
            break;
        case JUMP_IF_ZERO:
            if (*top-- == 0)
                at = start + at->operand - 1;
            break;
        case JUMP_UNLESS_ZERO:
            if (*top-- != 0)
                at = start + at->operand - 1;
            break;
        case HALT:
            return variables[HASH];
        }
    }
}

int main(void)
{
    return bench_result("vm", interpret(program), 0x997c3d9bbcab8aab);
}
