/* Words: made, sorted with qsort and strcmp, counted in a hash table, joined and searched. */
#include "bench.h"

#include <string.h>

#define WORDS      120000u
#define WORD_BYTES 16u
#define SLOTS      (1u << 18)
#define SEARCHES   80u

struct table {
    const char *words[SLOTS];
    uint32_t counts[SLOTS];
};

static char (*make_words(void))[WORD_BYTES]
{
    char(*words)[WORD_BYTES] = bench_allocate(WORDS * WORD_BYTES);
    uint64_t state = 0x9e3779b97f4a7c15ull;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t bits = bench_random(&state);
        unsigned length = 2 + bits % 5;
        for (unsigned j = 0; j < length; j++)
            words[i][j] = (char)('a' + (bits >> (8 + 5 * j)) % 17);
        words[i][length] = '\0';
    }
    return words;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static uint64_t hash_of(const char *word)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *word; word++)
        hash = bench_mix(hash, (uint8_t)*word);
    return hash;
}

static uint64_t count_words(char (*words)[WORD_BYTES])
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        exit(1);
    uint64_t different = 0, most = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t slot = hash_of(words[i]) % SLOTS;
        while (table->words[slot] && strcmp(table->words[slot], words[i]) != 0)
            slot = (slot + 1) % SLOTS;
        different += !table->words[slot];
        table->words[slot] = words[i];
        if (++table->counts[slot] > most)
            most = table->counts[slot];
    }
    free(table);
    return different << 32 | most;
}

static uint64_t search(char (*words)[WORD_BYTES])
{
    char *text = bench_allocate(WORDS * WORD_BYTES), *end = text;
    for (uint32_t i = 0; i < WORDS; i++) {
        size_t length = strlen(words[i]);
        memcpy(end, words[i], length);
        end += length;
        *end++ = ' ';
    }
    *end = '\0';
    uint64_t found = 0;
    for (uint32_t i = 0; i < SEARCHES; i++) {
        const char *at = strstr(text, words[WORDS / SEARCHES * i]);
        found = bench_mix(found, at ? (uint64_t)(at - text) : 0);
    }
    free(text);
    return found;
}

int main(void)
{
    char(*words)[WORD_BYTES] = make_words();
    uint64_t hash = bench_mix(0, count_words(words));
    hash = bench_mix(hash, search(words));
    qsort(words, WORDS, WORD_BYTES, by_text);
    for (uint32_t i = 0; i < WORDS; i += 97)
        hash = bench_mix(hash, hash_of(words[i]));
    free(words);
    return bench_result("sort", hash, 0x92e2b6408ce6fab6);
}
