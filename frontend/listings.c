/* What the program shows instead of running a machine: --help, and the lists that `help` as the
 * argument of an option asks for. Scripts look into them for what the emulator can do, so their
 * words are QEMU's. */
#include "frontend/listings.h"

#include "devices/chardev/chardev.h"
#include "frontend/debugger.h"

static void write_file(void *owner, const uint8_t *bytes, size_t n)
{
    fwrite(bytes, 1, n, owner);
}

static void list_chardevs(FILE *out)
{
    const char *type;
    fputs("Available chardev backend types:\n  stdio\n", out);
    for (unsigned i = 0; (type = chardev_type(i)) != NULL; i++)
        fprintf(out, "  %s\n", type);
}

static void print_text(enum options_action action, FILE *out)
{
    const struct byte_sink sink = {.write = write_file, .owner = out};
    switch (action) {
    case ACTION_RUN:
    case ACTION_LIST_PROPERTIES:
        return;
    case ACTION_HELP:
        options_print_help(out);
        return;
    case ACTION_DEBUG_HELP:
        debugger_print_help(out);
        return;
    case ACTION_VERSION:
        options_print_version(out);
        return;
    case ACTION_LIST_MACHINES:
        fputs("Supported machines are:\n"
              "virt                 RISC-V VirtIO board (default)\n",
              out);
        return;
    case ACTION_LIST_CPUS:
        machine_list_cpus(&sink);
        return;
    case ACTION_LIST_DEVICES:
        machine_list_devices(&sink);
        return;
    case ACTION_LIST_NETDEVS:
        machine_list_netdevs(&sink);
        return;
    case ACTION_LIST_CHARDEVS:
        list_chardevs(out);
        return;
    case ACTION_LIST_OBJECTS:
        machine_list_objects(&sink);
        return;
    case ACTION_LIST_DISPLAYS:
        fputs("Available display backend types:\nnone\nsdl\nvnc\nterminal\n", out);
        return;
    case ACTION_LIST_ACCELERATORS:
        fputs("tcg\n", out);
        return;
    }
}

bool listing_print(const struct options *options, FILE *out, struct error *err)
{
    const struct byte_sink sink = {.write = write_file, .owner = out};
    const char *device = options->listed_device;
    if (options->action == ACTION_LIST_PROPERTIES)
        return machine_list_properties(device, &sink) ||
               error_set(err, "-device %.80s: there is no such device; -device help lists all",
                         device);
    print_text(options->action, out);
    return true;
}
