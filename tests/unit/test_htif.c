/* HTIF: the end, the console and system calls, by stores into RAM. */
#include "devices/htif.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#include <errno.h>

#define RAM       0x80000000ull
#define RAM_BYTES 0x10000ull
#define TOHOST    (RAM + 0x1000)
#define FROMHOST  (RAM + 0x1040)
#define CALL      (RAM + 0x2000)
#define DATA      (RAM + 0x3000)

struct rig {
    struct memory_map *memory;
    struct device *device;
    bool is_guest;
    char sent[256];
    size_t sent_bytes;
    const char *in;
    int status;
};

static void sent(void *owner, const uint8_t *bytes, size_t n)
{
    struct rig *r = owner;
    ck_assert_uint_le(r->sent_bytes + n, sizeof r->sent);
    memcpy(r->sent + r->sent_bytes, bytes, n);
    r->sent_bytes += n;
}

static bool read_byte(void *owner, uint8_t *byte)
{
    struct rig *r = owner;
    *byte = (uint8_t)*r->in;
    return *r->in && r->in++;
}

static void power_off(void *owner, unsigned status)
{
    ((struct rig *)owner)->status = (int)status;
}

static bool is_guest(void *owner)
{
    return ((struct rig *)owner)->is_guest;
}

static struct device *create(struct rig *r, uint64_t tohost, uint64_t fromhost, struct error *err)
{
    struct htif_config config = {.tohost = tohost,
                                 .fromhost = fromhost,
                                 .memory = r->memory,
                                 .sink = {sent, r},
                                 .read = read_byte,
                                 .power_off = power_off,
                                 .is_guest = is_guest,
                                 .owner = r};
    return htif_create(&config, err);
}

static void rig_init(struct rig *r, uint64_t tohost, uint64_t fromhost)
{
    struct error err;
    *r = (struct rig){.memory = memory_create(NULL), .is_guest = true, .in = "", .status = -1};
    ck_assert(memory_add_ram(r->memory, "RAM", RAM, RAM_BYTES, &err));
    r->device = create(r, tohost, fromhost, &err);
    ck_assert_msg(r->device != NULL, "%s", err.text);
    r->device->ops->reset(r->device);
}

static void rig_free(struct rig *r)
{
    r->device->ops->destroy(r->device);
    memory_destroy(r->memory);
}

static void put(struct rig *r, uint64_t gpa, uint64_t value)
{
    ck_assert(dma_write(r->memory, gpa, &value, sizeof value));
}

static void put_half(struct rig *r, uint64_t gpa, uint32_t value)
{
    ck_assert(dma_write(r->memory, gpa, &value, sizeof value));
}

static uint64_t get(struct rig *r, uint64_t gpa)
{
    uint64_t value;
    ck_assert(dma_read(r->memory, gpa, &value, sizeof value));
    return value;
}

/* --- the end -------------------------------------------------------------------------------- */

START_TEST(an_odd_payload_ends_with_its_status)
{
    static const struct {
        uint64_t value;
        int status;
    } cases[] = {{1, 0}, {3, 1}, {2 * 42 + 1, 42}, {2 * 255 + 1, 255}, {2 * 256 + 1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        rig_init(&r, TOHOST, FROMHOST);
        put(&r, TOHOST, cases[i].value);
        ck_assert_int_eq(r.status, cases[i].status);
        ck_assert_uint_eq(get(&r, TOHOST), 0);
        rig_free(&r);
    }
}
END_TEST

START_TEST(the_low_half_waits_for_the_high_one)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    put_half(&r, TOHOST, 'A'); /* odd: not the end */
    ck_assert_int_eq(r.status, -1);
    put_half(&r, TOHOST + 4, 0x01010000);
    ck_assert_int_eq(r.status, -1);
    ck_assert_uint_eq(r.sent_bytes, 1);
    put_half(&r, TOHOST, 11);
    put_half(&r, TOHOST + 4, 0);
    ck_assert_int_eq(r.status, 5);
    rig_free(&r);
}
END_TEST

START_TEST(what_is_no_guests_is_no_command)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    r.is_guest = false;
    put(&r, TOHOST, 1);
    ck_assert_int_eq(r.status, -1);
    ck_assert_uint_eq(get(&r, TOHOST), 1);
    r.is_guest = true;
    put(&r, TOHOST + 8, 1);
    put(&r, TOHOST - 8, 1);
    ck_assert_int_eq(r.status, -1);
    rig_free(&r);
}
END_TEST

/* --- the console ---------------------------------------------------------------------------- */

START_TEST(a_written_character_is_sent)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    for (const char *c = "hello"; *c; c++) {
        put(&r, TOHOST, 1ull << 56 | 1ull << 48 | (uint8_t)*c);
        ck_assert_uint_eq(get(&r, TOHOST), 0);
    }
    ck_assert_mem_eq(r.sent, "hello", 5);
    ck_assert_uint_eq(r.sent_bytes, 5);
    rig_free(&r);
}
END_TEST

START_TEST(a_character_is_answered_when_it_comes_and_the_last_one_was_taken)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    htif_poll(r.device);
    put(&r, TOHOST, 1ull << 56);
    ck_assert_uint_eq(get(&r, FROMHOST), 0);
    r.in = "xy";
    put(&r, FROMHOST, 7);
    htif_poll(r.device);
    ck_assert_uint_eq(get(&r, FROMHOST), 7);
    put(&r, FROMHOST, 0);
    htif_poll(r.device);
    ck_assert_uint_eq(get(&r, FROMHOST), 1ull << 56 | 'x');
    put(&r, FROMHOST, 0);
    htif_poll(r.device); /* one was asked for */
    ck_assert_uint_eq(get(&r, FROMHOST), 0);
    put(&r, TOHOST, 1ull << 56); /* now it is there at once */
    ck_assert_uint_eq(get(&r, FROMHOST), 1ull << 56 | 'y');
    rig_free(&r);
}
END_TEST

/* --- system calls --------------------------------------------------------------------------- */

static int64_t call(struct rig *r, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t words[4] = {number, a, b, c};
    ck_assert(dma_write(r->memory, CALL, words, sizeof words));
    put(r, FROMHOST, 0);
    put(r, TOHOST, CALL);
    ck_assert_uint_eq(get(r, FROMHOST), 1);
    return (int64_t)get(r, CALL);
}

START_TEST(a_program_writes_and_exits)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    ck_assert(dma_write(r.memory, DATA, "text", 4));
    ck_assert_int_eq(call(&r, 64, 1, DATA, 4), 4);
    ck_assert_int_eq(call(&r, 64, 2, DATA, 1), 1);
    ck_assert_mem_eq(r.sent, "textt", 5);
    ck_assert_int_eq(call(&r, 93, 300, 0, 0), 0);
    ck_assert_int_eq(r.status, 300 & 0xff);
    rig_free(&r);
}
END_TEST

START_TEST(hostile_calls_fail)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    ck_assert_int_eq(call(&r, 64, 0, DATA, 4), -EBADF);
    ck_assert_int_eq(call(&r, 64, 1, 0x1000, 4), -EFAULT);
    ck_assert_int_eq(call(&r, 64, 1, RAM + RAM_BYTES - 3, 4), -EFAULT);
    ck_assert_int_eq(call(&r, 64, 1, DATA, 1ull << 63), -EFAULT);
    ck_assert_int_eq(call(&r, 64, 1, UINT64_MAX, UINT64_MAX), -EFAULT);
    ck_assert_int_eq(call(&r, 63, 0, DATA, 4), -ENOSYS);
    put(&r, FROMHOST, 0);
    put(&r, TOHOST, RAM + RAM_BYTES - 8); /* the words end behind RAM */
    put(&r, TOHOST, 0x1000);
    put(&r, TOHOST, 2ull << 56);
    put(&r, TOHOST, 1ull << 56 | 9ull << 48);
    put(&r, TOHOST, 1ull << 48 | 1);
    ck_assert_uint_eq(get(&r, FROMHOST), 0);
    ck_assert_uint_eq(r.sent_bytes, 0);
    ck_assert_int_eq(r.status, -1);
    rig_free(&r);
}
END_TEST

START_TEST(a_call_in_tohosts_own_place_is_survived)
{
    struct rig r;
    rig_init(&r, TOHOST, FROMHOST);
    put(&r, TOHOST, TOHOST); /* its result is a command */
    ck_assert_uint_eq(get(&r, TOHOST), 0);
    ck_assert_int_eq(r.status, -1);
    rig_free(&r);
}
END_TEST

/* --- making and state ----------------------------------------------------------------------- */

START_TEST(its_words_are_ram_and_apart)
{
    struct rig r;
    struct error err;
    rig_init(&r, TOHOST, TOHOST + 8);
    static const uint64_t bad[][2] = {
        {TOHOST, TOHOST},   {TOHOST, TOHOST + 7},          {TOHOST + 7, TOHOST},
        {0x1000, FROMHOST}, {TOHOST, RAM + RAM_BYTES - 7}, {UINT64_MAX, 0}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_ptr_null(create(&r, bad[i][0], bad[i][1], &err));
        ck_assert_ptr_nonnull(strstr(err.text, "must be 8 bytes of RAM"));
    }
    rig_free(&r);
}
END_TEST

START_TEST(a_loaded_state_says_where_its_words_are)
{
    struct rig a, b;
    size_t n;
    rig_init(&a, TOHOST, FROMHOST);
    rig_init(&b, 0, 0);
    put(&a, TOHOST, 1ull << 56); /* it waits for a character */
    struct state *save = state_new_save();
    a.device->ops->state(a.device, save);
    const void *bytes = state_data(save, &n);
    struct state *load = state_new_load(bytes, n);
    b.device->ops->state(b.device, load);
    ck_assert(state_ok(load));
    b.in = "z";
    htif_poll(b.device);
    ck_assert_uint_eq(get(&b, FROMHOST), 1ull << 56 | 'z');
    put(&b, TOHOST, 7);
    ck_assert_int_eq(b.status, 3);
    state_free(load);
    state_free(save);
    rig_free(&a);
    rig_free(&b);
}
END_TEST

START_TEST(a_state_with_words_elsewhere_is_refused)
{
    struct rig r;
    size_t n;
    rig_init(&r, TOHOST, FROMHOST);
    struct state *save = state_new_save();
    r.device->ops->state(r.device, save);
    const void *bytes = state_data(save, &n);
    uint8_t *copy = malloc(n);
    memcpy(copy, bytes, n);
    copy[n - 1 - 16 + 7] = 0xff; /* the high byte of tohost */
    struct state *load = state_new_load(copy, n);
    r.device->ops->state(r.device, load);
    ck_assert(!state_ok(load));
    state_free(load);
    state_free(save);
    free(copy);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("htif");
    TCase *tc = tcase_create("htif");
    tcase_add_test(tc, an_odd_payload_ends_with_its_status);
    tcase_add_test(tc, the_low_half_waits_for_the_high_one);
    tcase_add_test(tc, what_is_no_guests_is_no_command);
    tcase_add_test(tc, a_written_character_is_sent);
    tcase_add_test(tc, a_character_is_answered_when_it_comes_and_the_last_one_was_taken);
    tcase_add_test(tc, a_program_writes_and_exits);
    tcase_add_test(tc, hostile_calls_fail);
    tcase_add_test(tc, a_call_in_tohosts_own_place_is_survived);
    tcase_add_test(tc, its_words_are_ram_and_apart);
    tcase_add_test(tc, a_loaded_state_says_where_its_words_are);
    tcase_add_test(tc, a_state_with_words_elsewhere_is_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
