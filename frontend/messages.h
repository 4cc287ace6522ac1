/* What the program writes to standard error while something else is drawn on the terminal: kept in
 * a file, to be shown in its place. Nobody who writes ever waits. */
#ifndef RIVULET_FRONTEND_MESSAGES_H
#define RIVULET_FRONTEND_MESSAGES_H

#include <stddef.h>

struct messages;

/* NULL: standard error is no terminal, and stays what it is; or the host has no room. */
struct messages *messages_keep(void);
/* What has come since the last call; 0: nothing. */
size_t messages_read(struct messages *m, char *text, size_t size);
/* Standard error is itself again, and gets what nobody has read. */
void messages_release(struct messages *m);

#endif
