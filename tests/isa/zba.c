/* Zba: address generation, against rows of the model (model.py). */
#include "lib/rows.h"

int main(void)
{
#include "rows_zba.h"
    return 0;
}
