/* The host's terminal by ncurses (contract: text_screen.h).
 *
 * Styles are attributes; colours are added where they say more, on the terminal's own background,
 * and not when the user has set NO_COLOR (no-color.org). */
#include "frontend/text_screen.h"

#include "base/bits.h"
#include "base/os.h"

#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE_MS 25 /* how long a key's sequence may take after its ESC */

struct text_screen {
    SCREEN *screen;
    attr_t attributes[SHEET_STYLES];
    bool shows_cursor;
    int cursor_y, cursor_x;
};

static void set_styles(struct text_screen *t)
{
    static const struct {
        attr_t attributes;
        short colour;
    } styles[SHEET_STYLES] = {
        [SHEET_PLAIN] = {A_NORMAL, -1},      [SHEET_STRONG] = {A_BOLD, -1},
        [SHEET_FAINT] = {A_DIM, -1},         [SHEET_CHANGED] = {A_BOLD, COLOR_MAGENTA},
        [SHEET_POINT] = {A_BOLD, COLOR_RED}, [SHEET_NAME] = {A_NORMAL, COLOR_GREEN},
    };
    const char *no_color = getenv("NO_COLOR");
    bool has_color = !(no_color && *no_color) && has_colors() && start_color() == OK &&
                     use_default_colors() == OK;
    for (short i = 0; i < SHEET_STYLES; i++) {
        t->attributes[i] = styles[i].attributes;
        if (has_color && styles[i].colour >= 0 && init_pair(i, styles[i].colour, -1) == OK)
            t->attributes[i] |= (attr_t)COLOR_PAIR(i);
    }
}

/* Whether the terminal can be drawn on: not before newterm. */
static bool can_move_its_cursor(void)
{
    const char *sequence = tigetstr("cup");
    return sequence && sequence != (const char *)-1;
}

static bool open_screen(struct text_screen *t, struct error *err)
{
    const char *term = getenv("TERM");
    t->screen = newterm(NULL, stdout, stdin);
    if (t->screen && can_move_its_cursor())
        return true;
    return error_set(err, "nothing can be drawn on a terminal '%.40s': set TERM to what it is",
                     term ? term : "");
}

/* The terminal is saved and made raw by the host's layer first: a fatal signal then restores it. */
struct text_screen *text_screen_open(struct error *err)
{
    struct text_screen *t = calloc(1, sizeof *t);
    if (!t) {
        error_set(err, "no memory for the terminal");
        return NULL;
    }
    setlocale(LC_CTYPE, "");
    if (!os_terminal_raw(err) || !open_screen(t, err)) {
        text_screen_close(t);
        return NULL;
    }
    raw();
    noecho();
    nonl();
    set_escdelay(ESCAPE_MS);
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_styles(t);
    return t;
}

void text_screen_close(struct text_screen *t)
{
    if (!t)
        return;
    if (t->screen) {
        endwin();
        delscreen(t->screen);
    }
    os_terminal_restore();
    free(t);
}

void text_screen_size(const struct text_screen *t, unsigned *rows, unsigned *columns)
{
    (void)t;
    *rows = (unsigned)LINES;
    *columns = (unsigned)COLS;
}

/* --- keys -------------------------------------------------------------------------------- */

unsigned text_screen_key(struct text_screen *t)
{
    static const struct {
        int curses;
        unsigned ours;
    } keys[] = {
        {KEY_LEFT, EDIT_LEFT},      {KEY_RIGHT, EDIT_RIGHT},     {KEY_UP, EDIT_UP},
        {KEY_DOWN, EDIT_DOWN},      {KEY_HOME, EDIT_HOME},       {KEY_END, EDIT_END},
        {KEY_DC, EDIT_DELETE},      {KEY_BACKSPACE, 0x7f},       {KEY_ENTER, '\r'},
        {KEY_PPAGE, TEXT_PAGE_UP},  {KEY_NPAGE, TEXT_PAGE_DOWN}, {KEY_BTAB, TEXT_BACK_TAB},
        {KEY_RESIZE, TEXT_RESIZED},
    };
    (void)t;
    int key = getch();
    if (key == ERR)
        return TEXT_NONE;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].curses == key)
            return keys[i].ours;
    return key < 256 ? (unsigned)key : TEXT_OTHER;
}

void text_screen_raw_keys(struct text_screen *t, bool raw_keys)
{
    (void)t;
    keypad(stdscr, !raw_keys);
}

/* --- drawing ----------------------------------------------------------------------------- */

void text_screen_clear(struct text_screen *t)
{
    erase();
    t->shows_cursor = false;
}

/* Names of symbols come from files, and may hold anything. */
static void put_bytes(const char *text, size_t n)
{
    char bytes[SHEET_ROW_BYTES];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
    addnstr(bytes, (int)n);
}

/* The bytes that fit into so many columns. */
static size_t fitting(const struct sheet_row *row, unsigned columns)
{
    size_t n = row->used;
    while (n && line_edit_columns(row->text, n) > columns)
        n--;
    return n;
}

void text_screen_row(struct text_screen *t, unsigned y, unsigned x, unsigned columns,
                     const struct sheet_row *row, bool faint)
{
    size_t used = fitting(row, columns), to;
    attr_t more = row->is_cursor ? A_REVERSE : 0;
    move((int)y, (int)x);
    for (size_t from = 0; from < used; from = to) {
        for (to = from + 1; to < used && row->style[to] == row->style[from];)
            to++;
        attrset((int)((faint ? A_DIM : t->attributes[row->style[from]]) | more));
        put_bytes(row->text + from, to - from);
    }
    attrset((int)more);
    for (size_t n = line_edit_columns(row->text, used); row->is_cursor && n < columns; n++)
        addch(' ');
    attrset(A_NORMAL);
}

void text_screen_across(struct text_screen *t, unsigned y, unsigned x, unsigned columns)
{
    (void)t;
    mvhline((int)y, (int)x, ACS_HLINE, (int)columns);
}

void text_screen_down(struct text_screen *t, unsigned y, unsigned x, unsigned rows)
{
    (void)t;
    mvvline((int)y, (int)x, ACS_VLINE, (int)rows);
}

void text_screen_cursor(struct text_screen *t, unsigned y, unsigned x)
{
    t->shows_cursor = true;
    t->cursor_y = (int)y;
    t->cursor_x = (int)x;
}

void text_screen_show(struct text_screen *t)
{
    curs_set(t->shows_cursor);
    if (t->shows_cursor)
        move(t->cursor_y, t->cursor_x);
    refresh();
}

void text_screen_redraw(struct text_screen *t)
{
    (void)t;
    clearok(curscr, TRUE);
}
