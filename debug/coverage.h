/* The parts of a coverage (coverage.c). */
#ifndef RIVULET_DEBUG_COVERAGE_H
#define RIVULET_DEBUG_COVERAGE_H

#include "debug/runs.h"

/* A file of symbols in lcov's form, by the lines of its source. False: it has no lines, or there is
 * no memory; nothing was written. */
bool coverage_write_lines(const struct symbols *symbols, unsigned file, const struct runs *runs,
                          FILE *to) MUST_CHECK;

#endif
