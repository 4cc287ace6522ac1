/* Double precision: products of matrices that fit the second-level cache. */
#include "bench.h"

#include <string.h>

#define ORDER  128
#define ROUNDS 24

static double a[ORDER][ORDER], b[ORDER][ORDER], product[ORDER][ORDER];

static void multiply(void)
{
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            double sum = 0;
            for (int k = 0; k < ORDER; k++)
                sum += a[i][k] * b[k][j];
            product[i][j] = sum;
        }
}

int main(void)
{
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            a[i][j] = (double)(i * j % 17) / 16;
            b[i][j] = (double)((i + 3 * j) % 23) / 190;
        }
    for (int round = 0; round < ROUNDS; round++) {
        multiply();
        memcpy(a, product, sizeof a);
    }
    uint64_t hash = 0;
    for (int i = 0; i < ORDER; i++) {
        uint64_t bits;
        memcpy(&bits, &a[i][(i * 7) % ORDER], sizeof bits);
        hash = bench_mix(hash, bits);
    }
    return bench_result("matmul", hash, 0xbb6536775b94c622);
}
