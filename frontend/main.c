/* rivulet: reads the command line, runs the machine (or `img`, `exec`, `snapshot`, `replay`),
 * returns its exit status. */
#include "base/os.h"
#include "frontend/boot_file.h"
#include "frontend/demo_guest.h"
#include "frontend/exec.h"
#include "frontend/fork_server.h"
#include "frontend/img.h"
#include "frontend/listings.h"
#include "frontend/options.h"
#include "frontend/replay_command.h"
#include "frontend/run.h"
#include "frontend/snapshot_command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int show(const struct options *options)
{
    struct error err;
    if (!listing_print(options, stdout, &err)) {
        fprintf(stderr, "rivulet: %s\n", err.text);
        return EXIT_FAILURE;
    }
    if (fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("rivulet: cannot write to standard output");
    return EXIT_FAILURE;
}

/* The name by which the kernel's binfmt_misc calls `rivulet exec`. */
static bool is_called_exec(const char *name)
{
    const char *slash = strrchr(name, '/');
    return !strcmp(slash ? slash + 1 : name, "rivulet-exec");
}

/* -pidfile: it is there while the program runs; what is no file of its own, /dev/null say, stays.
 */
static bool write_pid(const char *path, struct error *err)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)os_process_id());
    return !path || os_file_write(path, text, (size_t)n, err);
}

static bool run_options(struct options *o, int *status, struct error *err)
{
    if (!boot_file_apply(o, err) || !demo_guest_apply(o, err) || !write_pid(o->pid_file, err))
        return false;
    bool ok = (o->is_fork_server ? fork_server_run : run)(o, status, err);
    struct stat st;
    if (o->pid_file && lstat(o->pid_file, &st) == 0 && S_ISREG(st.st_mode))
        unlink(o->pid_file);
    return ok;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err;
    int status;
    if (argc > 1 && !strcmp(argv[1], "img"))
        return img_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "snapshot"))
        return snapshot_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "replay"))
        return replay_main(argc - 1, argv + 1);
    if (argc > 0 && is_called_exec(argv[0]))
        return exec_main(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "exec"))
        return exec_main(argc - 1, argv + 1);
    if (options_parse(&options, argc, argv, &err)) {
        if (options.action != ACTION_RUN)
            return show(&options);
        if (run_options(&options, &status, &err))
            return status;
    }
    fprintf(stderr, "rivulet: %s\n", err.text);
    return EXIT_FAILURE;
}
