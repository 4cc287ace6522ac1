/* Reading what a -device, -drive, ... says (struct machine_option), with the defaults that -global
 * gives. Every reader leaves its target alone when the property is not there. */
#ifndef RIVULET_MACHINE_PROPERTIES_H
#define RIVULET_MACHINE_PROPERTIES_H

#include "base/bits.h"
#include "machine/machine.h"

struct properties {
    const struct machine_option *option; /* NULL: globals alone */
    const char *driver;                  /* whose globals count; NULL: none */
    const struct machine_options *globals;
};

/* A name and the values that it may have; words NULL: any. Tables end with a name NULL. */
struct property_rule {
    const char *name;
    const char *const *words;
};

/* The value of a name in one option, the last one given; NULL: not there. */
const char *option_text(const struct machine_option *option, const char *name);

const char *properties_text(const struct properties *p, const char *name);
bool properties_switch(const struct properties *p, const char *name, bool *value,
                       struct error *err) MUST_CHECK;
/* A number, or a size with a suffix; at most `most`. */
bool properties_size(const struct properties *p, const char *name, uint64_t most, uint64_t *value,
                     struct error *err) MUST_CHECK;

/* Whether a name and its value are in a table. An unknown name is an error that names the nearest.
 */
bool property_check(const struct machine_property *property, const struct property_rule *rules,
                    struct error *err) MUST_CHECK;
/* A table as lines of text. */
void properties_list(const struct property_rule *rules, const struct byte_sink *out);

#endif
