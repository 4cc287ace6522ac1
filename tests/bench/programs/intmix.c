/* Integer work of the kinds that CoreMark made customary, in our own words: a linked list is sorted
 * and searched, matrices are multiplied, a state machine reads numbers, and a CRC covers every
 * result. */
#include "bench.h"

#define NODES  64
#define ORDER  12
#define TEXT   "17,-4;0x1f,+250;3.5e2,x9;;-88,0x,12e-1,+-3;7"
#define ROUNDS 6000

struct node {
    struct node *next;
    int16_t key, index;
};

struct work {
    struct node nodes[NODES];
    int16_t a[ORDER][ORDER], b[ORDER][ORDER];
    int32_t product[ORDER][ORDER];
    uint32_t random;
};

static uint32_t next_random(struct work *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

static uint16_t crc16(uint16_t crc, uint32_t value)
{
    for (int i = 0; i < 32; i++) {
        unsigned carry = (crc ^ value) & 1;
        crc >>= 1;
        value >>= 1;
        if (carry)
            crc ^= 0xa001;
    }
    return crc;
}

static int by_key(const struct node *a, const struct node *b)
{
    return a->key != b->key ? a->key - b->key : a->index - b->index;
}

static int by_index(const struct node *a, const struct node *b)
{
    return a->index - b->index;
}

static struct node *merge(struct node *a, struct node *b,
                          int (*order)(const struct node *, const struct node *))
{
    struct node head, *end = &head;
    while (a && b) {
        struct node **least = order(a, b) <= 0 ? &a : &b;
        end->next = *least;
        end = *least;
        *least = end->next;
    }
    end->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list, int (*order)(const struct node *, const struct node *))
{
    if (!list || !list->next)
        return list;
    struct node *slow = list;
    for (struct node *fast = list->next; fast && fast->next; fast = fast->next->next)
        slow = slow->next;
    struct node *second = slow->next;
    slow->next = NULL;
    return merge(sort(list, order), sort(second, order), order);
}

static struct node *reverse(struct node *list)
{
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static uint16_t work_on_list(struct work *w, uint16_t crc)
{
    struct node *list = NULL;
    for (int i = 0; i < NODES; i++) {
        w->nodes[i] = (struct node){list, (int16_t)(next_random(w) & 0xff), (int16_t)i};
        list = &w->nodes[i];
    }
    list = sort(list, by_key);
    for (int wanted = 0; wanted < 256; wanted += 16) {
        const struct node *n = list;
        while (n && n->key < wanted)
            n = n->next;
        crc = crc16(crc, n ? (uint32_t)n->index : 0xffffu);
    }
    list = sort(reverse(list), by_index);
    return crc16(crc, (uint32_t)list->key);
}

static uint16_t work_on_matrix(struct work *w, uint16_t crc)
{
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            w->a[i][j] = (int16_t)next_random(w);
            w->b[i][j] = (int16_t)next_random(w);
        }
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            int32_t sum = 0;
            for (int k = 0; k < ORDER; k++)
                sum += (w->a[i][k] >> 4) * (w->b[k][j] >> 4);
            w->product[i][j] = sum;
        }
    for (int i = 0; i < ORDER; i++)
        crc = crc16(crc, (uint32_t)w->product[i][(i * 5) % ORDER]);
    return crc;
}

enum state { START, SIGN, INTEGER, HEX_START, HEX, FRACTION, EXPONENT_START, EXPONENT, WRONG };

static enum state step(enum state state, char c)
{
    int digit = c >= '0' && c <= '9';
    switch (state) {
    case START:
        return c == '+' || c == '-' ? SIGN : digit ? INTEGER : WRONG;
    case SIGN:
        return digit ? INTEGER : WRONG;
    case INTEGER:
        return digit      ? INTEGER
               : c == 'x' ? HEX_START
               : c == '.' ? FRACTION
               : c == 'e' ? EXPONENT_START
                          : WRONG;
    case HEX_START:
    case HEX:
        return digit || (c >= 'a' && c <= 'f') ? HEX : WRONG;
    case FRACTION:
        return digit ? FRACTION : c == 'e' ? EXPONENT_START : WRONG;
    case EXPONENT_START:
        return digit || c == '-' ? EXPONENT : WRONG;
    case EXPONENT:
        return digit ? EXPONENT : WRONG;
    case WRONG:
        break;
    }
    return WRONG;
}

static uint16_t work_on_text(struct work *w, uint16_t crc)
{
    char text[] = TEXT;
    text[next_random(w) % (sizeof(text) - 1)] = (char)('0' + (next_random(w) % 10));
    uint32_t ends[WRONG + 1] = {0};
    enum state state = START;
    for (const char *p = text; *p; p++) {
        if (*p == ',' || *p == ';') {
            ends[state]++;
            state = START;
        } else {
            state = step(state, *p);
        }
    }
    for (int i = 0; i <= WRONG; i++)
        crc = crc16(crc, ends[i]);
    return crc;
}

int main(void)
{
    struct work *w = calloc(1, sizeof(*w));
    if (!w)
        return 1;
    w->random = 1;
    uint16_t crc = 0;
    for (int i = 0; i < ROUNDS; i++) {
        crc = work_on_list(w, crc);
        crc = work_on_matrix(w, crc);
        for (int j = 0; j < 8; j++)
            crc = work_on_text(w, crc);
    }
    free(w);
    return bench_result("intmix", crc, 0x93c9);
}
