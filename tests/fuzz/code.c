/* A fuzzer of the hart: random code in M-, S- and U-mode, with and without paging. It runs twice,
 * the second time with every cache shaken (-stress), and must end in the same state.
 *
 * Input: a byte for the mode, then groups of 5 bytes: a row of the instruction table and the bits
 * that its pattern leaves free, or, every eighth, any word. */
#include "cpu/insn.h"
#include "machine/internal.h"
#include "tests/fuzz/fuzz.h"

#define DATA_AT   0x80u
#define ROOT_AT   0x2000u
#define CODE_AT   0x3000u
#define IMAGE_MAX 0x4000u
#define RUN_NS    2000u /* 1,000 steps */

/* Sets traps, memory protection, mode and paging up, and goes to the code; a trap goes on 4 bytes
 * behind its place. */
static const uint32_t start[] = {
    0x00000297,                /* auipc t0, 0 */
    0x04028293,                /* addi t0, t0, 0x40 */
    0x30529073,                /* csrw mtvec, t0 */
    0xfff00313,                /* li t1, -1 */
    0x3b031073,                /* csrw pmpaddr0, t1 */
    0x01f00313,                /* li t1, 0x1f */
    0x3a031073,                /* csrw pmpcfg0, t1 */
    0x0402b303,                /* ld t1, 0x40(t0) */
    0x30031073,                /* csrw mstatus, t1 */
    0x0482b303,                /* ld t1, 0x48(t0) */
    0x18031073,                /* csrw satp, t1 */
    0x0502b303,                /* ld t1, 0x50(t0) */
    0x34131073,                /* csrw mepc, t1 */
    0x30200073,                /* mret */
    0,          0, 0x341022f3, /* csrr t0, mepc */
    0x00428293,                /* addi t0, t0, 4 */
    0x34129073,                /* csrw mepc, t0 */
    0x30200073,                /* mret */
};

/* A word of this row: what its pattern fixes, and the input's bits elsewhere. */
static uint32_t word_of(const struct insn *row, uint32_t bits)
{
    uint32_t word = 0;
    for (const char *p = row->pattern; *p; p++) {
        if (*p == ' ')
            continue;
        word = word << 1 | (*p == '1' || (*p != '0' && bits >> 31));
        bits = *p == '0' || *p == '1' ? bits : bits << 1;
    }
    return word;
}

static size_t put_code(uint8_t *image, struct cursor *c)
{
    size_t at = CODE_AT;
    while (c->at < c->end && at + 4 <= IMAGE_MAX) {
        unsigned row = (unsigned)take(c, 1) | (unsigned)take(c, 1) << 8;
        uint32_t bits = (uint32_t)take(c, 3) * 0x101u;
        uint32_t word = row % 8 ? word_of(&insns[row / 8 % insn_count], bits) : bits;
        unsigned length = (word & 3) == 3 ? 4 : 2;
        memcpy(image + at, &word, length);
        at += length;
    }
    return at;
}

static size_t make_image(uint8_t *image, struct cursor *c)
{
    unsigned how = (unsigned)take(c, 1);
    unsigned mode = how % 4 == 2 ? 3 : how % 4;
    uint64_t leaf = mode == PRIV_U ? 0xdf : 0xcf; /* gigapages: devices, RAM */
    uint64_t root[3] = {leaf, 0, (FUZZ_RAM >> 12 << 10) | leaf};
    uint64_t data[3] = {(uint64_t)mode << MSTATUS_MPP_SHIFT | MSTATUS_FS,
                        how & 4 ? 8ull << 60 | (FUZZ_RAM + ROOT_AT) >> 12 : 0, FUZZ_RAM + CODE_AT};
    memcpy(image, start, sizeof start);
    memcpy(image + DATA_AT, data, sizeof data);
    memcpy(image + ROOT_AT, root, sizeof root);
    return put_code(image, c);
}

/* Making a machine costs more than these runs: there is one of each kind, put back to its start. */
struct runner {
    struct machine *m;
    struct state *start;
};

static void runner_init(struct runner *r, const char *kernel, unsigned harts, bool stress)
{
    struct machine_config config = fuzz_config(kernel);
    config.harts = harts;
    config.stress = stress;
    r->m = fuzz_machine(&config);
    r->start = state_new_save();
    machine_state(r->m, r->start);
}

static uint64_t hash_after_run(struct runner *r, const uint8_t *image, size_t n)
{
    size_t size;
    const void *bytes = state_data(r->start, &size);
    struct state *load = state_new_load(bytes, size);
    machine_state(r->m, load);
    if (!state_ok(load) || !memory_load(r->m->memory, FUZZ_RAM, image, n))
        abort();
    state_free(load);
    machine_run(r->m, RUN_NS);
    return machine_hash(r->m);
}

static void runners_init(struct runner runners[2][2])
{
    static const uint8_t nothing[4];
    struct fuzz_file kernel = fuzz_file_create(nothing, sizeof nothing);
    for (unsigned harts = 1; harts <= 2; harts++)
        for (unsigned stress = 0; stress < 2; stress++)
            runner_init(&runners[harts - 1][stress], kernel.path, harts, stress);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t image[IMAGE_MAX];
    static struct runner runners[2][2]; /* harts, stress */
    struct cursor c = {data, data + size};
    struct runner *pair = runners[size && data[0] & 8 ? 1 : 0];
    if (!pair[0].m)
        runners_init(runners);
    memset(image, 0, sizeof image);
    size_t n = make_image(image, &c);
    if (hash_after_run(&pair[0], image, n) != hash_after_run(&pair[1], image, n)) {
        fprintf(stderr, "the state differs under stress\n");
        abort();
    }
    return 0;
}
