/* The networks of a machine: what -netdev, -nic and -object filter-dump describe. Links are made
 * before the machine's devices, which are attached to them; back-ends and captures are opened last,
 * when nothing else can go wrong, or taken over from the machine that this one succeeds. */
#ifndef RIVULET_MACHINE_NETS_H
#define RIVULET_MACHINE_NETS_H

#include "base/clock.h"
#include "devices/net/netdev.h"
#include "machine/machine.h"

#define NETS_MAX 16u

struct nets;

/* The types that a -netdev can have, as lines of text. */
void nets_list(const struct byte_sink *out);

/* Checks the words of the configuration, which must outlive the nets. NULL and err. */
struct nets *nets_create(const struct machine_config *config, struct input_door *door,
                         const struct clock *clock, struct error *err);
bool nets_open(struct nets *n, struct error *err) MUST_CHECK;
/* Both of the same configuration; `from` is open, `to` is then. */
void nets_succeed(struct nets *to, struct nets *from);
void nets_destroy(struct nets *n);

/* The link of this id, at which no device is; NULL and err. */
struct link *nets_link(struct nets *n, const char *id, struct error *err);
/* Where the frames of this network enter; INPUT_NO_ENTRY: there is none of this id. */
unsigned nets_entry(struct nets *n, const char *id);
/* The id of what -nic number `nic` made; NULL: it made nothing (-nic none). */
const char *nets_nic_id(const struct nets *n, unsigned nic);

/* id NULL: the first that has forwards. */
bool nets_add_forward(struct nets *n, const char *id, const char *rule,
                      struct error *err) MUST_CHECK;
/* The connections of those that have any, as lines of text. */
void nets_describe_connections(const struct nets *n, const struct byte_sink *out);
bool nets_remove_forward(struct nets *n, const char *id, const char *rule,
                         struct error *err) MUST_CHECK;

/* What the guest sends goes nowhere. */
void nets_mute(struct nets *n, bool is_muted);

/* Lines of text, a network each. */
void nets_describe(const struct nets *n, const struct byte_sink *out);

#endif
