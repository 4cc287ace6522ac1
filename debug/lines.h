/* Which line of source an address is of, by all the symbols' files that tell: those too that are
 * loaded after this was made. */
#ifndef RIVULET_DEBUG_LINES_H
#define RIVULET_DEBUG_LINES_H

#include "debug/sources.h"
#include "debug/symbols.h"

struct lines;

/* `symbols` outlive it. NULL: no memory. */
struct lines *lines_create(const struct symbols *symbols);
void lines_destroy(struct lines *l);

/* NULL: none is known. What it points to is kept as long as `l`. */
const struct source_row *lines_at(struct lines *l, uint64_t address);

#endif
