/* What tests/diff/run writes into the guest's image before it starts. */
#ifndef DIFF_CONFIG_H
#define DIFF_CONFIG_H

#include <stdint.h>

struct config {
    char magic[8]; /* "DIFFCONF": how run finds it */
    uint64_t seed, count;
    uint64_t limit;   /* instructions of a program; 0: all */
    uint64_t verbose; /* print all state */
    uint64_t newer;   /* both emulators know all extensions */
    uint64_t qemu72;  /* leave out what QEMU, 7.2 above all, gets wrong */
    uint64_t preempt; /* interrupt the program all the time */
};
extern volatile struct config config;

#endif
