/* Recording and replay (contract: record.h).
 *
 * Both happen where a round begins, for the first time at this virtual time: hashes first, then
 * what is delivered. With this rule a time alone says where something belongs. While all harts
 * sleep a replay goes from record to record as fast as it can, and stands at each; the recorded run
 * stood there too, and what it was like in between shows nowhere (meet() in run.c). */
#include "machine/record.h"

#include "machine/description.h"
#include "machine/drives.h"
#include "machine/history.h"
#include "machine/input_log.h"
#include "machine/internal.h"
#include "machine/snapshot_disks.h"

#include <inttypes.h>
#include <stdlib.h>

/* Of virtual time: all but RAM is hashed each, and RAM too every time that many have gone by. */
#define HASH_NS        (1ull << 24)
#define HASHES_PER_RAM 64u
#define SECTIONS_MOST  256u

struct recorder {
    struct machine *m;
    struct input_log *log;
    bool is_replay;   /* what comes is in the log */
    bool goes_on;     /* behind the end of the log it is recorded again */
    uint64_t last_ns; /* the round at this time has begun; UINT64_MAX: none yet */
    uint64_t next_hash_ns;
    uint64_t hashes;
    struct error end; /* of a replay */
};

/* --- hashes ------------------------------------------------------------------------------- */

/* The hash before each section, and that of all. */
struct hashes {
    uint64_t values[SECTIONS_MOST];
    char names[SECTIONS_MOST][32]; /* values[i + 1] is the first that section i is in */
    unsigned count;
};

static void on_section(void *owner, const char *name, uint64_t hash_before)
{
    struct hashes *h = owner;
    if (h->count + 1 >= SECTIONS_MOST)
        return;
    strncpy(h->names[h->count], name, sizeof h->names[0] - 1);
    h->values[h->count++] = hash_before;
}

/* False: no memory. */
static bool hash_machine(struct machine *m, bool with_ram, struct hashes *h)
{
    struct state *s = state_new_hash();
    *h = (struct hashes){0};
    if (!s)
        return false;
    if (!with_ram)
        state_leave_out_ram(s);
    state_on_section(s, on_section, h);
    machine_state(m, s);
    h->values[h->count++] = state_hash(s);
    state_free(s);
    return true;
}

/* The record's entry says whether RAM is in them. */
static void record_hashes(struct recorder *r, uint64_t now_ns)
{
    struct hashes h;
    bool with_ram = r->hashes++ % HASHES_PER_RAM == 0;
    if (!hash_machine(r->m, with_ram, &h))
        return;
    input_log_append(r->log, &(struct log_record){.now_ns = now_ns,
                                                  .kind = RECORD_HASHES,
                                                  .entry = with_ram,
                                                  .bytes = (const uint8_t *)h.values,
                                                  .n = h.count * sizeof h.values[0]});
}

/* --- the end of a replay ------------------------------------------------------------------ */

static void diverge(struct recorder *r, const char *how, const char *what)
{
    error_set(&r->end, "the replay is another run at step %" PRIu64 ", %" PRIu64 " ns: %s%s",
              machine_steps(r->m), r->last_ns, how, what);
    machine_end(r->m, MACHINE_DIVERGED, 1);
}

static void check_hashes(struct recorder *r, const struct log_record *record)
{
    struct hashes h;
    if (!hash_machine(r->m, record->entry, &h))
        return;
    uint64_t there[SECTIONS_MOST];
    size_t n = min_u64(record->n, sizeof there) / sizeof there[0];
    memcpy(there, record->bytes, n * sizeof there[0]);
    for (size_t i = 0; i < n && i < h.count; i++)
        if (there[i] != h.values[i]) {
            diverge(r, "the first difference is in section ", h.names[i ? i - 1 : 0]);
            return;
        }
    if (n != h.count)
        diverge(r, "it has other parts", "");
}

static void give_input(struct recorder *r, const struct log_record *record)
{
    if (input_give(r->m->door, record->entry, record->bytes, record->n))
        return;
    const char *name = input_entry_name(r->m->door, record->entry);
    diverge(r, "it did not take what was recorded for ",
            name ? name : "an entry that is not there");
}

static void end_replay(struct recorder *r, const char *why)
{
    error_set(&r->end, "the recording ends at step %" PRIu64 ", %" PRIu64 " ns%s",
              machine_steps(r->m), r->last_ns, why);
    machine_end(r->m, MACHINE_REPLAYED, 0);
}

static void on_taken(void *owner, unsigned entry, const uint8_t *bytes, size_t n)
{
    struct recorder *r = owner;
    input_log_append(
        r->log,
        &(struct log_record){
            .now_ns = r->last_ns, .kind = RECORD_INPUT, .entry = entry, .bytes = bytes, .n = n});
}

/* --- at the beginning of a round ---------------------------------------------------------- */

static void record_round(struct recorder *r, uint64_t now_ns)
{
    if (now_ns >= r->next_hash_ns) {
        record_hashes(r, now_ns);
        r->next_hash_ns = now_ns + HASH_NS;
    }
    if (input_pending(r->m->door))
        input_deliver(r->m->door);
}

static void listen(struct recorder *r)
{
    r->is_replay = false;
    input_close(r->m->door, false);
    input_observe(r->m->door, on_taken, r);
    machine_mute(r->m, r->m->is_muted);
}

static void replay_round(struct recorder *r, uint64_t now_ns)
{
    const struct log_record *record = NULL;
    while (!r->m->ends && (record = input_log_next(r->log)) && record->now_ns <= now_ns &&
           !(record->kind == RECORD_ANSWER && record->now_ns == now_ns)) {
        if (record->kind == RECORD_END)
            end_replay(r, "");
        else if (record->now_ns < now_ns)
            diverge(r, "the recording has something between two rounds", "");
        else if (record->kind == RECORD_HASHES)
            check_hashes(r, record);
        else if (record->kind == RECORD_INPUT)
            give_input(r, record);
        input_log_advance(r->log);
    }
    if (!r->m->ends && !record && r->goes_on) {
        listen(r);
        record_round(r, now_ns);
    } else if (!r->m->ends && !record)
        end_replay(r, input_log_is_torn(r->log) ? "; the rest of the file is damaged"
                                                : "; it was cut short");
}

void recorder_round(struct recorder *r, uint64_t now_ns)
{
    if (now_ns == r->last_ns)
        return;
    if (r->m->history)
        history_round(r->m->history);
    r->last_ns = now_ns;
    if (r->is_replay)
        replay_round(r, now_ns);
    else
        record_round(r, now_ns);
}

uint64_t recorder_next_ns(const struct recorder *r)
{
    const struct log_record *record = r->is_replay ? input_log_next(r->log) : NULL;
    return record ? record->now_ns : UINT64_MAX;
}

bool recorder_is_replay(const struct recorder *r)
{
    return r->is_replay;
}

/* --- within a round ----------------------------------------------------------------------- */

void recorder_keep(struct recorder *r, int64_t result, const void *bytes, size_t n)
{
    uint8_t *payload = malloc(sizeof result + n);
    if (!payload) /* a hole: a replay will say that it is another run */
        return;
    memcpy(payload, &result, sizeof result);
    if (n)
        memcpy(payload + sizeof result, bytes, n);
    input_log_append(r->log, &(struct log_record){.now_ns = r->last_ns,
                                                  .kind = RECORD_ANSWER,
                                                  .bytes = payload,
                                                  .n = sizeof result + n});
    free(payload);
}

static bool take_answer(struct recorder *r, const struct log_record *record, int64_t *result,
                        void *bytes, size_t n)
{
    if (record->kind != RECORD_ANSWER || record->now_ns != r->last_ns ||
        record->n < sizeof *result || record->n - sizeof *result > n)
        return false;
    memcpy(result, record->bytes, sizeof *result);
    size_t there = record->n - sizeof *result;
    if (n && *result > 0 && (uint64_t)*result != there)
        return false;
    if (there)
        memcpy(bytes, record->bytes + sizeof *result, there);
    input_log_advance(r->log);
    return true;
}

bool recorder_recall(struct recorder *r, int64_t *result, void *bytes, size_t n)
{
    const struct log_record *record = r->is_replay ? input_log_next(r->log) : NULL;
    if (r->is_replay && !record && r->goes_on)
        listen(r);
    if (!r->is_replay)
        return false;
    if (!record || record->kind == RECORD_END)
        end_replay(r, record ? "" : "; it was cut short");
    else if (take_answer(r, record, result, bytes, n))
        return true;
    else
        diverge(r, "it asks the host for something that was not recorded", "");
    *result = -1;
    return true;
}

/* --- beginning and ending ----------------------------------------------------------------- */

struct recorder_place recorder_place(const struct recorder *r)
{
    return (struct recorder_place){.log = input_log_place(r->log),
                                   .last_ns = r->last_ns,
                                   .next_hash_ns = r->next_hash_ns,
                                   .hashes = r->hashes};
}

void recorder_return(struct recorder *r, const struct recorder_place *place)
{
    input_log_seek(r->log, place->log);
    r->last_ns = place->last_ns;
    r->next_hash_ns = place->next_hash_ns;
    r->hashes = place->hashes;
    r->is_replay = true;
    r->end.text[0] = 0;
    input_observe(r->m->door, NULL, NULL);
    input_close(r->m->door, true);
}

bool recorder_is_past(const struct recorder *r)
{
    return r->is_replay && r->goes_on;
}

static void describe_start(struct machine *m, const struct byte_sink *out)
{
    const char *name;
    description_machine(m, out);
    for (unsigned i = 0; (name = input_entry_name(m->door, i)) != NULL; i++)
        byte_sink_print(out, "input %u %.64s\n", i, name);
    byte_sink_print(out, "begins in state %016" PRIx64 "\n", machine_hash(m));
}

static bool check_drives(const struct machine *m, struct error *err)
{
    for (unsigned i = 0; i < m->drives->count; i++) {
        const struct drive *d = &m->drives->items[i];
        if (!block_is_overlay(d->block) && !block_is_read_only(d->block))
            return error_set(err,
                             "drive %s keeps what is written to it, and a replay could not find "
                             "it as it was: give -snapshot",
                             d->id);
    }
    return true;
}

static struct recorder *create(struct machine *m, bool is_replay, struct error *err)
{
    if (!m->config.icount) {
        error_set(err, "with the host's clock a run cannot be repeated: give -icount shift=1 too");
        return NULL;
    }
    if (!check_drives(m, err) || !snapshot_settle_disks(m->drives, err))
        return NULL;
    struct recorder *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, "no memory for the recording");
        return NULL;
    }
    *r = (struct recorder){
        .m = m, .is_replay = is_replay, .goes_on = !is_replay, .last_ns = UINT64_MAX};
    return r;
}

static bool put_header(struct recorder *r, const struct text *start, struct error *err)
{
    if (start->failed)
        return error_set(err, "no memory for the recording");
    input_log_append(r->log, &(struct log_record){.kind = RECORD_HEADER,
                                                  .bytes = (const uint8_t *)start->bytes,
                                                  .n = start->n});
    return true;
}

static bool check_header(struct recorder *r, const char *path, const struct text *start,
                         struct error *err)
{
    const struct log_record *record = input_log_next(r->log);
    if (start->failed)
        return error_set(err, "no memory for the recording");
    if (!record || record->kind != RECORD_HEADER)
        return error_set(err, "%s is cut or damaged at its beginning", path);
    if (!description_same(path, (const char *)record->bytes, record->n, start, err))
        return false;
    input_log_advance(r->log);
    return true;
}

static bool begin(struct recorder *r, const char *path, struct error *err)
{
    struct text start = {0};
    struct byte_sink sink = text_sink(&start);
    r->log = r->is_replay                 ? input_log_open(path, err)
             : r->m->config.history_bytes ? input_log_keep(path, err)
                                          : input_log_create(path, err);
    if (!r->log)
        return false;
    describe_start(r->m, &sink);
    bool ok = r->is_replay ? check_header(r, path, &start, err) : put_header(r, &start, err);
    free(start.bytes);
    return ok;
}

static bool attach(struct machine *m, bool is_replay, const char *path, struct error *err)
{
    struct error ignored;
    struct recorder *r = create(m, is_replay, err);
    if (!r)
        return false;
    if (!begin(r, path, err)) {
        (void)!input_log_close(r->log, &ignored);
        free(r);
        return false;
    }
    m->recorder = r;
    if (is_replay)
        input_close(m->door, true);
    else
        input_observe(m->door, on_taken, r);
    return true;
}

bool machine_record(struct machine *m, const char *path, struct error *err)
{
    return attach(m, false, path, err);
}

bool machine_replay(struct machine *m, const char *path, struct error *err)
{
    return attach(m, true, path, err);
}

bool machine_may_change(const struct machine *m, struct error *err)
{
    return !m->recorder || error_set(err, "the machine is %s: it cannot be changed from outside",
                                     m->recorder->is_replay ? "a replay" : "being recorded");
}

const char *machine_replay_end(const struct machine *m)
{
    return m->recorder ? m->recorder->end.text : "";
}

bool machine_record_close(struct machine *m, struct error *err)
{
    struct recorder *r = m->recorder;
    if (!r)
        return true;
    m->recorder = NULL;
    input_observe(m->door, NULL, NULL);
    if (!r->is_replay)
        input_log_append(r->log,
                         &(struct log_record){.now_ns = m->round.end_ns, .kind = RECORD_END});
    bool ok = input_log_close(r->log, err);
    free(r);
    return ok;
}
