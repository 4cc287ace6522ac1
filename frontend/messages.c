/* Standard error, kept (contract: messages.h). */
#include "frontend/messages.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What has been read is thrown away when it is more; a line that comes in that moment is lost. */
#define FILE_MOST (1 << 20)

struct messages {
    FILE *file;
    int terminal; /* what standard error was */
    off_t read;   /* so far */
};

struct messages *messages_keep(void)
{
    if (!os_terminal_is_tty(STDERR_FILENO))
        return NULL;
    struct messages *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->file = tmpfile();
    m->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (m->file && m->terminal >= 0 && fcntl(fileno(m->file), F_SETFL, O_APPEND) == 0 &&
        dup2(fileno(m->file), STDERR_FILENO) >= 0)
        return m;
    if (m->file)
        fclose(m->file);
    if (m->terminal >= 0)
        close(m->terminal);
    free(m);
    return NULL;
}

size_t messages_read(struct messages *m, char *text, size_t size)
{
    ssize_t n = pread(fileno(m->file), text, size, m->read);
    m->read += n > 0 ? n : 0;
    if (n == 0 && m->read > FILE_MOST && ftruncate(fileno(m->file), 0) == 0)
        m->read = 0;
    return n > 0 ? (size_t)n : 0;
}

void messages_release(struct messages *m)
{
    char text[4096];
    size_t n;
    if (!m)
        return;
    fflush(stderr);
    dup2(m->terminal, STDERR_FILENO);
    while ((n = messages_read(m, text, sizeof text)) > 0)
        if (!os_write_all(STDERR_FILENO, text, n))
            break;
    close(m->terminal);
    fclose(m->file);
    free(m);
}
