/* The picture in a terminal: two pixels, one above the other, in each character. */
#ifndef RIVULET_FIRMWARE_DEMO_TERMINAL_H
#define RIVULET_FIRMWARE_DEMO_TERMINAL_H

#include "firmware/demo/demo.h"

struct terminal {
    unsigned columns, rows; /* rows of the picture; one more is for words */
    bool has_all_colors;    /* 24 bits; else the 256 of xterm */
    struct picture picture; /* 2 x 4 pixels a character */
    uint64_t *shown;        /* both colours of each character */
};

/* Everything that the console says goes through these. */
void say(const char *text);
void say_number(uint64_t number);

/* Asks how large it is, which input_take hears of. */
void terminal_ask_size(void);
void terminal_enter(void);
void terminal_leave(void);
bool terminal_create(struct terminal *t, unsigned columns, unsigned rows, bool has_all_colors);
/* Sends what has changed, and the words in the last row when they are given. */
void terminal_draw(struct terminal *t, const char *words);

#endif
