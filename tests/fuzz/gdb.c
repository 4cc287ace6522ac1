/* A fuzzer of the gdb stub: packets and raw bytes, on a machine that runs a little between them.
 *
 * Input: parts, each a byte and what it counts: below 0xf0 so many bytes as the data of a packet,
 * framed here with a right checksum; above, so many less 0xf0 bytes as they are. */
#include "debug/gdb.h"
#include "tests/fuzz/fuzz.h"

#define RAW       0xf0u
#define PART_MOST 0xf0u
#define RUNS_MOST 24u /* a round is long for a checked build */

static void ignore(void *owner, const uint8_t *bytes, size_t n)
{
    (void)owner, (void)bytes, (void)n;
}

/* What gdb would escape. */
static bool is_special(uint8_t byte)
{
    return byte == '$' || byte == '#' || byte == '}';
}

static void send_packet(struct gdb *g, const uint8_t *data, size_t n)
{
    char frame[2 * PART_MOST + 8];
    size_t size = 0;
    unsigned sum = 0;
    frame[size++] = '$';
    for (size_t i = 0; i < n; i++) {
        if (is_special(data[i]))
            frame[size++] = '}';
        frame[size++] = (char)(is_special(data[i]) ? data[i] ^ 0x20 : data[i]);
    }
    for (size_t i = 1; i < size; i++)
        sum += (uint8_t)frame[i];
    size += (size_t)snprintf(frame + size, 4, "#%02x", sum & 0xff);
    gdb_receive(g, (const uint8_t *)frame, size);
}

static void send_parts(struct gdb *g, struct control *control, struct machine *m, struct cursor *c)
{
    struct error err;
    unsigned runs = 0;
    while (c->at < c->end) {
        unsigned count = (unsigned)take(c, 1);
        size_t left = (size_t)(c->end - c->at);
        size_t n = min_u64(left, count < RAW ? count : count - RAW);
        if (count < RAW)
            send_packet(g, c->at, n);
        else
            gdb_receive(g, c->at, n);
        c->at += n;
        if (control_state(control) == RUN_RUNNING && ++runs > RUNS_MOST)
            control_stop(control, RUN_PAUSED);
        if (control_run(control, machine_now_ns(m) + 1000, 0, &err) != CONTROL_GOES_ON)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_file kernel;
    /* addi a0, a0, 1; ld a1, 64(s0); sd a0, 64(s0); amoadd.d a2, a0, (s0); ecall; j .-20 */
    static const uint32_t loop[] = {0x00150513, 0x04043583, 0x04a43023,
                                    0x00a4362f, 0x00000073, 0xfedff06f};
    if (!kernel.path[0])
        kernel = fuzz_file_create(loop, sizeof loop);
    struct machine_config config = fuzz_config(kernel.path);
    struct control_config stopped = {.starts_stopped = true};
    struct byte_sink out = {.write = ignore};
    struct cursor c = {data, data + size};
    struct error err;
    config.harts = 2;
    config.no_reboot = true;
    struct machine *m = fuzz_machine(&config);
    struct control *control = control_create(m, &stopped, &err);
    struct monitor *monitor = monitor_create(control, &err);
    struct gdb *g = gdb_create(control, monitor, &out, &err);
    gdb_connect(g);
    send_parts(g, control, m, &c);
    gdb_disconnect(g);
    gdb_destroy(g);
    monitor_destroy(monitor);
    control_destroy(control);
    machine_destroy(m);
    return 0;
}
