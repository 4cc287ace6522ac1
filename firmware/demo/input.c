/* virtio's keyboard and tablet over MMIO (virtio 1.2, sections 4.2 and 5.8), in both versions of
 * the registers. No interrupts: the used ring is looked at once a frame. */
#include "firmware/demo/input.h"
#include "firmware/demo/sbi.h"

#define MAGIC        0x74726976u
#define DEVICE_INPUT 18u
#define QUEUE_EVENTS 16u
#define PAGE         4096u

#define DRIVER_OK_LEGACY 7u  /* acknowledge, driver, driver ok */
#define FEATURES_OK      11u /* acknowledge, driver, features ok */
#define DRIVER_OK        15u

#define DESCRIPTOR_WRITE 2u

enum event_type { KEY = 1, REL = 2, ABS = 3 };
#define KEY_POWER 116u
#define BTN_LEFT  0x110u

struct event {
    uint16_t type, code;
    uint32_t value;
};

/* The queue of one device, as version 1 wants it: the used ring on a page of its own. */
struct queue {
    struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } descriptors[QUEUE_EVENTS];
    uint16_t available_flags;
    volatile uint16_t available_index;
    uint16_t available[QUEUE_EVENTS];
    uint16_t used_flags __attribute__((aligned(PAGE)));
    volatile uint16_t used_index;
    struct {
        uint32_t id, length;
    } used[QUEUE_EVENTS];
    struct event events[QUEUE_EVENTS];
    uint16_t seen;
};

static struct {
    uint64_t slot;
    struct queue *queue;
} devices[SLOTS_MAX];
static unsigned device_count;

static volatile uint32_t *reg(uint64_t slot, unsigned offset)
{
    return (volatile uint32_t *)(slot + offset);
}

static void set_address(uint64_t slot, unsigned offset, const volatile void *address)
{
    *reg(slot, offset) = (uint32_t)(uint64_t)address;
    *reg(slot, offset + 4) = (uint32_t)((uint64_t)address >> 32);
}

static void start_legacy(uint64_t slot, struct queue *q)
{
    *reg(slot, 0x70) = 3;
    *reg(slot, 0x20) = 0; /* no features */
    *reg(slot, 0x28) = PAGE;
    *reg(slot, 0x30) = 0;
    *reg(slot, 0x38) = QUEUE_EVENTS;
    *reg(slot, 0x3c) = PAGE;
    *reg(slot, 0x40) = (uint32_t)((uint64_t)q / PAGE);
    *reg(slot, 0x70) = DRIVER_OK_LEGACY;
}

static void start_modern(uint64_t slot, struct queue *q)
{
    *reg(slot, 0x70) = 3;
    *reg(slot, 0x24) = 1;
    *reg(slot, 0x20) = 1; /* VIRTIO_F_VERSION_1 */
    *reg(slot, 0x70) = FEATURES_OK;
    *reg(slot, 0x30) = 0;
    *reg(slot, 0x38) = QUEUE_EVENTS;
    set_address(slot, 0x80, q->descriptors);
    set_address(slot, 0x90, &q->available_flags);
    set_address(slot, 0xa0, &q->used_flags);
    *reg(slot, 0x44) = 1;
    *reg(slot, 0x70) = DRIVER_OK;
}

static void open_device(uint64_t slot)
{
    struct queue *q = memory_take(sizeof *q);
    if (!q)
        return;
    for (unsigned i = 0; i < QUEUE_EVENTS; i++) {
        q->descriptors[i].address = (uint64_t)&q->events[i];
        q->descriptors[i].length = sizeof q->events[i];
        q->descriptors[i].flags = DESCRIPTOR_WRITE;
        q->available[i] = (uint16_t)i;
    }
    *reg(slot, 0x70) = 0;
    if (*reg(slot, 4) == 1)
        start_legacy(slot, q);
    else
        start_modern(slot, q);
    q->available_index = QUEUE_EVENTS;
    __asm__ volatile("fence" : : : "memory");
    *reg(slot, 0x50) = 0;
    devices[device_count].slot = slot;
    devices[device_count++].queue = q;
}

void input_open(const struct board *b)
{
    for (unsigned i = 0; i < b->slot_count; i++)
        if (*reg(b->slots[i], 0) == MAGIC && *reg(b->slots[i], 8) == DEVICE_INPUT)
            open_device(b->slots[i]);
}

/* Letters by their place on the keyboard, as evdev counts. */
static char letter(unsigned code)
{
    static const char letters[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./"
                                  "\0*\0 ";
    return code < sizeof letters ? letters[code] : 0;
}

static void take_key(struct input *in, const struct event *e)
{
    if (e->code == KEY_POWER)
        in->power |= e->value == 1;
    else if (e->code == BTN_LEFT)
        in->pressed |= e->value == 1;
    else if (e->value == 1 && letter(e->code) && in->key_count < sizeof in->keys)
        in->keys[in->key_count++] = letter(e->code);
}

static void take_event(struct input *in, const struct event *e)
{
    if (e->type == KEY)
        take_key(in, e);
    else if (e->type == ABS && e->code <= 1) {
        *(e->code ? &in->y : &in->x) = e->value < PLACE_MAX ? e->value : PLACE_MAX - 1;
        in->pointer_moved = true;
    }
}

static void take_from(struct input *in, uint64_t slot, struct queue *q)
{
    if (q->seen == q->used_index)
        return;
    __asm__ volatile("fence" : : : "memory");
    while (q->seen != q->used_index) {
        uint32_t id = q->used[q->seen++ % QUEUE_EVENTS].id % QUEUE_EVENTS;
        take_event(in, &q->events[id]);
        q->available[q->available_index % QUEUE_EVENTS] = (uint16_t)id;
        __asm__ volatile("fence" : : : "memory");
        q->available_index++;
    }
    *reg(slot, 0x64) = *reg(slot, 0x60);
    *reg(slot, 0x50) = 0;
}

void input_take(struct input *in)
{
    static char bytes[64];
    for (unsigned i = 0; i < device_count; i++)
        take_from(in, devices[i].slot, devices[i].queue);
    for (size_t n; (n = sbi_console_read(bytes, sizeof bytes)) > 0 && n <= sizeof bytes;)
        for (size_t i = 0; i < n; i++)
            console_take(in, bytes[i]);
}
