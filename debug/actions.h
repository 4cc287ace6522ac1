/* What the monitor and QMP both do to a machine; each reads its arguments in its own way. On the
 * machine's thread (control.h). All: false and err. */
#ifndef RIVULET_DEBUG_ACTIONS_H
#define RIVULET_DEBUG_ACTIONS_H

#include "machine/machine.h"

struct hart;

/* Writes memory to a file of the host: what the hart sees at virtual addresses, or physical memory.
 * What cannot be read ends it; the file then has what came before. */
bool action_save_memory(struct hart *h, bool physical, uint64_t address, uint64_t bytes,
                        const char *path, struct error *err) MUST_CHECK;
/* Writes what a display shows: that of the -device with this id, of whose heads there is 0 alone;
 * device NULL: the first. format: "png" or "ppm"; NULL: PPM for a name that ends in .ppm, else PNG.
 */
bool action_dump_screen(struct machine *m, const char *device, int64_t head, const char *path,
                        const char *format, struct error *err) MUST_CHECK;
/* Saves the machine: to a file, or inside of its drives (machine/snapshot.h), with what the display
 * shows. */
bool action_save(struct machine *m, const char *path, bool compress, struct error *err) MUST_CHECK;
bool action_save_named(struct machine *m, const char *name, bool compress,
                       struct error *err) MUST_CHECK;
/* "ctrl-alt-f1": all are pressed in this order, and released in the other. */
bool action_send_keys(struct machine *m, const char *names, struct error *err) MUST_CHECK;

/* The text that a ringbuf keeps, at most n bytes, which are taken out of it; to be freed. NULL and
 * err. */
char *action_read_ring(struct machine *m, const char *id, uint64_t n, struct error *err);

#endif
