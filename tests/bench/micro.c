/* Micro-benchmarks: picoseconds of single operations in supervisor mode, under the SBI of each
 * emulator (Rivulet's own; OpenSBI in QEMU). Each loop repeats its operation 8 times; the loop
 * around is in the figure.
 *
 * Paging is on: Sv39 with the identity in superpages of 1 GiB, and a window of 512 pages of 4 KiB.
 */
#include <stdint.h>

#define MTIME_PS      100000ull /* of 10 MHz */
#define LEAST_TICKS   400000u   /* 40 ms: as long as each is measured */
#define PTE_LEAF      0xcfull   /* V R W X A D */
#define PTE_USER      0x10ull
#define SBI_TIME      0x54494d45
#define SBI_SRST      0x53525354
#define UART_LSR      (*(volatile uint8_t *)0x10000005)
#define PLIC_PRIORITY (*(volatile uint32_t *)0xc000004)
#define PAGE_BYTES    4096u
#define WINDOW        0x3fc0000000ull /* entry 255 of the root: pages of 4 KiB */
#define USER_PAGE     511u            /* page of the window where user_code lies */

extern char user_code[], modified[], micro_trap[];
void user_run(uint64_t count, uint64_t pc);

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t leaves[512] __attribute__((aligned(4096)));
static uint64_t target[512] __attribute__((aligned(4096)));

#define EIGHT(statement)                                                                           \
    do {                                                                                           \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
        statement;                                                                                 \
    } while (0)

static uint64_t sbi_call(uint64_t extension, uint64_t function, uint64_t argument)
{
    register uint64_t a0 __asm__("a0") = argument;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
    return a1;
}

static uint64_t now(void)
{
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}

static void put(const char *text)
{
    for (; *text; text++)
        sbi_call(1, 0, (uint8_t)*text); /* legacy console: all SBIs have it */
}

static void put_number(uint64_t n)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    put(at);
}

/* --- the operations: each does 8 -------------------------------------------------------------- */

static void nothing(void)
{
    EIGHT(__asm__ volatile("nop"));
}

static void amo_add(void)
{
    EIGHT(__asm__ volatile("amoadd.d zero, %0, (%0)" ::"r"(target) : "memory"));
}

static void lr_sc(void)
{
    EIGHT(__asm__ volatile("lr.d t0, (%0); sc.d t1, t0, (%0)" ::"r"(target)
                           : "t0", "t1", "memory"));
}

static void csr_time(void)
{
    EIGHT(__asm__ volatile("rdtime t0" ::: "t0"));
}

static void csr_instret(void)
{
    EIGHT(__asm__ volatile("rdinstret t0" ::: "t0"));
}

static void csr_fflags_read(void)
{
    EIGHT(__asm__ volatile("csrr t0, fflags" ::: "t0"));
}

static void csr_fflags_write(void)
{
    EIGHT(__asm__ volatile("csrw fflags, zero"));
}

static void csr_sscratch(void)
{
    EIGHT(__asm__ volatile("csrw sscratch, t0"));
}

static void sum_bit(void)
{
    const uint64_t sum = 1 << 18;
    EIGHT(__asm__ volatile("csrs sstatus, %0; csrc sstatus, %0" ::"r"(sum)));
}

static void trap_ebreak(void)
{
    EIGHT(__asm__ volatile(".option push; .option norvc; ebreak; .option pop" ::: "memory"));
}

static void trap_page_fault(void)
{
    EIGHT(__asm__ volatile(
        ".option push; .option norvc; ld t0, 0(%0); .option pop" ::"r"(WINDOW - PAGE_BYTES)
        : "t0"));
}

static void ecall_user(void)
{
    user_run(8, WINDOW + USER_PAGE * PAGE_BYTES);
}

static void sbi_base(void)
{
    EIGHT(sbi_call(0x10, 0, 0));
}

static void sbi_set_timer(void)
{
    EIGHT(sbi_call(SBI_TIME, 0, ~0ull));
}

static void mmio_uart(void)
{
    EIGHT((void)UART_LSR);
}

static void mmio_plic(void)
{
    EIGHT((void)PLIC_PRIORITY);
}

/* Programs the timer for at once, and waits until its interrupt is pending; it is not taken. */
static void wfi_timer(void)
{
    EIGHT({
        sbi_call(SBI_TIME, 0, now());
        __asm__ volatile("wfi");
    });
}

static void fence_all(void)
{
    EIGHT(__asm__ volatile("sfence.vma" ::: "memory"));
}

static void fence_address(void)
{
    EIGHT(__asm__ volatile("sfence.vma %0, zero" ::"r"(WINDOW) : "memory"));
}

static void fence_address_asid(void)
{
    EIGHT(__asm__ volatile("sfence.vma %0, %1" ::"r"(WINDOW), "r"(1) : "memory"));
}

/* An address inside a superpage that is in use. */
static void fence_superpage(void)
{
    EIGHT(__asm__ volatile("sfence.vma %0, zero" ::"r"(target) : "memory"));
}

static void fence_asid(void)
{
    EIGHT(__asm__ volatile("sfence.vma zero, %0" ::"r"(1) : "memory"));
}

static void satp_switch(void)
{
    uint64_t satp;
    __asm__ volatile("csrr %0, satp" : "=r"(satp));
    const uint64_t other = satp ^ 3ull << 44;
    for (int i = 0; i < 4; i++)
        __asm__ volatile("csrw satp, %0; csrw satp, %1" ::"r"(other), "r"(satp) : "memory");
}

static void fence_i(void)
{
    EIGHT(__asm__ volatile("fence.i" ::: "memory"));
}

/* Writes an instruction and calls it. */
static void modify(void)
{
    volatile uint32_t *at = (volatile uint32_t *)(void *)modified;
    uint64_t (*call)(uint64_t) = (uint64_t(*)(uint64_t))(void *)modified;
    for (uint32_t i = 0; i < 8; i++) {
        *at = 0x00050513 | i << 20; /* addi a0, a0, i */
        __asm__ volatile("fence.i" ::: "memory");
        if (call(1) != i + 1)
            put("micro: wrong code ran\n");
    }
}

/* Loads from 511 pages: with more than the first-level TLB holds, each is a miss there. */
static void tlb_refill(void)
{
    static unsigned page;
    EIGHT({
        page = (page + 1) % USER_PAGE;
        (void)*(volatile uint64_t *)(WINDOW + (uint64_t)page * PAGE_BYTES);
    });
}

/* The same with all forgotten before, so that each is a walk. */
static void tlb_walk(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
    for (uint64_t page = 0; page < 8; page++)
        (void)*(volatile uint64_t *)(WINDOW + page * PAGE_BYTES);
}

static const struct operation {
    const char *name;
    void (*eight)(void);
} operations[] = {
    {"nop", nothing},
    {"amoadd", amo_add},
    {"lr+sc", lr_sc},
    {"csr-time", csr_time},
    {"csr-instret", csr_instret},
    {"csr-fflags-read", csr_fflags_read},
    {"csr-fflags-write", csr_fflags_write},
    {"csr-sscratch", csr_sscratch},
    {"csr-sum-on+off", sum_bit},
    {"trap-ebreak", trap_ebreak},
    {"trap-page-fault", trap_page_fault},
    {"ecall-from-user", ecall_user},
    {"sbi-base", sbi_base},
    {"sbi-set-timer", sbi_set_timer},
    {"mmio-uart", mmio_uart},
    {"mmio-plic", mmio_plic},
    {"wfi+timer", wfi_timer},
    {"fence-vma-all", fence_all},
    {"fence-vma-address", fence_address},
    {"fence-vma-addr-asid", fence_address_asid},
    {"fence-vma-superpage", fence_superpage},
    {"fence-vma-asid", fence_asid},
    {"satp-switch", satp_switch},
    {"tlb-refill", tlb_refill},
    {"fence+walk", tlb_walk},
    {"fence-i", fence_i},
    {"modified-code", modify},
};

static void measure(const struct operation *op)
{
    uint64_t rounds = 0, batch = 1, start = now(), ticks;
    do {
        for (uint64_t i = 0; i < batch; i++)
            op->eight();
        rounds += batch;
        batch += batch / 2 + 1;
        ticks = now() - start;
    } while (ticks < LEAST_TICKS);
    put("micro: ");
    put(op->name);
    put(" ");
    put_number(ticks * MTIME_PS / (rounds * 8));
    put(" ps\n");
}

static uint64_t table(const uint64_t *page)
{
    return (uint64_t)(uintptr_t)page >> 2 | 1;
}

static void paging_on(void)
{
    for (uint64_t i = 0; i < 4; i++)
        root[i] = i << 28 | PTE_LEAF;
    for (uint64_t i = 0; i < 512; i++)
        leaves[i] = ((uint64_t)(uintptr_t)target >> 12) << 10 | PTE_LEAF;
    leaves[USER_PAGE] = ((uint64_t)(uintptr_t)user_code >> 12) << 10 | PTE_LEAF | PTE_USER;
    root[255] = table(middle);
    middle[0] = table(leaves);
    __asm__ volatile("sfence.vma; csrw satp, %0; sfence.vma" ::"r"(8ull << 60 | 1ull << 44 |
                                                                   (uint64_t)(uintptr_t)root >> 12)
                     : "memory");
}

void micro_main(void)
{
    __asm__ volatile("csrw stvec, %0; csrw sie, %1" ::"r"(micro_trap), "r"(1 << 5)); /* STIE */
    __asm__ volatile("csrs sstatus, %0" ::"r"(1 << 13));                             /* FS */
    paging_on();
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        measure(&operations[i]);
    put("micro: done\n");
    sbi_call(SBI_SRST, 0, 0);
}
