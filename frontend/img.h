/* `rivulet img`: making, looking at and changing disk images, with the words of qemu-img. */
#ifndef RIVULET_FRONTEND_IMG_H
#define RIVULET_FRONTEND_IMG_H

#include "devices/block/disk.h"

#include <stdio.h>

/* argv[0] is "img". Returns the exit status. */
int img_main(int argc, char **argv);

/* ---- what the files img_*.c share ---- */

#define IMG_FAILED (-1) /* err is filled */

/* The command line of one command. */
struct img_args {
    const char *format;         /* -f */
    const char *output_format;  /* -O */
    const char *backing;        /* -b, -B */
    const char *backing_format; /* -F */
    char options[2048];         /* -o, joined by commas */
    const char *repair;         /* -r */
    bool quiet, progress, json, backing_chain, share, shrink, strict, existing, keep, compress;
    char action;             /* of snapshot: 'l', 'a', 'c', 'd'; 0: none */
    const char *action_name; /* its value */
    bool no_check;           /* -u: the backing file is not looked at */
    char **files;
    int count;
};

struct disk *img_open(const char *path, const char *format, const struct img_args *args,
                      bool read_only, struct error *err);

/* Each returns the exit status, or IMG_FAILED. */
int img_create(const struct img_args *args, struct error *err);
int img_resize(const struct img_args *args, struct error *err);
int img_info(const struct img_args *args, struct error *err);
int img_check(const struct img_args *args, struct error *err);
int img_convert(const struct img_args *args, struct error *err);
int img_commit(const struct img_args *args, struct error *err);
int img_compare(const struct img_args *args, struct error *err);
int img_snapshot(const struct img_args *args, struct error *err);

/* Creates an image of this size (UINT64_MAX: of its backing file's) and with the options of args.
 */
bool img_create_file(const char *path, const char *format, uint64_t bytes,
                     const struct img_args *args, struct error *err);

/* A text as a JSON string. */
void img_print_json(FILE *out, const char *text);

/* A bar on the terminal; nothing where there is none, unless -p asks. */
struct img_progress {
    bool bar, lines;
    unsigned shown; /* in 1/100 of a percent, plus one */
};
struct img_progress img_progress_start(const struct img_args *args);
void img_progress_show(struct img_progress *p, uint64_t done, uint64_t all);
void img_progress_end(struct img_progress *p);

#endif
