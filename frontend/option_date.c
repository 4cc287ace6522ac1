/* Dates (contract: option_date.h). */
#include "frontend/option_date.h"

#include <time.h>

#define NS_PER_S 1000000000ull

bool value_date(const char *text, uint64_t *ns)
{
    struct tm date = {0};
    const char *end = strptime(text, "%Y-%m-%d", &date);
    if (end && *end == 'T')
        end = strptime(end + 1, "%H:%M:%S", &date);
    if (!end || *end)
        return false;
    struct tm same = date;
    time_t seconds = timegm(&same);
    /* timegm makes 1 March of 30 February: refuse what it had to correct. */
    if (seconds < 0 || same.tm_mday != date.tm_mday || same.tm_mon != date.tm_mon)
        return false;
    return !__builtin_mul_overflow((uint64_t)seconds, NS_PER_S, ns);
}
