/* A tree of calls with counts (contract: stacks.h). */
#include "debug/stacks.h"

#include <stdlib.h>
#include <string.h>

#define ROOTS     4u /* by privilege */
#define DEPTH_MAX 512u

struct node {
    struct function function;
    uint32_t parent, child, sibling; /* 0: none; roots are nobody's child */
    uint64_t count;
};

struct stacks {
    struct node *nodes;
    uint32_t used, room;
};

struct stacks *stacks_create(void)
{
    static const char *const names[ROOTS] = {"user", "supervisor", "?", "machine"};
    struct stacks *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->room = 1024;
    s->nodes = calloc(s->room, sizeof *s->nodes);
    if (!s->nodes) {
        free(s);
        return NULL;
    }
    for (; s->used < ROOTS; s->used++)
        s->nodes[s->used].function.name = names[s->used];
    return s;
}

void stacks_destroy(struct stacks *s)
{
    if (!s)
        return;
    free(s->nodes);
    free(s);
}

uint32_t stacks_root(const struct stacks *s, unsigned priv)
{
    (void)s;
    return priv % ROOTS;
}

/* All that lies outside of symbols is one function, as long as nothing is called. */
bool function_is_same(struct function a, struct function b)
{
    return a.name == b.name && a.address == b.address && a.line == b.line;
}

uint32_t stacks_child(struct stacks *s, uint32_t parent, struct function f)
{
    for (uint32_t i = s->nodes[parent].child; i; i = s->nodes[i].sibling)
        if (function_is_same(s->nodes[i].function, f))
            return i;
    if (s->used == s->room) {
        struct node *more = realloc(s->nodes, 2 * (size_t)s->room * sizeof *more);
        if (!more)
            return parent;
        s->nodes = more;
        s->room *= 2;
    }
    s->nodes[s->used] =
        (struct node){.function = f, .parent = parent, .sibling = s->nodes[parent].child};
    s->nodes[parent].child = s->used;
    return s->used++;
}

uint32_t stacks_parent(const struct stacks *s, uint32_t node)
{
    return node < ROOTS ? node : s->nodes[node].parent;
}

struct function stacks_function(const struct stacks *s, uint32_t node)
{
    return s->nodes[node].function;
}

void stacks_count(struct stacks *s, uint32_t node, uint64_t n)
{
    s->nodes[node].count += n;
}

static void write_name(struct function f, FILE *file)
{
    if (!f.name)
        fprintf(file, "0x%llx", (unsigned long long)f.address);
    for (const char *p = f.name; p && *p; p++)
        fputc(*p == ';' || *p == ' ' ? '_' : *p, file);
    if (f.line)
        fprintf(file, ":%u", f.line);
}

static void write_stack(const struct stacks *s, uint32_t node, FILE *file)
{
    uint32_t path[DEPTH_MAX];
    unsigned depth = 0;
    for (uint32_t i = node; depth < DEPTH_MAX; i = s->nodes[i].parent) {
        path[depth++] = i;
        if (i < ROOTS)
            break;
    }
    while (depth-- > 0) {
        write_name(s->nodes[path[depth]].function, file);
        fputc(depth ? ';' : ' ', file);
    }
    fprintf(file, "%llu\n", (unsigned long long)s->nodes[node].count);
}

void stacks_write(const struct stacks *s, FILE *file)
{
    for (uint32_t i = 0; i < s->used; i++)
        if (s->nodes[i].count)
            write_stack(s, i, file);
}
