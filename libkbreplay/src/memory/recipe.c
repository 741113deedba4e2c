/* SPDX-License-Identifier: Apache-2.0 */
/* What each recipe makes of an element's number; see recipe.h. */
#include "memory/recipe.h"

#include <math.h>
#include <string.h>

#include "number/number.h"

/* Integers beyond this are not all doubles. */
#define INTEGER_LIMIT 0x1p53

/* splitmix64 (Steele, Lea, Flood 2014), as a function of the element's number. */
static uint64_t hash_of(const kb_initial *initial, uint64_t element) {
    uint64_t x = initial->seed + (element + 1) * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static double value_zeros(const kb_initial *initial, uint64_t element) {
    (void)initial, (void)element;
    return 0.0;
}

static double value_constant(const kb_initial *initial, uint64_t element) {
    (void)element;
    return initial->low;
}

static double value_iota(const kb_initial *initial, uint64_t element) {
    return initial->low + (double)element * initial->high;
}

static double value_uniform(const kb_initial *initial, uint64_t element) {
    double unit = (double)(hash_of(initial, element) >> 11) * 0x1p-53;
    return initial->low + (initial->high - initial->low) * unit;
}

static double value_ints(const kb_initial *initial, uint64_t element) {
    uint64_t values = (uint64_t)(initial->high - initial->low) + 1;
    return initial->low + (double)(hash_of(initial, element) % values);
}

static double value_signs(const kb_initial *initial, uint64_t element) {
    return hash_of(initial, element) >> 63 != 0 ? -1.0 : 1.0;
}

typedef struct recipe {
    double (*value)(const kb_initial *initial, uint64_t element); /* NULL: the bytes stand in the trace */
    bool known, integers;
} recipe;

static const recipe recipes[] = {
    [KB_RECIPE_ZEROS] = {value_zeros, true, false},     [KB_RECIPE_CONSTANT] = {value_constant, true, false},
    [KB_RECIPE_IOTA] = {value_iota, true, false},       [KB_RECIPE_UNIFORM] = {value_uniform, true, false},
    [KB_RECIPE_INTS] = {value_ints, true, true},        [KB_RECIPE_SIGNS] = {value_signs, true, false},
    [KB_RECIPE_BYTES] = {.value = NULL, .known = true},
};

static bool whole(double value) {
    return fabs(value) <= INTEGER_LIMIT && floor(value) == value;
}

static kb_status check_place(const kb_defs *defs, uint32_t id, kb_trail *trail) {
    const kb_initial *it = &defs->initials[id];
    if (it->memory >= defs->memory_count)
        return kb_fail(trail, KB_E_CORRUPT, "initial contents %u name memory %u, and there are %zu", id,
                       it->memory, defs->memory_count);
    uint64_t size = kb_dtype_size(it->dtype), room = defs->memories[it->memory].size_bytes;
    if (size == 0)
        return kb_fail(trail, KB_E_CORRUPT, "initial contents %u have the unknown dtype %u", id, it->dtype);
    if (it->offset_bytes > room || it->elements > (room - it->offset_bytes) / size)
        return kb_fail(trail, KB_E_CORRUPT,
                       "initial contents %u: %llu elements of %s at %llu leave their memory %s of %llu bytes",
                       id, (unsigned long long)it->elements, kb_word_name(KB_VOC_DTYPE, it->dtype),
                       (unsigned long long)it->offset_bytes, defs->memories[it->memory].name,
                       (unsigned long long)room);
    return KB_OK;
}

kb_status kbr_recipe_check(const kb_defs *defs, uint32_t id, kb_trail *trail) {
    const kb_initial *it = &defs->initials[id];
    KB_TRY(check_place(defs, id, trail));
    if (it->recipe >= sizeof recipes / sizeof recipes[0] || !recipes[it->recipe].known)
        return kb_fail(trail, KB_E_UNSUPPORTED,
                       "initial contents %u follow recipe %u, which this build does not know", id,
                       it->recipe);
    const recipe *how = &recipes[it->recipe];
    if (how->value == NULL && it->bytes_count != kbr_recipe_size(it))
        return kb_fail(trail, KB_E_CORRUPT, "initial contents %u bring %zu bytes for a range of %llu", id,
                       it->bytes_count, (unsigned long long)kbr_recipe_size(it));
    if (how->value != NULL && it->recipe != KB_RECIPE_ZEROS && kbr_dtype_of(it->dtype) == NULL)
        return kb_fail(trail, KB_E_UNSUPPORTED,
                       "initial contents %u: recipe %s of %s, which holds no numbers here", id,
                       kb_word_name(KB_VOC_RECIPE, it->recipe), kb_word_name(KB_VOC_DTYPE, it->dtype));
    if (how->integers && !(whole(it->low) && whole(it->high) && it->low <= it->high))
        return kb_fail(trail, KB_E_CORRUPT, "initial contents %u: integers from %g to %g are no range", id,
                       it->low, it->high);
    return KB_OK;
}

uint64_t kbr_recipe_size(const kb_initial *initial) {
    return initial->elements * kb_dtype_size(initial->dtype);
}

void kbr_recipe_fill(const kb_initial *initial, uint64_t first, uint64_t size, uint8_t *out) {
    const recipe *how = &recipes[initial->recipe];
    if (how->value == NULL) {
        memcpy(out, initial->bytes + first, size);
        return;
    }
    if (initial->recipe == KB_RECIPE_ZEROS) {
        memset(out, 0, size);
        return;
    }
    const kbr_dtype *dtype = kbr_dtype_of(initial->dtype);
    uint64_t width = dtype->size_bytes, last = first + size;
    for (uint64_t j = first / width; j * width < last; j++) {
        uint8_t bytes[8];
        dtype->store(how->value(initial, initial->first_element + j), bytes);
        uint64_t low = j * width < first ? first - j * width : 0;
        uint64_t high = (j + 1) * width > last ? last - j * width : width;
        memcpy(out + j * width + low - first, bytes + low, high - low);
    }
}
