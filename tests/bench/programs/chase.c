/* A pointer chase through 64 MiB in random order, one line at a time: each load waits for the one
 * before, and neither caches nor the TLB hold the way. */
#include "bench.h"

#define LINE_BYTES 64u
#define LINES      ((64u << 20) / LINE_BYTES)
#define STEPS      3000000u

struct line {
    struct line *next;
    uint64_t number;
    uint8_t rest[LINE_BYTES - 16];
};

/* One cycle through all lines (Sattolo's shuffle). */
static struct line *make_cycle(void)
{
    struct line *lines = bench_allocate((size_t)LINES * sizeof *lines);
    for (uint64_t i = 0; i < LINES; i++)
        lines[i] = (struct line){.next = &lines[i], .number = i};
    uint64_t state = 1234567;
    for (uint64_t i = LINES - 1; i > 0; i--) {
        uint64_t j = bench_random(&state) % i;
        struct line *next = lines[i].next;
        lines[i].next = lines[j].next;
        lines[j].next = next;
    }
    return lines;
}

int main(void)
{
    struct line *lines = make_cycle();
    const struct line *at = lines;
    uint64_t hash = 0;
    for (uint32_t i = 0; i < STEPS; i++) {
        hash = hash * 3 + at->number;
        at = at->next;
    }
    free(lines);
    return bench_result("chase", hash, 0xf06be6c43f74e965);
}
