/* Opening images: which format a file has, and the chain of backing images below it.
 *
 * Invariant: until the whole chain is open nothing is written; then begin_writing of the top image
 * alone may write. */
#include "devices/block/disk.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_CHAIN   64
#define PROBE_BYTES 512u

const char *block_status_text(enum block_status status)
{
    return strerror((int)status);
}

/* ---- formats ---- */

static const struct {
    const char *name;
    size_t offset;
    const char *magic;
    size_t n;
} signatures[] = {
    {"qcow2", 0, "QFI\xfb", 4},
    {"VMware (vmdk)", 0, "KDMV", 4},
    {"VMware (vmdk)", 0, "COWD", 4},
    {"VMware (vmdk)", 0, "# Disk DescriptorFile", 21},
    {"Hyper-V (vpc)", 0, "conectix", 8},
    {"Hyper-V (vhdx)", 0, "vhdxfile", 8},
    {"QED", 0, "QED\0", 4},
    {"LUKS", 0, "LUKS\xba\xbe", 6},
    {"VirtualBox (vdi)", 64, "\x7f\x10\xda\xbe", 4},
    {"Parallels", 0, "WithoutFreeSpace", 16},
    {"Parallels", 0, "WithouFreSpacExt", 16},
};

const char *disk_foreign_format(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        size_t end = signatures[i].offset + signatures[i].n;
        if (end <= n && !memcmp(bytes + signatures[i].offset, signatures[i].magic, signatures[i].n))
            return signatures[i].name;
    }
    return NULL;
}

/* The format of the file: as given, or as its first bytes say. NULL and err: none of ours. */
static const char *choose_format(struct file *file, const struct disk_options *o, struct error *err)
{
    if (o->format && (!strcmp(o->format, "raw") || !strcmp(o->format, "qcow2")))
        return o->format;
    if (o->format) {
        error_set(err, "cannot open %s: the format '%s' is not known; raw and qcow2 are", o->path,
                  o->format);
        return NULL;
    }
    uint8_t head[PROBE_BYTES];
    if (file_read(file, 0, head, sizeof head) != BLOCK_OK) {
        error_set(err, "cannot read %s: input/output error", o->path);
        return NULL;
    }
    const char *foreign = disk_foreign_format(head, sizeof head);
    if (!foreign)
        return "raw";
    if (!strcmp(foreign, "qcow2"))
        return foreign;
    error_set(err, "cannot open %s: it is a %s image; convert it with qemu-img convert -O qcow2",
              o->path, foreign);
    return NULL;
}

const char *disk_probe(const char *path, struct error *err)
{
    struct disk_options o = {.path = path};
    struct file *file = file_open(path, &(struct file_options){.read_only = true}, err);
    if (!file)
        return NULL;
    const char *format = choose_format(file, &o, err);
    file_close(file);
    return format;
}

/* ---- the chain ---- */

/* Images being opened, from the one the user named downwards. */
struct chain {
    const struct chain *above;
    struct file_identity identity;
    unsigned length;
};

bool disk_backing_path(const char *image_path, const char *backing, char *path, size_t size,
                       struct error *err)
{
    const char *colon = strchr(backing, ':'), *slash = strrchr(image_path, '/');
    if (!strncmp(backing, "file:", 5))
        backing += 5;
    else if (colon && !memchr(backing, '/', (size_t)(colon - backing)))
        return error_set(err,
                         "%s has the backing file '%s': only files are supported; change it with "
                         "qemu-img rebase -u",
                         image_path, backing);
    int folder = *backing == '/' || !slash ? 0 : (int)(slash - image_path) + 1;
    int length = snprintf(path, size, "%.*s%s", folder, image_path, backing);
    return (length >= 0 && (size_t)length < size) ||
           error_set(err, "the path of the backing file of %s is too long", image_path);
}

/* Before the file is opened: our own lock would be in the way of a loop. */
static bool check_chain(const struct chain *chain, const char *path, struct error *err)
{
    for (const struct chain *above = chain->above; above; above = above->above)
        if (chain->identity.device == above->identity.device &&
            chain->identity.number == above->identity.number)
            return error_set(err, "cannot open %s: it is, in the end, its own backing file", path);
    return chain->length <= MAX_CHAIN ||
           error_set(err, "cannot open %s: more than %d backing files", path, MAX_CHAIN);
}

static struct disk *open_in_chain(const struct disk_options *o, const struct chain *above,
                                  struct error *err);

static bool open_backing(struct disk *image, const struct disk_options *o,
                         const struct chain *chain, struct error *err)
{
    char path[sizeof image->path];
    if (!disk_backing_path(image->path, image->backing_path, path, sizeof path, err))
        return false;
    struct disk_options below = {.path = path,
                                 .format = *image->backing_format ? image->backing_format : NULL,
                                 .read_only = true,
                                 .share = o->share};
    struct error reason;
    image->backing = open_in_chain(&below, chain, &reason);
    return image->backing ||
           error_set(err, "%.*s (backing file of %s)", 300, reason.text, image->path);
}

static struct disk *open_format(struct file *file, const struct disk_options *o, struct error *err)
{
    const char *format = choose_format(file, o, err);
    if (!format)
        return NULL;
    struct disk *image =
        strcmp(format, "raw") ? qcow2_open(file, o, err) : raw_open(file, o->format == NULL, err);
    if (!image)
        return NULL;
    image->read_only = o->read_only;
    snprintf(image->path, sizeof image->path, "%s", o->path);
    return image;
}

static struct disk *open_in_chain(const struct disk_options *o, const struct chain *above,
                                  struct error *err)
{
    struct file_options options = {
        .read_only = o->read_only, .share = o->share, .unsafe = o->unsafe};
    struct chain chain = {.above = above, .length = above ? above->length + 1 : 1};
    if (file_identify(o->path, &chain.identity) && !check_chain(&chain, o->path, err))
        return NULL;
    struct file *file = file_open(o->path, &options, err);
    if (!file)
        return NULL;
    struct disk *image = open_format(file, o, err);
    if (!image) {
        file_close(file);
        return NULL;
    }
    if (!o->no_backing && *image->backing_path && !open_backing(image, o, &chain, err)) {
        disk_close(image);
        return NULL;
    }
    return image;
}

struct disk *disk_open(const struct disk_options *options, struct error *err)
{
    struct disk *image = open_in_chain(options, NULL, err);
    if (!image || image->read_only || options->as_is || !image->ops->begin_writing)
        return image;
    if (image->ops->begin_writing(image, err))
        return image;
    disk_close(image);
    return NULL;
}

void disk_close(struct disk *image)
{
    while (image) {
        struct disk *backing = image->backing;
        struct file *file = image->file;
        image->ops->destroy(image);
        if (file)
            file_close(file);
        image = backing;
    }
}

uint64_t disk_chain_content(struct disk *image, uint64_t offset, uint64_t bytes,
                            enum disk_content *content)
{
    *content = DISK_ABSENT;
    for (; image && *content == DISK_ABSENT && offset < image->bytes; image = image->backing)
        bytes = image->ops->content(image, offset, min_u64(bytes, image->bytes - offset), content);
    if (*content == DISK_ABSENT)
        *content = DISK_ZERO;
    return bytes;
}

bool disk_bytes_are_zero(const uint8_t *bytes, uint64_t n)
{
    return n == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, n - 1));
}

enum block_status disk_finish(struct disk *image)
{
    enum block_status status = image->read_only ? BLOCK_OK : image->ops->flush(image);
    disk_close(image);
    return status;
}

enum block_status disk_read_clipped(struct disk *image, uint64_t offset, uint8_t *buffer,
                                    uint64_t bytes)
{
    uint64_t end = image ? image->bytes : 0;
    uint64_t inside = offset < end ? min_u64(bytes, end - offset) : 0;
    memset(buffer + inside, 0, bytes - inside);
    return inside ? image->ops->read(image, offset, buffer, inside) : BLOCK_OK;
}
