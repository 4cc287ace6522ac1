/* Names of the guest's addresses, from files that the user gives: an ELF file's symbols, a kernel's
 * System.map, or the text of /proc/kallsyms. */
#ifndef RIVULET_DEBUG_SYMBOLS_H
#define RIVULET_DEBUG_SYMBOLS_H

#include "base/bits.h"
#include "base/error.h"

#include <stddef.h>

struct symbol {
    uint64_t start, end; /* end: of the symbol, or where the next one begins */
    const char *name;
    unsigned file; /* which symbols_load it is of, from 0 */
    bool code;
};

struct symbols;

struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *s);

/* Adds the symbols of a file; `base` is added to each address (position-independent programs,
 * KASLR). False: err says what is wrong with the file, and nothing was added. */
bool symbols_load(struct symbols *s, const char *path, uint64_t base, struct error *err) MUST_CHECK;
/* The same for a file whose code ends at an address, which a symbol without a size does not go
 * beyond. */
bool symbols_load_mapped(struct symbols *s, const char *path, uint64_t base, uint64_t end,
                         struct error *err) MUST_CHECK;
/* From now on there are none; names that were given out stay. */
void symbols_forget(struct symbols *s);
size_t symbols_count(const struct symbols *s);

/* The symbol that holds the address, or NULL. */
const struct symbol *symbols_at(const struct symbols *s, uint64_t address);
const struct symbol *symbols_named(const struct symbols *s, const char *name);
/* In the order of their addresses; NULL behind the last. */
const struct symbol *symbols_get(const struct symbols *s, size_t i);

/* The path of a symbols_load, from 0; NULL: there were no more. */
const char *symbols_file(const struct symbols *s, unsigned file);
/* What was added to its addresses. */
uint64_t symbols_base(const struct symbols *s, unsigned file);

/* --- for the readers of files (symbols_elf.c) ------------------------------------------------ */

/* False: no memory. size 0: unknown. */
bool symbols_add(struct symbols *s, uint64_t start, uint64_t size, const char *name,
                 bool code) MUST_CHECK;
/* Whether the bytes are an ELF file. */
bool symbols_elf_is(const uint8_t *bytes, size_t size);
bool symbols_elf_read(struct symbols *s, const uint8_t *bytes, size_t size, uint64_t base,
                      struct error *err) MUST_CHECK;

#endif
