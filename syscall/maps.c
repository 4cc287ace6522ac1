/* A program's list of mappings (contract: maps.h). */
#include "syscall/maps.h"

#include <errno.h>
#include <linux/memfd.h>
#include <sys/syscall.h>
#include <unistd.h>

bool maps_begin(struct maps *m, const struct process *p)
{
    *m = (struct maps){.process = p, .file = fopen("/proc/self/maps", "re")};
    return m->file != NULL;
}

void maps_end(struct maps *m)
{
    fclose(m->file);
}

/* The host's next mapping within the program's space. */
static bool read_line(struct maps *m)
{
    char line[PATH_MAX + 128];
    uint64_t base = (uintptr_t)m->process->space.host;
    while (fgets(line, sizeof line, m->file)) {
        unsigned long long start, end, offset;
        m->path[0] = 0;
        int n = sscanf(line, "%llx-%llx %*s %llx %x:%x %lu %4095[^\n]", &start, &end, &offset,
                       &m->major, &m->minor, &m->inode, m->path);
        if (n < 6 || start < base || start >= base + SPACE_BYTES)
            continue;
        m->next = start - base;
        m->end = min_u64(end - base, SPACE_BYTES);
        m->offset = offset;
        return true;
    }
    return false;
}

bool maps_next(struct maps *m, struct map_line *line)
{
    while (m->next < m->end || read_line(m)) {
        const struct mapping *mapping = space_find(&m->process->space, m->next);
        if (!mapping) { /* what lies between the guest's */
            m->next = m->end;
            continue;
        }
        uint64_t end = min_u64(m->end, mapping->end);
        *line = (struct map_line){.start = m->next,
                                  .end = end,
                                  .offset = m->inode ? m->offset : 0,
                                  .protection = mapping->protection,
                                  .shared = mapping->shared,
                                  .path = m->path};
        m->offset += end - m->next;
        m->next = end;
        return true;
    }
    return false;
}

bool maps_find(const struct process *p, uint64_t va, char *path, uint64_t *offset)
{
    struct maps maps;
    struct map_line line;
    bool found = false;
    if (!maps_begin(&maps, p))
        return false;
    while (!found && maps_next(&maps, &line)) {
        found = line.start <= va && va < line.end && line.path[0] == '/';
        if (found) {
            snprintf(path, PATH_MAX, "%s", line.path);
            *offset = va - line.start + line.offset;
        }
    }
    maps_end(&maps);
    return found;
}

static void put_line(FILE *to, const struct maps *m, const struct map_line *l)
{
    int n =
        fprintf(to, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %lu", (unsigned long long)l->start,
                (unsigned long long)l->end, l->protection & SPACE_READ ? 'r' : '-',
                l->protection & SPACE_WRITE ? 'w' : '-', l->protection & SPACE_EXECUTE ? 'x' : '-',
                l->shared ? 's' : 'p', (unsigned long long)l->offset, m->major, m->minor, m->inode);
    if (l->path[0])
        fprintf(to, "%*s%s", n < 73 ? 73 - n : 1, "", l->path);
    fputc('\n', to);
}

int maps_open(const struct process *p)
{
    struct maps maps;
    struct map_line line;
    int fd = (int)syscall(SYS_memfd_create, "maps", MFD_CLOEXEC);
    FILE *to = fd < 0 ? NULL : fdopen(dup(fd), "w");
    if (!to || !maps_begin(&maps, p)) {
        if (to)
            fclose(to);
        close(fd);
        return -ENOMEM;
    }
    while (maps_next(&maps, &line))
        put_line(to, &maps, &line);
    maps_end(&maps);
    fclose(to);
    lseek(fd, 0, SEEK_SET);
    return fd;
}
