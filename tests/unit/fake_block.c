/* The disk of fake_block.h. It serves fuzzers too, where Check's assertions do not work. */
#include "tests/unit/fake_block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fake_block_init(struct block *b, uint64_t size)
{
    *b = (struct block){.bytes = malloc(size), .size = size};
    for (uint64_t i = 0; i < size; i++)
        b->bytes[i] = (uint8_t)(i ^ i >> 9);
}

void fake_block_free(struct block *b)
{
    assert(!b->pending);
    assert(!b->done);
    assert(!b->hook);
    free(b->bytes);
}

static void append(struct block_request **list, struct block_request *r)
{
    while (*list)
        list = &(*list)->next;
    r->next = NULL;
    *list = r;
}

static bool take(struct block_request **list, struct block_request *r)
{
    while (*list && *list != r)
        list = &(*list)->next;
    if (!*list)
        return false;
    *list = r->next;
    return true;
}

static void work(struct block *b, struct block_request *r)
{
    r->status = b->status;
    if (r->status != BLOCK_OK)
        return;
    if (r->op == BLOCK_READ)
        memcpy(r->buffer, b->bytes + r->offset, r->bytes);
    else if (r->op == BLOCK_WRITE)
        memcpy(b->bytes + r->offset, r->buffer, r->bytes);
    else if (r->op != BLOCK_FLUSH)
        memset(b->bytes + r->offset, 0, r->bytes);
}

void fake_block_run(struct block *b)
{
    for (struct block_request *r; (r = b->pending);) {
        take(&b->pending, r);
        work(b, r);
        append(&b->done, r);
        if (b->hook)
            b->hook(b->owner);
    }
}

uint64_t block_bytes(const struct block *b)
{
    return b->size;
}

bool block_is_read_only(const struct block *b)
{
    return b->read_only;
}

const char *block_path(const struct block *b)
{
    (void)b;
    return "fake.img";
}

const char *block_status_text(enum block_status status)
{
    return strerror((int)status);
}

void block_submit(struct block *b, struct block_request *r)
{
    assert(r->offset % 512 == 0);
    assert(r->bytes % 512 == 0);
    assert(r->offset <= b->size && r->bytes <= b->size - r->offset);
    b->counts[r->op]++;
    if (r->op == BLOCK_READ || r->op == BLOCK_WRITE) {
        assert(r->buffer);
        b->most_bytes = max_u64(b->most_bytes, r->bytes);
    }
    if (r->op == BLOCK_WRITE_ZEROES)
        b->may_unmap = r->may_unmap;
    append(&b->pending, r);
}

void block_on_done(struct block *b, void (*hook)(void *owner), void *owner)
{
    b->hook = hook;
    b->owner = owner;
}

struct block_request *block_take_done(struct block *b)
{
    struct block_request *r = b->done;
    if (r)
        b->done = r->next;
    return r;
}

void block_wait(struct block *b, struct block_request *r)
{
    if (take(&b->pending, r))
        work(b, r);
    else if (!take(&b->done, r))
        assert(!"waited for a request that was never submitted");
}
