/* Keys and the pointer, from virtio's devices and from the console. */
#ifndef RIVULET_FIRMWARE_DEMO_INPUT_H
#define RIVULET_FIRMWARE_DEMO_INPUT_H

#include "firmware/demo/demo.h"

/* Places are parts of 32768 of the picture. */
#define PLACE_MAX 32768u

struct input {
    char keys[32]; /* typed since the last look */
    unsigned key_count;
    bool power; /* the power key */
    bool pointer_moved, pressed;
    unsigned x, y;
    unsigned columns, rows; /* of the terminal, when it has said so; else 0 */
};

void input_open(const struct board *board);
/* Adds what has come to `input`. Never waits. */
void input_take(struct input *input);

/* One byte of the console's (console.c). */
void console_take(struct input *input, char c);

#endif
