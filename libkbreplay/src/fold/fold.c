/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking inputs in, block by block; see fold.h.
 *
 * A block begins in the smallest form that its reduction allows and becomes wide when something comes that
 * this form cannot hold. Every number in a smaller form is exact, so the wide one is what it would have been.
 */
#include "fold/fold.h"

#include <string.h>

#include "fold/block.h"

/* --- memory ------------------------------------------------------------------------------------ */

static bool sums(const kbr_fold *fold) {
    return fold->dtype->is_float && fold->plan.reduce == KB_REDUCE_SUM;
}

static bool multiplies(const kbr_fold *fold) {
    return fold->dtype->is_float && fold->plan.reduce == KB_REDUCE_PROD;
}

static size_t data_size(const kbr_fold *fold, kbr_form form, size_t length) {
    size_t size = fold->dtype->size_bytes;
    switch (form) {
    case KBR_FORM_EMPTY: return 0;
    case KBR_FORM_PLAIN: return length * size;
    case KBR_FORM_TALLY: return 2 * length * size;
    case KBR_FORM_WIDE: break;
    }
    size_t doubles = sums(fold) ? 2 : multiplies(fold) ? 3 : 1;
    return length * (doubles * sizeof(double) + 1 + size);
}

kbr_wide kbr_wide_of(const kbr_fold *fold, const kbr_block *block) {
    size_t length = kbr_block_length(fold, (size_t)(block - fold->blocks));
    kbr_wide it = {.value = (double *)(void *)block->data};
    double *end = it.value + length;
    if (sums(fold) || multiplies(fold)) {
        it.size = end;
        end += length;
    }
    if (multiplies(fold)) {
        it.large = end;
        end += length;
    }
    it.flags = (uint8_t *)end;
    it.bits = it.flags + length;
    return it;
}

static kb_status new_data(kbr_fold *fold, kbr_form form, size_t length, uint8_t **ret_data, kb_trail *trail) {
    size_t size = data_size(fold, form, length);
    void *block;
    if (size > fold->plan.limit_size - fold->used_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "what a collective of %llu elements should give takes more than the limit for "
                       "rebuilt memory, %llu bytes",
                       (unsigned long long)fold->plan.count, (unsigned long long)fold->plan.limit_size);
    KB_TRY(kb_new_zeroed(fold->alloc, size, &block, trail));
    fold->used_size += size;
    *ret_data = block;
    return KB_OK;
}

static void free_data(kbr_fold *fold, kbr_block *block) {
    size_t size = data_size(fold, block->form, kbr_block_length(fold, (size_t)(block - fold->blocks)));
    kb_delete(fold->alloc, block->data, size);
    fold->used_size -= size;
    block->data = NULL;
    block->form = KBR_FORM_EMPTY;
}

static size_t fold_size(size_t block_count) {
    return sizeof(kbr_fold) + block_count * sizeof(kbr_block);
}

kb_status kbr_fold_create(const kbr_fold_plan *plan, const kb_alloc *alloc, kbr_fold **ret_fold,
                          kb_trail *trail) {
    const kbr_dtype *dtype = kbr_dtype_of(plan->dtype);
    uint64_t most = plan->limit_size / dtype->size_bytes;
    void *block;
    if (plan->count > most)
        return kb_fail(trail, KB_E_LIMIT,
                       "a collective has %llu elements; the limit for rebuilt memory allows %llu",
                       (unsigned long long)plan->count, (unsigned long long)most);
    size_t count = (size_t)((plan->count + KBR_FOLD_BLOCK - 1) / KBR_FOLD_BLOCK);
    KB_TRY(kb_new_zeroed(alloc, fold_size(count), &block, trail));
    kbr_fold *it = block;
    it->plan = *plan;
    it->alloc = alloc;
    it->dtype = dtype;
    it->exact = !kbr_reducers[plan->reduce].rounds || plan->inputs <= 1 || !dtype->is_float;
    it->block_count = count;
    *ret_fold = it;
    return KB_OK;
}

void kbr_fold_destroy(kbr_fold *fold) {
    if (fold == NULL)
        return;
    for (size_t i = 0; i < fold->block_count; i++)
        free_data(fold, &fold->blocks[i]);
    kb_delete(fold->alloc, fold, fold_size(fold->block_count));
}

/* --- becoming wide ----------------------------------------------------------------------------- */

static int32_t cell(const uint8_t *cells, uint32_t size, uint32_t at) {
    int16_t narrow;
    int32_t wide;
    memcpy(&narrow, cells + (size_t)at * size, sizeof narrow);
    if (size == sizeof narrow)
        return narrow;
    memcpy(&wide, cells + (size_t)at * size, sizeof wide);
    return wide;
}

static void clear_wide(const kbr_fold *fold, const kbr_wide *wide, uint32_t length) {
    const kbr_reducer *how = &kbr_reducers[fold->plan.reduce];
    for (uint32_t i = 0; i < length; i++) {
        wide->value[i] = how->nothing;
        if (wide->size != NULL)
            wide->size[i] = how->no_size;
        if (wide->large != NULL)
            wide->large[i] = 1.0;
    }
}

static kb_status widen(kbr_fold *fold, kbr_block *block, kb_trail *trail) {
    uint32_t length = kbr_block_length(fold, (size_t)(block - fold->blocks)), size = fold->dtype->size_bytes;
    kbr_block was = *block;
    uint8_t *data = NULL;
    KB_TRY(new_data(fold, KBR_FORM_WIDE, length, &data, trail));
    block->form = KBR_FORM_WIDE;
    block->data = data;
    kbr_wide wide = kbr_wide_of(fold, block);
    clear_wide(fold, &wide, length);
    bool tally = was.form == KBR_FORM_TALLY;
    for (uint32_t i = was.low; i < was.high && was.form != KBR_FORM_EMPTY; i++) {
        wide.value[i] = tally ? cell(was.data, size, i) : fold->dtype->load(was.data + (size_t)i * size);
        if (wide.size != NULL)
            wide.size[i] = tally                 ? cell(was.data + (size_t)length * size, size, i)
                           : wide.value[i] < 0.0 ? -wide.value[i]
                                                 : wide.value[i];
        if (wide.large != NULL) /* no factor was 0, so none was below 1 */
            wide.large[i] = wide.size[i];
    }
    kb_delete(fold->alloc, was.data, data_size(fold, was.form, length));
    fold->used_size -= data_size(fold, was.form, length);
    return KB_OK;
}

/* --- the small forms --------------------------------------------------------------------------- */

static bool all_finite(const kbr_fold *fold, const uint8_t *bytes, uint32_t count) {
    uint32_t endless = 0;
    if (fold->dtype->size_bytes == 2) {
        uint16_t mask = fold->plan.dtype == KB_DTYPE_F16 ? 0x7C00u : 0x7F80u, bits;
        for (uint32_t i = 0; i < count; i++) {
            memcpy(&bits, bytes + 2 * (size_t)i, sizeof bits);
            endless |= (bits & mask) == mask;
        }
        return endless == 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, bytes + 4 * (size_t)i, sizeof bits);
        endless |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return endless == 0;
}

/* Whole numbers without a zero, below the last of the exact ones: a product may have been rounded to that. */
static bool are_factors(const kbr_fold *fold, const uint8_t *bytes, uint32_t count) {
    if (!fold->plan.kernels->whole[fold->plan.dtype](bytes, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        double x = fold->dtype->load(bytes + (size_t)i * fold->dtype->size_bytes);
        if (x == 0.0 || x >= fold->dtype->exact_integers || -x >= fold->dtype->exact_integers)
            return false;
    }
    return true;
}

static bool fits_plain(const kbr_fold *fold, const uint8_t *bytes, uint32_t count) {
    if (!fold->dtype->is_float)
        return true;
    return multiplies(fold) ? are_factors(fold, bytes, count) : all_finite(fold, bytes, count);
}

static bool join_plain(const kbr_fold *fold, uint8_t *data, const uint8_t *bytes, uint32_t count) {
    uint8_t joined[KBR_FOLD_BLOCK * sizeof(uint32_t)];
    uint32_t function = kbr_reducers[fold->plan.reduce].function;
    bool adds = fold->dtype->is_float && function == KB_FUNC_ADD; /* which rounds */
    if (adds || !fits_plain(fold, bytes, count))
        return false;
    fold->plan.kernels->map[function][fold->plan.dtype](joined, (const uint8_t *[]){data, bytes}, 0, count);
    if (!fits_plain(fold, joined, count))
        return false;
    memcpy(data, joined, (size_t)count * fold->dtype->size_bytes);
    return true;
}

/* Elements [low, low + count), all of which got something before, or none. False: the form cannot hold it. */
static bool take_small(kbr_fold *fold, kbr_block *block, bool first, uint32_t low, const uint8_t *bytes,
                       uint32_t count, bool *ret_over) {
    size_t size = fold->dtype->size_bytes;
    uint8_t *data = block->data + low * size;
    *ret_over = false;
    if (block->form == KBR_FORM_TALLY) {
        size_t length = kbr_block_length(fold, (size_t)(block - fold->blocks));
        kbr_tallied how =
            fold->plan.kernels->tally[fold->plan.dtype](data, data + length * size, bytes, count);
        *ret_over = how == KBR_TALLY_OVER;
        return how != KBR_TALLY_UNFIT;
    }
    if (!first)
        return join_plain(fold, data, bytes, count);
    if (!fits_plain(fold, bytes, count))
        return false;
    memcpy(data, bytes, count * size);
    return true;
}

static kbr_form smallest_form(const kbr_fold *fold) {
    return sums(fold) && !fold->exact ? KBR_FORM_TALLY : KBR_FORM_PLAIN;
}

static void take_wide(const kbr_fold *fold, const kbr_block *block, uint32_t low, const uint8_t *bytes,
                      uint32_t count) {
    if (!sums(fold)) {
        kbr_wide_take(fold, block, low, bytes, count);
        return;
    }
    kbr_wide wide = kbr_wide_of(fold, block);
    fold->plan.kernels->weigh[fold->plan.dtype](wide.value + low, wide.size + low, wide.flags + low, bytes,
                                                count);
}

/* --- taking ------------------------------------------------------------------------------------ */

/* Elements [low, low + count) of a block that got something all, or none. */
static kb_status take_piece(kbr_fold *fold, kbr_block *block, bool first, uint32_t low, const uint8_t *bytes,
                            uint32_t count, kb_trail *trail) {
    bool over = false,
         done = block->form != KBR_FORM_WIDE && take_small(fold, block, first, low, bytes, count, &over);
    if (done) {
        block->low = low < block->low ? low : block->low;
        block->high = low + count > block->high ? low + count : block->high;
    }
    if (block->form != KBR_FORM_WIDE && (over || !done))
        KB_TRY(widen(fold, block, trail));
    if (!done)
        take_wide(fold, block, low, bytes, count);
    return KB_OK;
}

static kb_status take_in_block(kbr_fold *fold, kbr_block *block, uint32_t low, const uint8_t *bytes,
                               uint32_t count, kb_trail *trail) {
    uint32_t high = low + count;
    if (block->form == KBR_FORM_EMPTY) {
        size_t length = kbr_block_length(fold, (size_t)(block - fold->blocks));
        KB_TRY(new_data(fold, smallest_form(fold), length, &block->data, trail));
        block->form = smallest_form(fold);
        block->low = block->high = low;
    } else if (block->form != KBR_FORM_WIDE && (low > block->high || high < block->low)) {
        KB_TRY(widen(fold, block, trail)); /* it would have a hole */
    }
    uint32_t size = fold->dtype->size_bytes, from = block->low, to = block->high;
    if (block->form == KBR_FORM_WIDE || from == to)
        return take_piece(fold, block, true, low, bytes, count, trail);
    uint32_t cuts[4] = {low,
                        low > from    ? low
                        : from < high ? from
                                      : high,
                        high < to  ? high
                        : to > low ? to
                                   : low,
                        high};
    for (int i = 0; i < 3; i++)
        if (cuts[i] < cuts[i + 1])
            KB_TRY(take_piece(fold, block, i != 1, cuts[i], bytes + (size_t)(cuts[i] - low) * size,
                              cuts[i + 1] - cuts[i], trail));
    return KB_OK;
}

kb_status kbr_fold_take(kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count,
                        kb_trail *trail) {
    while (count > 0) {
        uint32_t low = (uint32_t)(first % KBR_FOLD_BLOCK);
        uint32_t some = count < KBR_FOLD_BLOCK - low ? (uint32_t)count : KBR_FOLD_BLOCK - low;
        KB_TRY(take_in_block(fold, &fold->blocks[first / KBR_FOLD_BLOCK], low, bytes, some, trail));
        first += some;
        bytes += (size_t)some * fold->dtype->size_bytes;
        count -= some;
    }
    return KB_OK;
}

/* --- closing ----------------------------------------------------------------------------------- */

static kb_status close_tally(kbr_fold *fold, kbr_block *block, uint32_t length, kb_trail *trail) {
    uint8_t *data = NULL;
    KB_TRY(new_data(fold, KBR_FORM_PLAIN, length, &data, trail));
    fold->plan.kernels->tallied[fold->plan.dtype](data, block->data, length);
    free_data(fold, block);
    block->form = KBR_FORM_PLAIN;
    block->data = data;
    return KB_OK;
}

static kb_status close_block(kbr_fold *fold, kbr_block *block, uint32_t length, kb_trail *trail) {
    bool whole = block->form == KBR_FORM_WIDE ||
                 (block->form != KBR_FORM_EMPTY && block->low == 0 && block->high == length);
    if (!whole)
        KB_TRY(widen(fold, block, trail));
    if (block->form == KBR_FORM_TALLY)
        return close_tally(fold, block, length, trail);
    if (block->form != KBR_FORM_WIDE)
        return KB_OK;
    kbr_wide wide = kbr_wide_of(fold, block);
    for (uint32_t i = 0; i < length; i++)
        fold->dtype->store(wide.value[i], wide.bits + (size_t)i * fold->dtype->size_bytes);
    return KB_OK;
}

kb_status kbr_fold_close(kbr_fold *fold, kb_trail *trail) {
    for (size_t i = 0; i < fold->block_count && !fold->closed; i++)
        KB_TRY(close_block(fold, &fold->blocks[i], kbr_block_length(fold, i), trail));
    fold->closed = true;
    return KB_OK;
}
