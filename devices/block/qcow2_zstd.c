/* zstd clusters of qcow2 (qcow2.txt: compression type 1). */
#include "devices/block/qcow2.h"

#include <zstd.h>

bool qcow2_has_zstd(void)
{
    return true;
}

/* What follows the frame up to the end of its last sector is ignored. */
bool qcow2_zstd(const uint8_t *from, size_t n, uint8_t *to, size_t size)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {from, n, 0};
    ZSTD_outBuffer out = {to, size, 0};
    size_t result = 1, before;
    do {
        before = in.pos + out.pos;
        if (stream)
            result = ZSTD_decompressStream(stream, &out, &in);
    } while (result && !ZSTD_isError(result) && in.pos + out.pos != before);
    ZSTD_freeDStream(stream);
    return !ZSTD_isError(result) && out.pos == size;
}
