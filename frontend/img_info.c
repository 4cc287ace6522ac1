/* `rivulet img info` and `check` (contract: img.h). */
#include "base/byte_sink.h"
#include "base/values.h"
#include "devices/block/qcow2_tools.h"
#include "frontend/img.h"

#include <inttypes.h>

#define STATUS_ERRORS   2
#define STATUS_LEAKS    3
#define STATUS_NO_CHECK 63 /* the format has nothing to check */

/* ---- info ---- */

static void print_size(uint64_t bytes)
{
    char text[VALUE_SIZE_BYTES];
    value_size_text(bytes, text);
    printf("%s", text);
}

static const char *yes_no(bool b)
{
    return b ? "true" : "false";
}

/* Of an image that may be anybody's. */
static void print_foreign(const char *text)
{
    char shown[sizeof((struct disk *)NULL)->path];
    snprintf(shown, sizeof shown, "%s", text);
    text_make_printable(shown);
    fputs(shown, stdout);
}

static void print_backing(const struct disk *image, const char *full_backing)
{
    if (*image->backing_path) {
        printf("backing file: ");
        print_foreign(image->backing_path);
        if (strcmp(image->backing_path, full_backing)) {
            printf(" (actual path: ");
            print_foreign(full_backing);
            printf(")");
        }
        printf("\n");
    }
    if (*image->backing_format) {
        printf("backing file format: ");
        print_foreign(image->backing_format);
        printf("\n");
    }
}

static void print_human(const struct disk *image, const char *full_backing,
                        const struct qcow2_info *q)
{
    printf("image: %s\nfile format: %s\nvirtual size: ", image->path, image->ops->format);
    print_size(image->bytes);
    printf(" (%" PRIu64 " bytes)\ndisk size: ", image->bytes);
    print_size(file_host_bytes(image->path));
    printf("\n");
    if (!q)
        return;
    printf("cluster_size: %" PRIu64 "\n", q->cluster_bytes);
    print_backing(image, full_backing);
    printf("Format specific information:\n    compat: %s\n    compression type: %s\n",
           q->version == 2 ? "0.10" : "1.1", q->zstd ? "zstd" : "zlib");
    if (q->version > 2)
        printf("    lazy refcounts: %s\n", yes_no(q->lazy_refcounts));
    printf("    refcount bits: %u\n", q->refcount_bits);
    if (q->version > 2)
        printf("    corrupt: %s\n    extended l2: false\n", yes_no(q->corrupt));
    if (q->snapshots)
        printf("    internal snapshots: %u\n", q->snapshots);
}

static void print_json_member(const char *indent, const char *name, const char *text)
{
    printf("%s\"%s\": ", indent, name);
    img_print_json(stdout, text);
    printf(",\n");
}

static void print_json_specific(const char *indent, const struct qcow2_info *q)
{
    printf("%s\"format-specific\": {\n%s    \"type\": \"qcow2\",\n%s    \"data\": {\n", indent,
           indent, indent);
    printf("%s        \"compat\": \"%s\",\n", indent, q->version == 2 ? "0.10" : "1.1");
    printf("%s        \"compression-type\": \"%s\",\n", indent, q->zstd ? "zstd" : "zlib");
    if (q->version > 2)
        printf("%s        \"lazy-refcounts\": %s,\n", indent, yes_no(q->lazy_refcounts));
    printf("%s        \"refcount-bits\": %u", indent, q->refcount_bits);
    if (q->version > 2)
        printf(",\n%s        \"corrupt\": %s,\n%s        \"extended-l2\": false", indent,
               yes_no(q->corrupt), indent);
    printf("\n%s    }\n%s},\n", indent, indent);
}

static void print_json(const struct disk *image, const char *full_backing,
                       const struct qcow2_info *q, const char *outer)
{
    char indent[16];
    snprintf(indent, sizeof indent, "%s    ", outer);
    printf("%s{\n%s\"virtual-size\": %" PRIu64 ",\n", outer, indent, image->bytes);
    print_json_member(indent, "filename", image->path);
    if (q)
        printf("%s\"cluster-size\": %" PRIu64 ",\n", indent, q->cluster_bytes);
    print_json_member(indent, "format", image->ops->format);
    printf("%s\"actual-size\": %" PRIu64 ",\n", indent, file_host_bytes(image->path));
    if (q)
        print_json_specific(indent, q);
    if (*image->backing_path) {
        print_json_member(indent, "full-backing-filename", full_backing);
        print_json_member(indent, "backing-filename", image->backing_path);
    }
    if (*image->backing_format)
        print_json_member(indent, "backing-filename-format", image->backing_format);
    printf("%s\"dirty-flag\": %s\n%s}", indent, yes_no(q && q->dirty), outer);
}

static void print_image(struct disk *image, const char *full_backing, const struct img_args *args)
{
    struct qcow2_info info;
    const struct qcow2_info *q = qcow2_info(image, &info) ? &info : NULL;
    if (args->json)
        print_json(image, full_backing, q, args->backing_chain ? "    " : "");
    else
        print_human(image, full_backing, q);
}

/* The image itself, without opening what is below it; *next is its backing file. */
static bool show_one(const char *path, const char *format, const struct img_args *args, char *next,
                     char *next_format, size_t size, struct error *err)
{
    struct disk_options o = {.path = path,
                             .format = format,
                             .read_only = true,
                             .share = args->share,
                             .no_backing = true};
    struct disk *image = disk_open(&o, err);
    *next = 0;
    if (!image)
        return false;
    struct error ignored; /* info shows also what we could not open */
    if (*image->backing_path && !disk_backing_path(path, image->backing_path, next, size, &ignored))
        snprintf(next, size, "%s", image->backing_path);
    snprintf(next_format, sizeof image->backing_format, "%s", image->backing_format);
    print_image(image, next, args);
    disk_close(image);
    return true;
}

int img_info(const struct img_args *args, struct error *err)
{
    char path[4096], next[4096], format[16] = "";
    snprintf(path, sizeof path, "%s", args->files[0]);
    if (args->backing_chain) { /* finds loops and what is missing before anything is shown */
        struct disk *image = img_open(path, args->format, args, true, err);
        if (!image)
            return IMG_FAILED;
        disk_close(image);
    }
    const char *first_format = args->format;
    if (args->json && args->backing_chain)
        printf("[\n");
    for (bool first = true;; first = false) {
        const char *chosen = first ? first_format : *format ? format : NULL;
        if (!first)
            printf(args->json ? ",\n" : "\n");
        if (!show_one(path, chosen, args, next, format, sizeof next, err))
            return IMG_FAILED;
        if (!args->backing_chain || !*next)
            break;
        memcpy(path, next, sizeof path);
    }
    if (args->json)
        printf(args->backing_chain ? "\n]\n" : "\n");
    return 0;
}

/* ---- check ---- */

static void report_line(void *owner, const char *line)
{
    const struct img_args *args = owner;
    if (!args->quiet && !args->json)
        fprintf(stderr, "%s\n", line);
}

static void print_check_json(const char *path, const struct qcow2_check *c)
{
    printf("{\n    \"image-end-offset\": %" PRIu64 ",\n    \"total-clusters\": %" PRIu64
           ",\n    \"check-errors\": 0,\n",
           c->end_offset, c->total_clusters);
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"corruptions", c->errors - c->fixed_errors},
        {"corruptions-fixed", c->fixed_errors},
        {"leaks", c->leaks - c->fixed_leaks},
        {"leaks-fixed", c->fixed_leaks},
        {"allocated-clusters", c->allocated_clusters},
        {"fragmented-clusters", c->fragmented_clusters},
        {"compressed-clusters", c->compressed_clusters},
    };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i].value)
            printf("    \"%s\": %" PRIu64 ",\n", counts[i].name, counts[i].value);
    printf("    \"filename\": ");
    img_print_json(stdout, path);
    printf(",\n    \"format\": \"qcow2\"\n}\n");
}

static void print_check_human(const struct qcow2_check *c)
{
    uint64_t errors = c->errors - c->fixed_errors, leaks = c->leaks - c->fixed_leaks;
    if (c->fixed_errors || c->fixed_leaks)
        printf("The following inconsistencies were found and repaired:\n\n    %" PRIu64
               " leaked clusters\n    %" PRIu64 " corruptions\n\n",
               c->fixed_leaks, c->fixed_errors);
    if (!errors && !leaks)
        printf("No errors were found on the image.\n");
    if (errors)
        printf("\n%" PRIu64 " errors were found on the image.\nData may be corrupted, or further "
               "writes to the image may corrupt it.\n",
               errors);
    if (leaks)
        printf("\n%" PRIu64 " leaked clusters were found on the image.\nThis means waste of disk "
               "space, but no harm to data.\n",
               leaks);
    double all = c->total_clusters ? (double)c->total_clusters : 1;
    double allocated = c->allocated_clusters ? (double)c->allocated_clusters : 1;
    printf("%" PRIu64 "/%" PRIu64 " = %.2f%% allocated, %.2f%% fragmented, %.2f%% compressed "
           "clusters\nImage end offset: %" PRIu64 "\n",
           c->allocated_clusters, c->total_clusters, (double)c->allocated_clusters * 100 / all,
           (double)c->fragmented_clusters * 100 / allocated,
           (double)c->compressed_clusters * 100 / allocated, c->end_offset);
}

int img_check(const struct img_args *args, struct error *err)
{
    bool all = args->repair && !strcmp(args->repair, "all");
    bool leaks = all || (args->repair && !strcmp(args->repair, "leaks"));
    if (args->repair && !leaks) {
        error_set(err, "-r must be leaks or all, not '%s'", args->repair);
        return IMG_FAILED;
    }
    struct disk_options o = {.path = args->files[0],
                             .format = args->format,
                             .read_only = !leaks,
                             .share = args->share,
                             .no_backing = true,
                             .as_is = true};
    struct disk *image = disk_open(&o, err);
    if (!image)
        return IMG_FAILED;
    if (strcmp(image->ops->format, "qcow2")) {
        disk_close(image);
        fprintf(stderr, "rivulet: %s images have nothing that could be checked\n", "raw");
        return STATUS_NO_CHECK;
    }
    struct qcow2_check check = {
        .fix_leaks = leaks, .fix_errors = all, .report = report_line, .owner = (void *)args};
    bool ok = qcow2_check(image, &check, err);
    disk_close(image);
    if (!ok)
        return IMG_FAILED;
    if (args->json)
        print_check_json(args->files[0], &check);
    else if (!args->quiet)
        print_check_human(&check);
    if (check.errors > check.fixed_errors)
        return STATUS_ERRORS;
    return check.leaks > check.fixed_leaks ? STATUS_LEAKS : 0;
}
