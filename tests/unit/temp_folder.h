/* A folder of a test's own, and the shell in it. Programs that a test needs and that are not there
 * make it say so and pass. */
#ifndef RIVULET_TESTS_UNIT_TEMP_FOLDER_H
#define RIVULET_TESTS_UNIT_TEMP_FOLDER_H

#include <check.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void enter_temp_folder(void)
{
    char path[] = "/tmp/rivulet_test.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(path));
    ck_assert_int_eq(chdir(path), 0);
}

static inline void leave_temp_folder(void)
{
    char path[256], command[300];
    ck_assert_ptr_nonnull(getcwd(path, sizeof path));
    ck_assert_int_eq(strncmp(path, "/tmp/rivulet_test.", 18), 0);
    ck_assert_int_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf %s", path);
    ck_assert_int_eq(system(command), 0);
}

/* The exit status of a shell command. */
__attribute__((format(printf, 1, 2))) static inline int shell(const char *format, ...)
{
    char command[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    int status = system(command);
    return status < 0 || status > 0xffff ? -1 : status >> 8;
}

static inline bool lacks(const char *program)
{
    if (shell("command -v %s >/dev/null", program) == 0)
        return false;
    printf("skipped: there is no %s\n", program);
    return true;
}

#endif
