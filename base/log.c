/* The guest log (contract: log.h).
 *
 * Rate limit: a line's source is its format string, compared by address: a compile-time constant,
 * so that the guest cannot make new ones. The table is fixed; when it is full, sources share a
 * count, which limits more and never less. The machine's thread and the I/O threads of back-ends
 * may log at the same time: the mutex keeps counts and lines whole. */
#include "base/log.h"

#include "base/bits.h"
#include "base/os.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_SOURCES    256u
#define LOG_GUEST_MADE (LOG_GUEST_ERRORS | LOG_UNIMP)
#define LOG_LIMITED    (LOG_GUEST_MADE | LOG_HOST_ERRORS)

struct log_source {
    const char *format; /* NULL: free */
    const char *prefix; /* of its lines */
    uint64_t lines;
};

struct log {
    _Atomic unsigned topics;
    struct os_mutex *mutex;
    FILE *file; /* under the mutex */
    struct log_source sources[LOG_SOURCES];
};

struct topic_name {
    const char *name;
    enum log_topic topic;
};

static const struct topic_name topic_names[] = {
    {"guest_errors", LOG_GUEST_ERRORS},
    {"unimp", LOG_UNIMP},
    {"int", LOG_INT},
    {"mmu", LOG_MMU},
    {"stats", LOG_STATS},
    {"profile", LOG_PROFILE},
    {"host_errors", LOG_HOST_ERRORS},
};

static FILE *open_file(const char *path, struct error *err)
{
    FILE *file = path ? fopen(path, "w") : stderr;
    if (!file)
        error_set(err, "cannot write log file %s: %s", path, strerror(errno));
    return file;
}

/* Lines are written when they are whole, so that a log can be followed while it grows. */
static FILE *by_lines(FILE *file)
{
    if (file != stderr)
        setvbuf(file, NULL, _IOLBF, BUFSIZ);
    return file;
}

static void close_file(FILE *file)
{
    if (file != stderr)
        fclose(file);
}

struct log *log_open_stream(FILE *file, unsigned topics, struct error *err)
{
    struct log *log = calloc(1, sizeof *log);
    if (log)
        log->mutex = os_mutex_create();
    if (!log || !log->mutex) {
        error_set(err, "no memory for the log");
        close_file(file);
        free(log);
        return NULL;
    }
    atomic_init(&log->topics, topics);
    log->file = by_lines(file);
    return log;
}

struct log *log_open(const char *path, unsigned topics, struct error *err)
{
    FILE *file = open_file(path, err);
    return file ? log_open_stream(file, topics, err) : NULL;
}

bool log_set_file(struct log *log, const char *path, struct error *err)
{
    FILE *file = open_file(path, err);
    if (!file)
        return false;
    os_mutex_lock(log->mutex);
    close_file(log->file);
    log->file = by_lines(file);
    os_mutex_unlock(log->mutex);
    return true;
}

void log_set_topics(struct log *log, unsigned topics)
{
    atomic_store_explicit(&log->topics, topics, memory_order_relaxed);
}

static void report_suppressed(struct log *log)
{
    for (unsigned i = 0; i < LOG_SOURCES; i++) {
        const struct log_source *source = &log->sources[i];
        if (source->lines > LOG_LINES_PER_SOURCE)
            fprintf(log->file, "%s%llu more lines of: %s\n", source->prefix,
                    (unsigned long long)(source->lines - LOG_LINES_PER_SOURCE), source->format);
    }
}

void log_close(struct log *log)
{
    if (!log)
        return;
    report_suppressed(log);
    close_file(log->file);
    os_mutex_destroy(log->mutex);
    free(log);
}

static const struct topic_name *find_topic(const char *word, size_t length)
{
    for (size_t i = 0; i < ARRAY_LEN(topic_names); i++) {
        const char *name = topic_names[i].name;
        if (strlen(name) == length && memcmp(name, word, length) == 0)
            return &topic_names[i];
    }
    return NULL;
}

static bool unknown_topic(struct error *err, const char *word, size_t length)
{
    char known[128] = "";
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(topic_names); i++)
        at += (size_t)snprintf(known + at, sizeof known - at, " %s", topic_names[i].name);
    return error_set(err, "unknown log topic '%.*s'; known are:%s", (int)min_u64(length, 64), word,
                     known);
}

bool log_parse_topics(const char *list, unsigned *topics, struct error *err)
{
    unsigned found = 0;
    for (const char *word = list;; word++) {
        size_t length = strcspn(word, ",");
        const struct topic_name *name = find_topic(word, length);
        if (!name)
            return unknown_topic(err, word, length);
        found |= name->topic;
        word += length;
        if (!*word)
            break;
    }
    *topics = found;
    return true;
}

bool log_wants(const struct log *log, enum log_topic topic)
{
    return log && (atomic_load_explicit(&log->topics, memory_order_relaxed) & topic);
}

/* Under the mutex. */
static struct log_source *find_source(struct log *log, const char *format)
{
    unsigned home = (unsigned)((uintptr_t)format / 8 % LOG_SOURCES);
    for (unsigned i = 0; i < LOG_SOURCES; i++) {
        struct log_source *source = &log->sources[(home + i) % LOG_SOURCES];
        if (!source->format)
            source->format = format;
        if (source->format == format)
            return source;
    }
    return &log->sources[home];
}

void log_line(struct log *log, enum log_topic topic, const char *format, ...)
{
    if (!log_wants(log, topic))
        return;
    const char *prefix = "";
    if (topic & LOG_LIMITED) {
        os_mutex_lock(log->mutex);
        struct log_source *source = find_source(log, format);
        prefix = source->prefix = topic & LOG_GUEST_MADE ? "guest: " : "host: ";
        bool suppressed = source->lines++ >= LOG_LINES_PER_SOURCE;
        os_mutex_unlock(log->mutex);
        if (suppressed)
            return;
    }
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    os_mutex_lock(log->mutex);
    fprintf(log->file, "%s%s\n", prefix, line);
    os_mutex_unlock(log->mutex);
}
