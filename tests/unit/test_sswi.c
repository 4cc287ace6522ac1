/* ACLINT's SSWI through its ops. */
#include "devices/irq/sswi.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/suite.h"

#define HARTS 3u

struct rig {
    struct wire ssip[HARTS];
    struct device *sswi;
};

static void rig_init(struct rig *r)
{
    *r = (struct rig){0};
    struct sswi_config config = {.harts = HARTS};
    for (unsigned h = 0; h < HARTS; h++)
        config.ssip[h] = wire_to(r->ssip, h);
    r->sswi = sswi_create(&config);
    r->sswi->ops->reset(r->sswi);
}

START_TEST(setssip_raises_the_interrupt_of_its_own_hart_and_reads_as_0)
{
    struct rig r;
    rig_init(&r);
    reg_write(r.sswi, 4, 0xffffffff, 4);
    ck_assert(r.ssip[1].level && !r.ssip[0].level && !r.ssip[2].level);
    ck_assert_uint_eq(reg_read(r.sswi, 4, 4), 0);
    r.sswi->ops->destroy(r.sswi);
}
END_TEST

START_TEST(writing_0_does_nothing)
{
    struct rig r;
    rig_init(&r);
    reg_write(r.sswi, 0, 0xfffffffe, 4);
    ck_assert(!r.ssip[0].level);
    reg_write(r.sswi, 0, 1, 4);
    reg_write(r.sswi, 0, 0, 4);
    ck_assert(r.ssip[0].level);
    r.sswi->ops->destroy(r.sswi);
}
END_TEST

START_TEST(a_hart_that_is_not_there_has_no_register)
{
    struct rig r;
    rig_init(&r);
    reg_write(r.sswi, 4 * HARTS, 1, 4);
    reg_write(r.sswi, SSWI_BYTES - 4, 1, 4);
    ck_assert(!r.ssip[0].level && !r.ssip[1].level && !r.ssip[2].level);
    ck_assert_uint_eq(reg_read(r.sswi, SSWI_BYTES - 4, 4), 0);
    r.sswi->ops->destroy(r.sswi);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sswi");
    TCase *tc = tcase_create("sswi");
    tcase_add_test(tc, setssip_raises_the_interrupt_of_its_own_hart_and_reads_as_0);
    tcase_add_test(tc, writing_0_does_nothing);
    tcase_add_test(tc, a_hart_that_is_not_there_has_no_register);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
