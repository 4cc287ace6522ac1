/* Generates the handlers of superinstructions, for the build:
 *
 *   gen_super MOST SEQUENCES TABLE.def... > superinstructions.inc
 *
 * SEQUENCES has one superinstruction a line, of which the first MOST are made: up to eight row
 * names, with the suffix .a, .b or .ab where rs1, rs2 or both are taken from the accumulator. The
 * semantics of the rows, as the tables have them, are put one after the other; `op` moves along the
 * slots, so that a slow path in the middle goes on at its own slot. */
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
    bool has_software; /* an FR row: semantics is that of the host */
};

/* As in cpu/code.h, which needs what a generator does not have. */
enum forward { FORWARD_RS1 = 1, FORWARD_RS2 = 2 };

/* A word of a sequence. */
struct part {
    const struct row *row;
    unsigned forward;
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

/* Where a parenthesis closes that was open before p, or `stop` stands outside of any; NULL:
 * nowhere. */
static const char *find_end(const char *p, char stop)
{
    for (unsigned depth = 0; *p; p++) {
        if (depth == 0 && (*p == ')' || *p == stop))
            return p;
        depth += *p == '(' ? 1u : *p == ')' ? -1u : 0u;
    }
    return NULL;
}

/* The text up to the parenthesis that closes the row, or to a second form. */
static char *copy_semantics(const char *p, bool first_form, const char *line)
{
    const char *end = find_end(p, first_form ? ',' : ')');
    if (!end)
        die("row without end", line);
    while (isspace((unsigned char)*p))
        p++;
    return strndup(p, (size_t)(end - p));
}

static bool begins_row(const char *line)
{
    return !strncmp(line, "I(", 2) || !strncmp(line, "F(", 2) || !strncmp(line, "G(", 2) ||
           !strncmp(line, "FR(", 3);
}

static void read_row(struct table *table, const char *line)
{
    const char *name = strchr(line, '(') + 1;
    if (table->count == MAX_ROWS)
        die("too many rows", line);
    struct row *row = &table->rows[table->count++];
    size_t length = strcspn(name, ",");
    if (length >= sizeof row->name)
        die("name too long", line);
    memcpy(row->name, name, length);
    row->has_software = line[1] == 'R';
    row->semantics = copy_semantics(skip_arguments(line, 4), row->has_software, line);
}

static void read_table(struct table *table, const char *path)
{
    char line[MAX_LINE];
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot open", path);
    while (fgets(line, sizeof line, file)) {
        if (!begins_row(line))
            continue;
        for (size_t n; (n = strlen(line)), !find_end(strchr(line, '(') + 1, ')');)
            if (n + 1 == sizeof line || !fgets(line + n, (int)(sizeof line - n), file))
                die("row without end", line);
        read_row(table, line);
    }
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

/* Words of cpu/exec.h that a part sees in another meaning. */
static void print_operand(const char *word, const char *meaning)
{
    printf("#undef %s\n#define %s %s\n", word, word, meaning);
}

/* A branch in the middle goes on behind its link slot when it is not taken. */
static void print_body(const struct part *part, bool last)
{
    const struct row *row = part->row;
    print_operand("RS1", part->forward & FORWARD_RS1 ? "acc" : "RS1_IN_REGISTER");
    print_operand("RS2", part->forward & FORWARD_RS2 ? "acc" : "RS2_IN_REGISTER");
    if (!last && !strncmp(row->semantics, "BRANCH(", 7))
        printf("    BRANCH_TAKEN(%s;\n    op += 2;\n", row->semantics + 7);
    else if (row->has_software)
        printf("    {\n    handler *const in_software __attribute__((unused)) = op_%s_soft;\n"
               "    %s;\n    }\n%s",
               row->name, row->semantics, last ? "" : "    op += 1;\n");
    else
        printf("    %s;\n%s", row->semantics, last ? "" : "    op += 1;\n");
}

static struct part read_part(const struct table *table, char *word)
{
    struct part part = {0};
    char *suffix = strchr(word, '.');
    if (suffix) {
        *suffix++ = 0;
        part.forward |= strchr(suffix, 'a') ? FORWARD_RS1 : 0u;
        part.forward |= strchr(suffix, 'b') ? FORWARD_RS2 : 0u;
        if (strspn(suffix, "ab") != strlen(suffix) || !part.forward)
            die("suffixes are .a, .b and .ab", word);
    }
    part.row = find_row(table, word);
    return part;
}

/* The parts of one line, which is cut into words; their number. */
static unsigned read_sequence(const struct table *table, char *line, struct part *parts)
{
    unsigned count = 0;
    for (char *word = strtok(line, " \n"); word && *word != '#'; word = strtok(NULL, " \n")) {
        if (count == MAX_SEQUENCE)
            die("more than eight rows", word);
        parts[count++] = read_part(table, word);
    }
    return count;
}

/* The handler of one line; true when the line names a sequence. */
static bool print_handler(const struct table *table, char *line, unsigned number)
{
    struct part parts[MAX_SEQUENCE];
    unsigned count = read_sequence(table, line, parts);
    if (!count)
        return false;
    printf("static HANDLER(super_%u)\n{\n", number);
    for (unsigned i = 0; i < count; i++)
        print_body(&parts[i], i + 1 == count);
    printf("    NEXT;\n}\n");
    return true;
}

static void print_entry(const struct table *table, char *line, unsigned *number)
{
    struct part parts[MAX_SEQUENCE];
    unsigned count = read_sequence(table, line, parts);
    if (!count)
        return;
    for (unsigned i = 0; i < count; i++)
        printf("%sop_%s", i ? ", " : "    {{", parts[i].row->name);
    for (unsigned i = 0; i < count; i++)
        printf("%s%u", i ? ", " : "}, {", parts[i].forward);
    printf("}, super_%u},\n", (*number)++);
}

static void print_all(const struct table *table, const char *path, unsigned most)
{
    char line[MAX_LINE];
    unsigned handlers = 0, entries = 0;
    for (unsigned i = 0; i < table->count; i++)
        printf("HANDLER(op_%s);\n", table->rows[i].name);
    for (unsigned i = 0; i < table->count; i++)
        if (table->rows[i].has_software)
            printf("HANDLER(op_%s_soft);\n", table->rows[i].name);
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot open", path);
    while (handlers < most && fgets(line, sizeof line, file))
        handlers += print_handler(table, line, handlers);
    rewind(file);
    print_operand("RS1", "RS1_IN_REGISTER");
    print_operand("RS2", "RS2_IN_REGISTER");
    printf("const struct superinstruction superinstructions[] = {\n");
    while (entries < most && fgets(line, sizeof line, file))
        print_entry(table, line, &entries);
    printf("};\nconst unsigned superinstruction_count = %u;\n", entries);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage", "gen_super MOST SEQUENCES TABLE.def... > OUTPUT");
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        die("no memory", "table");
    for (int i = 3; i < argc; i++)
        read_table(table, argv[i]);
    print_all(table, argv[2], (unsigned)strtoul(argv[1], NULL, 10));
    for (unsigned i = 0; i < table->count; i++)
        free(table->rows[i].semantics);
    free(table);
    return 0;
}
