/* rivulet: reads the command line, runs the machine (or a tool such as `img`), returns its exit
 * status. */
#include "frontend/boot_file.h"
#include "frontend/img.h"
#include "frontend/options.h"
#include "frontend/run.h"

#include <stdlib.h>
#include <string.h>

static int show(void (*print)(FILE *out))
{
    print(stdout);
    if (fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("rivulet: cannot write to standard output");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err;
    int status;
    if (argc > 1 && !strcmp(argv[1], "img"))
        return img_main(argc - 1, argv + 1);
    if (options_parse(&options, argc, argv, &err)) {
        if (options.action == ACTION_HELP)
            return show(options_print_help);
        if (options.action == ACTION_VERSION)
            return show(options_print_version);
        if (boot_file_apply(&options, &err) && run(&options, &status, &err))
            return status;
    }
    fprintf(stderr, "rivulet: %s\n", err.text);
    return EXIT_FAILURE;
}
