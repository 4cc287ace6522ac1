/* Random user-level programs, made and run inside the guest.
 *
 * The program that makes them runs on both emulators, so a run of thousands costs one start. Rows
 * of the instruction tables give the encodings; operands are chance. A program is a list of groups;
 * control enters a group only at its start, so that an address that a group computes is right when
 * it is used. Branches go forward, but for loops that count s1 down. sp and s0 point into the data
 * window; every other register is free.
 * For each seed one line with a hash of all registers, fcsr and the window is printed; `verbose`
 * prints them all, `limit` ends the program after so many instructions, and `preempt` lets a timer
 * interrupt it all the time, which must not change anything. */
#include "cpu/isa.h"
#include "tests/diff/config.h"
#include "tests/isa/lib/paging.h"

#define WINDOW_BYTES 8192u
#define MAX_INSNS    400u
#define MAX_GROUPS   100u

enum { SP = 2, S0 = 8, S1 = 9 };

/* What run.S loads into the registers and stores back. */
struct machine_state {
    uint64_t x[32], f[32], fcsr;
};

void run_program(struct machine_state *state, uint64_t pc, uint64_t priv, uint64_t preempt);

static struct machine_state state;
static uint8_t window[WINDOW_BYTES] __attribute__((aligned(4096)));
static uint16_t code[4096] __attribute__((aligned(8192)));

/* --- rows ------------------------------------------------------------------------------------- */

struct row {
    const char *name, *pattern, *operands;
    bool compressed;
};

#define I(name, pattern, format, operands, ...)  {#name, pattern, operands, false},
#define F(name, pattern, format, operands, ...)  {#name, pattern, operands, false},
#define FR(name, pattern, format, operands, ...) {#name, pattern, operands, false},
#define G(name, pattern, format, operands, ...)  {#name, pattern, operands, false},
#define C(name, pattern, format, operands, ...)  {#name, pattern, operands, true},
static const struct row rows[] = {
#include "tests/diff/rows.h"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#undef I
#undef F
#undef FR
#undef G
#undef C

enum {
#define I(name, ...) ROW_##name,
#define F            I
#define FR           I
#define G            I
#define C            I
#include "tests/diff/rows.h"
#undef I
};

/* Whether a hart with these extensions has the row. */
static bool row_is_on(const struct hart_isa *isa, unsigned row)
{
    switch (row) {
#define I(name, ...)                                                                               \
    case ROW_##name:                                                                               \
        return NEEDS;
#include "tests/diff/rows.h"
    default:
        return false;
    }
}

/* What QEMU 7.2 knows. */
static const struct hart_isa old_isa = {
    .i = true,
    .m = true,
    .a = true,
    .f = true,
    .d = true,
    .c = true,
    .zca = true,
    .zcd = true,
    .zaamo = true,
    .zalrsc = true,
    .zmmul = true,
    .zba = true,
    .zbb = true,
    .zbc = true,
    .zbs = true,
    .zicbop = true,
    .zicsr = true,
    .zifencei = true,
};

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool starts(const char *name, const char *prefix)
{
    while (*prefix && *name == *prefix)
        name++, prefix++;
    return !*prefix;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (same(name, *names))
            return true;
    return false;
}

/* Rows that need more than chance operands, or that an oracle gets wrong. */
static bool left_out(const struct row *r)
{
    static const char *const control[] = {"jal",    "jalr",       "beq",      "bne",    "blt",
                                          "bge",    "bltu",       "bgeu",     "ecall",  "ebreak",
                                          "pause",  "c_j",        "c_jr",     "c_jalr", "c_beqz",
                                          "c_bnez", "c_addi16sp", "c_ebreak", NULL};
    static const char *const conditional[] = {"sc_w", "sc_d", NULL}; /* may fail when interrupted */
    static const char *const qemu72_wrong[] = {"ctzw", NULL};        /* looks at the high half */
    return is_one_of(r->name, control) ||
           (!config.newer && !row_is_on(&old_isa, (unsigned)(r - rows))) ||
           (config.preempt && is_one_of(r->name, conditional)) ||
           (config.qemu72 && is_one_of(r->name, qemu72_wrong));
}

/* --- chance ----------------------------------------------------------------------------------- */

static uint64_t chance_state;

static uint64_t chance(void)
{
    uint64_t z = chance_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
    return (unsigned)(chance() % n);
}

/* What operations treat specially: integers, doubles, boxed singles and halves. */
static const uint64_t special[] = {
    0,
    1,
    ~0ull,
    0x8000000000000000,
    0x7fffffffffffffff,
    0x80000000,
    0x7fffffff,
    0xffffffff80000000,
    0x3ff0000000000000,
    0x7ff0000000000000,
    0xfff0000000000000,
    0x7ff8000000000000,
    0x7ff0000000000001,
    0x0010000000000000,
    0x000fffffffffffff,
    0x7fefffffffffffff,
    0x43e0000000000000,
    0xc3e0000000000000,
    0x41dfffffffc00000,
    0x47efffffe0000000,
    0x380fffffffffffff,
    0xffffffff3f800000,
    0xffffffff7f800000,
    0xffffffff7fc00000,
    0xffffffff7f800001,
    0xffffffff00800000,
    0xffffffff007fffff,
    0xffffffff00000001,
    0xffffffff4f000000,
    0xffffffff5f000000,
    0xffffffffbf000000,
    0x3f8000003f800000,
    0xffffffffffff3c00,
    0xffffffffffff7c00,
    0xffffffffffff7e00,
    0xffffffffffff7c01,
    0xffffffffffff0001,
    0xffffffffffff0400,
    0xffffffffffff03ff,
    0xffffffffffff7bff,
};

static uint64_t chance_value(void)
{
    uint64_t v = chance();
    switch (below(9)) {
    case 0:
    case 1:
    case 2:
        return special[v % (sizeof(special) / 8)] ^ (chance() % 4 == 0 ? v & 3 : 0);
    case 3:
        return v >> below(64);
    case 4: /* a double near 1 */
        return (v & 0x800fffffffffffff) | (uint64_t)(1023 - 20 + below(40)) << 52;
    case 5: /* a boxed float near 1 */
        return 0xffffffff00000000 | (v & 0x807fffff) | (uint64_t)(127 - 20 + below(40)) << 23;
    case 6:
        return 0xffffffff00000000 | v;
    case 7: /* a boxed half */
        return 0xffffffffffff0000 | v;
    default:
        return v;
    }
}

static unsigned free_register(void)
{
    unsigned r;
    do
        r = below(32);
    while (r == SP || r == S0 || r == S1);
    return r;
}

/* --- the program ------------------------------------------------------------------------------ */

/* What is written once all places are known: the distance to a group. */
enum fix { FIX_NONE, FIX_B, FIX_J, FIX_JALR, FIX_CB, FIX_CJ };

struct item {
    uint32_t word;
    uint8_t bytes, fix;
    uint16_t target; /* group */
};

static struct item items[MAX_INSNS];
static unsigned item_count;
static uint16_t group_start[MAX_GROUPS + 1]; /* first item */
static unsigned group_count;

static void emit_fixed(uint32_t word, enum fix fix, unsigned target)
{
    unsigned bytes = (word & 3) == 3 ? 4 : 2;
    items[item_count++] = (struct item){word, (uint8_t)bytes, (uint8_t)fix, (uint16_t)target};
}

static void emit(uint32_t word)
{
    emit_fixed(word, FIX_NONE, 0);
}

static uint32_t itype(uint32_t opcode, unsigned funct3, unsigned rd, unsigned rs1, unsigned imm)
{
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | imm << 20;
}

static bool shows(const struct row *r, const char *word)
{
    for (const char *p = r->operands; *p; p++) {
        unsigned i = 0;
        while (word[i] && p[i] == word[i])
            i++;
        if (!word[i])
            return true;
    }
    return false;
}

/* The width of the run of one letter. */
static unsigned letter_width(const char *p)
{
    unsigned n = 0;
    while (p[n] == p[0])
        n++;
    return n;
}

/* A value for a field of `width` bits. `base`: the register of an address, 32: none. */
static uint32_t field_value(const struct row *r, char letter, unsigned width, unsigned base)
{
    uint32_t all = (1u << width) - 1;
    char lower = (char)(letter | 0x20);
    bool nonzero = letter != lower && lower != 'i';
    bool writes_x = lower == 'x' || (lower == 'd' && !shows(r, "fd"));
    for (;;) {
        uint32_t v = (uint32_t)chance() & all;
        unsigned reg = width == 3 ? v + 8 : width == 4 ? 2 * v : v; /* 4: a pair */
        if (lower == 's' && base < 32)
            v = base & all;
        if (lower == 'm' && (v == 5 || v == 6))
            continue;
        if (lower == 'i' && width > 5 && below(4) == 0)
            v &= 7;
        if (writes_x && (reg == SP || reg == S0 || reg == S1))
            continue;
        if (!nonzero || v)
            return v;
    }
}

static uint32_t encode(const struct row *r, unsigned base)
{
    uint32_t word = 0;
    for (const char *p = r->pattern; *p;) {
        if (*p == ' ') {
            p++;
        } else if (*p == '-') { /* aq and rl; a fence's fields stay 0 */
            unsigned width = letter_width(p);
            word = word << width | (width == 2 ? below(4) : 0);
            p += width;
        } else if (*p == '0' || *p == '1') {
            word = word << 1 | (*p == '1');
            p++;
        } else {
            unsigned width = letter_width(p);
            word = word << width | field_value(r, *p, width, base);
            p += width;
        }
    }
    return word;
}

/* Whether the immediate of a row of capital I is zero is up to chance; such a word is reserved. */
static bool reserved(const struct row *r, uint32_t word)
{
    if (!r->compressed)
        return same(r->name, "aes64ks1i") && (word >> 20 & 15) > 10;
    bool addi4spn = (word & 0xe003) == 0 && (word & 0x1fe0) == 0;
    bool lui = (word & 0xe003) == 0x6001 && (word & 0x107c) == 0 && *r->operands; /* else c.mop */
    return addi4spn || lui;
}

/* t = s0 + (some register & mask): an address in the window that only running tells. */
static unsigned emit_address(unsigned mask)
{
    unsigned t = free_register();
    while (t == 0)
        t = free_register();
    emit(itype(0x13, 7, t, below(32), mask));           /* andi */
    emit(0x33 | t << 7 | t << 15 | (uint32_t)S0 << 20); /* add */
    return t;
}

/* Loads what amocas will compare with, so that it finds it. */
static void emit_equal(uint32_t word, unsigned t)
{
    unsigned funct3 = word >> 12 & 7, rd = word >> 7 & 31;
    if (rd == t || (funct3 == 4 && (rd + 1 == t || rd == 0)))
        return;
    emit(itype(0x03, funct3 == 4 ? 3 : funct3, rd, t, 0));
    if (funct3 == 4)
        emit(itype(0x03, 3, rd + 1, t, 8));
}

static void emit_row(const struct row *r)
{
    uint32_t word;
    bool memory = shows(r, "imm(rs1)");
    if (memory && shows(r, "rd") == shows(r, "rs2") && !shows(r, "f"))
        memory = false; /* prefetch */
    if (shows(r, ", (rs1)")) {
        unsigned t = emit_address(same(r->name, "amocas_q") ? 0x7f0 : 0x7f8);
        if (same(r->name, "sc_w") || same(r->name, "sc_d"))
            emit(0x1000202f | (r->name[3] == 'd' ? 0x1000 : 0) | t << 15); /* lr to x0 */
        do /* QEMU 10.0's amocas to x0 writes the zero that the next instructions see */
            word = encode(r, t);
        while (word >> 27 == 5 && !(word & 0xf80));
        if (word >> 27 == 5 && below(2))
            emit_equal(word, t);
        emit(word);
        return;
    }
    if (memory && !r->compressed && below(3) == 0) {
        word = encode(r, emit_address(0x7ff));
        bool store = (word & 0x7f) == 0x23 || (word & 0x7f) == 0x27;
        emit(word & (store ? ~0xfe000000u : ~0xfff00000u)); /* small offsets stay in the window */
        return;
    }
    do
        word = encode(r, memory ? S0 : 32);
    while (reserved(r, word));
    emit(word);
    if (starts(r->name, "froundnx")) /* QEMU 10.0 drops it, NX too, when nobody takes the result */
        emit(0x27 | 3u << 12 | (uint32_t)S0 << 15 | (word >> 7 & 31) << 20); /* fsd */
}

static void emit_branch(unsigned target)
{
    unsigned kind = below(8);
    uint32_t rs1 = below(32), rs2 = below(4) ? below(32) : 0;
    uint32_t funct3 = (uint32_t) "\0\1\4\5\6\7"[below(6)];
    if (kind < 4) {
        emit_fixed(0x63 | funct3 << 12 | rs1 << 15 | rs2 << 20, FIX_B, target);
    } else if (kind == 4) {
        emit_fixed(0x6f | free_register() << 7, FIX_J, target);
    } else if (kind == 5) {
        unsigned t = free_register();
        while (t == 0)
            t = free_register();
        emit(0x17 | t << 7); /* auipc t, 0 */
        emit_fixed(itype(0x67, 0, free_register(), t, 0), FIX_JALR, target);
    } else if (kind == 6) {
        emit_fixed(0xa001, FIX_CJ, target);
    } else {
        emit_fixed((below(2) ? 0xc001 : 0xe001) | below(8) << 7, FIX_CB, target);
    }
}

/* fcsr: a new rounding mode, flags read or cleared. */
static void emit_fcsr(void)
{
    unsigned rd = free_register();
    switch (below(4)) {
    case 0:
        emit(itype(0x73, 5, rd, below(5), 2)); /* csrrwi frm */
        break;
    case 1:
        emit(itype(0x73, 2, rd, 0, 3)); /* csrr fcsr */
        break;
    case 2:
        emit(itype(0x73, 5, rd, below(32), 1)); /* csrrwi fflags */
        break;
    default:
        emit(itype(0x73, 2, rd, 0, 1)); /* csrr fflags */
        break;
    }
}

/* Code that writes the instruction behind it: addi rd, rs, imm becomes another one. */
static void emit_self_modification(void)
{
    unsigned t = 5, a = 6; /* t0, t1 */
    uint32_t word = itype(0x13, 0, 7, below(32), below(2048));
    uint32_t low = word & 0xfff, high = word + (low & 0x800 ? 0x1000 : 0);
    emit(0x17 | a << 7);                                /* auipc t1, 0 */
    emit(0x37 | t << 7 | (high & 0xfffff000));          /* lui t0 */
    emit(itype(0x13, 0, t, t, low));                    /* addi t0, t0 */
    emit(0x23 | 2 << 12 | 20 << 7 | a << 15 | t << 20); /* sw t0, 20(t1) */
    emit(0x100f);                                       /* fence.i */
    emit(itype(0x13, 0, 7, 7, 1));
}

static void emit_group(unsigned g, bool *in_loop, unsigned *loop_target)
{
    unsigned kind = below(32);
    group_start[g] = (uint16_t)item_count;
    if (kind < 4) {
        unsigned target = g + 1 + below(5);
        emit_branch(target > group_count ? group_count : target);
    } else if (kind == 4) {
        emit_fcsr();
    } else if (kind == 5 && below(4) == 0) {
        emit_self_modification();
    } else if (kind == 6 && !*in_loop) {
        emit(itype(0x13, 0, S1, 0, 1 + below(20))); /* li s1, n */
        *in_loop = true;
        *loop_target = g + 1;
    } else if (kind == 7 && *in_loop) {
        emit(itype(0x13, 0, S1, S1, 0xfff));
        emit_fixed(0x63 | 4 << 12 | (uint32_t)S1 << 20, FIX_B, *loop_target); /* bgtz s1 */
        *in_loop = false;
    } else {
        const struct row *r;
        do
            r = &rows[below(ROWS)];
        while (left_out(r));
        emit_row(r);
    }
}

static uint32_t fixed_word(const struct item *item, int32_t offset)
{
    uint32_t o = (uint32_t)offset;
    switch (item->fix) {
    case FIX_B:
        return item->word | (o >> 12 & 1) << 31 | (o >> 5 & 63) << 25 | (o >> 1 & 15) << 8 |
               (o >> 11 & 1) << 7;
    case FIX_J:
        return item->word | (o >> 20 & 1) << 31 | (o >> 1 & 1023) << 21 | (o >> 11 & 1) << 20 |
               (o >> 12 & 255) << 12;
    case FIX_JALR: /* relative to the auipc before it */
        return item->word | (o + 4) << 20;
    case FIX_CJ:
        return item->word | (o >> 11 & 1) << 12 | (o >> 4 & 1) << 11 | (o >> 8 & 3) << 9 |
               (o >> 10 & 1) << 8 | (o >> 6 & 1) << 7 | (o >> 7 & 1) << 6 | (o >> 1 & 7) << 3 |
               (o >> 5 & 1) << 2;
    case FIX_CB:
        if (offset >= 256)
            return 0x0001;
        return item->word | (o >> 8 & 1) << 12 | (o >> 3 & 3) << 10 | (o >> 6 & 3) << 5 |
               (o >> 1 & 3) << 3 | (o >> 5 & 1) << 2;
    default:
        return item->word;
    }
}

/* Writes the first `limit` instructions, then ecall; what is cut off is jumped to as the end. */
static void place(unsigned start, unsigned limit)
{
    static uint16_t at[MAX_INSNS + 1];
    unsigned count = item_count < limit ? item_count : limit, here = start;
    for (unsigned i = 0; i <= item_count; i++) {
        at[i] = (uint16_t)here;
        here += i < count ? items[i].bytes / 2 : 0;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned target = group_start[items[i].target];
        int32_t offset = (int32_t)(at[target] - at[i]) * 2;
        uint32_t word = fixed_word(&items[i], offset);
        code[at[i]] = (uint16_t)word;
        if (items[i].bytes == 4)
            code[at[i] + 1] = (uint16_t)(word >> 16);
    }
    /* A self-modification that is cut off stores up to 20 bytes on: room for it. */
    for (unsigned i = 0; i < 12; i++)
        code[here++] = 0x0001;
    code[here] = 0x0073;
    code[here + 1] = 0;
    asm volatile("fence.i" : : : "memory");
}

static void make_program(uint64_t seed)
{
    chance_state = seed * 0xd1342543de82ef95 + 12345;
    chance_state = chance() ^ seed; /* far from the other seeds' sequences */
    item_count = 0;
    group_count = 10 + below(MAX_GROUPS - 20);
    bool in_loop = false;
    unsigned loop_target = 0;
    for (unsigned g = 0; g < group_count; g++)
        if (item_count < MAX_INSNS - 16)
            emit_group(g, &in_loop, &loop_target);
        else
            group_start[g] = (uint16_t)item_count;
    for (unsigned g = group_count; g <= MAX_GROUPS; g++)
        group_start[g] = (uint16_t)item_count;
    for (unsigned i = 0; i < 32; i++) {
        state.x[i] = chance_value();
        state.f[i] = chance_value();
    }
    state.fcsr = below(5) << 5 | below(32);
    for (unsigned i = 0; i < WINDOW_BYTES; i += 8) {
        uint64_t v = chance_value();
        for (unsigned b = 0; b < 8; b++)
            window[i + b] = (uint8_t)(v >> 8 * b);
    }
    state.x[0] = 0;
    state.x[SP] = (uint64_t)window + 1024 + below(2048);
    state.x[S0] = (uint64_t)window + 4096;
    state.x[S1] = 0;
}

/* --- results ---------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0xff51afd7ed558ccd;
    return h ^ h >> 32;
}

static uint64_t hash_window(void)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < WINDOW_BYTES; i += 8) {
        uint64_t v = 0;
        for (unsigned b = 0; b < 8; b++)
            v |= (uint64_t)window[i + b] << 8 * b;
        h = hash(h, v);
    }
    return h;
}

static void print_value(const char *name, uint64_t v)
{
    print(name);
    print_hex(v);
    print("\n");
}

static void print_all(unsigned start)
{
    static const char digits[] = "0123456789";
    for (unsigned i = 0; i < 64; i++) {
        char name[] = "x00 ";
        name[0] = i < 32 ? 'x' : 'f';
        name[1] = digits[i % 32 / 10];
        name[2] = digits[i % 32 % 10];
        print_value(name, i < 32 ? state.x[i] : state.f[i - 32]);
    }
    print_value("fcsr ", state.fcsr);
    print_value("window ", hash_window());
    print_value("insns ", item_count);
    if (config.limit && config.limit <= item_count) {
        uint64_t at = start;
        for (unsigned i = 0; i + 1 < config.limit; i++)
            at += items[i].bytes / 2;
        const struct item *last = &items[config.limit - 1];
        print_value("last ", last->bytes == 4 ? code[at] | (uint32_t)code[at + 1] << 16 : code[at]);
    }
}

/* M-mode; S-mode; S- and U-mode with translation. */
static unsigned choose_mode(struct space *space, uint64_t seed)
{
    static const uint8_t privs[4] = {M, S, S, U};
    unsigned how = seed % 4;
    space_use(how < 2 ? NULL : space);
    uint64_t bits = PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | (how == 3 ? PTE_U : 0);
    map_at(space, 0x80000000, 0x80000000, bits, 2);
    sfence();
    return privs[how];
}

static void run_seed(struct space *space, uint64_t seed)
{
    make_program(seed);
    unsigned start = 16 + below(64);
    if (below(4) == 0)
        start = 2048 - below(64); /* over a page's end */
    place(start, config.limit ? (unsigned)config.limit : MAX_INSNS);
    traps_reset();
    run_program(&state, (uint64_t)&code[start], choose_mode(space, seed), config.preempt);
    const struct context *c = self();
    uint64_t h = hash(c->cause, c->tval);
    h = hash(h, c->epc);
    for (unsigned i = 0; i < 32; i++)
        h = hash(hash(h, state.x[i]), state.f[i]);
    h = hash(hash(h, state.fcsr), hash_window());
    print("seed ");
    print_hex(seed);
    print(c->cause >= ECALL_U && c->cause <= ECALL_M ? " " : " trapped ");
    print_hex(h);
    print("\n");
    if (config.verbose) {
        print_value("cause ", c->cause);
        print_value("epc ", c->epc);
        print_value("tval ", c->tval);
        print_all(start);
    }
}

int main(void)
{
    struct space *space = space_new(SV39);
    for (uint64_t i = 0; i < config.count; i++)
        run_seed(space, config.seed + i);
    space_use(NULL);
    check("all seeds ran", true);
    return 0;
}
