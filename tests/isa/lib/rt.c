/* The runtime behind lib/rt.h. */
#include "tests/isa/lib/rt.h"

_Static_assert(offsetof(struct context, recover) == CONTEXT_RECOVER, "layout.h");
_Static_assert(offsetof(struct context, count) == CONTEXT_COUNT, "layout.h");
_Static_assert(offsetof(struct context, status) == CONTEXT_STATUS, "layout.h");
_Static_assert(offsetof(struct context, saved) == CONTEXT_SP, "layout.h");
_Static_assert(sizeof(struct context) == CONTEXT_BYTES, "layout.h");

struct context contexts[MAX_HARTS];
static unsigned checks, failures;

void print(const char *text)
{
    while (*text)
        *(volatile uint8_t *)UART = (uint8_t)*text++;
}

void print_hex(uint64_t v)
{
    int shift = 60;
    while (shift && !(v >> shift))
        shift -= 4;
    print("0x");
    for (; shift >= 0; shift -= 4)
        *(volatile uint8_t *)UART = (uint8_t) "0123456789abcdef"[v >> shift & 15];
}

static void power_off(unsigned code)
{
    *(volatile uint32_t *)TEST = code ? code << 16 | 0x3333 : 0x5555;
    for (;;)
        ;
}

static void print_pair(const char *name, uint64_t v)
{
    print(name);
    print_hex(v);
}

void test_end(void)
{
    print_pair("checks ", checks);
    print_pair(", failed ", failures);
    print("\n");
    power_off(failures != 0 || checks == 0);
    __builtin_unreachable();
}

/* start.S comes here with a trap that no probe waited for. */
void unexpected_trap(const struct context *c)
{
    print_pair("FAIL: unexpected trap: cause ", c->cause);
    print_pair(" epc ", c->epc);
    print_pair(" tval ", c->tval);
    print_pair(" after check ", checks);
    print("\n");
    power_off(2);
}

void skip(const char *why)
{
    print("skip: ");
    print(why);
    print("\n");
}

void check(const char *name, bool ok)
{
    checks++;
    if (ok)
        return;
    failures++;
    print("FAIL: ");
    print(name);
    print("\n");
}

void check_eq(const char *name, uint64_t got, uint64_t want)
{
    check(name, got == want);
    if (got == want)
        return;
    print_pair("    got ", got);
    print_pair(", want ", want);
    print("\n");
}

void check_row(const char *insn, const uint64_t *operands, unsigned n, uint64_t got, uint64_t want)
{
    check_eq(insn, got, want);
    if (got == want)
        return;
    for (unsigned i = 0; i < n; i++)
        print_pair(i ? ", " : "    operands ", operands[i]);
    print("\n");
}

void traps_reset(void)
{
    struct context *c = self();
    c->count = 0;
    c->cause = c->tval = c->epc = 0;
}

void check_trap(const char *name, uint64_t cause, uint64_t tval)
{
    const struct context *c = self();
    bool ok = c->count == 1 && c->cause == cause && c->tval == tval;
    check(name, ok);
    if (!ok) {
        print_pair("    traps ", c->count);
        print_pair(", cause ", c->cause);
        print_pair(", tval ", c->tval);
        print_pair("; want cause ", cause);
        print_pair(", tval ", tval);
        print("\n");
    }
    traps_reset();
}

void check_no_trap(const char *name)
{
    const struct context *c = self();
    check(name, c->count == 0);
    if (c->count) {
        print_pair("    traps ", c->count);
        print_pair(", cause ", c->cause);
        print_pair(", tval ", c->tval);
        print("\n");
    }
    traps_reset();
}

uint64_t probe_load(uint64_t va, unsigned size)
{
    switch (size) {
    case 1:
        return PROBE_T2(~0ull, "lbu t2, (%1)", "r"(va));
    case 2:
        return PROBE_T2(~0ull, "lhu t2, (%1)", "r"(va));
    case 4:
        return PROBE_T2(~0ull, "lwu t2, (%1)", "r"(va));
    default:
        return PROBE_T2(~0ull, "ld t2, (%1)", "r"(va));
    }
}

void probe_store(uint64_t va, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        PROBE("sb %1, (%0)", "r"(va), "r"(value));
        break;
    case 2:
        PROBE("sh %1, (%0)", "r"(va), "r"(value));
        break;
    case 4:
        PROBE("sw %1, (%0)", "r"(va), "r"(value));
        break;
    default:
        PROBE("sd %1, (%0)", "r"(va), "r"(value));
        break;
    }
}

/* MPRV is on for the one access between the two csr instructions: the probe's own accesses to the
 * context are not translated. The trap handler clears it too. */
#define AS_BEGIN "csrs mstatus, %[mprv];"
#define AS_END   "; csrc mstatus, %[mprv]"

static void set_mpp(unsigned priv)
{
    csr_clear(mstatus, MSTATUS_MPP);
    csr_set(mstatus, (uint64_t)priv << 11);
}

uint64_t load_as(unsigned priv, uint64_t va, unsigned size)
{
    set_mpp(priv);
    switch (size) {
    case 1:
        return PROBE_T2(~0ull, AS_BEGIN "lbu t2, (%1)" AS_END, "r"(va), [mprv] "r"(MSTATUS_MPRV));
    case 2:
        return PROBE_T2(~0ull, AS_BEGIN "lhu t2, (%1)" AS_END, "r"(va), [mprv] "r"(MSTATUS_MPRV));
    case 4:
        return PROBE_T2(~0ull, AS_BEGIN "lwu t2, (%1)" AS_END, "r"(va), [mprv] "r"(MSTATUS_MPRV));
    default:
        return PROBE_T2(~0ull, AS_BEGIN "ld t2, (%1)" AS_END, "r"(va), [mprv] "r"(MSTATUS_MPRV));
    }
}

void store_as(unsigned priv, uint64_t va, unsigned size, uint64_t value)
{
    set_mpp(priv);
    switch (size) {
    case 1:
        PROBE(AS_BEGIN "sb %1, (%0)" AS_END, "r"(va), "r"(value), [mprv] "r"(MSTATUS_MPRV));
        break;
    case 2:
        PROBE(AS_BEGIN "sh %1, (%0)" AS_END, "r"(va), "r"(value), [mprv] "r"(MSTATUS_MPRV));
        break;
    case 4:
        PROBE(AS_BEGIN "sw %1, (%0)" AS_END, "r"(va), "r"(value), [mprv] "r"(MSTATUS_MPRV));
        break;
    default:
        PROBE(AS_BEGIN "sd %1, (%0)" AS_END, "r"(va), "r"(value), [mprv] "r"(MSTATUS_MPRV));
        break;
    }
}

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)value;
    return to;
}
