/* Zbc: carry-less multiplication, against rows of the model (model.py). */
#include "tests/isa/lib/rows.h"

int main(void)
{
#include "rows/zbc.h"
    return 0;
}
