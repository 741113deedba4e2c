/* SPDX-License-Identifier: Apache-2.0 */
/* What a result should be, and whether it is near enough; see fold.h. Changes nothing of a fold. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "fold/block.h"

/* --- one element ------------------------------------------------------------------------------- */

/* Of a sum, by its size: the factor of the bound; infinite where there are too many inputs for one. */
static double slope_of(const kbr_fold *fold) {
    double steps = (double)(fold->plan.inputs - 1), u = ldexp(1.0, -(int)fold->dtype->precision) + 0x1p-53;
    return steps * u >= 1.0 ? (double)INFINITY : steps * u / (1.0 - steps * u);
}

static double bound_of(const kbr_fold *fold, const kbr_wide *wide, uint32_t at) {
    double slope = slope_of(fold);
    if (isinf(slope))
        return slope;
    double bound = slope * wide->size[at];
    if (wide->large != NULL)
        bound += (double)fold->plan.inputs * wide->large[at] * fold->dtype->half_smallest;
    return bound;
}

/* The most that comes up on the way, in any order: a factor of 0 may come last. */
static double most_of(const kbr_wide *wide, uint32_t at) {
    return wide->large != NULL ? wide->large[at] : wide->size[at];
}

/* Must every order give the same bits? */
static bool is_exact(const kbr_fold *fold, const kbr_wide *wide, uint32_t at) {
    return fold->exact ||
           ((wide->flags[at] & KBR_TALLY_FRACTION) == 0 && most_of(wide, at) <= fold->dtype->exact_integers);
}

static kbr_verdict judge_wide(const kbr_fold *fold, const kbr_wide *wide, uint32_t at, kbr_verdict it,
                              bool same_bits) {
    if ((wide->flags[at] & KBR_TALLY_ENDLESS) != 0) {
        it.right = same_bits || (it.got != it.got && it.expected != it.expected);
        return it;
    }
    if (is_exact(fold, wide, at)) {
        it.right = same_bits;
        return it;
    }
    it.bound = bound_of(fold, wide, at);
    it.judged =
        isfinite(it.bound) && (isfinite(it.got) || most_of(wide, at) + it.bound <= fold->dtype->largest);
    it.right = !it.judged || it.error <= it.bound;
    return it;
}

kbr_verdict kbr_fold_judge(const kbr_fold *fold, uint64_t element, const uint8_t *bytes) {
    assert(fold->closed);
    const kbr_block *block = &fold->blocks[element / KBR_FOLD_BLOCK];
    uint32_t at = (uint32_t)(element % KBR_FOLD_BLOCK), size = fold->dtype->size_bytes;
    bool is_wide = block->form == KBR_FORM_WIDE;
    kbr_wide wide = {.bits = block->data};
    if (is_wide)
        wide = kbr_wide_of(fold, block);
    const uint8_t *bits = wide.bits + (size_t)at * size;
    kbr_verdict it = {.judged = true, .got = fold->dtype->load(bytes)};
    it.expected = is_wide ? wide.value[at] : fold->dtype->load(bits);
    bool same_bits = memcmp(bits, bytes, size) == 0;
    it.error = same_bits ? 0.0 : fabs(it.got - it.expected);
    if (is_wide)
        return judge_wide(fold, &wide, at, it, same_bits);
    it.right = same_bits;
    return it;
}

/* --- many -------------------------------------------------------------------------------------- */

void kbr_extreme_keep(kbr_extreme *worst, kbr_extreme next) {
    bool first = worst->bound == 0.0 && worst->error == 0.0;
    if (next.share > worst->share || (next.share == worst->share && (first || next.error > worst->error)))
        *worst = next;
}

static void note_error(kbr_extreme *worst, const kbr_verdict *verdict) {
    double share = verdict->bound > 0.0   ? verdict->error / verdict->bound
                   : verdict->error > 0.0 ? (double)INFINITY
                                          : 0.0;
    if (verdict->judged && verdict->error >= 0.0 && isfinite(verdict->error))
        kbr_extreme_keep(worst, (kbr_extreme){share, verdict->error, verdict->bound});
}

/* Elements that lie at `bytes`, from number `from` of what is compared at once. */
static void judge_each(const kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t number,
                       uint32_t count, kbr_comparison *inout) {
    for (uint32_t i = 0; i < count; i++) {
        kbr_verdict verdict = kbr_fold_judge(fold, first + i, bytes + (size_t)i * fold->dtype->size_bytes);
        note_error(&inout->worst, &verdict);
        inout->unjudged += !verdict.judged;
        if (!verdict.right)
            inout->wrong(inout->user, number + i, &verdict);
    }
}

/*
 * A sum that rounds: elements that have the bits expected, or whose error is too small a share of their
 * bound to be the worst, are passed over many at once. None may be before the first bound is known.
 */
static void compare_sums(const kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t number,
                         uint32_t count, kbr_comparison *inout) {
    uint32_t low = (uint32_t)(first % KBR_FOLD_BLOCK), size = fold->dtype->size_bytes;
    kbr_wide wide = kbr_wide_of(fold, &fold->blocks[first / KBR_FOLD_BLOCK]);
    kbr_expected expected = {.sums = wide.value + low,
                             .sizes = wide.size + low,
                             .flags = wide.flags + low,
                             .bits = wide.bits + (size_t)low * size,
                             .exact = fold->dtype->exact_integers};
    for (size_t at = 0; at < count;) {
        double share = inout->worst.share < 1.0 ? inout->worst.share : 1.0;
        expected.slope = slope_of(fold) * share * (1.0 - 0x1p-40);
        if (inout->worst.bound > 0.0)
            at = fold->plan.kernels->doubt[fold->plan.dtype](&expected, bytes, at, count);
        uint32_t some = count - at < KBR_LANES_MOST ? (uint32_t)(count - at) : KBR_LANES_MOST;
        judge_each(fold, first + at, bytes + at * size, number + at, some, inout);
        at += some;
    }
}

static void compare_block(const kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t number,
                          uint32_t count, kbr_comparison *inout) {
    const kbr_block *block = &fold->blocks[first / KBR_FOLD_BLOCK];
    size_t size = fold->dtype->size_bytes, low = (size_t)(first % KBR_FOLD_BLOCK) * size;
    if (block->form == KBR_FORM_WIDE) {
        bool sums = fold->plan.reduce == KB_REDUCE_SUM && !fold->exact && isfinite(slope_of(fold));
        (sums ? compare_sums : judge_each)(fold, first, bytes, number, count, inout);
        return;
    }
    if (memcmp(block->data + low, bytes, count * size) == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(block->data + low + i * size, bytes + i * size, size) != 0)
            judge_each(fold, first + i, bytes + i * size, number + i, 1, inout);
}

void kbr_fold_compare(const kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count,
                      kbr_comparison *inout) {
    assert(fold->closed);
    for (uint64_t number = 0; number < count;) {
        uint64_t element = first + number, room = KBR_FOLD_BLOCK - element % KBR_FOLD_BLOCK;
        uint32_t some = (uint32_t)(count - number < room ? count - number : room);
        compare_block(fold, element, bytes + (size_t)number * fold->dtype->size_bytes, number, some, inout);
        number += some;
    }
}
