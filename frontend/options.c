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
    CALL,      /* set() */
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
    {"machine", "M", "virt[,PROPERTY=VALUE...]", CALL, 0, set_machine,
     "the board: QEMU's virt, the default\n"
     "dumpdtb=FILE writes the device tree to FILE and ends\n"
     "aclint=on has an ACLINT in place of the CLINT"},
    {"cpu", NULL, "rv64|max|rva22s64[,NAME=on|off...]", CALL, 0, set_cpu,
     "the harts: all names mean all that is there;\n"
     "sv39, sv48 and sv57 =on|off choose the widest paging mode"},
    {"m", NULL, "SIZE", CALL, 0, set_memory, "RAM: 512M, 2G; a plain number is MiB (128M)"},
    {"smp", NULL, "N", CALL, 0, set_smp, "harts, 1 to 8 (1)"},
    TITLE("What it runs"),
    {"kernel", NULL, "FILE", SET_TEXT, AT(machine.kernel_file), NULL,
     "kernel: Linux Image, ELF or raw; gzip is unpacked;\n"
     "FILE alone, without -kernel, means the same"},
    {"initrd", NULL, "FILE", SET_TEXT, AT(machine.initrd_file), NULL, "initial RAM disk"},
    {"append", NULL, "TEXT", SET_TEXT, AT(machine.append), NULL, "command line of the kernel"},
    {"bios", NULL, "FILE|none|default", CALL, 0, set_bios,
     "M-mode firmware (default: the built-in SBI)"},
    {"dtb", NULL, "FILE", SET_TEXT, AT(machine.dtb_file), NULL, "device tree instead of our own"},
    TITLE("Console"),
    {"nographic", NULL, NULL, NO_EFFECT, 0, NULL,
     "console on the terminal, which is the default:\n"
     "Ctrl-A x ends the program, Ctrl-A h shows the other keys"},
    {"serial", NULL, "mon:stdio|stdio|file:PATH|null|none", CALL, 0, set_serial,
     "where the serial port goes (stdio)"},
    {"monitor", NULL, "none", CALL, 0, set_monitor, "the monitor is not there yet"},
    {"display", NULL, "none", CALL, 0, set_display, "displays are not there yet"},
    {"script", NULL, "FILE", SET_TEXT, AT(script_file), NULL,
     "a script types and reads instead of a user; lines of\n"
     "  expect \"TEXT\" [within 30s]   send \"TEXT\\n\"   fail \"TEXT\"\n"
     "  timeout 120s   exit [STATUS]   # comment"},
    TITLE("Time and chance"),
    {"icount", NULL, "[shift=]N|auto|off[,sleep=on|off]", CALL, 0, set_icount,
     "virtual time counts steps of 2^N ns: runs are repeatable;\n"
     "sleep=on: idle time passes at the host's pace"},
    {"seed", NULL, "N", CALL, 0, set_seed, "seed of all that is random in the machine"},
    {"rtc", NULL, "base=utc|localtime|DATE", CALL, 0, set_rtc,
     "the guest's date (utc; with -icount 2025-01-01)"},
    {"no-reboot", NULL, NULL, SET_TRUE, AT(machine.no_reboot), NULL,
     "a reset by the guest ends the program"},
    TITLE("Devices"),
    {"device", NULL, "NAME[,PROPERTY=VALUE...]", CALL, 0, add_device,
     "a device: virtio-blk-device,drive=ID; virtio-rng-device"},
    {"drive", NULL, "file=FILE[,PROPERTY=VALUE...]", CALL, 0, add_drive,
     "a disk: format=raw|qcow2, if=virtio|none (with -device), id=ID,\n"
     "readonly=on, snapshot=on, cache=writeback|writethrough|unsafe,\n"
     "werror|rerror=report|ignore, discard=unmap, serial=TEXT"},
    {"snapshot", NULL, NULL, SET_TRUE, AT(machine.snapshot), NULL,
     "what is written to disks is thrown away at the end"},
    {"netdev", NULL, "TYPE[,PROPERTY=VALUE...]", CALL, 0, add_netdev,
     "a network: user,id=ID[,hostfwd=tcp::2222-:22...]; tap,ifname=NAME;\n"
     "socket,listen=|connect=HOST:PORT; stream,server=on|off,addr...;\n"
     "with -device virtio-net-device,netdev=ID"},
    {"nic", NULL, "TYPE[,PROPERTY=VALUE...]|none", CALL, 0, add_nic,
     "a network and its card in one: user,hostfwd=tcp::2222-:22"},
    {"object", NULL, "TYPE[,PROPERTY=VALUE...]", CALL, 0, add_object,
     "rng-random, rng-builtin;\n"
     "filter-dump,id=ID,netdev=ID,file=FILE: a capture for Wireshark"},
    {"global", NULL, "DRIVER.PROPERTY=VALUE", CALL, 0, add_global,
     "default for all devices of a driver; virtio-mmio.force-legacy"},
    TITLE("Debugging and tests"),
    {"d", NULL, "TOPIC[,...]", CALL, 0, set_log_topics,
     "log guest_errors, unimp, int, mmu, stats, profile (to stderr)"},
    {"D", NULL, "FILE", SET_TEXT, AT(log_file), NULL, "write the log to FILE"},
    {"until", NULL, "TIME", CALL, 0, set_until,
     "end at this virtual time with status 0: 1.5s, 200ms, or ns"},
    {"hash", NULL, NULL, SET_TRUE, AT(show_hash), NULL, "at the end show the hash of all state"},
    {"stress", NULL, NULL, SET_TRUE, AT(machine.stress), NULL,
     "shake every cache: tiny TLBs and blocks (slow)"},
    {"break", NULL, "ADDRESS", CALL, 0, add_breakpoint,
     "count how often this virtual address is reached (repeatable)"},
    {"save-load", NULL, "TIME", CALL, 0, add_save_load,
     "at this virtual time go on in a new machine (repeatable)"},
    {"help", "h", NULL, ASK, ACTION_HELP, NULL, "show this text"},
    {"version", NULL, NULL, ASK, ACTION_VERSION, NULL, "show the version and the libraries"},
    TITLE("Accepted without effect"),
    {"accel", NULL, "tcg", CALL, 0, set_accel, NULL},
    ACCEPTED("name", "NAME"),
    ACCEPTED("boot", "ORDER"),
    ACCEPTED("nodefaults", NULL),
    ACCEPTED("no-user-config", NULL),
    ACCEPTED("mem-prealloc", NULL),
    ACCEPTED("L", "DIRECTORY"),
    ACCEPTED("msg", "timestamp=on|off"),
    ACCEPTED("overcommit", "LIST"),
    ACCEPTED("k", "LANGUAGE"),
    ACCEPTED("uuid", "UUID"),
    ACCEPTED("no-acpi", NULL),
    ACCEPTED("singlestep", NULL),
    ACCEPTED("watchdog-action", "ACTION"),
    ACCEPTED("compat", "LIST"),
    {"vga", NULL, "none", CALL, 0, accept_none, NULL},
    {"net", NULL, "none", CALL, 0, accept_none, NULL},
    {"parallel", NULL, "none", CALL, 0, accept_none, NULL},
    {"audio", NULL, "none", CALL, 0, accept_none, NULL},
    {"audiodev", NULL, "none", CALL, 0, accept_none, NULL},
    {"sandbox", NULL, "off", CALL, 0, accept_none, NULL},
    TITLE("Known and not there yet"),
    MISSING("S", "waiting for a debugger"),
    MISSING("s", "the gdb stub"),
    MISSING("gdb", "the gdb stub"),
    MISSING("enable-kvm", "hardware virtualization"),
    MISSING("qmp", "the control socket"),
    MISSING("mon", "the monitor"),
    MISSING("chardev", "character back-ends"),
    MISSING("pflash", "flash"),
    MISSING("fw_cfg", "fw_cfg"),
    MISSING("loadvm", "snapshots"),
    MISSING("incoming", "migration"),
    MISSING("hda", "disks"),
    MISSING("hdb", "disks"),
    MISSING("cdrom", "disks"),
    MISSING("sd", "disks"),
    MISSING("blockdev", "disks"),
    MISSING("fsdev", "file sharing"),
    MISSING("virtfs", "file sharing"),
    MISSING("usb", "USB"),
    MISSING("usbdevice", "USB"),
    MISSING("vnc", "displays"),
    MISSING("full-screen", "displays"),
    MISSING("numa", "NUMA"),
    MISSING("tpmdev", "a TPM"),
    MISSING("smbios", "SMBIOS"),
    MISSING("semihosting", "semihosting"),
    MISSING("semihosting-config", "semihosting"),
    MISSING("plugin", "plugins"),
    MISSING("trace", "trace events"),
    MISSING("dfilter", "log filters"),
    MISSING("daemonize", "running in the background"),
    MISSING("pidfile", "a file of the process id"),
    MISSING("no-shutdown", "staying after power-off"),
    MISSING("action", "actions on events"),
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
        return row->set(o, value, &reason) ||
               error_set(err, "%s %.100s: %s", text, value, reason.text);
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
    if (o->machine.kernel_file)
        return error_set(err, "two kernels: %.100s and %.100s; give one", o->machine.kernel_file,
                         file);
    o->machine.kernel_file = file;
    return true;
}

/* What no option alone can tell: whether they make sense together. */
static bool check_together(struct options *o, struct error *err)
{
    struct machine_config *m = &o->machine;
    if (m->initrd_file && !m->kernel_file)
        return error_set(err, "-initrd %.100s needs a kernel; add -kernel FILE", m->initrd_file);
    if (!m->kernel_file && m->bios != BIOS_FILE && !*o->dump_dtb)
        return error_set(err, "a kernel is needed, for example: rivulet -nographic -m 512M "
                              "-kernel Image -initrd initramfs.cpio -append console=ttyS0 "
                              "(rivulet --help lists all options)");
    if (m->icount && !o->rtc_given) {
        m->rtc = RTC_FIXED;
        m->rtc_epoch_ns = ICOUNT_RTC_EPOCH_NS;
    }
    return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct error *err)
{
    *o = (struct options){.until_ns = UINT64_MAX};
    machine_config_init(&o->machine);
    for (int i = 1; i < argc; i++) {
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
    fprintf(out, "usage: rivulet [OPTION...] [KERNEL]\n"
                 "A RISC-V machine, compatible with QEMU's virt board. Options are spelled as\n"
                 "QEMU's, with one dash or two. The exit status is the guest's.\n");
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

void options_print_version(FILE *out)
{
    fprintf(out, "rivulet %s\nlibraries: %s\n", RIVULET_VERSION, RIVULET_LIBRARIES);
}
