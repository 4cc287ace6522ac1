/* exec_csr.c: the handlers of CSR instructions that know their register do what hart_csr does. */
#include "base/random.h"
#include "tests/unit/hart_bench.h"
#include "tests/unit/suite.h"

#define TRAPS       (BENCH_RAM + 0x1000)
#define CSR_SSTATUS 0x100
#define CSR_MEDELEG 0x302
#define VALUES      40

static const char *const forms[] = {"csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"};
static const enum csr_op operations[] = {CSR_WRITE, CSR_SET, CSR_CLEAR};

/* Registers with handlers of their own, and one without. */
static const uint16_t numbers[] = {
#define PLAIN(number, name, mask) number,
#define CSR(number, name, presence, mask, effect)
#define VIEW(number, name, presence, accessor, ...)
#define READONLY(number, name, presence, value)
#include "cpu/csr.def"
#undef CSR
#undef VIEW
#undef READONLY
    CSR_SSTATUS, CSR_MEDELEG};

struct access {
    unsigned form, number, rd, rs1;
    enum priv priv;
    uint64_t mstatus, operand;
};

static void prepare(struct bench *b, const struct access *access)
{
    struct hart *h = b->h;
    pmp_write_addr(h, 15, ~0ull);
    pmp_write_cfg(h, 2, 0x1full << 56);
    h->csr.mtvec = TRAPS;
    h->csr.mie = 1ull << IRQ_SSIP | 1ull << IRQ_MSIP;
    h->csr.mip = access->priv == PRIV_U ? 0 : 1ull << IRQ_SSIP; /* there it would be taken */
    h->csr.mideleg = 1ull << IRQ_SSIP;
    h->csr.sscratch = 0x1234567890abcdef;
    h->csr.mstatus = access->mstatus & SSTATUS_WRITABLE & ~MSTATUS_SIE;
    hart_update_code_context(h);
    hart_set_priv(h, access->priv);
    for (unsigned i = 1; i < 32; i++)
        h->x[i] = access->operand;
}

/* What csrrw and its like are, in the words of the manual. */
static void do_by_hand(struct hart *h, const struct access *access, uint32_t word)
{
    enum csr_op op = operations[access->form % 3];
    bool immediate = access->form >= 3;
    uint64_t old = 0, operand = immediate ? access->rs1 : h->x[access->rs1];
    if (hart_csr(h, access->number, op, op != CSR_WRITE || access->rd,
                 op == CSR_WRITE || access->rs1, operand, &old)) {
        if (access->rd)
            h->x[access->rd] = old;
        h->pc += 4;
        h->steps++;
    } else {
        hart_raise(h, CAUSE_ILLEGAL, word);
        hart_take_exception(h);
    }
}

static void check_same(const struct bench *a, const struct bench *b, const struct access *access)
{
    const struct hart *one = a->h, *other = b->h;
    bool same = !memcmp(one->x, other->x, 32 * sizeof one->x[0]) &&
                !memcmp(&one->csr, &other->csr, sizeof one->csr) && one->pc == other->pc &&
                one->priv == other->priv && one->steps == other->steps &&
                one->traps == other->traps && one->code_context == other->code_context &&
                one->load_tlb - one->tlb->fast[0][0] == other->load_tlb - other->tlb->fast[0][0];
    ck_assert_msg(same, "%s, CSR 0x%03x, rd %u, rs1 %u, privilege %u, mstatus %llx, operand %llx",
                  forms[access->form], access->number, access->rd, access->rs1, access->priv,
                  (unsigned long long)access->mstatus, (unsigned long long)access->operand);
}

/* By an instruction in the middle of a block, as long as no interrupt comes, and by hand. */
static void compare(const struct access *access, struct bench *ours, struct bench *by_hand)
{
    struct decoded operands = {
        .rd = (uint8_t)access->rd, .rs1 = (uint8_t)access->rs1, .imm = (int32_t)access->number};
    prepare(ours, access);
    prepare(by_hand, access);
    ours->h->pc = by_hand->h->pc = ours->a.pc = BENCH_RAM;
    asm_put(&ours->a, forms[access->form], operands);
    uint32_t word;
    memcpy(&word, ours->a.bytes, sizeof word);
    code_flush(ours->code);
    bench_run(ours, 1);
    do_by_hand(by_hand->h, access, word);
    check_same(ours, by_hand, access);
}

START_TEST(every_form_does_what_hart_csr_does_in_every_privilege)
{
    static const enum priv privs[] = {PRIV_U, PRIV_S, PRIV_M};
    struct bench ours, by_hand;
    uint64_t chance = 1;
    bench_init(&ours);
    bench_init(&by_hand);
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        for (unsigned form = 0; form < ARRAY_LEN(forms); form++)
            for (unsigned n = 0; n < VALUES; n++)
                compare(&(struct access){.form = form,
                                         .number = numbers[i],
                                         .rd = n & 1 ? 0 : A0,
                                         .rs1 = n & 2   ? 0
                                                : n & 4 ? A0
                                                        : A1,
                                         .priv = privs[n % 3],
                                         .mstatus = random_next(&chance),
                                         .operand = random_next(&chance)},
                        &ours, &by_hand);
    bench_free(&ours);
    bench_free(&by_hand);
}
END_TEST

START_TEST(what_enables_a_pending_interrupt_is_left_behind_at_once)
{
    struct bench b;
    bench_init(&b);
    prepare(&b, &(struct access){.priv = PRIV_S});
    b.h->csr.stvec = TRAPS;
    ASM(&b.a, csrrsi, .rs1 = MSTATUS_SIE, .imm = CSR_SSTATUS);
    for (unsigned i = 0; i < 1000; i++)
        ASM(&b.a, addi);
    b.a.pc = TRAPS;
    ASM(&b.a, jal, .imm = 0);
    bench_run(&b, 500);
    ck_assert_uint_eq(b.h->csr.scause, CAUSE_INTERRUPT | IRQ_SSIP);
    ck_assert_uint_eq(b.h->csr.sepc, BENCH_RAM + 4);
    bench_free(&b);
}
END_TEST

static void note_csr(void *owner, struct hart *h, const struct notice *n)
{
    (void)h;
    *(uint64_t *)owner = n->value;
}

START_TEST(an_observer_hears_of_writes_of_plain_fields)
{
    struct bench b;
    uint64_t heard = 0;
    struct hart_observer observer = {
        .wants = NOTICE_BIT(NOTICE_CSR), .notice = note_csr, .owner = &heard};
    bench_init(&b);
    ASM(&b.a, csrrw, .rs1 = A0, .imm = 0x140);
    b.h->x[A0] = 77;
    hart_set_observer(b.h, &observer);
    bench_run(&b, 1);
    ck_assert_uint_eq(heard, 77);
    bench_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_csr");
    TCase *tc = tcase_create("exec_csr");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_form_does_what_hart_csr_does_in_every_privilege);
    tcase_add_test(tc, what_enables_a_pending_interrupt_is_left_behind_at_once);
    tcase_add_test(tc, an_observer_hears_of_writes_of_plain_fields);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
