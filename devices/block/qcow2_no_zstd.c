/* Built without libzstd: images with zstd clusters are refused when they are opened. */
#include "devices/block/qcow2.h"

bool qcow2_has_zstd(void)
{
    return false;
}

bool qcow2_zstd(const uint8_t *from, size_t n, uint8_t *to, size_t size)
{
    (void)from, (void)n, (void)to, (void)size;
    return false;
}
