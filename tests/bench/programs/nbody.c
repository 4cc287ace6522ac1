/* Double precision: five bodies that attract each other, square roots and divisions. */
#include "bench.h"

#include <math.h>
#include <string.h>

#define BODIES 5
#define STEPS  300000
#define DT     0.01

struct body {
    double position[3], speed[3], mass;
};

static struct body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.5},
    {{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038},
    {{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011},
    {{12.9, -15.1, -0.2}, {1.1, 0.9, -0.01}, 0.0017},
    {{15.4, -25.9, 0.2}, {0.98, 0.6, -0.03}, 0.002},
};

static void attract(struct body *a, struct body *b)
{
    double d[3], square = 0;
    for (int i = 0; i < 3; i++) {
        d[i] = a->position[i] - b->position[i];
        square += d[i] * d[i];
    }
    double factor = DT / (square * sqrt(square));
    for (int i = 0; i < 3; i++) {
        a->speed[i] -= d[i] * b->mass * factor;
        b->speed[i] += d[i] * a->mass * factor;
    }
}

static void step(void)
{
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++)
            attract(&bodies[i], &bodies[j]);
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].position[k] += DT * bodies[i].speed[k];
}

int main(void)
{
    for (int i = 0; i < STEPS; i++)
        step();
    uint64_t hash = 0;
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) {
            uint64_t bits;
            memcpy(&bits, &bodies[i].position[k], sizeof bits);
            hash = bench_mix(hash, bits);
        }
    return bench_result("nbody", hash, 0xc9a56c6f2fb10ce);
}
