/* The virtio GPU: each command, good and wrong, and what the screen then shows. */
#include "devices/virtio/gpu.h"
#include "tests/unit/virtio_rig.h"

#include "base/random.h"
#include "devices/display/edid.h"
#include "tests/unit/suite.h"

#define SIDE     64u /* of most pictures here */
#define PIXELS   (RAM + 0x200000)
#define COMMANDS (RAM + 0x100000)
#define ANSWERS  (RAM + 0x180000)
#define FENCE    0x123456789abcdefull

enum {
    GET_DISPLAY_INFO = 0x100,
    CREATE,
    UNREF,
    SET_SCANOUT,
    FLUSH,
    TRANSFER,
    ATTACH,
    DETACH,
    GET_EDID = 0x10a,
    UPDATE_CURSOR = 0x300,
    MOVE_CURSOR,
    OK = 0x1100,
    OK_DISPLAY_INFO,
    OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200,
    ERR_MEMORY,
    ERR_SCANOUT,
    ERR_RESOURCE,
    ERR_PARAMETER = 0x1205,
};

static void init(struct virtio_rig *r)
{
    struct virtio_gpu_config config = {
        .width = 800, .height = 600, .has_edid = true, .host_bytes_max = 1 << 20, .memory = NULL};
    rig_init(r);
    config.memory = r->memory;
    rig_attach(r, virtio_gpu_create(&config));
    rig_start(r, 0, 16, 1u << 1);
}

/* One command of n bytes behind its header; the type of the answer, whose bytes are at ANSWERS. */
static uint32_t command(struct virtio_rig *r, uint32_t type, const void *body, size_t n)
{
    struct {
        uint32_t type, flags;
        uint64_t fence;
        uint32_t context, ring;
    } header = {.type = type, .flags = 1, .fence = FENCE};
    uint16_t used = used_index(r);
    poke(r, COMMANDS, &header, sizeof header);
    poke(r, COMMANDS + sizeof header, body, n);
    put(r, 0, COMMANDS, (uint32_t)(sizeof header + n), DESC_NEXT, 1);
    put(r, 1, ANSWERS, 4096, DESC_WRITE, 0);
    offer(r, 0);
    ring(r);
    ck_assert_uint_eq(used_index(r), (uint16_t)(used + 1));
    ck_assert_uint_eq(peek_u32(r, ANSWERS + 4), 1);
    ck_assert_uint_eq(peek_u32(r, ANSWERS + 8), (uint32_t)FENCE);
    return peek_u32(r, ANSWERS);
}

#define COMMAND(r, type, ...)                                                                      \
    command(r, type, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}))

static struct screen *screen(struct virtio_rig *r)
{
    return virtio_gpu_screen(r->v);
}

/* Resource 1 of SIDE x SIDE at PIXELS, each pixel its own number, shown whole. */
static void show_picture(struct virtio_rig *r)
{
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
        poke(r, PIXELS + 4ull * i, &i, sizeof i);
    ck_assert_uint_eq(COMMAND(r, CREATE, 1, PIXEL_B8G8R8X8, SIDE, SIDE), OK);
    ck_assert_uint_eq(COMMAND(r, ATTACH, 1, 1, (uint32_t)PIXELS, PIXELS >> 32, SIDE * SIDE * 4, 0),
                      OK);
    ck_assert_uint_eq(COMMAND(r, TRANSFER, 0, 0, SIDE, SIDE, 0, 0, 1, 0), OK);
    ck_assert_uint_eq(COMMAND(r, SET_SCANOUT, 0, 0, SIDE, SIDE, 0, 1), OK);
}

static uint32_t shown(struct virtio_rig *r, uint32_t x, uint32_t y)
{
    return screen(r)->pixels[y * screen(r)->width + x] & 0xffffff;
}

START_TEST(the_display_prefers_the_size_that_it_was_given)
{
    struct virtio_rig r;
    init(&r);
    ck_assert_uint_eq(COMMAND(&r, GET_DISPLAY_INFO, 0), OK_DISPLAY_INFO);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24 + 8), 800);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24 + 12), 600);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24 + 16), 1);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24 + 24 + 16), 0); /* no second scanout */
    ck_assert_uint_eq(used_bytes(&r, 0), 24 + 16 * 24);
    rig_free(&r);
}
END_TEST

START_TEST(another_size_is_told_and_cleared)
{
    struct virtio_rig r;
    uint32_t events;
    init(&r);
    virtio_gpu_prefer(r.v, 1024, 768);
    ck_assert_uint_eq(r.config_interrupts, 1);
    virtio_read_config(r.v, 0, &events, sizeof events);
    ck_assert_uint_eq(events, 1);
    virtio_write_config(r.v, 4, &events, sizeof events);
    virtio_read_config(r.v, 0, &events, sizeof events);
    ck_assert_uint_eq(events, 0);
    ck_assert_uint_eq(COMMAND(&r, GET_DISPLAY_INFO, 0), OK_DISPLAY_INFO);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24 + 8), 1024);
    virtio_gpu_prefer(r.v, 1024, 768); /* nothing new */
    virtio_gpu_prefer(r.v, 0, 768);
    ck_assert_uint_eq(r.config_interrupts, 1);
    rig_free(&r);
}
END_TEST

START_TEST(the_edid_names_the_size_and_adds_up)
{
    struct virtio_rig r;
    uint8_t edid[EDID_BYTES], sum = 0;
    init(&r);
    ck_assert_uint_eq(COMMAND(&r, GET_EDID, 0, 0), OK_EDID);
    ck_assert_uint_eq(peek_u32(&r, ANSWERS + 24), EDID_BYTES);
    peek(&r, ANSWERS + 32, edid, sizeof edid);
    for (unsigned i = 0; i < EDID_BYTES; i++)
        sum = (uint8_t)(sum + edid[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(edid[54 + 2] | (edid[54 + 4] & 0xf0) << 4, 800);
    ck_assert_uint_eq(edid[54 + 5] | (edid[54 + 7] & 0xf0) << 4, 600);
    ck_assert_uint_eq(COMMAND(&r, GET_EDID, 1, 0), ERR_SCANOUT);
    rig_free(&r);
}
END_TEST

START_TEST(what_is_transferred_and_flushed_is_shown)
{
    struct virtio_rig r;
    init(&r);
    show_picture(&r);
    ck_assert_uint_eq(screen(&r)->width, SIDE);
    ck_assert_uint_eq(shown(&r, 5, 3), 3 * SIDE + 5);
    screen_taken(screen(&r));
    uint32_t white = 0xffffff;
    poke(&r, PIXELS + 4 * (10 * SIDE + 20), &white, 4);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 20, 10, 2, 1, 4 * (10 * SIDE + 20), 0, 1, 0), OK);
    ck_assert_uint_ne(shown(&r, 20, 10), white); /* not before the flush */
    ck_assert(rect_is_empty(screen(&r)->changed));
    ck_assert_uint_eq(COMMAND(&r, FLUSH, 20, 10, 2, 1, 1, 0), OK);
    ck_assert_uint_eq(shown(&r, 20, 10), white);
    ck_assert_uint_eq(shown(&r, 21, 10), 10 * SIDE + 21);
    ck_assert_uint_eq(screen(&r)->changed.x, 20);
    ck_assert_uint_eq(screen(&r)->changed.width, 1);
    rig_free(&r);
}
END_TEST

START_TEST(of_what_is_flushed_only_what_is_new_has_changed)
{
    struct virtio_rig r;
    init(&r);
    show_picture(&r);
    screen_taken(screen(&r));
    ck_assert_uint_eq(COMMAND(&r, FLUSH, 0, 0, SIDE, SIDE, 1, 0), OK);
    ck_assert(rect_is_empty(screen(&r)->changed));
    uint32_t white = 0xffffff;
    poke(&r, PIXELS + 4 * (10 * SIDE + 20), &white, 4);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, SIDE, SIDE, 0, 0, 1, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, SIDE, SIDE, 0, 1), OK); /* as a page flip */
    const struct screen_rect pixel = {20, 10, 1, 1};
    ck_assert_mem_eq(&screen(&r)->changed, &pixel, sizeof pixel);
    ck_assert(!screen(&r)->is_resized);
    rig_free(&r);
}
END_TEST

START_TEST(a_scanout_may_show_a_part)
{
    struct virtio_rig r;
    init(&r);
    show_picture(&r);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 8, 16, 32, 24, 0, 1), OK);
    ck_assert_uint_eq(screen(&r)->width, 32);
    ck_assert_uint_eq(screen(&r)->height, 24);
    ck_assert_uint_eq(shown(&r, 1, 2), 18 * SIDE + 9);
    screen_taken(screen(&r));
    uint32_t white = 0xffffff;
    poke(&r, PIXELS + 4 * (16 * SIDE + 8), &white, 4);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 8, 16, 1, 1, 4 * (16 * SIDE + 8), 0, 1, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, FLUSH, 0, 0, 9, 17, 1, 0), OK);
    ck_assert_uint_eq(screen(&r)->changed.x, 0);
    ck_assert_uint_eq(screen(&r)->changed.width, 1);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, 0, 0, 0, 0), OK);
    ck_assert_uint_eq(screen(&r)->width, 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_backing_may_lie_in_pieces)
{
    struct virtio_rig r;
    init(&r);
    for (uint32_t i = 0; i < 16 * 16; i++)
        poke(&r, PIXELS + 4ull * i, &i, sizeof i);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 7, PIXEL_B8G8R8X8, 16, 16), OK);
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 7, 3, (uint32_t)PIXELS, 0, 100, 0, (uint32_t)PIXELS + 100,
                              0, 4, 0, (uint32_t)PIXELS + 104, 0, 16 * 16 * 4 - 104, 0),
                      OK);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, 16, 16, 0, 0, 7, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, 16, 16, 0, 7), OK);
    for (uint32_t i = 0; i < 16 * 16; i++)
        ck_assert_uint_eq(shown(&r, i % 16, i / 16), i);
    rig_free(&r);
}
END_TEST

START_TEST(wrong_commands_are_answered_with_their_errors)
{
    struct virtio_rig r;
    init(&r);
    show_picture(&r);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 0, 1, 8, 8), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 1, 1, 8, 8), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 2, 5, 8, 8), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 2, 1, 0, 8), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 2, 1, 16385, 1), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 2, 1, 16384, 16384), ERR_MEMORY);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 2, 1), ERR_UNSPEC); /* too short */
    ck_assert_uint_eq(COMMAND(&r, UNREF, 9, 0), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, SIDE, SIDE, 1, 1), ERR_SCANOUT);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, SIDE, SIDE, 0, 9), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 1, 0, SIDE, SIDE, 0, 1), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, ~0u, 0, 17, 17, 0, 1), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, SET_SCANOUT, 0, 0, 8, 8, 0, 1), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, FLUSH, 0, 0, SIDE + 1, 1, 1, 0), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, FLUSH, 0, 0, 1, 1, 9, 0), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, SIDE, SIDE, 4, 0, 1, 0), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, 1, 1, ~0u, ~0u, 1, 0), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 1, 1, 0, 0, 4, 0), ERR_UNSPEC); /* it has one */
    ck_assert_uint_eq(COMMAND(&r, DETACH, 1, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, DETACH, 1, 0), ERR_RESOURCE);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), ERR_PARAMETER);
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 1, 0), ERR_UNSPEC);
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 1, 16385, 0, 0, 4, 0), ERR_UNSPEC);
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 1, 2, 0, 0, 4, 0), ERR_UNSPEC); /* one is missing */
    ck_assert_uint_eq(COMMAND(&r, ATTACH, 1, 1, 0x1000, 0, 4, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, TRANSFER, 0, 0, 1, 1, 0, 0, 1, 0), ERR_PARAMETER); /* no RAM */
    ck_assert_uint_eq(COMMAND(&r, 0x109, 0), ERR_UNSPEC);
    ck_assert_uint_eq(COMMAND(&r, UPDATE_CURSOR, 1, 0, 0, 0, 1, 0, 0, 0), ERR_SCANOUT);
    rig_free(&r);
}
END_TEST

START_TEST(host_memory_is_bounded_and_given_back)
{
    struct virtio_rig r;
    uint32_t made = 0;
    init(&r);
    while (COMMAND(&r, CREATE, made + 1, 1, 64, 64) == OK)
        made++;
    ck_assert_uint_ge(made, 8);
    ck_assert_uint_le(made, 64);
    ck_assert_uint_eq(COMMAND(&r, UNREF, 1, 0), OK);
    ck_assert_uint_eq(COMMAND(&r, CREATE, 1, 1, 64, 64), OK);
    virtio_set_status(r.v, 0);
    rig_start(&r, 0, 16, 0);
    for (uint32_t i = 0; i < made; i++)
        ck_assert_uint_eq(COMMAND(&r, CREATE, i + 1, 1, 64, 64), OK);
    rig_free(&r);
}
END_TEST

START_TEST(the_cursor_is_a_resource_with_a_place)
{
    struct virtio_rig r;
    init(&r);
    show_picture(&r);
    struct screen_cursor *c = &screen(&r)->cursor;
    ck_assert_uint_eq(COMMAND(&r, UPDATE_CURSOR, 0, 30, 40, 0, 1, 2, 3, 0), OK);
    ck_assert(c->is_shown && c->has_changed);
    ck_assert_uint_eq(c->x, 30);
    ck_assert_uint_eq(c->hot_y, 3);
    ck_assert_uint_eq(c->pixels[65], SIDE + 1); /* X is its alpha */
    screen_taken(screen(&r));
    ck_assert_uint_eq(COMMAND(&r, MOVE_CURSOR, 0, 31, 41, 0, 0, 0, 0, 0), OK);
    ck_assert(c->is_shown && c->has_changed);
    ck_assert_uint_eq(c->y, 41);
    ck_assert_uint_eq(COMMAND(&r, UNREF, 1, 0), OK);
    ck_assert(!c->is_shown);
    ck_assert_uint_eq(screen(&r)->width, 0);
    rig_free(&r);
}
END_TEST

START_TEST(a_loaded_device_shows_and_does_the_same)
{
    struct virtio_rig a, b;
    size_t size;
    init(&a);
    init(&b);
    show_picture(&a);
    ck_assert_uint_eq(COMMAND(&a, SET_SCANOUT, 4, 4, 32, 32, 0, 1), OK);
    uint8_t *saved = virtio_save(a.v, &size);
    copy_ram(&a, &b);
    ck_assert(virtio_load(b.v, saved, size));
    ck_assert_uint_eq(virtio_hash(a.v), virtio_hash(b.v));
    ck_assert_uint_eq(screen(&b)->width, 32);
    ck_assert_mem_eq(screen(&a)->pixels, screen(&b)->pixels, 32 * 32 * 4);
    b.avail_index = a.avail_index;
    ck_assert_uint_eq(COMMAND(&b, TRANSFER, 0, 0, SIDE, SIDE, 0, 0, 1, 0), OK);
    for (size_t cut = 0; cut < size; cut += 97)
        ck_assert(!virtio_load(b.v, saved, cut));
    free(saved);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(random_commands_do_no_harm)
{
    struct virtio_rig r;
    uint64_t chance = 1;
    init(&r);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t body[16];
        for (unsigned j = 0; j < 16; j++) {
            uint64_t random = random_next(&chance);
            body[j] = random % 4 ? (uint32_t)(random >> 8) % 80 : (uint32_t)(random >> 8);
        }
        uint32_t type =
            random_next(&chance) % 12 ? 0x100 + (uint32_t)random_next(&chance) % 11 : UPDATE_CURSOR;
        command(&r, type, body, sizeof body - (random_next(&chance) % 8 ? 0 : 20));
    }
    rig_free(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio_gpu");
    TCase *c = tcase_create("virtio_gpu");
    tcase_add_test(c, the_display_prefers_the_size_that_it_was_given);
    tcase_add_test(c, another_size_is_told_and_cleared);
    tcase_add_test(c, the_edid_names_the_size_and_adds_up);
    tcase_add_test(c, what_is_transferred_and_flushed_is_shown);
    tcase_add_test(c, of_what_is_flushed_only_what_is_new_has_changed);
    tcase_add_test(c, a_scanout_may_show_a_part);
    tcase_add_test(c, a_backing_may_lie_in_pieces);
    tcase_add_test(c, wrong_commands_are_answered_with_their_errors);
    tcase_add_test(c, host_memory_is_bounded_and_given_back);
    tcase_add_test(c, the_cursor_is_a_resource_with_a_place);
    tcase_add_test(c, a_loaded_device_shows_and_does_the_same);
    tcase_add_test(c, random_commands_do_no_harm);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
