/* Split virtqueues: what a good driver does, and all that a hostile one can. */
#include "tests/unit/suite.h"
#include "tests/unit/virtio_probe.h"

#define INDIRECT  (1ull << VIRTIO_F_INDIRECT_DESC)
#define EVENT_IDX (1ull << VIRTIO_F_EVENT_IDX)

static void start(struct virtio_rig *r, uint64_t features)
{
    rig_init(r);
    rig_attach(r, probe_create(r, NULL));
    rig_start(r, 0, PROBE_QUEUE_SIZE, features);
}

/* --- good drivers ------------------------------------------------------------------------ */

START_TEST(a_chain_is_its_readable_then_its_writable_segments)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 3, RIG_DATA, 16, DESC_NEXT, 7);
    put(&r, 7, RIG_DATA + 0x1000, 20, DESC_NEXT, 0);
    put(&r, 0, RIG_DATA + 0x2000, 5, DESC_WRITE | DESC_NEXT, 1);
    put(&r, 1, RIG_DATA + 0x3000, 6, DESC_WRITE, 3);
    offer(&r, 3);
    const struct virtio_chain *c = probe_take(&r);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->head, 3);
    ck_assert_uint_eq(c->readable, 2);
    ck_assert_uint_eq(c->writable, 2);
    ck_assert_uint_eq(c->readable_bytes, 36);
    ck_assert_uint_eq(c->writable_bytes, 11);
    ck_assert_uint_eq(c->segments[1].gpa, RIG_DATA + 0x1000);
    ck_assert_uint_eq(c->segments[3].bytes, 6);
    ck_assert_ptr_null(probe_take(&r));
    rig_free(&r);
}
END_TEST

START_TEST(bytes_are_copied_across_segments)
{
    struct virtio_rig r;
    char text[16] = {0};
    start(&r, 0);
    put(&r, 0, RIG_DATA, 3, DESC_NEXT, 1);
    put(&r, 1, RIG_DATA + 0x1000, 4, DESC_NEXT, 2);
    put(&r, 2, RIG_DATA + 0x2000, 2, DESC_WRITE | DESC_NEXT, 3);
    put(&r, 3, RIG_DATA + 0x3000, 9, DESC_WRITE, 0);
    poke(&r, RIG_DATA, "abcX", 4);
    poke(&r, RIG_DATA + 0x1000, "defgX", 5);
    offer(&r, 0);
    struct virtio_chain *c = probe_take(&r);
    ck_assert_uint_eq(virtio_read(r.v, c, 0, text, sizeof text), 7);
    ck_assert_str_eq(text, "abcdefg");
    memset(text, 0, sizeof text);
    ck_assert_uint_eq(virtio_read(r.v, c, 2, text, 3), 3);
    ck_assert_str_eq(text, "cde");
    ck_assert_uint_eq(virtio_read(r.v, c, 7, text, 1), 0);
    ck_assert_uint_eq(virtio_write(r.v, c, 1, "1234", 4), 4);
    ck_assert_uint_eq(virtio_write(r.v, c, 9, "xxxx", 4), 2);
    ck_assert_uint_eq(virtio_write(r.v, c, UINT64_MAX, "xxxx", 4), 0);
    peek(&r, RIG_DATA + 0x2001, text, 1);
    ck_assert_int_eq(text[0], '1');
    peek(&r, RIG_DATA + 0x3000, text, 3);
    ck_assert_mem_eq(text, "234", 3);
    rig_free(&r);
}
END_TEST

START_TEST(an_indirect_table_stands_for_the_chain)
{
    struct virtio_rig r;
    start(&r, INDIRECT);
    put_in_table(&r, RIG_INDIRECT, 0, RIG_DATA, 1, DESC_NEXT, 2);
    put_in_table(&r, RIG_INDIRECT, 2, RIG_DATA + 1, 2, DESC_WRITE, 0);
    put(&r, 5, RIG_INDIRECT, 48, DESC_INDIRECT | DESC_WRITE, 0); /* WRITE means nothing here */
    offer(&r, 5);
    const struct virtio_chain *c = probe_take(&r);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->head, 5);
    ck_assert_uint_eq(c->readable_bytes, 1);
    ck_assert_uint_eq(c->writable_bytes, 2);
    rig_free(&r);
}
END_TEST

START_TEST(an_indirect_table_may_end_a_direct_chain_and_be_longer_than_the_ring)
{
    struct virtio_rig r;
    start(&r, INDIRECT);
    put(&r, 0, RIG_DATA, 7, DESC_NEXT, 1);
    put(&r, 1, RIG_INDIRECT, 16 * 20, DESC_INDIRECT, 0);
    for (unsigned i = 0; i < 20; i++)
        put_in_table(&r, RIG_INDIRECT, i, RIG_DATA + 0x1000, 1, i < 19 ? DESC_NEXT : 0,
                     (uint16_t)(i + 1));
    offer(&r, 0);
    const struct virtio_chain *c = probe_take(&r);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->readable, 21);
    ck_assert_uint_eq(c->readable_bytes, 27);
    rig_free(&r);
}
END_TEST

START_TEST(chains_are_given_back_in_any_order_and_shown_together)
{
    struct virtio_rig r;
    struct virtio_chain *c[3];
    start(&r, 0);
    for (uint16_t i = 0; i < 3; i++) {
        put(&r, i, RIG_DATA, 8, DESC_WRITE, 0);
        offer(&r, i);
        c[i] = virtio_take(r.v, 0);
    }
    virtio_give(r.v, c[2], 5);
    virtio_give(r.v, c[0], 6);
    ck_assert_uint_eq(used_index(&r), 0);
    virtio_publish(r.v, 0);
    ck_assert_uint_eq(used_index(&r), 2);
    ck_assert_uint_eq(r.queue_interrupts, 1);
    ck_assert_uint_eq(used_head(&r, 0), 2);
    ck_assert_uint_eq(used_bytes(&r, 0), 5);
    ck_assert_uint_eq(used_head(&r, 1), 0);
    ck_assert_uint_eq(used_bytes(&r, 1), 6);
    ck_assert_uint_eq(r.v->queues[0].held, 1);
    virtio_give(r.v, c[1], 0);
    virtio_publish(r.v, 0);
    virtio_publish(r.v, 0); /* nothing new: no interrupt */
    ck_assert_uint_eq(r.queue_interrupts, 2);
    ck_assert_uint_eq(r.v->isr, VIRTIO_ISR_QUEUE);
    rig_free(&r);
}
END_TEST

START_TEST(a_chain_that_was_put_back_is_taken_again)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    put(&r, 1, RIG_DATA, 9, DESC_WRITE, 0);
    offer(&r, 0);
    offer(&r, 1);
    struct virtio_chain *first = virtio_take(r.v, 0), *second = virtio_take(r.v, 0);
    ck_assert_uint_eq(second->writable_bytes, 9);
    virtio_untake(r.v, second);
    virtio_untake(r.v, first);
    ck_assert_uint_eq(r.v->queues[0].held, 0);
    ck_assert_uint_eq(probe_take(&r)->writable_bytes, 8);
    rig_free(&r);
}
END_TEST

START_TEST(indices_wrap_at_16_bits)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 4, RIG_DATA, 8, DESC_WRITE, 0);
    for (unsigned i = 0; i < 70000; i++) {
        offer(&r, 4);
        ck_assert_ptr_nonnull(probe_take(&r));
        probe_give(&r, i);
        ck_assert_uint_eq(used_bytes(&r, i), i);
    }
    ck_assert_uint_eq(used_index(&r), 70000 % 65536);
    ck_assert_uint_eq(r.queue_interrupts, 70000);
    rig_free(&r);
}
END_TEST

START_TEST(the_no_interrupt_flag_is_heard)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    poke_u16(&r, RIG_AVAIL, 1);
    offer(&r, 0);
    probe_take(&r);
    probe_give(&r, 0);
    ck_assert_uint_eq(used_index(&r), 1);
    ck_assert_uint_eq(r.queue_interrupts, 0);
    ck_assert_uint_eq(r.v->isr, 0);
    rig_free(&r);
}
END_TEST

START_TEST(with_the_event_index_an_interrupt_comes_when_its_entry_is_used)
{
    struct virtio_rig r;
    start(&r, EVENT_IDX);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    poke_u16(&r, RIG_AVAIL, 1);                            /* ignored */
    poke_u16(&r, RIG_AVAIL + 4 + 2 * PROBE_QUEUE_SIZE, 2); /* used_event: the third entry */
    for (unsigned i = 0; i < 5; i++) {
        offer(&r, 0);
        probe_take(&r);
        probe_give(&r, 0);
        ck_assert_uint_eq(r.queue_interrupts, i >= 2);
    }
    for (unsigned i = 0; i < 3; i++) { /* several at once: 5, 6, 7; the event is 6 */
        offer(&r, 0);
        virtio_give(r.v, virtio_take(r.v, 0), 0);
    }
    poke_u16(&r, RIG_AVAIL + 4 + 2 * PROBE_QUEUE_SIZE, 6);
    virtio_publish(r.v, 0);
    ck_assert_uint_eq(r.queue_interrupts, 2);
    rig_free(&r);
}
END_TEST

START_TEST(with_the_event_index_an_empty_queue_asks_for_the_next_chain)
{
    struct virtio_rig r;
    uint64_t avail_event = RIG_USED + 4 + 8 * PROBE_QUEUE_SIZE;
    start(&r, EVENT_IDX);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r, 0);
    offer(&r, 0);
    probe_take(&r);
    ck_assert_uint_eq(peek_u16(&r, avail_event), 0);
    probe_take(&r);
    ck_assert_ptr_null(probe_take(&r));
    ck_assert_uint_eq(peek_u16(&r, avail_event), 2);
    rig_free(&r);
}
END_TEST

START_TEST(nothing_is_taken_before_driver_ok_or_from_a_queue_that_is_not_ready)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r, 0);
    virtio_queue_set_ready(r.v, 0, false);
    ck_assert_ptr_null(probe_take(&r));
    virtio_queue_set_ready(r.v, 0, true);
    r.v->status &= (uint8_t)~VIRTIO_DRIVER_OK;
    ck_assert_ptr_null(probe_take(&r));
    r.v->status |= VIRTIO_DRIVER_OK;
    ck_assert_ptr_nonnull(probe_take(&r));
    rig_free(&r);
}
END_TEST

START_TEST(a_chain_of_a_queue_that_was_switched_off_is_not_written_to_memory)
{
    struct virtio_rig r;
    start(&r, 0);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r, 0);
    probe_take(&r);
    virtio_queue_set_ready(r.v, 0, false);
    probe_give(&r, 0);
    ck_assert_uint_eq(used_index(&r), 0);
    ck_assert_uint_eq(r.v->queues[0].held, 0);
    rig_free(&r);
}
END_TEST

/* --- hostile drivers --------------------------------------------------------------------- */

/* Nothing is taken, the driver is told, and the log says why. A reset helps. */
static void check_breaks(struct virtio_rig *r, struct bench_log *log, const char *why)
{
    ck_assert_ptr_null(virtio_take(r->v, 0));
    ck_assert(r->v->broken);
    ck_assert(r->v->status & VIRTIO_NEEDS_RESET);
    ck_assert_uint_eq(r->config_interrupts, 1);
    ck_assert_ptr_null(virtio_take(r->v, 0));
    ck_assert_uint_eq(r->config_interrupts, 1);
    virtio_reset(r->v);
    rig_start(r, 0, PROBE_QUEUE_SIZE, INDIRECT);
    put(r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(r, 0);
    ck_assert_ptr_nonnull(probe_take(r));
    rig_free(r);
    ck_assert_uint_eq(bench_log_close(log, why), 1);
}

static void start_hostile(struct virtio_rig *r, struct bench_log *log)
{
    bench_log_open(log);
    rig_init(r);
    rig_attach(r, probe_create(r, log->log));
    rig_start(r, 0, PROBE_QUEUE_SIZE, INDIRECT);
}

START_TEST(a_loop_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 8, DESC_NEXT, 1);
    put(&r, 1, RIG_DATA, 8, DESC_NEXT, 0);
    offer(&r, 0);
    check_breaks(&r, &log, "a loop of descriptors");
}
END_TEST

START_TEST(a_loop_in_an_indirect_table_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 32, DESC_INDIRECT, 0);
    put_in_table(&r, RIG_INDIRECT, 0, RIG_DATA, 8, DESC_NEXT, 1);
    put_in_table(&r, RIG_INDIRECT, 1, RIG_DATA, 8, DESC_NEXT, 1);
    offer(&r, 0);
    check_breaks(&r, &log, "a loop of descriptors");
}
END_TEST

START_TEST(a_head_beyond_the_table_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    offer(&r, PROBE_QUEUE_SIZE);
    check_breaks(&r, &log, "a descriptor beyond its table");
}
END_TEST

START_TEST(a_next_beyond_the_table_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 32, DESC_INDIRECT, 0);
    put_in_table(&r, RIG_INDIRECT, 0, RIG_DATA, 8, DESC_NEXT, 2);
    offer(&r, 0);
    check_breaks(&r, &log, "a descriptor beyond its table");
}
END_TEST

START_TEST(an_empty_descriptor_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 0, 0, 0);
    offer(&r, 0);
    check_breaks(&r, &log, "a descriptor of no bytes");
}
END_TEST

START_TEST(a_readable_descriptor_behind_a_writable_one_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE | DESC_NEXT, 1);
    put(&r, 1, RIG_DATA, 8, 0, 0);
    offer(&r, 0);
    check_breaks(&r, &log, "a readable descriptor behind a writable one");
}
END_TEST

START_TEST(a_buffer_outside_ram_breaks_the_device)
{
    static const struct {
        uint64_t gpa;
        uint32_t bytes;
    } bad[] = {
        {0, 8},
        {RAM - 1, 8},
        {RAM + RAM_BYTES, 1},
        {RAM + RAM_BYTES - 7, 8},
        {RAM, UINT32_MAX},
        {UINT64_MAX - 3, 8},
        {UINT64_MAX, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct virtio_rig r;
        struct bench_log log;
        start_hostile(&r, &log);
        put(&r, 0, bad[i].gpa, bad[i].bytes, DESC_WRITE, 0);
        offer(&r, 0);
        check_breaks(&r, &log, "a descriptor outside RAM");
    }
}
END_TEST

START_TEST(a_chain_of_4_gib_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 16 * 2000, DESC_INDIRECT, 0);
    for (unsigned i = 0; i < 2000; i++)
        put_in_table(&r, RIG_INDIRECT, i, RAM, (uint32_t)RAM_BYTES, DESC_NEXT, (uint16_t)(i + 1));
    put_in_table(&r, RIG_INDIRECT, 0, RAM, (uint32_t)RAM_BYTES - 16, DESC_NEXT, 1);
    offer(&r, 0);
    check_breaks(&r, &log, "too many descriptors"); /* 1,024 times 4 MiB less 16 bytes */
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 16 * 1024, DESC_INDIRECT, 0);
    for (unsigned i = 0; i < 1024; i++)
        put_in_table(&r, RIG_INDIRECT, i, RAM, (uint32_t)RAM_BYTES, DESC_NEXT, (uint16_t)(i + 1));
    offer(&r, 0);
    check_breaks(&r, &log, "a chain of 2^32 bytes or more");
}
END_TEST

START_TEST(an_indirect_table_in_an_indirect_table_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 16, DESC_INDIRECT, 0);
    put_in_table(&r, RIG_INDIRECT, 0, RIG_INDIRECT, 16, DESC_INDIRECT, 0);
    offer(&r, 0);
    check_breaks(&r, &log, "an indirect table inside an indirect table");
}
END_TEST

START_TEST(an_indirect_table_that_goes_on_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_INDIRECT, 16, DESC_INDIRECT | DESC_NEXT, 1);
    offer(&r, 0);
    check_breaks(&r, &log, "an indirect table that is not the chain's end");
}
END_TEST

START_TEST(an_indirect_table_of_a_wrong_size_or_place_breaks_the_device)
{
    static const uint32_t sizes[] = {0, 1, 15, 17, 16 * 3 + 8};
    struct virtio_rig r;
    struct bench_log log;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        start_hostile(&r, &log);
        put(&r, 0, RIG_INDIRECT, sizes[i], DESC_INDIRECT, 0);
        offer(&r, 0);
        check_breaks(&r, &log, "an indirect table of a size that no table has");
    }
    start_hostile(&r, &log);
    put(&r, 0, RAM + RAM_BYTES - 8, 16, DESC_INDIRECT, 0);
    offer(&r, 0);
    check_breaks(&r, &log, "a descriptor table outside RAM");
}
END_TEST

START_TEST(an_available_index_that_runs_ahead_breaks_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    poke_u16(&r, RIG_AVAIL + 2, PROBE_QUEUE_SIZE + 1);
    check_breaks(&r, &log, "more chains are available than the ring has entries");
}
END_TEST

START_TEST(more_chains_at_once_than_entries_break_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    for (unsigned i = 0; i < PROBE_QUEUE_SIZE; i++) {
        offer(&r, 0); /* the same one again and again */
        ck_assert_ptr_nonnull(probe_take(&r));
    }
    offer(&r, 0);
    check_breaks(&r, &log, "more chains are available than the ring has entries");
}
END_TEST

START_TEST(rings_outside_ram_break_the_device)
{
    struct virtio_rig r;
    struct bench_log log;
    start_hostile(&r, &log);
    r.v->queues[0].avail = RAM + RAM_BYTES - 2;
    check_breaks(&r, &log, "the available ring lies outside RAM");
    start_hostile(&r, &log);
    r.v->queues[0].desc = UINT64_MAX - 8;
    offer(&r, 0);
    check_breaks(&r, &log, "a descriptor table outside RAM");
    start_hostile(&r, &log);
    put(&r, 0, RIG_DATA, 8, DESC_WRITE, 0);
    offer(&r, 0);
    probe_take(&r);
    r.v->queues[0].used = 0x1000;
    probe_give(&r, 8);
    check_breaks(&r, &log, "the used ring lies outside RAM");
}
END_TEST

START_TEST(a_legacy_driver_is_not_told_but_the_device_stops)
{
    struct virtio_rig r;
    start(&r, 0);
    r.v->legacy = true;
    offer(&r, 99);
    ck_assert_ptr_null(probe_take(&r));
    ck_assert(r.v->broken);
    ck_assert(!(r.v->status & VIRTIO_NEEDS_RESET));
    ck_assert_uint_eq(r.config_interrupts, 0);
    rig_free(&r);
}
END_TEST

/* --- state ------------------------------------------------------------------------------- */

START_TEST(held_chains_survive_a_save_and_load)
{
    struct virtio_rig from, to;
    start(&from, EVENT_IDX);
    put(&from, 1, RIG_DATA, 8, DESC_NEXT, 2);
    put(&from, 2, RIG_DATA + 64, 100, DESC_WRITE, 0);
    offer(&from, 1);
    offer(&from, 2);
    probe_take(&from);
    rig_init(&to);
    rig_attach(&to, probe_create(&to, NULL));
    copy_ram(&from, &to);
    size_t size;
    uint8_t *saved = virtio_save(from.v, &size);
    ck_assert(virtio_load(to.v, saved, size));
    ck_assert_uint_eq(virtio_hash(from.v), virtio_hash(to.v));
    to.size = PROBE_QUEUE_SIZE;
    ck_assert_uint_eq(probe_of(to.v)->held_count, 1);
    ck_assert_uint_eq(probe_of(to.v)->held[0]->writable_bytes, 100);
    probe_give(&to, 100);
    ck_assert_uint_eq(used_index(&to), 1);
    ck_assert_uint_eq(used_head(&to, 0), 1);
    ck_assert_uint_eq(probe_take(&to)->head, 2);
    free(saved);
    rig_free(&from);
    rig_free(&to);
}
END_TEST

START_TEST(a_damaged_state_is_refused_or_harmless)
{
    struct virtio_rig from, to;
    size_t size;
    uint64_t seed = 88172645463325252ull;
    start(&from, INDIRECT);
    put(&from, 1, RIG_DATA, 8, DESC_NEXT, 2);
    put(&from, 2, RIG_DATA + 64, 100, DESC_WRITE, 0);
    offer(&from, 1);
    probe_take(&from);
    rig_init(&to);
    rig_attach(&to, probe_create(&to, NULL));
    copy_ram(&from, &to);
    uint8_t *saved = virtio_save(from.v, &size);
    for (size_t i = 0; i < size; i++) {
        ck_assert(!virtio_load(to.v, saved, i));
        uint8_t whole = saved[i];
        saved[i] ^= 1 + bench_random(&seed) % 255;
        virtio_load(to.v, saved, size);
        to.size = to.v->queues[0].size;
        to.queue = 0;
        while (probe_of(to.v)->held_count)
            probe_give(&to, 0);
        offer(&to, 2);
        if (probe_take(&to))
            probe_give(&to, 0);
        saved[i] = whole;
    }
    free(saved);
    rig_free(&from);
    rig_free(&to);
}
END_TEST

/* Rings of random bytes, with values that are likely to be taken seriously. */
static void scribble(struct virtio_rig *r, uint64_t *seed)
{
    for (unsigned i = 0; i < 24; i++) {
        uint64_t v = bench_random(seed);
        uint64_t gpa = v & 1 ? RAM + (bench_random(seed) & 0x1fffff) : bench_random(seed);
        uint32_t bytes = (uint32_t)(v & 2 ? v >> 32 & 0xff : v >> 32);
        uint64_t table = v & 4 ? RIG_DESC : RIG_INDIRECT;
        if (v & 8) {
            gpa = RIG_INDIRECT + 16 * (v >> 60);
            bytes = 16 * (v >> 40 & 7);
        }
        put_in_table(r, table, i % 12, gpa, bytes, v >> 16 & 7, v >> 20 & 15);
    }
    poke_u16(r, RIG_AVAIL + 2, (uint16_t)(r->v->queues[0].next_avail + bench_random(seed) % 6));
    for (unsigned i = 0; i < PROBE_QUEUE_SIZE; i++)
        poke_u16(r, RIG_AVAIL + 4 + 2 * i, bench_random(seed) % 9);
}

START_TEST(random_rings_do_no_harm)
{
    struct virtio_rig r;
    uint64_t seed = 1234567, taken = 0;
    start(&r, INDIRECT | EVENT_IDX);
    for (unsigned i = 0; i < 20000; i++) {
        scribble(&r, &seed);
        for (struct virtio_chain *c; (c = virtio_take(r.v, 0)); taken++) {
            uint8_t bytes[64];
            virtio_write(r.v, c, bench_random(&seed) % 64, bytes,
                         virtio_read(r.v, c, bench_random(&seed) % 64, bytes, sizeof bytes));
            virtio_give(r.v, c, 1);
        }
        virtio_publish(r.v, 0);
        if (r.v->broken) {
            virtio_reset(r.v);
            rig_start(&r, 0, PROBE_QUEUE_SIZE, INDIRECT | EVENT_IDX);
        }
    }
    ck_assert_uint_gt(taken, 1000);
    rig_free(&r);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("virtio rings");
    TCase *c = tcase_create("rings");
    tcase_add_test(c, a_chain_is_its_readable_then_its_writable_segments);
    tcase_add_test(c, bytes_are_copied_across_segments);
    tcase_add_test(c, an_indirect_table_stands_for_the_chain);
    tcase_add_test(c, an_indirect_table_may_end_a_direct_chain_and_be_longer_than_the_ring);
    tcase_add_test(c, chains_are_given_back_in_any_order_and_shown_together);
    tcase_add_test(c, a_chain_that_was_put_back_is_taken_again);
    tcase_add_test(c, indices_wrap_at_16_bits);
    tcase_add_test(c, the_no_interrupt_flag_is_heard);
    tcase_add_test(c, with_the_event_index_an_interrupt_comes_when_its_entry_is_used);
    tcase_add_test(c, with_the_event_index_an_empty_queue_asks_for_the_next_chain);
    tcase_add_test(c, nothing_is_taken_before_driver_ok_or_from_a_queue_that_is_not_ready);
    tcase_add_test(c, a_chain_of_a_queue_that_was_switched_off_is_not_written_to_memory);
    tcase_add_test(c, a_loop_breaks_the_device);
    tcase_add_test(c, a_loop_in_an_indirect_table_breaks_the_device);
    tcase_add_test(c, a_head_beyond_the_table_breaks_the_device);
    tcase_add_test(c, a_next_beyond_the_table_breaks_the_device);
    tcase_add_test(c, an_empty_descriptor_breaks_the_device);
    tcase_add_test(c, a_readable_descriptor_behind_a_writable_one_breaks_the_device);
    tcase_add_test(c, a_buffer_outside_ram_breaks_the_device);
    tcase_add_test(c, a_chain_of_4_gib_breaks_the_device);
    tcase_add_test(c, an_indirect_table_in_an_indirect_table_breaks_the_device);
    tcase_add_test(c, an_indirect_table_that_goes_on_breaks_the_device);
    tcase_add_test(c, an_indirect_table_of_a_wrong_size_or_place_breaks_the_device);
    tcase_add_test(c, an_available_index_that_runs_ahead_breaks_the_device);
    tcase_add_test(c, more_chains_at_once_than_entries_break_the_device);
    tcase_add_test(c, rings_outside_ram_break_the_device);
    tcase_add_test(c, a_legacy_driver_is_not_told_but_the_device_stops);
    tcase_add_test(c, held_chains_survive_a_save_and_load);
    tcase_add_test(c, a_damaged_state_is_refused_or_harmless);
    tcase_add_test(c, random_rings_do_no_harm);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
