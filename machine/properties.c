/* Properties of devices and back-ends (contract: properties.h). */
#include "machine/properties.h"

#include "base/values.h"

#include <stdio.h>

const char *option_text(const struct machine_option *option, const char *name)
{
    for (unsigned i = option->count; i-- > 0;)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value ? option->items[i].value : "on";
    return NULL;
}

/* The last -global DRIVER.NAME=VALUE. */
static const char *global_text(const struct properties *p, const char *name)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s.%s", p->driver, name);
    for (unsigned i = p->globals->count; i-- > 0;)
        if (strcmp(p->globals->items[i].items[0].name, wanted) == 0)
            return p->globals->items[i].items[0].value;
    return NULL;
}

const char *properties_text(const struct properties *p, const char *name)
{
    const char *text = p->option ? option_text(p->option, name) : NULL;
    return text || !p->driver ? text : global_text(p, name);
}

bool properties_switch(const struct properties *p, const char *name, bool *value, struct error *err)
{
    const char *text = properties_text(p, name);
    return !text || value_switch(text, value) ||
           error_set(err, "%s=%.80s: give on or off", name, text);
}

bool properties_size(const struct properties *p, const char *name, uint64_t most, uint64_t *value,
                     struct error *err)
{
    const char *text = properties_text(p, name);
    uint64_t size;
    if (!text)
        return true;
    if ((!value_number(text, &size) && !value_size(text, 1, &size)) || size > most)
        return error_set(err, "%s=%.80s: give a number up to %llu", name, text,
                         (unsigned long long)most);
    *value = size;
    return true;
}

static bool unknown_name(const char *name, const struct property_rule *rules, struct error *err)
{
    const char *nearest = "";
    unsigned least = ~0u;
    if (!rules->name)
        return error_set(err, "unknown property '%.80s'; there is none", name);
    for (; rules->name; rules++) {
        unsigned distance = edit_distance(name, rules->name);
        if (distance < least) {
            least = distance;
            nearest = rules->name;
        }
    }
    return error_set(err, "unknown property '%.80s'; the nearest is %s", name, nearest);
}

static bool wrong_word(const struct machine_property *property, const char *const *words,
                       struct error *err)
{
    char known[128] = "";
    size_t n = 0;
    for (; *words && n < sizeof known; words++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? " " : "", *words);
    return error_set(err, "%s=%.80s is not there; it can be: %s", property->name, property->value,
                     known);
}

bool property_check(const struct machine_property *property, const struct property_rule *rules,
                    struct error *err)
{
    const struct property_rule *rule = rules;
    while (rule->name && strcmp(rule->name, property->name) != 0)
        rule++;
    if (!rule->name)
        return unknown_name(property->name, rules, err);
    if (!property->value)
        return error_set(err, "%s needs a value: %s=...", property->name, property->name);
    if (!rule->words)
        return true;
    for (const char *const *word = rule->words; *word; word++)
        if (strcmp(property->value, *word) == 0)
            return true;
    return wrong_word(property, rule->words, err);
}

void properties_list(const struct property_rule *rules, const struct byte_sink *out)
{
    for (; rules->name; rules++) {
        byte_sink_print(out, "  %s=", rules->name);
        for (const char *const *word = rules->words; word && *word; word++)
            byte_sink_print(out, "%s%s", word == rules->words ? "" : "|", *word);
        byte_sink_print(out, "\n");
    }
}
