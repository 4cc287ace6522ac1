/* Packets of registers and memory. Memory is what loads of the chosen hart would see, without its
 * permissions; in the physical mode, physical. Devices are not looked at. */
#include "debug/gdb_internal.h"

#include "cpu/peek.h"
#include "debug/registers.h"

/* --- registers --------------------------------------------------------------------------- */

/* The general registers and the pc: gdb asks for others one by one. */
#define WHOLE_SET (GDB_FIRST_F - 1)

static bool find_register(uint64_t number, struct reg *r)
{
    if (number < 32)
        *r = (struct reg){REGISTER_X, (unsigned)number};
    else if (number == 32)
        *r = (struct reg){REGISTER_PC, 0};
    else if (number < GDB_FIRST_CSR)
        *r = (struct reg){REGISTER_F, (unsigned)number - GDB_FIRST_F};
    else if (number < GDB_PRIV && csr_name((unsigned)number - GDB_FIRST_CSR))
        *r = (struct reg){REGISTER_CSR, (unsigned)number - GDB_FIRST_CSR};
    else
        return false;
    return true;
}

bool gdb_register_value(struct hart *h, uint64_t number, uint64_t *value)
{
    struct reg r;
    *value = h->priv;
    if (number == GDB_PRIV)
        return true;
    if (!find_register(number, &r))
        return false;
    *value = register_read(h, &r);
    return r.kind != REGISTER_CSR || hart_csr_peek(h, r.number, value);
}

/* gdb writes back what it has read: x0 among it, which stays what it is. */
static bool write_register(struct gdb *g, uint64_t number, uint64_t value)
{
    struct reg r;
    struct error ignored;
    struct machine_edit edit = {.kind = EDIT_PRIVILEGE, .hart = g->hart, .value = value};
    if (number == 0)
        return true;
    if (number != GDB_PRIV && !find_register(number, &r))
        return false;
    if (number != GDB_PRIV)
        edit = register_edit(g->hart, &r, value);
    return control_edit(g->control, &edit, &ignored);
}

/* The answer to a write: in the past, why there is none. */
static void answer_write(struct gdb *g, bool ok, const char *failure)
{
    struct error err;
    if (ok || control_may_edit(g->control, &err)) {
        gdb_answer(g, ok ? "OK" : failure);
        return;
    }
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, "E.");
    gdb_reply_text(&g->packets, err.text);
    gdb_reply_send(&g->packets);
}

void gdb_read_registers(struct gdb *g, struct gdb_text *t)
{
    (void)t;
    gdb_reply_begin(&g->packets);
    for (unsigned i = 0; i <= WHOLE_SET; i++) {
        uint64_t value;
        if (gdb_register_value(gdb_hart(g), i, &value))
            gdb_reply_hex(&g->packets, &value, sizeof value);
    }
    gdb_reply_send(&g->packets);
}

void gdb_write_registers(struct gdb *g, struct gdb_text *t)
{
    uint64_t values[WHOLE_SET + 1];
    size_t n = min_u64(gdb_left(t) / 16, ARRAY_LEN(values));
    bool ok = n > 0 && gdb_take_bytes(t, values, n * sizeof *values);
    for (size_t i = 0; ok && i < n; i++)
        ok = write_register(g, i, values[i]);
    answer_write(g, ok, GDB_EINVAL);
}

/* A CSR that the hart does not have as it is (fflags with FS off) shows as not available. */
void gdb_read_register(struct gdb *g, struct gdb_text *t)
{
    uint64_t number, value;
    struct reg r;
    if (!gdb_take_number(t, &number) || gdb_left(t) ||
        (number != GDB_PRIV && !find_register(number, &r))) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    gdb_reply_begin(&g->packets);
    if (gdb_register_value(gdb_hart(g), number, &value))
        gdb_reply_hex(&g->packets, &value, sizeof value);
    else
        gdb_reply_text(&g->packets, "xxxxxxxxxxxxxxxx");
    gdb_reply_send(&g->packets);
}

void gdb_write_register(struct gdb *g, struct gdb_text *t)
{
    uint64_t number, value;
    bool ok = gdb_take_number(t, &number) && gdb_take(t, "=") &&
              gdb_take_bytes(t, &value, sizeof value) && !gdb_left(t) &&
              write_register(g, number, value);
    answer_write(g, ok, GDB_EINVAL);
}

/* --- memory ------------------------------------------------------------------------------ */

static bool read_memory(const struct gdb *g, uint64_t address, void *to, size_t n)
{
    const struct hart *h = gdb_hart(g);
    if (g->physical)
        return peek_physical(h->ports.memory, address, to, n);
    return peek_memory(h, address, to, n);
}

static void write_memory(struct gdb *g, uint64_t address, const void *from, size_t n)
{
    struct error ignored;
    struct machine_edit edit = {.kind = g->physical ? EDIT_PHYSICAL : EDIT_MEMORY,
                                .hart = g->hart,
                                .value = address,
                                .bytes = from,
                                .n = n};
    answer_write(g, control_edit(g->control, &edit, &ignored), GDB_EFAULT);
}

/* As many bytes as there are: all, or up to the first page that is not there. */
static size_t read_memory_part(const struct gdb *g, uint64_t address, uint8_t *to, size_t n)
{
    if (read_memory(g, address, to, n))
        return n;
    size_t done = 0, part = PAGE_BYTES - address % PAGE_BYTES;
    while (done < n && read_memory(g, address + done, to + done, min_u64(part, n - done))) {
        done += min_u64(part, n - done);
        part = PAGE_BYTES;
    }
    return done;
}

static bool take_range(struct gdb_text *t, uint64_t *address, uint64_t *n)
{
    return gdb_take_number(t, address) && gdb_take(t, ",") && gdb_take_number(t, n);
}

static void reply_memory(struct gdb *g, struct gdb_text *t, const char *before, size_t most,
                         void (*put)(struct gdb_packets *p, const void *bytes, size_t n))
{
    uint8_t bytes[GDB_PACKET_MOST];
    uint64_t address, n;
    if (!take_range(t, &address, &n) || gdb_left(t)) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    n = min_u64(n, most);
    size_t got = read_memory_part(g, address, bytes, n);
    if (n && !got) {
        gdb_answer(g, GDB_EFAULT);
        return;
    }
    gdb_reply_begin(&g->packets);
    gdb_reply_text(&g->packets, before);
    put(&g->packets, bytes, got);
    gdb_reply_send(&g->packets);
}

void gdb_read_memory(struct gdb *g, struct gdb_text *t)
{
    reply_memory(g, t, "", GDB_PACKET_MOST / 2, gdb_reply_hex);
}

void gdb_read_binary(struct gdb *g, struct gdb_text *t)
{
    reply_memory(g, t, "b", GDB_PACKET_MOST - 1, gdb_reply_binary);
}

void gdb_write_memory(struct gdb *g, struct gdb_text *t)
{
    uint8_t bytes[GDB_PACKET_MOST / 2];
    uint64_t address, n;
    if (take_range(t, &address, &n) && gdb_take(t, ":") && n <= sizeof bytes &&
        gdb_left(t) == 2 * n && gdb_take_bytes(t, bytes, n))
        write_memory(g, address, bytes, n);
    else
        gdb_answer(g, GDB_EINVAL);
}

void gdb_write_binary(struct gdb *g, struct gdb_text *t)
{
    uint64_t address, n;
    if (take_range(t, &address, &n) && gdb_take(t, ":") && gdb_left(t) == n)
        write_memory(g, address, t->at, n);
    else
        gdb_answer(g, GDB_EINVAL);
}

/* --- searching --------------------------------------------------------------------------- */

#define SEARCH_STEP  4096u
#define PATTERN_MOST 1024u

/* The first place of the pattern in [address, address + n): *found, or UINT64_MAX, where none can
 * begin. False: not all that comes before can be read. */
static bool search(const struct gdb *g, uint64_t address, uint64_t n, const char *pattern,
                   size_t size, uint64_t *found)
{
    uint8_t window[SEARCH_STEP + PATTERN_MOST];
    *found = UINT64_MAX;
    while (n >= size && *found == UINT64_MAX) {
        size_t part = min_u64(n, SEARCH_STEP + size - 1);
        if (!read_memory(g, address, window, part))
            return false;
        const uint8_t *at = memmem(window, part, pattern, size);
        if (at)
            *found = address + (uint64_t)(at - window);
        uint64_t next = min_u64(SEARCH_STEP, n);
        address += next;
        n -= next;
    }
    return true;
}

/* Behind qSearch:memory:, address;length;pattern. */
void gdb_search(struct gdb *g, struct gdb_text *t)
{
    uint64_t address, n, found;
    if (!gdb_take_number(t, &address) || !gdb_take(t, ";") || !gdb_take_number(t, &n) ||
        !gdb_take(t, ";") || !gdb_left(t) || gdb_left(t) > PATTERN_MOST) {
        gdb_answer(g, GDB_EINVAL);
        return;
    }
    if (!search(g, address, n, t->at, gdb_left(t), &found)) {
        gdb_answer(g, GDB_EFAULT);
        return;
    }
    gdb_reply_begin(&g->packets);
    if (found != UINT64_MAX)
        gdb_reply_print(&g->packets, "1,%llx", (unsigned long long)found);
    else
        gdb_reply_text(&g->packets, "0");
    gdb_reply_send(&g->packets);
}
