/* The PCIe host bridge: interrupts, places, life. */
#include "tests/unit/pci_probe.h"
#include "tests/unit/suite.h"

/* --- interrupts --- */

START_TEST(pin_and_slot_choose_the_wire)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    for (unsigned slot = 1; slot < 32; slot++) {
        uint8_t pin = (uint8_t)(1 + slot / 4 % 4);
        struct probe *p = add_probe(&b, SLOT(slot), pin);
        for (unsigned level = 2; level--;) {
            pci_set_intx(&p->function, level);
            for (unsigned wire = 0; wire < PCI_WIRES; wire++)
                ck_assert_uint_eq(b.wires[wire].level, level && wire == (pin - 1 + slot) % 4);
        }
    }
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_shared_wire_is_up_until_the_last_pin_is_down)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *first = add_probe(&b, SLOT(1), 1), *second = add_probe(&b, SLOT(5), 1);
    pci_set_intx(&first->function, true);
    pci_set_intx(&second->function, true);
    pci_set_intx(&first->function, false);
    ck_assert(b.wires[1].level);
    pci_set_intx(&second->function, false);
    ck_assert(!b.wires[1].level);
    ck_assert_uint_eq(b.wires[1].rises, 1);
    pci_bench_free(&b);
}
END_TEST

START_TEST(the_command_register_holds_an_interrupt_back_and_the_status_shows_it)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = add_probe(&b, SLOT(1), 1);
    ck_assert(!(config_get(&b, SLOT(1), PCI_STATUS, 2) & PCI_STATUS_INTERRUPT));
    config_put(&b, SLOT(1), PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
    pci_set_intx(&p->function, true);
    ck_assert(!b.wires[1].level);
    ck_assert(config_get(&b, SLOT(1), PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    config_put(&b, SLOT(1), PCI_COMMAND, 0, 2);
    ck_assert(b.wires[1].level);
    config_put(&b, SLOT(1), PCI_COMMAND + 1, PCI_COMMAND_INTX_DISABLE >> 8, 1);
    ck_assert(!b.wires[1].level);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_function_without_a_pin_has_no_wire)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = add_probe(&b, SLOT(1), 0);
    pci_set_intx(&p->function, true);
    for (unsigned wire = 0; wire < PCI_WIRES; wire++)
        ck_assert(!b.wires[wire].level);
    pci_bench_free(&b);
}
END_TEST

/* --- places --- */

START_TEST(functions_without_a_place_get_the_first_free_slot)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(2), 1);
    struct error err;
    for (unsigned slot = 1; slot < 32; slot++) {
        if (slot == 2)
            continue;
        struct probe *p = probe_new(1);
        ck_assert(pci_host_add(b.host, &p->function, PCI_ANY_DEVFN, &err));
        ck_assert_uint_eq(p->function.devfn, SLOT(slot));
    }
    struct probe *p = probe_new(1);
    ck_assert(!pci_host_add(b.host, &p->function, PCI_ANY_DEVFN, &err));
    ck_assert_str_eq(err.text, "probe: all 32 slots of the PCI bus are taken");
    free(p);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_place_is_refused_that_is_taken_or_that_no_guest_would_find)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = probe_new(1);
    struct error err;
    ck_assert(!pci_host_add(b.host, &p->function, SLOT(0), &err));
    ck_assert_str_eq(err.text, "probe: PCI slot 0x0.0 is taken by gpex-root");
    ck_assert(!pci_host_add(b.host, &p->function, SLOT(4) + 2, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "add a device with addr=0x4 first"));
    ck_assert(!pci_host_add(b.host, &p->function, 256, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "slots 0 to 0x1f"));
    free(p);
    pci_bench_free(&b);
}
END_TEST

START_TEST(function_0_says_that_its_slot_has_more_of_them)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(1), 1);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_HEADER_TYPE, 1), 0);
    add_probe(&b, SLOT(1) + 3, 2);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_HEADER_TYPE, 1), 0x80);
    ck_assert_uint_eq(config_get(&b, SLOT(1) + 3, PCI_VENDOR_ID, 2), 0x1234);
    b.host->ops->reset(b.host);
    ck_assert_uint_eq(config_get(&b, SLOT(1), PCI_HEADER_TYPE, 1), 0x80);
    pci_bench_free(&b);
}
END_TEST

/* --- life --- */

static void make_busy(struct pci_bench *b, struct probe *p)
{
    config_put(b, SLOT(1), PCI_COMMAND, ALL_COMMANDS & ~PCI_COMMAND_INTX_DISABLE, 2);
    config_put(b, SLOT(1), PCI_IRQ_LINE, 0x77, 1);
    expect_hit(b, p, MEMORY_32_BASE, MEMORY_BAR, 0);
    pci_set_intx(&p->function, true);
}

START_TEST(a_reset_takes_bars_away_lowers_wires_and_resets_the_functions)
{
    struct pci_bench b, fresh;
    pci_bench_init(&b, NULL);
    pci_bench_init(&fresh, NULL);
    struct probe *p = placed_probe(&b);
    add_probe(&fresh, SLOT(1), 1);
    make_busy(&b, p);
    ck_assert(b.wires[1].level);
    b.host->ops->reset(b.host);
    ck_assert(!b.wires[1].level);
    expect_nobody(&b, p, MEMORY_32_BASE);
    ck_assert_uint_eq(device_hash(b.host), device_hash(fresh.host));
    pci_bench_free(&fresh);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_saved_bus_loads_into_an_equal_one_and_drives_nothing)
{
    struct pci_bench a, b;
    pci_bench_init(&a, NULL);
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&a), *q = add_probe(&b, SLOT(1), 1);
    make_busy(&a, p);
    check_round_trip(a.host, b.host);
    ck_assert(!b.wires[1].level);
    ck_assert(config_get(&b, SLOT(1), PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    expect_hit(&b, q, IO_BASE + 0x1000, IO_BAR, 0);
    expect_hit(&b, q, MEMORY_64_BASE, MEMORY_64_BAR, 0);
    pci_set_intx(&q->function, false);
    pci_check_damaged_states(&a, &b);
    pci_bench_free(&a);
    pci_bench_free(&b);
}
END_TEST

START_TEST(a_state_of_other_functions_is_refused)
{
    struct pci_bench a, b;
    pci_bench_init(&a, NULL);
    pci_bench_init(&b, NULL);
    add_probe(&a, SLOT(1), 1);
    struct probe *p = add_probe(&b, SLOT(1), 2); /* the pin is not the guest's to change */
    size_t size;
    uint8_t *saved = device_save(a.host, &size);
    ck_assert(!device_load(b.host, saved, size));
    ck_assert_uint_eq(p->function.config[PCI_IRQ_PIN], 2);
    pci_bench_free(&b);
    pci_bench_init(&b, NULL);
    add_probe(&b, SLOT(2), 1);
    ck_assert(!device_load(b.host, saved, size));
    pci_bench_free(&b);
    pci_bench_init(&b, NULL);
    p = add_probe(&b, SLOT(1), 1);
    p->function.name = "another probe";
    ck_assert(!device_load(b.host, saved, size));
    free(saved);
    pci_bench_free(&a);
    pci_bench_free(&b);
}
END_TEST

START_TEST(any_access_is_survived)
{
    struct pci_bench b;
    pci_bench_init(&b, NULL);
    struct probe *p = placed_probe(&b);
    add_probe(&b, SLOT(2), 4);
    uint64_t seed = 11;
    for (unsigned n = 0; n < 100000; n++) {
        pci_fuzz_once(&b, &seed);
        fuzz_once(b.host, PCI_ECAM_BYTES, &seed);
    }
    for (unsigned i = 0; i < 0x60; i++)
        ck_assert_uint_eq((p->function.config[i] ^ p->function.initial[i]) &
                              (uint8_t)~p->function.writable[i],
                          0);
    pci_bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pci_host");
    TCase *tc = tcase_create("pci_host");
    tcase_add_test(tc, pin_and_slot_choose_the_wire);
    tcase_add_test(tc, a_shared_wire_is_up_until_the_last_pin_is_down);
    tcase_add_test(tc, the_command_register_holds_an_interrupt_back_and_the_status_shows_it);
    tcase_add_test(tc, a_function_without_a_pin_has_no_wire);
    tcase_add_test(tc, functions_without_a_place_get_the_first_free_slot);
    tcase_add_test(tc, a_place_is_refused_that_is_taken_or_that_no_guest_would_find);
    tcase_add_test(tc, function_0_says_that_its_slot_has_more_of_them);
    tcase_add_test(tc, a_reset_takes_bars_away_lowers_wires_and_resets_the_functions);
    tcase_add_test(tc, a_saved_bus_loads_into_an_equal_one_and_drives_nothing);
    tcase_add_test(tc, a_state_of_other_functions_is_refused);
    tcase_add_test(tc, any_access_is_survived);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
