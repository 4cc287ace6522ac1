/* Operations of the scalar cryptography extensions (Zknd, Zkne, Zknh, Zksed, Zksh): unprivileged
 * manual, chapter "Cryptography Extensions: Scalar & Entropy Source". FIPS 197 and 180-4, GB/T
 * 32907 and 32905. Host time may depend on operands: an emulator cannot promise Zkt's constant time
 * to anyone who watches its host. */
#ifndef RIVULET_CPU_CRYPTO_H
#define RIVULET_CPU_CRYPTO_H

#include "cpu/arith.h"

/* Half of an AES round, the lower 64 bits of it: rows shifted, bytes substituted, of the state
 * whose halves are low and high. */
uint64_t aes64_encrypt(uint64_t low, uint64_t high);
uint64_t aes64_decrypt(uint64_t low, uint64_t high);
/* MixColumns of two columns, and its inverse. */
uint64_t aes64_mix(uint64_t columns);
uint64_t aes64_inverse_mix(uint64_t columns);
/* The key schedule: round is 0 to 10, 10 without rotation and constant. */
uint64_t aes64_key_round(uint64_t key, unsigned round);
static inline uint64_t aes64_key_chain(uint64_t first, uint64_t second)
{
    uint32_t low = (uint32_t)(first >> 32) ^ (uint32_t)second;
    return low | (uint64_t)(low ^ (uint32_t)(second >> 32)) << 32;
}

/* One byte's part of a round (of the key schedule), byte 0 to 3 of word. */
uint32_t sm4_round(uint64_t sum, uint64_t word, unsigned byte);
uint32_t sm4_key_round(uint64_t sum, uint64_t word, unsigned byte);

static inline uint32_t sha256_sum0(uint64_t v)
{
    return rotate_right32(v, 2) ^ rotate_right32(v, 13) ^ rotate_right32(v, 22);
}

static inline uint32_t sha256_sum1(uint64_t v)
{
    return rotate_right32(v, 6) ^ rotate_right32(v, 11) ^ rotate_right32(v, 25);
}

static inline uint32_t sha256_sig0(uint64_t v)
{
    return rotate_right32(v, 7) ^ rotate_right32(v, 18) ^ (uint32_t)v >> 3;
}

static inline uint32_t sha256_sig1(uint64_t v)
{
    return rotate_right32(v, 17) ^ rotate_right32(v, 19) ^ (uint32_t)v >> 10;
}

static inline uint64_t sha512_sum0(uint64_t v)
{
    return rotate_right64(v, 28) ^ rotate_right64(v, 34) ^ rotate_right64(v, 39);
}

static inline uint64_t sha512_sum1(uint64_t v)
{
    return rotate_right64(v, 14) ^ rotate_right64(v, 18) ^ rotate_right64(v, 41);
}

static inline uint64_t sha512_sig0(uint64_t v)
{
    return rotate_right64(v, 1) ^ rotate_right64(v, 8) ^ v >> 7;
}

static inline uint64_t sha512_sig1(uint64_t v)
{
    return rotate_right64(v, 19) ^ rotate_right64(v, 61) ^ v >> 6;
}

static inline uint32_t sm3_p0(uint64_t v)
{
    return (uint32_t)v ^ rotate_left32(v, 9) ^ rotate_left32(v, 17);
}

static inline uint32_t sm3_p1(uint64_t v)
{
    return (uint32_t)v ^ rotate_left32(v, 15) ^ rotate_left32(v, 23);
}

#endif
