/* Completion of what is typed to the monitor (contract: monitor.h). */
#include "debug/line_edit.h"
#include "debug/monitor_internal.h"

/* What the word before the cursor may become. */
struct choices {
    const char *word; /* its beginning */
    size_t bytes;
    bool info; /* what can be shown; else commands */
    bool none; /* no word that we know */
};

static bool is_word(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

/* The first word is a command; so is help's; info has names of its own. */
static struct choices find_choices(const struct line_edit *e)
{
    size_t first = 0, first_end, from = e->cursor;
    while (first < e->cursor && e->text[first] == ' ')
        first++;
    for (first_end = first; first_end < e->cursor && e->text[first_end] != ' ';)
        first_end++;
    while (from && e->text[from - 1] != ' ')
        from--;
    size_t n = first_end - first, between = first_end;
    while (between < from && e->text[between] == ' ')
        between++;
    struct choices c = {.word = e->text + from, .bytes = e->cursor - from};
    bool is_first = from <= first;
    c.info = !is_first && is_word(e->text + first, n, "info");
    bool helps = is_word(e->text + first, n, "help") || is_word(e->text + first, n, "?");
    c.none = !is_first && (between != from || (!c.info && !helps));
    return c;
}

/* The next name that fits, from *i on; NULL: there are no more. */
static const char *next_choice(const struct choices *c, size_t *i)
{
    const char *name;
    while (!c->none) {
        name = c->info ? monitor_info_rows[*i].name : monitor_command_name(*i);
        if (!name)
            return NULL;
        ++*i;
        if (strncmp(name, c->word, c->bytes) == 0)
            return name;
    }
    return NULL;
}

bool monitor_complete(struct line_edit *e)
{
    struct choices c = find_choices(e);
    size_t i = 0, common, count = 1;
    const char *first = next_choice(&c, &i), *other;
    if (!first)
        return false;
    common = strlen(first);
    while ((other = next_choice(&c, &i)) != NULL) {
        size_t same = 0;
        while (same < common && first[same] == other[same])
            same++;
        common = same;
        count++;
    }
    size_t typed = c.bytes;
    line_edit_insert(e, first + typed, common - typed);
    if (count == 1)
        line_edit_insert(e, " ", 1);
    return count == 1 || common > typed;
}

void monitor_show_choices(const struct line_edit *e, const struct byte_sink *out)
{
    struct choices c = find_choices(e);
    size_t i = 0;
    const char *name, *before = "";
    for (; (name = next_choice(&c, &i)) != NULL; before = "  ")
        byte_sink_print(out, "%s%s", before, name);
    byte_sink_print(out, *before ? "\n" : "");
}
