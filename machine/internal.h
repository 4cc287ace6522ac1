/* The machine's parts, for the files of machine/ alone. */
#ifndef RIVULET_MACHINE_INTERNAL_H
#define RIVULET_MACHINE_INTERNAL_H

#include "base/random.h"
#include "cpu/code.h"
#include "cpu/hart.h"
#include "devices/device.h"
#include "devices/virtio/virtio.h"
#include "firmware/fdt.h"
#include "firmware/sbi.h"
#include "machine/machine.h"

#include <stdatomic.h>

#define RAM_BASE   0x80000000ull
#define FLASH_BASE 0x20000000ull

#define VIRTIO_MMIO_SLOTS 8u

/* Devices by their place in the board table (board.c). */
enum board_slot {
    SLOT_PLIC,
    SLOT_CLINT,
    SLOT_SSWI, /* with aclint=on alone: else there is no device */
    SLOT_TEST,
    SLOT_RTC,
    SLOT_UART0,
    SLOT_PCI,
    SLOT_FW_CFG,
    SLOT_FLASH0,
    SLOT_FLASH1,
    SLOT_VIRTIO7, /* to 0: in the order of the device tree, and so of the disks' names */
    BOARD_SLOTS = SLOT_VIRTIO7 + VIRTIO_MMIO_SLOTS,
};

/* The longest round: one hart alone, whose console input is seen 15,000 times a second. */
#define ROUND_STEPS_MOST 65536u

/* Where a round stands: all harts run the same virtual interval in turn. */
struct round {
    bool running;
    uint64_t start_ns, end_ns;
    uint32_t turn;         /* the hart whose turn it is */
    bool turn_started;     /* its time base is set: go on, do not start again */
    uint64_t random_state; /* slice lengths with several harts */
};

struct recorder;
struct history;
struct moment;
struct machine_place;
struct semihost;

struct machine {
    /* --- guest state --- */
    struct round round;
    struct hart *harts[MACHINE_MAX_HARTS];
    struct device *devices[BOARD_SLOTS];
    struct device *displays[MACHINE_SCREENS_MAX]; /* those on no bus, in the order of -device */
    struct sbi *sbi;
    struct semihost *semihost; /* NULL: none */
    struct device *htif;       /* NULL: none */
    struct memory_map *memory;
    struct event_queue events;
    /* --- host side --- */
    struct machine_config config;
    struct hart_isa isa;
    struct clock clock;
    struct code_cache *code;
    struct input_door *door;
    unsigned uart_entry;       /* of the door: bytes for UART0 */
    struct byte_sink uart_end; /* its chardev */
    struct chardevs *chardevs;
    struct serial_bus *serial_buses;
    struct drives *drives;
    struct fw_items *fw_items;
    struct nets *nets;
    struct virtio *mmio_virtio[VIRTIO_MMIO_SLOTS]; /* who is on each bus; the slot destroys it */
    bool virtio_legacy;
    struct virtio *disks[MACHINE_DRIVES_MAX];
    unsigned disk_count;
    unsigned display_count;
    struct screen *screens[MACHINE_SCREENS_MAX]; /* of all displays, each the device's */
    const char *screen_ids[MACHINE_SCREENS_MAX]; /* of their -device; NULL: it has none */
    unsigned screen_count;
    struct virtio *sized_gpu;                  /* the first one; NULL: none */
    unsigned size_entry;                       /* of the door: sizes for it */
    struct fdt_framebuffer simple_framebuffer; /* at the end of RAM, which is not loaded into */
    bool has_input[MACHINE_INPUTS];
    unsigned input_entries[MACHINE_INPUTS]; /* of the door: groups of events */
    unsigned nic_count;                     /* those whose address was not given */
    void (*tell_disk_error)(void *owner, const struct machine_disk_error *error); /* or NULL */
    void *disk_error_owner;
    unsigned disk_entry; /* of the door: some disk has done a request */
    uint8_t *device_tree;
    size_t device_tree_size;
    bool ends;        /* `exit` says why: the guest asked for it, or a disk */
    bool wants_reset; /* the guest asked for a reset that is to be done */
    struct machine_exit exit;
    unsigned step_hart; /* machine_stop_at */
    uint64_t step_end;
    uint64_t total_end; /* machine_stop_at_total */
    struct watch *watches;
    unsigned watch_count;
    atomic_bool stop_requested;
    struct recorder *recorder;   /* NULL: nothing is recorded or replayed */
    struct history *history;     /* NULL: it is not kept */
    struct moment *moment;       /* of the checkpoint (checkpoint.h); NULL: none */
    bool (*attend)(void *owner); /* machine_on_attention */
    void *attend_owner;
    bool is_muted;  /* a client has asked for silence */
    bool is_silent; /* what the guest says goes nowhere: muted, or said before */
};

/* --- board.c --- */

bool board_build(struct machine *m, struct error *err) MUST_CHECK;
void board_destroy(struct machine *m);
void board_reset(struct machine *m);
/* The row of the table, whether or not the device is there. */
const struct board_row *board_row(unsigned slot);
/* What UART0 and the SBI console send. */
void machine_uart_write(void *machine, const uint8_t *bytes, size_t n);
/* Builds the device tree; `loaded` says where the initrd lies (start = end: none). */
bool board_device_tree(struct machine *m, uint64_t initrd_start, uint64_t initrd_end,
                       struct error *err) MUST_CHECK;

/* --- boot.c --- */

/* Whether firmware in a flash gets the kernel by fw_cfg and starts it. */
bool boot_is_by_flash(const struct machine *m);

/* Loads firmware, kernel, initrd and device tree into zeroed memory, and puts the harts where they
 * begin. */
bool boot_load(struct machine *m, struct error *err) MUST_CHECK;

/* Everything as at power-on, and nothing to run: for a state that is to be loaded. */
void boot_nothing(struct machine *m);

/* --- record.c --- */

/* Where a recording or replay stands when a round is about to begin. */
struct recorder_place {
    size_t log;
    uint64_t last_ns, next_hash_ns, hashes;
};
struct recorder_place recorder_place(const struct recorder *r);
/* What came since then comes again, until it has all come: then it is recorded on, if it was. */
void recorder_return(struct recorder *r, const struct recorder_place *place);
/* The machine is about to be moved to its past: this is its present. */
void recorder_leave_present(struct recorder *r);
/* The machine was moved. Harts that slept before the present, and make no step from here to it,
 * sleep up to it again; and who is there again hears the world from now on. */
bool recorder_arrive(struct recorder *r, struct error *err) MUST_CHECK;
/* Whether something is missing in the log, for want of memory: no moment can be gone back to. */
bool recorder_has_hole(const struct recorder *r);
/* Whether what the machine does now has been done before. */
bool recorder_is_past(const struct recorder *r);

/* A round begins at now_ns. Instead of a delivery of the door. */
void recorder_round(struct recorder *r, uint64_t now_ns);
/* Its events have run. */
void recorder_after_events(struct recorder *r, uint64_t now_ns);
/* All harts sleep at now_ns, and no round runs. */
void recorder_sleep(struct recorder *r, uint64_t now_ns);
/* Who gives something to the machine at this moment of a replay: the entry of the door, or the
 * debugger; NULL: nobody. */
const char *recorder_giver(const struct recorder *r);
/* Where a replay must stand next; UINT64_MAX: nowhere. */
uint64_t recorder_next_ns(const struct recorder *r);
bool recorder_is_replay(const struct recorder *r);
/* Within a round the guest asks the host for something. True: in a replay, and this is what was
 * answered, with as many bytes as it says, up to n; a replay that becomes another run ends. False:
 * the host is to be asked, and recorder_keep to be told. */
bool recorder_recall(struct recorder *r, int64_t *result, void *bytes, size_t n);
void recorder_keep(struct recorder *r, int64_t result, const void *bytes, size_t n);

/* Where in its round the machine stands: with the time at which the round began it is one moment of
 * the run, since harts take turns. */
struct edit_place {
    uint64_t ns;       /* at which the round began, or the next one will */
    uint64_t steps;    /* all harts' */
    bool is_in_round;  /* else between two rounds */
    bool is_delivered; /* between two rounds: behind what came from outside */
    uint32_t turn;     /* in a round: the hart whose turn it is */
    bool turn_started;
    bool waits;   /* it sleeps */
    bool fetched; /* it has the page of its next instruction, as at a breakpoint */
};
struct machine_edit;
bool recorder_may_edit(const struct recorder *r, struct error *err) MUST_CHECK;
struct edit_place recorder_edit_place(struct recorder *r);
void recorder_add_edit(struct recorder *r, const struct edit_place *place,
                       const struct machine_edit *e);
/* What was edited here in the recorded run is edited now. True: something was, and the machine may
 * want a reset. */
bool recorder_edit(struct recorder *r);
/* Whether there is something left for recorder_edit to do here. */
bool recorder_edit_is_due(struct recorder *r);
/* All harts' steps at which this round must stand for an edit; UINT64_MAX: there is none. */
uint64_t recorder_edit_steps(const struct recorder *r);

/* --- edit.c --- */

bool edit_apply(struct machine *m, const struct machine_edit *e, struct error *err) MUST_CHECK;

/* --- run.c --- */

/* Between two rounds: all harts stand at the same time. */
void machine_meet(struct machine *m);

/* --- machine.c: the state without RAM, which its user keeps in another way --- */

/* A walk that has saved it; NULL and err. */
struct state *machine_save_but_ram(struct machine *m, struct error *err);
bool machine_load_but_ram(struct machine *m, const void *bytes, size_t n,
                          struct error *err) MUST_CHECK;

/* --- history.c --- */

/* A round is about to begin. */
void history_round(struct history *h);
void history_destroy(struct history *h);
/* Runs on to where machine_stop_at says, whatever debuggers have set. */
bool history_run(struct machine *m, struct error *err) MUST_CHECK;
/* From a place's moment through the sleep that follows, if one does, to the place. */
bool history_sleep_to(struct machine *m, const struct machine_place *place,
                      struct error *err) MUST_CHECK;

/* --- machine.c: what the guest asks for, from inside an instruction --- */

void machine_end(struct machine *m, enum machine_stop stop, int status);
void machine_want_reset(struct machine *m);

#endif
