/* Command lines for tests: words in a line, and what they parse to. */
#ifndef RIVULET_TESTS_UNIT_OPTIONS_RIG_H
#define RIVULET_TESTS_UNIT_OPTIONS_RIG_H

#include "frontend/options.h"

#include <check.h>
#include <string.h>

#define WORDS_MAX 200

/* Parses a line of words with single spaces between them; texts of *o point into `line`. */
static inline bool parse(char *line, struct options *o, struct error *err)
{
    char *argv[WORDS_MAX] = {"rivulet"};
    int argc = 1;
    for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_parse(o, argc, argv, err);
}

/* A fresh copy of the words for `struct options o`, which must parse. */
#define PARSE(words)                                                                               \
    struct options o;                                                                              \
    struct error err = {""};                                                                       \
    char line[] = words;                                                                           \
    ck_assert_msg(parse(line, &o, &err), "%s", err.text)

/* A drive as the words that -drive would take. */
static inline void check_drive(const struct options *o, unsigned number, const char *words)
{
    char text[400] = "";
    ck_assert_uint_lt(number, o->machine.drives.count);
    const struct machine_option *drive = &o->machine.drives.items[number];
    for (unsigned i = 0; i < drive->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", i ? " " : "",
                 drive->items[i].name, drive->items[i].value);
    ck_assert_str_eq(text, words);
}

struct bad_line {
    const char *words, *error; /* the error begins with it */
};

static inline void check_bad(const struct bad_line *bad)
{
    char line[4096];
    struct options o;
    struct error err = {""};
    snprintf(line, sizeof line, "%s", bad->words);
    ck_assert_msg(!parse(line, &o, &err), "accepted: %s", bad->words);
    ck_assert_msg(strncmp(err.text, bad->error, strlen(bad->error)) == 0, "%s: %s", bad->words,
                  err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

#define CHECK_BAD(list)                                                                            \
    for (size_t i = 0; i < ARRAY_LEN(list); i++)                                                   \
    check_bad(&(list)[i])

#endif
