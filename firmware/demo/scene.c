/* The river's bed: pebbles, darker to the edges, and the name as smooth stones that stand in the
 * water. Drawn once, with floating point.
 *
 * Channels stay within 36 to 199: the water adds -30 to 55 to each without a test (water.c). */
#include "firmware/demo/demo.h"
#include "firmware/demo/library.h"

#define STROKES_MAX 96u

struct point {
    float x, y;
};
struct stroke {
    struct point from, to;
    float left, right;
};

/* The name in lines of one width; a unit is the height of a small letter. */
struct lettering {
    struct stroke strokes[STROKES_MAX];
    unsigned count;
    float pen; /* where the next letter begins */
};

static float root(float v)
{
    float r;
    __asm__("fsqrt.s %0, %1" : "=f"(r) : "f"(v));
    return r;
}

static float clamp(float v, float least, float most)
{
    return v < least ? least : v > most ? most : v;
}

/* 0 below the edge, 1 above, smooth within its width. */
static float step(float edge, float width, float v)
{
    float t = clamp((v - edge) / width + 0.5f, 0, 1);
    return t * t * (3 - 2 * t);
}

/* --- the name ---------------------------------------------------------------------------- */

static void line(struct lettering *l, float x0, float y0, float x1, float y1)
{
    if (l->count < STROKES_MAX)
        l->strokes[l->count++] = (struct stroke){{l->pen + x0, y0},
                                                 {l->pen + x1, y1},
                                                 l->pen + (x0 < x1 ? x0 : x1),
                                                 l->pen + (x0 < x1 ? x1 : x0)};
}

/* Part of an ellipse, in 16ths of a turn from the right, clockwise as y grows downwards. */
static void arc(struct lettering *l, float x, float y, float rx, float ry, int from, int to)
{
    static const float cosines[16] = {1,        0.9239f,  0.7071f, 0.3827f,  0,        -0.3827f,
                                      -0.7071f, -0.9239f, -1,      -0.9239f, -0.7071f, -0.3827f,
                                      0,        0.3827f,  0.7071f, 0.9239f};
    for (int i = from; i < to; i++)
        line(l, x + rx * cosines[i & 15], y + ry * cosines[(i + 12) & 15],
             x + rx * cosines[(i + 1) & 15], y + ry * cosines[(i + 13) & 15]);
}

/* Small letters stand between 0 and 1, high ones begin at -0.6. */
static void letter_r(struct lettering *l)
{
    line(l, 0, 0, 0, 1);
    arc(l, 0.4f, 0.4f, 0.4f, 0.4f, 8, 14);
    l->pen += 1.0f;
}

static void letter_i(struct lettering *l)
{
    line(l, 0, 0, 0, 1);
    line(l, 0, -0.48f, 0, -0.46f);
    l->pen += 0.42f;
}

static void letter_v(struct lettering *l)
{
    line(l, 0, 0, 0.4f, 1);
    line(l, 0.4f, 1, 0.8f, 0);
    l->pen += 1.22f;
}

static void letter_u(struct lettering *l)
{
    line(l, 0, 0, 0, 0.6f);
    arc(l, 0.38f, 0.6f, 0.38f, 0.4f, 0, 8);
    line(l, 0.76f, 0, 0.76f, 1);
    l->pen += 1.2f;
}

static void letter_l(struct lettering *l)
{
    line(l, 0, -0.6f, 0, 1);
    l->pen += 0.44f;
}

static void letter_e(struct lettering *l)
{
    line(l, 0.02f, 0.5f, 0.86f, 0.5f);
    arc(l, 0.44f, 0.5f, 0.43f, 0.5f, 2, 16);
    l->pen += 1.26f;
}

static void letter_t(struct lettering *l)
{
    line(l, 0.2f, -0.45f, 0.2f, 0.7f);
    arc(l, 0.5f, 0.7f, 0.3f, 0.3f, 4, 8);
    line(l, 0, 0, 0.5f, 0);
    l->pen += 0.5f;
}

/* From a point to a stroke, squared. */
static float distance(const struct stroke *s, float x, float y)
{
    float dx = s->to.x - s->from.x, dy = s->to.y - s->from.y;
    float px = x - s->from.x, py = y - s->from.y;
    float length = dx * dx + dy * dy;
    float t = length > 0 ? clamp((px * dx + py * dy) / length, 0, 1) : 0;
    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

#define PEN_WIDTH 0.15f /* half of it */
#define REACH     0.5f  /* of the shadow, and a little */
#define FAR       1e9f

/* How far outside of the name a point is; negative inside. Strokes that are farther than the
 * nearest one so far in x alone are passed over: they come from left to right, a letter after
 * another. */
static float outside(const struct lettering *l, float x, float y)
{
    float least = REACH * REACH;
    if (x < -REACH || x > l->pen + REACH || y < -0.6f - REACH || y > 1 + REACH)
        return REACH;
    for (unsigned i = 0; i < l->count; i++) {
        const struct stroke *s = &l->strokes[i];
        if (x < s->left - REACH || x > s->right + REACH)
            continue;
        float d = distance(s, x, y);
        least = d < least ? d : least;
    }
    return root(least) - PEN_WIDTH;
}

static void write_name(struct lettering *l)
{
    l->count = 0;
    l->pen = 0;
    letter_r(l);
    letter_i(l);
    letter_v(l);
    letter_u(l);
    letter_l(l);
    letter_e(l);
    letter_t(l);
}

/* --- pebbles ----------------------------------------------------------------------------- */

static uint32_t mix(int32_t x, int32_t y)
{
    uint64_t state = (uint64_t)(uint32_t)x << 32 ^ (uint32_t)y * 2654435761u;
    random_next(&state);
    random_next(&state);
    return random_next(&state);
}

struct color {
    float r, g, b;
};

/* A pebble's colour; most are of the river's blue and green, some of sand. */
static struct color pebble_color(uint32_t chance)
{
    static const struct color colors[8] = {
        {0.17f, 0.42f, 0.52f}, {0.13f, 0.36f, 0.50f}, {0.22f, 0.50f, 0.55f}, {0.16f, 0.45f, 0.47f},
        {0.30f, 0.50f, 0.50f}, {0.48f, 0.50f, 0.42f}, {0.12f, 0.32f, 0.46f}, {0.25f, 0.44f, 0.58f}};
    struct color c = colors[chance & 7];
    float light = 0.85f + (float)(chance >> 3 & 31) / 100;
    return (struct color){c.r * light, c.g * light, c.b * light};
}

/* The pebbles around one: their centers, and what chance has given them. */
struct pebbles {
    int32_t x, y; /* of the one in the middle, in the grid */
    struct point centers[9];
    uint32_t chances[9];
};

static void find_pebbles(struct pebbles *p, int32_t x, int32_t y)
{
    if (p->x == x && p->y == y)
        return;
    p->x = x;
    p->y = y;
    for (int32_t i = 0; i < 9; i++) {
        int32_t gx = x + i % 3 - 1, gy = y + i / 3 - 1;
        uint32_t random = mix(gx, gy);
        p->centers[i].x = (float)gx + 0.5f + ((float)(random & 255) - 128) / 330;
        p->centers[i].y = (float)gy + 0.5f + ((float)(random >> 8 & 255) - 128) / 330;
        p->chances[i] = random >> 16;
    }
}

/* Cells of a disturbed grid, each a pebble: bright where it bulges to the light, dark between. */
static struct color pebble(struct pebbles *p, float x, float y)
{
    float nearest = FAR, second = FAR;
    int pick = 0;
    find_pebbles(p, (int32_t)x - (x < 0), (int32_t)y - (y < 0));
    for (int i = 0; i < 9; i++) {
        float dx = x - p->centers[i].x, dy = y - p->centers[i].y, d = dx * dx + dy * dy;
        if (d < nearest) {
            second = nearest;
            nearest = d;
            pick = i;
        } else if (d < second) {
            second = d;
        }
    }
    struct color c = pebble_color(p->chances[pick]);
    float edge = clamp((root(second) - root(nearest)) * 5, 0, 1);
    float bulge = x - p->centers[pick].x + y - p->centers[pick].y;
    float light = (0.45f + 0.55f * edge) * (1 - 0.35f * bulge);
    return (struct color){c.r * light, c.g * light, c.b * light};
}

/* --- the whole --------------------------------------------------------------------------- */

struct scene {
    struct lettering name;
    struct pebbles pebbles;
    /* How far from the name each second pixel is, in letters: what is between is interpolated. */
    float *field;
    unsigned across, down;
    float width, height; /* seen */
    float unit;          /* pixels of a small letter */
    float left, top;     /* of the name */
    float pebble;        /* pixels of one */
};

static uint32_t channel(float v)
{
    return 36 + (uint32_t)(clamp(v, 0, 1) * 163);
}

static bool measure_field(struct scene *s)
{
    s->across = (unsigned)s->width / 2 + 1;
    s->down = (unsigned)s->height / 2 + 1;
    s->field = memory_take((size_t)s->across * s->down * sizeof *s->field);
    for (unsigned y = 0; s->field && y < s->down; y++)
        for (unsigned x = 0; x < s->across; x++)
            s->field[(size_t)y * s->across + x] =
                outside(&s->name, ((float)(2 * x) - s->left) / s->unit,
                        ((float)(2 * y) - s->top) / s->unit);
    return s->field != NULL;
}

static float near_name(const struct scene *s, float x, float y)
{
    x = clamp(x / 2, 0, (float)s->across - 1.01f);
    y = clamp(y / 2, 0, (float)s->down - 1.01f);
    const unsigned ix = (unsigned)x, iy = (unsigned)y;
    const float fx = x - (float)ix, fy = y - (float)iy;
    const float *f = s->field + (size_t)iy * s->across + ix, *g = f + s->across;
    float upper = f[0] + (f[1] - f[0]) * fx, lower = g[0] + (g[1] - g[0]) * fx;
    return upper + (lower - upper) * fy;
}

/* Darker to the edges, and in the shadow that the name throws to the right and down. */
static struct color bed_at(struct scene *s, float x, float y)
{
    struct color c = pebble(&s->pebbles, x / s->pebble, y / s->pebble);
    float ex = 2 * x / s->width - 1, ey = 2 * y / s->height - 1;
    float light = 1.15f - 0.45f * (ex * ex + ey * ey) * 0.8f;
    float shade = near_name(s, x - 0.12f * s->unit, y - 0.16f * s->unit);
    light *= 0.55f + 0.45f * step(0.02f, 0.3f, shade);
    return (struct color){c.r * light, c.g * light, c.b * light};
}

/* A stone's round top: lit from the upper left, whose light the distance to its edge bends. */
static struct color stone_at(const struct scene *s, float x, float y, float inside)
{
    float e = 0.03f * s->unit;
    float slope = near_name(s, x + e, y + e) - near_name(s, x - e, y - e);
    float round = 1 - clamp(inside / PEN_WIDTH, 0, 1);
    float light = 0.9f - 4.2f * slope * round;
    return (struct color){light, light * 0.97f, light * 0.88f};
}

static uint32_t pixel_at(struct scene *s, float x, float y)
{
    float out = near_name(s, x, y);
    float stone = 1 - step(0, 1.5f / s->unit, out);
    struct color c = bed_at(s, x, y);
    if (stone > 0) {
        struct color top = stone_at(s, x, y, -out);
        c.r += (top.r - c.r) * stone;
        c.g += (top.g - c.g) * stone;
        c.b += (top.b - c.b) * stone;
    }
    return channel(c.r) << 16 | channel(c.g) << 8 | channel(c.b);
}

static void find_places(struct scene *s, const struct picture *bed)
{
    write_name(&s->name);
    s->pebbles.x = INT32_MIN; /* none yet */
    s->width = (float)(bed->width - 2 * MARGIN);
    s->height = (float)(bed->height - 2 * MARGIN);
    s->unit = s->width * 0.72f / s->name.pen;
    if (s->unit > s->height / 2.4f)
        s->unit = s->height / 2.4f;
    s->left = (s->width - (s->name.pen) * s->unit) / 2;
    s->top = s->height / 2 - 0.25f * s->unit;
    s->pebble = clamp(s->width / 26, 14, 64);
}

bool scene_draw(const struct picture *bed, int16_t *solid, unsigned cells_across)
{
    static struct scene s;
    find_places(&s, bed);
    if (!measure_field(&s))
        return false;
    for (unsigned y = 0; y < bed->height; y++)
        for (unsigned x = 0; x < bed->width; x++)
            bed->pixels[(size_t)y * bed->stride + x] =
                pixel_at(&s, (float)x + 0.5f - (float)MARGIN, (float)y + 0.5f - (float)MARGIN);
    for (unsigned y = 0; y + 1 < s.down; y++)
        for (unsigned x = 0; x + 1 < s.across; x++)
            solid[(size_t)y * cells_across + x] =
                near_name(&s, (float)(2 * x + 1), (float)(2 * y + 1)) < 0 ? 0 : -1;
    return true;
}
