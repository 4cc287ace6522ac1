/* The MMIO transport: the registers of both versions. */
#include "devices/virtio/mmio.h"
#include "tests/unit/suite.h"
#include "tests/unit/virtio_probe.h"

#define MAGIC_VALUE         0x000u
#define VERSION             0x004u
#define DEVICE_ID           0x008u
#define VENDOR_ID           0x00cu
#define DEVICE_FEATURES     0x010u
#define DEVICE_FEATURES_SEL 0x014u
#define DRIVER_FEATURES     0x020u
#define DRIVER_FEATURES_SEL 0x024u
#define GUEST_PAGE_SIZE     0x028u
#define QUEUE_SEL           0x030u
#define QUEUE_NUM_MAX       0x034u
#define QUEUE_NUM           0x038u
#define QUEUE_ALIGN         0x03cu
#define QUEUE_PFN           0x040u
#define QUEUE_READY         0x044u
#define QUEUE_NOTIFY        0x050u
#define INTERRUPT_STATUS    0x060u
#define INTERRUPT_ACK       0x064u
#define STATUS              0x070u
#define QUEUE_DESC_LOW      0x080u
#define QUEUE_DRIVER_LOW    0x090u
#define QUEUE_DEVICE_LOW    0x0a0u
#define SHM_LEN_LOW         0x0b0u
#define CONFIG_GENERATION   0x0fcu
#define CONFIG              0x100u

struct rig {
    struct virtio_rig rig; /* RAM and rings; its transport is not used */
    struct bench_log log;
    struct wire irq;
    struct device *slot;
    struct virtio *v;
};

static void init(struct rig *r, bool legacy)
{
    *r = (struct rig){0};
    bench_log_open(&r->log);
    rig_init(&r->rig);
    r->v = probe_create(&r->rig, r->log.log);
    struct virtio_mmio_config config = {
        .virtio = r->v, .legacy = legacy, .irq = wire_to(&r->irq, 0), .log = r->log.log};
    r->slot = virtio_mmio_create(&config);
    r->slot->ops->reset(r->slot);
}

static void end(struct rig *r, const char *text, unsigned lines)
{
    r->slot->ops->destroy(r->slot);
    rig_free(&r->rig);
    ck_assert_uint_eq(bench_log_close(&r->log, text), lines);
}

static uint32_t get(struct rig *r, unsigned offset)
{
    return (uint32_t)reg_read(r->slot, offset, 4);
}

static void set(struct rig *r, unsigned offset, uint32_t value)
{
    reg_write(r->slot, offset, value, 4);
}

static void check_identity(bool legacy)
{
    struct rig r;
    init(&r, legacy);
    ck_assert_uint_eq(get(&r, MAGIC_VALUE), 0x74726976);
    ck_assert_uint_eq(get(&r, VERSION), legacy ? 1 : 2);
    ck_assert_uint_eq(get(&r, DEVICE_ID), 42);
    ck_assert_uint_eq(get(&r, VENDOR_ID), 0x554d4551);
    ck_assert_uint_eq(get(&r, QUEUE_NUM_MAX), 256);
    set(&r, QUEUE_SEL, PROBE_QUEUES);
    ck_assert_uint_eq(get(&r, QUEUE_NUM_MAX), 0);
    ck_assert_uint_eq(get(&r, STATUS), 0);
    end(&r, "", 0);
}

START_TEST(both_versions_say_who_they_are)
{
    check_identity(true);
    check_identity(false);
}
END_TEST

START_TEST(an_empty_slot_has_device_id_0)
{
    struct virtio_mmio_config config = {.legacy = true};
    struct device *slot = virtio_mmio_create(&config);
    slot->ops->reset(slot);
    ck_assert_uint_eq(reg_read(slot, MAGIC_VALUE, 4), 0x74726976);
    ck_assert_uint_eq(reg_read(slot, VERSION, 4), 1);
    ck_assert_uint_eq(reg_read(slot, DEVICE_ID, 4), 0);
    ck_assert_uint_eq(reg_read(slot, STATUS, 4), 0);
    ck_assert_uint_eq(reg_read(slot, CONFIG, 1), 0);
    reg_write(slot, STATUS, 1, 4);
    reg_write(slot, CONFIG, 1, 1);
    ck_assert_uint_eq(reg_read(slot, STATUS, 4), 0);
    uint64_t seed = 99;
    for (unsigned i = 0; i < 2000; i++)
        fuzz_once(slot, VIRTIO_MMIO_BYTES, &seed);
    slot->ops->destroy(slot);
}
END_TEST

START_TEST(features_are_read_and_written_in_words)
{
    struct rig r;
    init(&r, false);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURES), 1u << PROBE_FEATURE | 3u << 28);
    set(&r, DEVICE_FEATURES_SEL, 1);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURES), 1);
    set(&r, DEVICE_FEATURES_SEL, 2);
    ck_assert_uint_eq(get(&r, DEVICE_FEATURES), 0);
    set(&r, DRIVER_FEATURES_SEL, 1);
    set(&r, DRIVER_FEATURES, 1);
    set(&r, DRIVER_FEATURES_SEL, 0);
    set(&r, DRIVER_FEATURES, 1u << PROBE_FEATURE);
    ck_assert(virtio_has(r.v, VIRTIO_F_VERSION_1));
    ck_assert(virtio_has(r.v, PROBE_FEATURE));
    set(&r, DRIVER_FEATURES_SEL, 2);
    set(&r, DRIVER_FEATURES, 1);
    ck_assert(virtio_has(r.v, PROBE_FEATURE));
    end(&r, "features 0x1 of word 2", 1);
}
END_TEST

START_TEST(a_modern_queue_is_three_addresses)
{
    struct rig r;
    init(&r, false);
    set(&r, QUEUE_SEL, 1);
    set(&r, QUEUE_NUM, 4);
    set(&r, QUEUE_DESC_LOW, 0x11111110);
    set(&r, QUEUE_DESC_LOW + 4, 1);
    set(&r, QUEUE_DRIVER_LOW, 0x22222222);
    set(&r, QUEUE_DRIVER_LOW + 4, 2);
    set(&r, QUEUE_DEVICE_LOW, 0x33333334);
    set(&r, QUEUE_DEVICE_LOW + 4, 3);
    ck_assert_uint_eq(get(&r, QUEUE_READY), 0);
    set(&r, QUEUE_READY, 1);
    ck_assert_uint_eq(get(&r, QUEUE_READY), 1);
    const struct virtio_queue *q = virtio_queue(r.v, 1);
    ck_assert_uint_eq(q->size, 4);
    ck_assert_uint_eq(q->desc, 0x111111110);
    ck_assert_uint_eq(q->avail, 0x222222222);
    ck_assert_uint_eq(q->used, 0x333333334);
    set(&r, QUEUE_DESC_LOW, 0); /* too late */
    ck_assert_uint_eq(q->desc, 0x111111110);
    set(&r, QUEUE_READY, 0);
    ck_assert(!q->ready);
    end(&r, "the address of queue 1 cannot be set now", 1);
}
END_TEST

START_TEST(a_legacy_queue_is_a_page_number)
{
    struct rig r;
    init(&r, true);
    set(&r, GUEST_PAGE_SIZE, 4096);
    set(&r, QUEUE_NUM, 4);
    set(&r, QUEUE_ALIGN, 256);
    set(&r, QUEUE_PFN, RAM >> 12);
    ck_assert_uint_eq(get(&r, QUEUE_PFN), RAM >> 12);
    const struct virtio_queue *q = virtio_queue(r.v, 0);
    ck_assert_uint_eq(q->desc, RAM);
    ck_assert_uint_eq(q->avail, RAM + 64);
    ck_assert_uint_eq(q->used, RAM + 256);
    set(&r, GUEST_PAGE_SIZE, 4095);
    set(&r, QUEUE_ALIGN, 0);
    set(&r, QUEUE_PFN, 0);
    ck_assert_uint_eq(get(&r, QUEUE_PFN), 0);
    ck_assert(!q->ready);
    set(&r, QUEUE_PFN, RAM >> 12);
    ck_assert_uint_eq(q->used, RAM + 256);
    end(&r, "a page size or alignment of", 2);
}
END_TEST

START_TEST(a_reset_by_status_keeps_the_legacy_page_size)
{
    struct rig r;
    init(&r, true);
    set(&r, GUEST_PAGE_SIZE, 4096);
    set(&r, DRIVER_FEATURES, 1u << PROBE_FEATURE);
    set(&r, STATUS, 0);
    ck_assert(!virtio_has(r.v, PROBE_FEATURE));
    set(&r, QUEUE_PFN, RAM >> 12);
    ck_assert_uint_eq(virtio_queue(r.v, 0)->desc, RAM);
    end(&r, "", 0);
}
END_TEST

START_TEST(each_version_has_its_own_registers_alone)
{
    struct rig r;
    init(&r, true);
    set(&r, QUEUE_READY, 1);
    get(&r, QUEUE_READY);
    set(&r, QUEUE_DESC_LOW, 1);
    get(&r, CONFIG_GENERATION);
    ck_assert_uint_eq(virtio_queue(r.v, 0)->desc, 0);
    end(&r, "no register for a", 4);
    init(&r, false);
    set(&r, GUEST_PAGE_SIZE, 4096);
    set(&r, QUEUE_PFN, 1);
    get(&r, QUEUE_PFN);
    ck_assert(!virtio_queue(r.v, 0)->ready);
    end(&r, "in version 2", 3);
}
END_TEST

START_TEST(registers_are_32_bits_wide_and_the_configuration_any)
{
    struct rig r;
    init(&r, false);
    memcpy(probe_of(r.v)->config, "abcdefgh", 8);
    ck_assert_uint_eq(reg_read(r.slot, MAGIC_VALUE, 8), 0);
    ck_assert_uint_eq(reg_read(r.slot, MAGIC_VALUE, 1), 0);
    reg_write(r.slot, STATUS, 1, 1);
    ck_assert_uint_eq(get(&r, STATUS), 0);
    ck_assert_uint_eq(reg_read(r.slot, CONFIG + 1, 1), 'b');
    ck_assert_uint_eq(reg_read(r.slot, CONFIG + 2, 2), 'c' | 'd' << 8);
    ck_assert_uint_eq(reg_read(r.slot, CONFIG, 8), 0x6867666564636261);
    reg_write(r.slot, CONFIG + 4, 0x5a595857, 4);
    ck_assert_mem_eq(probe_of(r.v)->config, "abcdWXYZ", 8);
    end(&r, "no register for a", 3);
}
END_TEST

START_TEST(the_line_is_up_until_the_interrupt_is_acknowledged)
{
    struct rig r;
    init(&r, false);
    r.rig.v = r.v;
    rig_start(&r.rig, 0, 4, 0);
    put(&r.rig, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r.rig, 0);
    set(&r, QUEUE_NOTIFY, 0);
    ck_assert_uint_eq(probe_of(r.v)->rings[0], 1);
    probe_take(&r.rig);
    ck_assert(!r.irq.level);
    probe_give(&r.rig, 8);
    ck_assert(r.irq.level);
    virtio_config_changed(r.v);
    ck_assert_uint_eq(get(&r, INTERRUPT_STATUS), 3);
    ck_assert_uint_eq(get(&r, CONFIG_GENERATION), 1);
    set(&r, INTERRUPT_ACK, 1);
    ck_assert(r.irq.level);
    set(&r, INTERRUPT_ACK, 2);
    ck_assert(!r.irq.level);
    virtio_config_changed(r.v);
    set(&r, STATUS, 0);
    ck_assert(!r.irq.level);
    virtio_config_changed(r.v);
    r.slot->ops->reset(r.slot);
    ck_assert(!r.irq.level);
    r.rig.v = NULL; /* the slot destroys it */
    end(&r, "", 0);
}
END_TEST

START_TEST(there_is_no_shared_memory)
{
    struct rig r;
    init(&r, false);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(get(&r, SHM_LEN_LOW + 4 * i), 0xffffffff);
    end(&r, "", 0);
}
END_TEST

START_TEST(a_save_and_load_carries_registers_and_device)
{
    struct rig from, to;
    init(&from, true);
    init(&to, true);
    set(&from, GUEST_PAGE_SIZE, 4096);
    set(&from, QUEUE_ALIGN, 64);
    set(&from, STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    set(&from, QUEUE_PFN, RAM >> 12);
    check_round_trip(from.slot, to.slot);
    ck_assert_uint_eq(get(&to, QUEUE_PFN), RAM >> 12);
    end(&from, "", 0);
    end(&to, "", 0);
}
END_TEST

START_TEST(a_state_of_the_other_version_is_refused)
{
    struct rig from, to;
    size_t size;
    init(&from, true);
    init(&to, false);
    uint8_t *saved = device_save(from.slot, &size);
    ck_assert(!device_load(to.slot, saved, size));
    ck_assert(!to.v->legacy);
    free(saved);
    end(&from, "", 0);
    end(&to, "", 0);
}
END_TEST

START_TEST(damaged_states_and_random_accesses_do_no_harm)
{
    for (unsigned legacy = 0; legacy < 2; legacy++) {
        struct rig from, to;
        uint64_t seed = 4711 + legacy;
        init(&from, legacy);
        init(&to, legacy);
        set(&from, STATUS, 7);
        check_damaged_states(from.slot, to.slot, VIRTIO_MMIO_BYTES);
        to.slot->ops->reset(to.slot);
        for (unsigned i = 0; i < 100000; i++)
            fuzz_once(to.slot, 0x120, &seed);
        end(&from, "nothing of this kind", 0);
        end(&to, "nothing of this kind", 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio-mmio");
    TCase *c = tcase_create("registers");
    tcase_add_test(c, both_versions_say_who_they_are);
    tcase_add_test(c, an_empty_slot_has_device_id_0);
    tcase_add_test(c, features_are_read_and_written_in_words);
    tcase_add_test(c, a_modern_queue_is_three_addresses);
    tcase_add_test(c, a_legacy_queue_is_a_page_number);
    tcase_add_test(c, a_reset_by_status_keeps_the_legacy_page_size);
    tcase_add_test(c, each_version_has_its_own_registers_alone);
    tcase_add_test(c, registers_are_32_bits_wide_and_the_configuration_any);
    tcase_add_test(c, the_line_is_up_until_the_interrupt_is_acknowledged);
    tcase_add_test(c, there_is_no_shared_memory);
    tcase_add_test(c, a_save_and_load_carries_registers_and_device);
    tcase_add_test(c, a_state_of_the_other_version_is_refused);
    tcase_add_test(c, damaged_states_and_random_accesses_do_no_harm);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
