/* `rivulet img snapshot` (contract: img.h). */
#include "base/byte_sink.h"
#include "base/os.h"
#include "devices/block/qcow2_snapshot.h"
#include "frontend/img.h"

#include <stdlib.h>

static void print(void *owner, const uint8_t *bytes, size_t n)
{
    fwrite(bytes, 1, n, owner);
}

static bool list(struct disk *image, struct error *err)
{
    const struct byte_sink out = {.write = print, .owner = stdout};
    struct qcow2_snapshot *items;
    unsigned count;
    if (!qcow2_list_snapshots(image, &items, &count, err))
        return false;
    if (count) {
        printf("Snapshot list:\n");
        qcow2_print_snapshot(NULL, &out);
    }
    for (unsigned i = 0; i < count; i++)
        qcow2_print_snapshot(&items[i], &out);
    free(items);
    return true;
}

static bool create(struct disk *image, const char *name, struct error *err)
{
    struct qcow2_snapshot s = {.date_ns = os_wall_clock_ns(), .icount = UINT64_MAX};
    int n = snprintf(s.name, sizeof s.name, "%s", name);
    if (n <= 0 || (size_t)n >= sizeof s.name)
        return error_set(err, "a snapshot's name has 1 to %zu bytes", sizeof s.name - 1);
    return qcow2_create_snapshot(image, &s, NULL, err);
}

static bool act(struct disk *image, const struct img_args *args, struct error *err)
{
    switch (args->action) {
    case 'a':
        return qcow2_apply_snapshot(image, args->action_name, err);
    case 'c':
        return create(image, args->action_name, err);
    case 'd':
        return qcow2_delete_snapshot(image, args->action_name, err);
    default:
        return list(image, err);
    }
}

int img_snapshot(const struct img_args *args, struct error *err)
{
    bool looks = args->action == 'l' || !args->action;
    struct disk *image = img_open(args->files[0], args->format, args, looks, err);
    if (!image)
        return IMG_FAILED;
    bool ok = strcmp(image->ops->format, "qcow2") == 0
                  ? act(image, args, err)
                  : error_set(err, "%s is %s: only qcow2 images have snapshots", image->path,
                              image->ops->format);
    enum block_status status = disk_finish(image);
    if (ok && status != BLOCK_OK)
        ok = error_set(err, "cannot write %s: %s", args->files[0], block_status_text(status));
    return ok ? EXIT_SUCCESS : IMG_FAILED;
}
