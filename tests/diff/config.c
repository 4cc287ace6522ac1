/* The configuration; in .data, so that its bytes are in the image. */
#include "tests/diff/config.h"

volatile struct config config = {.magic = "DIFFCONF", .seed = 1, .count = 1};
