#include "tests/unit/hart_fixture.h"

#include <check.h>

static struct hart_fixture *fixture_of(const struct hart *h)
{
    return CONTAINER_OF(h, struct hart_fixture, hart);
}

void hart_update_translation(struct hart *h)
{
    fixture_of(h)->translations++;
}

unsigned hart_data_priv(const struct hart *h)
{
    return h->priv;
}

void hart_flush_tlb(struct hart *h)
{
    tlb_flush_all(h->tlb);
    fixture_of(h)->tlb_flushes++;
}

void hart_update_code_context(struct hart *h)
{
    h->code_context = bits_get(h->csr.mstatus, MSTATUS_FS_SHIFT, 2) | h->frm << 2;
    fixture_of(h)->code_contexts++;
}

void hart_set_stimecmp(struct hart *h, uint64_t mtime)
{
    h->csr.stimecmp = mtime;
    fixture_of(h)->timers_set++;
}

uint64_t hart_mip(const struct hart *h)
{
    bool own_timer = h->csr.menvcfg & ENVCFG_STCE;
    uint64_t stip = own_timer && hart_mtime(h) >= h->csr.stimecmp ? 1ull << IRQ_STIP : 0;
    uint64_t written = own_timer ? h->csr.mip & ~(1ull << IRQ_STIP) : h->csr.mip;
    return h->mip_wires | written | stip;
}

uint64_t hart_mip_seen(const struct hart *h)
{
    return hart_mip(h);
}

uint64_t hart_now_ns(const struct hart *h)
{
    return fixture_of(h)->now_ns;
}

void fp_sync(struct hart *h)
{
    h->fflags |= fixture_of(h)->host_fp_flags;
    fixture_of(h)->host_fp_flags = 0;
}

void fp_reload(struct hart *h)
{
    fixture_of(h)->fp_reloads++;
}

void fixture_init(struct hart_fixture *f)
{
    memset(f, 0, sizeof *f);
    struct hart *h = &f->hart;
    h->isa = isa_of_everything();
    h->tlb = tlb_create();
    ck_assert_ptr_nonnull(h->tlb);
    h->ports.clock = &f->clock;
    h->priv = PRIV_M;
    h->pc = FIXTURE_PC;
    h->id = 3;
    h->page_valid = true;
    csr_reset(h);
}

void fixture_free(struct hart_fixture *f)
{
    tlb_destroy(f->hart.tlb);
}

void fixture_forget(struct hart_fixture *f)
{
    f->hart.leave = false;
    f->translations = f->tlb_flushes = f->code_contexts = f->fp_reloads = f->timers_set = 0;
}

bool csr_get(struct hart *h, unsigned number, uint64_t *value)
{
    return hart_csr(h, number, CSR_SET, true, false, 0, value);
}

bool csr_set(struct hart *h, unsigned number, uint64_t value)
{
    uint64_t old;
    return hart_csr(h, number, CSR_WRITE, false, true, value, &old);
}

uint64_t csr_read_as_m(struct hart *h, unsigned number)
{
    uint8_t priv = h->priv;
    uint64_t value = 0;
    h->priv = PRIV_M;
    ck_assert_msg(csr_get(h, number, &value), "csr 0x%03x cannot be read in M-mode", number);
    h->priv = priv;
    return value;
}

uint64_t csr_written_as_m(struct hart *h, unsigned number, uint64_t value)
{
    uint8_t priv = h->priv;
    h->priv = PRIV_M;
    ck_assert_msg(csr_set(h, number, value), "csr 0x%03x cannot be written in M-mode", number);
    h->priv = priv;
    return csr_read_as_m(h, number);
}
