/* Files that older programs made must load (docs/ARCHITECTURE.md says what a change of the format
 * must do). With RIVULET_MAKE_FIXTURES=FOLDER in its environment this program makes them, and
 * prints what it expects of them.
 *
 * The guest's program is in the files too: it is not assembled here again. */
#include "machine/drives.h"
#include "machine/internal.h"
#include "machine/snapshot.h"
#include "tests/unit/past_rig.h"
#include "tests/unit/suite.h"

#define MAKES   "RIVULET_MAKE_FIXTURES"
#define SAVE_NS (RIG_MS + 123 * RIG_US)
#define END_NS  (3 * RIG_MS)

struct fixture {
    const char *name;
    unsigned harts;
    bool has_disk;
    uint64_t state, guest; /* hashes: of all state when loaded; of RAM and output at END_NS */
};

static const struct fixture fixtures[] = {
    {"one-hart.rvs", 1, false, 0x8c4c027a9dec3304, 0x55155e416e0de533},
    {"two-harts-and-disk.rvs", 2, true, 0xcae752582a1628f5, 0xd2aabd4ac8dff53f},
};

/* The drive's section is its changes; the image below is all zeroes, and as old. */
static const struct machine_option drive = {
    .items = {{"file", "disk"}, {"format", "raw"}, {"if", "virtio"}, {"snapshot", "on"}},
    .count = 4};

static struct rig *make(const struct program *p, const struct fixture *f)
{
    struct machine_config config = rig_config(p, f->harts);
    config.cpu = "rva22s64"; /* will always be the same */
    if (f->has_disk) {
        config.drives = (struct machine_options){&drive, 1};
        ck_assert_int_eq(shell("truncate -s 1M disk && touch -d 2026-01-01T00:00:00Z disk"), 0);
    }
    return rig_create_with(config);
}

static void transfer(struct rig *r, enum block_op op, char *bytes)
{
    struct block_request request = {.op = op, .offset = 512, .bytes = 512};
    request.buffer = (uint8_t *)bytes;
    struct block *b = r->m->drives->items[0].block;
    block_submit(b, &request);
    block_wait(b, &request);
    ck_assert_int_eq(request.status, BLOCK_OK);
}

/* What the guest has done, however its machine is described. */
static uint64_t guest_hash(struct rig *r)
{
    uint8_t data[PAGE_BYTES];
    ck_assert(dma_read(r->m->memory, RIG_DATA, data, sizeof data));
    return hash_bytes(hash_bytes(1, data, sizeof data), r->sent, r->sent_bytes);
}

static uint64_t end_of(struct rig *r)
{
    r->sent_bytes = 0;
    ck_assert_int_eq(rig_run(r, END_NS), MACHINE_TIME_LIMIT);
    return guest_hash(r);
}

static void path_of(const struct fixture *f, const char *folder, char path[1024])
{
    snprintf(path, 1024, "%s/%s", folder, f->name);
}

START_TEST(an_old_file_loads_and_its_guest_goes_on)
{
    const struct fixture *f = &fixtures[_i];
    struct program p;
    struct error err;
    char path[1024], bytes[512];
    bool is_intact;
    begin(&p, f->harts);
    path_of(f, RIVULET_FIXTURES, path);
    struct rig *r = make(&p, f);
    ck_assert_msg(snapshot_load(r->m, path, &is_intact, &err), "%s", err.text);
    ck_assert_uint_eq(machine_hash(r->m), f->state);
    if (f->has_disk) {
        transfer(r, BLOCK_READ, bytes);
        ck_assert_int_eq(bytes[511], 'f');
    }
    ck_assert_uint_eq(end_of(r), f->guest);
    rig_free(r);
    end(&p);
}
END_TEST

START_TEST(make_fixture)
{
    const struct fixture *f = &fixtures[_i];
    struct snapshot_options options = {.compress = true};
    struct program p;
    struct error err;
    char path[1024], bytes[512];
    begin(&p, f->harts);
    path_of(f, getenv(MAKES), path);
    struct rig *r = make(&p, f);
    rig_run(r, SAVE_NS);
    memset(bytes, 'f', sizeof bytes);
    if (f->has_disk)
        transfer(r, BLOCK_WRITE, bytes);
    ck_assert_msg(snapshot_save(r->m, path, &options, &err), "%s", err.text);
    uint64_t state = machine_hash(r->m);
    printf("    {\"%s\", %u, %s, 0x%016llx, 0x%016llx},\n", f->name, f->harts,
           f->has_disk ? "true" : "false", (unsigned long long)state,
           (unsigned long long)end_of(r));
    fflush(stdout);
    rig_free(r);
    end(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot fixtures");
    TCase *tests = tcase_create("snapshot fixtures");
    if (getenv(MAKES))
        tcase_add_loop_test(tests, make_fixture, 0, ARRAY_LEN(fixtures));
    else
        tcase_add_loop_test(tests, an_old_file_loads_and_its_guest_goes_on, 0, ARRAY_LEN(fixtures));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
