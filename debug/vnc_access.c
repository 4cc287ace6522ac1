/* Passwords of VNC servers, by word (contract: vnc_access.h; QEMU: set_password, expire_password).
 */
#include "debug/vnc_access.h"

#include "base/os.h"
#include "base/values.h"

#include <string.h>

#define NS_PER_S 1000000000ull

static bool is_word(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static bool check_target(const struct vnc_access *a, const struct vnc_target *target,
                         struct error *err)
{
    const char *action = target->action;
    if (is_word(target->protocol, "spice"))
        return error_set(err, "SPICE is not in use");
    if (!is_word(target->protocol, "vnc"))
        return error_set(err, "Parameter 'protocol' does not accept value '%.40s'",
                         target->protocol);
    if (action && !is_word(action, "keep") && !is_word(action, "fail") &&
        !is_word(action, "disconnect"))
        return error_set(err, "Parameter 'connected' does not accept value '%.40s'", action);
    if (action && !is_word(action, "keep"))
        return error_set(err, "who is connected stays: 'connected' can be keep");
    if (!a)
        return error_set(err, "there is no VNC server; start it with -vnc HOST:N,password=on");
    return !target->display || is_word(target->display, a->id) ||
           error_set(err, "there is no VNC server '%.60s'; it is '%.60s'", target->display, a->id);
}

bool vnc_access_set_password(const struct vnc_access *a, const struct vnc_target *target,
                             const char *password, struct error *err)
{
    return check_target(a, target, err) && a->set_password(a->owner, password, err);
}

static bool read_expiry(const char *when, uint64_t *seconds)
{
    uint64_t now = os_wall_clock_ns() / NS_PER_S;
    *seconds = is_word(when, "now") ? 0 : UINT64_MAX;
    if (is_word(when, "now") || is_word(when, "never"))
        return true;
    if (*when != '+')
        return value_number(when, seconds);
    return value_number(when + 1, seconds) && !__builtin_add_overflow(now, *seconds, seconds);
}

bool vnc_access_set_expiry(const struct vnc_access *a, const struct vnc_target *target,
                           const char *when, struct error *err)
{
    uint64_t seconds;
    if (!read_expiry(when, &seconds))
        return error_set(err, "'%.40s' is no time: give now, never, +SECONDS or SECONDS since 1970",
                         when);
    return check_target(a, target, err) && a->set_expiry(a->owner, seconds, err);
}
