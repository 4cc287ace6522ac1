/* The built-in SBI: performance monitoring. */
#include "tests/unit/sbi_rig.h"

#define CYCLE     0u
#define INSTRET   2u
#define HPM       3u  /* the first programmable counter */
#define FIRMWARE  32u /* the first counter of the SBI's own events */
#define COUNTERS  48u
#define ALL       ((1ull << COUNTERS) - 1 - 2) /* 1 is time */
#define RAW       0x20000u
#define TRAPS     0x100u /* data of a raw event: exceptions */
#define SET_TIMER 0xf0005u
#define IPI_SENT  0xf0006u

enum { NUM, INFO, MATCH, START, STOP, FW_READ, FW_READ_HI, SHMEM, EVENT_INFO };

static struct result pmu(struct fixture *f, uint64_t function, uint64_t a0, uint64_t a1,
                         uint64_t a2, uint64_t a3)
{
    return call(f, PMU, function, (uint64_t[ARGS]){a0, a1, a2, a3});
}

/* A counter for this event, out of all; started at 0. */
static unsigned start_counting(struct fixture *f, uint64_t event)
{
    struct result r = pmu(f, MATCH, 0, ALL, 2 | 4, event);
    ck_assert_int_eq(r.error, SUCCESS);
    return (unsigned)r.value;
}

/* A counter's value as the instruction behind the next call finds it. */
static uint64_t csr(struct fixture *f, unsigned number)
{
    uint64_t value;
    ck_assert(hart_csr_peek(f->harts[0], number, &value));
    return value;
}

START_TEST(counters_have_the_numbers_of_the_hart_and_sixteen_are_the_firmwares)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(pmu(f, NUM, 0, 0, 0, 0).value, COUNTERS);
    for (unsigned i = 0; i < FIRMWARE; i++)
        if (i != 1)
            ck_assert_uint_eq(pmu(f, INFO, i, 0, 0, 0).value, (0xc00 + i) | 63 << 12);
    ck_assert_uint_eq(pmu(f, INFO, FIRMWARE, 0, 0, 0).value, 1ull << 63);
    ck_assert_uint_eq(pmu(f, INFO, COUNTERS - 1, 0, 0, 0).value, 1ull << 63);
    ck_assert_int_eq(pmu(f, INFO, 1, 0, 0, 0).error, INVALID_PARAM); /* time */
    ck_assert_int_eq(pmu(f, INFO, COUNTERS, 0, 0, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, INFO, UINT64_MAX, 0, 0, 0).error, INVALID_PARAM);
    f->harts[0]->isa.zihpm = false;
    ck_assert_int_eq(pmu(f, INFO, HPM, 0, 0, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, HPM, 1, 0, 1).error, INVALID_PARAM);
    fixture_destroy(f);
}
END_TEST

START_TEST(an_event_gets_a_free_counter_of_the_set_that_can_count_it)
{
    struct fixture *f = fixture_create();
    const uint64_t fixed = 1u << CYCLE | 1u << INSTRET;
    ck_assert_uint_eq(pmu(f, MATCH, 0, fixed, 0, 2).value, INSTRET);
    ck_assert_int_eq(pmu(f, MATCH, 0, fixed, 0, 2).error, NOT_SUPPORTED); /* taken */
    ck_assert_int_eq(pmu(f, MATCH, INSTRET, 1, 0, 1).error, NOT_SUPPORTED);
    ck_assert_int_eq(pmu(f, MATCH, 0, fixed | 8, 0, SET_TIMER).error, NOT_SUPPORTED);
    ck_assert_uint_eq(pmu(f, MATCH, FIRMWARE + 3, 1, 0, SET_TIMER).value, FIRMWARE + 3);
    ck_assert_int_eq(pmu(f, MATCH, 0, ALL, 0, 3).error, NOT_SUPPORTED); /* cache references */
    ck_assert_int_eq(pmu(f, MATCH, 0, ALL, 0, 0xf0016).error, NOT_SUPPORTED);
    ck_assert_int_eq(pmu(f, MATCH, 0, 0, 0, 1).error, NOT_SUPPORTED);
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 0x10019).value, HPM);
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 0x10021).value, HPM + 1);
    fixture_destroy(f);
}
END_TEST

START_TEST(counters_that_can_interrupt_come_before_cycle_and_instret)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 1).value, HPM);
    f->harts[0]->isa.sscofpmf = false;
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 1).value, CYCLE);
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 1).value, HPM + 1);
    fixture_destroy(f);
}
END_TEST

START_TEST(raw_events_are_selectors_of_the_hart)
{
    struct fixture *f = fixture_create();
    const uint64_t unknown[ARGS] = {0, ALL, 2 | 4, RAW, 0x999};
    const uint64_t traps[ARGS] = {0, ALL, 2 | 4, RAW, TRAPS};
    ck_assert_int_eq(call(f, PMU, MATCH, unknown).error, NOT_SUPPORTED);
    ck_assert_int_eq(pmu(f, MATCH, 0, ALL, 0, TRAPS).error, NOT_SUPPORTED); /* no event_idx */
    ck_assert_int_eq(pmu(f, MATCH, 0, ALL, 0, 1ull << 32 | 1).error, NOT_SUPPORTED);
    const unsigned counter = (unsigned)call(f, PMU, MATCH, traps).value;
    f->harts[0]->events[HPM_EXCEPTION][PRIV_S] += 3;
    ck_assert_uint_eq(csr(f, 0xc00 + counter), 3);
    ck_assert_uint_eq(csr(f, 0x320 + counter), TRAPS);
    pmu(f, STOP, counter, 1, 1, 0);
    ck_assert_uint_eq(csr(f, 0x320 + counter), 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(modes_that_perf_leaves_out_are_not_counted)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    const uint64_t user = 1u << 6 | 1u << 7, kernel = 1u << 5 | 1u << 7;
    for (unsigned fixed = 0; fixed < 2; fixed++) {
        const uint64_t set = fixed ? 1 : 24; /* cycle, or two that are programmable */
        const unsigned u = (unsigned)pmu(f, MATCH, 0, set, user | 6, 1).value;
        ck_assert_uint_eq(u, fixed ? CYCLE : HPM);
        if (!fixed)
            ck_assert_uint_eq(pmu(f, MATCH, 0, set, kernel | 6, 1).value, HPM + 1);
        h->steps += 10;
        hpm_enter_priv(h, PRIV_U, h->steps);
        h->steps += 7;
        hpm_enter_priv(h, PRIV_S, h->steps);
        ck_assert_uint_eq(csr(f, 0xc00 + u), 7);
        if (!fixed)
            ck_assert_uint_eq(csr(f, 0xc00 + HPM + 1), 10);
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(a_start_arms_the_overflow_again_unless_one_is_pending)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    ck_assert_uint_eq(pmu(f, MATCH, 0, ALL, 0, 1).value, HPM);
    for (unsigned pending = 0; pending < 2; pending++) {
        h->csr.counter_config[HPM] |= HPM_OF;
        h->csr.mip = (uint64_t)pending << IRQ_LCOFIP;
        ck_assert_int_eq(pmu(f, START, HPM, 1, 1, -1000ull).error, SUCCESS);
        ck_assert_int_eq(h->csr.counter_config[HPM] >> 63, pending);
        ck_assert_uint_eq(h->counters_armed, 1u << HPM);
        pmu(f, STOP, HPM, 1, 0, 0);
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(sets_with_counters_that_are_not_there_and_reserved_flags_are_refused)
{
    struct fixture *f = fixture_create();
    pmu(f, MATCH, 0, 1, 0, 1);
    ck_assert_int_eq(pmu(f, MATCH, 0, 3, 0, 1).error, INVALID_PARAM); /* time */
    ck_assert_int_eq(pmu(f, MATCH, COUNTERS, 1, 0, 1).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, UINT64_MAX, 1, 0, 1).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, 0, 1ull << COUNTERS, 0, 1).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, 1, 1ull << (COUNTERS - 1), 0, 1).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, 0, 4, 0x100, 2).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, START, 0, 1ull << 63, 0, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, START, 0, 1, 4, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, START, INSTRET, 1, 0, 0).error, INVALID_PARAM); /* not configured */
    ck_assert_int_eq(pmu(f, STOP, 0, 1ull << COUNTERS, 0, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, STOP, 0, 1, 4, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, START, 0, 1, 2, 0).error, NO_SHMEM);
    ck_assert_int_eq(pmu(f, STOP, 0, 1, 2, 0).error, NO_SHMEM);
    ck_assert_int_eq(pmu(f, SHMEM, BUFFER, 0, 0, 0).error, NOT_SUPPORTED);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_counter_starts_once_and_stops_once)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(pmu(f, MATCH, 0, 1, 0, 1).value, CYCLE);
    ck_assert_int_eq(pmu(f, STOP, 0, 1, 0, 0).error, ALREADY_STOPPED);
    ck_assert_int_eq(pmu(f, START, 0, 1, 0, 0).error, SUCCESS);
    ck_assert_int_eq(pmu(f, START, 0, 1, 0, 0).error, ALREADY_STARTED);
    ck_assert_int_eq(pmu(f, STOP, 0, 1, 1, 0).error, SUCCESS);
    ck_assert_int_eq(pmu(f, START, 0, 1, 0, 0).error, INVALID_PARAM); /* its event is gone */
    ck_assert_uint_eq(pmu(f, MATCH, 0, 1, 0, 1).value, CYCLE);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_hardware_counter_counts_from_its_initial_value_until_it_is_stopped)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    pmu(f, MATCH, 0, 1, 0, 1);
    pmu(f, MATCH, 0, 4, 0, 2);
    pmu(f, START, 0, 5, 1, 1000);
    ck_assert_uint_eq(csr(f, 0xc00), 1000);
    ck_assert_uint_eq(csr(f, 0xc02), 1000);
    h->steps += 50; /* two of them the traps of ecalls */
    h->events[HPM_EXCEPTION][PRIV_S] += 2;
    pmu(f, STOP, 0, 5, 0, 0);
    h->steps += 7;
    ck_assert_uint_eq(csr(f, 0xc00), 1050);
    ck_assert_uint_eq(csr(f, 0xc02), 1048);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_counter_that_nobody_configured_is_left_running)
{
    struct fixture *f = fixture_create();
    pmu(f, STOP, 0, ALL, 1, 0); /* as Linux begins */
    const uint64_t before = csr(f, 0xc00);
    f->harts[0]->steps += 10;
    ck_assert_uint_eq(csr(f, 0xc00), before + 10);
    fixture_destroy(f);
}
END_TEST

START_TEST(firmware_counters_count_calls_that_are_sent_and_received)
{
    struct fixture *f = fixture_create();
    start_all(f);
    const unsigned timers = start_counting(f, SET_TIMER), sent = start_counting(f, IPI_SENT);
    const struct result received =
        call_on(f, 1, PMU, MATCH, (uint64_t[ARGS]){FIRMWARE, 1, 4, IPI_SENT + 1});
    call(f, TIME, 0, (uint64_t[ARGS]){123});
    call(f, 0, 0, (uint64_t[ARGS]){123});
    call(f, IPI, 0, (uint64_t[ARGS]){7, 0}); /* to itself and two others */
    ck_assert_uint_eq(pmu(f, FW_READ, timers, 0, 0, 0).value, 2);
    ck_assert_uint_eq(pmu(f, FW_READ, sent, 0, 0, 0).value, 2);
    ck_assert_uint_eq(call_on(f, 1, PMU, FW_READ, (uint64_t[ARGS]){received.value}).value, 1);
    ck_assert_uint_eq(pmu(f, FW_READ_HI, sent, 0, 0, 0).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(each_remote_fence_is_an_event_of_its_own)
{
    struct fixture *f = fixture_create();
    const unsigned fence_i = start_counting(f, 0xf0008), vma = start_counting(f, 0xf000a),
                   asid = start_counting(f, 0xf000c);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n <= i; n++)
            call(f, RFENCE, i, (uint64_t[ARGS]){2, 0, RAM_BASE, 4096, 1});
    ck_assert_uint_eq(pmu(f, FW_READ, fence_i, 0, 0, 0).value, 1);
    ck_assert_uint_eq(pmu(f, FW_READ, vma, 0, 0, 0).value, 2);
    ck_assert_uint_eq(pmu(f, FW_READ, asid, 0, 0, 0).value, 3);
    fixture_destroy(f);
}
END_TEST

START_TEST(only_firmware_counters_are_read_by_a_call)
{
    struct fixture *f = fixture_create();
    for (uint64_t function = FW_READ; function <= FW_READ_HI; function++) {
        ck_assert_int_eq(pmu(f, function, CYCLE, 0, 0, 0).error, INVALID_PARAM);
        ck_assert_int_eq(pmu(f, function, COUNTERS, 0, 0, 0).error, INVALID_PARAM);
        ck_assert_int_eq(pmu(f, function, FIRMWARE, 0, 0, 0).error, SUCCESS);
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(skip_match_takes_a_configured_counter_as_it_is)
{
    struct fixture *f = fixture_create();
    const unsigned counter = start_counting(f, SET_TIMER);
    ck_assert_int_eq(pmu(f, MATCH, CYCLE, 1, 1, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, MATCH, CYCLE, 0, 1, 0).error, INVALID_PARAM);
    call(f, TIME, 0, (uint64_t[ARGS]){123});
    ck_assert_uint_eq(pmu(f, MATCH, counter, 1, 1 | 2, 0).value, counter); /* and clears it */
    call(f, TIME, 0, (uint64_t[ARGS]){123});
    ck_assert_uint_eq(pmu(f, FW_READ, counter, 0, 0, 0).value, 1);
    fixture_destroy(f);
}
END_TEST

START_TEST(event_info_says_which_events_can_be_counted)
{
    struct fixture *f = fixture_create();
    const uint32_t events[] = {1, 2, 3, SET_TIMER, RAW, RAW};
    const uint64_t data = TRAPS;
    for (unsigned i = 0; i < 6; i++)
        ck_assert(dma_write(f->memory, BUFFER + 16 * i, &events[i], 4));
    ck_assert(dma_write(f->memory, BUFFER + 16 * 5 + 8, &data, 8));
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER, 0, 6, 0).error, SUCCESS);
    for (unsigned i = 0; i < 6; i++) {
        uint32_t output;
        ck_assert(dma_read(f->memory, BUFFER + 16 * i + 4, &output, 4));
        ck_assert_uint_eq(output, i < 2 || i == 3 || i == 5);
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(event_info_refuses_bad_arguments)
{
    struct fixture *f = fixture_create();
    const uint32_t reserved = 1u << 20;
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER, 0, 1, 1).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER + 8, 0, 1, 0).error, INVALID_PARAM);
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER, 1, 1, 0).error, INVALID_ADDRESS);
    ck_assert_int_eq(pmu(f, EVENT_INFO, RAM_BASE + RAM_BYTES, 0, 1, 0).error, INVALID_ADDRESS);
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER, 0, UINT64_MAX, 0).error, FAILED);
    ck_assert(dma_write(f->memory, BUFFER, &reserved, 4));
    ck_assert_int_eq(pmu(f, EVENT_INFO, BUFFER, 0, 1, 0).error, INVALID_PARAM);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, counters_have_the_numbers_of_the_hart_and_sixteen_are_the_firmwares);
    tcase_add_test(c, an_event_gets_a_free_counter_of_the_set_that_can_count_it);
    tcase_add_test(c, counters_that_can_interrupt_come_before_cycle_and_instret);
    tcase_add_test(c, raw_events_are_selectors_of_the_hart);
    tcase_add_test(c, modes_that_perf_leaves_out_are_not_counted);
    tcase_add_test(c, a_start_arms_the_overflow_again_unless_one_is_pending);
    tcase_add_test(c, sets_with_counters_that_are_not_there_and_reserved_flags_are_refused);
    tcase_add_test(c, a_counter_starts_once_and_stops_once);
    tcase_add_test(c, a_hardware_counter_counts_from_its_initial_value_until_it_is_stopped);
    tcase_add_test(c, a_counter_that_nobody_configured_is_left_running);
    tcase_add_test(c, firmware_counters_count_calls_that_are_sent_and_received);
    tcase_add_test(c, each_remote_fence_is_an_event_of_its_own);
    tcase_add_test(c, only_firmware_counters_are_read_by_a_call);
    tcase_add_test(c, skip_match_takes_a_configured_counter_as_it_is);
    tcase_add_test(c, event_info_says_which_events_can_be_counted);
    tcase_add_test(c, event_info_refuses_bad_arguments);
}

int main(void)
{
    return sbi_suite("sbi_pmu", add_tests);
}
