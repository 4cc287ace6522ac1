/* A tree of calls with counts, and its text: a line a stack, "main;run;step 1234", as flame graphs
 * take it. */
#ifndef RIVULET_DEBUG_STACKS_H
#define RIVULET_DEBUG_STACKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A function: its symbol's, or, without one, the address that stands for it. Or a line of it. */
struct function {
    const char *name; /* NULL: no symbol */
    uint64_t address;
    unsigned line; /* name is the file's; 0: it is a function */
};

struct stacks;

struct stacks *stacks_create(void);
void stacks_destroy(struct stacks *s);

/* The root of one privilege (enum priv). */
uint32_t stacks_root(const struct stacks *s, unsigned priv);
/* The node below `parent`; when memory is short the parent itself. */
uint32_t stacks_child(struct stacks *s, uint32_t parent, struct function f);
uint32_t stacks_parent(const struct stacks *s, uint32_t node);
struct function stacks_function(const struct stacks *s, uint32_t node);
bool function_is_same(struct function a, struct function b);
void stacks_count(struct stacks *s, uint32_t node, uint64_t n);
void stacks_write(const struct stacks *s, FILE *file);

#endif
