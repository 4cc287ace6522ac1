/* What -vnc takes (contract: vnc.h; QEMU: the options of `-vnc`). */
#include "frontend/vnc.h"

#include "base/os.h"
#include "base/values.h"

#include <stdlib.h>

#define PORT_BASE    5900u
#define DISPLAY_MOST (65535u - PORT_BASE)

/* QEMU's: what only says how pixels and keys are sent, and what would change who gets in. */
static const char *const accepted[] = {"lossy", "non-adaptive", "key-delay-ms", NULL};
static const char *const missing[] = {"websocket", "reverse",    "tls-creds", "tls-authz",
                                      "sasl",      "sasl-authz", "acl",       "power-control",
                                      "audiodev",  "ipv4",       "ipv6",      NULL};
static const char *const properties[] = {"to", "share", "id", "password", "password-secret", NULL};

static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool is_loopback(const char *host)
{
    bool is_number = strspn(host, "0123456789.") == strlen(host); /* no name that begins so */
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (is_number && strncmp(host, "127.", 4) == 0);
}

static bool copy_text(char *to, size_t size, const char *from, size_t n, struct error *err)
{
    if (n >= size)
        return error_set(err, "'%.40s...' is longer than %zu bytes", from, size - 1);
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

/* HOST:N, [IPV6]:N, or unix:PATH. */
static bool set_address(struct vnc_config *c, const char *text, struct error *err)
{
    uint64_t display;
    const char *colon = strrchr(text, ':'), *host = text;
    if (strncmp(text, "unix:", 5) == 0)
        return (text[5] && copy_text(c->path, sizeof c->path, text + 5, strlen(text + 5), err)) ||
               error_set(err, "unix: needs a path");
    if (!colon || !value_number(colon + 1, &display) || display > DISPLAY_MOST)
        return error_set(err,
                         "'%.80s' is no display; give HOST:N, for example :0 or "
                         "127.0.0.1:1, which is port 5901; or unix:PATH",
                         text);
    size_t n = (size_t)(colon - text);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    c->port = PORT_BASE + (unsigned)display;
    return copy_text(c->host, sizeof c->host, host, n, err);
}

/* QEMU's `to` is the last display that may be taken. */
static bool set_to(struct vnc_config *c, const char *text, struct error *err)
{
    uint64_t last;
    if (!value_number(text, &last) || last > DISPLAY_MOST || PORT_BASE + last < c->port)
        return error_set(err, "to=%.40s: give the highest display to try, %u to %u", text,
                         c->port - PORT_BASE, DISPLAY_MOST);
    c->more_ports = PORT_BASE + (unsigned)last - c->port;
    return true;
}

/* --- secrets ----------------------------------------------------------------------------- */

static const char *item_of(const struct machine_option *option, const char *name)
{
    for (unsigned i = option->count; i-- > 0;)
        if (strcmp(option->items[i].name, name) == 0)
            return option->items[i].value;
    return NULL;
}

static const struct machine_option *find_secret(const struct machine_options *objects,
                                                const char *id)
{
    for (unsigned i = 0; i < objects->count; i++) {
        const char *type = item_of(&objects->items[i], "qom-type");
        const char *its_id = item_of(&objects->items[i], "id");
        if (type && its_id && strcmp(type, "secret") == 0 && strcmp(its_id, id) == 0)
            return &objects->items[i];
    }
    return NULL;
}

/* The line end that an editor put behind it is no part of it. */
static bool set_password(struct vnc_config *c, const char *text, size_t n, struct error *err)
{
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (!n || memchr(text, 0, n))
        return error_set(err, "the password is empty, or no text");
    n = min_u64(n, VNC_PASSWORD_BYTES);
    memcpy(c->password, text, n);
    c->password[n] = 0;
    return true;
}

static bool set_secret(struct vnc_config *c, const char *id, const struct machine_options *objects,
                       struct error *err)
{
    const struct machine_option *secret = find_secret(objects, id);
    struct os_file file;
    if (!secret)
        return error_set(err, "there is no secret '%.60s'; give -object secret,id=%.60s,file=FILE",
                         id, id);
    const char *path = item_of(secret, "file"), *data = item_of(secret, "data");
    if (!path == !data)
        return error_set(err, "the secret '%.60s' needs either file=FILE or data=TEXT", id);
    if (data)
        return set_password(c, data, strlen(data), err);
    if (!os_map_file(path, &file, err))
        return false;
    bool ok = set_password(c, (const char *)file.bytes, file.size, err);
    os_unmap_file(&file);
    return ok;
}

/* --- all of it --------------------------------------------------------------------------- */

static bool set_share(struct vnc_config *c, const char *value, struct error *err)
{
    static const char *const policies[] = {"allow-exclusive", "force-shared", "ignore", NULL};
    for (unsigned i = 0; policies[i]; i++)
        if (strcmp(value, policies[i]) == 0) {
            c->is_shared = i > 0;
            return true;
        }
    return error_set(err, "share=%.40s: it can be allow-exclusive, force-shared or ignore", value);
}

static bool set_property(struct vnc_config *c, const struct list_item *item,
                         const struct machine_options *objects, struct error *err)
{
    const char *value = item->value ? item->value : "on"; /* as QEMU: a word alone switches on */
    if (strcmp(item->key, "to") == 0)
        return set_to(c, value, err);
    if (strcmp(item->key, "share") == 0)
        return set_share(c, value, err);
    if (strcmp(item->key, "id") == 0)
        return copy_text(c->id, sizeof c->id, value, strlen(value), err);
    if (strcmp(item->key, "password-secret") == 0)
        return set_secret(c, value, objects, err);
    if (strcmp(item->key, "password") == 0)
        return value_switch(value, &c->asks_password) ||
               error_set(err, "password=%.40s: give on or off", value);
    if (is_among(item->key, accepted))
        return true;
    if (is_among(item->key, missing))
        return error_set(err, "%s is not there yet; leave it out", item->key);
    return error_set(err, "unknown property '%.60s'; the nearest is %s", item->key,
                     nearest_name(item->key, properties));
}

bool vnc_config_parse(const char *text, const struct machine_options *objects,
                      struct vnc_config *config, struct error *err)
{
    struct list_item item;
    *config = (struct vnc_config){.id = "default"};
    err->text[0] = 0;
    if (!list_next(&text, &item, err) || item.value)
        return error_set(err, "give HOST:N first, for example :0, or unix:PATH");
    if (!set_address(config, item.key, err))
        return false;
    while (text && list_next(&text, &item, err))
        if (!set_property(config, &item, objects, err))
            return false;
    if (err->text[0])
        return false;
    config->asks_password |= *config->password != 0;
    if (config->asks_password || *config->path)
        return true;
    if (!*config->host)
        strcpy(config->host, "127.0.0.1");
    return is_loopback(config->host) ||
           error_set(err,
                     "%.80s can be reached by others: give password=on, or password-secret=ID "
                     "and -object secret,id=ID,file=FILE, or 127.0.0.1",
                     config->host);
}
