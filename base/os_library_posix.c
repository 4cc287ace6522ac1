/* Shared libraries that are loaded when they are wanted first. */
#include "base/os.h"

#include <dlfcn.h>

bool os_library_load(const char *file, struct error *err)
{
    return dlopen(file, RTLD_LAZY | RTLD_LOCAL) ||
           error_set(err, "the library %s cannot be loaded: %.300s", file, dlerror());
}

void *os_library_symbol(const char *file, const char *name)
{
    void *library = dlopen(file, RTLD_LAZY | RTLD_NOLOAD);
    if (!library)
        return NULL;
    void *symbol = dlsym(library, name);
    dlclose(library); /* the look-up's reference; the load's stays */
    return symbol;
}
