/* SPDX-License-Identifier: Apache-2.0 */
/* Which recipes there are, and pieces of their bytes; see recipe.h. */
#include "memory/recipe.h"

#include <math.h>
#include <string.h>

#include "number/kernels.h"
#include "number/number.h"

/* Integers beyond this are not all doubles. */
#define INTEGER_LIMIT 0x1p53

typedef struct recipe {
    bool known, drawn, integers; /* drawn: made by a kernel */
} recipe;

static const recipe recipes[] = {
    [KB_RECIPE_ZEROS] = {.known = true},
    [KB_RECIPE_CONSTANT] = {.known = true, .drawn = true},
    [KB_RECIPE_IOTA] = {.known = true, .drawn = true},
    [KB_RECIPE_UNIFORM] = {.known = true, .drawn = true},
    [KB_RECIPE_INTS] = {.known = true, .drawn = true, .integers = true},
    [KB_RECIPE_SIGNS] = {.known = true, .drawn = true},
    [KB_RECIPE_BYTES] = {.known = true},
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
    if (it->recipe == KB_RECIPE_BYTES && it->bytes_count != kbr_recipe_size(it))
        return kb_fail(trail, KB_E_CORRUPT, "initial contents %u bring %zu bytes for a range of %llu", id,
                       it->bytes_count, (unsigned long long)kbr_recipe_size(it));
    if (how->drawn && kbr_dtype_of(it->dtype) == NULL)
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

/* Bytes [first, first + size) of elements that are drawn, in blocks from the first one's on. */
static void draw(const kbr_kernels *kernels, const kb_initial *initial, uint64_t first, uint64_t size,
                 uint8_t *out) {
    const kbr_contents of = {initial->seed, initial->low, initial->high};
    uint64_t width = kb_dtype_size(initial->dtype), block = width * KBR_DRAWN;
    uint64_t element = first / width, skip = first % width;
    for (uint64_t done = 0; done < size; element += KBR_DRAWN, skip = 0) {
        double numbers[KBR_DRAWN];
        uint8_t bytes[4 * KBR_DRAWN];
        uint64_t count = size - done < block - skip ? size - done : block - skip;
        kernels->draw[initial->recipe](numbers, &of, initial->first_element + element);
        kernels->round[initial->dtype](count == block ? out + done : bytes, numbers);
        if (count != block)
            memcpy(out + done, bytes + skip, count);
        done += count;
    }
}

void kbr_recipe_fill(const kbr_kernels *kernels, const kb_initial *initial, uint64_t first, uint64_t size,
                     uint8_t *out) {
    if (recipes[initial->recipe].drawn)
        draw(kernels, initial, first, size, out);
    else if (initial->recipe == KB_RECIPE_BYTES)
        memcpy(out, initial->bytes + first, size);
    else
        memset(out, 0, size);
}
