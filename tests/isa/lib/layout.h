/* Offsets of struct context (lib/rt.h) for start.S; rt.c asserts that they agree. */
#ifndef ISA_LAYOUT_H
#define ISA_LAYOUT_H

#define MAX_HARTS   8
#define STACK_SHIFT 14

#define CONTEXT_RECOVER 0
#define CONTEXT_COUNT   8
#define CONTEXT_CAUSE   16
#define CONTEXT_EPC     24
#define CONTEXT_TVAL    32
#define CONTEXT_STATUS  40
#define CONTEXT_SP      48
#define CONTEXT_T0      56
#define CONTEXT_T1      64
#define CONTEXT_BYTES   128

#endif
