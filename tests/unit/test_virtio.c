/* What every virtio device has: features, status, configuration space, queues, reset. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_probe.h"

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)
#define OFFERED                                                                                    \
    (1ull << PROBE_FEATURE | 1ull << VIRTIO_F_INDIRECT_DESC | 1ull << VIRTIO_F_EVENT_IDX)

struct rig {
    struct virtio_rig rig;
    struct bench_log log;
    struct virtio *v;
};

static void init(struct rig *r)
{
    bench_log_open(&r->log);
    rig_init(&r->rig);
    r->v = probe_create(&r->rig, r->log.log);
    rig_attach(&r->rig, r->v);
}

/* Ends the test; the log has this many lines with the text. */
static void end(struct rig *r, const char *text, unsigned lines)
{
    rig_free(&r->rig);
    ck_assert_uint_eq(bench_log_close(&r->log, text), lines);
}

static void set_status(struct rig *r, unsigned status)
{
    virtio_set_status(r->v, (uint8_t)status);
}

START_TEST(a_modern_driver_is_offered_version_1_and_a_legacy_one_any_layout)
{
    struct rig r;
    init(&r);
    ck_assert_uint_eq(virtio_offered(r.v), OFFERED | VERSION_1);
    r.v->legacy = true;
    ck_assert_uint_eq(virtio_offered(r.v), OFFERED | 1ull << VIRTIO_F_ANY_LAYOUT);
    end(&r, "", 0);
}
END_TEST

START_TEST(features_that_were_offered_are_accepted)
{
    struct rig r;
    init(&r);
    set_status(&r, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    virtio_accept(r.v, VERSION_1 | 1u << PROBE_FEATURE);
    set_status(&r, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert_uint_eq(r.v->status, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert(virtio_has(r.v, PROBE_FEATURE));
    ck_assert(!virtio_has(r.v, VIRTIO_F_EVENT_IDX));
    virtio_accept(r.v, VERSION_1 | 1ull << VIRTIO_F_EVENT_IDX); /* too late */
    ck_assert(!virtio_has(r.v, VIRTIO_F_EVENT_IDX));
    end(&r, "features written after FEATURES_OK", 1);
}
END_TEST

START_TEST(features_ok_is_refused_with_a_feature_that_was_not_offered)
{
    struct rig r;
    init(&r);
    virtio_accept(r.v, VERSION_1 | 1u << 5);
    set_status(&r, VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert_uint_eq(r.v->status, VIRTIO_DRIVER);
    virtio_accept(r.v, VERSION_1);
    set_status(&r, VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    ck_assert_uint_eq(r.v->status, VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    end(&r, "features 0x20 were not offered", 1);
}
END_TEST

START_TEST(what_was_not_offered_is_never_there)
{
    struct rig r;
    init(&r);
    virtio_accept(r.v, VERSION_1 | 1u << 5);
    set_status(&r, VIRTIO_DRIVER_OK); /* without asking whether the features are right */
    ck_assert(!virtio_has(r.v, 5));
    set_status(&r, 0);
    r.v->legacy = true;
    virtio_accept(r.v, 1u << 5 | 1u << PROBE_FEATURE);
    ck_assert(!virtio_has(r.v, 5));
    ck_assert(virtio_has(r.v, PROBE_FEATURE));
    end(&r, "", 0);
}
END_TEST

START_TEST(driver_ok_starts_the_device_once)
{
    struct rig r;
    init(&r);
    ck_assert(!virtio_is_running(r.v));
    set_status(&r, VIRTIO_DRIVER | VIRTIO_DRIVER_OK);
    set_status(&r, VIRTIO_DRIVER | VIRTIO_DRIVER_OK);
    ck_assert(virtio_is_running(r.v));
    ck_assert_uint_eq(probe_of(r.v)->starts, 1);
    end(&r, "", 0);
}
END_TEST

START_TEST(status_0_resets_everything)
{
    struct rig r;
    init(&r);
    rig_start(&r.rig, 1, 4, 1u << PROBE_FEATURE);
    put(&r.rig, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r.rig, 0);
    probe_take(&r.rig);
    virtio_config_changed(r.v);
    unsigned resets = probe_of(r.v)->resets;
    set_status(&r, 0);
    ck_assert_uint_eq(probe_of(r.v)->resets, resets + 1);
    ck_assert_uint_eq(r.v->status, 0);
    ck_assert_uint_eq(r.v->isr, 0);
    ck_assert(!virtio_has(r.v, PROBE_FEATURE));
    ck_assert(!r.v->queues[1].ready);
    ck_assert_uint_eq(r.v->queues[1].size, PROBE_QUEUE_SIZE);
    ck_assert_uint_eq(r.v->queues[1].desc, 0);
    ck_assert_uint_eq(r.v->queues[1].held, 0);
    end(&r, "", 0);
}
END_TEST

START_TEST(clearing_a_status_bit_is_logged)
{
    struct rig r;
    init(&r);
    set_status(&r, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    set_status(&r, VIRTIO_DRIVER);
    end(&r, "status bits 0x1 cleared without a reset", 1);
}
END_TEST

START_TEST(needs_reset_stays_until_a_reset)
{
    struct rig r;
    init(&r);
    rig_start(&r.rig, 0, 4, 0);
    virtio_break(r.v, 0, "for a test");
    ck_assert(!virtio_is_running(r.v));
    set_status(&r, VIRTIO_DRIVER | VIRTIO_DRIVER_OK);
    ck_assert(r.v->status & VIRTIO_NEEDS_RESET);
    ring(&r.rig);
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 0);
    set_status(&r, 0);
    ck_assert_uint_eq(r.v->status, 0);
    rig_start(&r.rig, 0, 4, 0);
    ring(&r.rig);
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 1);
    end(&r, "queue 0: for a test; the device needs a reset", 1);
}
END_TEST

START_TEST(a_queue_in_use_alone_is_rung)
{
    struct rig r;
    init(&r);
    rig_start(&r.rig, 0, 4, 0);
    virtio_notify(r.v, 0);
    virtio_notify(r.v, 1);            /* not ready */
    virtio_notify(r.v, PROBE_QUEUES); /* not there */
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 1);
    ck_assert_uint_eq(probe_of(r.v)->rings[1], 0);
    r.v->status = VIRTIO_DRIVER;
    virtio_notify(r.v, 0);
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 1);
    r.v->legacy = true; /* may ring before DRIVER_OK */
    virtio_notify(r.v, 0);
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 2);
    end(&r, "was rung and is not in use", 3);
}
END_TEST

START_TEST(a_queue_takes_a_power_of_two_that_fits_while_it_is_not_ready)
{
    static const uint32_t bad[] = {0, 3, 512, 0x10000, 0x80000000};
    struct rig r;
    init(&r);
    virtio_queue_set_size(r.v, 0, 4);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        virtio_queue_set_size(r.v, 0, bad[i]);
    virtio_queue_set_size(r.v, PROBE_QUEUES, 4);
    virtio_queue_set_ready(r.v, 0, true);
    virtio_queue_set_size(r.v, 0, 8);
    ck_assert_uint_eq(r.v->queues[0].size, 4);
    virtio_queue_set_ready(r.v, 0, false);
    virtio_queue_set_size(r.v, 0, 256); /* more than the device would choose */
    ck_assert_uint_eq(r.v->queues[0].size, 256);
    virtio_queue_set_ready(r.v, PROBE_QUEUES, true);
    end(&r, "cannot be given", 7);
}
END_TEST

START_TEST(a_legacy_queue_lies_in_one_piece)
{
    struct rig r;
    init(&r);
    virtio_queue_set_size(r.v, 0, 8);
    virtio_queue_set_legacy(r.v, 0, RAM, 4096);
    const struct virtio_queue *q = virtio_queue(r.v, 0);
    ck_assert(q->ready);
    ck_assert_uint_eq(q->desc, RAM);
    ck_assert_uint_eq(q->avail, RAM + 128);
    ck_assert_uint_eq(q->used, RAM + 4096);
    virtio_queue_set_legacy(r.v, 0, RAM, 64); /* 128 + 4 + 2 * 8 + 2 = 150 */
    ck_assert_uint_eq(q->used, RAM + 192);
    virtio_queue_set_legacy(r.v, 0, 0, 64);
    ck_assert(!q->ready);
    virtio_queue_set_legacy(r.v, PROBE_QUEUES, RAM, 64);
    end(&r, "", 0);
}
END_TEST

START_TEST(the_configuration_is_read_and_written_inside_its_bounds)
{
    struct rig r;
    uint64_t value = 0;
    init(&r);
    memcpy(probe_of(r.v)->config, "abcdefgh", 8);
    virtio_read_config(r.v, 2, &value, 4);
    ck_assert_mem_eq(&value, "cdef", 4);
    virtio_write_config(r.v, 7, "X", 1);
    virtio_read_config(r.v, 0, &value, 8);
    ck_assert_mem_eq(&value, "abcdefgX", 8);
    virtio_read_config(r.v, 5, &value, 4);
    ck_assert_uint_eq((uint32_t)value, 0);
    virtio_read_config(r.v, 0xfffffffe, &value, 4);
    virtio_write_config(r.v, 8, "Y", 1);
    end(&r, "bytes of configuration at", 3);
}
END_TEST

START_TEST(a_configuration_change_interrupts_and_has_a_new_generation)
{
    struct rig r;
    init(&r);
    uint8_t generation = r.v->generation;
    virtio_config_changed(r.v);
    ck_assert_uint_ne(r.v->generation, generation);
    ck_assert_uint_eq(r.v->isr, VIRTIO_ISR_CONFIG);
    ck_assert_uint_eq(r.rig.config_interrupts, 1);
    end(&r, "", 0);
}
END_TEST

START_TEST(a_load_gives_up_what_the_device_held)
{
    struct rig r;
    size_t size;
    init(&r);
    rig_start(&r.rig, 0, 4, 0);
    put(&r.rig, 0, RIG_DATA, 8, DESC_WRITE, 0);
    uint8_t *saved = virtio_save(r.v, &size);
    offer(&r.rig, 0);
    probe_take(&r.rig);
    ck_assert(virtio_load(r.v, saved, size));
    ck_assert_uint_eq(probe_of(r.v)->held_count, 0);
    ck_assert_uint_eq(r.v->queues[0].held, 0);
    ck_assert_ptr_nonnull(probe_take(&r.rig)); /* it was not taken yet */
    free(saved);
    end(&r, "", 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio core");
    TCase *c = tcase_create("core");
    tcase_add_test(c, a_modern_driver_is_offered_version_1_and_a_legacy_one_any_layout);
    tcase_add_test(c, features_that_were_offered_are_accepted);
    tcase_add_test(c, features_ok_is_refused_with_a_feature_that_was_not_offered);
    tcase_add_test(c, what_was_not_offered_is_never_there);
    tcase_add_test(c, driver_ok_starts_the_device_once);
    tcase_add_test(c, status_0_resets_everything);
    tcase_add_test(c, clearing_a_status_bit_is_logged);
    tcase_add_test(c, needs_reset_stays_until_a_reset);
    tcase_add_test(c, a_queue_in_use_alone_is_rung);
    tcase_add_test(c, a_queue_takes_a_power_of_two_that_fits_while_it_is_not_ready);
    tcase_add_test(c, a_legacy_queue_lies_in_one_piece);
    tcase_add_test(c, the_configuration_is_read_and_written_inside_its_bounds);
    tcase_add_test(c, a_configuration_change_interrupts_and_has_a_new_generation);
    tcase_add_test(c, a_load_gives_up_what_the_device_held);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
