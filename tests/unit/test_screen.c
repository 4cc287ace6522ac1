/* Screens, their pixels, keys by name, and pictures as files. */
#include "debug/keys.h"
#include "debug/keysyms.h"
#include "debug/picture.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"
#include "tests/unit/temp_folder.h"

#include <zlib.h>

START_TEST(keysyms_are_keys_of_a_us_keyboard)
{
    static const struct {
        uint32_t keysym;
        const char *name; /* "": none */
    } cases[] = {
        {'a', "a"},       {'Z', "z"},     {'1', "1"},      {'!', "1"},         {' ', "spc"},
        {0xff0d, "ret"},  {0xffbe, "f1"}, {0xffc7, "f10"}, {'|', "backslash"}, {0xffc8, "f11"},
        {0xff55, "pgup"}, {0xe4, ""},     {0, ""},         {0xffe1, "shift"},  {UINT32_MAX, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_uint_eq(key_by_keysym(cases[i].keysym),
                          key_by_name(cases[i].name, strlen(cases[i].name)));
}
END_TEST

START_TEST(characters_are_keys_with_shift_or_without_and_beyond_ascii_none)
{
    static const struct {
        uint32_t character;
        const char *name; /* "": none */
        bool is_shifted;
    } cases[] = {
        {'a', "a", false},    {'Z', "z", true},
        {'1', "1", false},    {'!', "1", true},
        {' ', "spc", false},  {'|', "backslash", true},
        {'_', "minus", true}, {'~', "grave_accent", true},
        {'\n', "ret", false}, {'\t', "tab", false},
        {'\b', "", false},    {0x7f, "", false},
        {0xe4, "", false},    {0xff0d, "", false},
        {0, "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool is_shifted = true;
        ck_assert_uint_eq(key_by_character(cases[i].character, &is_shifted),
                          key_by_name(cases[i].name, strlen(cases[i].name)));
        ck_assert(is_shifted == cases[i].is_shifted);
    }
    for (uint32_t c = ' '; c <= '~'; c++)
        ck_assert_msg(key_by_character(c, &(bool){0}) != 0, "%c", (char)c);
}
END_TEST

START_TEST(changes_are_united_and_cut_off)
{
    struct screen s = {0};
    ck_assert(screen_resize(&s, 100, 50));
    ck_assert(s.is_resized);
    screen_taken(&s);
    screen_mark(&s, (struct screen_rect){10, 10, 5, 5});
    screen_mark(&s, (struct screen_rect){90, 45, 1000, UINT32_MAX});
    screen_mark(&s, (struct screen_rect){200, 0, 1, 1});
    const struct screen_rect all = {10, 10, 90, 40};
    ck_assert_mem_eq(&s.changed, &all, sizeof all);
    ck_assert(screen_resize(&s, 0, 0));
    ck_assert_ptr_null(s.pixels);
    screen_deinit(&s);
}
END_TEST

START_TEST(rectangles_may_be_anything)
{
    ck_assert(rect_is_inside((struct screen_rect){0, 0, 10, 10}, 10, 10));
    ck_assert(!rect_is_inside((struct screen_rect){1, 0, 10, 10}, 10, 10));
    ck_assert(!rect_is_inside((struct screen_rect){UINT32_MAX, 0, 2, 1}, 10, 10));
    ck_assert(rect_is_empty(
        rect_intersect((struct screen_rect){0, 0, 5, 5}, (struct screen_rect){5, 0, 5, 5})));
}
END_TEST

START_TEST(each_format_has_its_order_of_bytes)
{
    static const struct {
        enum pixel_format format;
        uint8_t bytes[4];
        uint32_t pixel;
    } cases[] = {
        {PIXEL_B8G8R8A8, {3, 2, 1, 9}, 0x09010203}, {PIXEL_B8G8R8X8, {3, 2, 1, 9}, 0xff010203},
        {PIXEL_A8R8G8B8, {9, 1, 2, 3}, 0x09010203}, {PIXEL_X8R8G8B8, {9, 1, 2, 3}, 0xff010203},
        {PIXEL_R8G8B8A8, {1, 2, 3, 9}, 0x09010203}, {PIXEL_X8B8G8R8, {9, 3, 2, 1}, 0xff010203},
        {PIXEL_A8B8G8R8, {9, 3, 2, 1}, 0x09010203}, {PIXEL_R8G8B8X8, {1, 2, 3, 9}, 0xff010203},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t pixel;
        ck_assert(pixel_format_is_known(cases[i].format));
        pixels_convert(&pixel, cases[i].bytes, 1, cases[i].format);
        ck_assert_uint_eq(pixel, cases[i].pixel);
    }
    ck_assert(!pixel_format_is_known(0) && !pixel_format_is_known(5));
}
END_TEST

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 16);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

/* 2 x 2: red, green; blue, white; and a half-transparent black cursor over the last. */
static void make_screen(struct screen *s)
{
    static const uint32_t pixels[] = {0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
    ck_assert(screen_resize(s, 2, 2));
    memcpy(s->pixels, pixels, sizeof pixels);
    s->cursor = (struct screen_cursor){.is_shown = true, .x = 2, .y = 2, .hot_x = 1, .hot_y = 1};
    s->cursor.pixels[0] = 0x80000000;
}

START_TEST(a_ppm_has_the_pixels_and_the_cursor)
{
    static const uint8_t wanted[] = "P6\n2 2\n255\n\xff\0\0\0\xff\0\0\0\xff\x7f\x7f\x7f";
    struct screen s = {0};
    struct error err;
    size_t size;
    enter_temp_folder();
    make_screen(&s);
    ck_assert(picture_write(&s, "a.ppm", &err));
    uint8_t *file = read_file("a.ppm", &size);
    ck_assert_uint_eq(size, sizeof wanted - 1);
    ck_assert_mem_eq(file, wanted, size);
    free(file);
    ck_assert(picture_write_as(&s, PICTURE_PPM, "b.png", &err));
    ck_assert_int_eq(shell("cmp a.ppm b.png"), 0);
    ck_assert(picture_write_as(&s, PICTURE_PNG, "b.ppm", &err));
    ck_assert_int_eq(shell("head -c 4 b.ppm | grep -q PNG"), 0);
    screen_deinit(&s);
    leave_temp_folder();
}
END_TEST

START_TEST(a_png_holds_the_same)
{
    static const uint8_t rows[] = "\0\xff\0\0\0\xff\0\0\0\0\xff\x7f\x7f\x7f";
    struct screen s = {0};
    struct error err;
    size_t size;
    uint8_t raw[64];
    uLongf raw_size = sizeof raw;
    enter_temp_folder();
    make_screen(&s);
    ck_assert(picture_write(&s, "a.png", &err));
    uint8_t *file = read_file("a.png", &size);
    ck_assert_mem_eq(file, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\2\0\0\0\2\x08\2\0\0\0", 29);
    ck_assert_mem_eq(file + size - 8, "IEND\xae\x42\x60\x82", 8);
    size_t packed = (size_t)file[33 + 2] << 8 | file[33 + 3];
    ck_assert_mem_eq(file + 37, "IDAT", 4);
    ck_assert_int_eq(uncompress(raw, &raw_size, file + 41, packed), Z_OK);
    ck_assert_uint_eq(raw_size, sizeof rows - 1);
    ck_assert_mem_eq(raw, rows, raw_size);
    free(file);
    screen_deinit(&s);
    leave_temp_folder();
}
END_TEST

START_TEST(what_shows_nothing_or_cannot_be_written_is_an_error)
{
    struct screen s = {0};
    struct error err;
    ck_assert(!picture_write(&s, "a.png", &err));
    ck_assert_str_eq(err.text, "the display shows nothing yet");
    make_screen(&s);
    ck_assert(!picture_write(&s, "/nonexistent/a.png", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/a.png"));
    screen_deinit(&s);
}
END_TEST

START_TEST(keys_have_names_and_usb_codes)
{
    ck_assert_uint_eq(key_by_name("ret", 3), 28);
    ck_assert_uint_eq(key_by_name("retx", 3), 28);
    ck_assert_uint_eq(key_by_name("re", 2), 0);
    ck_assert_uint_eq(key_by_usb(0x28), 28);
    ck_assert_uint_eq(key_by_usb(0x04), 30);
    ck_assert_uint_eq(key_by_usb(0xffff), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("screen");
    TCase *c = tcase_create("screen");
    tcase_add_test(c, keysyms_are_keys_of_a_us_keyboard);
    tcase_add_test(c, characters_are_keys_with_shift_or_without_and_beyond_ascii_none);
    tcase_add_test(c, changes_are_united_and_cut_off);
    tcase_add_test(c, rectangles_may_be_anything);
    tcase_add_test(c, each_format_has_its_order_of_bytes);
    tcase_add_test(c, a_ppm_has_the_pixels_and_the_cursor);
    tcase_add_test(c, a_png_holds_the_same);
    tcase_add_test(c, what_shows_nothing_or_cannot_be_written_is_an_error);
    tcase_add_test(c, keys_have_names_and_usb_codes);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
