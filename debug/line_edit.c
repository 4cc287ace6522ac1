/* A line that a user types (contract: line_edit.h). */
#include "debug/line_edit.h"

#include <stdlib.h>
#include <string.h>

#define CTRL(letter) ((letter)&0x1f)
#define RUBOUT       0x7f

void line_edit_free(struct line_edit *e)
{
    while (e->history_count)
        free(e->history[--e->history_count]);
    free(e->kept);
    e->kept = NULL;
    e->at = 0;
}

/* --- text -------------------------------------------------------------------------------- */

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t line_edit_columns(const char *text, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += !is_inside_character(text[i]);
    return columns;
}

static size_t before(const struct line_edit *e, size_t at)
{
    while (at && is_inside_character(e->text[--at]))
        ;
    return at;
}

static size_t behind(const struct line_edit *e, size_t at)
{
    at += at < e->used;
    while (at < e->used && is_inside_character(e->text[at]))
        at++;
    return at;
}

static size_t word_before(const struct line_edit *e)
{
    size_t at = e->cursor;
    while (at && e->text[at - 1] == ' ')
        at--;
    while (at && e->text[at - 1] != ' ')
        at--;
    return at;
}

/* The cursor comes to where the text was. */
static void erase(struct line_edit *e, size_t from, size_t to)
{
    memmove(e->text + from, e->text + to, e->used - to + 1);
    e->used -= to - from;
    e->cursor = from;
}

void line_edit_insert(struct line_edit *e, const char *text, size_t n)
{
    size_t room = sizeof e->text - 1 - e->used;
    n = n < room ? n : room;
    memmove(e->text + e->cursor + n, e->text + e->cursor, e->used - e->cursor + 1);
    memcpy(e->text + e->cursor, text, n);
    e->used += n;
    e->cursor += n;
}

void line_edit_clear(struct line_edit *e)
{
    e->used = e->cursor = 0;
    e->text[0] = 0;
    e->at = e->history_count;
}

/* --- history ----------------------------------------------------------------------------- */

static void show(struct line_edit *e, const char *text)
{
    e->used = e->cursor = 0;
    e->text[0] = 0;
    line_edit_insert(e, text, strlen(text));
}

static void go_to(struct line_edit *e, unsigned at)
{
    if (e->at == e->history_count) {
        free(e->kept);
        e->kept = strdup(e->text);
    }
    e->at = at;
    if (at < e->history_count)
        show(e, e->history[at]);
    else
        show(e, e->kept ? e->kept : "");
}

void line_edit_remember(struct line_edit *e)
{
    unsigned n = e->history_count;
    if (e->used == 0 || (n && strcmp(e->history[n - 1], e->text) == 0))
        return;
    char *line = strdup(e->text);
    if (!line) /* a shorter history is all that is lost */
        return;
    if (n == LINE_EDIT_HISTORY) {
        free(e->history[0]);
        memmove(e->history, e->history + 1, --n * sizeof e->history[0]);
    }
    e->history[n] = line;
    e->history_count = n + 1;
    e->at = e->history_count;
}

/* --- keys -------------------------------------------------------------------------------- */

static bool move(struct line_edit *e, unsigned key)
{
    switch (key) {
    case EDIT_LEFT:
    case CTRL('B'):
        e->cursor = before(e, e->cursor);
        return true;
    case EDIT_RIGHT:
    case CTRL('F'):
        e->cursor = behind(e, e->cursor);
        return true;
    case EDIT_HOME:
    case CTRL('A'):
        e->cursor = 0;
        return true;
    case EDIT_END:
    case CTRL('E'):
        e->cursor = e->used;
        return true;
    case EDIT_UP:
    case CTRL('P'):
        if (e->at > 0)
            go_to(e, e->at - 1);
        return true;
    case EDIT_DOWN:
    case CTRL('N'):
        if (e->at < e->history_count)
            go_to(e, e->at + 1);
        return true;
    default:
        return false;
    }
}

static bool change(struct line_edit *e, unsigned key)
{
    switch (key) {
    case CTRL('H'):
    case RUBOUT:
        erase(e, before(e, e->cursor), e->cursor);
        return true;
    case EDIT_DELETE:
    case CTRL('D'):
        erase(e, e->cursor, behind(e, e->cursor));
        return true;
    case CTRL('K'):
        erase(e, e->cursor, e->used);
        return true;
    case CTRL('U'):
        erase(e, 0, e->cursor);
        return true;
    case CTRL('W'):
        erase(e, word_before(e), e->cursor);
        return true;
    default:
        return false;
    }
}

bool line_edit_key(struct line_edit *e, unsigned key)
{
    if (move(e, key) || change(e, key))
        return true;
    if (key < ' ' || key > 0xff)
        return false;
    char byte = (char)key;
    line_edit_insert(e, &byte, 1);
    return true;
}
