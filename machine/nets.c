/* Networks (contract: nets.h). The words are QEMU's. */
#include "machine/nets.h"

#include "base/values.h"
#include "devices/net/pcap.h"
#include "machine/properties.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_NIC (~0u)

struct net {
    char id[64];
    unsigned nic; /* the -nic that it comes from; NO_NIC: a -netdev */
    const struct machine_option *option;
    const struct netdev_type *type;
    struct link *link;
};

struct capture {
    const struct machine_option *option;
    struct link *link;
    uint32_t maxlen;
    unsigned directions; /* enum link_direction */
    struct pcap *pcap;   /* NULL: not open */
};

struct nets {
    struct log *log;
    struct net items[NETS_MAX];
    unsigned count;
    struct capture captures[NETS_MAX];
    unsigned capture_count;
};

/* --- names ------------------------------------------------------------------------------- */

static const struct netdev_type *find_type(const char *name)
{
    for (unsigned i = 0; netdev_types[i]; i++)
        if (strcmp(netdev_types[i]->name, name) == 0)
            return netdev_types[i];
    return NULL;
}

void nets_list(const struct byte_sink *out)
{
    byte_sink_print(out, "Available netdev backend types:\n");
    for (unsigned i = 0; netdev_types[i]; i++)
        byte_sink_print(out, "%s\n", netdev_types[i]->name);
}

static bool unknown_type(const char *name, struct error *err)
{
    const char *names[NETS_MAX + 1] = {NULL};
    for (unsigned i = 0; netdev_types[i] && i < NETS_MAX; i++)
        names[i] = netdev_types[i]->name;
    return error_set(err, "there is no network back-end '%.60s'; the nearest is %s", name,
                     nearest_name(name, names));
}

static struct net *find_net(struct nets *n, const char *id)
{
    for (unsigned i = 0; i < n->count; i++)
        if (strcmp(n->items[i].id, id) == 0)
            return &n->items[i];
    return NULL;
}

/* What the option says beside the properties of its back-end. */
static bool is_own(const struct net *net, const char *name)
{
    static const char *const of_netdev[] = {"type", "id", NULL};
    static const char *const of_nic[] = {"type", "id", "model", "mac", NULL};
    const char *const *names = net->nic == NO_NIC ? of_netdev : of_nic;
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool check_properties(const struct net *net, struct error *err)
{
    for (unsigned i = 0; i < net->option->count; i++) {
        const char *name = net->option->items[i].name, *const *known = net->type->properties;
        while (*known && strcmp(*known, name) != 0)
            known++;
        if (!*known && !is_own(net, name))
            return error_set(err, "%s has no property '%.60s'; the nearest is %s", net->type->name,
                             name, nearest_name(name, net->type->properties));
    }
    return true;
}

/* --- making ------------------------------------------------------------------------------ */

static bool set_id(struct nets *n, struct net *net, struct error *err)
{
    const char *id = option_text(net->option, "id");
    if (!id && net->nic == NO_NIC)
        return error_set(err, "it needs id=ID, which a device then names: netdev=ID");
    int length = id ? snprintf(net->id, sizeof net->id, "%s", id)
                    : snprintf(net->id, sizeof net->id, "#nic%u", net->nic);
    if ((size_t)length >= sizeof net->id || length == 0)
        return error_set(err, "id has 1 to %zu letters", sizeof net->id - 1);
    return !find_net(n, net->id) || error_set(err, "there are two networks '%s'", net->id);
}

static bool add_net(struct nets *n, const struct machine_option *option, unsigned nic,
                    struct error *err)
{
    const char *type = option_text(option, "type");
    if (n->count == NETS_MAX)
        return error_set(err, "there are %u already", NETS_MAX);
    struct net *net = &n->items[n->count];
    *net = (struct net){.option = option, .nic = nic, .type = find_type(type ? type : "")};
    if (!net->type)
        return unknown_type(type ? type : "", err);
    if (!set_id(n, net, err) || !check_properties(net, err))
        return false;
    n->count++;
    return true;
}

static bool is_none(const struct machine_option *nic)
{
    const char *type = option_text(nic, "type");
    return type && strcmp(type, "none") == 0;
}

static bool add_nets(struct nets *n, const struct machine_config *config, struct error *err)
{
    struct error why;
    for (unsigned i = 0; i < config->netdevs.count; i++)
        if (!add_net(n, &config->netdevs.items[i], NO_NIC, &why))
            return error_set(err, "-netdev: %.400s", why.text);
    for (unsigned i = 0; i < config->nics.count; i++)
        if (!is_none(&config->nics.items[i]) && !add_net(n, &config->nics.items[i], i, &why))
            return error_set(err, "-nic: %.400s", why.text);
    return true;
}

static bool create_links(struct nets *n, struct input_door *door, const struct clock *clock,
                         struct error *err)
{
    for (unsigned i = 0; i < n->count; i++) {
        n->items[i].link = link_create(n->items[i].id, door, clock);
        if (!n->items[i].link)
            return error_set(err, "no memory for a network");
    }
    return true;
}

/* --- captures ---------------------------------------------------------------------------- */

static const char *const queues[] = {"all", "rx", "tx", NULL};
static const struct property_rule capture_rules[] = {
    {"qom-type", NULL}, {"id", NULL},      {"netdev", NULL}, {"file", NULL},
    {"maxlen", NULL},   {"queue", queues}, {NULL, NULL},
};

/* QEMU's queues are the back-end's: it receives (rx) what the guest sends. */
static unsigned directions_of(const char *queue)
{
    if (!queue || strcmp(queue, "all") == 0)
        return LINK_TO_GUEST | LINK_FROM_GUEST;
    return strcmp(queue, "rx") == 0 ? LINK_FROM_GUEST : LINK_TO_GUEST;
}

static bool add_capture(struct nets *n, const struct machine_option *option, struct error *err)
{
    struct properties p = {.option = option};
    const char *netdev = option_text(option, "netdev");
    uint64_t maxlen = PCAP_MAXLEN_DEFAULT;
    for (unsigned i = 0; i < option->count; i++)
        if (!property_check(&option->items[i], capture_rules, err))
            return false;
    if (!netdev || !option_text(option, "file"))
        return error_set(err, "it needs netdev=ID and file=FILE");
    struct net *net = find_net(n, netdev);
    if (!net)
        return error_set(err, "there is no network '%.60s'", netdev);
    if (!properties_size(&p, "maxlen", UINT32_MAX, &maxlen, err))
        return false;
    if (n->capture_count == NETS_MAX)
        return error_set(err, "there are %u already", NETS_MAX);
    n->captures[n->capture_count++] = (struct capture){
        .option = option,
        .link = net->link,
        .maxlen = (uint32_t)maxlen,
        .directions = directions_of(option_text(option, "queue")),
    };
    return true;
}

static bool add_captures(struct nets *n, const struct machine_config *config, struct error *err)
{
    struct error why;
    for (unsigned i = 0; i < config->objects.count; i++) {
        const char *type = option_text(&config->objects.items[i], "qom-type");
        if (type && strcmp(type, "filter-dump") == 0 &&
            !add_capture(n, &config->objects.items[i], &why))
            return error_set(err, "-object filter-dump: %.400s", why.text);
    }
    return true;
}

struct nets *nets_create(const struct machine_config *config, struct input_door *door,
                         const struct clock *clock, struct error *err)
{
    struct nets *n = calloc(1, sizeof *n);
    if (!n) {
        error_set(err, "no memory for the networks");
        return NULL;
    }
    n->log = config->log;
    if (add_nets(n, config, err) && create_links(n, door, clock, err) &&
        add_captures(n, config, err))
        return n;
    nets_destroy(n);
    return NULL;
}

/* --- opening and closing ----------------------------------------------------------------- */

static bool open_net(struct nets *n, struct net *net, struct error *err)
{
    struct netdev_property properties[MACHINE_PROPERTIES_MAX];
    struct link_backend backend;
    struct netdev_config config = {
        .properties = properties, .receiver = link_receiver(net->link), .log = n->log};
    for (unsigned i = 0; i < net->option->count; i++) {
        const struct machine_property *p = &net->option->items[i];
        if (!is_own(net, p->name)) /* a word alone switches on */
            properties[config.count++] =
                (struct netdev_property){.key = p->name, .value = p->value ? p->value : "on"};
    }
    if (!net->type->open(&config, &backend, err))
        return false;
    link_connect(net->link, &backend);
    return true;
}

static bool open_capture(struct capture *c, struct error *err)
{
    c->pcap = pcap_open(option_text(c->option, "file"), c->maxlen, c->directions, err);
    if (c->pcap)
        link_observe(c->link, pcap_observer(c->pcap));
    return c->pcap != NULL;
}

bool nets_open(struct nets *n, struct error *err)
{
    struct error why;
    for (unsigned i = 0; i < n->capture_count; i++)
        if (!open_capture(&n->captures[i], &why))
            return error_set(err, "-object filter-dump: %.400s", why.text);
    for (unsigned i = 0; i < n->count; i++)
        if (!open_net(n, &n->items[i], &why))
            return error_set(err, "%s %s: %.400s", n->items[i].nic == NO_NIC ? "-netdev" : "-nic",
                             n->items[i].type->name, why.text);
    return true;
}

void nets_succeed(struct nets *to, struct nets *from)
{
    for (unsigned i = 0; i < to->count; i++)
        link_succeed(to->items[i].link, from->items[i].link);
    for (unsigned i = 0; i < to->capture_count; i++) {
        to->captures[i].pcap = from->captures[i].pcap;
        from->captures[i].pcap = NULL;
    }
}

void nets_destroy(struct nets *n)
{
    if (!n)
        return;
    for (unsigned i = 0; i < n->count; i++)
        link_destroy(n->items[i].link);
    for (unsigned i = 0; i < n->capture_count; i++) {
        struct error err;
        if (n->captures[i].pcap && !pcap_close(n->captures[i].pcap, &err))
            fprintf(stderr, "rivulet: %s\n", err.text);
    }
    free(n);
}

/* --- use --------------------------------------------------------------------------------- */

struct link *nets_link(struct nets *n, const char *id, struct error *err)
{
    struct net *net = find_net(n, id);
    if (!net) {
        error_set(err, "there is no network '%.60s'; give -netdev user,id=%.60s", id, id);
        return NULL;
    }
    if (link_is_attached(net->link)) {
        error_set(err, "another device has the network '%.60s'", id);
        return NULL;
    }
    return net->link;
}

unsigned nets_entry(struct nets *n, const char *id)
{
    const struct net *net = find_net(n, id);
    return net ? link_entry(net->link) : INPUT_NO_ENTRY;
}

const char *nets_nic_id(const struct nets *n, unsigned nic)
{
    for (unsigned i = 0; i < n->count; i++)
        if (n->items[i].nic == nic)
            return n->items[i].id;
    return NULL;
}

static const struct link_backend *find_forwarder(struct nets *n, const char *id, struct error *err)
{
    for (unsigned i = 0; i < n->count; i++) {
        const struct link_backend *b = link_backend(n->items[i].link);
        if (b->ops && b->ops->add_forward && (!id || strcmp(n->items[i].id, id) == 0))
            return b;
    }
    if (id)
        error_set(err, "no network '%.60s' with forwards", id);
    else
        error_set(err, "there is no network with forwards: give -netdev user,id=ID");
    return NULL;
}

bool nets_add_forward(struct nets *n, const char *id, const char *rule, struct error *err)
{
    const struct link_backend *b = find_forwarder(n, id, err);
    return b && b->ops->add_forward(b->backend, rule, err);
}

bool nets_remove_forward(struct nets *n, const char *id, const char *rule, struct error *err)
{
    const struct link_backend *b = find_forwarder(n, id, err);
    return b && b->ops->remove_forward(b->backend, rule, err);
}

void nets_mute(struct nets *n, bool is_muted)
{
    for (unsigned i = 0; i < n->count; i++)
        link_mute(n->items[i].link, is_muted);
}

void nets_describe_connections(const struct nets *n, const struct byte_sink *out)
{
    for (unsigned i = 0; i < n->count; i++) {
        const struct link_backend *b = link_backend(n->items[i].link);
        if (!b->ops || !b->ops->describe)
            continue;
        byte_sink_print(out, "%s:\n", n->items[i].id);
        b->ops->describe(b->backend, out);
    }
}

void nets_describe(const struct nets *n, const struct byte_sink *out)
{
    for (unsigned i = 0; i < n->count; i++) {
        const struct net *net = &n->items[i];
        byte_sink_print(out, "%s: type=%s", net->id, net->type->name);
        for (unsigned k = 0; k < net->option->count; k++) {
            const struct machine_property *p = &net->option->items[k];
            if (!is_own(net, p->name))
                byte_sink_print(out, ",%s=%.200s", p->name, p->value ? p->value : "on");
        }
        byte_sink_print(out, "%s\n", link_is_attached(net->link) ? "" : " (no device)");
    }
    if (n->count == 0)
        byte_sink_print(out, "There are no networks.\n");
}
