/* A line that a user types: keys in, text and cursor out, with a history. It knows no terminal:
 * who shows the line draws it anew, or what has changed of it. Text is UTF-8. */
#ifndef RIVULET_DEBUG_LINE_EDIT_H
#define RIVULET_DEBUG_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_EDIT_BYTES   1024u
#define LINE_EDIT_HISTORY 64u

/* Keys that are no bytes. Ctrl-A, B, D, E, F, H, K, N, P, U, W are the same as in every shell. */
enum edit_key {
    EDIT_LEFT = 256,
    EDIT_RIGHT,
    EDIT_UP,
    EDIT_DOWN,
    EDIT_HOME,
    EDIT_END,
    EDIT_DELETE,
    EDIT_KEYS_END
};

struct line_edit {
    char text[LINE_EDIT_BYTES]; /* ends with 0 */
    size_t used, cursor;        /* bytes */
    char *history[LINE_EDIT_HISTORY];
    unsigned history_count;
    unsigned at; /* in the history; history_count: the line that is new */
    char *kept;  /* the new line while an older one is shown */
};

/* One that is zeroed is ready. */
void line_edit_free(struct line_edit *e);

/* False: the key does nothing to a line. */
bool line_edit_key(struct line_edit *e, unsigned key);
/* Text at the cursor, cut where the line is full. */
void line_edit_insert(struct line_edit *e, const char *text, size_t n);
/* Begins an empty line. */
void line_edit_clear(struct line_edit *e);
/* The line is done: it becomes the newest of the history, unless it is empty or the same. */
void line_edit_remember(struct line_edit *e);

/* The places on a screen that so many bytes take. */
size_t line_edit_columns(const char *text, size_t n);

#endif
