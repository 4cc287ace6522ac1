/* ramfb and pictures in guest RAM: what is shown, what is redrawn, what is refused. */
#include "devices/display/framebuffer.h"
#include "devices/display/ramfb.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define RAM_BASE  0x80000000ull
#define RAM_BYTES 0x200000u
#define PICTURE   (RAM_BASE + 0x10000)
#define STAGED    (RAM_BASE + 0x100)

#define DMA                 0x10u
#define DMA_SELECT_WRITE    0x18u
#define FILE_SELECTED_FIRST ((uint32_t)FW_CFG_FILE_FIRST << 16)

#define XR24 0x34325258u
#define RG24 0x34324752u
#define RG16 0x36314752u

struct rig {
    struct memory_map *memory;
    struct device *fw_cfg, *ramfb;
    struct screen *screen;
};

static void rig_init(struct rig *r, struct log *log)
{
    struct error err;
    r->memory = memory_create(NULL);
    ck_assert(memory_add_ram(r->memory, "RAM", RAM_BASE, RAM_BYTES, &err));
    struct fw_cfg_config config = {.memory = r->memory, .log = log};
    r->fw_cfg = fw_cfg_create(&config);
    r->ramfb = ramfb_create(r->memory, log);
    ck_assert(fw_cfg_add_file(r->fw_cfg, ramfb_file(r->ramfb), &err));
    r->screen = ramfb_screen(r->ramfb);
}

static void rig_free(struct rig *r)
{
    r->fw_cfg->ops->destroy(r->fw_cfg);
    r->ramfb->ops->destroy(r->ramfb);
    memory_destroy(r->memory);
}

/* Writes as many bytes of the file as firmware would; whether fw_cfg took them. */
static bool write_file(struct rig *r, uint64_t gpa, const uint32_t words[5], uint32_t bytes)
{
    struct {
        uint32_t control, length;
        uint64_t gpa;
    } d = {__builtin_bswap32(FILE_SELECTED_FIRST | DMA_SELECT_WRITE), __builtin_bswap32(bytes),
           __builtin_bswap64(STAGED + 0x40)};
    uint64_t address = __builtin_bswap64(gpa);
    uint32_t big[5], answer;
    for (unsigned i = 0; i < 5; i++)
        big[i] = __builtin_bswap32(words[i]);
    ck_assert(dma_write(r->memory, STAGED, &d, sizeof d));
    ck_assert(dma_write(r->memory, STAGED + 0x40, &address, sizeof address));
    ck_assert(dma_write(r->memory, STAGED + 0x48, big, sizeof big));
    reg_write(r->fw_cfg, DMA, __builtin_bswap64(STAGED), 8);
    ck_assert(dma_read(r->memory, STAGED, &answer, sizeof answer));
    return answer == 0;
}

static bool show(struct rig *r, uint64_t gpa, uint32_t fourcc, uint32_t width, uint32_t height,
                 uint32_t stride)
{
    const uint32_t words[5] = {fourcc, 0, width, height, stride};
    ck_assert(write_file(r, gpa, words, 28));
    return r->screen->pixels != NULL;
}

static struct screen_rect look(struct rig *r)
{
    r->screen->refresh(r->screen->owner);
    struct screen_rect changed = r->screen->changed;
    screen_taken(r->screen);
    return changed;
}

static void put(struct rig *r, uint64_t gpa, const void *bytes, size_t n)
{
    ck_assert(dma_write(r->memory, gpa, bytes, n));
}

#define ck_rect(r, left, top, wide, high)                                                          \
    do {                                                                                           \
        const struct screen_rect expected = {left, top, wide, high}, found = r;                    \
        ck_assert_mem_eq(&found, &expected, sizeof found);                                         \
    } while (0)

START_TEST(a_picture_in_ram_is_shown_and_only_new_pixels_are_redrawn)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, PICTURE + 1024 * 4 + 8, "\x03\x02\x01\xff", 4);
    ck_assert(show(&r, PICTURE, XR24, 1024, 16, 0));
    ck_rect(look(&r), 0, 0, 1024, 16);
    ck_assert_uint_eq(r.screen->pixels[1024 + 2] & 0xffffff, 0x010203);
    ck_rect(look(&r), 0, 0, 0, 0);
    put(&r, PICTURE + 5 * 4096 + 40, "new.pix.", 8);
    ck_rect(look(&r), 10, 5, 2, 1);
    put(&r, PICTURE + 5 * 4096 + 40, "new.pix.", 8); /* the same again */
    ck_rect(look(&r), 0, 0, 0, 0);
    rig_free(&r);
}
END_TEST

START_TEST(rows_that_share_a_page_or_lie_on_two_are_all_seen)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(show(&r, PICTURE + 0xf00, XR24, 100, 100, 404));
    look(&r);
    for (uint32_t y = 0; y < 100; y++) {
        put(&r, PICTURE + 0xf00 + y * 404 + 99 * 4, "last", 4);
        ck_rect(look(&r), 99, y, 1, 1);
    }
    put(&r, PICTURE + 0xf00 - 4, "none", 4); /* on its first page, and before it */
    ck_rect(look(&r), 0, 0, 0, 0);
    rig_free(&r);
}
END_TEST

START_TEST(each_format_is_read_as_drm_defines_it)
{
    struct rig r;
    rig_init(&r, NULL);
    put(&r, PICTURE, "\x30\x20\x10", 3);
    ck_assert(show(&r, PICTURE, RG24, 16, 16, 48));
    look(&r);
    ck_assert_uint_eq(r.screen->pixels[0], 0x102030);
    put(&r, PICTURE, "\x1f\xf8", 2); /* red and blue, all bits */
    ck_assert(show(&r, PICTURE, RG16, 16, 16, 32));
    look(&r);
    ck_assert_uint_eq(r.screen->pixels[0], 0xff00ff);
    rig_free(&r);
}
END_TEST

START_TEST(absurd_pictures_are_reported_and_show_nothing)
{
    static const struct {
        uint64_t gpa;
        uint32_t fourcc, width, height, stride;
    } cases[] = {
        {PICTURE, 0x12345678, 64, 64, 256},
        {PICTURE, XR24, 0, 64, 256},
        {PICTURE, XR24, 64, 15, 256},
        {PICTURE, XR24, 16385, 16, 0},
        {PICTURE, XR24, UINT32_MAX, UINT32_MAX, UINT32_MAX},
        {PICTURE, XR24, 64, 64, 255},
        {RAM_BASE - 4, XR24, 64, 64, 256},
        {RAM_BASE + RAM_BYTES - 64 * 256 + 1, XR24, 64, 64, 256},
        {UINT64_MAX - 16, XR24, 64, 64, 256},
        {PICTURE, XR24, 16384, 16384, UINT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        struct bench_log l;
        bench_log_open(&l);
        rig_init(&r, l.log);
        ck_assert(show(&r, PICTURE, XR24, 64, 64, 256));
        ck_assert(!show(&r, cases[i].gpa, cases[i].fourcc, cases[i].width, cases[i].height,
                        cases[i].stride));
        ck_rect(look(&r), 0, 0, 0, 0);
        rig_free(&r);
        ck_assert_uint_eq(bench_log_close(&l, "ramfb: "), 1);
    }
}
END_TEST

START_TEST(a_picture_may_end_with_ram)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(show(&r, RAM_BASE + RAM_BYTES - 64 * 256, XR24, 64, 64, 256));
    put(&r, RAM_BASE + RAM_BYTES - 4, "last", 4);
    look(&r);
    ck_assert_uint_eq(r.screen->pixels[64 * 64 - 1], 0x7473616c);
    rig_free(&r);
}
END_TEST

START_TEST(more_bytes_than_the_file_has_are_refused)
{
    struct rig r;
    rig_init(&r, NULL);
    ck_assert(!write_file(&r, PICTURE, (const uint32_t[5]){XR24, 0, 64, 64, 256}, 29));
    ck_assert_ptr_null(r.screen->pixels);
    rig_free(&r);
}
END_TEST

START_TEST(a_loaded_state_shows_the_same_picture)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    ck_assert(show(&a, PICTURE, XR24, 64, 64, 256));
    put(&b, PICTURE, "abcd", 4); /* RAM is loaded before */
    check_round_trip(a.ramfb, b.ramfb);
    ck_rect(look(&b), 0, 0, 64, 64);
    ck_assert_uint_eq(b.screen->pixels[0], 0x64636261);
    b.ramfb->ops->reset(b.ramfb);
    ck_assert_ptr_null(b.screen->pixels);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(damaged_states_are_refused_or_harmless)
{
    struct rig a, b;
    rig_init(&a, NULL);
    rig_init(&b, NULL);
    ck_assert(show(&a, PICTURE, XR24, 64, 64, 256));
    size_t size;
    uint8_t *saved = device_save(a.ramfb, &size);
    for (size_t i = 0; i < size; i++) {
        saved[i] ^= 0x81;
        device_load(b.ramfb, saved, size);
        look(&b);
        saved[i] ^= 0x81;
    }
    free(saved);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ramfb");
    TCase *tc = tcase_create("ramfb");
    tcase_add_test(tc, a_picture_in_ram_is_shown_and_only_new_pixels_are_redrawn);
    tcase_add_test(tc, rows_that_share_a_page_or_lie_on_two_are_all_seen);
    tcase_add_test(tc, each_format_is_read_as_drm_defines_it);
    tcase_add_test(tc, absurd_pictures_are_reported_and_show_nothing);
    tcase_add_test(tc, a_picture_may_end_with_ram);
    tcase_add_test(tc, more_bytes_than_the_file_has_are_refused);
    tcase_add_test(tc, a_loaded_state_shows_the_same_picture);
    tcase_add_test(tc, damaged_states_are_refused_or_harmless);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
