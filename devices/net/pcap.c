/* A file of packets (contract: pcap.h; format: draft-ietf-opsawg-pcap).
 *
 * Each packet is in the file as soon as it was seen, so that a capture of a machine that was killed
 * is whole. After the first failed write nothing more is written. */
#include "devices/net/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC_NS      0xa1b23c4du /* time stamps in seconds and nanoseconds */
#define VERSION_MAJOR 2
#define VERSION_MINOR 4
#define LINK_ETHERNET 1u
#define NS_PER_S      1000000000u

struct file_header {
    uint32_t magic;
    uint16_t version_major, version_minor;
    uint32_t zone, accuracy;
    uint32_t snap_length;
    uint32_t link_type;
};

struct record_header {
    uint32_t seconds, nanoseconds;
    uint32_t kept_bytes, frame_bytes;
};

struct pcap {
    FILE *file;
    char *path;
    uint32_t maxlen;
    unsigned directions;
    int failure; /* an errno; 0: all is written */
    struct link_observer observer;
};

static void put(struct pcap *p, const void *bytes, size_t n)
{
    if (!p->failure && fwrite(bytes, 1, n, p->file) != n)
        p->failure = errno;
}

static void flush(struct pcap *p)
{
    if (!p->failure && fflush(p->file) != 0)
        p->failure = errno;
}

static void see(void *owner, enum link_direction direction, const uint8_t *frame, size_t bytes,
                uint64_t now_ns)
{
    struct pcap *p = owner;
    if (!(p->directions & direction))
        return;
    struct record_header header = {
        .seconds = (uint32_t)(now_ns / NS_PER_S),
        .nanoseconds = (uint32_t)(now_ns % NS_PER_S),
        .kept_bytes = (uint32_t)min_u64(bytes, p->maxlen),
        .frame_bytes = (uint32_t)bytes,
    };
    put(p, &header, sizeof header);
    put(p, frame, header.kept_bytes);
    flush(p);
}

static void free_pcap(struct pcap *p)
{
    if (p)
        free(p->path);
    free(p);
}

struct pcap *pcap_open(const char *path, uint32_t maxlen, unsigned directions, struct error *err)
{
    struct pcap *p = calloc(1, sizeof *p);
    if (p)
        p->path = strdup(path);
    if (!p || !p->path) {
        free_pcap(p);
        error_set(err, "no memory for a capture");
        return NULL;
    }
    p->maxlen = maxlen;
    p->directions = directions;
    p->observer = (struct link_observer){.see = see, .owner = p};
    p->file = fopen(path, "wbe");
    if (!p->file) {
        error_set(err, "cannot write %s: %s", path, strerror(errno));
        free_pcap(p);
        return NULL;
    }
    struct file_header header = {.magic = MAGIC_NS,
                                 .version_major = VERSION_MAJOR,
                                 .version_minor = VERSION_MINOR,
                                 .snap_length = maxlen,
                                 .link_type = LINK_ETHERNET};
    put(p, &header, sizeof header);
    flush(p);
    return p;
}

bool pcap_close(struct pcap *p, struct error *err)
{
    if (fclose(p->file) != 0 && !p->failure)
        p->failure = errno;
    bool ok =
        !p->failure || error_set(err, "%s is not complete: %s", p->path, strerror(p->failure));
    free_pcap(p);
    return ok;
}

struct link_observer *pcap_observer(struct pcap *p)
{
    return &p->observer;
}
