/* The built-in SBI, called as the trap code calls it: registers in, registers out. */
#include "firmware/sbi.h"

#include "cpu/code.h"
#include "memory/tlb.h"

#include <check.h>
#include <stdlib.h>

#define RAM_BASE  0x80000000ull
#define RAM_BYTES (4ull << 20)
#define HARTS     3u
#define ARGS      5
#define CODE      (RAM_BASE + 0x1000)
#define BUFFER    (RAM_BASE + 0x2000)

enum { A0 = 10, A1, A2, A3, A4, A5, A6, A7 };
enum {
    BASE = 0x10,
    TIME = 0x54494d45,
    IPI = 0x735049,
    RFENCE = 0x52464e43,
    HSM = 0x48534d,
    SRST = 0x53525354,
    DBCN = 0x4442434e,
};
enum {
    SUCCESS = 0,
    NOT_SUPPORTED = -2,
    INVALID_PARAM = -3,
    INVALID_ADDRESS = -5,
    ALREADY_AVAILABLE = -6,
};

struct fixture {
    struct memory_map *memory;
    struct clock clock;
    struct code_cache *code;
    struct hart *harts[HARTS];
    struct sbi *sbi;
    uint8_t out[200000];
    size_t out_bytes;
    const char *in;
    int resets;
    enum sbi_reset_type type;
    enum sbi_reset_reason reason;
};

static void take_output(void *owner, const uint8_t *bytes, size_t n)
{
    struct fixture *f = owner;
    ck_assert(f->out_bytes + n <= sizeof f->out);
    memcpy(f->out + f->out_bytes, bytes, n);
    f->out_bytes += n;
}

static size_t give_input(void *owner, uint8_t *bytes, size_t n)
{
    struct fixture *f = owner;
    size_t have = strlen(f->in);
    n = n < have ? n : have;
    memcpy(bytes, f->in, n);
    f->in += n;
    return n;
}

static void take_reset(void *owner, enum sbi_reset_type type, enum sbi_reset_reason reason)
{
    struct fixture *f = owner;
    f->resets++;
    f->type = type;
    f->reason = reason;
}

static struct fixture *fixture_create(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err;
    const struct hart_isa isa = {.sstc = true, .svadu = true, .max_satp_mode = SATP_SV57};
    f->in = "";
    f->memory = memory_create(NULL);
    ck_assert_msg(memory_add_ram(f->memory, "ram", RAM_BASE, RAM_BYTES, &err), "%s", err.text);
    f->code = code_create(f->memory, NULL);
    const struct hart_ports ports = {.memory = f->memory, .clock = &f->clock, .code = f->code};
    for (unsigned i = 0; i < HARTS; i++) {
        f->harts[i] = hart_create(i, &isa, &ports, 0);
        hart_reset(f->harts[i], 0x1000);
    }
    const struct sbi_config config = {
        .harts = f->harts,
        .count = HARTS,
        .memory = f->memory,
        .console_write = take_output,
        .console_read = give_input,
        .console_owner = f,
        .system_reset = take_reset,
        .reset_owner = f,
    };
    f->sbi = sbi_create(&config);
    sbi_boot(f->sbi, CODE, BUFFER);
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    sbi_destroy(f->sbi);
    for (unsigned i = 0; i < HARTS; i++)
        hart_destroy(f->harts[i]);
    code_destroy(f->code);
    memory_destroy(f->memory);
    free(f);
}

struct result {
    int64_t error;
    uint64_t value;
};

static struct result call_on(struct fixture *f, unsigned hart, uint64_t extension,
                             uint64_t function, const uint64_t *args)
{
    struct hart *h = f->harts[hart];
    memcpy(&h->x[A0], args, ARGS * sizeof *args);
    h->x[A6] = function;
    h->x[A7] = extension;
    sbi_ecall(f->sbi, h);
    return (struct result){(int64_t)h->x[A0], h->x[A1]};
}

static struct result call(struct fixture *f, uint64_t extension, uint64_t function,
                          const uint64_t *args)
{
    return call_on(f, 0, extension, function, args);
}

static void start_all(struct fixture *f)
{
    for (unsigned i = 1; i < HARTS; i++)
        ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){i, CODE}).error, SUCCESS);
}

static bool ssip(const struct fixture *f, unsigned hart)
{
    return hart_mip(f->harts[hart]) >> IRQ_SSIP & 1;
}

/* --- boot ------------------------------------------------------------------------------------ */

START_TEST(boot_leaves_hart_0_in_s_mode_and_the_others_stopped)
{
    struct fixture *f = fixture_create();
    const struct hart *h = f->harts[0];
    ck_assert_uint_eq(h->pc, CODE);
    ck_assert_uint_eq(h->priv, PRIV_S);
    ck_assert_uint_eq(h->x[A0], 0);
    ck_assert_uint_eq(h->x[A1], BUFFER);
    ck_assert(!h->stopped);
    ck_assert(f->harts[1]->stopped && f->harts[2]->stopped);
    fixture_destroy(f);
}
END_TEST

START_TEST(boot_delegates_everything_but_ecalls_from_s)
{
    struct fixture *f = fixture_create();
    const struct hart_csrs *c = &f->harts[1]->csr;
    ck_assert_uint_eq(c->medeleg, 0xb1ff);
    ck_assert_uint_eq(c->mideleg, 0x222);
    ck_assert_uint_eq(c->mcounteren & 7, 7);
    ck_assert_uint_eq(c->scounteren & 7, 7);
    ck_assert_uint_eq(c->mstatus & MSTATUS_FS, 0);
    ck_assert_uint_eq(c->menvcfg, ENVCFG_STCE | ENVCFG_PBMTE | ENVCFG_ADUE | ENVCFG_CBZE |
                                      ENVCFG_CBCFE | 1ull << 4);
    fixture_destroy(f);
}
END_TEST

START_TEST(boot_opens_all_memory_to_s_mode)
{
    struct fixture *f = fixture_create();
    bool whole;
    ck_assert_int_eq(pmp_check(f->harts[2], RAM_BASE, 8, TLB_FETCH, PRIV_S, &whole), PMP_ALLOWED);
    ck_assert_int_eq(pmp_check(f->harts[2], 0, 8, TLB_STORE, PRIV_U, &whole), PMP_ALLOWED);
    fixture_destroy(f);
}
END_TEST

/* --- base ------------------------------------------------------------------------------------ */

START_TEST(base_reports_version_2_0_and_ids)
{
    struct fixture *f = fixture_create();
    uint64_t mimpid;
    ck_assert(hart_csr_peek(f->harts[0], 0xf13, &mimpid));
    ck_assert_uint_eq(call(f, BASE, 0, (uint64_t[ARGS]){0}).value, 0x02000000);
    ck_assert_uint_eq(call(f, BASE, 1, (uint64_t[ARGS]){0}).value, 0x52697675);
    ck_assert_uint_eq(call(f, BASE, 2, (uint64_t[ARGS]){0}).value, 0x000100);
    ck_assert_uint_eq(call(f, BASE, 4, (uint64_t[ARGS]){0}).value, 0);
    ck_assert_uint_eq(call(f, BASE, 5, (uint64_t[ARGS]){0}).value, 0);
    ck_assert_uint_eq(call(f, BASE, 6, (uint64_t[ARGS]){0}).value, mimpid);
    ck_assert_int_eq(call(f, BASE, 6, (uint64_t[ARGS]){0}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

START_TEST(base_probes_what_is_there_and_nothing_else)
{
    struct fixture *f = fixture_create();
    const uint64_t present[] = {0, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN};
    const uint64_t absent[] = {9, 0xf, 0x504d55, 0x53555350, UINT64_MAX, 1ull << 32 | BASE};
    for (size_t i = 0; i < ARRAY_LEN(present); i++)
        ck_assert_uint_eq(call(f, BASE, 3, (uint64_t[ARGS]){present[i]}).value, 1);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        ck_assert_uint_eq(call(f, BASE, 3, (uint64_t[ARGS]){absent[i]}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(unknown_extensions_and_functions_are_not_supported)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, BASE, 7, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, BASE, UINT64_MAX, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, 0x504d55, 0, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, 9, 0, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, TIME, 1, (uint64_t[ARGS]){0}).error, NOT_SUPPORTED);
    for (unsigned hfence = 3; hfence <= 6; hfence++)
        ck_assert_int_eq(call(f, RFENCE, hfence, (uint64_t[ARGS]){1}).error, NOT_SUPPORTED);
    fixture_destroy(f);
}
END_TEST

/* --- time, ipi ---------------------------------------------------------------------------------
 */

START_TEST(set_timer_arms_the_caller_and_a_later_time_clears_it)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 0);
    ck_assert_int_eq(call_on(f, 1, TIME, 0, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 1);
    ck_assert_uint_eq(hart_mip(f->harts[0]) >> IRQ_STIP & 1, 0);
    call_on(f, 1, TIME, 0, (uint64_t[ARGS]){UINT64_MAX});
    ck_assert_uint_eq(hart_mip(f->harts[1]) >> IRQ_STIP & 1, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(send_ipi_reaches_the_harts_of_the_mask)
{
    struct fixture *f = fixture_create();
    start_all(f);
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){1, 1}).error, SUCCESS);
    ck_assert(!ssip(f, 0) && ssip(f, 1) && !ssip(f, 2));
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){0, UINT64_MAX}).error, SUCCESS);
    ck_assert(ssip(f, 0) && ssip(f, 1) && ssip(f, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(send_ipi_to_a_hart_that_does_not_exist_sends_nothing)
{
    struct fixture *f = fixture_create();
    const uint64_t bad[][ARGS] = {{8, 0}, {9, 0}, {2, 2}, {1, 3}, {0, 3}, {1, UINT64_MAX - 1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_eq(call(f, IPI, 0, bad[i]).error, INVALID_PARAM);
    ck_assert(!ssip(f, 0) && !ssip(f, 1) && !ssip(f, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(a_stopped_hart_gets_no_ipi)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, IPI, 0, (uint64_t[ARGS]){2, 0}).error, SUCCESS);
    ck_assert(!ssip(f, 1));
    fixture_destroy(f);
}
END_TEST

/* --- rfence ------------------------------------------------------------------------------------
 */

static void remember(struct hart *h, uint64_t va, uint16_t asid)
{
    const struct translation t = {
        .va = va, .pa = RAM_BASE, .pte = PTE_V | PTE_R | PTE_A, .page_shift = 12};
    tlb_insert(h->tlb, &t, asid);
}

START_TEST(remote_sfence_forgets_the_pages_of_its_range_on_its_harts)
{
    struct fixture *f = fixture_create();
    for (unsigned i = 0; i < HARTS; i++) {
        remember(f->harts[i], 0x10000, 1);
        remember(f->harts[i], 0x11000, 1);
        remember(f->harts[i], 0x12000, 1);
    }
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){2, 0, 0x10ff0, 0x20}).error, SUCCESS);
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x10000, 1));
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x11000, 1));
    ck_assert_ptr_nonnull(tlb_find(f->harts[1]->tlb, 0x12000, 1));
    ck_assert_ptr_nonnull(tlb_find(f->harts[0]->tlb, 0x10000, 1));
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_sfence_with_asid_leaves_other_address_spaces)
{
    struct fixture *f = fixture_create();
    remember(f->harts[1], 0x10000, 1);
    remember(f->harts[1], 0x20000, 2);
    ck_assert_int_eq(call(f, RFENCE, 2, (uint64_t[ARGS]){2, 0, 0, UINT64_MAX, 2}).error, SUCCESS);
    ck_assert_ptr_nonnull(tlb_find(f->harts[1]->tlb, 0x10000, 1));
    ck_assert_ptr_null(tlb_find(f->harts[1]->tlb, 0x20000, 2));
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_sfence_of_everything_or_much_is_a_full_flush)
{
    struct fixture *f = fixture_create();
    const uint64_t full[][ARGS] = {
        {1, 0, 0, 0}, {1, 0, 0x1000, UINT64_MAX}, {1, 0, 0x5000, 65 * 4096}};
    for (size_t i = 0; i < ARRAY_LEN(full); i++) {
        remember(f->harts[0], 0x7777000, 3);
        ck_assert_int_eq(call(f, RFENCE, 1, full[i]).error, SUCCESS);
        ck_assert_ptr_null(tlb_find(f->harts[0]->tlb, 0x7777000, 3));
    }
    fixture_destroy(f);
}
END_TEST

START_TEST(remote_fences_refuse_bad_harts_and_ranges)
{
    struct fixture *f = fixture_create();
    for (unsigned function = 0; function <= 2; function++)
        ck_assert_int_eq(call(f, RFENCE, function, (uint64_t[ARGS]){8, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, RFENCE, 0, (uint64_t[ARGS]){7, 0}).error, SUCCESS);
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){1, 0, UINT64_MAX - 4095, 4097}).error,
                     INVALID_ADDRESS);
    ck_assert_int_eq(call(f, RFENCE, 1, (uint64_t[ARGS]){1, 0, UINT64_MAX - 4095, 4096}).error,
                     SUCCESS);
    fixture_destroy(f);
}
END_TEST

/* --- hsm ---------------------------------------------------------------------------------------
 */

START_TEST(hart_start_enters_s_mode_as_the_table_says)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[2];
    h->csr.satp = 8ull << 60;
    h->csr.mstatus |= MSTATUS_SIE;
    h->priv = PRIV_U;
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){2, CODE + 2, 0xabcd}).error, SUCCESS);
    ck_assert(!h->stopped && !h->waiting);
    ck_assert_uint_eq(h->pc, CODE + 2);
    ck_assert_uint_eq(h->priv, PRIV_S);
    ck_assert_uint_eq(h->x[A0], 2);
    ck_assert_uint_eq(h->x[A1], 0xabcd);
    ck_assert_uint_eq(h->csr.satp, 0);
    ck_assert_uint_eq(h->csr.mstatus & MSTATUS_SIE, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(hart_start_refuses_bad_harts_states_and_addresses)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){HARTS, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){UINT64_MAX, CODE}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){0, CODE}).error, ALREADY_AVAILABLE);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, 0}).error, INVALID_ADDRESS);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, CODE + 1}).error, INVALID_ADDRESS);
    ck_assert(f->harts[1]->stopped);
    fixture_destroy(f);
}
END_TEST

START_TEST(hart_stop_stops_the_caller_and_it_can_be_started_again)
{
    struct fixture *f = fixture_create();
    start_all(f);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 0);
    f->harts[1]->leave = false;
    call_on(f, 1, HSM, 1, (uint64_t[ARGS]){0});
    ck_assert(f->harts[1]->stopped && f->harts[1]->leave);
    ck_assert_int_eq(f->harts[1]->stop, HART_WAITS);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 1);
    ck_assert_int_eq(call(f, HSM, 0, (uint64_t[ARGS]){1, CODE}).error, SUCCESS);
    ck_assert_int_eq(call(f, HSM, 2, (uint64_t[ARGS]){HARTS}).error, INVALID_PARAM);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_retentive_suspend_waits_and_returns_success)
{
    struct fixture *f = fixture_create();
    start_all(f);
    f->harts[1]->csr.mie = 1 << IRQ_SSIP;
    ck_assert_int_eq(call_on(f, 1, HSM, 3, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert(f->harts[1]->waiting && f->harts[1]->leave);
    ck_assert_int_eq(f->harts[1]->stop, HART_WAITS);
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 4);
    ck_assert(!hart_has_wakeup(f->harts[1]));
    call(f, IPI, 0, (uint64_t[ARGS]){2, 0});
    ck_assert(hart_has_wakeup(f->harts[1]));
    f->harts[1]->waiting = false;
    ck_assert_uint_eq(call(f, HSM, 2, (uint64_t[ARGS]){1}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_wfi_after_a_suspend_is_not_reported_as_suspended)
{
    struct fixture *f = fixture_create();
    call_on(f, 0, HSM, 3, (uint64_t[ARGS]){0});
    f->harts[0]->steps++;
    ck_assert_uint_eq(call_on(f, 1, HSM, 2, (uint64_t[ARGS]){0}).value, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_suspend_with_an_interrupt_pending_does_not_wait)
{
    struct fixture *f = fixture_create();
    f->harts[0]->csr.mie = 1 << IRQ_SSIP;
    call(f, IPI, 0, (uint64_t[ARGS]){1, 0});
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0}).error, SUCCESS);
    ck_assert(!f->harts[0]->waiting);
    fixture_destroy(f);
}
END_TEST

START_TEST(a_non_retentive_suspend_resumes_at_its_address)
{
    struct fixture *f = fixture_create();
    struct hart *h = f->harts[0];
    h->csr.mie = 1 << IRQ_STIP;
    h->csr.mstatus |= MSTATUS_SIE;
    call(f, HSM, 3, (uint64_t[ARGS]){0x80000000, CODE + 0x40, 77});
    ck_assert(h->waiting);
    ck_assert_uint_eq(h->pc, CODE + 0x40);
    ck_assert_uint_eq(h->x[A0], 0);
    ck_assert_uint_eq(h->x[A1], 77);
    ck_assert_uint_eq(h->csr.mie, 1 << IRQ_STIP);
    ck_assert_uint_eq(h->csr.mstatus & MSTATUS_SIE, 0);
    fixture_destroy(f);
}
END_TEST

START_TEST(suspend_refuses_reserved_and_platform_types_and_bad_addresses)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){1}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x80000001}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x10000000}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0xffffffff}).error, NOT_SUPPORTED);
    ck_assert_int_eq(call(f, HSM, 3, (uint64_t[ARGS]){0x80000000, 0x10}).error, INVALID_ADDRESS);
    ck_assert(!f->harts[0]->waiting);
    fixture_destroy(f);
}
END_TEST

/* --- srst --------------------------------------------------------------------------------------
 */

START_TEST(system_reset_tells_the_machine_type_and_reason)
{
    struct fixture *f = fixture_create();
    f->harts[0]->leave = false;
    call(f, SRST, 0, (uint64_t[ARGS]){1, 1});
    ck_assert_int_eq(f->resets, 1);
    ck_assert_int_eq(f->type, SBI_COLD_REBOOT);
    ck_assert_int_eq(f->reason, SBI_REASON_SYSTEM_FAILURE);
    ck_assert(f->harts[0]->leave);
    ck_assert_int_eq(f->harts[0]->stop, HART_REQUEST);
    fixture_destroy(f);
}
END_TEST

START_TEST(system_reset_refuses_reserved_types_and_reasons)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){3, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){0xf0000000, 0}).error, INVALID_PARAM);
    ck_assert_int_eq(call(f, SRST, 0, (uint64_t[ARGS]){0, 2}).error, INVALID_PARAM);
    ck_assert_int_eq(f->resets, 0);
    fixture_destroy(f);
}
END_TEST

/* --- dbcn --------------------------------------------------------------------------------------
 */

START_TEST(console_write_sends_guest_memory)
{
    struct fixture *f = fixture_create();
    ck_assert(dma_write(f->memory, BUFFER, "hello", 5));
    const struct result r = call(f, DBCN, 0, (uint64_t[ARGS]){5, BUFFER, 0});
    ck_assert_int_eq(r.error, SUCCESS);
    ck_assert_uint_eq(r.value, 5);
    ck_assert_uint_eq(f->out_bytes, 5);
    ck_assert_mem_eq(f->out, "hello", 5);
    fixture_destroy(f);
}
END_TEST

START_TEST(console_write_of_much_is_partial)
{
    struct fixture *f = fixture_create();
    ck_assert_uint_eq(call(f, DBCN, 0, (uint64_t[ARGS]){100000, BUFFER, 0}).value, 65536);
    ck_assert_uint_eq(f->out_bytes, 65536);
    ck_assert_uint_eq(call(f, DBCN, 0, (uint64_t[ARGS]){UINT64_MAX, BUFFER, 0}).value, 65536);
    ck_assert_int_eq(call(f, DBCN, 0, (uint64_t[ARGS]){0, BUFFER, 0}).error, SUCCESS);
    fixture_destroy(f);
}
END_TEST

START_TEST(console_buffers_outside_ram_are_invalid)
{
    struct fixture *f = fixture_create();
    f->in = "lost?";
    for (unsigned function = 0; function <= 1; function++) {
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){1, 0x1000, 0}).error,
                         INVALID_PARAM);
        ck_assert_int_eq(call(f, DBCN, function, (uint64_t[ARGS]){1, BUFFER, 1}).error,
                         INVALID_PARAM);
        ck_assert_int_eq(
            call(f, DBCN, function, (uint64_t[ARGS]){2, RAM_BASE + RAM_BYTES - 1, 0}).error,
            INVALID_PARAM);
    }
    ck_assert_uint_eq(f->out_bytes, 0);
    ck_assert_str_eq(f->in, "lost?");
    fixture_destroy(f);
}
END_TEST

START_TEST(console_read_gives_what_is_there)
{
    struct fixture *f = fixture_create();
    char got[4] = "";
    f->in = "abc";
    ck_assert_uint_eq(call(f, DBCN, 1, (uint64_t[ARGS]){2, BUFFER, 0}).value, 2);
    ck_assert_uint_eq(call(f, DBCN, 1, (uint64_t[ARGS]){5000, BUFFER + 2, 0}).value, 1);
    const struct result none = call(f, DBCN, 1, (uint64_t[ARGS]){5, BUFFER + 3, 0});
    ck_assert_int_eq(none.error, SUCCESS);
    ck_assert_uint_eq(none.value, 0);
    ck_assert(dma_read(f->memory, BUFFER, got, 3));
    ck_assert_str_eq(got, "abc");
    fixture_destroy(f);
}
END_TEST

START_TEST(console_write_byte_sends_the_low_byte)
{
    struct fixture *f = fixture_create();
    ck_assert_int_eq(call(f, DBCN, 2, (uint64_t[ARGS]){0x1241}).error, SUCCESS);
    ck_assert_uint_eq(f->out_bytes, 1);
    ck_assert_uint_eq(f->out[0], 'A');
    fixture_destroy(f);
}
END_TEST

/* --- legacy ------------------------------------------------------------------------------------
 */

START_TEST(legacy_calls_return_in_a0_alone)
{
    struct fixture *f = fixture_create();
    f->in = "q";
    struct result r = call(f, 1, 0, (uint64_t[ARGS]){'x', 1234});
    ck_assert_int_eq(r.error, 0);
    ck_assert_uint_eq(r.value, 1234);
    ck_assert_uint_eq(f->out[0], 'x');
    ck_assert_int_eq(call(f, 2, 0, (uint64_t[ARGS]){0}).error, 'q');
    ck_assert_int_eq(call(f, 2, 0, (uint64_t[ARGS]){0}).error, -1);
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_timer_and_shutdown_work)
{
    struct fixture *f = fixture_create();
    call(f, 0, 0, (uint64_t[ARGS]){0});
    ck_assert_uint_eq(hart_mip(f->harts[0]) >> IRQ_STIP & 1, 1);
    call(f, 8, 0, (uint64_t[ARGS]){0});
    ck_assert_int_eq(f->resets, 1);
    ck_assert_int_eq(f->type, SBI_SHUTDOWN);
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_ipis_take_their_mask_from_memory)
{
    struct fixture *f = fixture_create();
    const uint64_t mask = 1 << 1 | 1 << 2 | 1ull << 40;
    start_all(f);
    ck_assert(dma_write(f->memory, BUFFER, &mask, sizeof mask));
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){BUFFER}).error, 0);
    ck_assert(!ssip(f, 0) && ssip(f, 1) && ssip(f, 2));
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert(ssip(f, 0));
    ck_assert_int_eq(call(f, 3, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert(!ssip(f, 0) && ssip(f, 1));
    ck_assert_int_eq(call(f, 4, 0, (uint64_t[ARGS]){0x10}).error, INVALID_ADDRESS);
    ck_assert(!ssip(f, 0));
    fixture_destroy(f);
}
END_TEST

START_TEST(legacy_fences_flush_their_range)
{
    struct fixture *f = fixture_create();
    remember(f->harts[2], 0x10000, 1);
    remember(f->harts[2], 0x20000, 2);
    ck_assert_int_eq(call(f, 5, 0, (uint64_t[ARGS]){0}).error, 0);
    ck_assert_int_eq(call(f, 6, 0, (uint64_t[ARGS]){0, 0x10000, 0x1000}).error, 0);
    ck_assert_ptr_null(tlb_find(f->harts[2]->tlb, 0x10000, 1));
    ck_assert_int_eq(call(f, 7, 0, (uint64_t[ARGS]){0, 0x20000, 0x1000, 1}).error, 0);
    ck_assert_ptr_nonnull(tlb_find(f->harts[2]->tlb, 0x20000, 2));
    ck_assert_int_eq(call(f, 7, 0, (uint64_t[ARGS]){0, 0x20000, 0x1000, 2}).error, 0);
    ck_assert_ptr_null(tlb_find(f->harts[2]->tlb, 0x20000, 2));
    for (unsigned extension = 5; extension <= 7; extension++)
        ck_assert_int_eq(call(f, extension, 0, (uint64_t[ARGS]){0x10}).error, INVALID_ADDRESS);
    fixture_destroy(f);
}
END_TEST

/* --- state -------------------------------------------------------------------------------------
 */

START_TEST(the_state_walk_keeps_a_suspension)
{
    struct fixture *f = fixture_create(), *copy = fixture_create();
    call(f, HSM, 3, (uint64_t[ARGS]){0});
    struct state *save = state_new_save();
    sbi_state(f->sbi, save);
    size_t size;
    const void *data = state_data(save, &size);
    struct state *load = state_new_load(data, size);
    sbi_state(copy->sbi, load);
    ck_assert(state_ok(load));
    copy->harts[0]->waiting = true;
    copy->harts[0]->steps = f->harts[0]->steps;
    ck_assert_uint_eq(call_on(copy, 1, HSM, 2, (uint64_t[ARGS]){0}).value, 4);
    state_free(load);
    state_free(save);
    fixture_destroy(copy);
    fixture_destroy(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, boot_leaves_hart_0_in_s_mode_and_the_others_stopped);
    tcase_add_test(c, boot_delegates_everything_but_ecalls_from_s);
    tcase_add_test(c, boot_opens_all_memory_to_s_mode);
    tcase_add_test(c, base_reports_version_2_0_and_ids);
    tcase_add_test(c, base_probes_what_is_there_and_nothing_else);
    tcase_add_test(c, unknown_extensions_and_functions_are_not_supported);
    tcase_add_test(c, set_timer_arms_the_caller_and_a_later_time_clears_it);
    tcase_add_test(c, send_ipi_reaches_the_harts_of_the_mask);
    tcase_add_test(c, send_ipi_to_a_hart_that_does_not_exist_sends_nothing);
    tcase_add_test(c, a_stopped_hart_gets_no_ipi);
    tcase_add_test(c, remote_sfence_forgets_the_pages_of_its_range_on_its_harts);
    tcase_add_test(c, remote_sfence_with_asid_leaves_other_address_spaces);
    tcase_add_test(c, remote_sfence_of_everything_or_much_is_a_full_flush);
    tcase_add_test(c, remote_fences_refuse_bad_harts_and_ranges);
    tcase_add_test(c, hart_start_enters_s_mode_as_the_table_says);
    tcase_add_test(c, hart_start_refuses_bad_harts_states_and_addresses);
    tcase_add_test(c, hart_stop_stops_the_caller_and_it_can_be_started_again);
    tcase_add_test(c, a_retentive_suspend_waits_and_returns_success);
    tcase_add_test(c, a_wfi_after_a_suspend_is_not_reported_as_suspended);
    tcase_add_test(c, a_suspend_with_an_interrupt_pending_does_not_wait);
    tcase_add_test(c, a_non_retentive_suspend_resumes_at_its_address);
    tcase_add_test(c, suspend_refuses_reserved_and_platform_types_and_bad_addresses);
    tcase_add_test(c, system_reset_tells_the_machine_type_and_reason);
    tcase_add_test(c, system_reset_refuses_reserved_types_and_reasons);
    tcase_add_test(c, console_write_sends_guest_memory);
    tcase_add_test(c, console_write_of_much_is_partial);
    tcase_add_test(c, console_buffers_outside_ram_are_invalid);
    tcase_add_test(c, console_read_gives_what_is_there);
    tcase_add_test(c, console_write_byte_sends_the_low_byte);
    tcase_add_test(c, legacy_calls_return_in_a0_alone);
    tcase_add_test(c, legacy_timer_and_shutdown_work);
    tcase_add_test(c, legacy_ipis_take_their_mask_from_memory);
    tcase_add_test(c, legacy_fences_flush_their_range);
    tcase_add_test(c, the_state_walk_keeps_a_suspension);
}

int main(void)
{
    Suite *suite = suite_create("sbi");
    TCase *c = tcase_create("sbi");
    add_tests(c);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
