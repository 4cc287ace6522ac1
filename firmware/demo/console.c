/* What a terminal sends: letters, and reports of its size and of the mouse, which begin with escape
 * and a bracket (ECMA-48, and xterm's control sequences). */
#include "firmware/demo/input.h"

#define NUMBERS_MAX 3u

enum state { PLAIN, ESCAPED, REPORT };

static struct {
    enum state state;
    unsigned numbers[NUMBERS_MAX], count;
    bool is_mouse;
} parser;

static unsigned place(unsigned at, unsigned size)
{
    at = at ? at - 1 : 0;
    return at < size ? at * PLACE_MAX / size : PLACE_MAX - 1;
}

static void take_report(struct input *in, char end)
{
    const unsigned *n = parser.numbers;
    if (end == 'R' && parser.count == 1) { /* where the cursor is: in the last corner */
        in->rows = n[0];
        in->columns = n[1];
    } else if (parser.is_mouse && (end == 'M' || end == 'm') && in->columns && in->rows) {
        in->x = place(n[1], in->columns);
        in->y = place(n[2], in->rows);
        in->pointer_moved = true;
        in->pressed |= end == 'M' && !(n[0] & 0x20);
    }
}

static void take_in_report(struct input *in, char c)
{
    unsigned *number = &parser.numbers[parser.count];
    if (c == '<')
        parser.is_mouse = true;
    else if (c >= '0' && c <= '9')
        *number = *number * 10 % 100000 + (unsigned)(c - '0');
    else if (c == ';' && parser.count + 1 < NUMBERS_MAX)
        parser.count++;
    else {
        take_report(in, c);
        parser.state = PLAIN;
    }
}

void console_take(struct input *in, char c)
{
    if (parser.state == REPORT) {
        take_in_report(in, c);
    } else if (parser.state == ESCAPED && c == '[') {
        parser.state = REPORT;
        parser.is_mouse = false;
        parser.count = 0;
        for (unsigned i = 0; i < NUMBERS_MAX; i++)
            parser.numbers[i] = 0;
    } else if (c == 27) {
        parser.state = ESCAPED;
    } else {
        parser.state = PLAIN;
        if (in->key_count < sizeof in->keys)
            in->keys[in->key_count++] = c;
    }
}
