/* What a guest's console or the monitor has said, as lines to look back at. The controls of a
 * terminal that shells and boot messages use work in the last line (backspace, return, erasing,
 * moving); colours are left out, and programs that draw a whole screen are not for it. */
#ifndef RIVULET_DEBUG_SCROLLBACK_H
#define RIVULET_DEBUG_SCROLLBACK_H

#include "debug/sheet.h"

struct scrollback;

/* NULL: no memory. */
struct scrollback *scrollback_create(void);
void scrollback_destroy(struct scrollback *s);

void scrollback_write(struct scrollback *s, const uint8_t *bytes, size_t n);
/* Fills the sheet with the last rows, less `back` rows; long lines take several. Returns how far
 * back it went: not further than there is something. */
unsigned scrollback_show(const struct scrollback *s, struct sheet *sheet, unsigned back);
/* Where the guest's cursor is on the sheet that scrollback_show has just filled with back 0. */
void scrollback_cursor(const struct scrollback *s, const struct sheet *sheet, unsigned *row,
                       unsigned *column);

#endif
