/* A program with no system: it makes semihosting calls and says what came of each, by such calls.
 * What it says does not depend on who answers. AS_PROCESS: it runs in U-mode, as a program does. */
enum {
    OPEN = 1,
    CLOSE,
    WRITEC,
    WRITE0,
    WRITE,
    READ,
    ISERROR = 8,
    ISTTY,
    SEEK,
    FLEN = 12,
    REMOVE = 14,
    RENAME,
    CLOCK,
    TIME,
    ERRNO = 19,
    GET_CMDLINE = 21,
    HEAPINFO,
    EXIT = 24,
    EXIT_EXTENDED = 32,
    ELAPSED = 48,
    TICKFREQ
};

typedef unsigned long word;

__asm__(/* first, for QEMU starts at 0x80000000 */
        ".section .text.unlikely, \"ax\"\n"
        ".global _start\n"
        "_start:\n"
        "    la sp, stack_end\n"
#ifndef AS_PROCESS
        "    csrw 0x305, zero\n" /* mtvec: a trap never comes back */
#endif
        "    call ask_all\n"
        ".option push\n"
        ".option norvc\n"
        ".balign 16\n"
        ".global call_host\n"
        "call_host:\n"
        "    slli zero, zero, 0x1f\n"
        "    ebreak\n"
        "    srai zero, zero, 7\n"
        "    ret\n"
        ".option pop\n"
        ".bss\n"
        ".balign 16\n"
        "    .space 8192\n"
        "stack_end:\n"
        ".text\n");

long call_host(long operation, const void *block);

static word length(const char *text)
{
    word n = 0;
    while (text[n])
        n++;
    return n;
}

static long call(long operation, word a, word b, word c, word d)
{
    word block[4] = {a, b, c, d};
    __asm__ volatile("" ::: "memory");
    return call_host(operation, block);
}

static void say(const char *text)
{
    call_host(WRITE0, text);
}

/* "name = value", and the errno when it is an error. */
static void show(const char *name, long value)
{
    char digits[24], *at = digits + sizeof digits - 1;
    word left = value < 0 ? -(word)value : (word)value;
    *at = 0;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    say(name);
    say(" = ");
    say(at);
    say("\n");
    if (value == -1)
        show("  errno", call_host(ERRNO, 0));
}

static long open(const char *name, word mode)
{
    return call(OPEN, (word)name, mode, length(name), 0);
}

static char buffer[256];

static void use_files(void)
{
    show("open missing", open("missing", 0));
    long f = open("file", 6);
    show("write", call(WRITE, f, (word) "some text", 9, 0));
    show("length", call(FLEN, f, 0, 0, 0));
    show("seek", call(SEEK, f, 5, 0, 0));
    show("read beyond the end", call(READ, f, (word)buffer, 100, 0));
    say(buffer);
    show(", terminal", call(ISTTY, f, 0, 0, 0));
    show("close", call(CLOSE, f, 0, 0, 0));
    show("length of what is closed", call(FLEN, f, 0, 0, 0));
    f = open("file", 8);
    show("append", call(WRITE, f, (word) "!", 1, 0)); /* which QEMU 7.2 puts at the beginning */
    call(CLOSE, f, 0, 0, 0);
    show("open folder for writing", open(".", 4));
    show("rename", call(RENAME, (word) "file", 4, (word) "other", 5));
    show("rename again", call(RENAME, (word) "file", 4, (word) "other", 5));
    show("remove", call(REMOVE, (word) "other", 5, 0, 0));
    show("remove again", call(REMOVE, (word) "other", 5, 0, 0));
    show("mode", call(OPEN, (word) "x", 12, 1, 0));
}

static void use_console(void)
{
    long out = open(":tt", 4), features = open(":semihosting-features", 0);
    show("write", call(WRITE, out, (word) "out\n", 4, 0));
    show("features", call(FLEN, features, 0, 0, 0));
    show("read", call(READ, features, (word)buffer, 5, 0));
    show("first byte", buffer[4]);
    show("features for writing", open(":semihosting-features", 4));
    for (const char *c = "characters\n"; *c; c++)
        call_host(WRITEC, c);
}

static void ask(void)
{
    word block[2] = {(word)buffer, sizeof buffer}, heap[4], heap_block[1] = {(word)heap};
    __asm__ volatile("" ::: "memory");
    show("command line", call_host(GET_CMDLINE, block));
    say(buffer);
    show("\nits length", (long)block[1]);
    block[1] = 3;
    __asm__ volatile("" ::: "memory");
    show("without room", call_host(GET_CMDLINE, block));
    show("heap", call_host(HEAPINFO, heap_block));
    show("is behind the program", heap[0] > (word)buffer && heap[1] - heap[0] > 1 << 20);
    show("elapsed", call_host(ELAPSED, heap));
    show("frequency", call_host(TICKFREQ, 0));
    show("date is later than 2020", call_host(TIME, 0) > 1577836800);
    show("error", call(ISERROR, (word)-5, 0, 0, 0));
    show("no error", call(ISERROR, 5, 0, 0, 0));
}

void ask_all(void)
{
    use_console();
    ask();
    use_files();
    call(EXIT_EXTENDED, 0x20026, 77, 0, 0);
}
