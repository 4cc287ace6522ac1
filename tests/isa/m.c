/* M: multiplication and division, against rows of the model (model.py). */
#include "tests/isa/lib/rows.h"

int main(void)
{
#include "rows/m.h"
    return 0;
}
