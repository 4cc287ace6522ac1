/* The effects of options (contract: option_setters.h). */
#include "frontend/option_setters.h"

#include "base/os.h"
#include "base/values.h"
#include "frontend/option_date.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RAM_MOST_BYTES   (1ull << 40)
#define RAM_UNIT_BYTES   (1ull << 20)
#define ICOUNT_MAX_SHIFT 10u

/* --- lists of properties ----------------------------------------------------------------- */

/* A property of an option's list: the words that it may have, or a function that takes the value.
 */
struct property {
    const char *name;
    const char *const *words; /* NULL after the last; NULL itself: any value */
    option_setter *set;
};

static const char *find_word(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(word, *words) == 0)
            return *words;
    return NULL;
}

/* Appends the words to text, with spaces between them. */
static void join(char *text, size_t size, const char *const *words)
{
    size_t n = 0;
    *text = 0;
    for (; *words && n < size; words++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " " : "", *words);
}

static bool set_property(struct options *o, const struct property *p, const char *value,
                         struct error *err)
{
    char known[128];
    if (!value)
        return error_set(err, "%s needs a value: %s=...", p->name, p->name);
    if (!p->words || find_word(value, p->words))
        return !p->set || p->set(o, value, err);
    join(known, sizeof known, p->words);
    return error_set(err, "%s=%.80s is not there yet; it can be: %s", p->name, value, known);
}

static bool unknown_property(const char *key, const struct property *properties, struct error *err)
{
    const char *nearest = NULL;
    unsigned least = ~0u;
    for (const struct property *p = properties; p->name; p++) {
        unsigned distance = edit_distance(key, p->name);
        if (distance < least) {
            least = distance;
            nearest = p->name;
        }
    }
    return error_set(err, "unknown property '%.80s'; the nearest is %s", key, nearest);
}

static const struct property *find_property(const char *name, const struct property *properties)
{
    for (const struct property *p = properties; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

/* Sets what the rest of a list says. A first item without '=' counts as `implied`=item, unless it
 * is the name of a property, whose value was then forgotten. */
static bool set_properties(struct options *o, const char *list, const char *implied,
                           const struct property *properties, struct error *err)
{
    struct list_item item;
    err->text[0] = 0;
    for (bool first = true; list_next(&list, &item, err); first = false) {
        if (first && implied && !item.value && !find_property(item.key, properties)) {
            item.value = item.key;
            item.key = implied;
        }
        const struct property *p = find_property(item.key, properties);
        if (!p)
            return unknown_property(item.key, properties, err);
        if (!set_property(o, p, item.value, err))
            return false;
    }
    return err->text[0] == 0;
}

/* --- the machine ------------------------------------------------------------------------- */

static bool set_machine_type(struct options *o, const char *value, struct error *err)
{
    (void)o;
    if (strcmp(value, "virt") == 0)
        return true;
    return error_set(err, "no machine '%.80s'; there is: virt", value);
}

static bool set_aclint(struct options *o, const char *value, struct error *err)
{
    return value_switch(value, &o->machine.aclint) ||
           error_set(err, "aclint=%.80s: it can be on or off", value);
}

static bool set_dump_dtb(struct options *o, const char *value, struct error *err)
{
    size_t n = strlen(value);
    if (n == 0 || n >= sizeof o->dump_dtb)
        return error_set(err, "dumpdtb needs a file name of at most %zu bytes",
                         sizeof o->dump_dtb - 1);
    memcpy(o->dump_dtb, value, n + 1);
    return true;
}

static bool set_flash0(struct options *o, const char *value, struct error *err)
{
    return (o->machine.flash_drives[0] = keep_text(o, value, err)) != NULL;
}

static bool set_flash1(struct options *o, const char *value, struct error *err)
{
    return (o->machine.flash_drives[1] = keep_text(o, value, err)) != NULL;
}

bool set_accel(struct options *o, const char *value, struct error *err)
{
    (void)o;
    size_t n = strcspn(value, ",:");
    if (n == 3 && memcmp(value, "tcg", 3) == 0)
        return true;
    return error_set(err, "Rivulet needs no accelerator and has none; leave it out, or give tcg");
}

static bool set_reboot_action(struct options *o, const char *value, struct error *err)
{
    (void)err;
    o->machine.no_reboot = strcasecmp(value, "shutdown") == 0;
    return true;
}

static bool set_shutdown_action(struct options *o, const char *value, struct error *err)
{
    (void)err;
    o->no_shutdown = strcasecmp(value, "pause") == 0;
    return true;
}

bool set_action(struct options *o, const char *value, struct error *err)
{
    static const char *const reboot[] = {"reset", "shutdown", NULL};
    static const char *const shutdown[] = {"poweroff", "pause", NULL};
    static const char *const panic[] = {"none", "pause", "shutdown", "exit-failure", NULL};
    static const char *const watchdog[] = {"reset", "shutdown", "poweroff", "inject-nmi",
                                           "pause", "debug",    "none",     NULL};
    static const struct property properties[] = {
        {"reboot", reboot, set_reboot_action},
        {"shutdown", shutdown, set_shutdown_action},
        {"panic", panic, NULL},       /* there is no device by which a guest would tell, */
        {"watchdog", watchdog, NULL}, /* nor a watchdog */
        {NULL, NULL, NULL},
    };
    return set_properties(o, value, NULL, properties, err);
}

bool set_machine(struct options *o, const char *value, struct error *err)
{
    static const char *const off[] = {"off", "false", "no", NULL};
    static const char *const off_or_auto[] = {"off", "auto", NULL};
    static const char *const none[] = {"none", NULL};
    static const char *const zero[] = {"0", NULL};
    static const struct property properties[] = {
        {"type", NULL, set_machine_type},
        {"dumpdtb", NULL, set_dump_dtb},
        {"accel", NULL, set_accel},
        {"pflash0", NULL, set_flash0},
        {"pflash1", NULL, set_flash1},
        {"aclint", NULL, set_aclint},
        {"aia", none, NULL},
        {"aia-guests", zero, NULL},
        {"acpi", off_or_auto, NULL},
        {"iommu-sys", off_or_auto, NULL},
        {"usb", off, NULL},
        {"graphics", NULL, NULL},
        {"dump-guest-core", NULL, NULL},
        {"mem-merge", NULL, NULL},
        {NULL, NULL, NULL},
    };
    return set_properties(o, value, "type", properties, err);
}

/* --- memory and harts -------------------------------------------------------------------- */

bool set_cpu(struct options *o, const char *value, struct error *err)
{
    o->machine.cpu = value;
    return machine_check_cpu(value, err);
}

static bool set_memory_size(struct options *o, const char *value, struct error *err)
{
    uint64_t bytes;
    if (!value_size(value, RAM_UNIT_BYTES, &bytes))
        return error_set(err, "not a size; give for example 512M or 2G (a plain number is MiB)");
    if (bytes == 0)
        return error_set(err, "a machine needs some RAM; give for example 512M");
    if (bytes > RAM_MOST_BYTES)
        return error_set(err, "too much RAM; at most 1T is possible");
    if (bytes % MACHINE_PAGE_BYTES)
        return error_set(err, "RAM comes in pages of 4K; give for example 512M");
    o->machine.ram_bytes = bytes;
    o->memory_given = true;
    return true;
}

/* With no slots for more of it. */
static bool check_most_memory(struct options *o, const char *value, struct error *err)
{
    uint64_t bytes;
    (void)o;
    return value_size(value, RAM_UNIT_BYTES, &bytes) ||
           error_set(err, "maxmem=%.40s is not a size; give for example 512M", value);
}

bool set_memory(struct options *o, const char *value, struct error *err)
{
    static const char *const zero[] = {"0", NULL};
    static const struct property properties[] = {
        {"size", NULL, set_memory_size},
        {"slots", zero, NULL},
        {"maxmem", NULL, check_most_memory},
        {NULL, NULL, NULL},
    };
    return set_properties(o, value, "size", properties, err);
}

/* cpus=N decides; without it the product of the topology, which the board does not show. */
bool set_smp(struct options *o, const char *value, struct error *err)
{
    static const char *const levels[] = {"sockets", "dies", "clusters", "cores", "threads", NULL};
    struct list_item item;
    const char *list = value;
    uint64_t cpus = 0, product = 1, number;
    err->text[0] = 0;
    while (list_next(&list, &item, err)) {
        const char *text = item.value ? item.value : item.key;
        const char *key = item.value ? item.key : "cpus";
        if (!value_number(text, &number))
            return error_set(err, "'%.80s' is not a number of harts; give 1 to %u", text,
                             MACHINE_MAX_HARTS);
        if (number == 0 || number > MACHINE_MAX_HARTS)
            return error_set(err, "%s must be 1 to %u", key, MACHINE_MAX_HARTS);
        if (strcmp(key, "cpus") == 0)
            cpus = number;
        else if (find_word(key, levels))
            product *= number;
        else if (strcmp(key, "maxcpus") != 0)
            return error_set(err,
                             "unknown property '%.80s'; known are cpus, maxcpus, sockets, "
                             "dies, clusters, cores, threads",
                             key);
    }
    if (!cpus)
        cpus = product;
    if (!err->text[0] && cpus > MACHINE_MAX_HARTS)
        return error_set(err, "these are %llu harts; at most %u are possible",
                         (unsigned long long)cpus, MACHINE_MAX_HARTS);
    o->machine.harts = (unsigned)cpus;
    o->harts_given = true;
    return err->text[0] == 0;
}

bool set_bios(struct options *o, const char *value, struct error *err)
{
    if (!*value)
        return error_set(err, "needs a file, none or default");
    o->machine.bios_file = NULL;
    if (strcmp(value, "none") == 0)
        o->machine.bios = BIOS_NONE;
    else if (strcmp(value, "default") == 0)
        o->machine.bios = BIOS_BUILT_IN;
    else {
        o->machine.bios = BIOS_FILE;
        o->machine.bios_file = value;
    }
    return true;
}

/* [guest=]NAME; what else QEMU knows here is about processes and threads. */
bool set_name(struct options *o, const char *value, struct error *err)
{
    struct list_item item;
    err->text[0] = 0;
    while (list_next(&value, &item, err)) {
        const char *name = !item.value                      ? item.key
                           : strcmp(item.key, "guest") == 0 ? item.value
                                                            : NULL;
        if (name && !(o->machine.name = keep_text(o, name, err)))
            return false;
    }
    return err->text[0] == 0;
}

bool add_folder(struct options *o, const char *value, struct error *err)
{
    if (o->folder_count == OPTION_FOLDERS_MAX)
        return error_set(err, "there are %u already", o->folder_count);
    o->folders[o->folder_count++] = value;
    return true;
}

/* --- semihosting ------------------------------------------------------------------------- */

static bool set_semihosting_enabled(struct options *o, const char *value, struct error *err)
{
    return value_switch(value, &o->machine.semihosting.is_enabled) ||
           error_set(err, "enable=%.80s: it can be on or off", value);
}

static bool set_semihosting_user(struct options *o, const char *value, struct error *err)
{
    return value_switch(value, &o->machine.semihosting.in_user_mode) ||
           error_set(err, "userspace=%.80s: it can be on or off", value);
}

static bool set_semihosting_chardev(struct options *o, const char *value, struct error *err)
{
    return (o->machine.semihosting.chardev = keep_text(o, value, err)) != NULL;
}

static bool set_semihosting_folder(struct options *o, const char *value, struct error *err)
{
    return (o->machine.semihosting.folder = keep_text(o, value, err)) != NULL;
}

/* One more word of the program's command line. */
static bool add_semihosting_word(struct options *o, const char *value, struct error *err)
{
    char *line = o->semihosting_line;
    size_t n = strlen(line), room = sizeof o->semihosting_line - n;
    bool is_first = !o->machine.semihosting.command_line;
    if ((size_t)snprintf(line + n, room, "%s%s", is_first ? "" : " ", value) >= room)
        return error_set(err, "all arguments together have at most %zu bytes",
                         sizeof o->semihosting_line - 1);
    o->machine.semihosting.command_line = line;
    return true;
}

bool set_semihosting(struct options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    return o->machine.semihosting.is_enabled = true;
}

bool set_semihosting_config(struct options *o, const char *value, struct error *err)
{
    static const char *const targets[] = {"native", "auto", NULL};
    static const struct property properties[] = {
        {"enable", NULL, set_semihosting_enabled},
        {"target", targets, NULL},
        {"userspace", NULL, set_semihosting_user},
        {"arg", NULL, add_semihosting_word},
        {"chardev", NULL, set_semihosting_chardev},
        {"dir", NULL, set_semihosting_folder},
        {NULL, NULL, NULL},
    };
    o->machine.semihosting.is_enabled = true;
    return set_properties(o, value, "enable", properties, err);
}

/* --- the console ------------------------------------------------------------------------- */

/* Its back-end is opened, as QEMU does, and nobody is at the other end. */
static bool add_further_serial(struct options *o, const char *value, struct error *err)
{
    const char *id;
    char label[32];
    if (strcmp(value, "null") == 0 || strcmp(value, "none") == 0)
        return true;
    if (strcmp(value, "mon:stdio") == 0 || strcmp(value, "stdio") == 0)
        return error_set(err, "the board has one serial port, the first -serial");
    snprintf(label, sizeof label, "serial%u", o->serial_count - 1);
    return add_character_end(o, value, label, &id, err);
}

bool set_serial(struct options *o, const char *value, struct error *err)
{
    if (o->serial_count++)
        return add_further_serial(o, value, err);
    o->shares_stdio = strcmp(value, "mon:stdio") == 0;
    if (o->shares_stdio || strcmp(value, "stdio") == 0)
        o->serial = SERIAL_STDIO;
    else if (strcmp(value, "null") == 0 || strcmp(value, "none") == 0)
        o->serial = SERIAL_NULL;
    else if (strncmp(value, "file:", 5) == 0 && value[5]) {
        o->serial = SERIAL_FILE;
        o->serial_file = value + 5;
    } else {
        o->serial = SERIAL_CHARDEV;
        return add_character_end(o, value, "serial0", &o->machine.serial_chardev, err);
    }
    return true;
}

static bool begins_with_word(const char *value, const char *word)
{
    size_t n = strcspn(value, ",");
    return strlen(word) == n && memcmp(value, word, n) == 0;
}

/* What follows the first word says how SDL is to draw, and is not looked at. curses is QEMU's name
 * of what shows text alone. */
bool set_display(struct options *o, const char *value, struct error *err)
{
    bool is_none = begins_with_word(value, "none");
    if (o->vnc && !is_none) /* a server is no display of the host's */
        return error_set(err, "there is a VNC server already; give one of them");
    if (is_none)
        o->display = o->vnc ? DISPLAY_VNC : DISPLAY_NONE;
    else if (begins_with_word(value, "sdl"))
        o->display = DISPLAY_SDL;
    else if (begins_with_word(value, "terminal") || begins_with_word(value, "curses"))
        o->display = DISPLAY_TERMINAL;
    else if (strncmp(value, "vnc=", 4) == 0)
        return set_vnc(o, value + 4, err);
    else
        return error_set(err, "it can be: sdl vnc=HOST:N terminal none");
    return true;
}

bool set_vnc(struct options *o, const char *value, struct error *err)
{
    if (strcmp(value, "none") == 0)
        return true;
    if (o->display == DISPLAY_SDL || o->display == DISPLAY_TERMINAL)
        return error_set(err, "there is another -display already; give one of them");
    o->display = DISPLAY_VNC;
    o->vnc = value; /* read when it is opened: a secret may come later */
    return true;
}

/* The board has no graphics card but what -device adds, and nor has QEMU's. */
bool set_vga(struct options *o, const char *value, struct error *err)
{
    (void)o;
    return strcmp(value, "none") == 0 ||
           error_set(err, "the board has no graphics by itself; give -device virtio-gpu-pci or "
                          "bochs-display");
}

bool accept_none(struct options *o, const char *value, struct error *err)
{
    (void)o;
    size_t n = strcspn(value, ",");
    bool is_nothing = n == 4 && (!memcmp(value, "none", 4) || !memcmp(value, "null", 4));
    if (is_nothing || strcmp(value, "off") == 0)
        return true;
    return error_set(err, "not there yet; leave it out, or give none");
}

/* --- time and chance --------------------------------------------------------------------- */

static bool set_icount_shift(struct options *o, const char *value, struct error *err)
{
    uint64_t shift;
    o->machine.icount = strcmp(value, "off") != 0;
    if (!o->machine.icount || strcmp(value, "auto") == 0)
        return true;
    if (!value_number(value, &shift) || shift > ICOUNT_MAX_SHIFT)
        return error_set(err, "shift is 0 to %u (a step is 2^shift ns), auto or off",
                         ICOUNT_MAX_SHIFT);
    o->machine.icount_shift = (unsigned)shift;
    return true;
}

static bool set_icount_sleep(struct options *o, const char *value, struct error *err)
{
    o->sleep_given = value_switch(value, &o->machine.icount_sleep);
    return o->sleep_given || error_set(err, "sleep is on or off");
}

bool set_incoming(struct options *o, const char *value, struct error *err)
{
    if (strncmp(value, "file:", 5) != 0)
        return error_set(err, "only file:FILE is possible");
    o->load_file = value + 5;
    o->load_is_file = true;
    return true;
}

static bool set_recording(struct options *o, const char *value, struct error *err)
{
    o->rr_given = true;
    o->replays = strcmp(value, "replay") == 0;
    return o->replays || strcmp(value, "record") == 0 ||
           error_set(err, "rr is record or replay; the file is rrfile=FILE");
}

static bool set_recording_file(struct options *o, const char *value, struct error *err)
{
    o->record_file = keep_text(o, value, err);
    return o->record_file != NULL;
}

bool set_record(struct options *o, const char *value, struct error *err)
{
    if (o->record_file)
        return error_set(err,
                         "there is the recording %.200s already: give -record or -replay, "
                         "once",
                         o->record_file);
    o->machine.icount = true;
    o->record_file = value;
    return true;
}

bool set_replay(struct options *o, const char *value, struct error *err)
{
    o->replays = true;
    return set_record(o, value, err);
}

bool set_history(struct options *o, const char *value, struct error *err)
{
    o->machine.icount = true;
    return (value_size(value, RAM_UNIT_BYTES, &o->machine.history_bytes) &&
            o->machine.history_bytes) ||
           error_set(err, "not a size; give for example 512M");
}

bool set_icount(struct options *o, const char *value, struct error *err)
{
    static const char *const off[] = {"off", NULL};
    static const struct property properties[] = {
        {"shift", NULL, set_icount_shift},
        {"sleep", NULL, set_icount_sleep},
        {"rr", NULL, set_recording},
        {"rrfile", NULL, set_recording_file},
        {"align", off, NULL},
        {NULL, NULL, NULL},
    };
    o->machine.icount = o->icount_given = true;
    return set_properties(o, value, "shift", properties, err);
}

bool set_seed(struct options *o, const char *value, struct error *err)
{
    return value_number(value, &o->machine.seed) ||
           error_set(err, "not a number; give 0 to 2^64 - 1, decimal or 0x...");
}

static bool set_rtc_base(struct options *o, const char *value, struct error *err)
{
    o->rtc_given = true;
    o->machine.rtc = strcmp(value, "utc") == 0 ? RTC_HOST : RTC_FIXED;
    if (o->machine.rtc == RTC_HOST)
        return true;
    if (strcmp(value, "localtime") == 0) {
        time_t now = time(NULL);
        struct tm local;
        localtime_r(&now, &local);
        o->machine.rtc_epoch_ns =
            os_wall_clock_ns() + (uint64_t)((int64_t)local.tm_gmtoff * 1000000000);
        return true;
    }
    return value_date(value, &o->machine.rtc_epoch_ns) ||
           error_set(err, "base is utc, localtime, or a date like 2006-06-17T16:01:21");
}

bool set_rtc(struct options *o, const char *value, struct error *err)
{
    static const char *const vm[] = {"vm", "host", "rt", NULL};
    static const char *const none[] = {"none", NULL};
    static const struct property properties[] = {
        {"base", NULL, set_rtc_base},
        {"clock", vm, NULL},
        {"driftfix", none, NULL},
        {NULL, NULL, NULL},
    };
    return set_properties(o, value, NULL, properties, err);
}

/* --- debugging and tests ----------------------------------------------------------------- */

bool set_log_topics(struct options *o, const char *value, struct error *err)
{
    unsigned topics;
    if (!log_parse_topics(value, &topics, err))
        return false;
    o->log_topics |= topics;
    return true;
}

bool set_until(struct options *o, const char *value, struct error *err)
{
    return value_time(value, &o->until_ns) ||
           error_set(err, "not a time; give for example 1.5s, 200ms, or nanoseconds");
}

static bool keep_word(const char **words, unsigned *count, const char *value, struct error *err)
{
    if (*count == OPTION_TRACES)
        return error_set(err, "%u of them are the most", OPTION_TRACES);
    words[(*count)++] = value;
    return true;
}

bool add_trace(struct options *o, const char *value, struct error *err)
{
    return keep_word(o->traces, &o->trace_count, value, err);
}

bool add_symbols(struct options *o, const char *value, struct error *err)
{
    return keep_word(o->symbols, &o->symbols_count, value, err);
}

bool add_breakpoint(struct options *o, const char *value, struct error *err)
{
    struct option_list *list = &o->breakpoints;
    if (list->count == OPTION_LIST_MAX)
        return error_set(err, "there are %u already", list->count);
    return value_number(value, &list->items[list->count++]) ||
           error_set(err, "not an address; give for example 0x80200000");
}

/* Kept in rising order. */
bool add_save_load(struct options *o, const char *value, struct error *err)
{
    struct option_list *list = &o->save_loads;
    uint64_t ns;
    if (list->count == OPTION_LIST_MAX)
        return error_set(err, "there are %u already", list->count);
    if (!value_time(value, &ns))
        return error_set(err, "not a time; give for example 1.5s, 200ms, or nanoseconds");
    unsigned i = list->count++;
    for (; i > 0 && list->items[i - 1] > ns; i--)
        list->items[i] = list->items[i - 1];
    list->items[i] = ns;
    return true;
}
