/* zlib clusters of qcow2: raw deflate with a window of 4 KiB (qcow2.txt: "Compressed Clusters"). */
#include "devices/block/qcow2.h"

#include <zlib.h>

bool qcow2_inflate(const uint8_t *from, size_t n, uint8_t *to, size_t size)
{
    z_stream z = {
        .next_in = (Bytef *)from, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)size};
    if (inflateInit2(&z, -12) != Z_OK)
        return false;
    int result = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && z.avail_out == 0;
}
