/* The scripted console (contract: script.h).
 *
 * The file becomes a list of statements; `now` is the one that waits. Output is kept in a window of
 * the last bytes: texts are compared with its end after each byte, and a failure shows its last
 * lines. */
#include "frontend/script.h"

#include "base/os.h"
#include "base/values.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX     1024u
#define WINDOW_BYTES 16384u
#define SHOWN_LINES  20u
#define NO_TIME      UINT64_MAX

enum statement_kind { EXPECT, SEND, FAIL, TIMEOUT, EXIT };

struct statement {
    enum statement_kind kind;
    unsigned line;
    uint8_t *text; /* EXPECT, SEND, FAIL */
    size_t text_bytes;
    uint64_t limit_ns; /* EXPECT, TIMEOUT; NO_TIME: none */
    int status;        /* EXIT */
};

struct script {
    char *path;
    struct script_ports ports;
    struct statement *statements;
    size_t count;
    size_t now;
    enum script_state state;
    int status;
    char why[TEXT_MAX + 512];
    /* Time: NO_TIME until the next script_check_time. */
    uint64_t timeout_ns; /* NO_TIME: none */
    unsigned timeout_line;
    uint64_t start_host_ns, expect_host_ns, expect_virtual_ns;
    /* The last bytes of output; an expected text begins at `unread` or later. */
    uint8_t window[WINDOW_BYTES];
    size_t used, unread;
};

/* --- reading the file -------------------------------------------------------------------- */

struct reader {
    const char *path;
    unsigned line;
    const char *at; /* in a line that ends with 0 */
    struct error *err;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct reader *r, const char *format,
                                                         ...)
{
    char reason[256];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return error_set(r->err, "%.200s:%u: %s", r->path, r->line, reason);
}

static void skip_spaces(struct reader *r)
{
    r->at += strspn(r->at, " \t\r");
}

static bool at_line_end(struct reader *r)
{
    skip_spaces(r);
    return !*r->at || *r->at == '#';
}

/* Takes the next word; "" at the end of the line. */
static void read_word(struct reader *r, char *word, size_t size)
{
    size_t n = 0;
    skip_spaces(r);
    while (*r->at && !strchr(" \t\r#\"", *r->at)) {
        if (n + 1 < size)
            word[n++] = *r->at;
        r->at++;
    }
    word[n] = 0;
}

/* The character after a backslash; -1: no such escape. */
static int read_escape(struct reader *r)
{
    static const char names[] = "nrte\"\\", values[] = "\n\r\t\033\"\\";
    char c = *r->at++;
    const char *found = c ? strchr(names, c) : NULL;
    if (found)
        return values[found - names];
    if (c != 'x' || !isxdigit((unsigned char)r->at[0]) || !isxdigit((unsigned char)r->at[1]))
        return -1;
    char digits[] = {r->at[0], r->at[1], 0};
    r->at += 2;
    return (int)strtoul(digits, NULL, 16);
}

static bool read_text(struct reader *r, struct statement *statement)
{
    uint8_t text[TEXT_MAX];
    size_t n = 0;
    skip_spaces(r);
    if (*r->at++ != '"')
        return refuse(r, "a text in \"...\" must come here");
    while (*r->at != '"') {
        int c = (uint8_t)*r->at;
        if (!c || n == TEXT_MAX)
            return refuse(r, c ? "the text is too long" : "the text has no \" at its end");
        r->at++;
        if (c == '\\' && (c = read_escape(r)) < 0)
            return refuse(r, "after \\ can be n r t e \" \\ or xHH");
        text[n++] = (uint8_t)c;
    }
    r->at++;
    if (n == 0)
        return refuse(r, "the text is empty");
    statement->text = malloc(n);
    if (!statement->text)
        return refuse(r, "no memory");
    memcpy(statement->text, text, n);
    statement->text_bytes = n;
    return true;
}

static bool read_time(struct reader *r, uint64_t *ns)
{
    char word[32];
    read_word(r, word, sizeof word);
    if (!*word || isdigit((unsigned char)word[strlen(word) - 1]) || !value_time(word, ns))
        return refuse(r, "a time like 30s or 500ms must come here");
    return true;
}

static bool read_expect(struct reader *r, struct statement *statement)
{
    char word[16];
    if (!read_text(r, statement))
        return false;
    if (at_line_end(r))
        return true;
    read_word(r, word, sizeof word);
    if (strcmp(word, "within") != 0)
        return refuse(r, "after the text can come: within TIME");
    return read_time(r, &statement->limit_ns);
}

static bool read_timeout(struct reader *r, struct statement *statement)
{
    return read_time(r, &statement->limit_ns);
}

static bool read_exit(struct reader *r, struct statement *statement)
{
    char word[16];
    uint64_t status = 0;
    read_word(r, word, sizeof word);
    if (*word && (!value_number(word, &status) || status > 255))
        return refuse(r, "an exit status is 0 to 255");
    statement->status = (int)status;
    return true;
}

struct word_row {
    const char *word;
    bool (*read)(struct reader *r, struct statement *statement);
};

static const struct word_row word_rows[] = {
    [EXPECT] = {"expect", read_expect}, [SEND] = {"send", read_text},
    [FAIL] = {"fail", read_text},       [TIMEOUT] = {"timeout", read_timeout},
    [EXIT] = {"exit", read_exit},
};

static bool read_statement(struct reader *r, struct statement *statement)
{
    char word[32];
    read_word(r, word, sizeof word);
    for (unsigned kind = 0; kind < ARRAY_LEN(word_rows); kind++) {
        if (strcmp(word, word_rows[kind].word) != 0)
            continue;
        statement->kind = (enum statement_kind)kind;
        if (!word_rows[kind].read(r, statement))
            return false;
        return at_line_end(r) || refuse(r, "'%.40s' is too much on this line", r->at);
    }
    return refuse(r, "unknown word '%s'; known are expect, send, fail, timeout, exit", word);
}

/* Adds what the line says; a line that says nothing adds nothing. */
static bool read_line(struct script *s, struct reader *r)
{
    if (at_line_end(r))
        return true;
    struct statement *grown = realloc(s->statements, (s->count + 1) * sizeof *grown);
    if (!grown)
        return refuse(r, "no memory");
    s->statements = grown;
    struct statement *statement = &grown[s->count++];
    *statement = (struct statement){.line = r->line, .limit_ns = NO_TIME};
    if (!read_statement(r, statement))
        return false;
    if (statement->kind == TIMEOUT) {
        s->timeout_ns = statement->limit_ns;
        s->timeout_line = r->line;
    }
    return true;
}

static bool read_file(struct script *s, const struct os_file *file, struct error *err)
{
    struct reader r = {.path = s->path, .err = err};
    const char *at = (const char *)file->bytes, *end = at + file->size;
    bool ok = true;
    while (ok && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((newline ? newline : end) - at);
        char *line = strndup(at, n);
        r.line++;
        r.at = line;
        if (!line)
            ok = refuse(&r, "no memory");
        else if (strlen(line) != n)
            ok = refuse(&r, "a zero byte: this is no script");
        else
            ok = read_line(s, &r);
        free(line);
        at += n + 1;
    }
    return ok;
}

struct script *script_open(const char *path, const struct script_ports *ports, struct error *err)
{
    struct os_file file;
    if (!os_map_file(path, &file, err))
        return NULL;
    struct script *s = calloc(1, sizeof *s);
    bool ok = s && (s->path = strdup(path));
    if (ok) {
        s->ports = *ports;
        s->timeout_ns = s->start_host_ns = s->expect_host_ns = s->expect_virtual_ns = NO_TIME;
        ok = read_file(s, &file, err);
    } else {
        error_set(err, "no memory for the script %s", path);
    }
    os_unmap_file(&file);
    if (ok)
        return s;
    script_close(s);
    return NULL;
}

void script_close(struct script *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(s->statements[i].text);
    free(s->statements);
    free(s->path);
    free(s);
}

/* --- running ----------------------------------------------------------------------------- */

static void finish(struct script *s, enum script_state state, int status)
{
    s->state = state;
    s->status = status;
    s->ports.stop(s->ports.owner);
}

/* A text as it could stand in a script. */
static void quote(const struct statement *statement, char *out, size_t size)
{
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < statement->text_bytes && n + 6 < size; i++) {
        uint8_t c = statement->text[i];
        if (c == '\n')
            n += (size_t)snprintf(out + n, size - n, "\\n");
        else if (c < ' ' || c > '~')
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
        else
            out[n++] = (char)c;
    }
    out[n++] = '"';
    out[n] = 0;
}

/* The reason begins with the text of the statement. */
__attribute__((format(printf, 3, 4))) static void
fail_text(struct script *s, const struct statement *statement, const char *format, ...)
{
    char text[512], reason[128];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    quote(statement, text, sizeof text);
    snprintf(s->why, sizeof s->why, "%.400s:%u: %s %s", s->path, statement->line, text, reason);
    finish(s, SCRIPT_FAILED, 1);
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void fail_timeout(struct script *s)
{
    double limit = seconds(s->timeout_ns);
    if (s->state == SCRIPT_RUNS) {
        fail_text(s, &s->statements[s->now], "did not come before the timeout of %g s", limit);
        return;
    }
    snprintf(s->why, sizeof s->why, "%.400s:%u: the run was not over after %g s", s->path,
             s->timeout_line, limit);
    finish(s, SCRIPT_FAILED, 1);
}

/* Goes on to the next line that waits for something. */
static void advance(struct script *s)
{
    for (; s->state == SCRIPT_RUNS && s->now < s->count; s->now++) {
        const struct statement *statement = &s->statements[s->now];
        if (statement->kind == EXPECT)
            return;
        if (statement->kind == SEND)
            s->ports.send(s->ports.owner, statement->text, statement->text_bytes);
        if (statement->kind == EXIT)
            finish(s, SCRIPT_EXITS, statement->status);
    }
    if (s->state == SCRIPT_RUNS)
        s->state = SCRIPT_DONE;
}

void script_start(struct script *s)
{
    advance(s);
}

static void remember(struct script *s, uint8_t byte)
{
    if (s->used == WINDOW_BYTES) {
        size_t dropped = WINDOW_BYTES / 2;
        s->used -= dropped;
        s->unread = s->unread > dropped ? s->unread - dropped : 0;
        memmove(s->window, s->window + dropped, s->used);
    }
    s->window[s->used++] = byte;
}

/* Whether the output so far ends with the text, all of which lies at `from` or behind. */
static bool ends_with(const struct script *s, const struct statement *statement, size_t from)
{
    size_t n = statement->text_bytes;
    return s->used - from >= n && s->window[s->used - 1] == statement->text[n - 1] &&
           memcmp(s->window + s->used - n, statement->text, n) == 0;
}

/* Every `fail` above the line that waits is in force, also when the script is done. */
static bool check_fails(struct script *s)
{
    for (size_t i = 0; i < s->now; i++) {
        if (s->statements[i].kind == FAIL && ends_with(s, &s->statements[i], 0)) {
            fail_text(s, &s->statements[i], "appeared");
            return false;
        }
    }
    return true;
}

void script_output(struct script *s, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->state == SCRIPT_EXITS || s->state == SCRIPT_FAILED)
            return;
        remember(s, bytes[i]);
        if (!check_fails(s) || s->state == SCRIPT_DONE)
            continue;
        if (ends_with(s, &s->statements[s->now], s->unread)) {
            s->unread = s->used;
            s->expect_host_ns = s->expect_virtual_ns = NO_TIME;
            s->now++;
            advance(s);
        }
    }
}

static void check_expect(struct script *s, uint64_t virtual_ns, uint64_t host_ns)
{
    const struct statement *expect = &s->statements[s->now];
    if (s->expect_host_ns == NO_TIME) {
        s->expect_host_ns = host_ns;
        s->expect_virtual_ns = virtual_ns;
    }
    bool virtual_over = virtual_ns - s->expect_virtual_ns >= expect->limit_ns;
    if (virtual_over || host_ns - s->expect_host_ns >= expect->limit_ns)
        fail_text(s, expect, "did not come within %g s of %s time", seconds(expect->limit_ns),
                  virtual_over ? "virtual" : "host");
}

void script_check_time(struct script *s, uint64_t virtual_ns, uint64_t host_ns)
{
    if (s->start_host_ns == NO_TIME)
        s->start_host_ns = host_ns;
    if (s->state == SCRIPT_RUNS)
        check_expect(s, virtual_ns, host_ns);
    bool on = s->state == SCRIPT_RUNS || s->state == SCRIPT_DONE;
    if (on && host_ns - s->start_host_ns >= s->timeout_ns)
        fail_timeout(s);
}

void script_guest_ended(struct script *s)
{
    if (s->state == SCRIPT_RUNS)
        fail_text(s, &s->statements[s->now], "did not come: the guest ended the run");
}

/* --- the outcome ------------------------------------------------------------------------- */

enum script_state script_state(const struct script *s)
{
    return s->state;
}

int script_status(const struct script *s)
{
    return s->status;
}

/* Control characters would reach the user's terminal: they are left out. */
static void show_line(const uint8_t *text, size_t n, FILE *out)
{
    fputs("  | ", out);
    for (size_t i = 0; i < n; i++)
        if (text[i] >= ' ' && text[i] != 0x7f)
            fputc(text[i], out);
    fputc('\n', out);
}

void script_explain(const struct script *s, FILE *out)
{
    size_t from = s->used;
    unsigned lines = 0;
    if (from && s->window[from - 1] == '\n')
        from--;
    while (from && (s->window[from - 1] != '\n' || ++lines < SHOWN_LINES))
        from--;
    fprintf(out, "rivulet: %s\n", s->why);
    fputs(from < s->used ? "the last lines of output:\n" : "there was no output\n", out);
    while (from < s->used) {
        const uint8_t *newline = memchr(s->window + from, '\n', s->used - from);
        size_t end = newline ? (size_t)(newline - s->window) : s->used;
        show_line(s->window + from, end - from, out);
        from = end + 1;
    }
}
