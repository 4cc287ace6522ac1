/* The demo from its first instruction to power-off: where it draws, what the harts do, and what
 * keys and the pointer do to the water. */
#include "firmware/demo/demo.h"
#include "firmware/demo/input.h"
#include "firmware/demo/library.h"
#include "firmware/demo/sbi.h"
#include "firmware/demo/terminal.h"
#include "firmware/demo/water.h"

#define SCREEN_WIDTH  1024u
#define SCREEN_HEIGHT 768u
#define BAR_HEIGHT    32u /* below the water: words */
#define PAGE          4096u
#define TREE_ROOM     (4ull << 20) /* at the end of RAM; the device tree is there */

#define TERMINAL_RATE   20u
#define COLUMNS_MAX     400u
#define ROWS_MAX        200u
#define MEASURED_FRAMES 300u
#define SIZE_WAIT_MS    300u

#define TEXT_COLOR 0xd8e8ecu
#define DIM_COLOR  0x7f98a4u
#define BAR_COLOR  0x0a1a22u

extern char _end[];
void demo_hart_start(void);
void demo_main(uint64_t hart, const void *tree);
void demo_hart_main(unsigned number);

/* UNSEEN: as for the screen, but as fast as it goes, to measure emulators. */
enum drawing { NOWHERE, ON_SCREEN, IN_TERMINAL, UNSEEN };

static struct demo {
    struct board board;
    uint8_t *free_memory; /* what memory_take gives out next */
    bool is_short;        /* of it */
    enum drawing drawing;
    struct picture screen;
    struct terminal terminal;
    struct water water;
    struct input input;
    /* Work of the harts: number 0 is the first. */
    unsigned harts, first; /* which of the board's the first is */
    unsigned frame;        /* counts up: there is work */
    unsigned strip;        /* the next one to take */
    unsigned at_work;      /* other harts that have not said that there is none left */
    unsigned strips[HARTS_MAX];
    /* What the user has chosen. */
    bool rains, shows_harts, ends;
    bool tells; /* writes on the console what comes in, for tests */
    bool pointer_is_known;
    int last_x, last_y;
    uint64_t chance;
    /* Frames shown since the words were. */
    unsigned frames;
    uint64_t words_time;
} demo;

/* --- memory ------------------------------------------------------------------------------ */

void *memset(void *to, int byte, size_t n)
{
    for (uint8_t *p = to; n--;)
        *p++ = (uint8_t)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *p = to;
    for (const uint8_t *q = from; n--;)
        *p++ = *q++;
    return to;
}

void *memory_take(size_t bytes)
{
    bytes = (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
    const uint64_t end = demo.board.ram_base + demo.board.ram_bytes - TREE_ROOM;
    const uint64_t start = (uint64_t)demo.free_memory;
    demo.is_short = start > end || bytes > end - start;
    if (demo.is_short)
        return NULL;
    uint8_t *taken = demo.free_memory;
    demo.free_memory += bytes;
    for (uint64_t *p = (uint64_t *)taken; p < (uint64_t *)demo.free_memory; p++)
        *p = 0;
    return taken;
}

/* --- harts ------------------------------------------------------------------------------- */

static unsigned take_strips(unsigned number)
{
    const unsigned strips = water_strips(&demo.water), tint = demo.shows_harts ? number + 1 : 0;
    for (unsigned taken = 0;; taken++) {
        unsigned strip = __atomic_fetch_add(&demo.strip, 1, __ATOMIC_ACQ_REL);
        if (strip >= strips)
            return taken;
        water_draw_strip(&demo.water, strip, tint);
    }
}

static void wake(unsigned number)
{
    const unsigned i = number == 0 ? demo.first : number <= demo.first ? number - 1 : number;
    sbi_send_ipi(1ull << demo.board.harts[i]);
}

/* All harts but the first. The interrupt is taken back before the look, so that none is missed. */
void demo_hart_main(unsigned number)
{
    unsigned seen = 0;
    enable_interrupts(SIE_SOFTWARE);
    for (;;) {
        clear_software_interrupt();
        unsigned frame = __atomic_load_n(&demo.frame, __ATOMIC_ACQUIRE);
        if (frame == seen) {
            wait_for_interrupt();
            continue;
        }
        seen = frame;
        demo.strips[number] += take_strips(number);
        if (__atomic_sub_fetch(&demo.at_work, 1, __ATOMIC_ACQ_REL) == 0)
            wake(0);
    }
}

static void start_harts(uint64_t first)
{
    const struct board *b = &demo.board;
    demo.harts = 1;
    for (unsigned i = 0; i < b->hart_count; i++)
        if (b->harts[i] == first)
            demo.first = i;
    for (unsigned i = 0; i < b->hart_count; i++)
        if (b->harts[i] != first &&
            sbi_start_hart(b->harts[i], (uint64_t)demo_hart_start, demo.harts) == 0)
            demo.harts++;
}

static void draw_water(void)
{
    __atomic_store_n(&demo.strip, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&demo.at_work, demo.harts - 1, __ATOMIC_RELAXED);
    __atomic_store_n(&demo.frame, demo.frame + 1, __ATOMIC_RELEASE);
    for (unsigned i = 1; i < demo.harts; i++)
        wake(i);
    demo.strips[0] += take_strips(0);
    for (;;) {
        clear_software_interrupt();
        if (__atomic_load_n(&demo.at_work, __ATOMIC_ACQUIRE) == 0)
            break;
        wait_for_interrupt();
    }
    water_advance(&demo.water);
}

static void sleep_until(uint64_t time)
{
    sbi_set_timer(time);
    while (time_now() < time)
        wait_for_interrupt();
}

/* --- words ------------------------------------------------------------------------------- */

static void greet(void)
{
    const struct board *b = &demo.board;
    const uint64_t version = sbi_version();
    say("\nRivulet, a RISC-V machine: ");
    say_number(b->hart_count);
    say(b->hart_count == 1 ? " hart, " : " harts, ");
    say_number(b->ram_bytes >> 20);
    say(" MiB of RAM, SBI ");
    say_number(version >> 24 & 127);
    say(".");
    say_number(version & 0xffffff);
    say(".\nWith nothing to run it shows this: water, by a program of its own for bare metal.\n\n"
        "    space        rain, or none            pointer, other keys    drops\n"
        "    h            which hart draws what    q                      power off\n\n"
        "From here:\n"
        "    ./demo                     Debian's kernel and a shell\n"
        "    ./demo debian              Debian 13 on a disk, with a network\n"
        "    ./demo desktop             the same with a desktop in a window\n"
        "    rivulet DISK               a disk of your own: raw or qcow2\n"
        "    rivulet -m 512M -kernel Image -initrd initramfs.cpio -append console=ttyS0\n"
        "    rivulet --help             all options; they are QEMU's\n\n");
}

static void write_shares(struct text *t)
{
    unsigned all = 0;
    for (unsigned i = 0; i < demo.harts; i++)
        all += demo.strips[i];
    for (unsigned i = 0; i < demo.harts; i++) {
        text_char(t, ' ');
        text_number(t, all ? (demo.strips[i] * 100 + all / 2) / all : 0);
        text_char(t, '%');
    }
}

static void write_rate(struct text *t)
{
    const uint64_t now = time_now(), passed = now - demo.words_time;
    text_number(t, passed ? (demo.frames * demo.board.timebase + passed / 2) / passed : 0);
    text_add(t, " frames/s");
    demo.words_time = now;
    demo.frames = 0;
}

static void fill(unsigned x, unsigned y, unsigned width, unsigned height, uint32_t color)
{
    for (unsigned j = y; j < y + height; j++)
        for (unsigned i = x; i < x + width; i++)
            demo.screen.pixels[(size_t)j * demo.screen.stride + i] = color;
}

/* The bar below the water: rate, keys, and how much each hart has drawn, in its colour. */
static void draw_bar(void)
{
    char buffer[64];
    struct text t = {buffer, sizeof buffer, 0};
    const unsigned y = SCREEN_HEIGHT - BAR_HEIGHT, top = y + 9;
    unsigned all = 0, x;
    fill(0, y, SCREEN_WIDTH, BAR_HEIGHT, BAR_COLOR);
    write_rate(&t);
    text_draw(&demo.screen, 16, top, buffer, TEXT_COLOR);
    text_draw(&demo.screen, 196, top, "space rain  h harts  q off", DIM_COLOR);
    for (unsigned i = 0; i < demo.harts; i++)
        all += demo.strips[i];
    x = SCREEN_WIDTH - 12 - demo.harts * 60;
    for (unsigned i = 0; i < demo.harts; i++, x += 60) {
        t.used = 0;
        text_number(&t, all ? (demo.strips[i] * 100 + all / 2) / all : 0);
        text_char(&t, '%');
        fill(x, top, 10, 14, water_hart_color(i));
        text_draw(&demo.screen, x + 15, top, buffer, TEXT_COLOR);
    }
}

static const char *terminal_words(void)
{
    static char buffer[160];
    struct text t = {buffer, sizeof buffer, 0};
    text_char(&t, ' ');
    write_rate(&t);
    text_add(&t, "  harts");
    write_shares(&t);
    text_add(&t, "   space rain  h harts  q off");
    return buffer;
}

/* --- what happens to the water ----------------------------------------------------------- */

static void drop_anywhere(int radius, int depth)
{
    const int x = (int)(random_next(&demo.chance) % demo.water.across);
    const int y = (int)(random_next(&demo.chance) % demo.water.down);
    water_drop(&demo.water, x, y, radius, depth);
}

/* Drops are as large as the picture asks for. */
static int scale(void)
{
    return demo.water.across > 300 ? 4 : 1;
}

static void take_key(char key)
{
    if (key == 'q' || key == 27 || key == 3)
        demo.ends = true;
    else if (key == ' ')
        demo.rains = !demo.rains;
    else if (key == 'h')
        demo.shows_harts = !demo.shows_harts;
    else
        drop_anywhere(3 * scale(), 8000);
}

/* The pointer draws a wake along its way. */
static void take_pointer(struct input *in)
{
    const int x = (int)(in->x * demo.water.across / PLACE_MAX);
    const int y = (int)(in->y * demo.screen.height / PLACE_MAX / 2);
    const int steps = 8;
    if (in->pressed)
        water_drop(&demo.water, x, y, 3 * scale(), 8000);
    for (int i = 1; i <= steps && demo.pointer_is_known; i++)
        water_drop(&demo.water, demo.last_x + (x - demo.last_x) * i / steps,
                   demo.last_y + (y - demo.last_y) * i / steps, scale() + 1, 900);
    demo.pointer_is_known = true;
    demo.last_x = x;
    demo.last_y = y;
}

static void tell(const struct input *in)
{
    char buffer[512] = "";
    struct text t = {buffer, sizeof buffer, 0};
    for (unsigned i = 0; i < in->key_count; i++) {
        text_add(&t, "key ");
        text_char(&t, in->keys[i]);
        text_char(&t, '\n');
    }
    if (in->pressed)
        text_add(&t, "button\n");
    if (in->pointer_moved) {
        text_add(&t, "pointer ");
        text_number(&t, in->x);
        text_char(&t, ' ');
        text_number(&t, in->y);
        text_char(&t, '\n');
    }
    if (in->power)
        text_add(&t, "power\n");
    say(buffer);
}

static void take_input(void)
{
    struct input *in = &demo.input;
    input_take(in);
    if (demo.tells)
        tell(in);
    for (unsigned i = 0; i < in->key_count; i++)
        take_key(in->keys[i]);
    in->key_count = 0;
    demo.ends |= in->power;
    if (in->pointer_moved || in->pressed)
        take_pointer(in);
    in->pointer_moved = in->pressed = false;
}

static void move_water(void)
{
    const unsigned frame = demo.water.frame;
    water_flow(&demo.water);
    if (frame % 50 == 0)
        drop_anywhere(3 * scale(), 3600);
    if (frame % 50 == 20)
        drop_anywhere(2 * scale(), 3000);
    if (demo.rains)
        drop_anywhere(scale() + 2, 4000);
}

/* --- the two ways to show it ------------------------------------------------------------- */

static bool show_screen(void)
{
    return demo.drawing == UNSEEN || ramfb_show(demo.board.fw_cfg, &demo.screen);
}

static bool open_screen(void)
{
    struct picture *s = &demo.screen;
    *s = (struct picture){NULL, SCREEN_WIDTH, SCREEN_HEIGHT, SCREEN_WIDTH};
    s->pixels = memory_take((size_t)SCREEN_WIDTH * SCREEN_HEIGHT * 4);
    struct picture water = *s;
    water.height -= BAR_HEIGHT;
    if (!s->pixels || !show_screen())
        return false;
    fill(0, 0, SCREEN_WIDTH, SCREEN_HEIGHT, BAR_COLOR);
    return water_create(&demo.water, &water);
}

static unsigned between(unsigned v, unsigned least, unsigned most)
{
    return v < least ? least : v > most ? most : v;
}

/* As large as the terminal says that it is; all memory is taken anew. */
static bool open_terminal(uint8_t *memory)
{
    const unsigned columns = between(demo.input.columns, 20, COLUMNS_MAX);
    const unsigned rows = between(demo.input.rows, 8, ROWS_MAX);
    demo.free_memory = memory;
    demo.screen.height = rows * 4;
    return terminal_create(&demo.terminal, columns, rows - 1,
                           board_has_word(&demo.board, "truecolor")) &&
           water_create(&demo.water, &demo.terminal.picture);
}

/* Every second: the rate, and whether the terminal has another size now. */
static const char *look_at_terminal(uint8_t *memory)
{
    const struct terminal *t = &demo.terminal;
    terminal_ask_size();
    if (between(demo.input.columns, 20, COLUMNS_MAX) != t->columns ||
        between(demo.input.rows, 8, ROWS_MAX) != t->rows + 1) {
        say("\033[0m\033[2J");
        demo.ends |= !open_terminal(memory);
    }
    return terminal_words();
}

static void wait_for_size(void)
{
    const uint64_t end = time_now() + SIZE_WAIT_MS * demo.board.timebase / 1000;
    demo.input.columns = 80;
    demo.input.rows = 24;
    terminal_ask_size();
    sleep_until(end);
    input_take(&demo.input);
}

static void run(unsigned rate, uint8_t *memory)
{
    const uint64_t period = demo.board.timebase / rate;
    uint64_t next = time_now();
    demo.words_time = next;
    while (!demo.ends) {
        const bool is_second = demo.water.frame % rate == 0;
        take_input();
        move_water();
        draw_water();
        demo.frames++;
        if (demo.drawing == IN_TERMINAL)
            terminal_draw(&demo.terminal, is_second ? look_at_terminal(memory) : NULL);
        else if (is_second)
            draw_bar();
        next += period;
        if (next > time_now())
            sleep_until(next);
        else
            next = time_now();
    }
}

/* What the word "benchmark" asks for. */
static void measure(void)
{
    demo.drawing = UNSEEN;
    if (!open_screen())
        return;
    const uint64_t start = time_now();
    for (unsigned i = 0; i < MEASURED_FRAMES; i++) {
        move_water();
        draw_water();
    }
    const uint64_t ms = (time_now() - start) * 1000 / demo.board.timebase;
    say_number(MEASURED_FRAMES * 1000ull / (ms ? ms : 1));
    say(" frames/s of 1024x768\n");
}

static void draw(void)
{
    enable_interrupts(SIE_SOFTWARE | SIE_TIMER);
    input_open(&demo.board);
    demo.tells = board_has_word(&demo.board, "tell");
    uint8_t *memory = demo.free_memory;
    if (board_has_word(&demo.board, "benchmark")) {
        measure();
    } else if (open_screen()) {
        demo.drawing = ON_SCREEN;
        run(FRAME_RATE, memory);
    } else if (board_has_word(&demo.board, "terminal")) {
        demo.drawing = IN_TERMINAL;
        wait_for_size();
        terminal_enter();
        if (open_terminal(memory))
            run(TERMINAL_RATE, memory);
        terminal_leave();
    }
}

void demo_main(uint64_t hart, const void *tree)
{
    if (tree_read(tree, &demo.board)) {
        demo.free_memory = (uint8_t *)(((uint64_t)_end + PAGE - 1) & ~(uint64_t)(PAGE - 1));
        greet();
        start_harts(hart);
        draw();
        if (demo.is_short)
            say("There is too little RAM for the picture: give -m 64M or more.\n");
    }
    sbi_shut_down();
}
