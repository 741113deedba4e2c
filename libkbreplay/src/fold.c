/* SPDX-License-Identifier: Apache-2.0 */
/* Folding and judging; see fold.h. */
#include "fold.h"

#include <math.h>
#include <string.h>

#include "kbtrace/words.h"

static double add(double a, double b) {
    return a + b;
}

static double multiply(double a, double b) {
    return a * b;
}

static uint64_t add_integers(uint64_t a, uint64_t b) {
    return a + b;
}

static uint64_t multiply_integers(uint64_t a, uint64_t b) {
    return a * b;
}

typedef struct reducer {
    double (*join)(double a, double b);
    uint64_t (*join_integers)(uint64_t a, uint64_t b); /* NULL: as the others */
    double (*join_sizes)(double a, double b);
    double nothing, no_size;
    bool rounds; /* orders may differ */
} reducer;

/* The sum of nothing is -0: only it leaves every x as it is, -0 included. */
static const reducer reducers[] = {
    [KB_REDUCE_NONE] = {add, add_integers, add, -0.0, 0.0, false},
    [KB_REDUCE_SUM] = {add, add_integers, add, -0.0, 0.0, true},
    [KB_REDUCE_PROD] = {multiply, multiply_integers, multiply, 1.0, 1.0, true},
    [KB_REDUCE_MIN] = {kbr_minimum_f64, NULL, add, (double)INFINITY, 0.0, false},
    [KB_REDUCE_MAX] = {kbr_maximum_f64, NULL, add, -(double)INFINITY, 0.0, false},
};

void kbr_fold_clear(kbr_fold *fold, uint64_t count) {
    const reducer *how = &reducers[fold->reduce];
    for (uint64_t i = 0; i < count; i++) {
        fold->value[i] = how->nothing;
        fold->size[i] = how->no_size;
        fold->flags[i] = 0;
        if (fold->large != NULL)
            fold->large[i] = 1.0;
    }
}

/* As the dtype's integers do it: in two's complement of its width, which the joined value wraps to. */
static double join_wrapping(const kbr_fold *fold, const reducer *how, double value, double x) {
    uint64_t joined = how->join_integers((uint64_t)(int64_t)value, (uint64_t)(int64_t)x);
    unsigned spare = 64 - 8 * fold->dtype->size_bytes;
    return (double)((int64_t)(joined << spare) / ((int64_t)1 << spare));
}

void kbr_fold_take(kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count) {
    const reducer *how = &reducers[fold->reduce];
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = first + i;
        double x = fold->dtype->load(bytes + i * fold->dtype->size_bytes);
        if (fold->dtype->is_float || how->join_integers == NULL)
            fold->value[at] = how->join(fold->value[at], x);
        else
            fold->value[at] = join_wrapping(fold, how, fold->value[at], x);
        fold->size[at] = how->join_sizes(fold->size[at], fabs(x));
        if (fold->large != NULL)
            fold->large[at] *= fabs(x) > 1.0 ? fabs(x) : 1.0;
        if (!isfinite(x))
            fold->flags[at] |= KBR_FOLD_ENDLESS;
        else if (floor(x) != x)
            fold->flags[at] |= KBR_FOLD_FRACTION;
    }
}

static double bound_of(const kbr_fold *fold, uint64_t element) {
    double steps = (double)(fold->inputs - 1), u = ldexp(1.0, -(int)fold->dtype->precision) + 0x1p-53;
    if (steps * u >= 1.0)
        return (double)INFINITY;
    double bound = steps * u / (1.0 - steps * u) * fold->size[element];
    if (fold->large != NULL)
        bound += (double)fold->inputs * fold->large[element] * fold->dtype->half_smallest;
    return bound;
}

/* Must every order give the same bits? */
static bool exact(const kbr_fold *fold, uint64_t element) {
    if (!reducers[fold->reduce].rounds || fold->inputs <= 1 || !fold->dtype->is_float)
        return true;
    return (fold->flags[element] & KBR_FOLD_FRACTION) == 0 &&
           fold->size[element] <= fold->dtype->exact_integers;
}

/* Would the value, rounded, be these bytes, which stand for `got`? */
static bool is_rounded_to(const kbr_dtype *dtype, double value, const uint8_t *bytes, double got) {
    if (value == got && value != 0.0) /* the zeros have a sign */
        return true;
    uint8_t rounded[8];
    dtype->store(value, rounded);
    return memcmp(rounded, bytes, dtype->size_bytes) == 0;
}

kbr_verdict kbr_fold_judge(const kbr_fold *fold, uint64_t element, const uint8_t *bytes) {
    kbr_verdict it = {.judged = true, .expected = fold->value[element], .got = fold->dtype->load(bytes)};
    bool same_bits = is_rounded_to(fold->dtype, it.expected, bytes, it.got);
    it.error = same_bits ? 0.0 : fabs(it.got - it.expected);
    if ((fold->flags[element] & KBR_FOLD_ENDLESS) != 0) {
        it.right = same_bits || (it.got != it.got && it.expected != it.expected);
        return it;
    }
    if (exact(fold, element)) {
        it.right = same_bits;
        return it;
    }
    it.bound = bound_of(fold, element);
    double most = fold->large != NULL ? fold->large[element] : fold->size[element];
    it.judged = isfinite(it.bound) && (isfinite(it.got) || most + it.bound <= fold->dtype->largest);
    it.right = !it.judged || it.error <= it.bound;
    return it;
}
