/* What the user's terminal can show, by the variables of the environment that say so. */
#ifndef RIVULET_FRONTEND_COLOURS_H
#define RIVULET_FRONTEND_COLOURS_H

#include <stdbool.h>

/* The 256 of xterm; false for what has no colours, or is no screen. */
bool terminal_has_colours(void);
/* All of 24 bits. */
bool terminal_has_all_colours(void);

#endif
