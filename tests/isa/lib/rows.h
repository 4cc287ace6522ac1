/* How the rows that model.py writes are executed: one block for each instruction. */
#ifndef ISA_ROWS_H
#define ISA_ROWS_H

#include "tests/isa/lib/rt.h"

#define ROWS(n, ...) static const uint64_t rows[][n] = {__VA_ARGS__}
#define EACH_ROW     for (const uint64_t(*r)[sizeof(rows[0]) / 8] = rows; r < (&rows)[1]; r++)

#define BINARY(text, ...)                                                                          \
    {                                                                                              \
        ROWS(3, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile(text " %0, %1, %2" : "=r"(got) : "r"((*r)[0]), "r"((*r)[1]));             \
            check_row(text, *r, 2, got, (*r)[2]);                                                  \
        }                                                                                          \
    }

#define UNARY(text, ...)                                                                           \
    {                                                                                              \
        ROWS(2, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile(text " %0, %1" : "=r"(got) : "r"((*r)[0]));                               \
            check_row(text, *r, 1, got, (*r)[1]);                                                  \
        }                                                                                          \
    }

#define IMMEDIATE(text, imm, a, want)                                                              \
    {                                                                                              \
        uint64_t got, operand = (a);                                                               \
        asm volatile(text " %0, %1, " #imm : "=r"(got) : "r"(operand));                            \
        check_row(text " " #imm, &operand, 1, got, (want));                                        \
    }

/* {memory, register, result, new memory} */
#define AMO(text, ...)                                                                             \
    {                                                                                              \
        ROWS(4, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got, memory = (*r)[0];                                                        \
            asm volatile(text " %0, %2, (%1)"                                                      \
                         : "=&r"(got)                                                              \
                         : "r"(&memory), "r"((*r)[1])                                              \
                         : "memory");                                                              \
            check_row(text, *r, 2, got, (*r)[2]);                                                  \
            check_row(text " memory", *r, 2, memory, (*r)[3]);                                     \
        }                                                                                          \
    }

/* Floating point: operands and results pass through integer registers, bit by bit; the flags are
 * checked for each row. FPn: n operands and the result in f registers; FPXn: the result in an
 * x register; XFP1: the operand in an x register. */
#define FP_CHECK(text, rm, n)                                                                      \
    check_row(text rm, *r, n, got, (*r)[n]);                                                       \
    check_row(text rm " flags", *r, n, csr_swap(fflags, 0), (*r)[(n) + 1]);

#define FP1(text, rm, ...)                                                                         \
    {                                                                                              \
        ROWS(3, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile("fmv.d.x fa1, %1;" text " fa0, fa1" rm "; fmv.x.d %0, fa0"                \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0])                                                            \
                         : "fa0", "fa1");                                                          \
            FP_CHECK(text, rm, 1)                                                                  \
        }                                                                                          \
    }

#define FP2(text, rm, ...)                                                                         \
    {                                                                                              \
        ROWS(4, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile("fmv.d.x fa1, %1; fmv.d.x fa2, %2;" text " fa0, fa1, fa2" rm              \
                         "; fmv.x.d %0, fa0"                                                       \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0]), "r"((*r)[1])                                              \
                         : "fa0", "fa1", "fa2");                                                   \
            FP_CHECK(text, rm, 2)                                                                  \
        }                                                                                          \
    }

#define FP3(text, rm, ...)                                                                         \
    {                                                                                              \
        ROWS(5, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile("fmv.d.x fa1, %1; fmv.d.x fa2, %2; fmv.d.x fa3, %3;" text                 \
                         " fa0, fa1, fa2, fa3" rm "; fmv.x.d %0, fa0"                              \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0]), "r"((*r)[1]), "r"((*r)[2])                                \
                         : "fa0", "fa1", "fa2", "fa3");                                            \
            FP_CHECK(text, rm, 3)                                                                  \
        }                                                                                          \
    }

#define FPX1(text, rm, ...)                                                                        \
    {                                                                                              \
        ROWS(3, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile("fmv.d.x fa1, %1;" text " %0, fa1" rm                                     \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0])                                                            \
                         : "fa1");                                                                 \
            FP_CHECK(text, rm, 1)                                                                  \
        }                                                                                          \
    }

#define FPX2(text, rm, ...)                                                                        \
    {                                                                                              \
        ROWS(4, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile("fmv.d.x fa1, %1; fmv.d.x fa2, %2;" text " %0, fa1, fa2" rm               \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0]), "r"((*r)[1])                                              \
                         : "fa1", "fa2");                                                          \
            FP_CHECK(text, rm, 2)                                                                  \
        }                                                                                          \
    }

#define XFP1(text, rm, ...)                                                                        \
    {                                                                                              \
        ROWS(3, __VA_ARGS__);                                                                      \
        EACH_ROW                                                                                   \
        {                                                                                          \
            uint64_t got;                                                                          \
            asm volatile(text " fa0, %1" rm "; fmv.x.d %0, fa0"                                    \
                         : "=r"(got)                                                               \
                         : "r"((*r)[0])                                                            \
                         : "fa0");                                                                 \
            FP_CHECK(text, rm, 1)                                                                  \
        }                                                                                          \
    }

#endif
