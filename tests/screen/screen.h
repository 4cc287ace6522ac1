/* A bare-metal guest of the tests and the bench: it draws on a display as it is told on its console
 * (main.c has the commands), and tells what keyboard, tablet and mouse say. It starts in M-mode
 * (-bios none); virtio devices are at MMIO, of version 2. */
#ifndef RIVULET_TESTS_SCREEN_H
#define RIVULET_TESTS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIDE_MAX    2048u
#define CURSOR_SIDE 64u

/* Pixels are 0x00RRGGBB, of a cursor 0xAARRGGBB. */
struct display {
    uint32_t *pixels;
    uint32_t width, height;
    /* Takes over another size; false: it cannot be. */
    bool (*set_size)(struct display *d, uint32_t width, uint32_t height);
    /* All pixels are new. */
    void (*flush)(struct display *d);
};

/* --- registers --- */

static inline uint32_t get(uint64_t address)
{
    return *(volatile uint32_t *)address;
}

static inline void set(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

static inline void barrier(void)
{
    __asm__ volatile("fence" : : : "memory");
}

/* --- main.c --- */

extern uint32_t frame_memory[SIDE_MAX * SIDE_MAX];
void put(const char *text);
void put_number(int64_t n);
/* Ends the guest, and the emulator with a status that is not 0. */
_Noreturn void give_up(const char *why);

/* --- virtio.c: a queue, of which one chain at a time is waited for, or whose buffers are filled --
 */

#define QUEUE_SIZE   32u
#define DEVICE_GPU   16u
#define DEVICE_INPUT 18u

struct queue {
    struct {
        uint64_t address;
        uint32_t bytes;
        uint16_t flags, next;
    } descriptors[QUEUE_SIZE];
    uint16_t available_flags, available_index, available[QUEUE_SIZE];
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, bytes;
        } ring[QUEUE_SIZE];
    } used __attribute__((aligned(8)));
    uint64_t slot;
    uint32_t number;
    uint16_t seen;
};

/* The nth device of this kind; 0: there is none. */
uint64_t virtio_find(uint32_t kind, unsigned n);
void virtio_begin(uint64_t slot);
void virtio_add_queue(volatile struct queue *q, uint64_t slot, uint32_t number);
void virtio_go(uint64_t slot);
/* Hands the device a buffer of its own to write to. */
void virtio_offer(volatile struct queue *q, uint16_t descriptor, void *buffer, uint32_t bytes);
/* The next descriptor that the device has done with, or -1. */
int virtio_take(volatile struct queue *q);
/* Sends a request and waits for its answer. */
void virtio_ask(volatile struct queue *q, const void *request, uint32_t request_bytes, void *answer,
                uint32_t answer_bytes);

/* --- displays: NULL: it is not there --- */

struct display *gpu_open(void);
struct display *bochs_open(void);
struct display *ramfb_open(void);

/* gpu.c: the size that the user would like, if it has become another one. */
bool gpu_wish(uint32_t *width, uint32_t *height);
/* The cursor, a square of this colour, with its hot spot at x, y; an invisible one for 0. */
void gpu_cursor(uint32_t colour, uint32_t x, uint32_t y);

#endif
