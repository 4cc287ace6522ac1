/* What the tests of saved machines, recordings and the past begin and end with: the busy program,
 * and a folder for files. */
#ifndef RIVULET_TESTS_UNIT_PAST_RIG_H
#define RIVULET_TESTS_UNIT_PAST_RIG_H

#include "tests/unit/machine_rig.h"
#include "tests/unit/temp_folder.h"

static inline void begin(struct program *p, unsigned harts)
{
    program_begin(p);
    put_busy_program(&p->a, harts);
    program_end(p);
    enter_temp_folder();
}

static inline void end(struct program *p)
{
    unlink(p->path);
    leave_temp_folder();
}

#endif
