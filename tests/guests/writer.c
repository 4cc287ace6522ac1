/* A bare-metal guest that never stops writing to its disk, and says what must survive:
 *
 *   flushed 1234      the writes 1 to 1234 were done, and then a flush
 *
 * A write is RECORD_SECTORS sectors, each filled with its write's number and its own sector number;
 * write n goes to record n * STRIDE of the disk, so that writes in flight together never meet and a
 * reader of the image knows which write a sector must come from (tests/guests/writing.py). Eight
 * writes are in flight, also while a flush is. `q` on the console ends it: a last flush, power-off.
 *
 * The disk is the first virtio-blk found: MMIO of either version, or PCI. Registers: virtio 1.2,
 * sections 4.1.4, 4.2.2 and 4.2.4. */
#include <stdint.h>

#define RECORD_SECTORS 5u
#define STRIDE         7919u /* prime */
#define DEPTH          8u
#define QUEUE_SIZE     64u

#define UART       0x10000000ul
#define FINISHER   0x00100000ul
#define MMIO       0x10001000ul
#define ECAM       0x30000000ul
#define PCI_BAR    0x40000000ul
#define MMIO_ID    0x08u
#define F_FLUSH    (1u << 9)
#define TYPE_OUT   1u
#define TYPE_FLUSH 4u

struct descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

/* As the legacy layout has them: the used ring on the page behind the others. */
static struct {
    struct descriptor descriptors[QUEUE_SIZE];
    uint16_t avail_flags, avail_index, avail[QUEUE_SIZE], unused;
    uint8_t gap[4096 - QUEUE_SIZE * 18 - 6];
    uint16_t used_flags, used_index;
    struct {
        uint32_t id, bytes;
    } used[QUEUE_SIZE];
} __attribute__((aligned(4096))) volatile queue;

/* Place DEPTH is the flush's. */
static struct {
    uint32_t type, reserved;
    uint64_t sector;
    uint64_t data[RECORD_SECTORS][64];
    uint8_t status;
} volatile requests[DEPTH + 1];

static volatile uint32_t *doorbell;
static int doorbell_is_half;
static uint64_t records;

static uint32_t get(uint64_t address)
{
    return *(volatile uint32_t *)address;
}

static void set(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

static void set64(uint64_t address, uint64_t value)
{
    set(address, (uint32_t)value);
    set(address + 4, (uint32_t)(value >> 32));
}

static void put(const char *text)
{
    while (*text)
        *(volatile uint8_t *)UART = (uint8_t)*text++;
}

static void put_number(uint64_t n)
{
    char digits[21], *at = digits + 20;
    *at = 0;
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    put(at);
}

static void end(uint32_t how)
{
    set(FINISHER, how);
    for (;;)
        ;
}

static void check(int holds, const char *what)
{
    if (holds)
        return;
    put("FAILED: ");
    put(what);
    put("\n");
    end(0x13333);
}

/* --- finding the disk -------------------------------------------------------------------- */

static void start_mmio(uint64_t base)
{
    int legacy = get(base + 4) == 1;
    set(base + 0x70, 0);
    set(base + 0x70, 3);
    set(base + 0x24, 0);
    set(base + 0x20, F_FLUSH);
    if (!legacy) {
        set(base + 0x24, 1);
        set(base + 0x20, 1);
        set(base + 0x70, 11);
    }
    set(base + 0x30, 0);
    set(base + 0x38, QUEUE_SIZE);
    if (legacy) {
        set(base + 0x28, 4096);
        set(base + 0x3c, 4096);
        set(base + 0x40, (uint32_t)((uint64_t)&queue >> 12));
    } else {
        set64(base + 0x80, (uint64_t)queue.descriptors);
        set64(base + 0x90, (uint64_t)&queue.avail_flags);
        set64(base + 0xa0, (uint64_t)&queue.used_flags);
        set(base + 0x44, 1);
    }
    set(base + 0x70, legacy ? 7 : 15);
    doorbell = (volatile uint32_t *)(base + 0x50);
    records = get(base + 0x100) / RECORD_SECTORS;
}

/* The place in the BAR of a structure: 1 common, 2 notify, 4 device. */
static uint64_t pci_structure(uint64_t function, unsigned kind)
{
    for (unsigned at = get(function + 0x34) & 0xff; at; at = get(function + at) >> 8 & 0xff)
        if ((get(function + at) & 0xff) == 9 && get(function + at) >> 24 == kind)
            return PCI_BAR + get(function + at + 8);
    check(0, "a capability is missing");
    return 0;
}

static void start_pci(uint64_t function)
{
    set(function + 0x20, (uint32_t)PCI_BAR); /* BAR 4, 64 bits */
    set(function + 0x24, 0);
    set(function + 4, 6);
    uint64_t common = pci_structure(function, 1), notify = pci_structure(function, 2);
    volatile uint8_t *status = (volatile uint8_t *)(common + 20);
    *status = 0;
    *status = 3;
    set(common + 8, 0);
    set(common + 12, F_FLUSH);
    set(common + 8, 1);
    set(common + 12, 1);
    *status = 11;
    *(volatile uint16_t *)(common + 22) = 0;
    *(volatile uint16_t *)(common + 24) = QUEUE_SIZE;
    set64(common + 32, (uint64_t)queue.descriptors);
    set64(common + 40, (uint64_t)&queue.avail_flags);
    set64(common + 48, (uint64_t)&queue.used_flags);
    *(volatile uint16_t *)(common + 28) = 1;
    *status = 15;
    doorbell = (volatile uint32_t *)notify; /* queue 0 lies at its start */
    doorbell_is_half = 1;
    records = get(pci_structure(function, 4)) / RECORD_SECTORS;
}

static void find_disk(void)
{
    for (uint64_t base = MMIO; base < MMIO + 0x8000; base += 0x1000)
        if (get(base + MMIO_ID) == 2) {
            start_mmio(base);
            return;
        }
    for (uint64_t slot = 0; slot < 32; slot++) {
        uint32_t id = get(ECAM + (slot << 15));
        if (id == 0x10011af4 || id == 0x10421af4) {
            start_pci(ECAM + (slot << 15));
            return;
        }
    }
    check(0, "no disk");
}

/* --- requests ---------------------------------------------------------------------------- */

static void submit(unsigned place, uint32_t type, uint64_t sector, uint32_t bytes)
{
    volatile struct descriptor *d = &queue.descriptors[3 * place];
    uint16_t first = (uint16_t)(3 * place);
    requests[place].type = type;
    requests[place].sector = sector;
    requests[place].status = 0xff;
    d[0].address = (uint64_t)&requests[place].type;
    d[0].bytes = 16;
    d[0].flags = 1;
    d[0].next = (uint16_t)(first + (bytes ? 1 : 2));
    d[1].address = (uint64_t)requests[place].data;
    d[1].bytes = bytes;
    d[1].flags = 1;
    d[1].next = (uint16_t)(first + 2);
    d[2].address = (uint64_t)&requests[place].status;
    d[2].bytes = 1;
    d[2].flags = 2;
    queue.avail[queue.avail_index % QUEUE_SIZE] = first;
    __sync_synchronize();
    queue.avail_index++;
    __sync_synchronize();
    if (doorbell_is_half)
        *(volatile uint16_t *)doorbell = 0;
    else
        *doorbell = 0;
}

static void submit_write(unsigned place, uint64_t number)
{
    uint64_t sector = number * STRIDE % records * RECORD_SECTORS;
    for (unsigned s = 0; s < RECORD_SECTORS; s++)
        for (unsigned i = 0; i < 64; i += 2) {
            requests[place].data[s][i] = number;
            requests[place].data[s][i + 1] = sector + s;
        }
    submit(place, TYPE_OUT, sector, RECORD_SECTORS * 512);
}

/* Until all that was submitted is done, without error. */
static void wait_for_all(void)
{
    while (*(volatile uint16_t *)&queue.used_index != queue.avail_index)
        ;
    __sync_synchronize();
}

static int typed_q(void)
{
    volatile uint8_t *uart = (volatile uint8_t *)UART;
    return (uart[5] & 1) && uart[0] == 'q';
}

void run(void)
{
    uint64_t done = 0;
    find_disk();
    put("writing\n");
    for (int ends = 0; !ends;) {
        ends = typed_q();
        for (unsigned i = 0; i < DEPTH && !ends; i++)
            submit_write(i, done + 1 + i);
        submit(DEPTH, TYPE_FLUSH, 0, 0); /* of the writes before these */
        wait_for_all();
        check(requests[DEPTH].status == 0, "a flush");
        put("flushed ");
        put_number(done);
        put("\n");
        for (unsigned i = 0; i < DEPTH && !ends; i++)
            check(requests[i].status == 0, "a write");
        done += ends ? 0 : DEPTH;
    }
    end(0x5555);
}

__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__("csrr t0, mhartid\n"
            "bnez t0, 1f\n"
            "la sp, stack_end\n"
            "j run\n"
            "1: wfi\n"
            "j 1b\n"
            ".pushsection .bss\n"
            ".balign 16\n"
            ".zero 8192\n"
            "stack_end:\n"
            ".popsection");
}
