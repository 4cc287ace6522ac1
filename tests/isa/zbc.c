/* Zbc: carry-less multiplication, against rows of the model (model.py). */
#include "lib/rows.h"

int main(void)
{
#include "rows_zbc.h"
    return 0;
}
