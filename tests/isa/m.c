/* M: multiplication and division, against rows of the model (model.py). */
#include "lib/rows.h"

int main(void)
{
#include "rows_m.h"
    return 0;
}
