/* The console of semihosting. Input that is not there yet is waited for. */
#include "firmware/semihosting/internal.h"

static void put(struct semi_call *c, bool is_error, const uint8_t *bytes, size_t n)
{
    const struct semihosting_config *config = &c->s->config;
    config->console_write(config->owner, is_error, bytes, n);
}

/* As console_read of the configuration; what a look has taken comes first. */
static long take(struct semihosting *s, uint8_t *bytes, size_t n)
{
    if (!s->has_byte)
        return s->config.console_read(s->config.owner, bytes, n);
    s->has_byte = false;
    bytes[0] = s->byte;
    long more = n > 1 ? s->config.console_read(s->config.owner, bytes + 1, n - 1) : 0;
    return more > 0 ? 1 + more : 1;
}

int64_t semi_writec(struct semi_call *c)
{
    uint8_t byte;
    if (!semi_read(c, c->block, &byte, 1))
        return semi_fail(c, EFAULT);
    put(c, false, &byte, 1);
    return 0;
}

/* Nothing is written of a text that has no end. */
int64_t semi_write0(struct semi_call *c)
{
    uint64_t n = 0;
    uint8_t byte = 1;
    for (; byte && n <= TEXT_BYTES_MOST; n++)
        if (!semi_read(c, c->block + n, &byte, 1))
            return semi_fail(c, EFAULT);
    if (byte)
        return semi_fail(c, EINVAL);
    console_write_from(c, false, c->block, n - 1);
    return 0;
}

int64_t semi_readc(struct semi_call *c)
{
    uint8_t byte;
    long got = take(c->s, &byte, 1);
    c->waits = got == 0;
    return got > 0 ? byte : got < 0 ? semi_fail(c, EIO) : 0;
}

uint64_t console_write_from(struct semi_call *c, bool is_error, uint64_t va, uint64_t n)
{
    uint8_t chunk[CHUNK_BYTES];
    uint64_t most = min_u64(n, CALL_BYTES_MOST), done = 0;
    for (uint64_t part; done < most; done += part) {
        part = min_u64(most - done, sizeof chunk);
        if (!semi_read(c, va + done, chunk, part)) {
            semi_fail(c, EFAULT);
            break;
        }
        put(c, is_error, chunk, part);
    }
    return n - done;
}

/* Something at least, and no more than is there. A buffer that is not there takes nothing. */
uint64_t console_read_to(struct semi_call *c, uint64_t va, uint64_t n)
{
    uint8_t chunk[CHUNK_BYTES];
    if (n == 0 || !semi_read(c, va, chunk, 1))
        return n;
    long got = take(c->s, chunk, min_u64(n, sizeof chunk));
    c->waits = got == 0;
    return got > 0 && semi_write(c, va, chunk, (size_t)got) ? n - (uint64_t)got : n;
}
