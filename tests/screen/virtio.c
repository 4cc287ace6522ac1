/* virtio over MMIO (virtio 1.2, 4.2.2 and 2.7), as little of it as the guest needs. */
#include "tests/screen/screen.h"

#define MMIO  0x10001000ul
#define SLOTS 8u
#define MAGIC 0x74726976u

#define DESCRIPTOR_NEXT  1u
#define DESCRIPTOR_WRITE 2u

enum { ACKNOWLEDGED = 3, FEATURES_OK = 11, DRIVER_OK = 15 };

uint64_t virtio_find(uint32_t kind, unsigned n)
{
    for (uint64_t slot = MMIO; slot < MMIO + 0x1000 * SLOTS; slot += 0x1000)
        if (get(slot) == MAGIC && get(slot + 8) == kind && n-- == 0)
            return slot;
    return 0;
}

void virtio_begin(uint64_t slot)
{
    if (get(slot + 4) != 2)
        give_up("virtio of version 1: -global virtio-mmio.force-legacy=false");
    set(slot + 0x70, 0);
    set(slot + 0x70, ACKNOWLEDGED);
    set(slot + 0x24, 0);
    set(slot + 0x20, 0);
    set(slot + 0x24, 1);
    set(slot + 0x20, 1); /* VIRTIO_F_VERSION_1 */
    set(slot + 0x70, FEATURES_OK);
}

static void set_place(uint64_t slot, unsigned offset, const volatile void *place)
{
    set(slot + offset, (uint32_t)(uint64_t)place);
    set(slot + offset + 4, (uint32_t)((uint64_t)place >> 32));
}

void virtio_add_queue(volatile struct queue *q, uint64_t slot, uint32_t number)
{
    q->slot = slot;
    q->number = number;
    set(slot + 0x30, number);
    set(slot + 0x38, QUEUE_SIZE);
    set_place(slot, 0x80, q->descriptors);
    set_place(slot, 0x90, &q->available_flags);
    set_place(slot, 0xa0, &q->used);
    set(slot + 0x44, 1);
}

void virtio_go(uint64_t slot)
{
    set(slot + 0x70, DRIVER_OK);
}

static void describe(volatile struct queue *q, uint16_t i, const void *at, uint32_t bytes,
                     uint16_t flags)
{
    q->descriptors[i].address = (uint64_t)at;
    q->descriptors[i].bytes = bytes;
    q->descriptors[i].flags = flags;
    q->descriptors[i].next = (uint16_t)(i + 1);
}

static void submit(volatile struct queue *q, uint16_t first)
{
    q->available[q->available_index % QUEUE_SIZE] = first;
    barrier();
    q->available_index++;
    barrier();
    set(q->slot + 0x50, q->number);
}

void virtio_offer(volatile struct queue *q, uint16_t descriptor, void *buffer, uint32_t bytes)
{
    describe(q, descriptor, buffer, bytes, DESCRIPTOR_WRITE);
    submit(q, descriptor);
}

int virtio_take(volatile struct queue *q)
{
    if (q->seen == q->used.index)
        return -1;
    barrier();
    return (int)(q->used.ring[q->seen++ % QUEUE_SIZE].id % QUEUE_SIZE);
}

void virtio_ask(volatile struct queue *q, const void *request, uint32_t request_bytes, void *answer,
                uint32_t answer_bytes)
{
    describe(q, 0, request, request_bytes, DESCRIPTOR_NEXT);
    describe(q, 1, answer, answer_bytes, DESCRIPTOR_WRITE);
    submit(q, 0);
    while (virtio_take(q) < 0)
        ;
}
