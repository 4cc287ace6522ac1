/* `rivulet snapshot FILE` (contract: snapshot_command.h). */
#include "frontend/snapshot_command.h"

#include "machine/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: rivulet snapshot FILE [--picture OUT.png]\n"
                            "Shows what a saved machine is, after all of its check sums; --picture "
                            "writes what its\nscreen showed.\n";

static void print(void *owner, const uint8_t *bytes, size_t n)
{
    fwrite(bytes, 1, n, owner);
}

static bool show(const char *path, const char *picture, struct error *err)
{
    const struct byte_sink out = {.write = print, .owner = stdout};
    return snapshot_describe(path, &out, err) &&
           (!picture || snapshot_extract(path, SNAPSHOT_PICTURE, picture, err));
}

int snapshot_main(int argc, char **argv)
{
    const char *path = NULL, *picture = NULL;
    struct error err;
    for (int i = 1; i < argc; i++) {
        bool is_help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        bool is_picture = strcmp(argv[i], "--picture") == 0 && i + 1 < argc;
        if (is_help) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (is_picture) {
            picture = argv[++i];
        } else if (*argv[i] == '-' || path) {
            fprintf(stderr, "rivulet snapshot: unexpected '%s'\n%s", argv[i], usage);
            return EXIT_FAILURE;
        } else {
            path = argv[i];
        }
    }
    if (!path) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    if (!show(path, picture, &err)) {
        fprintf(stderr, "rivulet: %s\n", err.text);
        return EXIT_FAILURE;
    }
    if (fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("rivulet: cannot write to standard output");
    return EXIT_FAILURE;
}
