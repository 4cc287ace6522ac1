/* The command line, in QEMU's spelling (VIRT.md section 6): one table gives each option its names,
 * argument, effect and line of --help. What QEMU knows and Rivulet does not need is accepted; what
 * it does not have yet, and what nobody knows, is an error of one line. */
#ifndef RIVULET_FRONTEND_OPTIONS_H
#define RIVULET_FRONTEND_OPTIONS_H

#include "base/error.h"
#include "frontend/remote.h"
#include "machine/machine.h"

#include <stdio.h>

#define OPTION_LIST_MAX    64u
#define OPTION_PATH_MAX    1024u
#define OPTION_FOLDERS_MAX 8u
#define OPTION_REMOTES     8u
#define OPTION_TRACES      16u

enum options_action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_DEBUG_HELP,
    ACTION_VERSION,
    ACTION_LIST_MACHINES,
    ACTION_LIST_CPUS,
    ACTION_LIST_DEVICES,
    ACTION_LIST_PROPERTIES,
    ACTION_LIST_NETDEVS,
    ACTION_LIST_CHARDEVS,
    ACTION_LIST_OBJECTS,
    ACTION_LIST_DISPLAYS,
    ACTION_LIST_ACCELERATORS,
};
enum serial_kind { SERIAL_STDIO, SERIAL_FILE, SERIAL_NULL, SERIAL_CHARDEV };

struct option_list {
    uint64_t items[OPTION_LIST_MAX];
    unsigned count;
};

#define OPTION_GROUP_MAX   32u
#define OPTION_TEXTS_BYTES 16384u

/* All -device, or all -drive, ...; machine.devices, ... show it to the machine. */
struct option_group {
    struct machine_option items[OPTION_GROUP_MAX];
    unsigned count;
};

/* What the command line asks for; texts point into argv and into this struct itself, which
 * therefore stays where it is. */
/* From DISPLAY_SDL on somebody may look and type.
 * DISPLAY_IF_ANY: a window when the machine has a display and the host too, unless -nographic. */
enum display_kind { DISPLAY_IF_ANY, DISPLAY_NONE, DISPLAY_SDL, DISPLAY_VNC, DISPLAY_TERMINAL };

struct options {
    enum options_action action;
    const char *listed_device;      /* ACTION_LIST_PROPERTIES */
    struct machine_config machine;  /* all but the ends of its wires */
    const char *file;               /* the word without an option (boot_file.h); NULL: none */
    char dump_dtb[OPTION_PATH_MAX]; /* "": no */
    enum serial_kind serial;
    const char *serial_file;         /* SERIAL_FILE */
    unsigned serial_count;           /* how often -serial was given: the board has one */
    bool has_stdio_chardev;          /* the terminal is its */
    bool has_monitor, monitor_given; /* on standard input and output */
    bool has_qmp, qmp_is_pretty;     /* likewise, instead of a monitor */
    bool shares_stdio;               /* serial port and monitor: Ctrl-A c switches */
    struct remote_config remotes[OPTION_REMOTES]; /* further ones, at character back-ends */
    unsigned remote_count;
    bool nographic;
    enum display_kind display;
    const char *vnc; /* DISPLAY_VNC: frontend/vnc.h reads it */
    bool starts_stopped, no_shutdown;
    bool debugger; /* `rivulet debug`: it has the terminal */
    /* Else the default depends on other options. */
    bool rtc_given, icount_given, sleep_given, memory_given, harts_given;
    bool no_defaults;
    bool draws_in_terminal;                  /* the demo guest (demo_guest.h) */
    const char *demo_place;                  /* where it draws, in words; NULL: it is not run */
    const char *folders[OPTION_FOLDERS_MAX]; /* where firmware is looked for first */
    unsigned folder_count;
    unsigned log_topics;
    const char *log_file; /* NULL: stderr */
    const char *script_file;
    const char *load_file;   /* a snapshot; NULL: none */
    bool load_is_file;       /* whatever it looks like */
    const char *record_file; /* NULL: not recorded; with `replays` it is played */
    bool rr_given, replays;
    uint64_t until_ns; /* UINT64_MAX: no limit */
    bool show_hash;
    bool is_fork_server;      /* fork_server.h */
    const char *pid_file;     /* NULL: none */
    const char *picture_file; /* of the display, at the end; NULL: none */
    struct option_list breakpoints;
    const char *traces[OPTION_TRACES]; /* debug/trace.h */
    unsigned trace_count;
    const char *symbols[OPTION_TRACES];
    unsigned symbols_count;
    struct option_list save_loads; /* virtual times, in rising order */
    char semihosting_line[OPTION_PATH_MAX];
    struct option_group devices, drives, netdevs, nics, chardevs, objects, globals, fw_cfg;
    char texts[OPTION_TEXTS_BYTES]; /* of the groups */
    size_t texts_used;
};

bool options_parse(struct options *o, int argc, char **argv, struct error *err) MUST_CHECK;
/* One more option, without its dash; value NULL: it has none. */
bool options_give(struct options *o, const char *name, const char *value,
                  struct error *err) MUST_CHECK;
/* Whether the first flash may hold what boots. */
bool options_have_flash(const struct options *o);
/* Whether there is a -device whose name begins like this. */
bool options_have_device(const struct options *o, const char *prefix);
/* Whether the program was built with this library ("libslirp"). */
bool options_have_library(const char *name);
void options_print_help(FILE *out);
void options_print_version(FILE *out);

#endif
