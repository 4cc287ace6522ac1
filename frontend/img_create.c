/* `rivulet img create` and `resize`, and the options of the formats (contract: img.h). */
#include "base/values.h"
#include "devices/block/qcow2_tools.h"
#include "frontend/img.h"

#include <inttypes.h>

enum preallocation { PREALLOCATE_NOT, PREALLOCATE_METADATA, PREALLOCATE_FALLOC, PREALLOCATE_FULL };

/* The image to be. */
struct plan {
    struct qcow2_format format;
    enum preallocation preallocation;
    char backing[MAX_BACKING_PATH + 1], backing_format[16];
};

/* ---- options of -o ---- */

static bool log2_between(const char *text, uint64_t from, uint64_t to, unsigned *log)
{
    uint64_t v;
    if (!value_size(text, 1, &v) || !is_power_of_two(v) || v < from || v > to)
        return false;
    *log = (unsigned)__builtin_ctzll(v);
    return true;
}

static bool set_size(struct plan *p, const char *v)
{
    return value_size(v, 1, &p->format.bytes);
}

static bool set_cluster_size(struct plan *p, const char *v)
{
    return log2_between(v, 512, 2 << 20, &p->format.cluster_bits);
}

static bool set_refcount_bits(struct plan *p, const char *v)
{
    return log2_between(v, 1, 64, &p->format.refcount_order);
}

static bool set_compat(struct plan *p, const char *v)
{
    p->format.version = !strcmp(v, "0.10") || !strcmp(v, "v2") ? 2 : 3;
    return p->format.version == 2 || !strcmp(v, "1.1") || !strcmp(v, "v3");
}

static bool set_lazy_refcounts(struct plan *p, const char *v)
{
    return value_switch(v, &p->format.lazy_refcounts);
}

static bool set_compression(struct plan *p, const char *v)
{
    p->format.zstd = !strcmp(v, "zstd");
    return p->format.zstd || !strcmp(v, "zlib");
}

static bool set_preallocation(struct plan *p, const char *v)
{
    static const char *const names[] = {"off", "metadata", "falloc", "full"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(v, names[i])) {
            p->preallocation = (enum preallocation)i;
            return true;
        }
    return false;
}

static bool set_backing(struct plan *p, const char *v)
{
    return snprintf(p->backing, sizeof p->backing, "%s", v) < (int)sizeof p->backing;
}

static bool set_backing_format(struct plan *p, const char *v)
{
    snprintf(p->backing_format, sizeof p->backing_format, "%s", v);
    return !strcmp(v, "raw") || !strcmp(v, "qcow2");
}

static bool set_off(struct plan *p, const char *v)
{
    bool on = true;
    (void)p;
    return value_switch(v, &on) && !on;
}

static bool set_anything(struct plan *p, const char *v)
{
    (void)p, (void)v;
    return true;
}

static const struct {
    const char *name;
    bool raw; /* raw images have it too */
    bool (*set)(struct plan *p, const char *value);
    const char *values;
} options[] = {
    {"size", true, set_size, "a size such as 20G"},
    {"preallocation", true, set_preallocation, "off, metadata, falloc or full"},
    {"nocow", true, set_anything, "on or off"},
    {"cluster_size", false, set_cluster_size, "a power of two from 512 to 2M"},
    {"refcount_bits", false, set_refcount_bits, "a power of two from 1 to 64"},
    {"compat", false, set_compat, "0.10 or 1.1"},
    {"lazy_refcounts", false, set_lazy_refcounts, "on or off"},
    {"compression_type", false, set_compression, "zlib or zstd"},
    {"backing_file", false, set_backing, "a path of at most 1023 bytes"},
    {"backing_fmt", false, set_backing_format, "raw or qcow2"},
    {"extended_l2", false, set_off, "off: it is not supported"},
    {"encryption", false, set_off, "off: it is not supported"},
};

static bool set_option(struct plan *p, const char *format, const struct list_item *item,
                       struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = {NULL};
    for (size_t i = 0, n = 0; i < ARRAY_LEN(options); i++) {
        if (!options[i].raw && !strcmp(format, "raw"))
            continue;
        names[n++] = options[i].name;
        if (strcmp(item->key, options[i].name))
            continue;
        if (item->value && options[i].set(p, item->value))
            return true;
        return error_set(err, "-o %s must be %s", options[i].name, options[i].values);
    }
    return error_set(err, "-o: %s images have no option '%s'; the nearest is %s", format, item->key,
                     nearest_name(item->key, names));
}

static bool set_options(struct plan *p, const char *format, const char *list, struct error *err)
{
    struct list_item item;
    struct error none = {""};
    while (list && *list) {
        if (!list_next(&list, &item, &none))
            return error_set(err, "-o %.100s: too long", list);
        if (!set_option(p, format, &item, err))
            return false;
    }
    return true;
}

/* ---- create ---- */

/* The backing image must be there and of its format; its size is the default. */
static bool look_at_backing(struct plan *p, const char *path, const struct img_args *args,
                            struct error *err)
{
    char backing[4096];
    if (!disk_backing_path(path, p->backing, backing, sizeof backing, err))
        return false;
    if (args->no_check && p->format.bytes != UINT64_MAX)
        return true;
    if (!*p->backing_format) {
        const char *probed = disk_probe(backing, err);
        return probed && error_set(err, "-b %s needs -F with its format, which seems to be %s",
                                   p->backing, probed);
    }
    struct disk *image = img_open(backing, p->backing_format, args, true, err);
    if (!image)
        return false;
    if (p->format.bytes == UINT64_MAX)
        p->format.bytes = image->bytes;
    disk_close(image);
    return true;
}

static bool check_plan(const struct plan *p, const char *path, struct error *err)
{
    const struct qcow2_format *f = &p->format;
    if (f->bytes == UINT64_MAX)
        return error_set(err, "%s needs a size, such as 20G", path);
    if (f->bytes > INT64_MAX / 2)
        return error_set(err, "%s would be too large", path);
    if (f->version == 2 && (f->refcount_order != 4 || f->lazy_refcounts || f->zstd))
        return error_set(err, "compat=0.10 has only refcount_bits=16, lazy_refcounts=off and "
                              "compression_type=zlib");
    if (*p->backing && p->preallocation != PREALLOCATE_NOT)
        return error_set(err, "an image with a backing file cannot be preallocated");
    return true;
}

/* Gives the file's holes space, or real zeroes. */
static enum block_status fill_file(struct file *file, enum preallocation how)
{
    static const uint8_t zeroes[1 << 16];
    uint64_t bytes = file_bytes(file);
    enum block_status status = BLOCK_OK;
    for (uint64_t at = 0, n; at < bytes && status == BLOCK_OK; at += n) {
        bool is_data;
        n = file_stretch(file, at, bytes - at, &is_data);
        if (how == PREALLOCATE_FULL)
            n = min_u64(n, sizeof zeroes);
        if (!is_data)
            status = how == PREALLOCATE_FULL ? file_write(file, at, zeroes, n)
                                             : file_zero(file, at, n, false);
    }
    return status == BLOCK_OK ? file_sync(file) : status;
}

static bool preallocate(const char *path, const char *format, const struct plan *p,
                        struct error *err)
{
    struct disk_options o = {.path = path, .format = format};
    struct disk *image = disk_open(&o, err);
    enum block_status status = BLOCK_OK;
    if (!image)
        return false;
    if (!strcmp(format, "qcow2"))
        status = qcow2_preallocate(image);
    if (status == BLOCK_OK)
        status = image->ops->flush(image);
    if (status == BLOCK_OK && p->preallocation != PREALLOCATE_METADATA)
        status = fill_file(image->file, p->preallocation);
    enum block_status last = disk_finish(image);
    status = status == BLOCK_OK ? last : status;
    return status == BLOCK_OK ||
           error_set(err, "cannot set aside the space of %s: %s", path, block_status_text(status));
}

static bool make_file(const char *path, const char *format, struct plan *p, struct error *err)
{
    struct file *file = file_create(path, err);
    struct error reason;
    bool ok;
    if (!file)
        return false;
    if (!strcmp(format, "raw")) {
        enum block_status status = file_resize(file, p->format.bytes);
        ok = status == BLOCK_OK ||
             error_set(err, "cannot create %s: %s", path, block_status_text(status));
    } else {
        p->format.backing = *p->backing ? p->backing : NULL;
        p->format.backing_format = p->backing_format;
        ok = qcow2_format(file, &p->format, &reason);
        if (!ok)
            error_set(err, "cannot create %s: %.300s", path, reason.text);
    }
    file_close(file);
    return ok && (p->preallocation == PREALLOCATE_NOT || preallocate(path, format, p, err));
}

static void announce(const char *path, const char *format, const struct plan *p)
{
    const struct qcow2_format *f = &p->format;
    printf("Formatting '%s', fmt=%s", path, format);
    if (!strcmp(format, "qcow2"))
        printf(" cluster_size=%u extended_l2=off compression_type=%s", 1u << f->cluster_bits,
               f->zstd ? "zstd" : "zlib");
    printf(" size=%" PRIu64, f->bytes);
    if (*p->backing)
        printf(" backing_file=%s backing_fmt=%s", p->backing, p->backing_format);
    if (!strcmp(format, "qcow2"))
        printf(" lazy_refcounts=%s refcount_bits=%u", f->lazy_refcounts ? "on" : "off",
               1u << f->refcount_order);
    printf("\n");
}

bool img_create_file(const char *path, const char *format, uint64_t bytes,
                     const struct img_args *args, struct error *err)
{
    struct plan p = {
        .format = {.bytes = bytes, .version = 3, .cluster_bits = 16, .refcount_order = 4}};
    if (strcmp(format, "raw") && strcmp(format, "qcow2"))
        return error_set(err, "the format '%s' is not known; raw and qcow2 are", format);
    if (!strcmp(format, "raw") && args->backing)
        return error_set(err, "a raw image cannot have a backing file; take -f qcow2");
    if (!set_options(&p, format, args->options, err))
        return false;
    if (args->backing && !set_backing(&p, args->backing))
        return error_set(err, "the path of the backing file is too long");
    if (args->backing_format && !set_backing_format(&p, args->backing_format))
        return error_set(err, "-F must be raw or qcow2, not '%s'", args->backing_format);
    if (*p.backing && !look_at_backing(&p, path, args, err))
        return false;
    if (!check_plan(&p, path, err))
        return false;
    p.format.bytes = align_up(p.format.bytes, SECTOR_BYTES);
    if (!make_file(path, format, &p, err))
        return false;
    if (!args->quiet)
        announce(path, format, &p);
    return true;
}

int img_create(const struct img_args *args, struct error *err)
{
    uint64_t bytes = UINT64_MAX;
    if (args->count == 2 && !value_size(args->files[1], 1, &bytes)) {
        error_set(err, "'%s' is not a size; try 20G", args->files[1]);
        return IMG_FAILED;
    }
    const char *format = args->format ? args->format : "raw";
    return img_create_file(args->files[0], format, bytes, args, err) ? 0 : IMG_FAILED;
}

/* ---- resize ---- */

/* "20G", "+1G" or "-1G". */
static bool new_size(const char *text, uint64_t old, uint64_t *bytes, struct error *err)
{
    uint64_t v;
    bool relative = *text == '+' || *text == '-';
    if (!value_size(text + relative, 1, &v))
        return error_set(err, "'%s' is not a size; try 20G or +1G", text);
    if (*text == '-' && v > old)
        return error_set(err, "the image has only %" PRIu64 " bytes", old);
    if (v > INT64_MAX / 2 - old)
        return error_set(err, "'%s' is too large", text);
    v = *text == '+' ? old + v : *text == '-' ? old - v : v;
    *bytes = align_up(v, SECTOR_BYTES);
    return true;
}

int img_resize(const struct img_args *args, struct error *err)
{
    struct disk *image = img_open(args->files[0], args->format, args, false, err);
    uint64_t bytes = 0;
    if (!image)
        return IMG_FAILED;
    bool ok = new_size(args->files[1], image->bytes, &bytes, err);
    if (ok && bytes < image->bytes && !args->shrink)
        ok = error_set(err,
                       "%s would lose what is behind byte %" PRIu64 "; if that is meant, use "
                       "--shrink",
                       args->files[0], bytes);
    ok = ok && image->ops->resize(image, bytes, err);
    enum block_status status = disk_finish(image);
    if (ok && status != BLOCK_OK)
        ok = error_set(err, "cannot write %s: %s", args->files[0], block_status_text(status));
    if (ok && !args->quiet)
        printf("Image resized.\n");
    return ok ? 0 : IMG_FAILED;
}
