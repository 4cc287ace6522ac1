/* `rivulet FILE`: what the file is decides what is done with it. A kernel is booted directly; a
 * disk is put into a computer of sensible size, whose firmware finds a boot loader on it. */
#ifndef RIVULET_FRONTEND_BOOT_FILE_H
#define RIVULET_FRONTEND_BOOT_FILE_H

#include "frontend/options.h"

/* Completes the options for o->file; nothing to do without one. What the user gave wins. */
bool boot_file_apply(struct options *o, struct error *err) MUST_CHECK;

#endif
