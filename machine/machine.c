#include "machine/internal.h"

#include "devices/serial/ns16550a.h"
#include "devices/virtio/blk.h"
#include "machine/chardevs.h"
#include "machine/checkpoint.h"
#include "machine/cpu_model.h"
#include "machine/drives.h"
#include "machine/fw_items.h"
#include "machine/loads.h"
#include "machine/nets.h"
#include "machine/record.h"
#include "machine/semihost.h"
#include "machine/serial_ports.h"

#include <stdlib.h>

#define DEFAULT_SEED 0x52697675ull /* "Rivu" */
/* A tenth of a second of the host's: what going back to an unknown place costs. */
#define DEFAULT_HISTORY_STEPS (1ull << 26)

void machine_config_init(struct machine_config *config)
{
    *config = (struct machine_config){
        .ram_bytes = MACHINE_DEFAULT_RAM,
        .harts = 1,
        .bios = BIOS_BUILT_IN,
        .icount_shift = 1,
        .seed = DEFAULT_SEED,
        .history_steps = DEFAULT_HISTORY_STEPS,
        .rtc = RTC_HOST,
    };
}

bool machine_check_cpu(const char *cpu, struct error *err)
{
    struct hart_isa isa;
    return cpu_model_parse(cpu, &isa, err);
}

void machine_list_cpus(const struct byte_sink *out)
{
    cpu_model_list(out);
}

void machine_list_devices(const struct byte_sink *out)
{
    drivers_list(out);
    byte_sink_print(out, "name \"loader\"\n");
}

bool machine_list_properties(const char *device, const struct byte_sink *out)
{
    return drivers_list_properties(device, out) || loads_list_properties(device, out);
}

void machine_list_netdevs(const struct byte_sink *out)
{
    nets_list(out);
}

void machine_list_objects(const struct byte_sink *out)
{
    drivers_list_objects(out);
}

/* --- what the guest asks for ------------------------------------------------------------- */

/* Every hart leaves its loop: only one runs, and the others look at `stop` afresh. */
static void stop_harts(struct machine *m)
{
    for (unsigned i = 0; i < m->config.harts; i++) {
        m->harts[i]->stop = HART_REQUEST;
        hart_leave(m->harts[i]);
    }
}

void machine_end(struct machine *m, enum machine_stop stop, int status)
{
    if (m->ends)
        return;
    m->ends = true;
    m->exit = (struct machine_exit){.stop = stop, .status = status};
    stop_harts(m);
}

void machine_want_reset(struct machine *m)
{
    if (m->config.no_reboot) {
        machine_end(m, MACHINE_RESET, 0);
        return;
    }
    m->wants_reset = true;
    stop_harts(m);
}

static void on_system_reset(void *owner, enum sbi_reset_type type, enum sbi_reset_reason reason)
{
    if (type == SBI_SHUTDOWN)
        machine_end(owner, MACHINE_POWER_OFF, reason == SBI_REASON_NONE ? 0 : 1);
    else
        machine_want_reset(owner);
}

static void console_write(void *owner, const uint8_t *bytes, size_t n)
{
    machine_uart_write(owner, bytes, n);
}

static size_t console_read(void *owner, uint8_t *bytes, size_t n)
{
    struct machine *m = owner;
    return ns16550a_take_input(m->devices[SLOT_UART0], bytes, n);
}

/* --- making ------------------------------------------------------------------------------ */

/* What a hart's ecall calls: the SBI is made after the harts, hence the detour. */
static void on_ecall(void *owner, struct hart *h)
{
    struct machine *m = owner;
    sbi_ecall(m->sbi, h);
}

static bool create_harts(struct machine *m, struct error *err)
{
    struct hart_ports ports = {
        .memory = m->memory,
        .clock = &m->clock,
        .log = m->config.log,
        .code = m->code,
        .seed = m->config.seed,
        .sbi_ecall = m->config.bios == BIOS_BUILT_IN ? on_ecall : NULL,
        .semihosting = m->config.semihosting.is_enabled ? semihost_call : NULL,
        .owner = m,
    };
    for (unsigned i = 0; i < m->config.harts; i++) {
        m->harts[i] = hart_create(i, &m->isa, &ports, m->config.icount_shift);
        if (!m->harts[i])
            return error_set(err, "no memory for hart %u", i);
        m->harts[i]->stress = m->config.stress;
    }
    return true;
}

static bool create_sbi(struct machine *m, struct error *err)
{
    if (m->config.bios != BIOS_BUILT_IN)
        return true;
    struct sbi_config config = {
        .harts = m->harts,
        .count = m->config.harts,
        .memory = m->memory,
        .log = m->config.log,
        .console_write = console_write,
        .console_read = console_read,
        .console_owner = m,
        .system_reset = on_system_reset,
        .reset_owner = m,
    };
    m->sbi = sbi_create(&config);
    return m->sbi || error_set(err, "no memory for the built-in SBI");
}

/* Somebody pushed a byte because a disk has done something: it does not matter which. */
static size_t deliver_disks(void *owner, const uint8_t *bytes, size_t n)
{
    (void)bytes;
    struct machine *m = owner;
    for (unsigned i = 0; i < m->disk_count; i++)
        virtio_blk_deliver(m->disks[i]);
    return n;
}

static bool open_drives(struct machine *m, struct error *err)
{
    m->disk_entry = input_register(m->door, "disks", deliver_disks, m);
    if (!m->drives)
        m->drives = drives_open(&m->config, err);
    return m->drives != NULL;
}

static bool make_fw_items(struct machine *m, struct error *err)
{
    bool with_kernel = boot_is_by_flash(m) && m->config.kernel_file;
    m->fw_items = fw_items_create(&m->config, with_kernel, err);
    return m->fw_items != NULL;
}

static bool build(struct machine *m, struct error *err)
{
    m->clock = (struct clock){.follows_host = !m->config.icount};
    m->step_end = m->total_end = UINT64_MAX;
    events_init(&m->events, NULL, NULL);
    m->round.random_state = m->config.seed;
    m->memory = memory_create(m->config.log);
    m->door = input_create();
    if (!m->memory || !m->door)
        return error_set(err, "no memory for the machine");
    if (!cpu_model_parse(m->config.cpu, &m->isa, err))
        return false;
    m->code = code_create(m->memory, m->config.log, &m->isa);
    if (!m->code)
        return error_set(err, "no memory for the code cache");
    m->code->stress = m->config.stress;
    if (log_wants(m->config.log, LOG_PROFILE) && !code_profile(m->code, err))
        return false;
    m->nets = nets_create(&m->config, m->door, &m->clock, err);
    m->chardevs = chardevs_create(&m->config, m->door, err);
    if (!m->nets || !m->chardevs || !open_drives(m, err) || !make_fw_items(m, err) ||
        !create_harts(m, err) || !board_build(m, err) || !create_sbi(m, err) ||
        !semihost_create(m, err))
        return false;
    if (!m->config.awaits_snapshot)
        return boot_load(m, err);
    boot_nothing(m);
    return true;
}

/* drives NULL: those of the configuration are opened. */
static struct machine *create(const struct machine_config *config, struct drives *drives,
                              struct error *err)
{
    if (config->harts < 1 || config->harts > MACHINE_MAX_HARTS) {
        error_set(err, "%u harts are not possible: give 1 to %u", config->harts, MACHINE_MAX_HARTS);
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(err, "no memory for the machine");
        return NULL;
    }
    m->config = *config;
    m->drives = drives;
    if (build(m, err))
        return m;
    if (drives)
        m->drives = NULL;
    machine_destroy(m);
    return NULL;
}

struct machine *machine_create(const struct machine_config *config, struct error *err)
{
    struct machine *m = create(config, NULL, err);
    if (!m ||
        ((config->awaits_replay || nets_open(m->nets, err)) && chardevs_open(m->chardevs, err)))
        return m;
    machine_destroy(m);
    return NULL;
}

struct machine *machine_succeed(struct machine *old, struct error *err)
{
    machine_forget_checkpoint(old);
    struct machine *m = create(&old->config, old->drives, err);
    if (!m)
        return NULL;
    old->drives = NULL;
    machine_stop_at(m, old->step_hart, old->step_end);
    nets_succeed(m->nets, old->nets);
    chardevs_detach(old->chardevs); /* what they have pushed stays before what they push next */
    input_move(old->door, m->door);
    chardevs_succeed(m->chardevs, old->chardevs);
    return m;
}

static void log_stats(struct machine *m)
{
    if (m->code)
        code_log_stats(m->code);
    for (unsigned i = 0; i < m->config.harts && m->harts[i]; i++)
        hart_log_stats(m->harts[i]);
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    struct error ignored;
    machine_forget_checkpoint(m);
    history_destroy(m->history);
    m->history = NULL;
    (void)!machine_record_close(m, &ignored);
    if (log_wants(m->config.log, LOG_STATS))
        log_stats(m);
    if (m->code && m->code->executed)
        code_log_profile(m->code);
    nets_destroy(m->nets); /* their threads know the door, as do those of the next */
    chardevs_destroy(m->chardevs);
    board_destroy(m);
    serial_buses_destroy(m);
    drives_close(m->drives, m->config.log);
    fw_items_destroy(m->fw_items);
    sbi_destroy(m->sbi);
    semihost_destroy(m->semihost);
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_destroy(m->harts[i]);
    code_destroy(m->code);
    memory_destroy(m->memory);
    input_destroy(m->door);
    free(m->device_tree);
    free(m->watches);
    free(m);
}

bool machine_reset(struct machine *m, struct error *err)
{
    m->wants_reset = false;
    m->round.running = m->round.turn_started = false;
    memory_clear(m->memory);
    return boot_load(m, err);
}

/* --- state ------------------------------------------------------------------------------- */

static void round_state(struct machine *m, struct state *s)
{
    struct round *r = &m->round;
    state_section(s, "machine", 1);
    state_bool(s, &r->running);
    state_u64(s, &r->start_ns);
    state_u64(s, &r->end_ns);
    state_u32(s, &r->turn);
    state_bool(s, &r->turn_started);
    state_u64(s, &r->random_state);
    if (r->turn >= m->config.harts)
        state_fail(s, "the turn of hart %u, of which there are %u", r->turn, m->config.harts);
    if (r->running && r->end_ns - r->start_ns > (uint64_t)ROUND_STEPS_MOST
                                                    << m->config.icount_shift)
        state_fail(s, "a round from %llu to %llu ns", (unsigned long long)r->start_ns,
                   (unsigned long long)r->end_ns);
}

/* With icount, a hart that is behind its round would run for ages to catch up. */
static void check_turn(struct machine *m, struct state *s)
{
    const struct round *r = &m->round;
    if (!state_ok(s) || m->clock.follows_host || !r->running || !r->turn_started)
        return;
    if (hart_now_ns(m->harts[r->turn]) < r->start_ns)
        state_fail(s, "hart %u is behind its round", r->turn);
}

void machine_state(struct machine *m, struct state *s)
{
    uint64_t now_ns = machine_now_ns(m);
    round_state(m, s);
    memory_state(m->memory, s);
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_state(m->harts[i], s);
    check_turn(m, s);
    for (unsigned slot = 0; slot < BOARD_SLOTS; slot++)
        if (m->devices[slot])
            m->devices[slot]->ops->state(m->devices[slot], s);
    for (unsigned i = 0; i < m->display_count; i++)
        m->displays[i]->ops->state(m->displays[i], s);
    if (m->htif)
        m->htif->ops->state(m->htif, s);
    events_state(&m->events, s);
    if (m->sbi)
        sbi_state(m->sbi, s);
    if (m->semihost)
        semihost_state(m->semihost, s);
    if (m->clock.follows_host) { /* virtual time goes on from the saved one */
        state_u64(s, &now_ns);
        m->clock.now_ns = now_ns;
    }
}

struct state *machine_save_but_ram(struct machine *m, struct error *err)
{
    struct state *s = state_new_save();
    if (!s) {
        error_set(err, "no memory for the state");
        return NULL;
    }
    state_leave_out_ram(s);
    machine_state(m, s);
    if (state_ok(s))
        return s;
    error_set(err, "%s", state_error(s));
    state_free(s);
    return NULL;
}

bool machine_load_but_ram(struct machine *m, const void *bytes, size_t n, struct error *err)
{
    struct state *s = state_new_load(bytes, n);
    if (!s)
        return error_set(err, "no memory for the state");
    state_leave_out_ram(s);
    machine_state(m, s);
    bool ok = state_ok(s) || error_set(err, "%s", state_error(s));
    state_free(s);
    return ok;
}

uint64_t machine_hash(struct machine *m)
{
    struct state *s = state_new_hash();
    if (!s)
        return 0;
    machine_state(m, s);
    uint64_t hash = state_hash(s);
    state_free(s);
    return hash;
}

/* --- small things ------------------------------------------------------------------------ */

struct input_door *machine_door(struct machine *m)
{
    return m->door;
}

unsigned machine_console_entry(const struct machine *m)
{
    unsigned entry = m->uart_entry;
    chardevs_stdio_entry(m->chardevs, &entry);
    return entry;
}

unsigned machine_network_entry(struct machine *m, const char *id)
{
    return nets_entry(m->nets, id);
}

uint64_t machine_now_ns(const struct machine *m)
{
    if (m->clock.follows_host)
        return clock_now_ns(&m->clock);
    return m->round.running ? m->round.start_ns : m->round.end_ns;
}

uint64_t machine_steps(const struct machine *m)
{
    uint64_t steps = 0;
    for (unsigned i = 0; i < m->config.harts; i++)
        steps += m->harts[i]->steps;
    return steps;
}

uint64_t machine_traps(const struct machine *m)
{
    uint64_t traps = 0;
    for (unsigned i = 0; i < m->config.harts; i++)
        traps += m->harts[i]->traps;
    return traps;
}

bool machine_add_chardev(struct machine *m, const struct machine_option *option, struct error *err)
{
    return chardevs_add(m->chardevs, option, err);
}

void machine_remove_chardev(struct machine *m, const char *id)
{
    chardevs_remove(m->chardevs, id);
}

struct chardev *machine_take_chardev(struct machine *m, const char *id, struct error *err)
{
    return chardevs_take_for_client(m->chardevs, id, err);
}

bool machine_add_forward(struct machine *m, const char *netdev, const char *rule, struct error *err)
{
    return nets_add_forward(m->nets, netdev, rule, err);
}

bool machine_remove_forward(struct machine *m, const char *netdev, const char *rule,
                            struct error *err)
{
    return nets_remove_forward(m->nets, netdev, rule, err);
}

/* A hart that once went over a breakpoint there, and stands elsewhere now, must see this one. */
bool machine_add_breakpoint(struct machine *m, uint64_t va)
{
    for (unsigned i = 0; i < m->config.harts; i++)
        if (m->harts[i]->resume_pc == va && m->harts[i]->pc != va)
            m->harts[i]->resume_pc = NO_RESUME_PC;
    return code_add_breakpoint(m->code, va);
}

void machine_remove_breakpoint(struct machine *m, uint64_t va)
{
    code_remove_breakpoint(m->code, va);
}

static void show_watches(struct machine *m)
{
    for (unsigned i = 0; i < m->config.harts; i++)
        hart_set_watches(m->harts[i], m->watches, m->watch_count);
}

bool machine_add_watchpoint(struct machine *m, const struct watch *w)
{
    struct watch *more = realloc(m->watches, (m->watch_count + 1) * sizeof *more);
    if (!more)
        return false;
    m->watches = more;
    m->watches[m->watch_count++] = *w;
    show_watches(m);
    return true;
}

void machine_remove_watchpoint(struct machine *m, const struct watch *w)
{
    for (unsigned i = 0; i < m->watch_count; i++) {
        const struct watch *at = &m->watches[i];
        if (at->va != w->va || at->length != w->length || at->kinds != w->kinds)
            continue;
        m->watches[i] = m->watches[--m->watch_count];
        show_watches(m);
        return;
    }
}

struct hart *machine_hart(struct machine *m, unsigned id)
{
    return id < m->config.harts ? m->harts[id] : NULL;
}

const void *machine_device_tree(const struct machine *m, size_t *size)
{
    *size = m->device_tree_size;
    return m->device_tree;
}
