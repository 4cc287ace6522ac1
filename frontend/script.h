/* The scripted console: a file that reads and types instead of a user, for tests and CI.
 *
 *     # comments and empty lines are skipped
 *     timeout 120s                     the whole run, in host time
 *     fail "Kernel panic"              from here on this text must not appear
 *     expect "login: " within 30s      waits for the text; the limit may be left out
 *     send "root\n"                    types; \n \r \t \e \" \\ \xHH
 *     exit 3                           ends the run with this status (0 if left out)
 *
 * A text is looked for behind the end of the one that was expected before. `within` counts virtual
 * and host time from the moment the line is reached, and the earlier of the two ends the run. When
 * the last line is done the run goes on until the guest ends it.
 *
 * Everything happens in the machine's thread, at the byte of output that causes it: with -icount a
 * scripted run is as repeatable as one without input. */
#ifndef RIVULET_FRONTEND_SCRIPT_H
#define RIVULET_FRONTEND_SCRIPT_H

#include "base/bits.h"
#include "base/error.h"

#include <stdio.h>

struct script;

struct script_ports {
    void (*send)(void *owner, const uint8_t *bytes, size_t n);
    void (*stop)(void *owner); /* the run must end: see script_state */
    void *owner;
};

enum script_state { SCRIPT_RUNS, SCRIPT_DONE, SCRIPT_EXITS, SCRIPT_FAILED };

/* Reads the whole file; an error names file and line. */
struct script *script_open(const char *path, const struct script_ports *ports, struct error *err);
void script_close(struct script *s);

/* Runs the lines before the first expect. */
void script_start(struct script *s);
/* The guest wrote this. */
void script_output(struct script *s, const uint8_t *bytes, size_t n);
/* To be called every now and then: looks at the limits of time. */
void script_check_time(struct script *s, uint64_t virtual_ns, uint64_t host_ns);
/* The guest ended the run: a failure when a text is still expected. */
void script_guest_ended(struct script *s);

enum script_state script_state(const struct script *s);
/* SCRIPT_EXITS: the status that the script gave. */
int script_status(const struct script *s);
/* SCRIPT_FAILED: one line that tells why, and the last lines of output below it. */
void script_explain(const struct script *s, FILE *out);

#endif
