/* A list of strings of its own: arguments, environment. */
#ifndef RIVULET_SYSCALL_WORDS_H
#define RIVULET_SYSCALL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    char **at; /* NULL behind the last, once there is one */
    size_t count, room;
};

/* A copy goes in at `index`, at most count. False: no memory. */
bool words_insert(struct words *w, size_t index, const char *text);
static inline bool words_add(struct words *w, const char *text)
{
    return words_insert(w, w->count, text);
}
void words_remove(struct words *w, size_t index);
void words_free(struct words *w);

#endif
