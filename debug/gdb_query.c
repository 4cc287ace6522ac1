/* General queries and settings: q and Q packets, gdb's and those that QEMU adds. */
#include "debug/gdb_internal.h"

#include "machine/history.h"

#include <stdio.h>

#define LINE_BYTES 1024u

/* --- what the stub can do ---------------------------------------------------------------- */

static void tell_supported(struct gdb *g, struct gdb_text *t)
{
    g->multiprocess = memmem(t->at, gdb_left(t), "multiprocess+", 13);
    g->tells_software = memmem(t->at, gdb_left(t), "swbreak+", 8);
    g->tells_programs = memmem(t->at, gdb_left(t), "exec-events+", 12);
    g->tells_hardware = memmem(t->at, gdb_left(t), "hwbreak+", 8);
    gdb_reply_begin(&g->packets);
    gdb_reply_print(&g->packets,
                    "PacketSize=%x;QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+"
                    ";binary-upload+;ConditionalBreakpoints+",
                    GDB_PACKET_MOST);
    gdb_reply_text(&g->packets, ";qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+");
    if (g->program)
        gdb_reply_text(&g->packets, ";qXfer:auxv:read+;qXfer:exec-file:read+;QPassSignals+"
                                    ";exec-events+");
    else if (machine_has_history(gdb_machine(g)))
        gdb_reply_text(&g->packets, ";ReverseStep+;ReverseContinue+");
    gdb_reply_send(&g->packets);
}

static void stop_acks(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_answer(g, "OK");
    g->packets.no_acks = true;
}

/* --- documents: qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH --------------------------------------- */

void gdb_answer_document(struct gdb *g, struct gdb_text *t, const void *document, size_t size)
{
    uint64_t offset, length;
    if (!gdb_take(t, ":") || !gdb_take_number(t, &offset) || !gdb_take(t, ",") ||
        !gdb_take_number(t, &length) || gdb_left(t) || offset > size) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    length = min_u64(min_u64(length, size - offset), GDB_PACKET_MOST - 1);
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, offset + length < size ? "m" : "l");
    gdb_reply_binary(&g->packets, (const char *)document + offset, length);
    gdb_reply_send(&g->packets);
}

static void answer_document(struct gdb *g, struct gdb_text *t, const char *document)
{
    gdb_answer_document(g, t, document, strlen(document));
}

static void read_features(struct gdb *g, struct gdb_text *t)
{
    if (gdb_take(t, "target.xml"))
        answer_document(g, t, g->features);
    else
        gdb_answer(g, "E00"); /* the annex is not known */
}

/* Addresses are mostly virtual, and gdb asks but once: it must not refuse what the guest maps
 * later. */
static void read_memory_map(struct gdb *g, struct gdb_text *t)
{
    answer_document(g, t,
                    "<?xml version=\"1.0\"?>\n"
                    "<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
                    "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n"
                    "<memory-map>\n"
                    "<memory type=\"ram\" start=\"0x0\" length=\"0xffffffffffffffff\"/>\n"
                    "</memory-map>\n");
}

static const char *activity(const struct hart *h)
{
    return h->stopped ? "not started" : h->waiting ? "waits for an interrupt" : "runs";
}

static void read_threads(struct gdb *g, struct gdb_text *t)
{
    char document[256 + 128 * MACHINE_MAX_HARTS] = "<?xml version=\"1.0\"?>\n<threads>\n";
    char process[16] = "";
    size_t n = strlen(document);
    if (g->multiprocess)
        snprintf(process, sizeof process, "p%x.", gdb_process(g));
    for (unsigned i = 0; i < gdb_hart_count(g); i++) {
        const struct hart *h = control_hart(g->control, i);
        n += (size_t)snprintf(document + n, sizeof document - n,
                              "<thread id=\"%s%x\" core=\"%u\" name=\"hart %u\">%s</thread>\n",
                              process, gdb_process(g) + i, i, i, activity(h));
    }
    snprintf(document + n, sizeof document - n, "</threads>\n");
    answer_document(g, t, document);
}

/* --- threads ----------------------------------------------------------------------------- */

static void list_threads(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_reply_begin(&g->packets);
    for (unsigned i = 0; i < gdb_hart_count(g); i++) {
        gdb_reply_text(&g->packets, i ? "," : "m");
        gdb_put_thread(g, i);
    }
    gdb_reply_send(&g->packets);
}

static void end_threads(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_answer(g, "l");
}

static void describe_thread(struct gdb *g, struct gdb_text *t)
{
    struct gdb_thread thread;
    char text[80];
    if (!gdb_take_thread(g, t, &thread) || thread.kind != GDB_ONE_THREAD || gdb_left(t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    const struct hart *h = control_hart(g->control, thread.hart);
    snprintf(text, sizeof text, "hart %u [%s]", thread.hart, activity(h));
    gdb_reply_begin(&g->packets);
    gdb_reply_hex(&g->packets, text, strlen(text));
    gdb_reply_send(&g->packets);
}

static void tell_thread(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, "QC");
    gdb_put_thread(g, g->hart);
    gdb_reply_send(&g->packets);
}

/* gdb ends a program that it leaves, unless it has come to one that was there. */
static void tell_attached(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_answer(g, g->program ? "0" : "1");
}

/* --- monitor ----------------------------------------------------------------------------- */

/* What a command says, collected: it prints in small parts. */
struct said {
    struct gdb *g;
    uint8_t bytes[GDB_PACKET_MOST / 2 - 1];
    size_t n;
};

/* An O packet: gdb shows it as it comes. */
static void show_said(struct said *s)
{
    if (!s->n)
        return;
    gdb_reply_begin(&s->g->packets);
    gdb_reply_text(&s->g->packets, "O");
    gdb_reply_hex(&s->g->packets, s->bytes, s->n);
    gdb_reply_send(&s->g->packets);
    s->n = 0;
}

static void collect(void *owner, const uint8_t *bytes, size_t n)
{
    struct said *s = owner;
    for (size_t part; n; bytes += part, n -= part) {
        part = min_u64(n, sizeof s->bytes - s->n);
        memcpy(s->bytes + s->n, bytes, part);
        s->n += part;
        if (s->n == sizeof s->bytes)
            show_said(s);
    }
}

static void run_monitor(struct gdb *g, struct gdb_text *t)
{
    char line[LINE_BYTES];
    size_t n = gdb_left(t) / 2;
    if (!g->monitor) {
        gdb_answer(g, "");
        return;
    }
    if (n >= sizeof line || !gdb_take_bytes(t, line, n) || gdb_left(t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    line[n] = 0;
    struct said said = {.g = g};
    monitor_run(g->monitor, line, &(struct byte_sink){.write = collect, .owner = &said});
    show_said(&said);
    gdb_answer(g, "OK");
}

/* --- QEMU's ------------------------------------------------------------------------------ */

static void answer_number(struct gdb *g, const char *before, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%s%x", before, value);
    gdb_answer(g, text);
}

static void tell_sstep(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    answer_number(g, "0x", g->sstep);
}

static void set_sstep(struct gdb *g, struct gdb_text *t)
{
    uint64_t mask;
    (void)gdb_take(t, "0x");
    bool ok = gdb_take_number(t, &mask) && !gdb_left(t) &&
              mask <= (GDB_SSTEP_ENABLE | GDB_SSTEP_NOIRQ | GDB_SSTEP_NOTIMER);
    if (ok)
        g->sstep = (unsigned)mask;
    gdb_answer(g, ok ? "OK" : GDB_EINVAL);
}

static void tell_physical(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    answer_number(g, "", g->physical);
}

static void set_physical(struct gdb *g, struct gdb_text *t)
{
    uint64_t on;
    bool ok = gdb_take_number(t, &on) && !gdb_left(t) && !g->program;
    if (ok)
        g->physical = on != 0;
    gdb_answer(g, ok ? "OK" : GDB_EINVAL);
}

/* --- tables ------------------------------------------------------------------------------ */

/* `run`, or an answer that is always the same. The longer name first where one begins with
 * another. */
struct row {
    const char *name;
    gdb_handler *run;
    const char *answer;
};

static const struct row queries[] = {
    {"Attached", tell_attached, NULL},
    {"CRC:", NULL, ""},
    {"C", tell_thread, NULL},
    {"Rcmd,", run_monitor, NULL},
    {"Search:memory:", gdb_search, NULL},
    {"Supported", tell_supported, NULL},
    {"Symbol:", NULL, "OK"}, /* no symbol is wanted */
    {"ThreadExtraInfo,", describe_thread, NULL},
    {"Xfer:auxv:read:", gdb_read_auxv, NULL},
    {"Xfer:exec-file:read:", gdb_read_file_name, NULL},
    {"Xfer:features:read:", read_features, NULL},
    {"Xfer:memory-map:read:", read_memory_map, NULL},
    {"Xfer:threads:read:", read_threads, NULL},
    {"fThreadInfo", list_threads, NULL},
    {"sThreadInfo", end_threads, NULL},
    {"qemu.PhyMemMode", tell_physical, NULL},
    {"qemu.Supported", NULL, "sstepbits;sstep;PhyMemMode"},
    {"qemu.sstepbits", NULL, "ENABLE=1,NOIRQ=2,NOTIMER=4"},
    {"qemu.sstep", tell_sstep, NULL},
    {NULL, NULL, NULL},
};

static const struct row settings[] = {
    {"PassSignals:", gdb_pass_signals, NULL}, {"StartNoAckMode", stop_acks, NULL},
    {"qemu.PhyMemMode:", set_physical, NULL}, {"qemu.sstep=", set_sstep, NULL},
    {"qemu.sstep:", set_sstep, NULL},         {NULL, NULL, NULL},
};

static void answer_from(struct gdb *g, const struct row *row, struct gdb_text *t)
{
    while (row->name && !gdb_take(t, row->name))
        row++;
    if (row->run)
        row->run(g, t);
    else
        gdb_answer(g, row->answer ? row->answer : "");
}

void gdb_query(struct gdb *g, struct gdb_text *t)
{
    answer_from(g, queries, t);
}

void gdb_set(struct gdb *g, struct gdb_text *t)
{
    answer_from(g, settings, t);
}
