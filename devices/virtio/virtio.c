/* What every virtio device has (virtio 1.2, sections 2.1 to 2.5 and 3.1): status, features,
 * configuration space, set-up of queues, reset, state. Rings are read in ring.c.
 *
 * Drivers that forget a step of the set-up work where QEMU lets them (xv6 never accepts VERSION_1);
 * what a driver must not do is logged. */
#include "devices/virtio/virtio.h"

#include <assert.h>
#include <stdlib.h>

#define CONFIG_MOST 256u

#define LEGACY_FEATURES (1ull << VIRTIO_F_ANY_LAYOUT)
#define MODERN_FEATURES (1ull << VIRTIO_F_VERSION_1)
#define RING_FEATURES   (1ull << VIRTIO_F_INDIRECT_DESC | 1ull << VIRTIO_F_EVENT_IDX)

/* --- making ------------------------------------------------------------------------------ */

static void reset_queues(struct virtio *v)
{
    for (unsigned i = 0; i < v->queue_count; i++)
        v->queues[i] = (struct virtio_queue){.size = v->queue_most};
}

bool virtio_init(struct virtio *v, const struct virtio_config *config)
{
    assert(is_power_of_two(config->queue_size) && config->queue_size <= VIRTIO_QUEUE_MOST &&
           "a queue has a power of two of entries");
    assert(config->ops->config_bytes <= CONFIG_MOST && "configuration spaces are small");
    v->ops = config->ops;
    v->queue_count = config->queues;
    v->queue_most = config->queue_size;
    v->memory = config->memory;
    v->log = config->log;
    v->queues = calloc(config->queues, sizeof *v->queues);
    v->scratch = malloc(sizeof *v->scratch + VIRTIO_QUEUE_MOST * sizeof v->scratch->segments[0]);
    if (v->queues && v->scratch) {
        reset_queues(v);
        return true;
    }
    virtio_deinit(v);
    return false;
}

void virtio_deinit(struct virtio *v)
{
    free(v->queues);
    free(v->scratch);
}

void virtio_destroy(struct virtio *v)
{
    v->ops->destroy(v);
}

void virtio_attach(struct virtio *v, const struct virtio_transport *transport)
{
    v->transport = *transport;
}

/* --- features and status ----------------------------------------------------------------- */

uint64_t virtio_offered(struct virtio *v)
{
    return v->ops->features(v) | RING_FEATURES | (v->legacy ? LEGACY_FEATURES : MODERN_FEATURES);
}

bool virtio_has(const struct virtio *v, unsigned feature)
{
    return v->driver_features >> feature & 1;
}

/* A modern driver learns at FEATURES_OK what is wrong; a legacy one cannot be told. */
void virtio_accept(struct virtio *v, uint64_t features)
{
    if (v->status & VIRTIO_FEATURES_OK) {
        log_line(v->log, LOG_GUEST_ERRORS, "%s: features written after FEATURES_OK", v->ops->name);
        return;
    }
    v->driver_features = v->legacy ? features & virtio_offered(v) : features;
}

bool virtio_is_running(const struct virtio *v)
{
    return (v->status & VIRTIO_DRIVER_OK) && !v->broken;
}

void virtio_reset(struct virtio *v)
{
    v->ops->reset(v);
    v->status = v->isr = v->generation = 0;
    v->broken = false;
    v->driver_features = 0;
    reset_queues(v);
}

void virtio_set_status(struct virtio *v, uint8_t status)
{
    uint8_t old = v->status;
    if (status == 0) {
        virtio_reset(v);
        return;
    }
    if (old & ~status & ~VIRTIO_NEEDS_RESET)
        log_line(v->log, LOG_GUEST_ERRORS, "%s: status bits 0x%x cleared without a reset",
                 v->ops->name, old & ~status);
    bool is_new_set = status & ~old & VIRTIO_FEATURES_OK;
    if (is_new_set && (v->driver_features & ~virtio_offered(v))) {
        log_line(v->log, LOG_GUEST_ERRORS, "%s: features 0x%llx were not offered", v->ops->name,
                 (unsigned long long)(v->driver_features & ~virtio_offered(v)));
        status &= (uint8_t)~VIRTIO_FEATURES_OK;
    }
    v->status = status | (old & VIRTIO_NEEDS_RESET);
    if (!(status & ~old & VIRTIO_DRIVER_OK))
        return;
    v->driver_features &= virtio_offered(v); /* for drivers that do not ask with FEATURES_OK */
    if (v->ops->start)
        v->ops->start(v);
}

/* A configuration change tells a modern driver to look at the status (section 2.1.2). */
void virtio_break(struct virtio *v, unsigned queue, const char *why)
{
    if (v->broken)
        return;
    v->broken = true;
    log_line(v->log, LOG_GUEST_ERRORS, "%s: queue %u: %s; the device needs a reset", v->ops->name,
             queue, why);
    if (v->legacy)
        return;
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        virtio_config_changed(v);
}

/* --- configuration space ----------------------------------------------------------------- */

void virtio_config_changed(struct virtio *v)
{
    v->generation++;
    v->isr |= VIRTIO_ISR_CONFIG;
    v->transport.interrupt(v->transport.owner, VIRTIO_CONFIG_CHANGE);
}

static bool config_has(const struct virtio *v, uint32_t offset, uint32_t n)
{
    if (offset <= v->ops->config_bytes && n <= v->ops->config_bytes - offset)
        return true;
    log_line(v->log, LOG_GUEST_ERRORS, "%s: no %u bytes of configuration at 0x%x", v->ops->name, n,
             offset);
    return false;
}

void virtio_read_config(struct virtio *v, uint32_t offset, void *to, uint32_t n)
{
    uint8_t config[CONFIG_MOST] = {0};
    memset(to, 0, n);
    if (!config_has(v, offset, n))
        return;
    v->ops->read_config(v, config);
    memcpy(to, config + offset, n);
}

void virtio_write_config(struct virtio *v, uint32_t offset, const void *from, uint32_t n)
{
    if (!config_has(v, offset, n))
        return;
    if (v->ops->write_config)
        v->ops->write_config(v, offset, from, n);
    else
        log_line(v->log, LOG_GUEST_ERRORS, "%s: its configuration is read-only", v->ops->name);
}

/* --- queues ------------------------------------------------------------------------------ */

struct virtio_queue *virtio_queue(struct virtio *v, unsigned queue)
{
    return queue < v->queue_count ? &v->queues[queue] : NULL;
}

/* A device with a small queue does not need a larger one, but drivers may: on QEMU each queue of
 * virtio-mmio takes up to 1,024 entries. A quarter of that bounds what a guest makes the host hold.
 */
unsigned virtio_queue_limit(const struct virtio *v)
{
    return (unsigned)max_u64(v->queue_most, 256);
}

void virtio_queue_set_size(struct virtio *v, unsigned queue, uint32_t size)
{
    struct virtio_queue *q = virtio_queue(v, queue);
    if (q && !q->ready && is_power_of_two(size) && size <= virtio_queue_limit(v))
        q->size = (uint16_t)size;
    else
        log_line(v->log, LOG_GUEST_ERRORS, "%s: queue %u cannot be given %u entries", v->ops->name,
                 queue, size);
}

void virtio_queue_set_ready(struct virtio *v, unsigned queue, bool ready)
{
    struct virtio_queue *q = virtio_queue(v, queue);
    if (!q || q->ready == ready)
        return;
    q->ready = ready;
    q->next_avail = q->next_used = q->published = 0;
}

/* Section 2.7.2, "Legacy Interfaces: A Note on Virtqueue Layout". */
void virtio_queue_set_legacy(struct virtio *v, unsigned queue, uint64_t gpa, uint64_t align)
{
    struct virtio_queue *q = virtio_queue(v, queue);
    if (!q)
        return;
    q->desc = gpa;
    q->avail = gpa + 16ull * q->size;
    q->used = align_up(q->avail + 6 + 2ull * q->size, align);
    virtio_queue_set_ready(v, queue, false);
    virtio_queue_set_ready(v, queue, gpa != 0);
}

/* A legacy driver may ring before DRIVER_OK (section 3.1.2). */
void virtio_notify(struct virtio *v, unsigned queue)
{
    if (queue >= v->queue_count || !v->queues[queue].ready ||
        !(v->legacy || (v->status & VIRTIO_DRIVER_OK))) {
        log_line(v->log, LOG_GUEST_ERRORS, "%s: queue %u was rung and is not in use", v->ops->name,
                 queue);
        return;
    }
    if (!v->broken)
        v->ops->notify(v, queue);
}

/* --- state ------------------------------------------------------------------------------- */

/* `held` is counted by the chains that the device loads. */
static void queue_state(struct virtio *v, struct virtio_queue *q, struct state *s)
{
    state_bool(s, &q->ready);
    state_u16(s, &q->size);
    state_u64(s, &q->desc);
    state_u64(s, &q->avail);
    state_u64(s, &q->used);
    state_u16(s, &q->next_avail);
    state_u16(s, &q->next_used);
    state_u16(s, &q->published);
    if (is_power_of_two(q->size) && q->size <= virtio_queue_limit(v))
        return;
    state_fail(s, "a virtio queue of %u entries", q->size);
    q->size = v->queue_most;
}

/* A load first gives up what the device holds: the loaded chains take its place. */
void virtio_state(struct virtio *v, struct state *s)
{
    if (state_loading(s))
        virtio_reset(v);
    state_section(s, v->ops->name, 1);
    state_u8(s, &v->status);
    state_u8(s, &v->isr);
    state_u8(s, &v->generation);
    state_bool(s, &v->legacy);
    state_bool(s, &v->broken);
    state_u64(s, &v->driver_features);
    for (unsigned i = 0; i < v->queue_count; i++)
        queue_state(v, &v->queues[i], s);
    if (v->ops->state)
        v->ops->state(v, s);
}
