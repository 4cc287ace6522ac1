/* A file of the host that holds an image: where bytes become durable, and nothing else.
 *
 * Every operation may be called from several threads at once. Tests put their own ops here to stop
 * the power at any write. */
#ifndef RIVULET_DEVICES_BLOCK_FILE_H
#define RIVULET_DEVICES_BLOCK_FILE_H

#include "devices/block/block.h"

struct file {
    const struct file_ops *ops;
};

struct file_ops {
    /* Bytes past the end read as zero. */
    enum block_status (*read)(struct file *f, uint64_t offset, void *bytes, uint64_t n);
    enum block_status (*write)(struct file *f, uint64_t offset, const void *bytes, uint64_t n);
    /* Makes n bytes zero; with `punch` by giving their space back to the host, which it may not
     * support. */
    enum block_status (*zero)(struct file *f, uint64_t offset, uint64_t n, bool punch);
    /* What was written before is durable once this has returned BLOCK_OK. */
    enum block_status (*sync)(struct file *f);
    enum block_status (*resize)(struct file *f, uint64_t bytes);
    uint64_t (*bytes)(struct file *f);
    /* The length, 1 to n, of what at offset is either all data or all hole. */
    uint64_t (*stretch)(struct file *f, uint64_t offset, uint64_t n, bool *is_data);
    void (*close)(struct file *f);
};

struct file_options {
    bool read_only;
    bool share;  /* take no lock: look at an image that another program is using */
    bool unsafe; /* sync does nothing */
};

/* Opens a regular file or block device and locks it as QEMU does, so that either program keeps the
 * other from writing an image in use. */
struct file *file_open(const char *path, const struct file_options *options, struct error *err);
/* A new file, empty; what was there before is lost, unless it is in use: then nothing happens. */
struct file *file_create(const char *path, struct error *err);
/* An empty file without a name that goes when it is closed, in `directory`. */
struct file *file_temporary(const char *directory, struct error *err);
/* Two paths to one file have the same identity. False: there is no such file. */
struct file_identity {
    uint64_t device, number;
};
bool file_identify(const char *path, struct file_identity *identity);
/* Bytes that the host has really set aside; 0 when there is no such file. */
uint64_t file_host_bytes(const char *path);
/* When its bytes were changed last, in ns since 1970; 0: there is no such file, or, for devices,
 * nobody knows. */
uint64_t file_changed_ns(const char *path);

static inline enum block_status file_read(struct file *f, uint64_t offset, void *bytes, uint64_t n)
{
    return f->ops->read(f, offset, bytes, n);
}

static inline enum block_status file_write(struct file *f, uint64_t offset, const void *bytes,
                                           uint64_t n)
{
    return f->ops->write(f, offset, bytes, n);
}

static inline enum block_status file_zero(struct file *f, uint64_t offset, uint64_t n, bool punch)
{
    return f->ops->zero(f, offset, n, punch);
}

static inline enum block_status file_sync(struct file *f)
{
    return f->ops->sync(f);
}

static inline enum block_status file_resize(struct file *f, uint64_t bytes)
{
    return f->ops->resize(f, bytes);
}

static inline uint64_t file_bytes(struct file *f)
{
    return f->ops->bytes(f);
}

static inline uint64_t file_stretch(struct file *f, uint64_t offset, uint64_t n, bool *is_data)
{
    return f->ops->stretch(f, offset, n, is_data);
}

static inline void file_close(struct file *f)
{
    f->ops->close(f);
}

#endif
