/* A machine in words (contract: description.h). */
#include "machine/description.h"

#include "machine/internal.h"
#include "machine/snapshot_disks.h"

#include <inttypes.h>
#include <stdlib.h>

#define ISA_BYTES 1024u

/* --- texts -------------------------------------------------------------------------------- */

static void append(void *owner, const uint8_t *bytes, size_t n)
{
    struct text *t = owner;
    char *grown = t->failed ? NULL : realloc(t->bytes, t->n + n);
    if (!grown) {
        t->failed = true;
        return;
    }
    memcpy(grown + t->n, bytes, n);
    t->bytes = grown;
    t->n += n;
}

struct byte_sink text_sink(struct text *t)
{
    return (struct byte_sink){.write = append, .owner = t};
}

/* The length of the line at t, without its end. */
static int line_length(const char *t, uint64_t n)
{
    const char *end = memchr(t, '\n', n);
    return (int)min_u64(end ? (uint64_t)(end - t) : n, 200);
}

bool description_same(const char *path, const char *there, uint64_t n, const struct text *here,
                      struct error *err)
{
    uint64_t line = 0, at = 0;
    while (at < n && at < here->n && there[at] == here->bytes[at]) {
        at++;
        if (there[at - 1] == '\n')
            line = at;
    }
    if (at == n && at == here->n)
        return true;
    return error_set(err, "%s is of another machine: it has '%.*s', this one '%.*s'", path,
                     line_length(there + line, n - line), there + line,
                     line_length(here->bytes + line, here->n - line), here->bytes + line);
}

/* --- the machine ---------------------------------------------------------------------------- */

/* As the command line has them: -NAME A=B,C=D. */
static void describe_options(const char *name, const struct machine_options *options,
                             const struct byte_sink *out)
{
    for (unsigned i = 0; i < options->count; i++) {
        byte_sink_print(out, "%s", name);
        for (unsigned j = 0; j < options->items[i].count; j++) {
            const struct machine_property *p = &options->items[i].items[j];
            byte_sink_print(out, "%c%.200s", j ? ',' : ' ', p->name);
            if (p->value)
                byte_sink_print(out, "=%.200s", p->value);
        }
        byte_sink_print(out, "\n");
    }
}

static void describe_semihosting(const struct machine_semihosting *c, const struct byte_sink *out)
{
    if (c->is_enabled)
        byte_sink_print(out, "semihosting%s%s%s\n", c->in_user_mode ? " in user mode" : "",
                        c->folder ? " with files" : "", c->chardev ? " with a console" : "");
}

static void describe_machine(struct machine *m, bool with_disks, const struct byte_sink *out)
{
    static const char *const firmwares[] = {
        [BIOS_BUILT_IN] = "built-in SBI", [BIOS_NONE] = "none", [BIOS_FILE] = "a file"};
    const struct machine_config *c = &m->config;
    char isa[ISA_BYTES];
    if (!isa_string(&m->isa, isa, sizeof isa))
        isa[0] = '\0';
    byte_sink_print(out, "board virt, aclint %s\n", c->aclint ? "on" : "off");
    byte_sink_print(out, "RAM %" PRIu64 " bytes\n", c->ram_bytes);
    byte_sink_print(out, "%u harts, %u levels of pages\n", c->harts, m->isa.max_satp_mode - 5);
    byte_sink_print(out, "ISA ");
    out->write(out->owner, (const uint8_t *)isa, strlen(isa));
    byte_sink_print(out, "\nfirmware %s\n", firmwares[c->bios]);
    if (c->icount)
        byte_sink_print(out, "a step is %u ns\n", 1u << c->icount_shift);
    else
        byte_sink_print(out, "time is the host's\n");
    describe_options("device", &c->devices, out);
    describe_options("nic", &c->nics, out);
    describe_options("global", &c->globals, out);
    describe_semihosting(&c->semihosting, out);
    snapshot_describe_disks(m->drives, with_disks, out);
}

void description_machine(struct machine *m, const struct byte_sink *out)
{
    describe_machine(m, false, out);
}

void description_machine_with_disks(struct machine *m, const struct byte_sink *out)
{
    describe_machine(m, true, out);
}

/* --- its command line ------------------------------------------------------------------------ */

/* What only the user can give. */
static void describe_needs(const struct machine_config *c, const struct byte_sink *out)
{
    const struct {
        const char *option;
        bool is_given;
    } rows[] = {
        {"-drive", c->drives.count != 0},   {"-netdev", c->netdevs.count != 0},
        {"-nic", c->nics.count != 0},       {"-chardev", c->chardevs.count != 0},
        {"-object", c->objects.count != 0}, {"-fw_cfg", c->fw_cfg.count != 0},
        {"-bios", c->bios == BIOS_FILE},    {"-semihosting-config", c->semihosting.is_enabled},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].is_given)
            byte_sink_print(out, DESCRIPTION_NEEDS "%s\n", rows[i].option);
}

void description_command_line(struct machine *m, const struct byte_sink *out)
{
    const struct machine_config *c = &m->config;
    describe_needs(c, out);
    byte_sink_print(out, "machine virt,aclint=%s\n", c->aclint ? "on" : "off");
    byte_sink_print(out, "m %" PRIu64 "k\nsmp %u\n", c->ram_bytes >> 10, c->harts);
    if (c->cpu)
        byte_sink_print(out, "cpu %.400s\n", c->cpu);
    if (c->bios == BIOS_NONE)
        byte_sink_print(out, "bios none\n");
    if (c->icount)
        byte_sink_print(out, "icount shift=%u,sleep=%s\n", c->icount_shift,
                        c->icount_sleep ? "on" : "off");
    byte_sink_print(out, "seed %" PRIu64 "\n", c->seed);
    describe_options("device", &c->devices, out);
    describe_options("global", &c->globals, out);
}
