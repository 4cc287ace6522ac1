/* Zbb: basic bit manipulation, against rows of the model (model.py). */
#include "tests/isa/lib/rows.h"

static void ctzw(void)
{
#include "rows/ctzw.h"
}

int main(void)
{
#include "rows/zbb.h"
    if (on_qemu72())
        skip("ctzw: QEMU 7.2 looks at the high half when the low one is 0");
    else
        ctzw();
    return 0;
}
