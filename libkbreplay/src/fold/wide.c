/* SPDX-License-Identifier: Apache-2.0 */
/* Wide blocks: any number, one after the other in doubles. The rule that the other forms must agree with. */
#include <math.h>

#include "fold/block.h"

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

/* The sum of nothing is -0: only it leaves every x as it is, -0 included. */
const kbr_reducer kbr_reducers[] = {
    [KB_REDUCE_NONE] = {add, add_integers, add, -0.0, 0.0, false, KB_FUNC_ADD},
    [KB_REDUCE_SUM] = {add, add_integers, add, -0.0, 0.0, true, KB_FUNC_ADD},
    [KB_REDUCE_PROD] = {multiply, multiply_integers, multiply, 1.0, 1.0, true, KB_FUNC_MUL},
    [KB_REDUCE_MIN] = {kbr_minimum_f64, NULL, add, (double)INFINITY, 0.0, false, KB_FUNC_MIN},
    [KB_REDUCE_MAX] = {kbr_maximum_f64, NULL, add, -(double)INFINITY, 0.0, false, KB_FUNC_MAX},
};

/* As the dtype's integers do it: in two's complement of its width, which the joined value wraps to. */
static double join_wrapping(const kbr_fold *fold, const kbr_reducer *how, double value, double x) {
    uint64_t joined = how->join_integers((uint64_t)(int64_t)value, (uint64_t)(int64_t)x);
    unsigned spare = 64 - 8 * fold->dtype->size_bytes;
    return (double)((int64_t)(joined << spare) / ((int64_t)1 << spare));
}

void kbr_wide_take(const kbr_fold *fold, const kbr_block *block, uint32_t low, const uint8_t *bytes,
                   uint32_t count) {
    const kbr_reducer *how = &kbr_reducers[fold->plan.reduce];
    kbr_wide wide = kbr_wide_of(fold, block);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = low + i;
        double x = fold->dtype->load(bytes + (size_t)i * fold->dtype->size_bytes);
        if (fold->dtype->is_float || how->join_integers == NULL)
            wide.value[at] = how->join(wide.value[at], x);
        else
            wide.value[at] = join_wrapping(fold, how, wide.value[at], x);
        if (wide.size != NULL)
            wide.size[at] = how->join_sizes(wide.size[at], fabs(x));
        if (wide.large != NULL)
            wide.large[at] *= fabs(x) > 1.0 ? fabs(x) : 1.0;
        if (!isfinite(x))
            wide.flags[at] |= KBR_TALLY_ENDLESS;
        else if (floor(x) != x)
            wide.flags[at] |= KBR_TALLY_FRACTION;
    }
}
