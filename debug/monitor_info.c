/* info NAME: what the machine and its harts are doing. */
#include "debug/monitor_internal.h"

#include "machine/history.h"

#include "cpu/hart.h"
#include "debug/registers.h"

#include <stdio.h>

#define PER_LINE 4u

/* --- registers --------------------------------------------------------------------------- */

static char priv_letter(const struct hart *h)
{
    return h->priv == PRIV_M ? 'M' : h->priv == PRIV_S ? 'S' : 'U';
}

static void show_csr(struct monitor *m, struct hart *h, unsigned number)
{
    uint64_t value;
    if (hart_csr_peek(h, number, &value))
        say(m, " %-13s %016llx\n", csr_name(number), (unsigned long long)value);
}

static void show_bank(struct monitor *m, char prefix, const char *(*name)(unsigned),
                      const uint64_t *values)
{
    for (unsigned i = 0; i < 32; i++) {
        char label[16];
        snprintf(label, sizeof label, "%c%u/%s", prefix, i, name(i));
        say(m, " %-8s %016llx%s", label, (unsigned long long)values[i],
            i % PER_LINE == PER_LINE - 1 ? "\n" : "");
    }
}

/* The CSRs that QEMU shows here, in its order; info csr has all. */
static void show_hart_registers(struct monitor *m, struct hart *h)
{
    static const char *const csrs[] = {
        "mhartid", "mstatus", "mip",    "mie",   "mideleg", "medeleg",  "mtvec",    "stvec", "mepc",
        "sepc",    "mcause",  "scause", "mtval", "stval",   "mscratch", "sscratch", "satp"};
    say(m, "CPU#%u, %c-mode\n pc            %016llx\n", h->id, priv_letter(h),
        (unsigned long long)h->pc);
    for (unsigned i = 0; i < ARRAY_LEN(csrs); i++)
        show_csr(m, h, (unsigned)csr_number(csrs[i]));
    show_bank(m, 'x', register_x_name, h->x);
    show_bank(m, 'f', register_f_name, h->f);
}

static bool show_registers(struct monitor *m, struct arguments *a, struct error *err)
{
    char word[8];
    argument_word(a, word, sizeof word);
    if (*word && strcmp(word, "-a") != 0)
        return error_set(err, "unexpected '%s'; -a shows all harts", word);
    if (!*word) {
        show_hart_registers(m, monitor_hart(m));
        return argument_end(a, err);
    }
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(monitor_machine(m), i)) != NULL; i++)
        show_hart_registers(m, h);
    return argument_end(a, err);
}

static bool show_csrs(struct monitor *m, struct arguments *a, struct error *err)
{
    struct hart *h = monitor_hart(m);
    for (unsigned number = 0; number < 4096; number++)
        show_csr(m, h, number);
    return argument_end(a, err);
}

static bool show_harts(struct monitor *m, struct arguments *a, struct error *err)
{
    struct hart *h;
    for (unsigned i = 0; (h = machine_hart(monitor_machine(m), i)) != NULL; i++)
        say(m, "%c CPU #%u: pc 0x%016llx, %c-mode, %llu steps%s\n", i == m->hart ? '*' : ' ', i,
            (unsigned long long)h->pc, priv_letter(h), (unsigned long long)h->steps,
            h->stopped   ? ", not started"
            : h->waiting ? ", asleep"
                         : "");
    return argument_end(a, err);
}

/* --- the machine ------------------------------------------------------------------------- */

static bool show_status(struct monitor *m, struct arguments *a, struct error *err)
{
    enum run_state state = control_state(m->control);
    bool plain = state == RUN_RUNNING || state == RUN_PAUSED;
    say(m, "VM status: %s", state == RUN_RUNNING ? "running" : "paused");
    say(m, plain ? "\n" : " (%s)\n", run_state_name(state));
    return argument_end(a, err);
}

static bool show_version(struct monitor *m, struct arguments *a, struct error *err)
{
    say(m, "Rivulet " RIVULET_VERSION "\n");
    return argument_end(a, err);
}

static bool show_time(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine *machine = monitor_machine(m);
    unsigned long long ns = machine_now_ns(machine);
    say(m, "%llu.%09llu s of virtual time, %llu steps, %llu of them traps\n", ns / 1000000000,
        ns % 1000000000, (unsigned long long)machine_steps(machine),
        (unsigned long long)machine_traps(machine));
    return argument_end(a, err);
}

static bool show_memory_map(struct monitor *m, struct arguments *a, struct error *err)
{
    const struct memory_map *map = monitor_hart(m)->ports.memory;
    const struct region *r;
    for (unsigned i = 0; (r = memory_region(map, i)) != NULL; i++)
        say(m, "%016llx-%016llx: %s %s\n", (unsigned long long)r->base,
            (unsigned long long)(r->base + r->size - 1),
            r->kind == REGION_RAM   ? "ram"
            : r->kind == REGION_ROM ? "rom"
                                    : "i/o",
            r->kind == REGION_DEVICE ? r->ops->name : r->name);
    return argument_end(a, err);
}

static bool describe(struct monitor *m, struct arguments *a, enum machine_part part,
                     struct error *err)
{
    if (!argument_end(a, err))
        return false;
    machine_describe(monitor_machine(m), part, &m->out);
    return true;
}

static bool show_interrupts(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_INTERRUPTS, err);
}

static bool show_drives(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_DRIVES, err);
}

static bool show_networks(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_NETWORKS, err);
}

static bool show_connections(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_CONNECTIONS, err);
}

static bool show_pci(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_PCI, err);
}

static bool show_devices(struct monitor *m, struct arguments *a, struct error *err)
{
    return describe(m, a, MACHINE_DEVICES, err);
}

static bool show_chardevs(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine_chardev c;
    for (unsigned i = 0; machine_chardev(monitor_machine(m), i, &c); i++)
        say(m, "%s: filename=%s%s\n", c.id, c.place, c.is_taken ? "" : " (nobody has it)");
    return argument_end(a, err);
}

static bool show_name(struct monitor *m, struct arguments *a, struct error *err)
{
    const char *name = machine_name(monitor_machine(m));
    if (name)
        say(m, "%s\n", name);
    return argument_end(a, err);
}

static bool show_kvm(struct monitor *m, struct arguments *a, struct error *err)
{
    say(m, "kvm support: not compiled\n");
    return argument_end(a, err);
}

static bool show_mice(struct monitor *m, struct arguments *a, struct error *err)
{
    struct machine *machine = monitor_machine(m);
    bool mouse = machine_input_entry(machine, MACHINE_MOUSE) != INPUT_NO_ENTRY;
    bool tablet = machine_input_entry(machine, MACHINE_TABLET) != INPUT_NO_ENTRY;
    if (mouse)
        say(m, "* Mouse: virtio-mouse\n");
    if (tablet)
        say(m, "* Mouse: virtio-tablet (absolute)\n");
    if (!mouse && !tablet)
        say(m, "No mouse devices connected\n");
    return argument_end(a, err);
}

/* --- the TLB ----------------------------------------------------------------------------- */

static bool show_tlb(struct monitor *m, struct arguments *a, struct error *err)
{
    const struct tlb *tlb = monitor_hart(m)->tlb;
    unsigned count = 0;
    for (unsigned i = 0; i < TLB_L2_ENTRIES; i++) {
        const struct tlb_l2 *e = &tlb->l2[i];
        if (e->generation != tlb->generation)
            continue;
        say(m, "%016llx -> %016llx, asid %u, pte bits 0x%02x, leaf of 2^%u bytes\n",
            (unsigned long long)e->t.va, (unsigned long long)e->t.pa, e->asid, e->t.pte,
            e->t.page_shift);
        count++;
    }
    say(m, "%u translations\n", count);
    return argument_end(a, err);
}

/* --- the table --------------------------------------------------------------------------- */

static bool show_hash(struct monitor *m, struct arguments *a, struct error *err)
{
    if (!argument_end(a, err))
        return false;
    say(m, "state hash 0x%016llx, step %llu\n",
        (unsigned long long)machine_hash(monitor_machine(m)),
        (unsigned long long)machine_steps(monitor_machine(m)));
    return true;
}

static bool show_history(struct monitor *m, struct arguments *a, struct error *err)
{
    if (!argument_end(a, err))
        return false;
    machine_describe_history(monitor_machine(m), &m->out);
    return true;
}

const struct monitor_row monitor_info_rows[] = {
    {"status", NULL, "", "whether the machine runs", show_status},
    {"version", NULL, "", "the version of this program", show_version},
    {"time", NULL, "", "virtual time and steps", show_time},
    {"registers", NULL, "[-a]", "registers of the current hart, or of all", show_registers},
    {"csr", NULL, "", "all CSRs of the current hart", show_csrs},
    {"cpus", "harts", "", "all harts, and which is the current one", show_harts},
    {"breakpoints", "break", "", "the breakpoints that `break` has set", monitor_show_breakpoints},
    {"mem", NULL, "", "what the page tables of the current hart map", monitor_show_pages},
    {"tlb", NULL, "", "the translations that the current hart keeps", show_tlb},
    {"mtree", NULL, "", "the map of physical memory", show_memory_map},
    {"irq", "pic", "", "the interrupt controller", show_interrupts},
    {"block", NULL, "", "the drives", show_drives},
    {"network", NULL, "", "the networks", show_networks},
    {"snapshots", NULL, "", "the machines that are saved in the drives", monitor_show_snapshots},
    {"checkpoint", NULL, "", "what the checkpoint keeps", monitor_show_checkpoint},
    {"hash", NULL, "", "a hash of the whole state, to compare runs", show_hash},
    {"history", NULL, "", "what is kept of the past", show_history},
    {"usernet", NULL, "", "the connections of user networks", show_connections},
    {"chardev", NULL, "", "the character back-ends", show_chardevs},
    {"qtree", NULL, "", "all devices, by their buses", show_devices},
    {"pci", NULL, "", "the functions on the PCI bus", show_pci},
    {"mice", NULL, "", "the pointers", show_mice},
    {"kvm", NULL, "", "whether a hypervisor runs it: no", show_kvm},
    {"name", NULL, "", "the machine's name (-name)", show_name},
    {.name = NULL},
};
