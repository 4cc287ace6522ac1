/* What is said of a program that a signal ends: the contract is process_report's in process.h. */
#include "syscall/maps.h"

#include <string.h>

static void print_registers(const struct process *p)
{
    static const char *const names[] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                        "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                        "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                        "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    for (unsigned i = 1; i < ARRAY_LEN(names); i++)
        fprintf(stderr, "%4s %016llx%s", names[i], (unsigned long long)p->hart->x[i],
                i % 4 == 0 || i + 1 == ARRAY_LEN(names) ? "\n" : "  ");
}

/* "  pc 00000000000105d4  main+0x12 (crash.c:7) in /tmp/crash+0x5d4" */
static void print_place(const struct process *p, const char *name, uint64_t va)
{
    char file[PATH_MAX], text[256] = "";
    uint64_t offset;
    fprintf(stderr, "  %s %016llx", name, (unsigned long long)va);
    if (maps_find(p, va, file, &offset)) {
        if (p->config->name_place)
            p->config->name_place(file, offset, text, sizeof text);
        fprintf(stderr, "  %s%s%s+0x%llx", text, text[0] ? " in " : "", file,
                (unsigned long long)offset);
    }
    fprintf(stderr, "\n");
}

void process_report(const struct process *p, int number, const uint64_t *address)
{
    fprintf(stderr, "rivulet: %s: %s", p->paths.program, strsignal(number));
    if (address)
        fprintf(stderr, " at address 0x%llx", (unsigned long long)*address);
    fprintf(stderr, "\n");
    print_place(p, "pc", p->hart->pc);
    print_place(p, "ra", p->hart->x[X_RA]);
    print_registers(p);
}
