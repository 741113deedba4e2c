/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes for inputs; see contents.h. Computes no element. */
#include "bench/contents.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/number.h"

/*
 * Factors of 1 and -1. But eight ranks draw 1 or 2, or -1 or -2, so that one that is missing or taken twice
 * changes the size of some products, too: 2^8 is small enough for every dtype.
 */
static void make_factors(const kbs_contents *contents, kb_initial *ret) {
    static const uint32_t doubled = 8;
    ret->recipe = contents->rank < doubled ? KB_RECIPE_INTS : KB_RECIPE_SIGNS;
    if (contents->rank < doubled) {
        ret->low = contents->rank % 2 == 0 ? 1 : -2;
        ret->high = ret->low + 1;
    }
}

static void make_ints(const kbs_contents *contents, kb_initial *ret) {
    static const double most_drawn = 64; /* small enough to read, large enough to tell ranks apart */
    if (contents->reduce == KB_REDUCE_PROD) {
        make_factors(contents, ret);
        return;
    }
    const double exact = kbs_exact_of(contents->dtype);
    double most = exact;
    if (contents->reduce == KB_REDUCE_SUM) {
        most = floor(exact / contents->ranks);
        most = most > most_drawn ? most_drawn : most < 1 ? 1 : most;
    }
    ret->recipe = KB_RECIPE_INTS;
    ret->low = -most;
    ret->high = most;
}

static kb_status make_constant(const kbs_contents *contents, const char *text, kb_initial *ret,
                               kb_trail *trail) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return kb_fail(trail, KB_E_ARGUMENT, "init: '%s' is no number (try constant:1.5)", text);
    const bool is_float = kbs_is_float(contents->dtype);
    const double most = kbs_most_of(contents->dtype), least = is_float ? -most : -most - 1;
    if (value < least || value > most || (!is_float && value != floor(value)))
        return kb_fail(trail, KB_E_ARGUMENT, "init: %s cannot hold %s",
                       kb_word_name(KB_VOC_DTYPE, contents->dtype), text);
    ret->recipe = KB_RECIPE_CONSTANT;
    ret->low = value;
    return KB_OK;
}

static kb_status make_iota(const kbs_contents *contents, kb_initial *ret, kb_trail *trail) {
    if (contents->elements > 0 && (double)(contents->elements - 1) > kbs_most_of(contents->dtype))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "init: iota counts to %" PRIu64
                       ", and %s holds no more than %.0f (take fewer elements)",
                       contents->elements - 1, kb_word_name(KB_VOC_DTYPE, contents->dtype),
                       kbs_most_of(contents->dtype));
    ret->recipe = KB_RECIPE_IOTA;
    ret->high = 1;
    return KB_OK;
}

static kb_status make_uniform(const kbs_contents *contents, kb_initial *ret, kb_trail *trail) {
    if (!kbs_is_float(contents->dtype))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "init: uniform draws reals, and %s holds integers (try init=ints)",
                       kb_word_name(KB_VOC_DTYPE, contents->dtype));
    ret->recipe = KB_RECIPE_UNIFORM;
    ret->low = -1;
    ret->high = 1;
    return KB_OK;
}

kb_status kbs_contents_recipe(const kbs_contents *contents, kb_initial *ret, kb_trail *trail) {
    static const char constant[] = "constant:";
    kb_initial recipe = {.dtype = contents->dtype, .elements = contents->elements};
    kb_status status = KB_OK;
    if (strcmp(contents->init, "ints") == 0)
        make_ints(contents, &recipe);
    else if (strcmp(contents->init, "zeros") == 0)
        recipe.recipe = KB_RECIPE_ZEROS;
    else if (strcmp(contents->init, "iota") == 0)
        status = make_iota(contents, &recipe, trail);
    else if (strcmp(contents->init, "uniform") == 0)
        status = make_uniform(contents, &recipe, trail);
    else if (strncmp(contents->init, constant, sizeof constant - 1) == 0)
        status = make_constant(contents, contents->init + sizeof constant - 1, &recipe, trail);
    else
        status = kb_fail(trail, KB_E_ARGUMENT,
                         "init: '%s' is not one of ints, uniform, iota, constant:V, zeros", contents->init);
    if (status != KB_OK)
        return status;
    *ret = recipe;
    return KB_OK;
}

uint64_t kbs_contents_seed(uint64_t seed, uint32_t rank) {
    /* splitmix64's step and finaliser (Steele, Lea, Flood 2014): neighbours get unrelated seeds. */
    uint64_t x = seed + (rank + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30U) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27U) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31U;
}
