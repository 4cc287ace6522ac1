/* Where the panes of the debugger are (contract: debugger_internal.h).
 *
 * A wide screen has two columns: code above the guest's console and the monitor; registers above
 * what memory holds. A narrow one has code above all the others. */
#include "frontend/debugger_internal.h"

#define WIDE_COLUMNS  118u
#define WIDE_ROWS     30u
#define RIGHT_COLUMNS 52u /* eight bytes of memory a row, two registers */
#define MORE_COLUMNS  162u
#define MORE_RIGHT    86u /* sixteen, three */
#define FIXED_ROWS    3u  /* status, keys, message */

#define BIT(pane) (1u << (pane))
#define MEMORIES                                                                                   \
    (BIT(VIEW_CSRS) | BIT(VIEW_MEMORY) | BIT(VIEW_STACK) | BIT(VIEW_PAGES) | BIT(VIEW_HARTS))
#define TEXTS (BIT(VIEW_CONSOLE) | BIT(VIEW_MONITOR))

/* A slot that begins with its title at y, and has so many rows with it. */
static void add(struct layout *l, unsigned y, unsigned x, unsigned rows, unsigned columns,
                unsigned panes)
{
    l->slots[l->count++] = (struct slot){{y + 1, x, rows - 1, columns}, panes};
}

static void make_wide(struct layout *l, unsigned rows, unsigned columns)
{
    unsigned right = columns >= MORE_COLUMNS ? MORE_RIGHT : RIGHT_COLUMNS,
             left = columns - right - 2;
    unsigned code = rows * 3 / 5, registers = 1 + (right == RIGHT_COLUMNS ? 16 : 11);
    l->rule_x = left;
    add(l, 1, 0, code, left, BIT(VIEW_CODE));
    add(l, 1, left + 2, registers, right, BIT(VIEW_REGISTERS));
    add(l, 1 + code, 0, rows - code, left, TEXTS);
    add(l, 1 + registers, left + 2, rows - registers, right, MEMORIES);
}

static void make_narrow(struct layout *l, unsigned rows, unsigned columns)
{
    unsigned others = 1 + (rows < 30 ? 11 : rows / 2);
    add(l, 1, 0, rows - others, columns, BIT(VIEW_CODE));
    add(l, 1 + rows - others, 0, others, columns, BIT(VIEW_REGISTERS) | MEMORIES | TEXTS);
}

bool layout_make(struct layout *l, unsigned rows, unsigned columns)
{
    *l = (struct layout){.keys_y = rows - 2, .message_y = rows - 1};
    if (rows < DEBUGGER_ROWS || columns < DEBUGGER_COLUMNS)
        return false;
    if (rows >= WIDE_ROWS && columns >= WIDE_COLUMNS)
        make_wide(l, rows - FIXED_ROWS, columns);
    else
        make_narrow(l, rows - FIXED_ROWS, columns);
    return true;
}

unsigned layout_slot_of(const struct layout *l, enum view_pane pane)
{
    unsigned slot = 0;
    while (slot + 1 < l->count && !(l->slots[slot].panes & BIT(pane)))
        slot++;
    return slot;
}
