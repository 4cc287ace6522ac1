/* `rivulet exec` where the host is no Linux. */
#include "frontend/exec.h"

#include <stdio.h>

int exec_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fprintf(stderr, "rivulet: exec needs Linux as its host: boot a Linux guest instead\n");
    return 127;
}
