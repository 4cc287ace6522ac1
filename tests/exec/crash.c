/* Ends as its first argument says: as a signal does, with a status, or with the error of running
 * the program of the second. */
#include "show.h"

#include <signal.h>

__attribute__((noipa)) static void store_at(volatile int *place)
{
    *place = 1;
}

int main(int argc, char **argv)
{
    static int word;
    const char *how = argc > 1 ? argv[1] : "";
    if (!strcmp(how, "segv"))
        store_at((int *)0x1230);
    if (!strcmp(how, "ill"))
        __asm__ volatile(".word 0");
    if (!strcmp(how, "trap"))
        __asm__ volatile("ebreak");
    if (!strcmp(how, "bus"))
        __asm__ volatile("lr.w zero, (%0)" : : "r"((char *)&word + 1));
    if (!strcmp(how, "abort"))
        abort();
    if (!strcmp(how, "run") && argc > 2) {
        execv(argv[2], argv + 2);
        return errno;
    }
    if (!strcmp(how, "spin"))
        for (;;)
            __asm__ volatile("");
    return atoi(how);
}
