/* For programs that must be kept from something: they say what went wrong, and how often. */
#ifndef RIVULET_TESTS_EXEC_MUST_H
#define RIVULET_TESTS_EXEC_MUST_H

#include "show.h"

static int failures;

static void must(int holds, const char *what)
{
    if (holds)
        return;
    printf("%s (errno %d)\n", what, errno);
    failures++;
}

#endif
