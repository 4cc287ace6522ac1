#include "syscall/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool words_insert(struct words *w, size_t index, const char *text)
{
    if (w->count + 2 > w->room) {
        size_t room = w->room ? 2 * w->room : 16;
        char **grown = realloc(w->at, room * sizeof *grown);
        if (!grown)
            return false;
        w->at = grown;
        w->room = room;
    }
    char *copy = strndup(text, PTRDIFF_MAX); /* ended here: the text may be changing meanwhile */
    if (!copy)
        return false;
    memmove(&w->at[index + 1], &w->at[index], (w->count - index) * sizeof *w->at);
    w->at[index] = copy;
    w->at[++w->count] = NULL;
    return true;
}

void words_remove(struct words *w, size_t index)
{
    free(w->at[index]);
    memmove(&w->at[index], &w->at[index + 1], (w->count - index) * sizeof *w->at);
    w->count--;
}

void words_free(struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->at[i]);
    free(w->at);
    *w = (struct words){0};
}
