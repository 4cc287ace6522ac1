/* Half blocks (contract: terminal.h): the upper half of a character has its colour, the lower half
 * the background's. */
#include "firmware/demo/terminal.h"
#include "firmware/demo/library.h"
#include "firmware/demo/sbi.h"

#define NEVER       (~0ull)
#define BATCH_BYTES 65536u
#define CHARACTER   64u /* bytes of one at most, with its colours and the cursor's place */

static char batch[BATCH_BYTES];

static void write_all(const char *bytes, size_t n)
{
    while (n) {
        size_t done = sbi_console_write(bytes, n);
        if (!done || done > n)
            return;
        bytes += done;
        n -= done;
    }
}

void say(const char *text)
{
    write_all(text, text_length(text));
}

void say_number(uint64_t number)
{
    char digits[24];
    struct text t = {digits, sizeof digits, 0};
    text_number(&t, number);
    say(digits);
}

void terminal_ask_size(void)
{
    say("\0337\033[999;999H\033[6n\0338");
}

/* The other screen, no cursor, and reports of the mouse. */
void terminal_enter(void)
{
    say("\033[?1049h\033[?25l\033[?1003h\033[?1006h\033[2J");
}

void terminal_leave(void)
{
    say("\033[0m\033[?1006l\033[?1003l\033[?25h\033[?1049l");
}

bool terminal_create(struct terminal *t, unsigned columns, unsigned rows, bool has_all_colors)
{
    const size_t characters = (size_t)columns * rows;
    *t = (struct terminal){.columns = columns, .rows = rows, .has_all_colors = has_all_colors};
    t->picture =
        (struct picture){memory_take(characters * 8 * 4), columns * 2, rows * 4, columns * 2};
    t->shown = memory_take(characters * sizeof *t->shown);
    if (!t->picture.pixels || !t->shown)
        return false;
    for (size_t i = 0; i < characters; i++)
        t->shown[i] = NEVER;
    return true;
}

/* The mean of 2 x 2 pixels; low bits go, so that little changes are not sent. */
static uint32_t color_of(const struct terminal *t, unsigned x, unsigned y)
{
    const uint32_t *p = t->picture.pixels + (size_t)2 * y * t->picture.stride + 2 * x;
    const uint32_t *q = p + t->picture.stride, mask = 0xfcfcfc;
    return (((p[0] & mask) >> 2) + ((p[1] & mask) >> 2) + ((q[0] & mask) >> 2) +
            ((q[1] & mask) >> 2)) &
           0xf8f8f8;
}

/* The cube of 6 x 6 x 6 colours, whose levels are 0, 95, 135, ..., 255. */
static unsigned level_of(uint32_t channel)
{
    return channel < 48 ? 0 : channel < 115 ? 1 : (channel - 35) / 40;
}

static void add_color(struct text *out, const struct terminal *t, const char *what, uint32_t c)
{
    const uint32_t r = c >> 16 & 255, g = c >> 8 & 255, b = c & 255;
    text_add(out, what);
    if (!t->has_all_colors) {
        text_add(out, "5;");
        text_number(out, 16 + 36 * level_of(r) + 6 * level_of(g) + level_of(b));
    } else {
        text_add(out, "2;");
        text_number(out, r);
        text_char(out, ';');
        text_number(out, g);
        text_char(out, ';');
        text_number(out, b);
    }
    text_char(out, 'm');
}

static void add_place(struct text *out, unsigned x, unsigned y)
{
    text_add(out, "\033[");
    text_number(out, y + 1);
    text_char(out, ';');
    text_number(out, x + 1);
    text_char(out, 'H');
}

static void draw_row(struct terminal *t, struct text *out, unsigned y)
{
    uint64_t *shown = t->shown + (size_t)y * t->columns;
    uint32_t upper_now = ~0u, lower_now = ~0u;
    unsigned cursor = ~0u;
    for (unsigned x = 0; x < t->columns; x++) {
        uint32_t upper = color_of(t, x, 2 * y), lower = color_of(t, x, 2 * y + 1);
        uint64_t both = (uint64_t)upper << 32 | lower;
        if (shown[x] == both)
            continue;
        if (cursor != x)
            add_place(out, x, y);
        if (upper != upper_now)
            add_color(out, t, "\033[38;", upper);
        if (lower != lower_now)
            add_color(out, t, "\033[48;", lower);
        text_add(out, "\xe2\x96\x80");
        upper_now = upper;
        lower_now = lower;
        cursor = x + 1;
        shown[x] = both;
        if (out->used + CHARACTER > out->size) {
            write_all(out->buffer, out->used);
            out->used = 0;
        }
    }
}

void terminal_draw(struct terminal *t, const char *words)
{
    struct text out = {batch, sizeof batch, 0};
    for (unsigned y = 0; y < t->rows; y++)
        draw_row(t, &out, y);
    if (words) {
        text_add(&out, "\033[0m");
        add_place(&out, 0, t->rows);
        text_add(&out, "\033[2K");
        for (unsigned i = 0; words[i] && i < t->columns; i++)
            text_char(&out, words[i]);
    }
    write_all(out.buffer, out.used);
}
