/* How two machines differ (contract: compare.h). */
#include "debug/compare.h"

#include "base/state.h"
#include "cpu/peek.h"
#include "debug/disasm.h"
#include "debug/registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RAM_BASE      UINT64_C(0x80000000)
#define PIECE_BYTES   65536u
#define SECTIONS_MOST 256u

static void show_instruction(struct hart *h, struct insn_decoder *d, const struct byte_sink *out)
{
    char text[DISASM_TEXT_BYTES] = "no memory";
    uint32_t word;
    if (d && peek_instruction(h, h->pc, &word))
        disasm(d, word, h->pc, text, sizeof text);
    byte_sink_print(out, "  hart %u: 0x%016" PRIx64 ":  %s\n", h->id, h->pc, text);
}

static void compare_register(struct hart *a, struct hart *b, struct reg r, const char *name,
                             const struct byte_sink *out)
{
    uint64_t x = register_read(a, &r), y = register_read(b, &r);
    if (x != y)
        byte_sink_print(out, "  hart %u %s: 0x%016" PRIx64 " and 0x%016" PRIx64 "\n", a->id, name,
                        x, y);
}

static void compare_harts(struct hart *a, struct hart *b, const struct byte_sink *out)
{
    compare_register(a, b, (struct reg){REGISTER_PC, 0}, "pc", out);
    for (unsigned i = 1; i < 32; i++)
        compare_register(a, b, (struct reg){REGISTER_X, i}, register_x_name(i), out);
    for (unsigned i = 0; i < 32; i++)
        compare_register(a, b, (struct reg){REGISTER_F, i}, register_f_name(i), out);
    for (unsigned i = 0; i < 4096; i++)
        if (csr_name(i))
            compare_register(a, b, (struct reg){REGISTER_CSR, i}, csr_name(i), out);
    if (a->steps != b->steps)
        byte_sink_print(out, "  hart %u has made %" PRIu64 " and %" PRIu64 " steps\n", a->id,
                        a->steps, b->steps);
}

struct sections {
    char names[SECTIONS_MOST][32];
    uint64_t before[SECTIONS_MOST];
    unsigned count;
};

static void on_section(void *owner, const char *name, uint64_t hash_before)
{
    struct sections *s = owner;
    if (s->count == SECTIONS_MOST)
        return;
    snprintf(s->names[s->count], sizeof s->names[0], "%s", name);
    s->before[s->count++] = hash_before;
}

/* But RAM, which is compared by itself. */
static void take_sections(struct machine *m, struct sections *s)
{
    struct state *state = state_new_hash();
    s->count = 0;
    if (!state)
        return;
    state_leave_out_ram(state);
    state_on_section(state, on_section, s);
    machine_state(m, state);
    on_section(s, "", state_hash(state));
    state_free(state);
}

static void compare_sections(struct machine *a, struct machine *b, const struct byte_sink *out)
{
    struct sections x, y;
    take_sections(a, &x);
    take_sections(b, &y);
    for (unsigned i = 1; i < x.count && i < y.count; i++)
        if (x.before[i] != y.before[i]) {
            byte_sink_print(out, "  the first part that differs, beside RAM: %s\n", x.names[i - 1]);
            return;
        }
}

static void compare_ram(struct machine *a, struct machine *b, uint64_t ram_bytes,
                        const struct byte_sink *out)
{
    static const unsigned word = 8;
    uint8_t x[PIECE_BYTES], y[PIECE_BYTES];
    uint64_t values[2];
    for (uint64_t at = 0; at < ram_bytes; at += PIECE_BYTES) {
        size_t n = min_u64(PIECE_BYTES, ram_bytes - at), i = 0;
        if (!peek_physical(machine_hart(a, 0)->ports.memory, RAM_BASE + at, x, n) ||
            !peek_physical(machine_hart(b, 0)->ports.memory, RAM_BASE + at, y, n) ||
            memcmp(x, y, n) == 0)
            continue;
        while (memcmp(x + i, y + i, word) == 0)
            i += word;
        memcpy(&values[0], x + i, word);
        memcpy(&values[1], y + i, word);
        byte_sink_print(out, "  RAM from 0x%" PRIx64 " on: 0x%016" PRIx64 " and 0x%016" PRIx64 "\n",
                        RAM_BASE + at + i, values[0], values[1]);
        return;
    }
}

void compare_show_place(struct machine *m, const struct byte_sink *out)
{
    struct insn_decoder *d = insn_decoder_create(&machine_hart(m, 0)->isa);
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(m, i)) != NULL; i++)
        show_instruction(h, d, out);
    insn_decoder_destroy(d);
}

void compare_machines(struct machine *a, struct machine *b, uint64_t ram_bytes,
                      const struct byte_sink *out)
{
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(a, i)) != NULL; i++)
        compare_harts(h, machine_hart(b, i), out);
    compare_sections(a, b, out);
    compare_ram(a, b, ram_bytes, out);
}
