/* What the user's terminal can show (contract: colours.h). */
#include "frontend/colours.h"

#include <stdlib.h>
#include <string.h>

bool terminal_has_colours(void)
{
    static const char *const without[] = {"", "dumb", "unknown", "vt100", "vt102", "vt220"};
    const char *name = getenv("TERM");
    for (size_t i = 0; name && i < sizeof without / sizeof *without; i++)
        if (strcmp(name, without[i]) == 0)
            return false;
    return name != NULL;
}

bool terminal_has_all_colours(void)
{
    const char *colours = getenv("COLORTERM");
    return colours && (strcmp(colours, "truecolor") == 0 || strcmp(colours, "24bit") == 0);
}
