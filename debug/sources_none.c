/* Lines of source (contract: sources.h) where libdw is missing: no file has any. */
#include "debug/sources.h"

struct sources *sources_open(const char *path, uint64_t base, struct error *err)
{
    (void)path, (void)base;
    error_set(err, "this program was built without libdw, which reads lines of source");
    return NULL;
}

void sources_destroy(struct sources *s)
{
    (void)s;
}

const struct source_row *sources_get(const struct sources *s, size_t i)
{
    (void)s, (void)i;
    return NULL;
}

const struct source_row *sources_at(const struct sources *s, uint64_t address)
{
    (void)s, (void)address;
    return NULL;
}
