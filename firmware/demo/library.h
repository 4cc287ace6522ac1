/* The few words of a C library that the demo uses. */
#ifndef RIVULET_FIRMWARE_DEMO_LIBRARY_H
#define RIVULET_FIRMWARE_DEMO_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler calls these two by itself. */
void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);

static inline size_t text_length(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static inline bool same_text(const char *a, const char *b)
{
    size_t n = text_length(b);
    return text_length(a) == n && same_bytes(a, b, n);
}

/* Text that grows in a buffer; what does not fit is left out. */
struct text {
    char *buffer;
    size_t size, used;
};

static inline void text_char(struct text *t, char c)
{
    if (t->used + 1 < t->size)
        t->buffer[t->used++] = c;
    t->buffer[t->used] = 0;
}

static inline void text_add(struct text *t, const char *more)
{
    while (*more)
        text_char(t, *more++);
}

static inline void text_number(struct text *t, uint64_t number)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n)
        text_char(t, digits[--n]);
}

/* A number that looks like chance, and is the same in every run. */
static inline uint32_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

#endif
