/* Dates that users write: apart from base/values.h, because calendars are the host's. */
#ifndef RIVULET_FRONTEND_OPTION_DATE_H
#define RIVULET_FRONTEND_OPTION_DATE_H

#include "base/bits.h"

/* "2006-06-17T16:01:21" or "2006-06-17", in UTC: ns since 1970. */
bool value_date(const char *text, uint64_t *ns) MUST_CHECK;

#endif
