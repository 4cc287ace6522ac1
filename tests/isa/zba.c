/* Zba: address generation, against rows of the model (model.py). */
#include "tests/isa/lib/rows.h"

int main(void)
{
#include "rows/zba.h"
    return 0;
}
