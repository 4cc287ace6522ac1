/* What files a program's mappings are of. The table of mappings does not say; the host's kernel
 * does, whose own list is read (proc_pid_maps(5)). */
#ifndef RIVULET_SYSCALL_MAPS_H
#define RIVULET_SYSCALL_MAPS_H

#include "syscall/process.h"

struct maps {
    const struct process *process;
    FILE *file;
    /* A line of the host's, and how far it has been told of: the guest may have several. */
    uint64_t next, end, offset;
    char path[PATH_MAX];
    unsigned long inode;
    unsigned major, minor;
};

struct map_line {
    uint64_t start, end, offset;
    unsigned protection; /* enum space_protection */
    bool shared;
    const char *path; /* the host's; "": none. Valid until the next call */
};

bool maps_begin(struct maps *m, const struct process *p);
/* In the order of addresses; false: that was all. */
bool maps_next(struct maps *m, struct map_line *line);
void maps_end(struct maps *m);

/* The host's name of the file that is mapped at va, and the place in it; false: none is. `path` has
 * PATH_MAX bytes. */
bool maps_find(const struct process *p, uint64_t va, char *path, uint64_t *offset);
/* The list as the program's own kernel would show it: a descriptor, or a negative errno. */
int maps_open(const struct process *p);

#endif
