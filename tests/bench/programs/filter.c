/* Single precision: a finite and a recursive filter over a signal, with conversions to and from
 * samples of 16 bits. */
#include "bench.h"

#include <string.h>

#define SAMPLES 48000
#define TAPS    32
#define ROUNDS  24

static float signal[SAMPLES + TAPS], filtered[SAMPLES];
static int16_t samples[SAMPLES];

static void convolve(const float *taps)
{
    for (int i = 0; i < SAMPLES; i++) {
        float sum = 0;
        for (int k = 0; k < TAPS; k++)
            sum += signal[i + k] * taps[k];
        filtered[i] = sum;
    }
}

static void resonate(void)
{
    float before = 0, earlier = 0;
    for (int i = 0; i < SAMPLES; i++) {
        float now = filtered[i] + 1.6f * before - 0.8f * earlier;
        earlier = before;
        before = now;
        filtered[i] = now * 0.1f;
    }
}

static uint64_t quantize(uint64_t hash)
{
    for (int i = 0; i < SAMPLES; i++) {
        float scaled = filtered[i] * 20000;
        samples[i] = (int16_t)(scaled > 32767 ? 32767 : scaled < -32768 ? -32768 : scaled);
        signal[i] = (float)samples[i] / 32768;
    }
    for (int i = 0; i < SAMPLES; i += 11)
        hash = bench_mix(hash, (uint16_t)samples[i]);
    return hash;
}

int main(void)
{
    float taps[TAPS];
    uint64_t state = 99, hash = 0;
    for (int i = 0; i < TAPS; i++)
        taps[i] = (float)(16 - abs(i - 16)) / 256;
    for (int i = 0; i < SAMPLES + TAPS; i++)
        signal[i] = (float)(bench_random(&state) >> 40) / (1 << 24) - 0.5f;
    for (int round = 0; round < ROUNDS; round++) {
        convolve(taps);
        resonate();
        hash = quantize(hash);
    }
    return bench_result("filter", hash, 0x9001d43db7bacbfb);
}
