/* The machine of fake_machine.h. */
#include "tests/unit/fake_machine.h"

#include "cpu/hart.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUND_US 50 /* of host time: a test that waits does not race through virtual hours */

struct machine {
    struct machine_config config;
    struct input_door *door;
    unsigned entry;
    atomic_bool stop_requested;
    bool may_take, ends;
    struct machine_exit exit;
    struct hart hart; /* stands still */
    /* State. */
    uint64_t now_ns, received;
    bool has_greeted;
};

static void print(struct machine *m, const char *text)
{
    if (m->config.serial.write)
        m->config.serial.write(m->config.serial.owner, (const uint8_t *)text, strlen(text));
}

static void end(struct machine *m, enum machine_stop stop, int status)
{
    m->ends = true;
    m->exit = (struct machine_exit){.stop = stop, .status = status};
}

static void take_byte(struct machine *m, char byte)
{
    char text[32] = {byte};
    m->received++;
    if (byte == 'Q')
        end(m, MACHINE_POWER_OFF, 7);
    else if (byte == 'R')
        end(m, MACHINE_RESET, 0);
    else if (byte == 'B')
        end(m, MACHINE_BREAKPOINT, 0);
    else if (byte == '=')
        snprintf(text, sizeof text, "[%u]", (unsigned)m->received);
    if (!m->ends)
        print(m, text);
}

static size_t take(void *owner, const uint8_t *bytes, size_t n)
{
    struct machine *m = owner;
    if (!m->may_take || n == 0)
        return 0;
    m->may_take = false;
    take_byte(m, (char)bytes[0]);
    return 1;
}

void machine_config_init(struct machine_config *config)
{
    *config = (struct machine_config){
        .ram_bytes = MACHINE_DEFAULT_RAM, .harts = 1, .bios = BIOS_BUILT_IN, .icount_shift = 1};
}

bool machine_check_cpu(const char *cpu, struct error *err)
{
    (void)cpu;
    (void)err;
    return true;
}

struct machine *machine_create(const struct machine_config *config, struct error *err)
{
    if (config->kernel_file && strcmp(config->kernel_file, "missing") == 0) {
        error_set(err, "cannot open missing");
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    m->config = *config;
    m->hart.pc = FAKE_PC;
    m->door = input_create();
    m->entry = input_register(m->door, "console", take, m);
    return m;
}

struct machine *machine_succeed(struct machine *old, struct error *err)
{
    return machine_create(&old->config, err);
}

void machine_destroy(struct machine *m)
{
    if (m)
        input_destroy(m->door);
    free(m);
}

static void run_round(struct machine *m)
{
    usleep(ROUND_US);
    if (!m->has_greeted)
        print(m, "hello\n");
    m->has_greeted = true;
    m->may_take = true;
    input_deliver(m->door);
    m->now_ns += FAKE_ROUND_NS;
}

struct machine_exit machine_run(struct machine *m, uint64_t until_ns)
{
    m->ends = false;
    while (!atomic_exchange(&m->stop_requested, false)) {
        if (m->now_ns >= until_ns)
            return (struct machine_exit){.stop = MACHINE_TIME_LIMIT};
        run_round(m);
        if (m->ends)
            return m->exit;
    }
    return (struct machine_exit){.stop = MACHINE_REQUEST};
}

void machine_request_stop(struct machine *m)
{
    atomic_store(&m->stop_requested, true);
}

void machine_stop_at(struct machine *m, unsigned hart, uint64_t end_steps)
{
    (void)m, (void)hart, (void)end_steps;
}

void machine_stop_at_total(struct machine *m, uint64_t end_steps)
{
    (void)m, (void)end_steps;
}

bool machine_reset(struct machine *m, struct error *err)
{
    (void)err;
    m->has_greeted = false;
    return true;
}

struct hart *machine_hart(struct machine *m, unsigned id)
{
    return id == 0 ? &m->hart : NULL;
}

struct input_door *machine_door(struct machine *m)
{
    return m->door;
}

unsigned machine_console_entry(const struct machine *m)
{
    return m->entry;
}

uint64_t machine_now_ns(const struct machine *m)
{
    return m->now_ns;
}

uint64_t machine_steps(const struct machine *m)
{
    return m->now_ns / 2;
}

uint64_t machine_traps(const struct machine *m)
{
    return m->received;
}

void machine_state(struct machine *m, struct state *s)
{
    state_section(s, "fake", 1);
    state_u64(s, &m->now_ns);
    state_u64(s, &m->received);
    state_bool(s, &m->has_greeted);
}

uint64_t machine_hash(struct machine *m)
{
    return m->received;
}

bool machine_add_breakpoint(struct machine *m, uint64_t va)
{
    (void)m;
    return va != 0xbad;
}

void machine_remove_breakpoint(struct machine *m, uint64_t va)
{
    (void)m, (void)va;
}

bool machine_add_watchpoint(struct machine *m, const struct watch *w)
{
    (void)m, (void)w;
    return true;
}

void machine_remove_watchpoint(struct machine *m, const struct watch *w)
{
    (void)m, (void)w;
}

struct chardev *machine_take_chardev(struct machine *m, const char *id, struct error *err)
{
    (void)m;
    error_set(err, "no %s", id);
    return NULL;
}

bool machine_add_chardev(struct machine *m, const struct machine_option *option, struct error *err)
{
    (void)m, (void)option;
    return error_set(err, "no more");
}

void machine_remove_chardev(struct machine *m, const char *id)
{
    (void)m, (void)id;
}

bool machine_drive(const struct machine *m, unsigned i, struct machine_drive *drive)
{
    (void)m, (void)i, (void)drive;
    return false;
}

bool machine_chardev(const struct machine *m, unsigned i, struct machine_chardev *chardev)
{
    (void)m, (void)i, (void)chardev;
    return false;
}

bool machine_pci(const struct machine *m, unsigned i, struct machine_pci *pci)
{
    (void)m, (void)i, (void)pci;
    return false;
}

const struct machine_option *machine_device(const struct machine *m, unsigned i)
{
    (void)m, (void)i;
    return NULL;
}

bool machine_has_device(const struct machine *m, const char *id)
{
    (void)m, (void)id;
    return false;
}

long machine_read_ring(struct machine *m, const char *id, uint8_t *to, size_t n, struct error *err)
{
    (void)m, (void)id, (void)to, (void)n;
    error_set(err, "no ringbuf");
    return -1;
}

const char *machine_name(const struct machine *m)
{
    (void)m;
    return NULL;
}

const char *machine_cpu(const struct machine *m)
{
    (void)m;
    return "rv64";
}

void machine_on_disk_error(struct machine *m,
                           void (*tell)(void *owner, const struct machine_disk_error *error),
                           void *owner)
{
    (void)m, (void)tell, (void)owner;
}

bool machine_add_forward(struct machine *m, const char *netdev, const char *rule, struct error *err)
{
    (void)m, (void)netdev, (void)rule;
    return error_set(err, "no network");
}

bool machine_remove_forward(struct machine *m, const char *netdev, const char *rule,
                            struct error *err)
{
    return machine_add_forward(m, netdev, rule, err);
}

void machine_describe(struct machine *m, enum machine_part part, const struct byte_sink *out)
{
    (void)m, (void)part;
    byte_sink_print(out, "a part\n");
}

const void *machine_device_tree(const struct machine *m, size_t *size)
{
    (void)m;
    *size = strlen(FAKE_DTB);
    return FAKE_DTB;
}
