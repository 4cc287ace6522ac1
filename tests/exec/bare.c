/* A program that makes semihosting calls and Linux's, by turns: bare.c WHAT [NAME...]. Prints what
 * came of each. */
#include "show.h"

#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>

enum {
    OPEN = 1,
    CLOSE,
    WRITE = 5,
    READ,
    READC,
    FLEN = 12,
    REMOVE = 14,
    RENAME,
    SYSTEM = 18,
    ERRNO,
    GET_CMDLINE = 21,
    HEAPINFO
};

static long call_host(long operation, const void *block)
{
    register long a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;
    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

static long call(long operation, const void *a, long b, long c, long d)
{
    const uint64_t block[4] = {(uintptr_t)a, b, c, d};
    return call_host(operation, block);
}

static long open_file(const char *name, long mode)
{
    return call(OPEN, name, mode, strlen(name), 0);
}

static void show(const char *what, long result)
{
    printf("%s = %ld", what, result);
    if (result == -1)
        printf(" %s", strerrorname_np(call_host(ERRNO, NULL)));
    printf("\n");
}

/* Each is read, if it can be, and then written. */
static void use_names(char **names)
{
    for (; *names; names++) {
        char text[9] = "";
        long f = open_file(*names, 0);
        printf("%s: ", *names);
        if (f != -1)
            call(READ, (void *)f, (long)text, 8, 0);
        show(text, f == -1 ? f : 0);
        call(CLOSE, (void *)f, 0, 0, 0);
        f = open_file(*names, 4);
        show("  to write", f == -1 ? f : call(WRITE, (void *)f, (long)"written\n", 8, 0));
        call(CLOSE, (void *)f, 0, 0, 0);
        show("  rename", call(RENAME, *names, strlen(*names), (long)"other", 5));
        show("  remove", call(REMOVE, "other", 5, 0, 0));
    }
}

static void on_alarm(int number)
{
    (void)number;
    if (write(1, "alarm\n", 6) != 6)
        _exit(1);
}

/* A handler runs while a byte is waited for. */
static void wait_for_input(void)
{
    struct itimerval once = {{0, 0}, {0, 50000}};
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &once, NULL);
    show("a byte", call_host(READC, NULL));
    show("a byte", call_host(READC, NULL));
    show("the end", call_host(READC, NULL));
}

static void use_memory(void)
{
    uint64_t heap[4], again[4], *block[1] = {heap};
    char *here = (char *)&heap;
    show("heap", call_host(HEAPINFO, block));
    block[0] = again;
    call_host(HEAPINFO, block);
    show("is the same again", !memcmp(heap, again, sizeof heap));
    memset((char *)heap[0], 1, heap[1] - heap[0]);
    show("has 1 MiB at least", heap[1] - heap[0] >= 1 << 20);
    show("the stack is where it says", heap[3] < (uintptr_t)here && (uintptr_t)here < heap[2]);
    show("nowhere", call_host(HEAPINFO, NULL));
    show("system", call(SYSTEM, "true", 4, 0, 0));
}

/* A file of semihosting is none of the descriptors that the program has. */
static void keep_file(void)
{
    char text[9] = "";
    long f = open_file("kept", 6);
    call(WRITE, (void *)f, (long)"content\n", 8, 0);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    if (fork() == 0)
        _exit(call(CLOSE, (void *)f, 0, 0, 0) == 0 ? 0 : 1);
    wait(NULL);
    show("length", call(FLEN, (void *)f, 0, 0, 0));
    f = open_file("kept", 0);
    show("left over", call(READ, (void *)f, (long)text, 8, 0));
    printf("%s", text);
    char line[64] = "";
    const uint64_t block[2] = {(uintptr_t)line, sizeof line};
    call_host(GET_CMDLINE, block);
    printf("%s\n", strchr(line, ' '));
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    if (!strcmp(what, "names"))
        use_names(argv + 2);
    else if (!strcmp(what, "input"))
        wait_for_input();
    else if (!strcmp(what, "memory"))
        use_memory();
    else if (!strcmp(what, "kept"))
        keep_file();
    else if (!strcmp(what, "again"))
        return execl(argv[0], "bare", "kept", "twice", NULL);
    return 5;
}
