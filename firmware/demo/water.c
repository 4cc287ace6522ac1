/* Waves, and the light through them (contract: water.h).
 *
 * A cell's height is 16 bits. The next one is its own and the mean of its four neighbours' less
 * what it was a frame before, damped: the wave equation at half a cell a frame. What was is taken a
 * little from the neighbours too, which damps ripples that are too short for the grid. (At the
 * greatest speed that the grid can carry, which is one addition less, that would make them grow.)
 * Every third frame all is taken one cell upstream, which moves all waves along.
 *
 * Slopes bend the view: a pixel shows the bed beside it. Offsets are cut from the bits of the
 * slope, so that they cannot leave the bed's margin, whatever the heights are. And slopes catch
 * light: a table has what is added to all channels of two pixels in one addition, for no channel of
 * the bed comes near its end (scene.c). */
#include "firmware/demo/water.h"
#include "firmware/demo/library.h"

#define BED_STRIDE_SHIFT 11 /* pixels; the width is less */
#define BED_STRIDE       (1u << BED_STRIDE_SHIFT)
#define BEND_SHIFT       8      /* slope -> pixels */
#define BEND_MAX         MARGIN /* offsets are -16 to 15 */
#define BEND_BIAS        (BEND_MAX << BEND_SHIFT)
#define BEND_MASK        (2 * BEND_MAX - 1)
#define LIGHT_SHIFT      4
#define DAMPING_SHIFT    8

#define SMOOTHING_SHIFT 6
#define INFLOW_CELLS    3u

#define EACH_CHANNEL 0x0001010100010101ull

static const uint32_t hart_colors[HARTS_MAX] = {0xf4b860, 0x6fd0c8, 0xe8788c, 0x8fb8ff,
                                                0xb5e07a, 0xd79bf0, 0xf0e07a, 0xa0a8b8};

uint32_t water_hart_color(unsigned hart)
{
    return hart_colors[hart % HARTS_MAX];
}

/* A tint is a sixteenth of the hart's colour on each channel. */
static uint64_t tint_of(unsigned tint)
{
    uint64_t c = tint ? hart_colors[(tint - 1) % HARTS_MAX] : 0;
    c = c >> 4 & 0x0f0f0f;
    return c << 32 | c;
}

/* Facing away is a little darker; facing the light brighter, and then suddenly a glint. */
static void make_lights(struct water *w)
{
    for (unsigned i = 0; i < LIGHTS; i++) {
        int slope = i < LIGHTS / 2 ? (int)i : (int)i - (int)LIGHTS;
        int light = slope / 4;
        if (slope > 60)
            light += (slope - 60) / 3;
        light = light < -30 ? -30 : light > 40 ? 40 : light;
        for (unsigned tint = 0; tint <= HARTS_MAX; tint++)
            w->lights[tint][i] = (uint64_t)light * EACH_CHANNEL + tint_of(tint);
    }
}

bool water_create(struct water *w, const struct picture *target)
{
    w->target = *target;
    w->across = target->width / 2;
    w->down = target->height / 2;
    w->stride = w->across + 2;
    w->frame = 0;
    /* One before the first, for the sums taken upstream. */
    const size_t cells = ((size_t)w->stride * (w->down + 2) + 1) * sizeof(int16_t);
    const struct picture bed = {
        .width = target->width + 2 * MARGIN,
        .height = target->height + 2 * MARGIN,
        .stride = BED_STRIDE,
        .pixels = memory_take((size_t)BED_STRIDE * (target->height + 2 * MARGIN) * 4)};
    int16_t *solid = memory_take(cells);
    if (!bed.pixels || !solid || bed.width > BED_STRIDE)
        return false;
    for (unsigned i = 0; i < HEIGHTS; i++) {
        int16_t *heights = memory_take(cells);
        if (!heights)
            return false;
        w->heights[i] = heights + w->stride + 2;
    }
    w->solid = solid + w->stride + 1;
    w->bed = bed.pixels + (size_t)MARGIN * BED_STRIDE + MARGIN;
    make_lights(w);
    return scene_draw(&bed, w->solid, w->stride);
}

unsigned water_strips(const struct water *w)
{
    return (w->down + STRIP_ROWS - 1) / STRIP_ROWS;
}

/* How many cells all has moved to the right in the next frame. What was before the present one has
 * moved in that one too. */
static size_t upstream(unsigned frame)
{
    return frame % 3 == 0;
}

static void move_row(struct water *w, unsigned y)
{
    const size_t row = (size_t)y * w->stride;
    const int16_t *now = w->heights[0] + row - upstream(w->frame);
    const int16_t *before = w->heights[1] + row - upstream(w->frame) - upstream(w->frame - 1);
    const int16_t *above = now - w->stride, *below = now + w->stride;
    const int16_t *before_above = before - w->stride, *before_below = before + w->stride;
    const int16_t *solid = w->solid + row;
    int16_t *next = w->heights[2] + row;
#pragma GCC unroll 4
    for (long x = 0; x < (long)w->across; x++) {
        const int around = before[x - 1] + before[x + 1] + before_above[x] + before_below[x];
        const int was = before[x] + ((around - 4 * before[x]) >> SMOOTHING_SHIFT);
        int v = now[x] + ((now[x - 1] + now[x + 1] + above[x] + below[x]) >> 2) - was;
        v -= (v + (1 << (DAMPING_SHIFT - 1))) >> DAMPING_SHIFT;
        next[x] = (int16_t)(v & solid[x]);
    }
}

typedef uint64_t pixel_pair __attribute__((aligned(4), may_alias));

static void draw_row(struct water *w, unsigned y, const uint64_t *lights)
{
    const int16_t *now = w->heights[0] + (size_t)y * w->stride;
    const int16_t *above = now - w->stride, *below = now + w->stride;
    /* The bias of the offsets, which are cut to be positive, is taken off here. */
    const char *bed = (const char *)(w->bed + (size_t)2 * y * BED_STRIDE -
                                     (size_t)BEND_MAX * BED_STRIDE - BEND_MAX);
    uint32_t *out = w->target.pixels + (size_t)2 * y * w->target.stride;
    uint32_t *out_below = out + w->target.stride;
    const long across = (long)w->across;
#pragma GCC unroll 2
    for (long x = 0; x < across; x++) {
        const int dx = now[x + 1] - now[x - 1], dy = below[x] - above[x];
        const uint64_t bent_x = (uint64_t)(dx + (int)BEND_BIAS) >> BEND_SHIFT & BEND_MASK;
        const uint64_t bent_y = (uint64_t)(dy + (int)BEND_BIAS) >> BEND_SHIFT & BEND_MASK;
        const char *seen = bed + (bent_y << (BED_STRIDE_SHIFT + 2)) + (bent_x << 2);
        const uint64_t light = lights[(uint64_t)(dx + dy) >> LIGHT_SHIFT & (LIGHTS - 1)];
        *(pixel_pair *)out = *(const pixel_pair *)seen + light;
        *(pixel_pair *)out_below = *(const pixel_pair *)(seen + BED_STRIDE * 4) + light;
        bed += 8;
        out += 2;
        out_below += 2;
    }
}

void water_draw_strip(struct water *w, unsigned strip, unsigned tint)
{
    unsigned y = strip * STRIP_ROWS, end = y + STRIP_ROWS;
    for (end = end < w->down ? end : w->down; y < end; y++) {
        move_row(w, y);
        draw_row(w, y, w->lights[tint]);
    }
}

void water_advance(struct water *w)
{
    int16_t *before = w->heights[1];
    w->heights[1] = w->heights[0];
    w->heights[0] = w->heights[2];
    w->heights[2] = before;
    w->frame++;
}

void water_drop(struct water *w, int x, int y, int radius, int depth)
{
    for (int j = -radius; j <= radius; j++)
        for (int i = -radius; i <= radius; i++) {
            int from_center = i * i + j * j, rim = radius * radius;
            int cx = x + i, cy = y + j;
            if (from_center >= rim || cx < 0 || cy < 0 || cx >= (int)w->across ||
                cy >= (int)w->down)
                continue;
            size_t at = (size_t)cy * w->stride + (size_t)cx;
            int fall = depth * (rim - from_center) / rim * (rim - from_center) / rim;
            w->heights[0][at] = (int16_t)((w->heights[0][at] - fall) & w->solid[at]);
        }
}

/* A wave by a quarter of its sine as a parabola: 256 steps a turn, to 64. */
static int wave(unsigned phase)
{
    int p = (int)(phase & 127), v = p * (128 - p) / 64;
    return phase & 128 ? -v : v;
}

/* Three waves that run to the right, each at its own slant. */
static int16_t inflow(unsigned x, unsigned y, unsigned frame)
{
    return (int16_t)(wave(frame * 6 - x * 6 + y * 2) * 24 +
                     wave(frame * 4 - x * 4 - y * 3 + 40) * 20 +
                     wave(frame * 9 - x * 9 + y * 5) * 9);
}

void water_flow(struct water *w)
{
    for (unsigned y = 0; y < w->down; y++)
        for (unsigned x = 0; x < INFLOW_CELLS; x++) {
            size_t at = (size_t)y * w->stride + x;
            w->heights[0][at] = inflow(x, y, w->frame);
            w->heights[1][at] = inflow(x, y, w->frame - 1);
        }
}
