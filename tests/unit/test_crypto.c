/* The scalar cryptography instructions as programs use them: whole ciphers and hashes made of them,
 * against the vectors that the standards print. */
#include "cpu/crypto.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- AES: FIPS 197, appendix C.1 ---------------------------------------------------------------
 */

struct block {
    uint64_t low, high;
};

static const struct block plain = {0x7766554433221100, 0xffeeddccbbaa9988};
static const struct block cipher = {0x30047b6ad8e0c469, 0x5ac5b47080b7cdd8};

static void expand(struct block keys[11])
{
    keys[0] = (struct block){0x0706050403020100, 0x0f0e0d0c0b0a0908};
    for (unsigned i = 0; i < 10; i++) {
        keys[i + 1].low = aes64_key_chain(aes64_key_round(keys[i].high, i), keys[i].low);
        keys[i + 1].high = aes64_key_chain(keys[i + 1].low, keys[i].high);
    }
}

static struct block add(struct block a, struct block b)
{
    return (struct block){a.low ^ b.low, a.high ^ b.high};
}

START_TEST(aes_128_encrypts_as_fips_197_says)
{
    struct block keys[11], s;
    expand(keys);
    s = add(plain, keys[0]);
    for (unsigned i = 1; i < 10; i++) {
        struct block next = {aes64_mix(aes64_encrypt(s.low, s.high)),
                             aes64_mix(aes64_encrypt(s.high, s.low))};
        s = add(next, keys[i]);
    }
    s = add((struct block){aes64_encrypt(s.low, s.high), aes64_encrypt(s.high, s.low)}, keys[10]);
    ck_assert_uint_eq(s.low, cipher.low);
    ck_assert_uint_eq(s.high, cipher.high);
}
END_TEST

START_TEST(aes_128_decrypts_what_it_encrypted)
{
    struct block keys[11], s;
    expand(keys);
    s = add(cipher, keys[10]);
    for (unsigned i = 9; i > 0; i--) {
        struct block next = {aes64_decrypt(s.low, s.high), aes64_decrypt(s.high, s.low)};
        s = add(next, keys[i]);
        s = (struct block){aes64_inverse_mix(s.low), aes64_inverse_mix(s.high)};
    }
    s = add((struct block){aes64_decrypt(s.low, s.high), aes64_decrypt(s.high, s.low)}, keys[0]);
    ck_assert_uint_eq(s.low, plain.low);
    ck_assert_uint_eq(s.high, plain.high);
}
END_TEST

/* The last round key has neither rotation nor constant. */
START_TEST(the_tenth_key_round_only_substitutes)
{
    ck_assert_uint_eq(aes64_key_round(0, 10), 0x6363636363636363);
    ck_assert_uint_eq(aes64_key_round(0x0000000100000000, 10), 0x6363637c6363637c);
    ck_assert_uint_eq(aes64_key_round(0x0000000100000000, 0), 0x7c6363627c636362);
}
END_TEST

/* --- SM4: GB/T 32907, appendix A ------------------------------------------------------------- */

static uint32_t of_four(uint32_t (*f)(uint64_t, uint64_t, unsigned), uint32_t sum, uint32_t word)
{
    for (unsigned byte = 0; byte < 4; byte++)
        sum = f(sum, word, byte);
    return sum;
}

/* Bytes i * 7 times four from 0: the constant of round i; lowest byte first, as words are loaded.
 */
static uint32_t sm4_constant(unsigned i)
{
    uint32_t ck = 0;
    for (unsigned j = 0; j < 4; j++)
        ck |= (uint32_t)(uint8_t)((4 * i + j) * 7) << 8 * j;
    return ck;
}

START_TEST(sm4_encrypts_as_the_standard_says)
{
    static const uint8_t text[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                     0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
    static const uint8_t want[16] = {0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
                                     0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46};
    static const uint32_t fk[4] = {0xc6bab1a3, 0x5033aa56, 0x97917d67, 0xdc2270b2};
    uint32_t x[36], k[36];
    memcpy(x, text, sizeof text);
    memcpy(k, text, sizeof text);
    for (unsigned i = 0; i < 4; i++)
        k[i] ^= fk[i];
    for (unsigned i = 0; i < 32; i++) {
        k[i + 4] = of_four(sm4_key_round, k[i], k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ sm4_constant(i));
        x[i + 4] = of_four(sm4_round, x[i], x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ k[i + 4]);
    }
    uint32_t out[4] = {x[35], x[34], x[33], x[32]};
    ck_assert_mem_eq(out, want, sizeof want);
}
END_TEST

/* --- hashes: FIPS 180-4 and GB/T 32905, the digests of "abc" ------------------------------------
 */

/* The first bits of the fractional part of the n-th prime's root, found with integers. */
static uint64_t root_bits(unsigned prime, unsigned root, unsigned bits)
{
    unsigned __int128 low = 0, high = (unsigned __int128)32 << bits;
    while (high - low > 1) {
        unsigned __int128 middle = (low + high) / 2;
        long double m = (long double)middle / (long double)((unsigned __int128)1 << bits);
        bool below = (root == 2 ? m * m : m * m * m) <= prime;
        *(below ? &low : &high) = middle;
    }
    return (uint64_t)low & (~0ull >> (64 - bits));
}

static bool is_prime(unsigned p)
{
    for (unsigned d = 2; d * d <= p; d++)
        if (p % d == 0)
            return false;
    return true;
}

static unsigned next_prime(unsigned p)
{
    do
        p++;
    while (!is_prime(p));
    return p;
}

START_TEST(sha256_of_abc_is_the_standards)
{
    static const uint32_t want[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint32_t w[64] = {0x61626380, [15] = 24}, h[8], v[8];
    unsigned primes[64];
    for (unsigned i = 0; i < 64; i++)
        primes[i] = next_prime(i ? primes[i - 1] : 1);
    for (unsigned i = 0; i < 8; i++)
        v[i] = h[i] = (uint32_t)root_bits(primes[i], 2, 32);
    for (unsigned i = 16; i < 64; i++)
        w[i] = sha256_sig1(w[i - 2]) + w[i - 7] + sha256_sig0(w[i - 15]) + w[i - 16];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t t1 =
            v[7] + sha256_sum1(v[4]) + choice + (uint32_t)root_bits(primes[i], 3, 32) + w[i];
        uint32_t t2 = sha256_sum0(v[0]) + majority;
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(h[i] + v[i], want[i]);
}
END_TEST

/* The rotations of FIPS 180-4, section 4.1.3, bit by bit. */
START_TEST(sha512_functions_move_each_bit_where_the_standard_says)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t v = 1ull << bit;
#define ROT(n) (1ull << ((bit + 64 - (n)) % 64))
#define SHR(n) (bit >= (n) ? 1ull << (bit - (n)) : 0)
        ck_assert_uint_eq(sha512_sum0(v), ROT(28) ^ ROT(34) ^ ROT(39));
        ck_assert_uint_eq(sha512_sum1(v), ROT(14) ^ ROT(18) ^ ROT(41));
        ck_assert_uint_eq(sha512_sig0(v), ROT(1) ^ ROT(8) ^ SHR(7));
        ck_assert_uint_eq(sha512_sig1(v), ROT(19) ^ ROT(61) ^ SHR(6));
    }
}
END_TEST

START_TEST(sm3_of_abc_is_the_standards)
{
    static const uint32_t want[8] = {0x66c7f0f4, 0x62eeedd9, 0xd1f2d46b, 0xdc10e4e2,
                                     0x4167c487, 0x5cf2f7a2, 0x297da02b, 0x8f4ba8e0};
    static const uint32_t iv[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                   0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
    uint32_t w[68] = {0x61626380, [15] = 24}, v[8];
    memcpy(v, iv, sizeof v);
    for (unsigned j = 16; j < 68; j++)
        w[j] = sm3_p1(w[j - 16] ^ w[j - 9] ^ rotate_left32(w[j - 3], 15)) ^
               rotate_left32(w[j - 13], 7) ^ w[j - 6];
    for (unsigned j = 0; j < 64; j++) {
        uint32_t t = rotate_left32(j < 16 ? 0x79cc4519 : 0x7a879d8a, j);
        uint32_t ss1 = rotate_left32(rotate_left32(v[0], 12) + v[4] + t, 7);
        uint32_t ss2 = ss1 ^ rotate_left32(v[0], 12);
        uint32_t ff = j < 16 ? v[0] ^ v[1] ^ v[2] : (v[0] & v[1]) | (v[0] & v[2]) | (v[1] & v[2]);
        uint32_t gg = j < 16 ? v[4] ^ v[5] ^ v[6] : (v[4] & v[5]) | (~v[4] & v[6]);
        uint32_t tt1 = ff + v[3] + ss2 + (w[j] ^ w[j + 4]), tt2 = gg + v[7] + ss1 + w[j];
        v[3] = v[2], v[2] = rotate_left32(v[1], 9), v[1] = v[0], v[0] = tt1;
        v[7] = v[6], v[6] = rotate_left32(v[5], 19), v[5] = v[4], v[4] = sm3_p0(tt2);
    }
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(v[i] ^ iv[i], want[i]);
}
END_TEST

/* --- Zbkb and Zbkx --------------------------------------------------------------------------- */

START_TEST(brev8_turns_each_byte_around)
{
    for (unsigned bit = 0; bit < 64; bit++)
        ck_assert_uint_eq(reverse_bits_of_bytes(1ull << bit), 1ull << (bit / 8 * 8 + 7 - bit % 8));
}
END_TEST

START_TEST(permutations_look_up_and_give_0_beyond_the_table)
{
    ck_assert_uint_eq(permute_bytes(0x8877665544332211, 0x0807060001ff0203), 0x0088771122003344);
    ck_assert_uint_eq(permute_nibbles(0xfedcba9876543210, 0x0123456789abcdef), 0x0123456789abcdef);
    ck_assert_uint_eq(permute_nibbles(0x5, 0xffffffffffffff0f), 0x50);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("crypto");
    TCase *t = tcase_create("crypto");
    tcase_add_test(t, aes_128_encrypts_as_fips_197_says);
    tcase_add_test(t, aes_128_decrypts_what_it_encrypted);
    tcase_add_test(t, the_tenth_key_round_only_substitutes);
    tcase_add_test(t, sm4_encrypts_as_the_standard_says);
    tcase_add_test(t, sha256_of_abc_is_the_standards);
    tcase_add_test(t, sha512_functions_move_each_bit_where_the_standard_says);
    tcase_add_test(t, sm3_of_abc_is_the_standards);
    tcase_add_test(t, brev8_turns_each_byte_around);
    tcase_add_test(t, permutations_look_up_and_give_0_beyond_the_table);
    suite_add_tcase(s, t);
    return run_suite(s);
}
