/* Keys as X11 and VNC name them: by what is printed on them. */
#ifndef RIVULET_DEBUG_KEYSYMS_H
#define RIVULET_DEBUG_KEYSYMS_H

#include <stdbool.h>
#include <stdint.h>

/* The evdev code of the key on which this keysym (X11: keysymdef.h) is on a US keyboard, shifted or
 * not: the shift key itself is told separately. 0: no key has it. */
uint16_t key_by_keysym(uint32_t keysym);

/* The key that types a character (Unicode) on a US keyboard, with shift or without. 0: none does.
 */
uint16_t key_by_character(uint32_t character, bool *is_shifted);

#endif
