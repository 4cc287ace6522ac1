/* Tracing and measuring of a guest that knows nothing of it, switched at run time.
 *
 * A *tracer* is one -trace, or one `trace` of the monitor: what it watches, where, and the file
 * that it writes. Tracers hear the harts' notices (cpu/observer.h); while there is none, the
 * machine runs as if this file were not there. Under icount a trace leaves no trace in the state.
 *
 * All of it belongs to the machine's thread, between runs. */
#ifndef RIVULET_DEBUG_TRACE_H
#define RIVULET_DEBUG_TRACE_H

#include "debug/control.h"

struct trace;
struct symbols;

struct trace *trace_create(struct control *c, struct error *err);
/* Ends all tracers. Before the machine goes. */
void trace_destroy(struct trace *t);
/* After control_replace_machine. */
void trace_attach(struct trace *t);

/* For a program, which may go to other folders and close descriptors: relative names are in
 * `folder`, which outlives the trace (NULL: where the process is), and tracers' files get other
 * descriptors: place() gives the new one, or -1 and has closed it. */
void trace_place_files(struct trace *t, const char *folder, int (*place)(void *owner, int fd),
                       void *owner);

/* Begins a tracer: "WHAT[,WHAT...][,file=PATH][,PROPERTY=VALUE...]". */
bool trace_start(struct trace *t, const char *spec, struct error *err) MUST_CHECK;
/* Ends the tracer of this number: what it has collected is written. */
bool trace_stop(struct trace *t, unsigned number, struct error *err) MUST_CHECK;
/* Ends all. False and err: a file could not be written, the others were. */
bool trace_stop_all(struct trace *t, struct error *err) MUST_CHECK;
/* A line for each tracer: its number, and what it was asked for. */
void trace_list(const struct trace *t, const struct byte_sink *out);
/* A line for each WHAT. */
void trace_help(const struct byte_sink *out);

/* Names for addresses: "FILE[,base=ADDRESS]" (symbols.h). */
bool trace_load_symbols(struct trace *t, const char *spec, struct error *err) MUST_CHECK;
/* The same for a file that a program has mapped, its code up to `end`. */
bool trace_add_file(struct trace *t, const char *path, uint64_t base, uint64_t end,
                    struct error *err) MUST_CHECK;
/* The program's memory is another one's now. */
void trace_forget_symbols(struct trace *t);
/* What has been loaded so far, and what will be. */
const struct symbols *trace_symbols(const struct trace *t);

#endif
