/* `-fork-server`: one machine, started once, runs many cases from the same moment (machine/
 * checkpoint.h), for fuzzers and tests. The moment is that of -loadvm, of -until, or the start.
 *
 * On standard output, first of all: "rivulet fork server 1\n". Then for each case, on standard
 * input:
 *     BYTES LIMIT\n        and so many bytes, which are typed at the console; LIMIT: virtual ns
 * and on standard output, when the guest has ended or its time has:
 *     END STATUS STEPS BYTES\n   and so many bytes, which the console said
 * END is power-off (STATUS is the guest's), reset, limit or io-error; STEPS are all harts' since
 * the moment. A limit is kept as -until is: a round goes to its end. The end of the input is the
 * end. */
#ifndef RIVULET_FRONTEND_FORK_SERVER_H
#define RIVULET_FRONTEND_FORK_SERVER_H

#include "frontend/options.h"

/* As run() (frontend/run.h). */
bool fork_server_run(const struct options *options, int *status, struct error *err) MUST_CHECK;

#endif
