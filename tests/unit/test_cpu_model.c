/* What -cpu makes of a model and switches: the set of extensions, the widest paging mode, and the
 * lines for what cannot be. */
#include "machine/cpu_model.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hart_isa parse(const char *text)
{
    struct hart_isa isa;
    struct error err;
    ck_assert_msg(cpu_model_parse(text, &isa, &err), "%s", err.text);
    return isa;
}

#define EXPECT_ISA(cpu, text)                                                                      \
    do {                                                                                           \
        char string_[1024];                                                                        \
        struct hart_isa isa_ = parse(cpu);                                                         \
        ck_assert(isa_string(&isa_, string_, sizeof string_));                                     \
        ck_assert_str_eq(string_, text);                                                           \
    } while (0)

/* The words of `dumpdtb` of QEMU 10.0, as far as we have them; for rv64 also Zicond, Svinval,
 * Svnapot and Svpbmt, and Sdtrig, which QEMU has without saying so. */
START_TEST(the_models_have_what_qemus_have)
{
    EXPECT_ISA(NULL, "rv64imafdc_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_"
                     "zicntr_zicond_zicsr_zifencei_zihintntl_zihintpause_zihpm_zmmul_za64rs_"
                     "zaamo_zalrsc_zawrs_zfa_zca_zcd_zba_zbb_zbc_zbs_sdtrig_ssccptr_"
                     "sscounterenw_sstc_sstvala_sstvecd_ssu64xl_svadu_svinval_svnapot_svpbmt_"
                     "svvptc");
    EXPECT_ISA("rva22s64", "rv64imafdcb_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_"
                           "ziccrse_zicntr_zicsr_zifencei_zihintpause_zihpm_zmmul_za64rs_zaamo_"
                           "zalrsc_zfhmin_zca_zcd_zba_zbb_zbs_zkt_ssccptr_sscounterenw_sstvala_"
                           "sstvecd_ssu64xl_svade_svinval_svpbmt");
    ck_assert_uint_eq(parse("rva22s64").max_satp_mode, 8);
    struct hart_isa all = isa_of_everything(), max = parse("max,svade=on");
    ck_assert_mem_eq(&all, &max, sizeof all);
}
END_TEST

START_TEST(the_letters_are_those_of_misa)
{
    struct hart_isa isa = parse("rv64");
    ck_assert_uint_eq(isa_misa(&isa), 0x800000000014112d);
    isa = parse("rv64,d=off,c=off,b=on");
    ck_assert_uint_eq(isa_misa(&isa), 0x8000000000141123);
}
END_TEST

START_TEST(what_is_needed_comes_along)
{
    struct hart_isa isa = parse("rv64,zfh=on");
    ck_assert(isa.zfhmin && isa.zfh);
    isa = parse("rv64,zkn=on");
    ck_assert(isa.zbkb && isa.zbkc && isa.zbkx && isa.zknd && isa.zkne && isa.zknh);
    ck_assert(!isa.zksed && !isa.zkr);
}
END_TEST

START_TEST(what_needs_something_that_is_off_goes)
{
    struct hart_isa isa = parse("max,f=off");
    ck_assert(!isa.f && !isa.d && !isa.zfhmin && !isa.zfh && !isa.zfa && !isa.zcd);
    isa = parse("max,c=off");
    ck_assert(!isa.c && !isa.zca && !isa.zcb && !isa.zcd && !isa.zcmop);
    isa = parse("max,zknd=off");
    ck_assert(!isa.zkn && !isa.zk && isa.zkne);
}
END_TEST

START_TEST(every_extension_can_be_switched_off_and_on)
{
    for (unsigned i = 1; i < isa_extension_count; i++) {
        char text[64];
        const struct extension *extension = &isa_extensions[i];
        snprintf(text, sizeof text, "max,%s=off", extension->name);
        struct hart_isa isa = parse(text);
        ck_assert_msg(!*isa_switch(&isa, extension), "%s", text);
        snprintf(text, sizeof text, "rv64,%s=on", extension->name);
        isa = parse(text);
        ck_assert_msg(*isa_switch(&isa, extension), "%s", text);
    }
}
END_TEST

START_TEST(paging_modes_are_chosen_by_the_widest)
{
    ck_assert_uint_eq(parse("rv64").max_satp_mode, 10);
    ck_assert_uint_eq(parse("rv64,sv57=off").max_satp_mode, 9);
    ck_assert_uint_eq(parse("max,sv48=off,zba=on,v=off").max_satp_mode, 8);
    ck_assert_uint_eq(parse("rva22s64,sv48=on").max_satp_mode, 9);
}
END_TEST

static const struct {
    const char *cpu, *text;
} bad[] = {
    {"sifive-u54", "no CPU 'sifive-u54'; known are rv64, max, rva22s64"},
    {"rv64,v=on", "v is not there yet"},
    {"rv64,i=off", "i cannot be switched off"},
    {"rv64,mmu=off", "mmu cannot be switched off"},
    {"rv64,zbx=on", "unknown property 'zbx'; the nearest is zba"},
    {"rv64,zba", "zba needs =on or =off"},
    {"rv64,vlen=256", "vlen needs =on or =off"},
    {"rv64,zfh=on,f=off", "zfh=on needs zfhmin, which is off"},
    {"rv64,g=off", "g cannot be switched off"},
    {"rv64,sv39=off", "sv39=off leaves no paging mode"},
    {"rv64,sv57=on,sv48=off", "a paging mode is on and a narrower one is off"},
};

START_TEST(what_cannot_be_is_told)
{
    struct hart_isa isa;
    struct error err;
    ck_assert(!cpu_model_parse(bad[_i].cpu, &isa, &err));
    ck_assert_msg(strstr(err.text, bad[_i].text) == err.text, "%s: %s", bad[_i].cpu, err.text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_model");
    TCase *t = tcase_create("cpu_model");
    tcase_add_test(t, the_models_have_what_qemus_have);
    tcase_add_test(t, the_letters_are_those_of_misa);
    tcase_add_test(t, what_is_needed_comes_along);
    tcase_add_test(t, what_needs_something_that_is_off_goes);
    tcase_add_test(t, every_extension_can_be_switched_off_and_on);
    tcase_add_test(t, paging_modes_are_chosen_by_the_widest);
    tcase_add_loop_test(t, what_cannot_be_is_told, 0, sizeof bad / sizeof bad[0]);
    suite_add_tcase(s, t);
    return run_suite(s);
}
