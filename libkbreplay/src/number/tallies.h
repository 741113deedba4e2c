/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs of a reduction taken in, and what came of it compared: the checks' own arithmetic on whole arrays.
 * See kernels.h for what each kernel is to do.
 */
#ifndef KBREPLAY_SRC_TALLIES_H
#define KBREPLAY_SRC_TALLIES_H

#include "number/kernels.h"
#include "number/maps.h"

/* Cells are as wide as the elements, and of two's complement. */
typedef vw cells_f16;
typedef vw cells_bf16;
typedef vu cells_f32;

INLINE vw narrow_f16(vs a) {
    return narrowed_16((vu)a);
}

INLINE vs widen_f16(vw cells) {
    return (vs)(widened_16(cells) << 16) >> 16;
}

INLINE vu narrow_f32(vs a) {
    return (vu)a;
}

INLINE vs widen_f32(vu cells) {
    return (vs)cells;
}

#define narrow_bf16 narrow_f16
#define widen_bf16 widen_f16

/* All integers up to this one are exact. */
#define WHOLE_MOST_f16 2048
#define WHOLE_MOST_bf16 256
#define WHOLE_MOST_f32 16777216

INLINE int any_lane(vs mask) {
    int32_t lanes[LANES], any = 0;
    memcpy(lanes, &mask, sizeof lanes);
    for (size_t i = 0; i < LANES; i++)
        any |= lanes[i];
    return any != 0;
}

/* Lanes that are not whole, or beyond `most`, or -0. */
INLINE vs not_whole(vf x, float most) {
    vs within = absolute(x) <= most;
    vs number = __builtin_convertvector(pick(within, x, all_f(0.0f)), vs);
    return ~within | (__builtin_convertvector(number, vf) != x) | (vs)((vu)x == 0x80000000u);
}

/* --- whole numbers ----------------------------------------------------------------------------- */

#define ALL_WHOLE(type, size)                                                \
    static bool all_whole_##type(const uint8_t *in, size_t count) {          \
        vs bad = {0};                                                        \
        size_t i = 0, end = (size)*count;                                    \
        for (; i + (size)*LANES <= end; i += (size)*LANES)                   \
            bad |= not_whole(load_##type(in + i), (float)WHOLE_MOST_##type); \
        if (i < end) {                                                       \
            uint8_t rest[sizeof(vf)] = {0};                                  \
            memcpy(rest, in + i, end - i);                                   \
            bad |= not_whole(load_##type(rest), (float)WHOLE_MOST_##type);   \
        }                                                                    \
        return !any_lane(bad);                                               \
    }

#define TALLY(type, size)                                                                             \
    INLINE vs tally_step_##type(uint8_t *sums, uint8_t *sizes, const uint8_t *in) {                   \
        vs x = __builtin_convertvector(load_##type(in), vs);                                          \
        cells_##type sum, total;                                                                      \
        memcpy(&sum, sums, sizeof sum);                                                               \
        memcpy(&total, sizes, sizeof total);                                                          \
        sum += narrow_##type(x);                                                                      \
        total += narrow_##type((vs)pick_u(x < 0, 0u - (vu)x, (vu)x));                                 \
        memcpy(sums, &sum, sizeof sum);                                                               \
        memcpy(sizes, &total, sizeof total);                                                          \
        return widen_##type(total) > WHOLE_MOST_##type;                                               \
    }                                                                                                 \
    static kbr_tallied tally_##type(uint8_t *sums, uint8_t *sizes, const uint8_t *in, size_t count) { \
        vs over = {0};                                                                                \
        size_t i = 0, end = (size)*count;                                                             \
        if (!all_whole_##type(in, count))                                                             \
            return KBR_TALLY_UNFIT;                                                                   \
        for (; i + (size)*LANES <= end; i += (size)*LANES)                                            \
            over |= tally_step_##type(sums + i, sizes + i, in + i);                                   \
        if (i < end) {                                                                                \
            uint8_t rest[3][sizeof(vf)] = {{0}};                                                      \
            memcpy(rest[0], sums + i, end - i);                                                       \
            memcpy(rest[1], sizes + i, end - i);                                                      \
            memcpy(rest[2], in + i, end - i);                                                         \
            over |= tally_step_##type(rest[0], rest[1], rest[2]);                                     \
            memcpy(sums + i, rest[0], end - i);                                                       \
            memcpy(sizes + i, rest[1], end - i);                                                      \
        }                                                                                             \
        return any_lane(over) ? KBR_TALLY_OVER : KBR_TALLY_DONE;                                      \
    }

/* A cell's number as an element. */
#define TALLIED(type, size)                                                        \
    static void tallied_##type(uint8_t *out, const uint8_t *cells, size_t count) { \
        size_t i = 0, end = (size)*count;                                          \
        uint8_t rest[sizeof(vf)] = {0};                                            \
        cells_##type sum;                                                          \
        for (; i + (size)*LANES <= end; i += (size)*LANES) {                       \
            memcpy(&sum, cells + i, sizeof sum);                                   \
            store_##type(out + i, __builtin_convertvector(widen_##type(sum), vf)); \
        }                                                                          \
        if (i < end) {                                                             \
            memcpy(rest, cells + i, end - i);                                      \
            memcpy(&sum, rest, sizeof sum);                                        \
            store_##type(rest, __builtin_convertvector(widen_##type(sum), vf));    \
            memcpy(out + i, rest, end - i);                                        \
        }                                                                          \
    }

/* --- any numbers ------------------------------------------------------------------------------- */

INLINE vs flags_of(vf x) {
    vs endless = ~(vs)(absolute(x) <= 0x1.FFFFFEp127f), broken = ~endless & (whole(x) != x);
    return (endless & KBR_TALLY_ENDLESS) | (broken & KBR_TALLY_FRACTION);
}

#define WEIGH(type, size)                                                                                    \
    INLINE void weigh_step_##type(double *sums, double *sizes, uint8_t *flags, const uint8_t *in) {          \
        vf x = canonical(load_##type(in));                                                                   \
        vh halves[2];                                                                                        \
        vb had;                                                                                              \
        memcpy(halves, &x, sizeof x);                                                                        \
        for (size_t h = 0; h < 2; h++) {                                                                     \
            vd wide = widened_d(halves[h]), sum, total;                                                      \
            memcpy(&sum, sums + h * (LANES / 2), sizeof sum);                                                \
            memcpy(&total, sizes + h * (LANES / 2), sizeof total);                                           \
            sum += wide;                                                                                     \
            total += absolute_d(wide);                                                                       \
            memcpy(sums + h * (LANES / 2), &sum, sizeof sum);                                                \
            memcpy(sizes + h * (LANES / 2), &total, sizeof total);                                           \
        }                                                                                                    \
        memcpy(&had, flags, sizeof had);                                                                     \
        had |= narrowed_8(flags_of(x));                                                                      \
        memcpy(flags, &had, sizeof had);                                                                     \
    }                                                                                                        \
    static void weigh_##type(double *sums, double *sizes, uint8_t *flags, const uint8_t *in, size_t count) { \
        size_t i = 0;                                                                                        \
        for (; i + LANES <= count; i += LANES)                                                               \
            weigh_step_##type(sums + i, sizes + i, flags + i, in + (size)*i);                                \
        if (i < count) {                                                                                     \
            double rest_sums[LANES] = {0.0}, rest_sizes[LANES] = {0.0};                                      \
            uint8_t rest_flags[LANES] = {0}, rest[sizeof(vf)] = {0};                                         \
            memcpy(rest_sums, sums + i, (count - i) * sizeof(double));                                       \
            memcpy(rest_sizes, sizes + i, (count - i) * sizeof(double));                                     \
            memcpy(rest_flags, flags + i, count - i);                                                        \
            memcpy(rest, in + (size)*i, (size) * (count - i));                                               \
            weigh_step_##type(rest_sums, rest_sizes, rest_flags, rest);                                      \
            memcpy(sums + i, rest_sums, (count - i) * sizeof(double));                                       \
            memcpy(sizes + i, rest_sizes, (count - i) * sizeof(double));                                     \
            memcpy(flags + i, rest_flags, count - i);                                                        \
        }                                                                                                    \
    }

/* Lanes of one half that are near enough to what was expected. */
INLINE vi near_d(const kbr_expected *to, size_t at, vd got) {
    vd sum, total;
    memcpy(&sum, to->sums + at, sizeof sum);
    memcpy(&total, to->sizes + at, sizeof total);
    return absolute_d(got - sum) < total * all_d(to->slope);
}

INLINE vi beyond_d(const kbr_expected *to, size_t at) {
    vd total;
    memcpy(&total, to->sizes + at, sizeof total);
    return total > all_d(to->exact);
}

#define DOUBT(type, size)                                                                                  \
    INLINE vs doubt_step_##type(const kbr_expected *to, size_t i, const uint8_t *in) {                     \
        vf got = load_##type(in), expected = load_##type(to->bits + (size)*i);                             \
        vb flag_bytes;                                                                                     \
        memcpy(&flag_bytes, to->flags + i, sizeof flag_bytes);                                             \
        vs flags = widened_8(flag_bytes), good;                                                            \
        vh halves[2];                                                                                      \
        vhs near[2], beyond[2];                                                                            \
        memcpy(halves, &got, sizeof got);                                                                  \
        for (size_t h = 0; h < 2; h++) {                                                                   \
            near[h] = __builtin_convertvector(near_d(to, i + h * (LANES / 2), widened_d(halves[h])), vhs); \
            beyond[h] = __builtin_convertvector(beyond_d(to, i + h * (LANES / 2)), vhs);                   \
        }                                                                                                  \
        vs close, large;                                                                                   \
        memcpy(&close, near, sizeof close);                                                                \
        memcpy(&large, beyond, sizeof large);                                                              \
        good = (vs)((vu)got == (vu)expected) | (close & (large | ((flags & KBR_TALLY_FRACTION) != 0)));    \
        return ~(good & ((flags & KBR_TALLY_ENDLESS) == 0) & (vs)(absolute(got) <= 0x1.FFFFFEp127f));      \
    }                                                                                                      \
    static size_t doubt_##type(const kbr_expected *to, const uint8_t *in, size_t first, size_t count) {    \
        for (; first + LANES <= count; first += LANES)                                                     \
            if (any_lane(doubt_step_##type(to, first, in + (size)*first)))                                 \
                break;                                                                                     \
        return first;                                                                                      \
    }

#define TALLIES(NAME, type, lanes_t, size) \
    ALL_WHOLE(type, size) TALLY(type, size) TALLIED(type, size) WEIGH(type, size) DOUBT(type, size)
FLOAT_DTYPES(TALLIES)

#endif
