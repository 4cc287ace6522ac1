/* What the program shows instead of running a machine: --help, and the lists that `help` as the
 * argument of an option asks for. Scripts look into them for what the emulator can do, so their
 * words are QEMU's. */
#include "frontend/listings.h"

#include "frontend/debugger.h"

static void write_file(void *owner, const uint8_t *bytes, size_t n)
{
    fwrite(bytes, 1, n, owner);
}

void listing_print(enum options_action action, FILE *out)
{
    const struct byte_sink sink = {.write = write_file, .owner = out};
    switch (action) {
    case ACTION_RUN:
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
    case ACTION_LIST_ACCELERATORS:
        fputs("tcg\n", out);
        return;
    }
}
