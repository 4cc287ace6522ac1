/* A fuzzer of what a user may hand over as firmware, kernel, initrd or device tree: ELF, Image,
 * uImage, gzip and zboot files, flattened device trees. The file is loaded, or there is an error.
 *
 * Input: a byte that says as what, then the file. */
#include "firmware/fdt.h"
#include "firmware/load.h"
#include "tests/fuzz/fuzz.h"

#define RAM_BYTES (16ull << 20)

static bool load(struct loader *l, unsigned as, const char *path, struct error *err)
{
    uint64_t entry, end;
    struct fdt_config config = {.ram_base = FUZZ_RAM, .ram_bytes = RAM_BYTES, .bootargs = "a=b"};
    uint8_t *blob;
    size_t size;
    switch (as % 5) {
    case 0:
        return load_bios(l, path, &entry, err);
    case 1:
    case 2:
        return load_kernel(l, path, as % 5 == 1, &entry, err);
    case 3:
        return load_initrd(l, path, &entry, &end, err);
    }
    if (!fdt_read_file(path, &config, &blob, &size, err))
        return false;
    bool ok = load_device_tree(l, blob, size, &entry, err);
    free(blob);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct loader loader;
    if (size == 0)
        return 0;
    struct memory_map *memory = memory_create(NULL);
    if (!memory_add_ram(memory, "RAM", FUZZ_RAM, RAM_BYTES, &err))
        abort();
    struct fuzz_file file = fuzz_file_create(data + 1, size - 1);
    loader_init(&loader, memory, FUZZ_RAM, RAM_BYTES);
    err.text[0] = 0;
    bool ok = load(&loader, data[0], file.path, &err);
    if (!ok && (!err.text[0] || strchr(err.text, '\n')))
        abort(); /* one line, always */
    close(file.fd);
    memory_destroy(memory);
    return 0;
}
