/* HTIF on the board (contract: htif.h). */
#include "machine/htif.h"

#include "devices/htif.h"
#include "devices/serial/ns16550a.h"
#include "firmware/image.h"

#define FROMHOST_IN_SECTION 64u /* as riscv-tests lay it out */

const struct property_rule htif_rules[] = {{"tohost", NULL}, {"fromhost", NULL}, {NULL, NULL}};

/* --- where it is -------------------------------------------------------------------------- */

static bool find_words(const struct boot_image *image, uint64_t *tohost, uint64_t *fromhost)
{
    uint64_t bytes;
    if (elf_symbol(image, "tohost", tohost) && elf_symbol(image, "fromhost", fromhost))
        return true;
    if (!elf_section(image, ".tohost", tohost, &bytes) || bytes < 2 * HTIF_WORD_BYTES)
        return false;
    *fromhost = *tohost + (bytes > FROMHOST_IN_SECTION ? FROMHOST_IN_SECTION : HTIF_WORD_BYTES);
    return true;
}

static bool ask_program(const struct machine *m, uint64_t *tohost, uint64_t *fromhost,
                        struct error *err)
{
    const struct machine_config *c = &m->config;
    const char *path = c->kernel_file ? c->kernel_file : c->bios_file;
    struct boot_image image;
    if (!path)
        return error_set(err, "it needs a program: give -kernel FILE, or tohost= and fromhost=");
    if (!boot_image_open(&image, "program", path, err))
        return false;
    bool ok = boot_image_unpack(&image, c->ram_bytes, err);
    if (ok && (!elf_is(&image) || !find_words(&image, tohost, fromhost)))
        ok = error_set(err,
                       "%.200s has no symbols tohost and fromhost; give tohost=ADDRESS and "
                       "fromhost=ADDRESS",
                       path);
    boot_image_close(&image);
    return ok;
}

/* --- its ends ----------------------------------------------------------------------------- */

static bool read_console(void *owner, uint8_t *byte)
{
    struct machine *m = owner;
    return ns16550a_take_input(m->devices[SLOT_UART0], byte, 1) == 1;
}

static void power_off(void *owner, unsigned status)
{
    machine_end(owner, MACHINE_POWER_OFF, (int)status);
}

/* In its turn a hart is who writes. */
static bool is_guest(void *owner)
{
    const struct machine *m = owner;
    return m->round.running && m->round.turn_started;
}

bool htif_add(struct machine *m, const struct properties *p, struct error *err)
{
    struct htif_config config = {.memory = m->memory,
                                 .sink = {.write = machine_uart_write, .owner = m},
                                 .read = read_console,
                                 .power_off = power_off,
                                 .is_guest = is_guest,
                                 .owner = m,
                                 .log = m->config.log};
    bool given = properties_text(p, "tohost") && properties_text(p, "fromhost");
    if (m->htif)
        return error_set(err, "there is one already");
    if (!properties_size(p, "tohost", UINT64_MAX, &config.tohost, err) ||
        !properties_size(p, "fromhost", UINT64_MAX, &config.fromhost, err))
        return false;
    if (!given && !m->config.awaits_snapshot &&
        !ask_program(m, &config.tohost, &config.fromhost, err))
        return false;
    m->htif = htif_create(&config, err);
    return m->htif != NULL;
}
