/* Fuzzer of saved machines. The first byte of an input chooses: the rest is the file; or the rest
 * changes the sections of a right file, whose check sums are made right again, so that what it says
 * is believed. The machine that takes it runs a little. Nothing but an error or a machine may come
 * of it. Built with -DRIVULET_FUZZ=ON by clang:
 *
 *   build/tests/fuzz/fuzz_snapshot -max_len=2000 */
#include "machine/snapshot.h"
#include "base/os.h"
#include "machine/snapshot_file.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>

#define PATH     "fuzz.rvs" /* in the folder that tests/fuzz/run makes */
#define CHANGES  64u
#define RUN_NS   20000u
#define SECTIONS 16u

struct section {
    char name[SNAPSHOT_NAME_BYTES + 1];
    uint8_t *bytes;
    uint64_t n;
};

/* What a machine saved, once. */
struct saved {
    struct section sections[SECTIONS];
    unsigned count;
};

static void ignore(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner, (void)bytes, (void)n;
}

static struct machine *new_machine(void)
{
    /* li a0, 1; sd a0, 64(s0); amoadd.d a2, a0, (s0); j .-8 */
    static const uint32_t loop[] = {0x00100513, 0x04a43023, 0x00a4362f, 0xff9ff06f};
    static struct fuzz_file kernel;
    if (!kernel.path[0])
        kernel = fuzz_file_create(loop, sizeof loop);
    struct machine_config config = fuzz_config(kernel.path);
    config.harts = 2;
    return fuzz_machine(&config);
}

static const struct saved *saved(void)
{
    static struct saved s;
    struct error err;
    if (s.count)
        return &s;
    struct machine *m = new_machine();
    machine_run(m, RUN_NS);
    if (!snapshot_save(m, PATH, &(struct snapshot_options){0}, &err))
        abort();
    machine_destroy(m);
    struct snapshot_file *f = snapshot_open(PATH, &err);
    for (unsigned i = 0; i < snapshot_section_count(f); i++) {
        struct section *to = &s.sections[s.count++];
        memcpy(to->name, snapshot_section(f, i).name, sizeof to->name);
        const uint8_t *bytes = snapshot_bytes(f, to->name, &to->n, &err);
        to->bytes = malloc(to->n + 1);
        memcpy(to->bytes, bytes, to->n);
    }
    snapshot_close(f);
    return &s;
}

/* Each change is a section, an offset, and a byte; or the section ends there. */
static void write_changed(struct cursor *c)
{
    const struct saved *from = saved();
    struct error err;
    struct snapshot_writer *w = snapshot_writer_create(PATH, take(c, 1) & 1, &err);
    struct {
        unsigned section;
        uint64_t offset;
        uint8_t byte;
    } changes[CHANGES];
    unsigned count = 0;
    while (w && c->at < c->end && count < CHANGES) {
        changes[count].section = (unsigned)take(c, 1);
        changes[count].offset = take(c, 3);
        changes[count++].byte = (uint8_t)take(c, 1);
    }
    for (unsigned i = 0; w && i < from->count; i++) {
        const struct section *s = &from->sections[i];
        uint8_t *bytes = malloc(s->n + 1);
        uint64_t n = s->n;
        memcpy(bytes, s->bytes, n);
        for (unsigned j = 0; j < count; j++) {
            uint64_t at = n ? changes[j].offset % n : 0;
            if (changes[j].section % SECTIONS == i && changes[j].section < 0xf0 && n)
                bytes[at] = changes[j].byte;
            else if (changes[j].section % SECTIONS == i && n)
                n = at;
        }
        snapshot_begin(w, s->name);
        snapshot_write(w, bytes, n);
        free(bytes);
    }
    if (w && !snapshot_writer_commit(w, &err))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = {data, data + size};
    const struct byte_sink sink = {.write = ignore};
    struct error err;
    bool is_intact;
    bool is_file = take(&c, 1) & 1;
    (void)saved();
    if (!is_file)
        write_changed(&c);
    else if (!os_file_write(PATH, c.at, (size_t)(c.end - c.at), &err))
        return 0;
    (void)!snapshot_describe(PATH, &sink, &err);
    free(snapshot_command_line(PATH, &err));
    struct machine *m = new_machine();
    if (snapshot_load(m, PATH, &is_intact, &err))
        machine_run(m, machine_now_ns(m) + RUN_NS);
    machine_destroy(m);
    return 0;
}
