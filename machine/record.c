/* Recording and replay (contract: record.h).
 *
 * Both happen where a round begins, for the first time at this virtual time: hashes first, then
 * what is delivered. With this rule a time alone says where something belongs. While all harts
 * sleep a replay goes from record to record as fast as it can, and stands at each; the recorded run
 * stood there too, and what it was like in between shows nowhere (meet() in run.c). */
#include "machine/record.h"

#include "machine/description.h"
#include "machine/drives.h"
#include "machine/edit.h"
#include "machine/history.h"
#include "machine/input_log.h"
#include "machine/internal.h"
#include "machine/nets.h"
#include "machine/semihost.h"
#include "machine/snapshot_disks.h"

#include <inttypes.h>
#include <stdlib.h>

/* Of virtual time: all but RAM is hashed each, and RAM too every time that many have gone by. */
#define HASH_NS        (1ull << 26)
#define HASHES_PER_RAM 32u
#define SECTIONS_MOST  256u

struct recorder {
    struct machine *m;
    struct input_log *log;
    bool is_replay;   /* what comes is in the log */
    bool goes_on;     /* behind the end of the log it is recorded again */
    uint64_t last_ns; /* the round at this time has begun; UINT64_MAX: none yet */
    uint64_t next_hash_ns;
    uint64_t hashes;
    /* The latest moment there has been: up to there it repeats what it did. */
    struct machine_place present;
    const char *giver; /* recorder_giver */
    struct error end;  /* of a replay */
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

static bool guest_asks(const struct machine *m)
{
    return m->ends || m->wants_reset;
}

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
    r->next_hash_ns = record->now_ns + HASH_NS; /* for when it is recorded again */
    r->hashes++;
}

static void give_input(struct recorder *r, const struct log_record *record)
{
    const char *name = input_entry_name(r->m->door, record->entry);
    r->giver = name;
    bool ok = input_give(r->m->door, record->entry, record->bytes, record->n);
    r->giver = NULL;
    if (!ok)
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

/* --- edits -------------------------------------------------------------------------------- */

/* Of edit_head.hart_flags. */
#define EDIT_WAITS   1u
#define EDIT_FETCHED 2u /* older recordings never say so */

/* What a record of one holds, before the bytes of memory. */
struct edit_head {
    uint64_t steps, value;
    uint32_t is_in_round, is_delivered, turn, turn_started, hart_flags;
    uint32_t kind, hart, number;
};

struct edit_place recorder_edit_place(struct recorder *r)
{
    const struct machine *m = r->m;
    const struct round *round = &m->round;
    struct edit_place place = {.steps = machine_steps(m), .is_in_round = round->running};
    if (!round->running)
        machine_meet(r->m);
    place.ns = machine_now_ns(m);
    if (!round->running) {
        place.is_delivered = r->last_ns == place.ns;
        return place;
    }
    place.turn = round->turn;
    place.turn_started = round->turn_started;
    place.waits = m->harts[round->turn]->waiting;
    place.fetched = hart_is_on_page(m->harts[round->turn]);
    return place;
}

void recorder_add_edit(struct recorder *r, const struct edit_place *place,
                       const struct machine_edit *e)
{
    struct edit_head head = {.steps = place->steps,
                             .value = e->value,
                             .is_in_round = place->is_in_round,
                             .is_delivered = place->is_delivered,
                             .turn = place->turn,
                             .turn_started = place->turn_started,
                             .hart_flags = (place->waits ? EDIT_WAITS : 0) |
                                           (place->fetched ? EDIT_FETCHED : 0),
                             .kind = e->kind,
                             .hart = e->hart,
                             .number = e->number};
    uint8_t *bytes = malloc(sizeof head + e->n);
    if (!bytes) {
        input_log_fail(r->log, "no memory");
        return;
    }
    memcpy(bytes, &head, sizeof head);
    if (e->n)
        memcpy(bytes + sizeof head, e->bytes, e->n);
    input_log_append(r->log, &(struct log_record){.now_ns = place->ns,
                                                  .kind = RECORD_EDIT,
                                                  .bytes = bytes,
                                                  .n = sizeof head + e->n});
    free(bytes);
}

/* The next record, if it is an edit of the round that began, or is to begin, at now_ns. */
static const struct log_record *next_edit(const struct recorder *r, uint64_t now_ns,
                                          struct edit_head *head)
{
    const struct log_record *record = r->is_replay ? input_log_next(r->log) : NULL;
    if (!record || record->kind != RECORD_EDIT || record->now_ns != now_ns || r->end.text[0] ||
        record->n < sizeof *head)
        return NULL;
    memcpy(head, record->bytes, sizeof *head);
    return record;
}

/* A breakpoint stops behind the fetch of its instruction, a replay before it; and what is changed
 * may be how it is translated. The hart may have come to the end of what PMP lets it execute of the
 * page: then it is there, and cannot enter. */
static bool fetch_as_then(struct recorder *r, const struct edit_head *head)
{
    struct hart *h = r->m->harts[r->m->round.turn];
    return !head->is_in_round || !(head->hart_flags & EDIT_FETCHED) || hart_enter_page(h, h->pc) ||
           hart_is_on_page(h);
}

static void replay_edit(struct recorder *r, const struct log_record *record,
                        const struct edit_head *head)
{
    struct error err;
    struct machine_edit e = {.kind = (enum edit_kind)head->kind,
                             .hart = head->hart,
                             .number = head->number,
                             .value = head->value,
                             .bytes = record->bytes + sizeof *head,
                             .n = record->n - sizeof *head};
    bool is_known =
        head->kind < EDIT_KINDS && head->steps == machine_steps(r->m) && fetch_as_then(r, head);
    r->giver = "the debugger";
    if (is_known && e.kind == EDIT_RESET)
        r->m->wants_reset = true;
    else if (!is_known || !edit_apply(r->m, &e, &err))
        diverge(r, "what was changed by hand cannot be", "");
    r->giver = NULL;
    input_log_advance(r->log);
}

/* Between two rounds, before (or behind) what comes from outside. */
static bool edit_between(struct recorder *r, uint64_t now_ns, bool is_delivered)
{
    struct edit_head head;
    const struct log_record *record = next_edit(r, now_ns, &head);
    if (!record || head.is_in_round || head.is_delivered != is_delivered)
        return false;
    replay_edit(r, record, &head);
    return true;
}

bool recorder_edit_is_due(struct recorder *r)
{
    struct edit_head head;
    if (!next_edit(r, machine_now_ns(r->m), &head))
        return false;
    if (!r->m->round.running)
        return !head.is_in_round;
    struct edit_place now = recorder_edit_place(r);
    return head.is_in_round && head.steps == now.steps && head.turn == now.turn &&
           head.turn_started == now.turn_started && !(head.hart_flags & EDIT_WAITS) == !now.waits;
}

bool recorder_edit(struct recorder *r)
{
    struct edit_head head;
    bool any = false;
    while (r->m->round.running && !r->m->wants_reset && recorder_edit_is_due(r)) {
        replay_edit(r, next_edit(r, r->last_ns, &head), &head);
        any = true;
    }
    return any;
}

uint64_t recorder_edit_steps(const struct recorder *r)
{
    struct edit_head head;
    bool is_ahead =
        next_edit(r, r->last_ns, &head) && head.is_in_round && head.steps > machine_steps(r->m);
    return is_ahead ? head.steps : UINT64_MAX;
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

static void replay_record(struct recorder *r, const struct log_record *record, uint64_t now_ns)
{
    if (record->kind == RECORD_END)
        end_replay(r, "");
    else if (record->now_ns < now_ns || record->kind == RECORD_EDIT)
        diverge(r, "the recording has something between two rounds", "");
    else if (record->kind == RECORD_HASHES)
        check_hashes(r, record);
    else if (record->kind == RECORD_INPUT)
        give_input(r, record);
    input_log_advance(r->log);
}

static bool is_before_present(const struct recorder *r)
{
    return machine_steps(r->m) < r->present.steps || machine_now_ns(r->m) < r->present.ns;
}

/* Up to an edit or an answer that is due later in this round. */
static void replay_round(struct recorder *r, uint64_t now_ns, bool is_first)
{
    struct edit_head head;
    const struct log_record *record = NULL;
    while (!guest_asks(r->m) && (record = input_log_next(r->log)) && record->now_ns <= now_ns) {
        if (edit_between(r, now_ns, false))
            continue;
        bool is_answer = record->kind == RECORD_ANSWER && record->now_ns == now_ns;
        if (is_answer || next_edit(r, now_ns, &head))
            return;
        replay_record(r, record, now_ns);
    }
    if (guest_asks(r->m) || record || (r->goes_on && is_before_present(r)))
        return;
    if (r->goes_on) {
        listen(r);
        if (is_first)
            record_round(r, now_ns);
    } else {
        end_replay(r, input_log_is_torn(r->log) ? "; the rest of the file is damaged"
                                                : "; it was cut short");
    }
}

/* A second time at the same time: a reset that is in the log came between. */
void recorder_round(struct recorder *r, uint64_t now_ns)
{
    bool is_first = now_ns != r->last_ns;
    if (is_first && r->m->history)
        history_round(r->m->history);
    r->last_ns = now_ns;
    if (r->is_replay)
        replay_round(r, now_ns, is_first);
    else if (is_first)
        record_round(r, now_ns);
}

void recorder_after_events(struct recorder *r, uint64_t now_ns)
{
    while (!guest_asks(r->m) && edit_between(r, now_ns, true))
        continue;
}

/* What is due within this round is done by a hart that runs. */
void recorder_sleep(struct recorder *r, uint64_t now_ns)
{
    struct edit_head head;
    const struct log_record *record = r->is_replay ? input_log_next(r->log) : NULL;
    bool is_answer = record && record->kind == RECORD_ANSWER && record->now_ns == now_ns;
    if (is_answer || (next_edit(r, now_ns, &head) && head.is_in_round))
        diverge(r, "all harts sleep, and the recording has something of a hart that runs", "");
}

uint64_t recorder_next_ns(const struct recorder *r)
{
    const struct log_record *record = r->is_replay ? input_log_next(r->log) : NULL;
    if (record)
        return record->now_ns;
    return r->is_replay && r->goes_on ? r->present.ns : UINT64_MAX;
}

const char *recorder_giver(const struct recorder *r)
{
    return r->giver;
}

bool recorder_is_replay(const struct recorder *r)
{
    return r->is_replay;
}

/* --- within a round ----------------------------------------------------------------------- */

void recorder_keep(struct recorder *r, int64_t result, const void *bytes, size_t n)
{
    uint8_t *payload = malloc(sizeof result + n);
    if (!payload) {
        input_log_fail(r->log, "no memory");
        return;
    }
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

void recorder_leave_present(struct recorder *r)
{
    if (!recorder_is_past(r))
        r->present = machine_place(r->m);
}

/* Whether all that came has come again. */
static bool is_at_present(const struct recorder *r)
{
    return r->goes_on && !input_log_next(r->log) && !is_before_present(r);
}

bool recorder_arrive(struct recorder *r, struct error *err)
{
    if (machine_steps(r->m) != r->present.steps)
        return true;
    if (!history_sleep_to(r->m, &r->present, err))
        return false;
    if (r->is_replay && is_at_present(r))
        listen(r);
    return true;
}

bool recorder_has_hole(const struct recorder *r)
{
    return input_log_has_hole(r->log);
}

bool recorder_is_past(const struct recorder *r)
{
    return r->is_replay && is_before_present(r);
}

bool recorder_may_edit(const struct recorder *r, struct error *err)
{
    return !r->is_replay || is_at_present(r) ||
           error_set(err,
                     "%s, where nothing can be changed: `branch` makes it another "
                     "run from here on, and what came is lost",
                     r->goes_on ? "the machine is in its past" : "this is a replay");
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

/* What comes from outside is heard again; without a past there is nothing to record it for. */
bool machine_branch(struct machine *m, struct error *err)
{
    struct recorder *r = m->recorder;
    if (!r || !r->is_replay)
        return error_set(err, "the machine is in its present already");
    if (m->config.awaits_replay && (!semihost_open_folder(m, err) || !nets_open(m->nets, err)))
        return false;
    m->config.awaits_replay = false;
    if (!input_log_cut(r->log, err))
        return false;
    r->present = (struct machine_place){0};
    r->goes_on = true;
    r->end.text[0] = 0;
    listen(r);
    return m->history || machine_record_close(m, err);
}

bool machine_is_recorded(const struct machine *m)
{
    return m->recorder;
}

bool machine_may_load(const struct machine *m, struct error *err)
{
    const struct recorder *r = m->recorder;
    return !r || input_log_is_in_memory(r->log) ||
           error_set(err, "the machine is %s: it cannot become another one",
                     r->is_replay && !r->goes_on ? "a replay" : "being recorded");
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
    input_close(m->door, false);
    uint64_t end_ns = recorder_is_past(r) ? r->present.ns : m->round.end_ns;
    if (r->goes_on)
        input_log_append(r->log, &(struct log_record){.now_ns = end_ns, .kind = RECORD_END});
    bool ok = input_log_close(r->log, err);
    free(r);
    return ok;
}
