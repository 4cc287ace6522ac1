/* `rivulet FILE` (contract: boot_file.h). */
#include "frontend/boot_file.h"

#include "base/bits.h"
#include "frontend/option_setters.h"
#include "machine/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISK_RAM_BYTES (1ull << 30)

/* --- what the file is -------------------------------------------------------------------- */

enum file_kind { FILE_UNKNOWN, FILE_KERNEL, FILE_RAW_DISK, FILE_QCOW2, FILE_SNAPSHOT };

struct signature {
    enum file_kind kind;
    unsigned offset;
    const char *bytes;
    unsigned count;
};

/* The first that fits counts: a kernel with an EFI stub looks like a boot sector, and an image of
 * a CD like a disk. */
static const struct signature signatures[] = {
    {FILE_KERNEL, 0, "\177ELF", 4},
    {FILE_KERNEL, 56, "RSC\5", 4}, /* Linux: boot-image-header.rst */
    {FILE_KERNEL, 0, "\x1f\x8b", 2},
    {FILE_KERNEL, 4, "zimg", 4},
    {FILE_KERNEL, 0, "\x27\x05\x19\x56", 4}, /* U-Boot's uImage */
    {FILE_QCOW2, 0, "QFI\xfb", 4},
    {FILE_SNAPSHOT, 0, "RIVULET\x1a", 8},
    {FILE_RAW_DISK, 510, "\x55\xaa", 2},  /* MBR, FAT, and the MBR that protects a GPT */
    {FILE_RAW_DISK, 512, "EFI PART", 8},  /* GPT */
    {FILE_RAW_DISK, 1080, "\x53\xef", 2}, /* ext2 to ext4 */
    {FILE_RAW_DISK, 32769, "CD001", 5},   /* ISO 9660 */
};

#define HEAD_BYTES 32774u

static enum file_kind kind_of(const char *head, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        const struct signature *s = &signatures[i];
        if (s->offset + s->count <= size && memcmp(head + s->offset, s->bytes, s->count) == 0)
            return s->kind;
    }
    return FILE_UNKNOWN;
}

static bool read_kind(const char *path, enum file_kind *kind, struct error *err)
{
    char head[HEAD_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, "cannot open '%.400s': %s", path, strerror(errno));
    size_t size = fread(head, 1, sizeof head, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error)
        return error_set(err, "cannot read '%.400s': %s", path, strerror(error));
    *kind = kind_of(head, size);
    return *kind != FILE_UNKNOWN ||
           error_set(err,
                     "'%.300s' is no kernel (Image, ELF, gzip, uImage) and no disk (qcow2, MBR, "
                     "GPT, ext4) that is known; raw code: -kernel FILE",
                     path);
}

/* --- firmware ---------------------------------------------------------------------------- */

struct firmware {
    const char *code, *variables; /* variables NULL: code is a program for S-mode */
};

/* Names below a folder; each also without the distribution's own folder, for -L. U-Boot first: it
 * reads the menus that EDK2 does not (extlinux.conf) and starts EFI loaders too. */
static const struct firmware firmwares[] = {
    {"u-boot/qemu-riscv64_smode/u-boot.bin", NULL}, /* Debian, Ubuntu */
    {"uboot/qemu-riscv64_smode/u-boot.bin", NULL},  /* Fedora */
    {"qemu-riscv64_smode/u-boot.bin", NULL},
    {"qemu-efi-riscv64/RISCV_VIRT_CODE.fd", "qemu-efi-riscv64/RISCV_VIRT_VARS.fd"}, /* Debian */
    {"edk2/riscv/RISCV_VIRT_CODE.fd", "edk2/riscv/RISCV_VIRT_VARS.fd"},             /* Fedora */
    {"qemu/edk2-riscv-code.fd", "qemu/edk2-riscv-vars.fd"},                         /* QEMU's */
    {"RISCV_VIRT_CODE.fd", "RISCV_VIRT_VARS.fd"},
};

static const char *const folders[] = {"/usr/lib", "/usr/share", "/usr/local/share"};

/* folder/name, if it can be read. */
static const char *find_file(struct options *o, const char *folder, const char *name)
{
    char path[OPTION_PATH_MAX];
    struct error ignored;
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    bool is_there = (size_t)n < sizeof path && access(path, R_OK) == 0;
    return is_there ? keep_text(o, path, &ignored) : NULL;
}

/* EDK2's variables are kept while the machine runs: the file is the distribution's. */
static bool take_firmware(struct options *o, const struct firmware *firmware, const char *folder,
                          struct error *err)
{
    const char *code = find_file(o, folder, firmware->code);
    if (!code || !firmware->variables) {
        o->machine.kernel_file = code;
        return code != NULL;
    }
    const char *variables = find_file(o, folder, firmware->variables);
    return variables && add_flash_drive(o, code, "readonly", err) &&
           add_flash_drive(o, variables, "snapshot", err);
}

/* Whether a folder has one of the firmwares, which is then what is booted. */
static bool try_folder(struct options *o, const char *folder, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(firmwares); i++)
        if (take_firmware(o, &firmwares[i], folder, err))
            return true;
    return false;
}

static bool find_firmware(struct options *o, struct error *err)
{
    error_set(err,
              "no firmware to boot the disk '%.200s': install Debian's u-boot-qemu or "
              "qemu-efi-riscv64, or give a folder of firmware with -L, or -bios, or -kernel",
              o->file);
    for (unsigned i = 0; i < o->folder_count; i++)
        if (try_folder(o, o->folders[i], err))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (try_folder(o, folders[i], err))
            return true;
    return false;
}

/* --- a snapshot ---------------------------------------------------------------------------- */

/* Only the machine is made as the file says: nothing in it can reach the host's files or networks.
 */
static bool may_give(const char *name, const char *value)
{
    static const char *const names[] = {"m", "smp", "cpu", "seed", "global", NULL};
    if (strcmp(name, "machine") == 0) /* it can write a device tree too */
        return strcmp(value, "virt,aclint=on") == 0 || strcmp(value, "virt,aclint=off") == 0;
    if (strcmp(name, "device") == 0)
        return !strstr(value, "loader") && !strstr(value, "file");
    if (strcmp(name, "bios") == 0)
        return strcmp(value, "none") == 0;
    if (strcmp(name, "icount") == 0) /* it can write a recording */
        return !strstr(value, "rr");
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool give_line(struct options *o, char *line, struct error *err)
{
    char *value = strchr(line, ' ');
    if (value)
        *value++ = '\0';
    if (!value || !may_give(line, value))
        return error_set(err, "'%.200s' has an option -%.80s, which it may not give", o->file,
                         line);
    const char *kept = keep_text(o, value, err);
    return kept && options_give(o, line, kept, err);
}

static bool load_snapshot(struct options *o, struct error *err)
{
    char *lines = snapshot_command_line(o->file, err), *next;
    bool ok = lines != NULL;
    for (char *line = lines; ok && line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        ok = give_line(o, line, err);
    }
    free(lines);
    o->load_file = o->file;
    o->load_is_file = true;
    return ok;
}

/* --- a computer for a disk --------------------------------------------------------------- */

/* What the user has not spoken of; -nodefaults speaks of all. */
static bool add_defaults(struct options *o, struct error *err)
{
    if (!o->memory_given)
        o->machine.ram_bytes = DISK_RAM_BYTES;
    if (o->no_defaults)
        return true;
    if (!options_have_device(o, "virtio-rng") && !add_device(o, "virtio-rng-pci", err))
        return false;
    bool has_network = o->netdevs.count || o->nics.count;
    return has_network || !options_have_library("libslirp") || add_nic(o, "user", err);
}

static bool boot_disk(struct options *o, const char *format, struct error *err)
{
    bool is_firmware_given =
        o->machine.kernel_file || o->machine.bios != BIOS_BUILT_IN || options_have_flash(o);
    if (!o->machine.kernel_file && (o->machine.append || o->machine.initrd_file))
        return error_set(err,
                         "'%.200s' is a disk, whose boot loader knows the command line and "
                         "the initrd: leave out -append and -initrd, or add -kernel",
                         o->file);
    return add_first_disk(o, o->file, format, err) && add_defaults(o, err) &&
           (is_firmware_given || find_firmware(o, err));
}

bool boot_file_apply(struct options *o, struct error *err)
{
    enum file_kind kind;
    if (!o->file)
        return true;
    if (!read_kind(o->file, &kind, err))
        return false;
    if (kind == FILE_SNAPSHOT)
        return load_snapshot(o, err);
    if (kind != FILE_KERNEL)
        return boot_disk(o, kind == FILE_QCOW2 ? "qcow2" : "raw", err);
    if (o->machine.kernel_file)
        return error_set(err, "two kernels: %.100s and %.100s; give one", o->machine.kernel_file,
                         o->file);
    o->machine.kernel_file = o->file;
    return true;
}
