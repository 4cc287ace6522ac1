/* QMP's commands that look: query-*. Members are those of QEMU's qemu-qmp-ref; one that QEMU calls
 * optional and of which nothing is known here is left out. */
#include "debug/qmp_internal.h"

#include "base/os.h"
#include "cpu/hart.h"
#include "devices/chardev/chardev.h"

static json_t *query_version(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return qmp_version();
}

static json_t *query_status(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    enum run_state state = control_state(q->control);
    return json_pack("{s:b,s:b,s:s}", "running", state == RUN_RUNNING, "singlestep", 0, "status",
                     run_state_name(state));
}

static json_t *query_kvm(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_pack("{s:b,s:b}", "enabled", 0, "present", 0);
}

static json_t *query_name(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    const char *name = machine_name(control_machine(q->control));
    return name ? json_pack("{s:s}", "name", name) : json_object();
}

static json_t *query_target(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_pack("{s:s}", "arch", "riscv64");
}

static json_t *query_machines(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_pack("[{s:s,s:b,s:i,s:b,s:b,s:b,s:s}]", "name", "virt", "is-default", 1, "cpu-max",
                     (int)MACHINE_MAX_HARTS, "hotpluggable-cpus", 0, "numa-mem-supported", 0,
                     "deprecated", 0, "default-cpu-type", "rv64-riscv-cpu");
}

static json_t *query_current_machine(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_pack("{s:b}", "wakeup-suspend-support", 0);
}

/* All harts run on the program's first thread, which has its number. */
static json_t *query_cpus_fast(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    char path[48];
    json_t *list = json_array();
    for (int i = 0; machine_hart(control_machine(q->control), (unsigned)i); i++) {
        snprintf(path, sizeof path, "/machine/soc0/harts[%d]", i);
        json_array_append_new(list, json_pack("{s:i,s:I,s:{s:i},s:s,s:s}", "cpu-index", i,
                                              "thread-id", (json_int_t)os_process_id(), "props",
                                              "core-id", i, "qom-path", path, "target", "riscv64"));
    }
    return list;
}

static json_t *query_memory_size(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    const struct hart *h = machine_hart(control_machine(q->control), 0);
    const struct region *r;
    uint64_t bytes = 0;
    for (unsigned i = 0; (r = memory_region(h->ports.memory, i)) != NULL; i++)
        bytes += r->kind == REGION_RAM ? r->size : 0;
    return json_pack("{s:I}", "base-memory", (json_int_t)bytes);
}

/* --- drives and character back-ends ------------------------------------------------------- */

static json_t *image(const struct machine_drive *d)
{
    return json_pack("{s:s,s:s,s:I,s:I,s:b}", "filename", d->file, "format", d->format,
                     "virtual-size", (json_int_t)d->bytes, "actual-size", (json_int_t)d->host_bytes,
                     "dirty-flag", 0);
}

/* Limits of throughput and encryption are nothing that drives here have. */
static json_t *node(const struct machine_drive *d)
{
    json_t *node = json_pack(
        "{s:s,s:s,s:b,s:s,s:o,s:{s:b,s:b,s:b},s:s,s:b,s:i,s:i}", "file", d->file, "drv", d->format,
        "ro", d->read_only, "node-name", d->id, "image", image(d), "cache", "writeback",
        !d->write_through, "direct", d->direct, "no-flush", d->no_flush, "detect_zeroes", "off",
        "encrypted", 0, "backing_file_depth", (int)d->backing_files, "write_threshold", 0);
    static const char *const limits[] = {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        json_object_set_new(node, limits[i], json_integer(0));
    return node;
}

/* Of a disk that a device has. */
static const char *io_status(const struct qmp *q, const char *id)
{
    if (control_state(q->control) != RUN_IO_ERROR || strcmp(id, q->failing) != 0)
        return "ok";
    return q->no_space ? "nospace" : "failed";
}

static json_t *query_block(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    struct machine_drive d;
    json_t *list = json_array();
    for (unsigned i = 0; machine_drive(control_machine(q->control), i, &d); i++) {
        json_t *row = json_pack("{s:s,s:s,s:b,s:b,s:o}", "device", d.id, "type", "unknown",
                                "removable", 0, "locked", 0, "inserted", node(&d));
        if (d.is_attached)
            json_object_set_new(row, "io-status", json_string(io_status(q, d.id)));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *query_named_nodes(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    struct machine_drive d;
    json_t *list = json_array();
    for (unsigned i = 0; machine_drive(control_machine(q->control), i, &d); i++)
        json_array_append_new(list, node(&d));
    return list;
}

/* QEMU's. What its device refuses is counted nowhere ("account_invalid"). */
static void add_traffic(json_t *stats, const char *name, const struct machine_traffic *t)
{
    const struct {
        const char *form;
        uint64_t value;
    } members[] = {
        {"%s_operations", t->operations},    {"%s_bytes", t->bytes},
        {"%s_total_time_ns", t->host_ns},    {"%s_merged", 0},
        {"failed_%s_operations", t->failed}, {"invalid_%s_operations", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        char key[48];
        snprintf(key, sizeof key, members[i].form, name);
        json_object_set_new(stats, key, json_integer((json_int_t)members[i].value));
    }
}

static json_t *drive_stats(const struct machine_drive *d)
{
    json_t *stats = json_pack("{s:I,s:b,s:b,s:[]}", "wr_highest_offset", (json_int_t)d->writes.end,
                              "account_invalid", 0, "account_failed", 1, "timed_stats");
    add_traffic(stats, "rd", &d->reads);
    add_traffic(stats, "wr", &d->writes);
    add_traffic(stats, "unmap", &d->unmaps);
    add_traffic(stats, "flush", &d->flushes);
    json_object_del(stats, "flush_bytes");
    return stats;
}

static json_t *query_block_stats(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    struct machine_drive d;
    json_t *list = json_array();
    for (unsigned i = 0; machine_drive(control_machine(q->control), i, &d); i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "device", d.id, "node-name", d.id,
                                              "stats", drive_stats(&d)));
    return list;
}

static json_t *query_chardev(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    struct machine_chardev c;
    json_t *list = json_array();
    for (unsigned i = 0; machine_chardev(control_machine(q->control), i, &c); i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "label", c.id, "filename", c.place,
                                              "frontend-open", c.is_taken));
    return list;
}

static json_t *query_chardev_backends(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    const char *type = "stdio"; /* the machine's own */
    json_t *list = json_array();
    for (unsigned i = 0; type; type = chardev_type(i++))
        json_array_append_new(list, json_pack("{s:s}", "name", type));
    return list;
}

/* --- the PCI bus ------------------------------------------------------------------------- */

/* An address of -1 is a BAR that is off. */
static json_t *pci_regions(const struct machine_pci *pci)
{
    json_t *list = json_array();
    for (int n = 0; n < (int)MACHINE_PCI_BARS; n++) {
        const struct machine_pci_bar *bar = &pci->bars[n];
        if (!bar->bytes)
            continue;
        json_t *region = json_pack("{s:i,s:s,s:I,s:I}", "bar", n, "type",
                                   bar->is_io ? "io" : "memory", "size", (json_int_t)bar->bytes,
                                   "address", bar->is_on ? (json_int_t)bar->address : -1);
        if (!bar->is_io) {
            json_object_set_new(region, "prefetch", json_boolean(bar->is_prefetchable));
            json_object_set_new(region, "mem_type_64", json_boolean(bar->is_64));
        }
        json_array_append_new(list, region);
    }
    return list;
}

static json_t *pci_device(const struct machine_pci *pci)
{
    json_t *device = json_pack(
        "{s:i,s:i,s:i,s:{s:i,s:s},s:{s:i,s:i,s:i,s:i},s:i,s:s,s:o}", "bus", 0, "slot",
        (int)pci->slot, "function", (int)pci->function, "class_info", "class", (int)pci->class_code,
        "desc", pci->name, "id", "vendor", (int)pci->vendor, "device", (int)pci->device,
        "subsystem-vendor", (int)pci->subsystem_vendor, "subsystem", (int)pci->subsystem, "irq_pin",
        (int)pci->irq_pin, "qdev_id", "", "regions", pci_regions(pci));
    if (pci->irq_pin)
        json_object_set_new(device, "irq", json_integer(pci->irq_line));
    return device;
}

static json_t *query_pci(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)arguments, (void)err;
    struct machine_pci pci;
    json_t *devices = json_array();
    for (unsigned i = 0; machine_pci(control_machine(q->control), i, &pci); i++)
        json_array_append_new(devices, pci_device(&pci));
    return json_pack("[{s:i,s:o}]", "bus", 0, "devices", devices);
}

/* --- pointers ---------------------------------------------------------------------------- */

static json_t *query_mice(struct qmp *q, json_t *arguments, struct error *err)
{
    static const struct {
        enum machine_input input;
        const char *name;
    } mice[] = {{MACHINE_MOUSE, "QEMU Virtio Mouse"}, {MACHINE_TABLET, "QEMU Virtio Tablet"}};
    (void)arguments, (void)err;
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(mice); i++)
        if (machine_input_entry(control_machine(q->control), mice[i].input) != INPUT_NO_ENTRY)
            json_array_append_new(list,
                                  json_pack("{s:s,s:i,s:b,s:b}", "name", mice[i].name, "index",
                                            (int)i, "current", json_array_size(list) == 0,
                                            "absolute", mice[i].input == MACHINE_TABLET));
    return list;
}

/* There are none of these. */
static json_t *query_nothing(struct qmp *q, json_t *arguments, struct error *err)
{
    (void)q, (void)arguments, (void)err;
    return json_array();
}

const struct qmp_row qmp_query_rows[] = {
    {"query-block", "", query_block},
    {"query-blockstats", "b:query-nodes", query_block_stats},
    {"query-chardev", "", query_chardev},
    {"query-chardev-backends", "", query_chardev_backends},
    {"query-cpus-fast", "", query_cpus_fast},
    {"query-current-machine", "", query_current_machine},
    {"query-iothreads", "", query_nothing},
    {"query-jobs", "", query_nothing},
    {"query-kvm", "", query_kvm},
    {"query-machines", "", query_machines},
    {"query-memory-size-summary", "", query_memory_size},
    {"query-mice", "", query_mice},
    {"query-name", "", query_name},
    {"query-named-block-nodes", "b:flat", query_named_nodes},
    {"query-pci", "", query_pci},
    {"query-status", "", query_status},
    {"query-target", "", query_target},
    {"query-version", "", query_version},
    {.name = NULL},
};
