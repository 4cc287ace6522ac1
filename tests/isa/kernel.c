/* HARTS 8: what a small kernel in M-mode does on all of them at once: each has timer interrupts of
 * its own, sends interrupts to the next, and takes its part of the UART's, for which all compete at
 * the PLIC. */
#include "tests/isa/lib/board.h"

#define HARTS    8
#define TICKS    50
#define INTERVAL 2000 /* of mtime: 200 us */
#define BYTES    200

enum { SOFTWARE = 3, TIMER = 7, EXTERNAL = 11 };

static struct hart_counts {
    volatile unsigned ticks, early, pings, pinged, claims, lost, unknown;
    volatile uint64_t worked;
} counts[HARTS];
static volatile unsigned sent, inside, overlaps, running;
static volatile bool over;

static void on_timer(uint64_t id)
{
    struct hart_counts *c = &counts[id];
    if (MTIME < MTIMECMP(id))
        c->early++;
    MTIMECMP(id) = MTIME + INTERVAL;
    c->ticks++;
    c->pings++;
    MSIP((id + 1) % HARTS) = 1;
}

/* A source is in service at one hart; those who come too late claim nothing. */
static void on_external(uint64_t id)
{
    uint32_t source = CLAIM(2 * id);
    if (!source) {
        counts[id].lost++;
        return;
    }
    if (__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST))
        overlaps++;
    counts[id].claims++;
    if (UART_LSR & UART_LSR_THRE && sent < BYTES) {
        sent++;
        UART_THR = sent % 50 ? '.' : '\n';
    }
    __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    CLAIM(2 * id) = source;
}

static HANDLER void on_interrupt(void)
{
    uint64_t id = csr_read(mhartid), cause = csr_read(mcause);
    if (cause == INTERRUPT(TIMER)) {
        on_timer(id);
    } else if (cause == INTERRUPT(SOFTWARE)) {
        MSIP(id) = 0;
        asm volatile("fence" : : : "memory");
        counts[id].pinged++;
    } else if (cause == INTERRUPT(EXTERNAL)) {
        on_external(id);
    } else {
        counts[id].unknown++;
        over = true;
    }
}

static void begin(uint64_t id)
{
    THRESHOLD(2 * id) = 0;
    ENABLE(2 * id) = 1 << UART_IRQ;
    MTIMECMP(id) = MTIME + INTERVAL;
    csr_write(mtvec, on_interrupt);
    csr_write(mie, 1 << SOFTWARE | 1 << TIMER | 1 << EXTERNAL);
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    csr_set(mstatus, MSTATUS_MIE);
}

static void end(uint64_t id)
{
    csr_clear(mstatus, MSTATUS_MIE);
    csr_write(mie, 0);
    MTIMECMP(id) = ~0ull;
    csr_write(mtvec, trap_entry);
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
}

/* Harts of odd numbers sleep between interrupts, the others work. */
void secondary(uint64_t id)
{
    begin(id);
    while (!over) {
        counts[id].worked++;
        if (id & 1)
            asm volatile("wfi");
    }
    end(id);
    for (;;)
        asm volatile("wfi");
}

static bool all_have_ticks(void)
{
    for (unsigned i = 0; i < HARTS; i++)
        if (counts[i].ticks < TICKS)
            return false;
    return true;
}

/* Hart 0's part: it ends the test when there is enough of everything, or after ten seconds. */
static void supervise(void)
{
    uint64_t limit = MTIME + 100000000;
    while (running < HARTS && MTIME < limit)
        ;
    UART_IER = 2;
    while ((sent < BYTES || !all_have_ticks()) && !over && MTIME < limit)
        counts[0].worked++;
    over = true;
    for (unsigned i = 1; i < HARTS; i++)
        MSIP(i) = 1; /* who sleeps wakes up */
}

int main(void)
{
    unsigned claims = 0;
    PRIORITY(UART_IRQ) = 1;
    begin(0);
    supervise();
    end(0);
    UART_IER = 0;
    while (running)
        ;
    for (unsigned i = 0; i < HARTS; i++) {
        struct hart_counts *c = &counts[i];
        claims += c->claims;
        check("every hart had its ticks", c->ticks >= TICKS);
        check_eq("none of them early", c->early, 0);
        check("it was pinged, no more often than the hart before it and the end sent",
              c->pinged && c->pinged <= counts[(i + HARTS - 1) % HARTS].pings + 1);
        check("it got on", c->worked > 1);
        check_eq("it saw no other trap", c->unknown, 0);
    }
    check_eq("all bytes were sent", sent, BYTES);
    check("each by an interrupt that one hart claimed", claims >= BYTES);
    check_eq("never two at the same time", overlaps, 0);
    return 0;
}
