/* The entropy device. */
#include "devices/virtio/rng.h"
#include "tests/unit/suite.h"
#include "tests/unit/virtio_rig.h"

static void count_up(void *owner, uint8_t *bytes, size_t n)
{
    uint8_t *next = owner;
    for (size_t i = 0; i < n; i++)
        bytes[i] = ++*next;
}

static void init(struct virtio_rig *r, uint64_t seed, uint8_t *host)
{
    rig_init(r);
    struct virtio_rng_config config = {.seed = seed, .memory = r->memory};
    if (host)
        config.host = (struct entropy_source){.fill = count_up, .owner = host};
    rig_attach(r, virtio_rng_create(&config));
    rig_start(r, 0, 8, 0);
}

/* Asks for n bytes and returns the first 8 of them. */
static uint64_t draw(struct virtio_rig *r, uint32_t n)
{
    uint64_t bytes = 0;
    uint16_t used = used_index(r);
    put(r, 0, RIG_DATA, n, DESC_WRITE, 0);
    offer(r, 0);
    ring(r);
    ck_assert_uint_eq(used_index(r), used + 1);
    peek(r, RIG_DATA, &bytes, min_u64(n, 8));
    return bytes;
}

START_TEST(the_hosts_bytes_fill_what_the_driver_gives)
{
    struct virtio_rig r;
    uint8_t host = 0;
    init(&r, 1, &host);
    ck_assert_uint_eq(draw(&r, 8), 0x0807060504030201);
    ck_assert_uint_eq(used_bytes(&r, 0), 8);
    ck_assert_uint_eq(r.queue_interrupts, 1);
    rig_free(&r);
}
END_TEST

START_TEST(without_a_host_the_seed_decides)
{
    struct virtio_rig a, b, c;
    init(&a, 1, NULL);
    init(&b, 1, NULL);
    init(&c, 2, NULL);
    uint64_t first = draw(&a, 8), second = draw(&a, 8);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(draw(&b, 8), first);
    ck_assert_uint_ne(draw(&c, 8), first);
    rig_free(&a);
    rig_free(&b);
    rig_free(&c);
}
END_TEST

START_TEST(a_reset_does_not_repeat_the_bytes_and_a_load_does)
{
    struct virtio_rig r;
    size_t size;
    init(&r, 1, NULL);
    uint64_t first = draw(&r, 8);
    virtio_set_status(r.v, 0);
    rig_start(&r, 0, 8, 0);
    uint8_t *saved = virtio_save(r.v, &size);
    uint64_t second = draw(&r, 8);
    ck_assert_uint_ne(second, first);
    ck_assert(virtio_load(r.v, saved, size));
    rig_start(&r, 0, 8, 0);
    ck_assert_uint_eq(draw(&r, 8), second);
    free(saved);
    rig_free(&r);
}
END_TEST

START_TEST(a_large_or_unusable_request_is_answered)
{
    struct virtio_rig r;
    uint8_t host = 0;
    init(&r, 1, &host);
    draw(&r, 1 << 20);
    ck_assert_uint_eq(used_bytes(&r, 0), 4096);
    put(&r, 0, RIG_DATA, 100, 0, 0); /* nothing to write to */
    offer(&r, 0);
    ring(&r);
    ck_assert_uint_eq(used_bytes(&r, 1), 0);
    ck_assert(!r.v->broken);
    rig_free(&r);
}
END_TEST

START_TEST(all_that_waits_is_filled)
{
    struct virtio_rig r;
    uint8_t host = 0;
    init(&r, 1, &host);
    for (uint16_t i = 0; i < 5; i++) {
        put(&r, i, RIG_DATA + 16u * i, 3, DESC_WRITE, 0);
        offer(&r, i);
    }
    ring(&r);
    ck_assert_uint_eq(used_index(&r), 5);
    ck_assert_uint_eq(host, 15);
    ck_assert_uint_eq(r.queue_interrupts, 1);
    rig_free(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio-rng");
    TCase *c = tcase_create("bytes");
    tcase_add_test(c, the_hosts_bytes_fill_what_the_driver_gives);
    tcase_add_test(c, without_a_host_the_seed_decides);
    tcase_add_test(c, a_reset_does_not_repeat_the_bytes_and_a_load_does);
    tcase_add_test(c, a_large_or_unusable_request_is_answered);
    tcase_add_test(c, all_that_waits_is_filled);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
