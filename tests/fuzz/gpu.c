/* A fuzzer of the virtio GPU: the input is a list of commands of the driver, each with numbers that
 * are mostly small, so that resources exist and rectangles lie in them. Behind each, somebody looks
 * at the screen as a window does; at the end the state is saved and loaded, and must be the same.
 */
#include "devices/virtio/gpu.h"
#include "devices/virtio/mmio.h"
#include "tests/fuzz/fuzz.h"

#define RAM        0x80000000ull
#define RAM_BYTES  0x40000u
#define AVAILABLE  (RAM + 0x1000)
#define USED       (RAM + 0x1800)
#define COMMAND    (RAM + 0x2000)
#define ANSWER     (RAM + 0x3000)
#define QUEUE_SIZE 8u
#define HOST_BYTES (4u << 20)
#define WORDS_MOST 64u
#define LAST_WORD  11u /* of a command behind its header, entries of a backing included */

struct guest {
    struct memory_map *memory;
    struct virtio *gpu;
    struct device *slot;
    uint16_t offered[2];
};

static void set(struct guest *g, uint64_t offset, uint32_t value)
{
    g->slot->ops->mmio.write(g->slot, offset, value, 4);
}

static void set_up_queue(struct guest *g, uint32_t queue)
{
    set(g, 0x30, queue);
    set(g, 0x38, QUEUE_SIZE);
    set(g, 0x80, (uint32_t)RAM + 0x800 * queue);
    set(g, 0x90, (uint32_t)AVAILABLE + 0x100 * queue);
    set(g, 0xa0, (uint32_t)USED + 0x100 * queue);
    set(g, 0x44, 1);
    g->offered[queue] = 0;
}

static void set_up(struct guest *g)
{
    static const uint8_t zeros[0x2000];
    if (!dma_write(g->memory, RAM, zeros, sizeof zeros))
        abort();
    set(g, 0x70, 0);
    set(g, 0x70, 3);
    set(g, 0x20, 2);
    set(g, 0x24, 1);
    set(g, 0x20, 1);
    set(g, 0x70, 11);
    set_up_queue(g, 0);
    set_up_queue(g, 1);
    set(g, 0x70, 15);
}

static void create(struct guest *g, struct memory_map *memory)
{
    struct virtio_gpu_config config = {.width = 640,
                                       .height = 480,
                                       .has_edid = true,
                                       .host_bytes_max = HOST_BYTES,
                                       .memory = memory};
    *g = (struct guest){.memory = memory, .gpu = virtio_gpu_create(&config)};
    g->slot = virtio_mmio_create(&(struct virtio_mmio_config){.virtio = g->gpu});
    g->slot->ops->reset(g->slot);
}

static void put(struct guest *g, uint64_t gpa, const void *bytes, size_t n)
{
    if (!dma_write(g->memory, gpa, bytes, n))
        abort();
}

static void offer(struct guest *g, unsigned queue, uint32_t bytes, uint32_t answer_bytes)
{
    const struct {
        uint64_t gpa;
        uint32_t bytes;
        uint16_t flags, next;
    } chain[2] = {{COMMAND, bytes, 1, 1}, {ANSWER, answer_bytes, 2, 0}};
    uint16_t index = ++g->offered[queue];
    put(g, RAM + 0x800 * queue, chain, sizeof chain);
    put(g, AVAILABLE + 0x100 * queue + 2, &index, sizeof index);
    set(g, 0x50, queue);
}

/* Small, at the edges, or anything. */
static uint32_t take_word(struct cursor *c)
{
    static const uint32_t edges[] = {0, 1, 2, 16, 64, 100, 1u << 14, (1u << 14) + 1, 1u << 31, ~0u};
    uint32_t kind = (uint32_t)take(c, 1);
    if (kind < 0xa0)
        return kind & 0x1f;
    if (kind < 0xd0)
        return edges[kind % ARRAY_LEN(edges)];
    if (kind < 0xf0)
        return (uint32_t)RAM + (uint32_t)take(c, 2) * 16; /* a piece of a backing */
    return (uint32_t)take(c, 4);
}

static void run_command(struct guest *g, struct cursor *c)
{
    static const uint32_t types[] = {0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107,
                                     0x108, 0x109, 0x10a, 0x300, 0x301, 0x101, 0x105, 0x106};
    uint32_t words[6 + WORDS_MOST] = {0};
    uint8_t what = (uint8_t)take(c, 1), how = (uint8_t)take(c, 1);
    words[0] = types[what % ARRAY_LEN(types)];
    words[1] = how & 1;
    for (unsigned i = 0; i <= LAST_WORD; i++)
        words[6 + i] = take_word(c);
    if (how & 2 && words[0] == 0x101)
        words[7] = 1 + words[7] % 4; /* a format that there is */
    put(g, COMMAND, words, sizeof words);
    unsigned queue = words[0] >= 0x300;
    offer(g, how & 4 ? !queue : queue, how & 8 ? how : sizeof words, how & 16 ? how : 2048);
}

static void look(struct guest *g)
{
    struct screen *s = virtio_gpu_screen(g->gpu);
    uint32_t sum = 0;
    if (!rect_is_inside(s->changed, s->width, s->height))
        abort();
    for (uint32_t y = s->changed.y; y < s->changed.y + s->changed.height; y++)
        sum += s->pixels[(size_t)y * s->width + s->changed.x + s->changed.width - 1];
    (void)sum;
    screen_taken(s);
}

static uint64_t hash(struct guest *g)
{
    struct state *s = state_new_hash();
    g->slot->ops->state(g->slot, s);
    uint64_t found = state_hash(s);
    state_free(s);
    return found;
}

static void check_state(struct guest *g)
{
    struct guest other;
    size_t size;
    struct state *save = state_new_save();
    g->slot->ops->state(g->slot, save);
    const void *data = state_data(save, &size);
    create(&other, g->memory);
    struct state *load = state_new_load(data, size);
    other.slot->ops->state(other.slot, load);
    if (!state_ok(load) || hash(g) != hash(&other))
        abort();
    look(&other);
    state_free(load);
    state_free(save);
    other.slot->ops->destroy(other.slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest g;
    struct error err;
    struct cursor c = {data, data + size};
    struct memory_map *memory = memory_create(NULL);
    if (!memory_add_ram(memory, "RAM", RAM, RAM_BYTES, &err))
        abort();
    create(&g, memory);
    set_up(&g);
    while (c.at < c.end) {
        uint8_t what = (uint8_t)take(&c, 1);
        uint32_t width = 1u << (what & 15); /* of a wish for another size */
        if (what == 0xff)
            set_up(&g);
        else if (what >= 0xf0)
            virtio_gpu_prefer(g.gpu, width, take_word(&c));
        else
            run_command(&g, &c);
        look(&g);
    }
    check_state(&g);
    g.slot->ops->destroy(g.slot);
    memory_destroy(memory);
    return 0;
}
