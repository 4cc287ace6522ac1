/* devices/net/framing.c: frames on a byte stream. */
#include "devices/net/framing.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/link_rig.h"
#include "tests/unit/suite.h"

/* A stream of `count` frames of growing size; returns its length. */
static size_t make_stream(uint8_t *stream, unsigned count)
{
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t bytes = 14 + i * 57;
        framing_header(stream + size, bytes);
        test_frame(stream + size + FRAMING_HEADER, bytes, i);
        size += FRAMING_HEADER + bytes;
    }
    return size;
}

static void check_frames(struct frames *f, unsigned count)
{
    uint8_t expected[4096];
    ck_assert_uint_eq(f->count, count);
    for (unsigned i = 0; i < count; i++)
        frames_check(f, i, test_frame(expected, 14 + i * 57, i), 14 + i * 57);
}

START_TEST(the_length_is_four_bytes_big_endian)
{
    uint8_t header[FRAMING_HEADER];
    framing_header(header, 0x01020304);
    ck_assert_mem_eq(header, "\1\2\3\4", 4);
}
END_TEST

START_TEST(frames_are_found_however_the_stream_is_cut)
{
    uint8_t stream[65536];
    size_t size = make_stream(stream, 20);
    for (size_t part = 1; part <= size; part += part < 40 ? 1 : 997) {
        struct frames *f = frames_create();
        struct link_receiver receiver = frames_receiver(f);
        struct framing_reader *r = calloc(1, sizeof *r);
        for (size_t at = 0; at < size; at += part)
            ck_assert(framing_read(r, stream + at, min_u64(part, size - at), &receiver));
        check_frames(f, 20);
        free(r);
        frames_destroy(f);
    }
}
END_TEST

START_TEST(a_frame_is_handed_on_with_its_last_byte)
{
    uint8_t stream[256];
    size_t size = make_stream(stream, 1);
    struct frames *f = frames_create();
    struct link_receiver receiver = frames_receiver(f);
    struct framing_reader *r = calloc(1, sizeof *r);
    ck_assert(framing_read(r, stream, size - 1, &receiver));
    ck_assert_uint_eq(f->count, 0);
    ck_assert(framing_read(r, stream + size - 1, 1, &receiver));
    ck_assert_uint_eq(f->count, 1);
    free(r);
    frames_destroy(f);
}
END_TEST

START_TEST(the_longest_frame_passes_and_a_longer_one_is_refused_at_its_header)
{
    struct frames *f = frames_create();
    struct link_receiver receiver = frames_receiver(f);
    struct framing_reader *r = calloc(1, sizeof *r);
    uint8_t *stream = calloc(1, FRAMING_HEADER + LINK_FRAME_MAX);
    framing_header(stream, LINK_FRAME_MAX);
    ck_assert(framing_read(r, stream, FRAMING_HEADER + LINK_FRAME_MAX, &receiver));
    ck_assert_uint_eq(f->count, 1);
    framing_header(stream, LINK_FRAME_MAX + 1);
    ck_assert(!framing_read(r, stream, FRAMING_HEADER, &receiver));
    framing_header(stream, 0xffffffff);
    r->size = 0;
    ck_assert(!framing_read(r, stream, FRAMING_HEADER, &receiver));
    free(stream);
    free(r);
    frames_destroy(f);
}
END_TEST

START_TEST(an_empty_frame_does_not_stop_the_stream)
{
    struct frames *f = frames_create();
    struct link_receiver receiver = frames_receiver(f);
    struct framing_reader *r = calloc(1, sizeof *r);
    uint8_t stream[512] = {0};
    size_t size = FRAMING_HEADER + make_stream(stream + FRAMING_HEADER, 2);
    ck_assert(framing_read(r, stream, size, &receiver));
    ck_assert_uint_eq(f->count, 3);
    ck_assert_uint_eq(f->ends[0], 0);
    free(r);
    frames_destroy(f);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("framing");
    tcase_add_test(cases, the_length_is_four_bytes_big_endian);
    tcase_add_test(cases, frames_are_found_however_the_stream_is_cut);
    tcase_add_test(cases, a_frame_is_handed_on_with_its_last_byte);
    tcase_add_test(cases, the_longest_frame_passes_and_a_longer_one_is_refused_at_its_header);
    tcase_add_test(cases, an_empty_frame_does_not_stop_the_stream);
    Suite *suite = suite_create("framing");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
