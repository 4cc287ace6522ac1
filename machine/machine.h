/* The public API of the library: make a machine, run it, feed it, look at its state. Terminal, SDL,
 * VNC, gdb and tests are equal clients of this header. Two machines in one process are independent.
 */
#ifndef RIVULET_MACHINE_MACHINE_H
#define RIVULET_MACHINE_MACHINE_H

#include "base/bits.h"
#include "base/byte_sink.h"
#include "base/error.h"
#include "base/input.h"
#include "base/log.h"
#include "base/state.h"
#include "cpu/watch.h"

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_MAX_HARTS   8u
#define MACHINE_DEFAULT_RAM (128ull << 20)
#define MACHINE_PAGE_BYTES  4096u
#define MACHINE_DRIVES_MAX  32u
#define MACHINE_SCREENS_MAX 4u

enum bios_kind { BIOS_BUILT_IN, BIOS_NONE, BIOS_FILE };
enum rtc_base { RTC_HOST, RTC_FIXED };

/* One -device, -drive, -netdev, ...: `name=value` in the order given. A list's first word alone is
 * the value of what QEMU implies ("driver", "type"); another word alone has the value NULL. Texts
 * and arrays belong to the client, and outlive the machine. */
#define MACHINE_PROPERTIES_MAX 24u
struct machine_property {
    const char *name, *value;
};
struct machine_option {
    struct machine_property items[MACHINE_PROPERTIES_MAX];
    unsigned count;
};
struct machine_options {
    const struct machine_option *items;
    unsigned count;
};

/* Calls of programs without an operating system (machine/semihost.h). */
struct machine_semihosting {
    bool is_enabled;
    bool in_user_mode;        /* U-mode may call too */
    const char *folder;       /* whose files it may use; NULL: no files */
    const char *chardev;      /* the id of its console's; NULL: the serial port is its console */
    const char *command_line; /* NULL: the kernel's name and command line */
};

struct machine_config {
    uint64_t ram_bytes; /* a multiple of MACHINE_PAGE_BYTES */
    unsigned harts;     /* 1 to MACHINE_MAX_HARTS */
    const char *cpu;    /* model and switches, as -cpu takes them: "rv64,zba=off"; NULL: rv64 */
    enum bios_kind bios;
    const char *bios_file;   /* BIOS_FILE */
    const char *kernel_file; /* NULL: none */
    bool demo;               /* the program's own guest is the kernel (firmware/demo_image.h) */
    const char *initrd_file; /* NULL: none; needs a kernel */
    const char *append;      /* kernel command line; NULL: none */
    const char *name;        /* for people alone; NULL: none */
    const char *dtb_file;    /* NULL: made from the board table */
    /* Time and chance (DESIGN.md section 3). */
    bool icount;
    unsigned icount_shift; /* a step is 2^shift ns, 0 to 10 */
    bool icount_sleep;     /* idle time is paced by the host clock */
    uint64_t seed;         /* rng-seed of the device tree, slice lengths; icount: fixed default */
    enum rtc_base rtc;
    uint64_t rtc_epoch_ns; /* RTC_FIXED: ns since 1970 at virtual time 0 */
    /* What the board gets beside its own devices, with QEMU's names (machine/drivers.c). */
    struct machine_options devices;  /* driver=NAME, ... */
    struct machine_options drives;   /* file=, id=, if=, format=, ... */
    struct machine_options netdevs;  /* type=, id=, ... */
    struct machine_options nics;     /* type=, model=, ... */
    struct machine_options chardevs; /* type=, id=, ... */
    struct machine_options objects;  /* qom-type=, id=, ... */
    struct machine_options globals;  /* each one item: DRIVER.PROPERTY=VALUE */
    const char *flash_drives[2];     /* ids of drives that hold the flashes; NULL: if=pflash says */
    struct machine_options fw_cfg;   /* name=, and file= or string= */
    bool snapshot;                   /* writes to all drives are thrown away at the end */
    struct machine_semihosting semihosting;
    /* Ends of the wires. */
    struct byte_sink serial;    /* what the console sends: UART0, or who has the chardev stdio */
    const char *serial_chardev; /* the id of the one at UART0 and the SBI console; NULL: none */
    const char *serial_place;   /* where `serial` leads, for users ("stdio"); NULL: not said */
    struct log *log;
    bool aclint;    /* an ACLINT in place of the CLINT: SSWI beside it */
    bool stress;    /* shake every cache: TLB of one entry, blocks of one instruction */
    bool no_reboot; /* a guest reset ends the run */
    /* Nothing is loaded, and files to boot from are not looked for until a reset: the client loads
     * a snapshot (machine/snapshot.h) before the first run. */
    bool awaits_snapshot;
    uint64_t history_bytes; /* host memory for the past (machine/history.h); 0: it is not kept */
    uint64_t history_steps; /* between two checkpoints */
    bool awaits_replay;     /* networks are not opened: what came from them is in the recording */
};

/* Defaults of every field: what `rivulet` without options has. */
void machine_config_init(struct machine_config *config);

/* Whether machine_config.cpu can be this. */
bool machine_check_cpu(const char *cpu, struct error *err) MUST_CHECK;
/* The models that it can begin with, and the names that -device knows, in QEMU's form. */
void machine_list_cpus(const struct byte_sink *out);
void machine_list_devices(const struct byte_sink *out);
/* What one of these devices takes. False: there is no such device. */
bool machine_list_properties(const char *device, const struct byte_sink *out);
/* What -netdev and -object can begin with. */
void machine_list_netdevs(const struct byte_sink *out);
void machine_list_objects(const struct byte_sink *out);

struct machine;

/* Builds the board, loads firmware, kernel, initrd and device tree, resets. NULL and err if not. */
struct machine *machine_create(const struct machine_config *config, struct error *err);
void machine_destroy(struct machine *m);
/* A machine of the same configuration that takes the old one's disks and networks over, as they
 * are: for a state saved before and loaded after. The old one can only be destroyed then, and must
 * be before the new one runs or loads. NULL and err: the old one can only be destroyed too. */
struct machine *machine_succeed(struct machine *old, struct error *err);

enum machine_stop {
    MACHINE_TIME_LIMIT, /* until_ns reached */
    MACHINE_POWER_OFF,  /* status is the guest's: 0, or what it gave the test device */
    MACHINE_RESET,      /* a guest reset, and no_reboot */
    MACHINE_BREAKPOINT, /* hart stands before it; running on goes over it */
    MACHINE_WATCHPOINT, /* hart stands behind an instruction that touched watched bytes */
    MACHINE_STEPPED,    /* machine_stop_at: hart has made its steps */
    MACHINE_IO_ERROR,   /* the host could not do what a disk was asked; running on tries again */
    MACHINE_REQUEST,    /* machine_request_stop */
    MACHINE_REPLAYED,   /* the recording ends here (machine/record.h) */
    MACHINE_DIVERGED,   /* the replay is another run than the recording */
    /* A machine has none of these, but a program without a kernel has (debug/target.h). */
    MACHINE_SIGNAL,   /* status is its number: going on delivers it */
    MACHINE_REPLACED, /* it is another program now */
};

struct machine_exit {
    enum machine_stop stop;
    int status;         /* POWER_OFF: the guest's exit status, 0 to 255 */
    unsigned hart;      /* BREAKPOINT, WATCHPOINT, STEPPED */
    struct watch watch; /* WATCHPOINT: the one that was hit, from the first byte touched on */
};

/* Runs until something of enum machine_stop happens. until_ns is virtual time: the run ends at the
 * first round that ends at or after it. UINT64_MAX: no limit. Virtual time passes only in here. */
struct machine_exit machine_run(struct machine *m, uint64_t until_ns);
/* Makes machine_run return soon. Any thread, and signal handlers. */
void machine_request_stop(struct machine *m);
/* Makes machine_run return, once, when this hart's steps come to end_steps; other harts run in
 * their turns as ever. UINT64_MAX: no longer. */
void machine_stop_at(struct machine *m, unsigned hart, uint64_t end_steps);
/* The same for the sum of all harts' steps. */
void machine_stop_at_total(struct machine *m, uint64_t end_steps);
/* Back to power-on: memory reloaded, devices and harts reset; virtual time goes on. */
bool machine_reset(struct machine *m, struct error *err) MUST_CHECK;

/* Where console input enters: input_push(machine_door(m), machine_console_entry(m), ...). */
struct input_door *machine_door(struct machine *m);
unsigned machine_console_entry(const struct machine *m);
/* Where frames for the guest enter, each one push: what a network's back-end received, or what a
 * recording says that it did. INPUT_NO_ENTRY: there is no network of this id. */
unsigned machine_network_entry(struct machine *m, const char *id);

/* What the displays show, in the order of their devices; NULL: there are not so many. Between runs.
 */
struct screen;
struct screen *machine_screen(struct machine *m, unsigned i);
/* The one of the -device with this id; NULL: that shows nothing, or is not there. */
struct screen *machine_screen_of(struct machine *m, const char *device);
/* The first display that can tells its guest that it would like this size, which it then may set.
 * It is input, and enters by the door. False: no display can. */
bool machine_prefer_size(struct machine *m, uint32_t width, uint32_t height);
/* Where keys and pointer movements enter: each push is one group of struct input_event
 * (devices/display/input_event.h), its INPUT_SYN at the end. INPUT_NO_ENTRY: there is no such
 * device. */
enum machine_input { MACHINE_KEYBOARD, MACHINE_MOUSE, MACHINE_TABLET, MACHINE_INPUTS };
unsigned machine_input_entry(const struct machine *m, enum machine_input input);

/* The character back-end of this id for somebody who is no device: a monitor. It is the machine's,
 * and goes over to its successor as it is. NULL and err: there is none, or another has it. */
struct chardev;
struct chardev *machine_take_chardev(struct machine *m, const char *id, struct error *err);

/* One more, which goes over to the successor too; the option outlives both. */
bool machine_add_chardev(struct machine *m, const struct machine_option *option,
                         struct error *err) MUST_CHECK;
/* One that somebody has taken, and is attached to no more, is closed. */
void machine_remove_chardev(struct machine *m, const char *id);

/* Ports of the host that lead into the guest, changed while it runs: rule is what hostfwd= takes,
 * when removing without the guest's part (tcp::2222). netdev NULL: the first that has forwards. Any
 * thread. */
bool machine_add_forward(struct machine *m, const char *netdev, const char *rule,
                         struct error *err) MUST_CHECK;
bool machine_remove_forward(struct machine *m, const char *netdev, const char *rule,
                            struct error *err) MUST_CHECK;

/* What a person wants to know of a part of the machine, as lines of text. Between runs. */
enum machine_part {
    MACHINE_INTERRUPTS,
    MACHINE_DRIVES,
    MACHINE_NETWORKS,
    MACHINE_CONNECTIONS, /* of the networks */
    MACHINE_PCI,
    MACHINE_DEVICES, /* all, as a tree of buses */
};
void machine_describe(struct machine *m, enum machine_part part, const struct byte_sink *out);

/* The same for programs. Texts are the machine's. False: there are not so many. */
struct machine_traffic {
    uint64_t operations, bytes, failed; /* operations and bytes: of what did not fail */
    uint64_t host_ns;                   /* that it took on the host */
    uint64_t end;                       /* of the furthest one */
};
struct machine_drive {
    const char *id, *file, *format;
    uint64_t bytes, host_bytes; /* what the guest sees; what the file has on the host */
    unsigned backing_files;
    bool read_only, is_attached;
    bool write_through, direct, no_flush;                  /* of cache= */
    struct machine_traffic reads, writes, flushes, unmaps; /* what its device has had done */
};
bool machine_drive(const struct machine *m, unsigned i, struct machine_drive *drive);

struct machine_chardev {
    const char *id;
    const char *place; /* "pty:/dev/pts/3" */
    bool is_taken;     /* somebody on this side has it */
};
bool machine_chardev(const struct machine *m, unsigned i, struct machine_chardev *chardev);

/* A function on the PCI bus. */
struct machine_pci_bar {
    bool is_io, is_64, is_prefetchable;
    bool is_on; /* the command register lets it answer */
    uint64_t address, bytes;
};
#define MACHINE_PCI_BARS 6u
struct machine_pci {
    const char *name;
    unsigned slot, function, class_code;
    unsigned vendor, device, subsystem_vendor, subsystem;
    unsigned irq_pin, irq_line;                    /* pin 0: none */
    struct machine_pci_bar bars[MACHINE_PCI_BARS]; /* bytes 0: none */
};
bool machine_pci(const struct machine *m, unsigned i, struct machine_pci *pci);

/* What -device asked for; NULL: there are not so many. */
const struct machine_option *machine_device(const struct machine *m, unsigned i);
bool machine_has_device(const struct machine *m, const char *id);

/* Takes what a back-end of type ringbuf keeps, its last n bytes at most: how many, or -1 and err.
 */
long machine_read_ring(struct machine *m, const char *id, uint8_t *to, size_t n, struct error *err);

/* NULL: it has none. */
const char *machine_name(const struct machine *m);
/* machine_config.cpu, which is never NULL here. */
const char *machine_cpu(const struct machine *m);

/* Whom to tell, on the machine's thread, of what the host could not do for a disk: once each,
 * before the guest sees anything of it. */
struct machine_disk_error {
    const char *drive;  /* its id */
    const char *action; /* what comes of it: "report", "ignore" or "stop" */
    const char *reason; /* the host's */
    bool is_write, no_space;
};
void machine_on_disk_error(struct machine *m,
                           void (*tell)(void *owner, const struct machine_disk_error *error),
                           void *owner);

/* Virtual time, and the sum of all harts' steps. */
uint64_t machine_now_ns(const struct machine *m);
uint64_t machine_steps(const struct machine *m);
uint64_t machine_traps(const struct machine *m);

/* All guest state: save, load (into a machine of the same configuration) or hash. Between runs. */
void machine_state(struct machine *m, struct state *s);
uint64_t machine_hash(struct machine *m);

/* Breakpoints on virtual addresses, for every hart. */
bool machine_add_breakpoint(struct machine *m, uint64_t va) MUST_CHECK;
void machine_remove_breakpoint(struct machine *m, uint64_t va);

/* Watchpoints (cpu/watch.h), for every hart. Equal ones may be there several times. False: no
 * memory. */
bool machine_add_watchpoint(struct machine *m, const struct watch *w) MUST_CHECK;
void machine_remove_watchpoint(struct machine *m, const struct watch *w);

/* For debuggers and tests. */
struct hart;
struct hart *machine_hart(struct machine *m, unsigned id);

/* The device tree the guest gets, a flat blob owned by the machine. */
const void *machine_device_tree(const struct machine *m, size_t *size);

#endif
