/* The end of each test program's main(). */
#ifndef RIVULET_TESTS_UNIT_SUITE_H
#define RIVULET_TESTS_UNIT_SUITE_H

#include <check.h>

/* Runs all tests of the suite, which it frees: the program's exit status. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
