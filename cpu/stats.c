#include "cpu/stats.h"

#include "cpu/hart.h"

#include <stdio.h>

/* One line of "NAME COUNT" pairs. */
struct line {
    char text[512];
    size_t used;
};

static void add(struct line *line, const char *name, uint64_t count)
{
    if (!count || line->used >= sizeof line->text)
        return;
    line->used +=
        (size_t)snprintf(line->text + line->used, sizeof line->text - line->used, "%s %llu %s",
                         line->used ? "," : "", (unsigned long long)count, name);
}

static void log_counts(const struct hart *h, const char *what, const struct line *line)
{
    if (line->used)
        log_line(h->ports.log, LOG_STATS, "hart %u: %s:%s", h->id, what, line->text);
}

static void log_causes(const struct hart *h, const char *what, const uint64_t counts[STATS_CAUSES])
{
    struct line line = {.used = 0};
    for (unsigned cause = 0; cause < STATS_CAUSES; cause++) {
        char name[24];
        snprintf(name, sizeof name, "of cause %u", cause);
        add(&line, name, counts[cause]);
    }
    log_counts(h, what, &line);
}

static void log_accesses(const struct hart *h)
{
    static const char *const kinds[TLB_ACCESSES] = {"slow loads", "slow stores", "slow fetches"};
    const struct hart_stats *s = &h->stats;
    for (unsigned access = 0; access < TLB_ACCESSES; access++) {
        struct line line = {.used = 0};
        add(&line, "from records", s->from_record[access]);
        add(&line, "from the second level", s->from_l2[access]);
        add(&line, "walks", s->walks[access]);
        add(&line, "untranslated", s->bare[access]);
        log_counts(h, kinds[access], &line);
    }
    struct line line = {.used = 0};
    add(&line, "over two pages", s->over_two_pages);
    add(&line, "loads of devices", s->mmio_loads);
    add(&line, "stores to devices", s->mmio_stores);
    add(&line, "stores to pages with code", s->stores_to_code_pages);
    log_counts(h, "among them", &line);
}

void hart_log_stats(const struct hart *h)
{
    const struct hart_stats *s = &h->stats;
    struct line exits = {.used = 0}, flushes = {.used = 0};
    log_line(h->ports.log, LOG_STATS,
             "hart %u: %llu steps, %llu of them traps, %llu entries of the loop", h->id,
             (unsigned long long)h->steps, (unsigned long long)h->traps,
             (unsigned long long)s->runs);
    log_causes(h, "exceptions", s->exceptions);
    log_causes(h, "interrupts", s->interrupts);
    log_accesses(h);
    add(&exits, "links resolved", s->links_resolved);
    add(&exits, "page crossings missed", s->crossings_missed);
    add(&exits, "register jumps missed", s->jumps_missed);
    add(&exits, "dropped blocks entered", s->stale_entered);
    add(&exits, "floating-point contexts missed", s->fp_contexts_missed);
    add(&exits, "SBI calls", s->sbi_calls);
    add(&exits, "pauses", s->pauses);
    log_counts(h, "slow exits", &exits);
    add(&flushes, "of everything", s->flushes);
    add(&flushes, "fences of everything", s->fences_all);
    add(&flushes, "fences of an address", s->fences_address);
    add(&flushes, "fences of an ASID", s->fences_asid);
    add(&flushes, "address spaces switched", s->address_spaces);
    log_counts(h, "TLB flushes", &flushes);
}
