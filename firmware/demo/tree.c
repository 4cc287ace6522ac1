/* What the demo needs of a flat device tree (Devicetree Specification v0.4, chapter 5), as QEMU's
 * virt has it: addresses and sizes of two cells. */
#include "firmware/demo/demo.h"
#include "firmware/demo/library.h"

#define MAGIC      0xd00dfeedu
#define BEGIN_NODE 1u
#define END_NODE   2u
#define PROPERTY   3u
#define NOTHING    4u

/* One node's properties, as far as they say what it is. */
struct node {
    const char *compatible, *device_type, *arguments;
    const uint8_t *reg;
    uint32_t reg_bytes, timebase;
};

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t two_words(const uint8_t *p)
{
    return (uint64_t)word(p) << 32 | word(p + 4);
}

static bool is(const char *text, const char *what)
{
    return text && same_text(text, what);
}

static void note_property(struct node *n, const char *name, const uint8_t *value, uint32_t bytes)
{
    if (is(name, "compatible"))
        n->compatible = (const char *)value;
    else if (is(name, "device_type"))
        n->device_type = (const char *)value;
    else if (is(name, "bootargs"))
        n->arguments = (const char *)value;
    else if (is(name, "timebase-frequency") && bytes == 4)
        n->timebase = word(value);
    else if (is(name, "reg")) {
        n->reg = value;
        n->reg_bytes = bytes;
    }
}

static void note_node(struct board *b, const struct node *n)
{
    if (n->arguments)
        b->arguments = n->arguments;
    if (n->timebase)
        b->timebase = n->timebase;
    if (!n->reg)
        return;
    if (is(n->device_type, "cpu") && n->reg_bytes == 4 && b->hart_count < HARTS_MAX)
        b->harts[b->hart_count++] = word(n->reg);
    if (n->reg_bytes < 16)
        return;
    if (is(n->device_type, "memory") && !b->ram_bytes) {
        b->ram_base = two_words(n->reg);
        b->ram_bytes = two_words(n->reg + 8);
    } else if (is(n->compatible, "qemu,fw-cfg-mmio"))
        b->fw_cfg = two_words(n->reg);
    else if (is(n->compatible, "virtio,mmio") && b->slot_count < SLOTS_MAX)
        b->slots[b->slot_count++] = two_words(n->reg);
}

bool tree_read(const void *blob, struct board *b)
{
    const uint8_t *header = blob, *p = header + word(header + 8);
    const char *names = (const char *)header + word(header + 12);
    struct node node = {0};
    *b = (struct board){.arguments = ""};
    if (word(header) != MAGIC)
        return false;
    for (;;) {
        uint32_t token = word(p);
        p += 4;
        if (token == PROPERTY) {
            uint32_t bytes = word(p);
            note_property(&node, names + word(p + 4), p + 8, bytes);
            p += 8 + ((bytes + 3) & ~3u);
            continue;
        }
        if (token == NOTHING)
            continue;
        note_node(b, &node); /* its properties come before what is in it */
        node = (struct node){0};
        if (token == BEGIN_NODE)
            p += (text_length((const char *)p) + 4) & ~(size_t)3;
        else if (token != END_NODE)
            return b->hart_count && b->ram_bytes && b->timebase;
    }
}

bool board_has_word(const struct board *b, const char *word)
{
    size_t n = text_length(word);
    for (const char *p = b->arguments; *p;) {
        size_t length = 0;
        while (p[length] && p[length] != ' ')
            length++;
        if (length == n && same_bytes(p, word, n))
            return true;
        p += length;
        while (*p == ' ')
            p++;
    }
    return false;
}
