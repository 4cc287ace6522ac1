/* Fuzzer of recordings. The first byte of an input chooses: the rest is the file; or it becomes
 * records behind a right header, with right checks, so that a machine plays them. Nothing but an
 * end with a reason may come of it. Built with -DRIVULET_FUZZ=ON by clang:
 *
 *   build/tests/fuzz/fuzz_input_log -max_len=2000 */
#include "machine/input_log.h"
#include "base/os.h"
#include "machine/record.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define PATH      "fuzz.log" /* in the folder that tests/fuzz/run makes */
#define RUN_NS    2000000u
#define HEAD_MOST 8192u

static struct machine *new_machine(void)
{
    static const uint32_t loop[] = {0x10500073, 0xffdff06f}; /* wfi; j .-4 */
    static struct fuzz_file kernel;
    if (!kernel.path[0])
        kernel = fuzz_file_create(loop, sizeof loop);
    struct machine_config config = fuzz_config(kernel.path);
    return fuzz_machine(&config);
}

/* The first record of this machine's recordings. */
static size_t header(const uint8_t **bytes)
{
    static uint8_t head[HEAD_MOST];
    static size_t n;
    struct error err;
    *bytes = head;
    if (n)
        return n;
    struct machine *m = new_machine();
    if (!machine_record(m, PATH, &err) || !machine_record_close(m, &err))
        abort();
    machine_destroy(m);
    struct input_log *log = input_log_open(PATH, &err);
    const struct log_record *record = input_log_next(log);
    n = min_u64(record->n, sizeof head);
    memcpy(head, record->bytes, n);
    if (!input_log_close(log, &err))
        abort();
    return n;
}

static void write_records(struct cursor *c)
{
    struct error err;
    struct log_record record = {.kind = RECORD_HEADER};
    struct input_log *log = input_log_create(PATH, &err);
    if (!log)
        abort();
    record.n = header(&record.bytes);
    input_log_append(log, &record);
    while (c->at < c->end) {
        record.now_ns += take(c, 3);
        record.kind = (enum record_kind)(take(c, 1) % (RECORD_KINDS + 1));
        record.entry = (uint32_t)take(c, 1);
        uint64_t wanted = take(c, 1);
        record.n = min_u64(wanted, (uint64_t)(c->end - c->at));
        record.bytes = c->at;
        c->at += record.n;
        input_log_append(log, &record);
    }
    if (!input_log_close(log, &err))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = {data, data + size};
    const uint8_t *ignored;
    struct error err;
    bool is_file = take(&c, 1) & 1;
    (void)header(&ignored);
    if (!is_file)
        write_records(&c);
    else if (!os_file_write(PATH, c.at, (size_t)(c.end - c.at), &err))
        return 0;
    struct machine *m = new_machine();
    if (machine_replay(m, PATH, &err))
        machine_run(m, RUN_NS);
    (void)!machine_record_close(m, &err);
    machine_destroy(m);
    return 0;
}
