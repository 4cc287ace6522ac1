/* Properties as a JSON object (contract: option_setters.h). As QEMU does it, what is nested gets
 * names with dots, {"file": {"driver": "file"}} is file.driver=file, and an element its number;
 * true and false are on and off. So every reader of properties takes both forms, with the same
 * checks. */
#include "frontend/option_setters.h"

#include <jansson.h>
#include <stdio.h>

#define NAME_MAX_BYTES 128u

static bool add_value(struct options *o, struct machine_option *option, const char *name,
                      const json_t *value, struct error *err);

/* "file" and "driver" are "file.driver". */
static bool add_member(struct options *o, struct machine_option *option, const char *prefix,
                       const char *name, const json_t *value, struct error *err)
{
    char path[NAME_MAX_BYTES];
    int n = snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", name);
    if (n < 0 || (size_t)n >= sizeof path)
        return error_set(err, "the name '%.60s...' is too long", path);
    return add_value(o, option, path, value, err);
}

static bool add_object_members(struct options *o, struct machine_option *option, const char *prefix,
                               const json_t *object, struct error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (!add_member(o, option, prefix, name, value, err))
            return false;
    }
    return true;
}

static bool add_elements(struct options *o, struct machine_option *option, const char *prefix,
                         const json_t *array, struct error *err)
{
    char number[24];
    for (size_t i = 0; i < json_array_size(array); i++) {
        snprintf(number, sizeof number, "%zu", i);
        if (!add_member(o, option, prefix, number, json_array_get(array, i), err))
            return false;
    }
    return true;
}

static bool add_value(struct options *o, struct machine_option *option, const char *name,
                      const json_t *value, struct error *err)
{
    char number[32];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return add_object_members(o, option, name, value, err);
    case JSON_ARRAY:
        return add_elements(o, option, name, value, err);
    case JSON_STRING:
        return add_property(o, option, name, json_string_value(value), err);
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return add_property(o, option, name, number, err);
    case JSON_TRUE:
        return add_property(o, option, name, "on", err);
    case JSON_FALSE:
        return add_property(o, option, name, "off", err);
    case JSON_REAL:
    case JSON_NULL:
        break;
    }
    return error_set(err, "'%.60s' must be a text, a whole number, true, false or an object", name);
}

bool read_json_properties(struct options *o, struct machine_option *option, const char *text,
                          struct error *err)
{
    json_error_t fault;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
    if (!object)
        return error_set(err, "this is no JSON: %s (byte %d)", fault.text, fault.position);
    bool ok = add_object_members(o, option, "", object, err);
    json_decref(object);
    return ok;
}
