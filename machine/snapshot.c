/* Saving a machine to a file and loading it (contract: snapshot.h). */
#include "machine/snapshot.h"

#include "machine/checkpoint.h"
#include "machine/description.h"
#include "machine/internal.h"
#include "machine/snapshot_disks.h"
#include "machine/snapshot_file.h"
#include "machine/snapshot_parts.h"

#include "base/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- saving ------------------------------------------------------------------------------- */

static void describe_moment(struct machine *m, const struct byte_sink *out)
{
    uint64_t now_ns = machine_now_ns(m);
    char date[OS_DATE_BYTES];
    os_date(os_wall_clock_ns(), date);
    byte_sink_print(out, "saved %s\n", date);
    byte_sink_print(out, "virtual time %" PRIu64 ".%09" PRIu64 " s, %" PRIu64 " steps\n",
                    now_ns / 1000000000u, now_ns % 1000000000u, machine_steps(m));
    if (m->config.kernel_file)
        byte_sink_print(out, "kernel %.300s\n", m->config.kernel_file);
    if (m->config.append)
        byte_sink_print(out, "command line %.400s\n", m->config.append);
}

static bool save_text(struct machine *m, struct snapshot_writer *w, const char *name,
                      void (*describe)(struct machine *m, const struct byte_sink *out),
                      struct error *err)
{
    struct text text = {0};
    struct byte_sink sink = text_sink(&text);
    describe(m, &sink);
    if (!text.failed) {
        snapshot_begin(w, name);
        snapshot_write(w, text.bytes, text.n);
    }
    free(text.bytes);
    return !text.failed || error_set(err, "no memory for the section '%s'", name);
}

static bool save_state(struct machine *m, struct snapshot_writer *w, struct error *err)
{
    size_t n;
    struct state *s = machine_save_but_ram(m, err);
    if (!s)
        return false;
    const void *data = state_data(s, &n);
    snapshot_begin(w, "state");
    snapshot_write(w, data, n);
    state_free(s);
    return true;
}

/* A bit a page, then zeroes, so that pages are at whole pages of the file. */
static uint64_t map_bytes(uint64_t pages)
{
    return align_up((pages + 7) / 8, PAGE_BYTES);
}

static bool has_page(const uint8_t *map, uint64_t page)
{
    return map[page / 8] >> (page % 8) & 1;
}

/* How many pages from `page` on are there like it. */
static uint64_t run_of_pages(const uint8_t *map, uint64_t page, uint64_t pages)
{
    uint64_t n = 1;
    while (page + n < pages && has_page(map, page + n) == has_page(map, page))
        n++;
    return n;
}

static bool save_region(struct snapshot_writer *w, const struct region *r, struct error *err)
{
    uint64_t pages = r->size / PAGE_BYTES;
    uint8_t *map = calloc(1, map_bytes(pages));
    if (!map)
        return error_set(err, "no memory for saving RAM");
    for (uint64_t i = 0; i < pages; i++)
        if (!memory_page_is_zero(r, i))
            map[i / 8] |= (uint8_t)(1u << (i % 8));
    snapshot_write(w, map, map_bytes(pages));
    for (uint64_t i = 0, n; i < pages; i += n) {
        n = run_of_pages(map, i, pages);
        if (has_page(map, i))
            snapshot_write(w, r->hva + i * PAGE_BYTES, n * PAGE_BYTES);
    }
    free(map);
    return true;
}

static void section_of_ram(unsigned region, char name[SNAPSHOT_NAME_BYTES])
{
    snprintf(name, SNAPSHOT_NAME_BYTES, "ram %u", region);
}

static bool save_ram(struct machine *m, struct snapshot_writer *w, struct error *err)
{
    const struct region *r;
    for (unsigned i = 0; (r = memory_region(m->memory, i)) != NULL; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        if (r->kind != REGION_RAM)
            continue;
        section_of_ram(i, name);
        snapshot_begin(w, name);
        if (!save_region(w, r, err))
            return false;
    }
    return true;
}

bool snapshot_save_sections(struct machine *m, struct snapshot_writer *w, bool inside,
                            const struct snapshot_options *options, struct error *err)
{
    if (!save_text(m, w, "machine", inside ? description_machine_with_disks : description_machine,
                   err) ||
        !save_text(m, w, "info", describe_moment, err) ||
        !save_text(m, w, "options", description_command_line, err))
        return false;
    for (unsigned i = 0; i < options->extra_count; i++) {
        snapshot_begin(w, options->extras[i].name);
        snapshot_write(w, options->extras[i].bytes, options->extras[i].n);
    }
    return save_state(m, w, err) && save_ram(m, w, err) && snapshot_save_disks(m->drives, w, err);
}

bool snapshot_save(struct machine *m, const char *path, const struct snapshot_options *options,
                   struct error *err)
{
    if (!snapshot_settle_disks(m->drives, err))
        return false;
    struct snapshot_writer *w = snapshot_writer_create(path, options->compress, err);
    if (!w)
        return false;
    if (snapshot_save_sections(m, w, false, options, err))
        return snapshot_writer_commit(w, err);
    snapshot_writer_abandon(w);
    return false;
}

/* --- loading ------------------------------------------------------------------------------ */

static bool check_machine(struct machine *m, struct snapshot_file *f, const char *path, bool inside,
                          struct error *err)
{
    uint64_t n;
    const uint8_t *there = snapshot_bytes(f, "machine", &n, err);
    if (!there)
        return false;
    struct text here = {0};
    struct byte_sink sink = text_sink(&here);
    (inside ? description_machine_with_disks : description_machine)(m, &sink);
    bool ok = here.failed ? error_set(err, "no memory for comparing machines")
                          : description_same(path, (const char *)there, n, &here, err);
    free(here.bytes);
    return ok;
}

static bool check_ram(struct machine *m, struct snapshot_file *f, struct error *err)
{
    const struct region *r;
    for (unsigned i = 0; (r = memory_region(m->memory, i)) != NULL; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        uint64_t n, pages = r->size / PAGE_BYTES, there = 0;
        if (r->kind != REGION_RAM)
            continue;
        section_of_ram(i, name);
        const uint8_t *bytes = snapshot_bytes(f, name, &n, err);
        if (!bytes)
            return false;
        for (uint64_t page = 0; n >= map_bytes(pages) && page < pages; page++)
            there += has_page(bytes, page);
        if (n != map_bytes(pages) + there * PAGE_BYTES)
            return error_set(err, "its section '%s' does not have %" PRIu64 " pages", name, there);
    }
    return true;
}

/* RAM reads as zero before. */
static bool load_region(struct machine *m, const struct region *r, const uint8_t *bytes,
                        struct error *err)
{
    uint64_t pages = r->size / PAGE_BYTES;
    const uint8_t *map = bytes, *next = bytes + map_bytes(pages);
    for (uint64_t i = 0, n; i < pages; i += n) {
        n = run_of_pages(map, i, pages);
        if (!has_page(map, i))
            continue;
        if (!memory_load(m->memory, r->base + i * PAGE_BYTES, next, n * PAGE_BYTES))
            return error_set(err, "a page of RAM cannot be loaded");
        next += n * PAGE_BYTES;
    }
    return true;
}

static bool load_ram(struct machine *m, struct snapshot_file *f, struct error *err)
{
    const struct region *r;
    memory_clear(m->memory);
    for (unsigned i = 0; (r = memory_region(m->memory, i)) != NULL; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        uint64_t n;
        if (r->kind != REGION_RAM)
            continue;
        section_of_ram(i, name);
        const uint8_t *bytes = snapshot_bytes(f, name, &n, err);
        if (!bytes || !load_region(m, r, bytes, err))
            return false;
    }
    return true;
}

bool snapshot_check_sections(struct machine *m, struct snapshot_file *f, const char *path,
                             bool inside, struct error *err)
{
    uint64_t n;
    return check_machine(m, f, path, inside, err) && snapshot_bytes(f, "state", &n, err) &&
           check_ram(m, f, err) && snapshot_check_disks(m->drives, f, err);
}

bool snapshot_load_sections(struct machine *m, struct snapshot_file *f, struct error *err)
{
    uint64_t n;
    const uint8_t *state = snapshot_bytes(f, "state", &n, err);
    machine_forget_checkpoint(m); /* its disks are others now */
    m->ends = m->wants_reset = false;
    boot_nothing(m); /* requests under way are given up, for example */
    return state && load_ram(m, f, err) && snapshot_load_disks(m->drives, f, err) &&
           machine_load_but_ram(m, state, n, err);
}

bool snapshot_load(struct machine *m, const char *path, bool *is_intact, struct error *err)
{
    *is_intact = true;
    struct snapshot_file *f = snapshot_open(path, err);
    bool ok = f && snapshot_settle_disks(m->drives, err) &&
              snapshot_check_sections(m, f, path, false, err);
    if (ok) {
        *is_intact = false;
        ok = snapshot_load_sections(m, f, err);
    }
    snapshot_close(f);
    return ok;
}

/* --- the command line ----------------------------------------------------------------------- */

static bool names_needs(const char *path, const char *lines, struct error *err)
{
    char names[128] = "";
    size_t skip = strlen(DESCRIPTION_NEEDS);
    for (const char *line = lines; *line; line += strcspn(line, "\n") + 1) {
        size_t n = strcspn(line, "\n");
        if (strncmp(line, DESCRIPTION_NEEDS, skip) != 0)
            break;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, " %.*s", (int)(n - skip), line + skip);
        if (!line[n])
            break;
    }
    return *names && !error_set(err,
                                "%s needs the options that belong to this host and with which it "
                                "was made:%s; give all options of its machine, and -loadvm FILE",
                                path, names);
}

char *snapshot_command_line(const char *path, struct error *err)
{
    uint64_t n;
    char *lines = NULL;
    struct snapshot_file *f = snapshot_open(path, err);
    const uint8_t *bytes = f ? snapshot_bytes(f, "options", &n, err) : NULL;
    if (bytes && !(lines = malloc(n + 1)))
        error_set(err, "no memory for the options of %s", path);
    if (lines) {
        memcpy(lines, bytes, n);
        lines[n] = '\0';
    }
    snapshot_close(f);
    if (!lines || !names_needs(path, lines, err))
        return lines;
    free(lines);
    return NULL;
}

/* --- looking ------------------------------------------------------------------------------ */

static bool print_text(struct snapshot_file *f, const char *name, const struct byte_sink *out,
                       struct error *err)
{
    uint64_t n;
    const uint8_t *bytes = snapshot_bytes(f, name, &n, err);
    for (uint64_t i = 0; bytes && i < n; i++) { /* it may be anybody's, and go to a terminal */
        uint8_t c = bytes[i] == '\n' || (bytes[i] >= ' ' && bytes[i] != 0x7f) ? bytes[i] : '?';
        out->write(out->owner, &c, 1);
    }
    return bytes != NULL;
}

bool snapshot_describe(const char *path, const struct byte_sink *out, struct error *err)
{
    struct snapshot_file *f = snapshot_open(path, err);
    if (!f)
        return false;
    bool ok = print_text(f, "info", out, err) && print_text(f, "machine", out, err);
    for (unsigned i = 0; ok && i < snapshot_section_count(f); i++) {
        struct snapshot_section s = snapshot_section(f, i);
        text_make_printable(s.name);
        byte_sink_print(out, "section %-24s %12" PRIu64 " bytes, %12" PRIu64 " in the file\n",
                        s.name, s.bytes, s.bytes_in_file);
    }
    if (ok)
        byte_sink_print(out, "all check sums are right\n"); /* or it would not be open */
    snapshot_close(f);
    return ok;
}

bool snapshot_extract(const char *path, const char *section, const char *to, struct error *err)
{
    uint64_t n;
    struct snapshot_file *f = snapshot_open(path, err);
    const uint8_t *bytes = f ? snapshot_bytes(f, section, &n, err) : NULL;
    bool ok = bytes && os_file_write(to, bytes, n, err);
    snapshot_close(f);
    return ok;
}
