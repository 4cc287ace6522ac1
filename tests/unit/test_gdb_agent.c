/* Agent expressions: every code, and that bad ones end. */
#include "debug/gdb_agent.h"
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

static struct rig *rig;

/* Whether the condition with this code (hexadecimal) holds on hart 0. */
static bool holds(const char *code)
{
    char packet[300];
    struct gdb_conditions *c;
    snprintf(packet, sizeof packet, "X%zx,%s", strlen(code) / 2, code);
    struct gdb_text t = {packet, packet + strlen(packet)};
    ck_assert_msg(gdb_conditions_read(&t, &c), "%s", packet);
    ck_assert_uint_eq(gdb_left(&t), 0);
    bool result = gdb_conditions_hold(c, machine_hart(rig->m, 0));
    gdb_conditions_free(c);
    return result;
}

/* Whether what the code leaves on the stack is this value. */
static bool leaves(const char *code, uint64_t value)
{
    char whole[300];
    snprintf(whole, sizeof whole, "%s25%016llx1327", code, (unsigned long long)value);
    char other[300];
    snprintf(other, sizeof other, "%s25%016llx1327", code, (unsigned long long)value ^ 1);
    return holds(whole) && !holds(other);
}

static void open_rig(void)
{
    static struct program p;
    program_begin(&p);
    put_busy_program(&p.a, 1);
    program_end(&p);
    rig = rig_create(&p, 1);
    unlink(p.path);
}

static void close_rig(void)
{
    rig_free(rig);
}

START_TEST(constants_are_big_endian)
{
    ck_assert(leaves("2212", 0x12));
    ck_assert(leaves("231234", 0x1234));
    ck_assert(leaves("2412345678", 0x12345678));
    ck_assert(leaves("25123456789abcdef0", 0x123456789abcdef0));
}
END_TEST

START_TEST(arithmetic_is_that_of_64_bits)
{
    static const struct {
        const char *op;
        uint64_t result; /* of 7 op -3, that is 7 and 0xff...fd */
    } cases[] = {
        {"02", 4}, {"03", 10}, {"04", (uint64_t)-21}, {"05", (uint64_t)-2}, {"06", 0}, {"07", 1},
        {"08", 7}, {"0f", 5},  {"10", (uint64_t)-1},  {"11", (uint64_t)-6}, {"13", 0}, {"14", 0},
        {"15", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[40];
        snprintf(code, sizeof code, "220725fffffffffffffffd%s", cases[i].op);
        ck_assert_msg(leaves(code, cases[i].result), "%s", code);
    }
    ck_assert(leaves("2201220409", 16));
    ck_assert(leaves("220122c809", 0));
    ck_assert(leaves("258000000000000000223f0a", UINT64_MAX));
    ck_assert(leaves("25800000000000000022500a", UINT64_MAX));
    ck_assert(leaves("258000000000000000223f0b", 1));
    ck_assert(leaves("22000e", 1));
    ck_assert(leaves("22050e", 0));
    ck_assert(leaves("220012", UINT64_MAX));
    ck_assert(leaves("22801608", (uint64_t)-128));
    ck_assert(leaves("25fffffffffffffff02a08", 0xf0));
    ck_assert(leaves("25fffffffffffffff02a40", 0xfffffffffffffff0));
}
END_TEST

START_TEST(the_stack_is_shuffled)
{
    ck_assert(leaves("2201220203", (uint64_t)-1)); /* 1 - 2 */
    ck_assert(leaves("220122022b03", 1));          /* swap: 2 - 1 */
    ck_assert(leaves("22052804", 25));             /* dup */
    ck_assert(leaves("2205220629", 5));            /* pop */
    ck_assert(leaves("220522063201", 5));          /* pick */
    ck_assert(leaves("22012202220333"
                     "2903",
                     2)); /* rot: 3 1 2, pop, 3 - 1 */
}
END_TEST

START_TEST(registers_and_memory_are_the_harts)
{
    struct hart *h = machine_hart(rig->m, 0);
    h->x[A0] = 0xfedcba9876543210;
    h->csr.mscratch = 99;
    ck_assert(leaves("26000a", 0xfedcba9876543210));
    ck_assert(leaves("260020", 0x1000)); /* pc */
    ck_assert(leaves("260381", 99));     /* mscratch */
    uint64_t word;
    memcpy(&word, memory_find(h->ports.memory, 0x1000)->hva, sizeof word);
    ck_assert(leaves("23100017", (uint8_t)word));
    ck_assert(leaves("23100018", (uint16_t)word));
    ck_assert(leaves("23100019", (uint32_t)word));
    ck_assert(leaves("2310001a", word));
}
END_TEST

START_TEST(jumps_go_where_they_say)
{
    ck_assert(leaves("21000500002209", 9));        /* goto 5 */
    ck_assert(holds("220120000722002722012727"));  /* if_goto taken */
    ck_assert(!holds("220020000722002722012727")); /* not taken */
}
END_TEST

START_TEST(what_cannot_be_evaluated_stops)
{
    static const char *const codes[] = {
        "",
        "27",
        "2200",
        "02",
        "220102",
        "22",
        "2600",
        "26ffff",
        "01",
        "ff",
        "2200170000",
        "2100",
        "210000",
        "21ffff",
        "22012200"
        "0527",
        "2201160027",
        "320027",
        "2201320127",
        "2229"
        "2929",
        "258000000000000000"
        "25ffffffffffffffff"
        "0527",
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        ck_assert_msg(holds(codes[i]), "%s", codes[i]);
    char pushes[140] = "";
    for (unsigned i = 0; i < 65; i++)
        strcat(pushes, i ? "28" : "2200");
    strcat(pushes, "27");
    ck_assert(holds(pushes));
}
END_TEST

START_TEST(one_of_several_conditions_is_enough)
{
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {{"X3,220027X3,220027", false}, {"X3,220027X3,220127", true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gdb_conditions *c;
        struct gdb_text t = {cases[i].text, cases[i].text + strlen(cases[i].text)};
        ck_assert(gdb_conditions_read(&t, &c));
        ck_assert_int_eq(gdb_conditions_hold(c, machine_hart(rig->m, 0)), cases[i].holds);
        gdb_conditions_free(c);
    }
}
END_TEST

START_TEST(malformed_text_is_refused)
{
    static const char *const bad[] = {"",        "X",         "X3",        "X3,",
                                      "X3,2200", "X3,22002g", "Xfffff,00", "X3,220027X"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct gdb_conditions *c;
        struct gdb_text t = {bad[i], bad[i] + strlen(bad[i])};
        ck_assert_msg(!gdb_conditions_read(&t, &c), "%s", bad[i]);
        ck_assert_ptr_null(c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gdb_agent");
    TCase *tests = tcase_create("gdb_agent");
    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, constants_are_big_endian);
    tcase_add_test(tests, arithmetic_is_that_of_64_bits);
    tcase_add_test(tests, the_stack_is_shuffled);
    tcase_add_test(tests, registers_and_memory_are_the_harts);
    tcase_add_test(tests, jumps_go_where_they_say);
    tcase_add_test(tests, what_cannot_be_evaluated_stops);
    tcase_add_test(tests, one_of_several_conditions_is_enough);
    tcase_add_test(tests, malformed_text_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
