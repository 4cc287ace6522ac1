/* What users write as values: numbers, sizes, times, switches, `name,key=value` lists.
 * Each function reads the whole text or refuses it: no trailing junk, no sign, no overflow. */
#ifndef RIVULET_BASE_VALUES_H
#define RIVULET_BASE_VALUES_H

#include "base/bits.h"
#include "base/error.h"

/* Decimal, or hexadecimal after 0x. */
bool value_number(const char *text, uint64_t *number) MUST_CHECK;
/* "512M", "1.5G", "64k": bytes; a number without a suffix counts units of unit_bytes. */
bool value_size(const char *text, uint64_t unit_bytes, uint64_t *bytes) MUST_CHECK;
/* "30s", "1.5s", "200ms", "5us", "10ns": ns; a number without a unit counts ns. */
bool value_time(const char *text, uint64_t *ns) MUST_CHECK;
/* on, yes, true; off, no, false. */
bool value_switch(const char *text, bool *on) MUST_CHECK;

/* "1.5 GiB", with three digits, as QEMU writes sizes. */
#define VALUE_SIZE_BYTES 16u
void value_size_text(uint64_t bytes, char text[VALUE_SIZE_BYTES]);

/* A file's name as it is from everywhere: a relative one is in `folder`; NULL: it is not known, and
 * the name stays. malloc()ed; NULL: no memory. */
char *value_path(const char *folder, const char *name);

/* One item of a QEMU list such as `virt,aclint=off,dumpdtb=a.dtb`: `key=value`, or a word alone,
 * whose value is NULL. In a value ",," stands for a comma. */
struct list_item {
    char text[1024];
    const char *key, *value; /* both inside text */
};

/* Takes the first item off *list; false when the list is at its end, or when the item is longer
 * than any that we know (then err is filled). *list must not be NULL; it is NULL after the last
 * item. */
bool list_next(const char **list, struct list_item *item, struct error *err);

/* How many letters must be inserted, removed or replaced to make b of a. */
unsigned edit_distance(const char *a, const char *b);
/* Of `names`, whose end is NULL, the one nearest to `name`; NULL when there is none. */
const char *nearest_name(const char *name, const char *const *names);

#endif
