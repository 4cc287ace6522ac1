/* Properties as a JSON object (contract: option_setters.h) where the library jansson is missing. */
#include "frontend/option_setters.h"

bool read_json_properties(struct options *o, struct machine_option *option, const char *text,
                          struct error *err)
{
    (void)o, (void)option, (void)text;
    return error_set(err, "this program was built without jansson, which JSON needs; give "
                          "driver=NAME,PROPERTY=VALUE,...");
}
