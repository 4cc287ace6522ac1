/* What the fuzzers of whole machines share. An input is cut into numbers by a cursor that gives
 * zeros behind its end. */
#ifndef RIVULET_TESTS_FUZZ_FUZZ_H
#define RIVULET_TESTS_FUZZ_FUZZ_H

#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_RAM 0x80000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct cursor {
    const uint8_t *at, *end;
};

static inline uint64_t take(struct cursor *c, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && c->at < c->end; i++)
        value |= (uint64_t)*c->at++ << 8 * i;
    return value;
}

/* A file of the host in memory that lives as long as the program. */
struct fuzz_file {
    int fd;
    char path[32];
};

static inline struct fuzz_file fuzz_file_create(const void *bytes, size_t n)
{
    struct fuzz_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    if (f.fd < 0 || pwrite(f.fd, bytes, n, 0) != (ssize_t)n)
        abort();
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

static inline struct machine *fuzz_machine(const struct machine_config *config)
{
    struct error err;
    struct machine *m = machine_create(config, &err);
    if (!m) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return m;
}

/* The guest's bytes and time are the input's alone. */
static inline struct machine_config fuzz_config(const char *kernel)
{
    struct machine_config config;
    machine_config_init(&config);
    config.ram_bytes = 8 << 20;
    config.bios = BIOS_NONE;
    config.kernel_file = kernel;
    config.icount = true;
    config.rtc = RTC_FIXED;
    return config;
}

#endif
