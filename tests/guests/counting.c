/* A Linux program that counts its own instructions in U-mode with perf_event_open: 2,000,000 of a
 * loop and those of two system calls. Then it lets a counter overflow each 100,000 cycles of the
 * same loop: the kernel's interrupts tell how often. */
#include <linux/perf_event.h>

enum { SYS_ioctl = 29, SYS_write = 64, SYS_read = 63, SYS_exit = 93, SYS_perf_event_open = 241 };

static long call(long number, long a, long b, long c, long d, long e)
{
    register long a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d;
    register long a4 asm("a4") = e, a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
    return a0;
}

/* The event's count of one loop; negative: an error of the kernel. */
static long count(unsigned long config, unsigned long period)
{
    static struct perf_event_attr event; /* no library clears one on the stack */
    event.size = sizeof event;
    event.config = config;
    event.disabled = event.exclude_kernel = 1;
    event.sample_period = period;
    long counted = -1, loops = 1000000;
    long fd = call(SYS_perf_event_open, (long)&event, 0, -1, -1, 0);
    if (fd < 0)
        return fd;
    call(SYS_ioctl, fd, PERF_EVENT_IOC_ENABLE, 0, 0, 0);
    asm volatile("1: addi %0, %0, -1; bnez %0, 1b" : "+r"(loops));
    call(SYS_ioctl, fd, PERF_EVENT_IOC_DISABLE, 0, 0, 0);
    call(SYS_read, fd, (long)&counted, sizeof counted, 0, 0);
    return counted;
}

static void print(const char *name, long value)
{
    char text[32], *p = text + sizeof text;
    long n = 0;
    while (name[n])
        n++;
    call(SYS_write, 1, (long)name, n, 0, 0);
    *--p = '\n';
    for (unsigned long left = value < 0 ? -(unsigned long)value : (unsigned long)value;
         left || p[0] == '\n'; left /= 10)
        *--p = (char)('0' + left % 10);
    if (value < 0)
        *--p = '-';
    call(SYS_write, 1, (long)p, text + sizeof text - p, 0, 0);
}

void _start(void)
{
    print("instructions=", count(PERF_COUNT_HW_INSTRUCTIONS, 0));
    print("sampled=", count(PERF_COUNT_HW_CPU_CYCLES, 100000));
    call(SYS_exit, 0, 0, 0, 0, 0);
}
