/* Zbs: single-bit instructions, against rows of the model (model.py). */
#include "tests/isa/lib/rows.h"

int main(void)
{
#include "rows/zbs.h"
    return 0;
}
