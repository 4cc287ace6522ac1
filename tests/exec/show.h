/* What the programs here print must be the same on every Linux: the host's kernel is the oracle. */
#ifndef RIVULET_TESTS_EXEC_SHOW_H
#define RIVULET_TESTS_EXEC_SHOW_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A call, its result, and its error. */
#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result_ = (long)(call);                                                               \
        printf("%s = %ld%s%s\n", #call, result_, errno ? " " : "",                                 \
               errno ? strerrorname_np(errno) : "");                                               \
        fflush(stdout);                                                                            \
    } while (0)
/* Whether a call succeeds, where the number is the host's. */
#define WORKS(call)                                                                                \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int good_ = (long)(call) != -1;                                                            \
        printf("%s %s%s%s\n", #call, good_ ? "works" : "fails", good_ ? "" : " ",                  \
               good_ ? "" : strerrorname_np(errno));                                               \
        fflush(stdout);                                                                            \
    } while (0)

#endif
