/* machine/: the same input at the same times gives the same run, with a disk and a network. The
 * guest writes what it received to its disk; frames and typed text come from a recording, which is
 * a list of times and bytes. */
#include "tests/unit/machine_rig.h"
#include "tests/unit/suite.h"

#define NIC  0x10008000u
#define DISK 0x10007000u

/* In the program's page. Rings are filled by hand: eight buffers for frames, one request. */
#define NIC_DESC   (RIG_RAM + 0x800)
#define NIC_AVAIL  (RIG_RAM + 0x880)
#define NIC_USED   (RIG_RAM + 0x8c0)
#define DISK_DESC  (RIG_RAM + 0xa00)
#define DISK_AVAIL (RIG_RAM + 0xa80)
#define DISK_USED  (RIG_RAM + 0xac0)
#define HEADER     (RIG_RAM + 0xb00)
#define STATUS     (RIG_RAM + 0xb20)
#define BUFFER(i)  (RIG_RAM + 0x10000 + 0x800 * (i))
#define BUFFERS    8u

#define DISK_BYTES 65536u
#define INPUTS     120u
#define END_NS     (6 * RIG_MS)

/* The guest's counters at RIG_DATA, of 8 bytes each: they are what it writes. */
enum { SHARED, MIXED, FRAMES, TYPED, WRITTEN };

enum { S2 = 18, S3, S4, S5, S8 = 24 };

/* --- the guest --------------------------------------------------------------------------- */

static void put_half(struct program *p, uint64_t gpa, uint16_t value)
{
    memcpy(p->bytes + (gpa - RIG_RAM), &value, 2);
}

static void put_descriptor(struct program *p, uint64_t table, unsigned i, uint64_t gpa,
                           uint32_t bytes, uint16_t flags)
{
    uint8_t *d = p->bytes + (table - RIG_RAM) + 16 * i;
    memcpy(d, &gpa, 8);
    memcpy(d + 8, &bytes, 4);
    put_half(p, table + 16 * i + 12, flags);
    put_half(p, table + 16 * i + 14, (uint16_t)(i + 1));
}

static void put_rings(struct program *p)
{
    for (unsigned i = 0; i < BUFFERS; i++) {
        put_descriptor(p, NIC_DESC, i, BUFFER(i), 0x800, 2);
        put_half(p, NIC_AVAIL + 4 + 2 * i, (uint16_t)i);
    }
    put_half(p, NIC_AVAIL + 2, BUFFERS);
    put_descriptor(p, DISK_DESC, 0, HEADER, 16, 1);
    put_descriptor(p, DISK_DESC, 1, RIG_DATA, 512, 1);
    put_descriptor(p, DISK_DESC, 2, STATUS, 1, 2);
    put_half(p, DISK_AVAIL + 2, 1);
    put_half(p, HEADER, 1); /* a write */
}

static void put_store(struct assembler *a, uint64_t gpa, uint64_t value)
{
    asm_li(a, T0, (int64_t)gpa);
    asm_li(a, T1, (int64_t)value);
    ASM(a, sw, .rs1 = T0, .rs2 = T1);
}

/* Queue 0 of a modern device, and the first notification. */
static void put_device_start(struct assembler *a, uint64_t base, uint64_t desc, uint64_t avail,
                             uint64_t used)
{
    const uint64_t writes[][2] = {{0x70, 3},    {0x24, 1},       {0x20, 1},    {0x70, 11},
                                  {0x30, 0},    {0x38, BUFFERS}, {0x80, desc}, {0x90, avail},
                                  {0xa0, used}, {0x44, 1},       {0x70, 15},   {0x50, 0}};
    for (unsigned i = 0; i < ARRAY_LEN(writes); i++)
        put_store(a, base + writes[i][0], writes[i][1]);
}

/* counters[which] += by */
static void put_count(struct assembler *a, int which, unsigned by)
{
    ASM(a, ld, .rd = T3, .rs1 = S0, .imm = 8 * which);
    ASM(a, add, .rd = T3, .rs1 = T3, .rs2 = (uint8_t)by);
    ASM(a, sd, .rs1 = S0, .rs2 = T3, .imm = 8 * which);
}

/* Another element of the used ring, whose base is in `used`, than *seen: the ring is offered again
 * as it is, and the device told. Returns the branch to land where nothing is new. */
static uint64_t put_if_used(struct assembler *a, unsigned used, unsigned seen)
{
    ASM(a, lhu, .rd = T0, .rs1 = (uint8_t)used, .imm = 2);
    uint64_t skip = a->pc;
    ASM(a, beq, .rs1 = T0, .rs2 = (uint8_t)seen);
    ASM(a, addi, .rd = (uint8_t)seen, .rs1 = (uint8_t)seen, .imm = 1);
    ASM(a, slli, .rd = (uint8_t)seen, .rs1 = (uint8_t)seen, .imm = 48);
    ASM(a, srli, .rd = (uint8_t)seen, .rs1 = (uint8_t)seen, .imm = 48);
    return skip;
}

static void put_offer(struct assembler *a, uint64_t avail, uint64_t device)
{
    asm_li(a, T0, (int64_t)avail);
    ASM(a, lhu, .rd = T1, .rs1 = T0, .imm = 2);
    ASM(a, addi, .rd = T1, .rs1 = T1, .imm = 1);
    ASM(a, sh, .rs1 = T0, .rs2 = T1, .imm = 2);
    asm_li(a, T0, (int64_t)device);
    ASM(a, sw, .rs1 = T0, .imm = 0x50);
}

/* A frame: its buffer is that of its number, as both sides take them in turn. */
static void put_receive(struct assembler *a)
{
    uint64_t skip = put_if_used(a, S2, S3);
    ASM(a, addi, .rd = T4, .rs1 = S3, .imm = -1);
    ASM(a, andi, .rd = T4, .rs1 = T4, .imm = BUFFERS - 1);
    ASM(a, slli, .rd = T4, .rs1 = T4, .imm = 11);
    asm_li(a, T0, BUFFER(0));
    ASM(a, add, .rd = T4, .rs1 = T4, .rs2 = T0);
    ASM(a, ld, .rd = T4, .rs1 = T4, .imm = 24); /* of the frame behind the header */
    ASM(a, ld, .rd = T3, .rs1 = S0);
    ASM(a, add, .rd = T4, .rs1 = T4, .rs2 = T3); /* when it came shows */
    put_count(a, MIXED, T4);
    put_count(a, FRAMES, S8);
    put_offer(a, NIC_AVAIL, NIC);
    asm_land(a, skip);
}

/* The next sector is written as soon as the last one is. */
static void put_write(struct assembler *a)
{
    uint64_t skip = put_if_used(a, S4, S5);
    put_count(a, WRITTEN, S8);
    asm_li(a, T0, HEADER);
    ASM(a, ld, .rd = T1, .rs1 = T0, .imm = 8);
    ASM(a, addi, .rd = T1, .rs1 = T1, .imm = 1);
    ASM(a, andi, .rd = T1, .rs1 = T1, .imm = DISK_BYTES / 512 - 1);
    ASM(a, sd, .rs1 = T0, .rs2 = T1, .imm = 8);
    put_offer(a, DISK_AVAIL, DISK);
    asm_land(a, skip);
}

static void put_typed(struct assembler *a)
{
    ASM(a, lbu, .rd = T2, .rs1 = S1, .imm = 5);
    ASM(a, andi, .rd = T2, .rs1 = T2, .imm = 1);
    uint64_t skip = a->pc;
    ASM(a, beq, .rs1 = T2);
    ASM(a, lbu, .rd = T2, .rs1 = S1);
    ASM(a, sb, .rs1 = S1, .rs2 = T2);
    put_count(a, TYPED, S8);
    put_count(a, MIXED, T2);
    asm_land(a, skip);
}

/* Hart 0 serves the devices; all count together. */
static void put_guest(struct program *p)
{
    struct assembler *a = &p->a;
    program_begin(p);
    asm_li(a, S0, RIG_DATA);
    asm_li(a, S1, RIG_UART);
    asm_li(a, S2, NIC_USED);
    asm_li(a, S4, DISK_USED);
    asm_li(a, S8, 1);
    ASM(a, csrrs, .rd = A0, .imm = CSR_MHARTID);
    uint64_t others = a->pc;
    ASM(a, bne, .rs1 = A0);
    put_device_start(a, NIC, NIC_DESC, NIC_AVAIL, NIC_USED);
    put_device_start(a, DISK, DISK_DESC, DISK_AVAIL, DISK_USED);
    uint64_t loop = a->pc;
    ASM(a, amoadd_d, .rd = A2, .rs1 = S0, .rs2 = S8);
    put_receive(a);
    put_write(a);
    put_typed(a);
    ASM(a, jal, .imm = asm_to(a, loop));
    asm_land(a, others);
    loop = a->pc;
    ASM(a, amoadd_d, .rd = A2, .rs1 = S0, .rs2 = S8);
    ASM(a, add, .rd = A7, .rs1 = A7, .rs2 = A2);
    ASM(a, jal, .imm = asm_to(a, loop));
    ck_assert_uint_le(a->pc, NIC_DESC);
    put_rings(p);
    program_end(p);
}

/* --- the machine ------------------------------------------------------------------------- */

struct files {
    char disk[40], socket[48];
};

static struct machine_config config_of(const struct program *p, unsigned harts,
                                       const struct files *f, struct machine_option *o)
{
    /* Nobody connects to the socket: all frames are the recording's. */
    const struct machine_option devices[] = {
        {.items = {{"driver", "virtio-net-device"}, {"netdev", "n"}}, .count = 2},
        {.items = {{"driver", "virtio-blk-device"}, {"drive", "d"}}, .count = 2},
        {.items = {{"file", f->disk}, {"format", "raw"}, {"if", "none"}, {"id", "d"}}, .count = 4},
        {.items = {{"type", "stream"},
                   {"id", "n"},
                   {"server", "on"},
                   {"addr.type", "unix"},
                   {"addr.path", f->socket}},
         .count = 5},
        {.items = {{"virtio-mmio.force-legacy", "false"}}, .count = 1},
    };
    memcpy(o, devices, sizeof devices);
    struct machine_config c = rig_config(p, harts);
    c.devices = (struct machine_options){o, 2};
    c.drives = (struct machine_options){o + 2, 1};
    c.netdevs = (struct machine_options){o + 3, 1};
    c.globals = (struct machine_options){o + 4, 1};
    return c;
}

static void files_create(struct files *f)
{
    strcpy(f->disk, "/tmp/rivulet-replay-XXXXXX");
    int fd = mkstemp(f->disk);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, DISK_BYTES), 0);
    close(fd);
    snprintf(f->socket, sizeof f->socket, "%s.s", f->disk);
}

/* Another machine goes on from the state of this one, with its disk and network. */
static void succeed(struct rig *r)
{
    struct error err;
    struct saved saved = rig_save(r);
    struct machine *old = r->m;
    r->m = machine_succeed(old, &err);
    ck_assert_msg(r->m != NULL, "%s", err.text);
    input_move(machine_door(old), machine_door(r->m)); /* what has come and was not delivered */
    machine_destroy(old);
    ck_assert(rig_load(r, saved.bytes, saved.size));
    free(saved.bytes);
}

/* --- the recording ----------------------------------------------------------------------- */

static uint32_t below(uint64_t *random, uint32_t n)
{
    *random = *random * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((*random >> 33) % n);
}

static void push(struct rig *r, uint64_t *random)
{
    uint8_t bytes[1514];
    bool is_frame = below(random, 3) != 0;
    size_t n = is_frame ? 60 + below(random, 1400) : 1 + below(random, 10);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)below(random, 256);
    memset(bytes, 0xff, is_frame ? 6 : 0); /* to everybody */
    unsigned entry = is_frame ? machine_network_entry(r->m, "n") : machine_console_entry(r->m);
    input_push(machine_door(r->m), entry, bytes, n);
}

struct outcome {
    uint64_t hash, counters[WRITTEN + 1];
    uint8_t disk[DISK_BYTES];
};

enum how { STRAIGHT, SAVED, STRESSED };

static struct outcome *play(const struct program *p, unsigned harts, enum how how)
{
    struct files f;
    struct machine_option options[5];
    uint64_t random = 20, now_ns = 0;
    files_create(&f);
    struct machine_config config = config_of(p, harts, &f, options);
    config.stress = how == STRESSED;
    struct rig *r = rig_create_with(config);
    for (unsigned i = 0; i < INPUTS; i++) {
        now_ns += below(&random, 2 * END_NS / INPUTS);
        ck_assert_int_eq(rig_run(r, now_ns), MACHINE_TIME_LIMIT);
        push(r, &random);
        if (how == SAVED && i % 10 == 5)
            succeed(r);
    }
    ck_assert_int_eq(rig_run(r, now_ns + END_NS), MACHINE_TIME_LIMIT);
    struct outcome *o = calloc(1, sizeof *o);
    o->hash = machine_hash(r->m);
    /* The newest counters that are on the disk are not all of them: those in RAM are in the hash.
     */
    rig_free(r);
    FILE *disk = fopen(f.disk, "r");
    ck_assert_ptr_nonnull(disk);
    ck_assert_uint_eq(fread(o->disk, 1, DISK_BYTES, disk), DISK_BYTES);
    fclose(disk);
    for (size_t at = 0; at < DISK_BYTES; at += 512) {
        uint64_t counters[WRITTEN + 1];
        memcpy(counters, o->disk + at, sizeof counters);
        if (counters[WRITTEN] >= o->counters[WRITTEN])
            memcpy(o->counters, counters, sizeof counters);
    }
    unlink(f.disk);
    unlink(f.socket);
    return o;
}

static const unsigned hart_counts[] = {1, 4};

START_TEST(the_same_frames_and_keys_at_the_same_times_give_the_same_state_and_disk)
{
    struct program p;
    put_guest(&p);
    unsigned harts = hart_counts[_i];
    struct outcome *straight = play(&p, harts, STRAIGHT);
    ck_assert_uint_gt(straight->counters[FRAMES], INPUTS / 2);
    ck_assert_uint_gt(straight->counters[TYPED], INPUTS / 2);
    ck_assert_uint_gt(straight->counters[WRITTEN], 30);
    for (enum how how = STRAIGHT; how <= STRESSED; how++) {
        struct outcome *again = play(&p, harts, how);
        ck_assert_msg(again->hash == straight->hash, "run %d ends in another state", how);
        ck_assert(memcmp(again->disk, straight->disk, DISK_BYTES) == 0);
        free(again);
    }
    free(straight);
    unlink(p.path);
}
END_TEST

START_TEST(a_network_that_is_not_there_has_no_entry)
{
    struct program p;
    put_guest(&p);
    struct rig *r = rig_create(&p, 1);
    ck_assert_uint_eq(machine_network_entry(r->m, "n"), INPUT_NO_ENTRY);
    rig_free(r);
    unlink(p.path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tc = tcase_create("replay");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_same_frames_and_keys_at_the_same_times_give_the_same_state_and_disk,
                        0, ARRAY_LEN(hart_counts));
    tcase_add_test(tc, a_network_that_is_not_there_has_no_entry);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
