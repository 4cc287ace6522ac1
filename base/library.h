/* Functions of a shared library that is loaded when it is wanted first: linked in, each library is
 * bound at every start of the program, with all the libraries that it brings. */
#ifndef RIVULET_BASE_LIBRARY_H
#define RIVULET_BASE_LIBRARY_H

#include "base/os.h"

/* Defines a function of the same name and type as the library's, which looks that one up: a row for
 * each that is called. A missing row is a symbol that the linker misses. Only after
 * os_library_load. */
#define LIBRARY_FUNCTION(library, type, name, parameters, arguments)                               \
    type name parameters                                                                           \
    {                                                                                              \
        union {                                                                                    \
            void *symbol;                                                                          \
            type(*function) parameters;                                                            \
        } own = {.symbol = os_library_symbol(library, #name)};                                     \
        return own.function arguments;                                                             \
    }

#endif
