/* Items of fw_cfg (contract: fw_items.h). */
#include "machine/fw_items.h"

#include "base/os.h"
#include "machine/properties.h"

#include <stdlib.h>

#define NUMBERED_MAX 7u /* harts; size and data of kernel, initrd and command line */
#define FILES_MAX    (FW_CFG_FILES_MAX + 2)

struct fw_items {
    struct fw_cfg_item items[NUMBERED_MAX + FW_CFG_FILES_MAX];
    unsigned count;
    struct os_file files[FILES_MAX]; /* mapped as long as the items live */
    unsigned file_count;
    uint16_t harts;
    uint32_t kernel_bytes, initrd_bytes, cmdline_bytes;
};

static const struct property_rule rules[] = {
    {"name", NULL}, {"file", NULL}, {"string", NULL}, {NULL, NULL}};

static void add(struct fw_items *f, struct fw_cfg_item item)
{
    f->items[f->count++] = item;
}

/* The whole of a file as an item; name NULL: of this key. */
static bool add_file(struct fw_items *f, const char *name, uint16_t key, const char *path,
                     struct error *err)
{
    struct os_file *file = &f->files[f->file_count];
    if (!os_map_file(path, file, err))
        return false;
    f->file_count++;
    if (file->size > UINT32_MAX)
        return error_set(err, "'%.200s' is larger than the 4 GiB that fw_cfg can give", path);
    add(f, (struct fw_cfg_item){
               .name = name, .key = key, .data = file->bytes, .bytes = (uint32_t)file->size});
    return true;
}

static void add_u32(struct fw_items *f, uint16_t key, const uint32_t *value)
{
    add(f, (struct fw_cfg_item){.key = key, .data = value, .bytes = sizeof *value});
}

static bool add_kernel(struct fw_items *f, const struct machine_config *config, struct error *err)
{
    const char *append = config->append ? config->append : "";
    if (!add_file(f, NULL, FW_CFG_KERNEL_DATA, config->kernel_file, err))
        return false;
    f->kernel_bytes = f->items[f->count - 1].bytes;
    add_u32(f, FW_CFG_KERNEL_SIZE, &f->kernel_bytes);
    if (config->initrd_file) {
        if (!add_file(f, NULL, FW_CFG_INITRD_DATA, config->initrd_file, err))
            return false;
        f->initrd_bytes = f->items[f->count - 1].bytes;
        add_u32(f, FW_CFG_INITRD_SIZE, &f->initrd_bytes);
    }
    f->cmdline_bytes = (uint32_t)strlen(append) + 1;
    add(f, (struct fw_cfg_item){
               .key = FW_CFG_CMDLINE_DATA, .data = append, .bytes = f->cmdline_bytes});
    add_u32(f, FW_CFG_CMDLINE_SIZE, &f->cmdline_bytes);
    return true;
}

static bool check_name(const struct fw_items *f, const char *name, struct error *err)
{
    if (!name || !*name)
        return error_set(err, "give name=opt/..., and file=FILE or string=TEXT");
    if (strlen(name) >= FW_CFG_NAME_BYTES)
        return error_set(err, "the name has more than %u bytes", FW_CFG_NAME_BYTES - 1);
    for (unsigned i = 0; i < f->count; i++)
        if (f->items[i].name && strcmp(f->items[i].name, name) == 0)
            return error_set(err, "there are two items of this name");
    return true;
}

static bool add_named(struct fw_items *f, const struct machine_option *option, struct error *err)
{
    const char *name = option_text(option, "name"), *path = option_text(option, "file");
    const char *text = option_text(option, "string");
    for (unsigned i = 0; i < option->count; i++)
        if (!property_check(&option->items[i], rules, err))
            return false;
    if (!check_name(f, name, err))
        return false;
    if (!path == !text)
        return error_set(err, "give either file=FILE or string=TEXT");
    if (path)
        return add_file(f, name, 0, path, err);
    add(f, (struct fw_cfg_item){.name = name, .data = text, .bytes = (uint32_t)strlen(text)});
    return true;
}

static bool add_all(struct fw_items *f, const struct machine_config *config, bool with_kernel,
                    struct error *err)
{
    f->harts = (uint16_t)config->harts;
    add(f,
        (struct fw_cfg_item){.key = FW_CFG_NB_CPUS, .data = &f->harts, .bytes = sizeof f->harts});
    if (with_kernel && !add_kernel(f, config, err))
        return false;
    for (unsigned i = 0; i < config->fw_cfg.count; i++) {
        const struct machine_option *option = &config->fw_cfg.items[i];
        const char *name = option_text(option, "name");
        struct error why;
        if (i == FW_CFG_FILES_MAX)
            return error_set(err, "-fw_cfg: there are %u already", FW_CFG_FILES_MAX);
        if (!add_named(f, option, &why))
            return error_set(err, "-fw_cfg %.60s: %.400s", name ? name : "", why.text);
    }
    return true;
}

struct fw_items *fw_items_create(const struct machine_config *config, bool with_kernel,
                                 struct error *err)
{
    struct fw_items *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, "no memory for fw_cfg");
        return NULL;
    }
    if (add_all(f, config, with_kernel, err))
        return f;
    fw_items_destroy(f);
    return NULL;
}

void fw_items_destroy(struct fw_items *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->file_count; i++)
        os_unmap_file(&f->files[i]);
    free(f);
}

const struct fw_cfg_item *fw_items_list(const struct fw_items *f, unsigned *count)
{
    *count = f->count;
    return f->items;
}
