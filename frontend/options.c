/* The command line (contract: options.h): the table of options, and what walks it. */
#include "frontend/options.h"

#include "base/bits.h"
#include "base/values.h"
#include "frontend/option_setters.h"

#include <string.h>

/* 2025-01-01T00:00:00: with icount the guest's date must not depend on the day of the run. */
#define ICOUNT_RTC_EPOCH_NS 1735689600000000000ull

/* What an option does. */
enum effect {
    HEADING,   /* no option: a line of --help */
    SET_TRUE,  /* the bool at offset */
    SET_TEXT,  /* the const char * at offset */
    CALL,      /* set(); for the argument `help` as ASK, if offset is not 0 */
    ASK,       /* the program shows something and ends: offset is the enum options_action */
    NO_EFFECT, /* QEMU's; accepted */
    NOT_YET,   /* QEMU's; refused, `help` says what is missing */
};

struct option_row {
    const char *name, *alias;
    const char *argument; /* how --help calls it; NULL: takes none */
    enum effect effect;
    size_t offset;
    option_setter *set;
    const char *help; /* '\n' begins a further line */
};

#define AT(field) offsetof(struct options, field)
#define TITLE(text)                                                                                \
    {                                                                                              \
        .effect = HEADING, .help = text                                                            \
    }
#define ACCEPTED(what, arg)                                                                        \
    {                                                                                              \
        .name = what, .argument = arg, .effect = NO_EFFECT                                         \
    }
#define MISSING(what, why)                                                                         \
    {                                                                                              \
        .name = what, .effect = NOT_YET, .help = why                                               \
    }

static const struct option_row rows[] = {
    TITLE("The machine"),
    {"machine", "M", "virt[,PROPERTY=VALUE...]", CALL, ACTION_LIST_MACHINES, set_machine,
     "the board: QEMU's virt, the default\n"
     "dumpdtb=FILE writes the device tree to FILE and ends\n"
     "aclint=on has an ACLINT in place of the CLINT"},
    {"cpu", NULL, "rv64|max|rva22s64[,NAME=on|off...]", CALL, ACTION_LIST_CPUS, set_cpu,
     "the harts: all names mean all that is there;\n"
     "sv39, sv48 and sv57 =on|off choose the widest paging mode"},
    {"name", NULL, "NAME", CALL, 0, set_name, "how monitors and windows call the machine"},
    {"m", NULL, "SIZE", CALL, 0, set_memory, "RAM: 512M, 2G; a plain number is MiB (128M)"},
    {"smp", NULL, "N", CALL, 0, set_smp, "harts, 1 to 8 (1)"},
    TITLE("What it runs"),
    {"kernel", NULL, "FILE", SET_TEXT, AT(machine.kernel_file), NULL,
     "kernel: Linux Image, ELF or raw; gzip is unpacked"},
    {"initrd", NULL, "FILE", SET_TEXT, AT(machine.initrd_file), NULL, "initial RAM disk"},
    {"append", NULL, "TEXT", SET_TEXT, AT(machine.append), NULL, "command line of the kernel"},
    {"bios", NULL, "FILE|none|default", CALL, 0, set_bios,
     "M-mode firmware (default: the built-in SBI)"},
    {"L", NULL, "FOLDER", CALL, 0, add_folder,
     "look here first for U-Boot or EDK2 to boot a disk FILE (repeatable)"},
    {"dtb", NULL, "FILE", SET_TEXT, AT(machine.dtb_file), NULL, "device tree instead of our own"},
    {"semihosting", NULL, NULL, CALL, 0, set_semihosting,
     "programs without a system may call for console, time and their end"},
    {"semihosting-config", NULL, "enable=on|off[,PROPERTY=VALUE...]", CALL, 0,
     set_semihosting_config,
     "the same, with dir=FOLDER for files in that folder alone, arg=WORD of\n"
     "the command line (repeatable), chardev=ID for the console,\n"
     "userspace=on for programs in U-mode"},
    TITLE("Console"),
    {"nographic", NULL, NULL, SET_TRUE, AT(nographic), NULL,
     "console on the terminal, which is the default:\n"
     "Ctrl-A x ends the program, Ctrl-A c switches to the monitor,\n"
     "Ctrl-A h shows the other keys"},
    {"serial", NULL, "END", CALL, 0, set_serial,
     "where the serial port goes: mon:stdio (with the monitor), stdio,\n"
     "null, none, file:PATH, pipe:PATH, pty, chardev:ID,\n"
     "unix:PATH[,server=on][,wait=off], tcp:HOST:PORT[,...], telnet:..."},
    {"chardev", NULL, "TYPE,id=ID[,PROPERTY=VALUE...]", CALL, ACTION_LIST_CHARDEVS, add_chardev,
     "a character back-end: null; stdio; pty; file,path=; pipe,path=;\n"
     "ringbuf,size=; socket,path=|host=,port=[,server=on][,wait=off]\n"
     "[,telnet=on][,reconnect=S]; all with logfile=FILE"},
    {"monitor", NULL, "END", CALL, 0, set_monitor,
     "where the monitor is: stdio, none, or an end as for -serial;\n"
     "its command help lists the others"},
    {"qmp", NULL, "END", CALL, 0, set_qmp,
     "where programs control the machine in QMP: stdio, or an end as for\n"
     "-serial: unix:PATH,server=on,wait=off"},
    {"qmp-pretty", NULL, "END", CALL, 0, set_qmp_pretty, "the same, made for reading"},
    {"mon", NULL, "[chardev=]ID[,mode=readline|control][,pretty=on]", CALL, 0, add_monitor,
     "a monitor or QMP at a -chardev"},
    {"display", NULL, "sdl|vnc=HOST:N|terminal|none", CALL, ACTION_LIST_DISPLAYS, set_display,
     "a window for -device virtio-gpu-pci (there is one when the host can);\n"
     "in it Ctrl-Alt and g releases the pointer, f is full screen, u the\n"
     "guest's size, i scaling (sharp, smooth, whole multiples), p pause,\n"
     "r reset, s a picture, v types the clipboard's text, until another\n"
     "key is pressed;\n"
     "terminal: half blocks, keys go to the guest's keyboard, Ctrl-A x ends it"},
    {"vnc", NULL, "HOST:N|unix:PATH|none[,...]", CALL, 0, set_vnc,
     "a VNC server at port 5900 + N, or the first free one up to N of to=N;\n"
     "for this host alone but with password-secret=ID, of an -object secret,\n"
     "or password=on, which the monitor's set_password sets later;\n"
     "share=force-shared: no viewer can have it for itself; in a viewer\n"
     "Ctrl-Alt-v types the text that its user has copied"},
    {"script", NULL, "FILE", SET_TEXT, AT(script_file), NULL,
     "a script types and reads instead of a user; lines of\n"
     "  expect \"TEXT\" [within 30s]   send \"TEXT\\n\"   fail \"TEXT\"\n"
     "  timeout 120s   exit [STATUS]   # comment"},
    TITLE("Time and chance"),
    {"icount", NULL, "[shift=]N|auto|off[,sleep=on|off]", CALL, 0, set_icount,
     "virtual time counts steps of 2^N ns: runs are repeatable;\n"
     "sleep=on: idle time passes at the host's pace;\n"
     "rr=record|replay,rrfile=FILE is -record or -replay"},
    {"record", NULL, "FILE", CALL, 0, set_record,
     "log all that comes from outside; disks are as with -snapshot"},
    {"replay", NULL, "FILE", CALL, 0, set_replay,
     "the recorded run again, with the options it was made with"},
    {"history", NULL, "SIZE", CALL, 0, set_history,
     "keep the past in so much memory, to go back in the monitor and gdb;\n"
     "time is counted (-icount), disks are as with -snapshot"},
    {"seed", NULL, "N", CALL, 0, set_seed, "seed of all that is random in the machine"},
    {"rtc", NULL, "base=utc|localtime|DATE", CALL, 0, set_rtc,
     "the guest's date (utc; with -icount 2025-01-01)"},
    {"no-reboot", NULL, NULL, SET_TRUE, AT(machine.no_reboot), NULL, "a reset ends the program"},
    {"no-shutdown", NULL, NULL, SET_TRUE, AT(no_shutdown), NULL,
     "a power-off stops the machine and the program stays"},
    {"action", NULL, "EVENT=ACTION[,...]", CALL, 0, set_action,
     "reboot=reset|shutdown, shutdown=poweroff|pause"},
    {"pidfile", NULL, "FILE", SET_TEXT, AT(pid_file), NULL,
     "write the number of the process to FILE, and remove it at the end"},
    {"S", NULL, NULL, SET_TRUE, AT(starts_stopped), NULL,
     "start with the machine stopped: the monitor's or gdb's cont lets it run"},
    {"loadvm", NULL, "NAME|FILE", SET_TEXT, AT(load_file), NULL,
     "go on from a snapshot (the monitor's savevm), with the options that\nit was made with: a "
     "name is in the qcow2 drives; a file's has a / or\nends in .rvs"},
    {"incoming", NULL, "file:FILE", CALL, 0, set_incoming, "the same as -loadvm FILE"},
    {"gdb", NULL, "END", CALL, 0, set_gdb,
     "gdb may come at tcp::PORT, for this host alone; tcp:0.0.0.0:PORT;\n"
     "unix:PATH, or another end as for -serial; none"},
    {"s", NULL, NULL, CALL, 0, set_gdb_default, "the same as -gdb tcp::1234"},
    TITLE("Devices"),
    {"device", NULL, "NAME[,PROPERTY=VALUE...]", CALL, ACTION_LIST_DEVICES, add_device,
     "a device: virtio-blk-device,drive=ID; virtio-net-device,netdev=ID;\n"
     "virtio-rng-device; virtio-gpu-pci; virtio-keyboard-pci;\n"
     "virtio-tablet-pci; htif for riscv-tests; -device help lists all;\n"
     "virtio-serial-device, and on it virtconsole,chardev=ID and\n"
     "virtserialport,chardev=ID,name=NAME[,nr=N][,bus=ID.0];\n"
     "loader,file=FILE[,addr=A][,cpu-num=N][,force-raw=on] or\n"
     "loader,addr=A[,data=D,data-len=N][,cpu-num=N]: into RAM, and\n"
     "where hart N starts"},
    {"drive", NULL, "file=FILE[,PROPERTY=VALUE...]", CALL, 0, add_drive,
     "a disk: format=raw|qcow2, if=virtio|pflash|none (-device), id=ID,\n"
     "readonly=on, snapshot=on, cache=writeback|writethrough|unsafe,\n"
     "werror=enospc|stop|report|ignore, rerror=report|stop|ignore,\n"
     "discard=unmap, serial=TEXT"},
    {"blockdev", NULL, "driver=DRIVER,node-name=ID,PROPERTY=VALUE...", CALL, 0, add_blockdev,
     "a disk for -device or -machine pflash0=ID: driver=file,\n"
     "filename=FILE; driver=raw|qcow2, file=NODE|file.filename=FILE;\n"
     "read-only=on, discard=unmap, cache.no-flush=on; or all of it as JSON"},
    {"hda", NULL, "FILE", CALL, 0, add_disk, "a disk: -drive file=FILE"},
    {"hdb", NULL, "FILE", CALL, 0, add_disk, "likewise"},
    {"hdc", NULL, "FILE", CALL, 0, add_disk, "likewise"},
    {"hdd", NULL, "FILE", CALL, 0, add_disk, "likewise"},
    {"cdrom", NULL, "FILE", CALL, 0, add_cdrom,
     "a disk that is only read: -drive media=cdrom,file=FILE"},
    {"pflash", NULL, "FILE", CALL, 0, add_flash,
     "the next of the two flashes, 32 MiB: -drive if=pflash,file=FILE;\n"
     "the first holds what boots (EDK2), the second its variables"},
    {"fw_cfg", NULL, "[name=]NAME,file=FILE|string=TEXT", CALL, 0, add_fw_cfg,
     "an item for firmware: opt/..."},
    {"snapshot", NULL, NULL, SET_TRUE, AT(machine.snapshot), NULL,
     "what is written to disks is thrown away at the end"},
    {"netdev", NULL, "TYPE[,PROPERTY=VALUE...]", CALL, ACTION_LIST_NETDEVS, add_netdev,
     "a network: user,id=ID[,hostfwd=tcp::2222-:22...]; tap,ifname=NAME;\n"
     "socket,listen=|connect=HOST:PORT; stream,server=on|off,addr...;\n"
     "with -device virtio-net-device,netdev=ID"},
    {"nic", NULL, "TYPE[,PROPERTY=VALUE...]|none", CALL, 0, add_nic,
     "a network and its card in one: user,hostfwd=tcp::2222-:22"},
    {"object", NULL, "TYPE[,PROPERTY=VALUE...]", CALL, ACTION_LIST_OBJECTS, add_object,
     "rng-random, rng-builtin;\n"
     "filter-dump,id=ID,netdev=ID,file=FILE: a capture for Wireshark"},
    {"nodefaults", NULL, NULL, SET_TRUE, AT(no_defaults), NULL,
     "a disk FILE gets no network and no source of entropy by itself"},
    {"global", NULL, "DRIVER.PROPERTY=VALUE", CALL, 0, add_global,
     "default for all devices of a driver; virtio-mmio.force-legacy"},
    TITLE("Debugging and tests"),
    {"d", NULL, "TOPIC[,...]", CALL, 0, set_log_topics,
     "log guest_errors, host_errors (always on), unimp, int, mmu, stats,\n"
     "profile (to stderr)"},
    {"D", NULL, "FILE", SET_TEXT, AT(log_file), NULL, "write the log to FILE"},
    {"until", NULL, "TIME", CALL, 0, set_until,
     "end at this virtual time with status 0: 1.5s, 200ms, or ns"},
    {"fork-server", NULL, NULL, SET_TRUE, AT(is_fork_server), NULL,
     "run cases from standard input, all from one moment: that of -loadvm,\n"
     "of -until, or the start; the machine alone, with no monitor and no\n"
     "display (frontend/fork_server.h has the protocol)"},
    {"trace", NULL, "WHAT[,WHAT...][,file=FILE][,PROPERTY=VALUE...]", CALL, 0, add_trace,
     "write what the guest does, from the start (the monitor's trace: at\n"
     "any time). WHAT: insn, trap, int, return, sbi, syscall, csr, mmio,\n"
     "tlb, switch; or one of commit (as Spike), profile, sample, coverage,\n"
     "mix. Only where hart=N, priv=u|s|m, range=START-END, symbol=NAME;\n"
     "sample: every=STEPS; profile, sample: lines=on, of source below\n"
     "functions; coverage: format=lcov|drcov"},
    {"symbols", NULL, "FILE[,base=ADDRESS]", CALL, 0, add_symbols,
     "names of addresses: an ELF file, System.map, kallsyms (repeatable)"},
    {"hash", NULL, NULL, SET_TRUE, AT(show_hash), NULL,
     "at the end show the hash of all state, and of what a display shows"},
    {"picture", NULL, "FILE", SET_TEXT, AT(picture_file), NULL,
     "at the end write what the display shows as PNG, or as PPM (FILE.ppm)"},
    {"stress", NULL, NULL, SET_TRUE, AT(machine.stress), NULL,
     "shake every cache: tiny TLBs and blocks (slow)"},
    {"break", NULL, "ADDRESS", CALL, 0, add_breakpoint,
     "count how often this virtual address is reached (repeatable)"},
    {"save-load", NULL, "TIME", CALL, 0, add_save_load,
     "at this virtual time go on in a new machine (repeatable)"},
    {"help", "h", NULL, ASK, ACTION_HELP, NULL, "show this text"},
    {"version", NULL, NULL, ASK, ACTION_VERSION, NULL, "show the version and the libraries"},
    TITLE("Accepted without effect"),
    {"accel", NULL, "tcg", CALL, ACTION_LIST_ACCELERATORS, set_accel, NULL},
    ACCEPTED("boot", "ORDER"),
    ACCEPTED("no-user-config", NULL),
    ACCEPTED("mem-prealloc", NULL),
    ACCEPTED("msg", "timestamp=on|off"),
    ACCEPTED("overcommit", "LIST"),
    ACCEPTED("k", "LANGUAGE"),
    ACCEPTED("uuid", "UUID"),
    ACCEPTED("no-acpi", NULL),
    ACCEPTED("singlestep", NULL),
    ACCEPTED("watchdog-action", "ACTION"),
    ACCEPTED("compat", "LIST"),
    {"vga", NULL, "none", CALL, 0, set_vga, NULL},
    {"net", NULL, "none", CALL, 0, accept_none, NULL},
    {"parallel", NULL, "none", CALL, 0, accept_none, NULL},
    {"audio", NULL, "none", CALL, 0, accept_none, NULL},
    {"audiodev", NULL, "none", CALL, 0, accept_none, NULL},
    {"sandbox", NULL, "off", CALL, 0, accept_none, NULL},
    TITLE("Known and not there yet"),
    MISSING("enable-kvm", "hardware virtualization"),
    MISSING("sd", "a card reader"),
    MISSING("fsdev", "file sharing"),
    MISSING("virtfs", "file sharing"),
    MISSING("usb", "USB"),
    MISSING("usbdevice", "USB"),
    MISSING("full-screen", "displays"),
    MISSING("numa", "NUMA"),
    MISSING("tpmdev", "a TPM"),
    MISSING("smbios", "SMBIOS"),
    MISSING("plugin", "plugins"),
    MISSING("dfilter", "log filters"),
    MISSING("daemonize", "running in the background"),
    MISSING("echr", "another escape key"),
    MISSING("readconfig", "configuration files"),
    MISSING("set", "configuration files"),
    MISSING("mem-path", "RAM in a file"),
    MISSING("add-fd", "passing descriptors"),
    MISSING("runas", "changing the user"),
    MISSING("chroot", "changing the root directory"),
};

/* --- finding ----------------------------------------------------------------------------- */

static const struct option_row *find_row(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct option_row *row = &rows[i];
        if (row->name &&
            (strcmp(row->name, name) == 0 || (row->alias && strcmp(row->alias, name) == 0)))
            return row;
    }
    return NULL;
}

static bool unknown_option(const char *text, const char *name, struct error *err)
{
    const char *nearest = "";
    unsigned least = ~0u;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned distance = rows[i].name ? edit_distance(name, rows[i].name) : ~0u;
        if (distance < least) {
            least = distance;
            nearest = rows[i].name;
        }
    }
    return error_set(err, "unknown option %.80s; the nearest is -%s (rivulet --help lists all)",
                     text, nearest);
}

/* --- applying ---------------------------------------------------------------------------- */

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* `text` is the option as the user wrote it. */
static bool apply(struct options *o, const struct option_row *row, const char *text,
                  const char *value, struct error *err)
{
    struct error reason;
    char *field = (char *)o + row->offset;
    switch (row->effect) {
    case SET_TRUE:
        *(bool *)field = true;
        return true;
    case SET_TEXT:
        *(const char **)field = value;
        return true;
    case CALL:
        if (row->offset && (is_word(value, "help") || is_word(value, "?"))) {
            o->action = (enum options_action)row->offset;
            return true;
        }
        return row->set(o, value, &reason) ||
               error_set(err, "%s%s%.100s: %s", text, value ? " " : "", value ? value : "",
                         reason.text);
    case ASK:
        o->action = (enum options_action)row->offset;
        return true;
    case NOT_YET:
        return error_set(err, "%s is not there yet (%s); leave it out", text, row->help);
    case NO_EFFECT:
    case HEADING:
        break;
    }
    return true;
}

static bool set_positional(struct options *o, const char *file, struct error *err)
{
    if (o->file)
        return error_set(err, "two files: %.100s and %.100s; give a further disk with -drive",
                         o->file, file);
    o->file = file;
    return true;
}

bool options_have_flash(const struct options *o)
{
    for (unsigned i = 0; i < o->drives.count; i++)
        for (unsigned j = 0; j < o->drives.items[i].count; j++) {
            const struct machine_property *p = &o->drives.items[i].items[j];
            if (p->value && strcmp(p->name, "if") == 0 && strcmp(p->value, "pflash") == 0)
                return true;
        }
    return o->machine.flash_drives[0] != NULL;
}

bool options_have_device(const struct options *o, const char *prefix)
{
    for (unsigned i = 0; i < o->devices.count; i++) {
        const char *name = o->devices.items[i].items[0].value;
        if (name && strncmp(name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

/* `rivulet debug`: its terminal is the guest's console and the monitor's, and a run is to be the
 * same each time. */
static bool set_debugger(struct options *o, struct error *err)
{
    if (o->script_file)
        return error_set(err, "-script %.100s: debug has a user who types", o->script_file);
    if (o->monitor_given && o->has_monitor)
        return error_set(err, "-monitor stdio: debug has the terminal, and a key for commands");
    o->monitor_given = true; /* none at the terminal */
    o->starts_stopped = o->no_shutdown = true;
    if (!o->icount_given)
        o->machine.icount = true;
    return true;
}

static void fix_date(struct options *o)
{
    if (!o->machine.icount || o->rtc_given)
        return;
    o->machine.rtc = RTC_FIXED;
    o->machine.rtc_epoch_ns = ICOUNT_RTC_EPOCH_NS;
}

bool options_give(struct options *o, const char *name, const char *value, struct error *err)
{
    const struct option_row *row = find_row(name);
    if (!row || (row->argument != NULL) != (value != NULL))
        return error_set(err, "-%.80s is no option of this program", name);
    bool ok = apply(o, row, row->name, value, err);
    fix_date(o);
    return ok;
}

static bool has_nothing_to_run(const struct options *o)
{
    return !o->machine.kernel_file && !o->file && !o->load_file && o->machine.bios != BIOS_FILE &&
           !*o->dump_dtb && !options_have_flash(o) && !options_have_device(o, "loader");
}

/* Who speaks of a disk, a command line or a tree has forgotten what they are for. */
static bool may_run_demo(struct options *o)
{
    struct machine_config *m = &o->machine;
    m->demo =
        m->bios == BIOS_BUILT_IN && !m->append && !m->dtb_file && !o->drives.count && !o->debugger;
    return m->demo;
}

/* Where the serial port leads, in QEMU's words. */
static const char *serial_place(const struct options *o)
{
    return o->serial == SERIAL_NULL   ? "null"
           : o->serial == SERIAL_FILE ? "file"
           : o->shares_stdio          ? "mux"
                                      : "stdio";
}

static bool check_recording(const struct options *o, struct error *err)
{
    bool has_past = o->record_file || o->machine.history_bytes;
    if (o->rr_given && !o->record_file)
        return error_set(err, "-icount rr= needs the file of the recording: give rrfile=FILE");
    if (has_past && o->is_fork_server)
        return error_set(err, "-fork-server runs cases from one moment, which have no past: leave "
                              "out -record, -replay and -history");
    return !has_past || !o->save_loads.count ||
           error_set(err, "-save-load goes on in a new machine, which has no past: leave out "
                          "-record, -replay and -history");
}

/* What no option alone can tell: whether they make sense together. */
static bool check_together(struct options *o, struct error *err)
{
    struct machine_config *m = &o->machine;
    if (o->debugger && !set_debugger(o, err))
        return false;
    if (m->initrd_file && !m->kernel_file && !o->file)
        return error_set(err, "-initrd %.100s needs a kernel; add -kernel FILE", m->initrd_file);
    if (has_nothing_to_run(o) && !may_run_demo(o))
        return error_set(err, "a kernel or a disk is needed, for example: rivulet -m 512M "
                              "-kernel Image -initrd initramfs.cpio -append console=ttyS0 "
                              "(rivulet --help lists all options)");
    if (o->has_stdio_chardev && o->serial_count == 0)
        o->serial = SERIAL_NULL;
    if (o->has_stdio_chardev && o->serial == SERIAL_STDIO)
        return error_set(err, "-chardev stdio and -serial stdio: the terminal can be one of them; "
                              "give -serial null or -serial chardev:ID");
    fix_date(o);
    if (!check_recording(o, err))
        return false;
    o->machine.snapshot |= o->record_file != NULL || o->machine.history_bytes != 0;
    if (!settle_terminal(o, err))
        return false;
    o->machine.serial_place = serial_place(o);
    if (o->debugger) /* -serial mon:stdio: both are there anyway */
        o->shares_stdio = o->has_monitor = false;
    return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct error *err)
{
    *o = (struct options){.until_ns = UINT64_MAX};
    machine_config_init(&o->machine);
    o->debugger = argc > 1 && strcmp(argv[1], "debug") == 0;
    for (int i = o->debugger ? 2 : 1; i < argc; i++) {
        const char *text = argv[i];
        if (text[0] != '-') {
            if (!set_positional(o, text, err))
                return false;
            continue;
        }
        const char *name = text + (text[1] == '-' ? 2 : 1);
        const struct option_row *row = find_row(name);
        if (!row)
            return unknown_option(text, name, err);
        const char *value = NULL;
        if (row->argument) {
            if (++i == argc)
                return error_set(err, "%s needs an argument: %s", text, row->argument);
            value = argv[i];
        }
        if (!apply(o, row, text, value, err))
            return false;
        if (o->action == ACTION_HELP && o->debugger)
            o->action = ACTION_DEBUG_HELP;
        if (o->action != ACTION_RUN)
            return true;
    }
    return check_together(o, err);
}

/* --- showing ----------------------------------------------------------------------------- */

#define HELP_COLUMN 26
#define HELP_WIDTH  80

static void print_row(FILE *out, const struct option_row *row)
{
    char left[120];
    snprintf(left, sizeof left, "  -%s%s%s%s%s", row->name, row->alias ? ", -" : "",
             row->alias ? row->alias : "", row->argument ? " " : "",
             row->argument ? row->argument : "");
    bool fits = strlen(left) < HELP_COLUMN;
    fprintf(out, fits ? "%-*s" : "%-*s\n", HELP_COLUMN, left);
    for (const char *line = row->help; line; fits = false) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "%*s%.*s\n", fits ? 0 : HELP_COLUMN, "", (int)n, line);
        line = line[n] ? line + n + 1 : NULL;
    }
}

/* Options without a line of their own flow like words; *column is where the last one ended. */
static void print_word(FILE *out, const struct option_row *row, int *column)
{
    char word[80];
    int n = snprintf(word, sizeof word, "-%s%s%s", row->name, row->argument ? " " : "",
                     row->argument ? row->argument : "");
    if (*column && *column + 2 + n > HELP_WIDTH) {
        fputc('\n', out);
        *column = 0;
    }
    *column += fprintf(out, "  %s", word);
}

void options_print_help(FILE *out)
{
    int column = 0;
    fprintf(out,
            "usage: rivulet [OPTION...] [FILE]\n"
            "       rivulet debug [OPTION...] [FILE]   the same in a debugger (debug --help)\n"
            "       rivulet exec [OPTION...] PROGRAM   a Linux program (exec --help)\n"
            "       rivulet img COMMAND [...]          disk images (img --help)\n"
            "       rivulet snapshot FILE [...]        what a saved machine is (snapshot --help)\n"
            "       rivulet replay --bisect A B ...    where two recordings part (replay --help)\n"
            "A RISC-V machine, compatible with QEMU's virt board. Options are spelled as\n"
            "QEMU's, with one dash or two. The exit status is the guest's.\n"
            "-machine, -cpu, -device, -netdev, -chardev, -object, -display and -accel list what\n"
            "they know when given help, and -device NAME,help what a device takes.\n"
            "FILE is a kernel, or a disk (raw or qcow2): U-Boot or EDK2 boots what is on it, with\n"
            "1G of RAM, a network (-nic user) and virtio-rng unless options say otherwise.\n"
            "A FILE that savevm made goes on where it was saved.\n"
            "With nothing to run it shows a small guest of its own.\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct option_row *row = &rows[i];
        if (row->effect == HEADING) {
            fprintf(out, "%s\n%s:\n", column ? "\n" : "", row->help);
            column = 0;
        } else if (row->help && row->effect != NOT_YET) {
            print_row(out, row);
        } else {
            print_word(out, row, &column);
        }
    }
    fputc('\n', out);
}

bool options_have_library(const char *name)
{
    return strstr(RIVULET_LIBRARIES, name) != NULL;
}

void options_print_version(FILE *out)
{
    fprintf(out, "rivulet %s\nlibraries: %s\n", RIVULET_VERSION, RIVULET_LIBRARIES);
}
