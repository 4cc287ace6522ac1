/* SBI base extension (chapter "Base Extension", 0x10). */
#include "firmware/sbi/sbi_internal.h"

#define SPEC_VERSION (3u << 24) /* 3.0 */
/* "Rivu": the specification's list of implementation ids is short and ours is not in it. */
#define IMPL_ID      0x52697675u
#define IMPL_VERSION 0x000100u /* 0.1.0, a byte each */

#define CSR_MVENDORID 0xf11u
#define CSR_MARCHID   0xf12u
#define CSR_MIMPID    0xf13u

static struct sbi_ret get_spec_version(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h, (void)args;
    return sbi_success(SPEC_VERSION);
}

static struct sbi_ret get_impl_id(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h, (void)args;
    return sbi_success(IMPL_ID);
}

static struct sbi_ret get_impl_version(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h, (void)args;
    return sbi_success(IMPL_VERSION);
}

static struct sbi_ret probe_extension(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)h;
    return sbi_success(sbi_has_extension(args[0]));
}

static struct sbi_ret machine_csr(struct hart *h, unsigned number)
{
    uint64_t value;
    return hart_csr_peek(h, number, &value) ? sbi_success(value) : sbi_success(0);
}

static struct sbi_ret get_mvendorid(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)args;
    return machine_csr(h, CSR_MVENDORID);
}

static struct sbi_ret get_marchid(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)args;
    return machine_csr(h, CSR_MARCHID);
}

static struct sbi_ret get_mimpid(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)sbi, (void)args;
    return machine_csr(h, CSR_MIMPID);
}

static sbi_function *const functions[] = {
    get_spec_version, get_impl_id, get_impl_version, probe_extension,
    get_mvendorid,    get_marchid, get_mimpid,
};

const struct sbi_extension sbi_base = {0x10, ARRAY_LEN(functions), functions};
