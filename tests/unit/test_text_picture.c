/* Pictures as characters: what is written to the terminal, byte by byte. */
#include "frontend/text_picture.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define HALF  "\xe2\x96\x80"
#define RED   0xff0000u
#define GREEN 0x00ff00u
#define BLUE  0x0000ffu

static void draw(struct text_picture *t, const uint32_t *pixels, uint32_t width, uint32_t height)
{
    text_picture_draw(t, pixels, width, height);
    t->text[t->used] = 0; /* there is always room for more */
}

START_TEST(a_cell_is_two_pixels_and_only_what_changed_is_written)
{
    uint32_t pixels[4][2] = {{RED, GREEN}, {GREEN, GREEN}, {BLUE, BLUE}, {BLUE, BLUE}};
    struct text_picture t = {.has_all_colours = true};
    ck_assert(text_picture_resize(&t, 2, 2));
    draw(&t, pixels[0], 2, 4);
    ck_assert_str_eq(t.text,
                     "\x1b[1;1H\x1b[38;2;255;0;0m\x1b[48;2;0;255;0m" HALF "\x1b[38;2;0;255;0m" HALF
                     "\x1b[2;1H\x1b[38;2;0;0;255m\x1b[48;2;0;0;255m" HALF HALF "\x1b[0m");
    draw(&t, pixels[0], 2, 4);
    ck_assert_uint_eq(t.used, 0);
    pixels[3][1] = RED;
    draw(&t, pixels[0], 2, 4);
    ck_assert_str_eq(t.text, "\x1b[2;2H\x1b[38;2;0;0;255m\x1b[48;2;255;0;0m" HALF "\x1b[0m");
    text_picture_deinit(&t);
}
END_TEST

START_TEST(a_terminal_of_256_colours_gets_the_nearest)
{
    const uint32_t pixels[2] = {0xff8700, 0x000000};
    struct text_picture t = {0};
    ck_assert(text_picture_resize(&t, 1, 1));
    draw(&t, pixels, 1, 2);
    ck_assert_str_eq(t.text, "\x1b[1;1H\x1b[38;5;208m\x1b[48;5;16m" HALF "\x1b[0m");
    text_picture_deinit(&t);
}
END_TEST

START_TEST(a_large_picture_is_shrunk_to_means_and_keeps_its_shape)
{
    uint32_t pixels[64 * 64];
    struct text_picture t = {.has_all_colours = true};
    for (unsigned i = 0; i < ARRAY_LEN(pixels); i++)
        pixels[i] = i % 2 ? 0x204060 : 0;
    ck_assert(text_picture_resize(&t, 8, 2));
    draw(&t, pixels, 64, 64);
    for (unsigned column = 0; column < 8; column++) {
        bool is_inside = column >= 2 && column < 6;
        ck_assert_uint_eq(t.cells[column].upper, is_inside ? 0x102030 : 0);
        ck_assert_uint_eq(t.cells[8 + column].lower, is_inside ? 0x102030 : 0);
    }
    text_picture_deinit(&t);
}
END_TEST

START_TEST(any_size_is_survived)
{
    static const uint32_t pixels[300 * 300];
    uint64_t seed = 5;
    struct text_picture t = {.has_all_colours = true};
    ck_assert(!text_picture_resize(&t, 0, 10));
    for (unsigned n = 0; n < 300; n++) {
        uint64_t r = bench_random(&seed);
        ck_assert(text_picture_resize(&t, 1 + (r & 127), 1 + (r >> 8 & 63)));
        draw(&t, r >> 60 ? pixels : NULL, 1 + (uint32_t)(r >> 16 & 255),
             1 + (uint32_t)(r >> 24 & 255));
    }
    text_picture_deinit(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text_picture");
    TCase *tc = tcase_create("text_picture");
    tcase_add_test(tc, a_cell_is_two_pixels_and_only_what_changed_is_written);
    tcase_add_test(tc, a_terminal_of_256_colours_gets_the_nearest);
    tcase_add_test(tc, a_large_picture_is_shrunk_to_means_and_keeps_its_shape);
    tcase_add_test(tc, any_size_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
