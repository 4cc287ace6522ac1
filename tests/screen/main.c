/* The guest's commands, a line each on the console; numbers are decimal, but colours.
 *
 *   size W H COLOUR     the display has this size and colour; its right half has the colour's
 *                       complement. Answer: `size W H`
 *   cursor COLOUR X Y   a square cursor with this hot spot; COLOUR 0: none. Answer: `cursor`
 *   follow              from now on it takes the size that the user would like: `wish W H`, `size W
 * H` frames N            draws all of the display N times. Answer: `frames N` end powers off
 *
 * What devices tell: `key CODE VALUE`, `rel AXIS VALUE`, `abs AXIS VALUE` (evdev's numbers). */
#include "tests/screen/screen.h"

#define UART         0x10000000ul
#define FINISHER     0x00100000ul
#define MTIME        0x0200bff8ul
#define MTIMECMP     0x02004000ul
#define TICKS_A_LOOK 5000u /* half a millisecond */

#define INPUTS_MAX 3u
#define LINE_BYTES 80u

enum { EVENT_SYN, EVENT_KEY, EVENT_REL, EVENT_ABS, EVENT_KINDS };

struct event {
    uint16_t type, code;
    uint32_t value;
};

static struct input {
    volatile struct queue queue;
    struct event events[QUEUE_SIZE];
} inputs[INPUTS_MAX];
static unsigned input_count;

uint32_t frame_memory[SIDE_MAX * SIDE_MAX] __attribute__((aligned(4096)));
static struct display *display;
static bool follows;
static uint32_t colour;

__asm__(".section .text.start, \"ax\"\n"
        ".globl _start\n"
        "_start: csrr t0, mhartid\n"
        "1: bnez t0, 1b\n"
        "la sp, stack_end\n"
        "li t0, 0x80\n"
        "csrw mie, t0\n" /* the timer wakes, and traps nowhere */
        "tail guest_main\n"
        ".section .bss\n"
        ".balign 16\n"
        ".space 65536\n"
        "stack_end:\n"
        ".text\n");

/* The compiler calls it. */
void *memset(void *to, int byte, size_t n);
void *memset(void *to, int byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile uint8_t *)to)[i] = (uint8_t)byte;
    return to;
}

/* --- the console --- */

static void put_char(char c)
{
    *(volatile uint8_t *)UART = (uint8_t)c;
}

void put(const char *text)
{
    while (*text)
        put_char(*text++);
}

void put_number(int64_t n)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    *--at = 0;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (n < 0)
        *--at = '-';
    put(at);
}

static void say(const char *what, int64_t a, int64_t b)
{
    put(what);
    put(" ");
    put_number(a);
    put(" ");
    put_number(b);
    put("\n");
}

static _Noreturn void power_off(uint32_t how)
{
    set(FINISHER, how);
    for (;;)
        ;
}

void give_up(const char *why)
{
    put("FAILED: ");
    put(why);
    put("\n");
    power_off(0x13333);
}

/* --- drawing --- */

static void fill(void)
{
    for (uint32_t y = 0; y < display->height; y++)
        for (uint32_t x = 0; x < display->width; x++)
            display->pixels[y * display->width + x] =
                x < display->width / 2 ? colour : ~colour & 0xffffff;
    display->flush(display);
}

static void show(uint32_t width, uint32_t height)
{
    if (!width || !height || width > SIDE_MAX || height > SIDE_MAX ||
        !display->set_size(display, width, height))
        give_up("the display cannot have this size");
    fill();
    say("size", width, height);
}

/* Each pixel of each frame is another one than before. */
static void draw_frames(int64_t n)
{
    uint64_t *pixels = (uint64_t *)display->pixels;
    const uint64_t pairs = (uint64_t)display->width * display->height / 2;
    for (int64_t frame = 0; frame < n; frame++) {
        uint64_t value = (uint64_t)frame * 0x0001020300010203ul;
        for (uint64_t i = 0; i < pairs; i++, value += 0x0000010100000101ul)
            pixels[i] = value;
        display->flush(display);
    }
    put("frames ");
    put_number(n);
    put("\n");
}

/* --- input --- */

static void open_inputs(void)
{
    for (uint64_t slot; input_count < INPUTS_MAX && (slot = virtio_find(DEVICE_INPUT, input_count));
         input_count++) {
        struct input *in = &inputs[input_count];
        virtio_begin(slot);
        virtio_add_queue(&in->queue, slot, 0);
        virtio_go(slot);
        for (uint16_t i = 0; i < QUEUE_SIZE; i++)
            virtio_offer(&in->queue, i, &in->events[i], sizeof in->events[i]);
    }
}

static void tell_events(struct input *in)
{
    static const char *const names[EVENT_KINDS] = {"", "key", "rel", "abs"};
    for (int i; (i = virtio_take(&in->queue)) >= 0;) {
        struct event e = in->events[i];
        if (e.type != EVENT_SYN && e.type < EVENT_KINDS)
            say(names[e.type], e.code, (int32_t)e.value);
        virtio_offer(&in->queue, (uint16_t)i, &in->events[i], sizeof in->events[i]);
    }
}

/* --- commands --- */

static bool is_word(const char **at, const char *word)
{
    const char *c = *at;
    while (*word && *c == *word)
        c++, word++;
    if (*word || (*c && *c != ' '))
        return false;
    *at = c;
    return true;
}

static uint32_t number(const char **at, unsigned base)
{
    uint32_t n = 0;
    while (**at == ' ')
        ++*at;
    for (; **at && **at != ' '; ++*at)
        n = n * base + (uint32_t)(**at <= '9' ? **at - '0' : (**at | 0x20) - 'a' + 10);
    return n;
}

static void obey(const char *line)
{
    if (is_word(&line, "size")) {
        uint32_t width = number(&line, 10), height = number(&line, 10);
        colour = number(&line, 16);
        show(width, height);
    } else if (is_word(&line, "cursor")) {
        uint32_t shade = number(&line, 16), x = number(&line, 10), y = number(&line, 10);
        gpu_cursor(shade, x, y);
        put("cursor\n");
    } else if (is_word(&line, "frames"))
        draw_frames(number(&line, 10));
    else if (is_word(&line, "follow"))
        follows = true;
    else if (is_word(&line, "end"))
        power_off(0x5555);
    else
        give_up(line);
}

static void look_at_console(void)
{
    static char line[LINE_BYTES];
    static unsigned used;
    while (*(volatile uint8_t *)(UART + 5) & 1) {
        char c = (char)*(volatile uint8_t *)UART;
        if (c != '\n' && c != '\r') {
            line[used] = c;
            used += used + 1 < sizeof line;
            continue;
        }
        line[used] = 0;
        if (used)
            obey(line);
        used = 0;
    }
}

void guest_main(void);

void guest_main(void)
{
    uint32_t width, height;
    display = gpu_open();
    display = display ? display : bochs_open();
    display = display ? display : ramfb_open();
    if (!display)
        give_up("no display");
    open_inputs();
    for (put("ready\n");;) {
        look_at_console();
        for (unsigned i = 0; i < input_count; i++)
            tell_events(&inputs[i]);
        if (follows && gpu_wish(&width, &height)) {
            say("wish", width, height);
            show(width, height);
        }
        *(volatile uint64_t *)MTIMECMP = *(volatile uint64_t *)MTIME + TICKS_A_LOOK;
        __asm__ volatile("wfi");
    }
}
