/* The keys (contract: keys.h). */
#include "debug/keys.h"

#include "base/bits.h"

// clang-format off
static const struct key {
    const char *name;
    uint8_t code;  /* evdev */
    uint8_t usage; /* USB HID, page 7 */
} keys[] = {
    {"esc", 1, 0x29},
    {"1", 2, 0x1e},
    {"2", 3, 0x1f},
    {"3", 4, 0x20},
    {"4", 5, 0x21},
    {"5", 6, 0x22},
    {"6", 7, 0x23},
    {"7", 8, 0x24},
    {"8", 9, 0x25},
    {"9", 10, 0x26},
    {"0", 11, 0x27},
    {"minus", 12, 0x2d},
    {"equal", 13, 0x2e},
    {"backspace", 14, 0x2a},
    {"tab", 15, 0x2b},
    {"q", 16, 0x14},
    {"w", 17, 0x1a},
    {"e", 18, 0x08},
    {"r", 19, 0x15},
    {"t", 20, 0x17},
    {"y", 21, 0x1c},
    {"u", 22, 0x18},
    {"i", 23, 0x0c},
    {"o", 24, 0x12},
    {"p", 25, 0x13},
    {"bracket_left", 26, 0x2f},
    {"bracket_right", 27, 0x30},
    {"ret", 28, 0x28},
    {"ctrl", 29, 0xe0},
    {"a", 30, 0x04},
    {"s", 31, 0x16},
    {"d", 32, 0x07},
    {"f", 33, 0x09},
    {"g", 34, 0x0a},
    {"h", 35, 0x0b},
    {"j", 36, 0x0d},
    {"k", 37, 0x0e},
    {"l", 38, 0x0f},
    {"semicolon", 39, 0x33},
    {"apostrophe", 40, 0x34},
    {"grave_accent", 41, 0x35},
    {"shift", 42, 0xe1},
    {"backslash", 43, 0x31},
    {"z", 44, 0x1d},
    {"x", 45, 0x1b},
    {"c", 46, 0x06},
    {"v", 47, 0x19},
    {"b", 48, 0x05},
    {"n", 49, 0x11},
    {"m", 50, 0x10},
    {"comma", 51, 0x36},
    {"dot", 52, 0x37},
    {"slash", 53, 0x38},
    {"shift_r", 54, 0xe5},
    {"kp_multiply", 55, 0x55},
    {"alt", 56, 0xe2},
    {"spc", 57, 0x2c},
    {"caps_lock", 58, 0x39},
    {"f1", 59, 0x3a},
    {"f2", 60, 0x3b},
    {"f3", 61, 0x3c},
    {"f4", 62, 0x3d},
    {"f5", 63, 0x3e},
    {"f6", 64, 0x3f},
    {"f7", 65, 0x40},
    {"f8", 66, 0x41},
    {"f9", 67, 0x42},
    {"f10", 68, 0x43},
    {"num_lock", 69, 0x53},
    {"scroll_lock", 70, 0x47},
    {"kp_7", 71, 0x5f},
    {"kp_8", 72, 0x60},
    {"kp_9", 73, 0x61},
    {"kp_subtract", 74, 0x56},
    {"kp_4", 75, 0x5c},
    {"kp_5", 76, 0x5d},
    {"kp_6", 77, 0x5e},
    {"kp_add", 78, 0x57},
    {"kp_1", 79, 0x59},
    {"kp_2", 80, 0x5a},
    {"kp_3", 81, 0x5b},
    {"kp_0", 82, 0x62},
    {"kp_decimal", 83, 0x63},
    {"less", 86, 0x64},
    {"f11", 87, 0x44},
    {"f12", 88, 0x45},
    {"kp_enter", 96, 0x58},
    {"ctrl_r", 97, 0xe4},
    {"kp_divide", 98, 0x54},
    {"sysrq", 99, 0x46},
    {"alt_r", 100, 0xe6},
    {"home", 102, 0x4a},
    {"up", 103, 0x52},
    {"pgup", 104, 0x4b},
    {"left", 105, 0x50},
    {"right", 106, 0x4f},
    {"end", 107, 0x4d},
    {"down", 108, 0x51},
    {"pgdn", 109, 0x4e},
    {"insert", 110, 0x49},
    {"delete", 111, 0x4c},
    {"power", 116, 0x66},
    {"kp_equals", 117, 0x67},
    {"pause", 119, 0x48},
    {"meta_l", 125, 0xe3},
    {"meta_r", 126, 0xe7},
    {"menu", 127, 0x65},
};
// clang-format on

uint16_t key_by_name(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strlen(keys[i].name) == length && memcmp(keys[i].name, name, length) == 0)
            return keys[i].code;
    return 0;
}

uint16_t key_by_usb(uint32_t usage)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].usage == usage)
            return keys[i].code;
    return 0;
}
