/* The state walk: one function per component lists its guest state, and the same function saves,
 * loads and hashes it, so that the three cannot disagree.
 *
 *     void clint_state(struct clint *c, struct state *s)
 *     {
 *         state_section(s, "clint", 1);
 *         state_u64(s, &c->mtimecmp[0]);
 *     }
 *
 * A failed load (short, wrong section, bad value) latches: later calls leave their targets as they
 * are, and state_ok() is false. The caller then discards the half-loaded machine. */
#ifndef RIVULET_BASE_STATE_H
#define RIVULET_BASE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state;

/* A walk that appends to a growing buffer owned by the state. */
struct state *state_new_save(void);
/* A walk that reads the `size` bytes at `data`, which must outlive it. */
struct state *state_new_load(const void *data, size_t size);
/* A walk that only hashes. */
struct state *state_new_hash(void);
void state_free(struct state *s);

/* From now on RAM is left out of the walk: its owner saves and loads it in another way. */
void state_leave_out_ram(struct state *s);
bool state_has_ram(const struct state *s);

/* What a saving walk has collected; valid until the next call on s. */
const void *state_data(const struct state *s, size_t *size);
/* The 64-bit hash of all that a hashing walk has seen. */
uint64_t state_hash(const struct state *s);

/* Begins a named, versioned section. A load fails when the name or the version differ. */
void state_section(struct state *s, const char *name, uint32_t version);
void state_u8(struct state *s, uint8_t *v);
void state_u16(struct state *s, uint16_t *v);
void state_u32(struct state *s, uint32_t *v);
void state_u64(struct state *s, uint64_t *v);
void state_bool(struct state *s, bool *v);
/* n bytes as they lie in memory: byte arrays only, never structs. */
void state_bytes(struct state *s, void *bytes, size_t n);
void state_u64s(struct state *s, uint64_t *v, size_t n);

bool state_loading(const struct state *s);
bool state_hashing(const struct state *s);
bool state_ok(const struct state *s);
/* Called by a component that finds a loaded value out of its range; the first reason is kept. */
__attribute__((format(printf, 2, 3))) void state_fail(struct state *s, const char *format, ...);
/* Why state_ok() is false; one line. */
const char *state_error(const struct state *s);

/* Called when a section begins, with the hash of all before it: to find where two states differ. */
void state_on_section(struct state *s,
                      void (*hook)(void *owner, const char *name, uint64_t hash_before),
                      void *owner);

/* A 64-bit hash of n bytes, for whoever hashes pages outside a walk. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t n);

#endif
