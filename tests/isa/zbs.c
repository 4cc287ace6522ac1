/* Zbs: single-bit instructions, against rows of the model (model.py). */
#include "lib/rows.h"

int main(void)
{
#include "rows_zbs.h"
    return 0;
}
