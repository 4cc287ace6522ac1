/* A machine that echoes, in place of the real one, for the front end's tests: the linker takes
 * these machine_* instead of the library's.
 *
 * A round is 1 ms of virtual time, and takes one typed byte. The first says "hello\n". What is
 * typed comes back, but for Q  power off with status 7     R  reset     B  breakpoint =  says how
 * many bytes came so far, which is state that a load must bring The kernel file "missing" cannot be
 * opened. */
#ifndef RIVULET_TESTS_UNIT_FAKE_MACHINE_H
#define RIVULET_TESTS_UNIT_FAKE_MACHINE_H

#include "machine/machine.h"

#define FAKE_ROUND_NS 1000000ull
#define FAKE_PC       0x20 /* where its hart always stands */
#define FAKE_DTB      "a device tree"

#endif
