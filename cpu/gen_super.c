/* Generates the handlers of superinstructions, for the build:
 *
 *   gen_super SEQUENCES TABLE.def... > superinstructions.inc
 *
 * SEQUENCES has one superinstruction a line: two to eight row names. The semantics of its rows, as
 * the tables have them, are put one after the other; `op` moves along the slots, so that a slow
 * path in the middle goes on at its own slot. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS     1024
#define MAX_LINE     1024
#define MAX_SEQUENCE 8

struct row {
    char name[32];
    char *semantics;
};

struct table {
    struct row rows[MAX_ROWS];
    unsigned count;
};

static void die(const char *what, const char *where)
{
    fprintf(stderr, "gen_super: %s: %s\n", what, where);
    exit(1);
}

/* Skips `commas` commas that stand outside of strings. */
static const char *skip_arguments(const char *p, unsigned commas)
{
    bool quoted = false;
    for (; *p && commas; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == ',' && !quoted)
            commas--;
    }
    return p;
}

/* The text up to the parenthesis that closes the row. */
static char *copy_semantics(const char *p, const char *line)
{
    unsigned depth = 0;
    const char *end = p;
    for (; *end && !(*end == ')' && depth == 0); end++)
        depth += *end == '(' ? 1u : *end == ')' ? -1u : 0u;
    if (!*end)
        die("row without end", line);
    while (isspace((unsigned char)*p))
        p++;
    return strndup(p, (size_t)(end - p));
}

static void read_row(struct table *table, const char *line)
{
    if (strncmp(line, "I(", 2) && strncmp(line, "F(", 2) && strncmp(line, "G(", 2))
        return;
    if (table->count == MAX_ROWS)
        die("too many rows", line);
    struct row *row = &table->rows[table->count++];
    size_t length = strcspn(line + 2, ",");
    if (length >= sizeof row->name)
        die("name too long", line);
    memcpy(row->name, line + 2, length);
    row->semantics = copy_semantics(skip_arguments(line, 4), line);
}

static void read_table(struct table *table, const char *path)
{
    char line[MAX_LINE];
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot open", path);
    while (fgets(line, sizeof line, file))
        read_row(table, line);
    fclose(file);
}

static const struct row *find_row(const struct table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (!strcmp(table->rows[i].name, name))
            return &table->rows[i];
    die("no row of this name", name);
    return NULL;
}

/* A branch in the middle goes on behind its link slot when it is not taken. */
static void print_body(const struct row *row, bool last)
{
    if (!last && !strncmp(row->semantics, "BRANCH(", 7))
        printf("    BRANCH_TAKEN(%s;\n    op += 2;\n", row->semantics + 7);
    else
        printf("    %s;\n%s", row->semantics, last ? "" : "    op += 1;\n");
}

/* The handler of one line; true when the line names a sequence. */
static bool print_handler(const struct table *table, char *line, unsigned number)
{
    const struct row *rows[MAX_SEQUENCE];
    unsigned count = 0;
    for (char *word = strtok(line, " \n"); word && *word != '#'; word = strtok(NULL, " \n")) {
        if (count == MAX_SEQUENCE)
            die("more than eight rows", word);
        rows[count++] = find_row(table, word);
    }
    if (!count)
        return false;
    printf("static HANDLER(super_%u)\n{\n", number);
    for (unsigned i = 0; i < count; i++)
        print_body(rows[i], i + 1 == count);
    printf("    NEXT;\n}\n");
    return true;
}

static void print_entry(char *line, unsigned *number)
{
    bool any = false;
    for (char *word = strtok(line, " \n"); word && *word != '#'; word = strtok(NULL, " \n")) {
        printf(any ? ", op_%s" : "    {{op_%s", word);
        any = true;
    }
    if (any)
        printf("}, super_%u},\n", (*number)++);
}

static void print_all(const struct table *table, const char *path)
{
    char line[MAX_LINE];
    unsigned handlers = 0, entries = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot open", path);
    while (fgets(line, sizeof line, file))
        handlers += print_handler(table, line, handlers);
    rewind(file);
    printf("const struct superinstruction superinstructions[] = {\n");
    while (fgets(line, sizeof line, file))
        print_entry(line, &entries);
    printf("};\nconst unsigned superinstruction_count = %u;\n", entries);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage", "gen_super SEQUENCES TABLE.def... > OUTPUT");
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        die("no memory", "table");
    for (int i = 2; i < argc; i++)
        read_table(table, argv[i]);
    print_all(table, argv[1]);
    for (unsigned i = 0; i < table->count; i++)
        free(table->rows[i].semantics);
    free(table);
    return 0;
}
