/* SBI debug console (chapter "Debug Console Extension", "DBCN"). Buffers are physical addresses in
 * two halves; only the low one is used by a 64-bit supervisor. */
#include "firmware/sbi/sbi_internal.h"

/* A call does so many and returns how many: the guest calls again. */
#define MAX_CALL_BYTES 65536u
#define CHUNK_BYTES    4096u

/* All of the buffer must be memory, though a call may do less. */
static bool is_buffer(const struct sbi *sbi, const uint64_t *args)
{
    return args[2] == 0 && dma_is_ram(sbi->config.memory, args[1], args[0]);
}

static struct sbi_ret console_write(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const uint64_t n = min_u64(args[0], MAX_CALL_BYTES), gpa = args[1];
    uint8_t chunk[CHUNK_BYTES];
    if (!is_buffer(sbi, args))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    for (uint64_t done = 0; done < n; done += CHUNK_BYTES) {
        const size_t step = min_u64(n - done, CHUNK_BYTES);
        if (!dma_read(sbi->config.memory, gpa + done, chunk, step))
            return sbi_failure(SBI_ERR_FAILED);
        if (sbi->config.console_write)
            sbi->config.console_write(sbi->config.console_owner, chunk, step);
    }
    return sbi_success(n);
}

static struct sbi_ret console_read(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const uint64_t n = min_u64(args[0], MAX_CALL_BYTES), gpa = args[1];
    uint8_t chunk[CHUNK_BYTES];
    uint64_t done = 0;
    size_t got = CHUNK_BYTES;
    if (!is_buffer(sbi, args))
        return sbi_failure(SBI_ERR_INVALID_PARAM);
    while (done < n && got == CHUNK_BYTES) {
        const size_t step = min_u64(n - done, CHUNK_BYTES);
        got = sbi->config.console_read
                  ? sbi->config.console_read(sbi->config.console_owner, chunk, step)
                  : 0;
        if (got && !dma_write(sbi->config.memory, gpa + done, chunk, got))
            return sbi_failure(SBI_ERR_FAILED);
        done += got;
    }
    return sbi_success(done);
}

static struct sbi_ret console_write_byte(struct sbi *sbi, struct hart *h, const uint64_t *args)
{
    (void)h;
    const uint8_t byte = (uint8_t)args[0];
    if (sbi->config.console_write)
        sbi->config.console_write(sbi->config.console_owner, &byte, 1);
    return sbi_success(0);
}

static sbi_function *const functions[] = {console_write, console_read, console_write_byte};

const struct sbi_extension sbi_dbcn = {0x4442434e, ARRAY_LEN(functions), functions};
