/* Triggers (debug manual 1.0, chapter "Sdtrig"): tselect, tdata1 to 3 and tinfo.
 *
 * While an execute or icount trigger can fire, hart_run goes one instruction at a time; pages on
 * which a load or store trigger may lie get no fast tags. Nothing else pays. */
#ifndef RIVULET_CPU_TRIGGER_H
#define RIVULET_CPU_TRIGGER_H

#include "cpu/hart.h"

/* Accesses by bits of mcontrol6. */
enum { TRIGGER_LOAD = 1, TRIGGER_STORE = 2, TRIGGER_EXECUTE = 4 };

uint64_t trigger_read_tinfo(void);
void trigger_select(struct hart *h, uint64_t index);
/* Of the selected trigger. */
void trigger_write_tdata1(struct hart *h, uint64_t value);
void trigger_write_tdata2(struct hart *h, uint64_t value);
void trigger_reset(struct hart *h);
bool trigger_is_legal(const struct hart *h);
/* Derives h->triggers_on; after a load. */
void trigger_update(struct hart *h);

/* Before an instruction: whether one fires here; h->trap is filled. */
bool trigger_fires(struct hart *h);
/* The icount triggers that count the next step, as bits; and that this step was made. */
unsigned trigger_counting(const struct hart *h);
void trigger_count_step(struct hart *h, unsigned counting);
/* A trap was taken from this privilege. */
void trigger_note_trap(struct hart *h, uint64_t cause, unsigned from);
/* Whether accesses to this page must be looked at. */
bool trigger_watches_page(const struct hart *h, uint64_t page_va);
/* An access is about to be made. False: a trigger fires, h->trap is filled. */
bool trigger_permits(struct hart *h, uint64_t va, uint64_t size, unsigned accesses) MUST_CHECK;

#endif
