/* Keysyms (contract: keysyms.h). The keysyms of ASCII are its codes. */
#include "debug/keysyms.h"

#include "base/bits.h"
#include "debug/keys.h"

#include <ctype.h>

/* What is printed on the keys that have no letter, with and without shift; evdev's codes. */
static const struct {
    char plain, shifted;
    uint8_t code;
} printed[] = {
    {'1', '!', 2},   {'2', '@', 3},  {'3', '#', 4},   {'4', '$', 5},  {'5', '%', 6},
    {'6', '^', 7},   {'7', '&', 8},  {'8', '*', 9},   {'9', '(', 10}, {'0', ')', 11},
    {'-', '_', 12},  {'=', '+', 13}, {'[', '{', 26},  {']', '}', 27}, {';', ':', 39},
    {'\'', '"', 40}, {'`', '~', 41}, {'\\', '|', 43}, {',', '<', 51}, {'.', '>', 52},
    {'/', '?', 53},  {' ', ' ', 57},
};

static const struct {
    uint16_t keysym;
    uint8_t code;
} others[] = {
    {0xff08, 14},  /* BackSpace */
    {0xff09, 15},  /* Tab */
    {0xfe20, 15},  /* ISO_Left_Tab: shifted */
    {0xff0d, 28},  /* Return */
    {0xff13, 119}, /* Pause */
    {0xff14, 70},  /* Scroll_Lock */
    {0xff15, 99},  /* Sys_Req */
    {0xff61, 99},  /* Print */
    {0xff1b, 1},   /* Escape */
    {0xff50, 102}, /* Home */
    {0xff51, 105}, /* Left */
    {0xff52, 103}, /* Up */
    {0xff53, 106}, /* Right */
    {0xff54, 108}, /* Down */
    {0xff55, 104}, /* Page_Up */
    {0xff56, 109}, /* Page_Down */
    {0xff57, 107}, /* End */
    {0xff63, 110}, /* Insert */
    {0xff67, 127}, /* Menu */
    {0xff7f, 69},  /* Num_Lock */
    {0xff8d, 96},  /* KP_Enter */
    {0xff95, 71},  /* KP_Home */
    {0xff96, 75},  /* KP_Left */
    {0xff97, 72},  /* KP_Up */
    {0xff98, 77},  /* KP_Right */
    {0xff99, 80},  /* KP_Down */
    {0xff9a, 73},  /* KP_Page_Up */
    {0xff9b, 81},  /* KP_Page_Down */
    {0xff9c, 79},  /* KP_End */
    {0xff9d, 76},  /* KP_Begin */
    {0xff9e, 82},  /* KP_Insert */
    {0xff9f, 83},  /* KP_Delete */
    {0xffaa, 55},  /* KP_Multiply */
    {0xffab, 78},  /* KP_Add */
    {0xffad, 74},  /* KP_Subtract */
    {0xffae, 83},  /* KP_Decimal */
    {0xffaf, 98},  /* KP_Divide */
    {0xffb0, 82},  /* KP_0 */
    {0xffb1, 79},  /* KP_1 */
    {0xffb2, 80},  /* KP_2 */
    {0xffb3, 81},  /* KP_3 */
    {0xffb4, 75},  /* KP_4 */
    {0xffb5, 76},  /* KP_5 */
    {0xffb6, 77},  /* KP_6 */
    {0xffb7, 71},  /* KP_7 */
    {0xffb8, 72},  /* KP_8 */
    {0xffb9, 73},  /* KP_9 */
    {0xffbd, 117}, /* KP_Equal */
    {0xffc8, 87},  /* F11 */
    {0xffc9, 88},  /* F12 */
    {0xffe1, 42},  /* Shift_L */
    {0xffe2, 54},  /* Shift_R */
    {0xffe3, 29},  /* Control_L */
    {0xffe4, 97},  /* Control_R */
    {0xffe5, 58},  /* Caps_Lock */
    {0xffe7, 56},  /* Meta_L: where Alt is */
    {0xffe8, 100}, /* Meta_R */
    {0xffe9, 56},  /* Alt_L */
    {0xffea, 100}, /* Alt_R */
    {0xfe03, 100}, /* ISO_Level3_Shift: AltGr */
    {0xffeb, 125}, /* Super_L */
    {0xffec, 126}, /* Super_R */
    {0xffff, 111}, /* Delete */
};

#define KEYSYM_F1  0xffbeu
#define KEYSYM_F10 0xffc7u
#define CODE_F1    59u

uint16_t key_by_keysym(uint32_t keysym)
{
    if (keysym < 0x80 && isalpha((int)keysym)) {
        const char letter = (char)tolower((int)keysym);
        return key_by_name(&letter, 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(printed); i++)
        if (keysym == (uint8_t)printed[i].plain || keysym == (uint8_t)printed[i].shifted)
            return printed[i].code;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (others[i].keysym == keysym)
            return others[i].code;
    if (keysym >= KEYSYM_F1 && keysym <= KEYSYM_F10)
        return (uint16_t)(CODE_F1 + (keysym - KEYSYM_F1));
    return 0;
}

static bool is_shifted_on(uint32_t keysym)
{
    for (size_t i = 0; i < ARRAY_LEN(printed); i++)
        if (keysym == (uint8_t)printed[i].shifted)
            return keysym != (uint8_t)printed[i].plain;
    return keysym < 0x80 && isupper((int)keysym);
}

/* Beyond ASCII a character's number is another character's keysym, or a key's. */
uint16_t key_by_character(uint32_t character, bool *is_shifted)
{
    *is_shifted = false;
    if (character == '\n' || character == '\t')
        return key_by_keysym(0xff00 | (character == '\n' ? '\r' : '\t'));
    if (character < ' ' || character > '~')
        return 0;
    *is_shifted = is_shifted_on(character);
    return key_by_keysym(character);
}
