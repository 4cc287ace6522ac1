/* HARTS 4: counters by amoadd and by lr/sc, a spinlock, interrupts between harts. */
#include "tests/isa/lib/rt.h"

#define HARTS  4
#define ROUNDS 2000

static struct {
    uint64_t by_amo, by_lrsc, by_amo_w, locked;
    volatile uint32_t lock, arrived, phase;
    volatile uint32_t pings[HARTS];
} shared;

static void add_lrsc(uint64_t *p)
{
    uint64_t v, fail;
    asm volatile("1: lr.d %0, (%2); addi %0, %0, 1; sc.d %1, %0, (%2); bnez %1, 1b"
                 : "=&r"(v), "=&r"(fail)
                 : "r"(p)
                 : "memory");
}

static void spin_lock(void)
{
    while (__atomic_exchange_n(&shared.lock, 1, __ATOMIC_ACQUIRE))
        ;
}

static void spin_unlock(void)
{
    __atomic_store_n(&shared.lock, 0, __ATOMIC_RELEASE);
}

static void count(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&shared.by_amo, 1, __ATOMIC_RELAXED);
        asm volatile("amoadd.w zero, %1, (%0)" : : "r"(&shared.by_amo_w), "r"(-3) : "memory");
        add_lrsc(&shared.by_lrsc);
        spin_lock();
        uint64_t v = shared.locked;
        asm volatile("" : "+r"(v));
        shared.locked = v + 1;
        spin_unlock();
    }
}

/* Until all harts are here. */
static void barrier(unsigned phase)
{
    if (__atomic_add_fetch(&shared.arrived, 1, __ATOMIC_SEQ_CST) == HARTS) {
        shared.arrived = 0;
        __atomic_store_n(&shared.phase, phase, __ATOMIC_SEQ_CST);
    }
    while (__atomic_load_n(&shared.phase, __ATOMIC_SEQ_CST) != phase)
        asm volatile(".word 0x0100000f" : : : "memory"); /* pause */
}

/* Each hart sleeps until its neighbour wakes it, then wakes the next. */
static void ring(uint64_t id)
{
    for (unsigned round = 1; round <= 10; round++) {
        if (id != 0 || round > 1) {
            while (!(csr_read(mip) & 8))
                asm volatile("wfi");
            MSIP(id) = 0;
            asm volatile("fence" : : : "memory");
        }
        shared.pings[id]++;
        asm volatile("fence" : : : "memory");
        if (id != HARTS - 1 || round < 10)
            MSIP((id + 1) % HARTS) = 1;
    }
}

static void work(uint64_t id)
{
    csr_write(mie, 8);
    barrier(1);
    count();
    barrier(2);
    ring(id);
    barrier(3);
}

void secondary(uint64_t id)
{
    work(id);
    for (;;)
        asm volatile("wfi");
}

int main(void)
{
    work(0);
    check_eq("amoadd.d by four harts", shared.by_amo, HARTS * ROUNDS);
    check_eq("amoadd.w by four harts", shared.by_amo_w, (uint32_t)(-3 * HARTS * ROUNDS));
    check_eq("lr.d and sc.d by four harts", shared.by_lrsc, HARTS * ROUNDS);
    check_eq("a spinlock's counter", shared.locked, HARTS * ROUNDS);
    for (unsigned i = 0; i < HARTS; i++)
        check_eq("each hart was woken by its neighbour ten times", shared.pings[i], 10);
    return 0;
}
