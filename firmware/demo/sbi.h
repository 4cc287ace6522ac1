/* Calls of the SBI that the demo makes, and the counters it reads. */
#ifndef RIVULET_FIRMWARE_DEMO_SBI_H
#define RIVULET_FIRMWARE_DEMO_SBI_H

#include <stddef.h>
#include <stdint.h>

struct sbi_result {
    long error;
    uint64_t value;
};

static inline struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0,
                                         uint64_t arg1, uint64_t arg2)
{
    register uint64_t a0 __asm__("a0") = arg0;
    register uint64_t a1 __asm__("a1") = arg1;
    register uint64_t a2 __asm__("a2") = arg2;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(long)a0, a1};
}

static inline uint64_t sbi_version(void)
{
    return sbi_call(0x10, 0, 0, 0, 0).value;
}

static inline void sbi_set_timer(uint64_t time)
{
    sbi_call(0x54494d45, 0, time, 0, 0);
}

static inline void sbi_send_ipi(uint64_t mask)
{
    sbi_call(0x735049, 0, mask, 0, 0);
}

static inline long sbi_start_hart(uint64_t hart, uint64_t address, uint64_t argument)
{
    return sbi_call(0x48534d, 0, hart, address, argument).error;
}

static inline void sbi_shut_down(void)
{
    sbi_call(0x53525354, 0, 0, 0, 0);
}

static inline size_t sbi_console_write(const void *bytes, size_t n)
{
    return sbi_call(0x4442434e, 0, n, (uint64_t)bytes, 0).value;
}

static inline size_t sbi_console_read(void *bytes, size_t n)
{
    struct sbi_result r = sbi_call(0x4442434e, 1, n, (uint64_t)bytes, 0);
    return r.error ? 0 : r.value;
}

static inline uint64_t time_now(void)
{
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

#define SIE_SOFTWARE 0x002u
#define SIE_TIMER    0x020u

/* Returns when an interrupt of sie is pending, or sooner. */
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("wfi" : : : "memory");
}

static inline void clear_software_interrupt(void)
{
    __asm__ volatile("csrc sip, %0" : : "r"(SIE_SOFTWARE) : "memory");
}

static inline void enable_interrupts(uint64_t mask)
{
    __asm__ volatile("csrs sie, %0" : : "r"(mask));
}

#endif
