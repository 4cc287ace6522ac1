/* What the options of the table in options.c do that more is to say about than "store the text".
 * Each gets the option's argument; on false err tells what is wrong with it, and options.c puts the
 * option and the argument before. */
#ifndef RIVULET_FRONTEND_OPTION_SETTERS_H
#define RIVULET_FRONTEND_OPTION_SETTERS_H

#include "frontend/options.h"

typedef bool option_setter(struct options *o, const char *value, struct error *err);

option_setter set_machine, set_cpu, set_memory, set_smp, set_accel;
option_setter set_bios, add_folder, set_action, set_name, set_semihosting, set_semihosting_config;
option_setter set_serial, set_monitor, set_qmp, set_qmp_pretty, set_gdb, set_gdb_default,
    set_incoming, set_record, set_replay, set_history, add_monitor, set_vnc, set_display, set_vga,
    accept_none;
option_setter set_icount, set_seed, set_rtc;
option_setter set_log_topics, set_until, add_breakpoint, add_save_load, add_trace, add_symbols;

/* device_options.c: lists of properties, whose meaning is the machine's. */
option_setter add_device, add_drive, add_netdev, add_nic, add_chardev, add_object, add_global,
    add_fw_cfg, add_flash, add_disk, add_cdrom;
option_setter add_blockdev; /* blockdev_option.c */
/* A drive behind the others, whose file name may hold commas. */
bool append_drive(struct options *o, const struct machine_option *drive,
                  struct error *err) MUST_CHECK;
/* A disk that `rivulet FILE` asks for; the texts outlive the options. */
bool add_first_disk(struct options *o, const char *file, const char *format, struct error *err);
/* The next flash, with this switch of -drive on; NULL: none. */
bool add_flash_drive(struct options *o, const char *file, const char *what, struct error *err);

/* The properties of a list or of a JSON object, which live as long as the options. A first word
 * alone is the value of `implied`, if that is not NULL. */
bool read_properties(struct options *o, struct machine_option *option, const char *implied,
                     const char *list, struct error *err) MUST_CHECK;
/* json_properties.c: those of a JSON object, whose text begins with '{'. */
bool read_json_properties(struct options *o, struct machine_option *option, const char *text,
                          struct error *err) MUST_CHECK;
/* One more; `value` may be NULL. */
bool add_property(struct options *o, struct machine_option *option, const char *name,
                  const char *value, struct error *err) MUST_CHECK;

/* A copy that lives as long as the options; NULL and err: no room. */
const char *keep_text(struct options *o, const char *text, struct error *err);

/* Adds the -chardev that the argument of -serial or -monitor spells, such as unix:PATH,server=on.
 * *id is `label`, QEMU's name of this end ("serial0"), or, for `chardev:ID`, that of another. */
bool add_character_end(struct options *o, const char *text, const char *label, const char **id,
                       struct error *err) MUST_CHECK;

/* remote_options.c: who has standard input and output, when all options are known. */
bool settle_terminal(struct options *o, struct error *err) MUST_CHECK;

#endif
