/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: pages against a plain array, recipes against their rules, the digest against its canonical form.
 */
#include "support/check.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "memory/memory.h"
#include "memory/recipe.h"
#include "number/number.h"
#include "support/fail_alloc.h"

enum { SIZE = 100000 };

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static void define(kb_defs *defs, uint64_t size) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    kb_defs_init(defs, kb_alloc_heap(), 0);
    kb_memory memory = {KB_SPACE_TCM, 0, KB_NONE, size, 0, "first"};
    check_ok(kb_defs_add_memory(defs, &memory, &id, &trail), &trail);
    memory.name = "second";
    check_ok(kb_defs_add_memory(defs, &memory, &id, &trail), &trail);
}

static void add_initial(kb_defs *defs, kb_initial initial) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    check_ok(kb_defs_add_initial(defs, &initial, &id, &trail), &trail);
}

/* --- against a plain array ------------------------------------------------------------------------- */

typedef struct plain {
    uint8_t bytes[SIZE];
    bool defined[SIZE];
} plain;

static void compare(kbr_memories *memories, const plain *with, uint64_t offset, uint64_t size) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint8_t *bytes = malloc(size + 1), *bits = malloc(size / 8 + 2);
    bool defined, want = true, same = true;
    uint64_t first, want_first = size;
    check_ok(kbr_memory_read(memories, 1, offset, size, bytes, &defined, &trail), &trail);
    check_ok(kbr_memory_get_bits(memories, 1, offset, size, bits, &trail), &trail);
    check_ok(kbr_memory_find_undefined(memories, 1, offset, size, &first, &trail), &trail);
    for (uint64_t i = 0; i < size; i++) {
        bool here = with->defined[offset + i];
        want = want && here;
        want_first = !here && want_first == size ? i : want_first;
        same = same && bytes[i] == (here ? with->bytes[offset + i] : 0) && (bits[i / 8] >> i % 8 & 1) == here;
    }
    assert_true(same);
    assert_int_equal(defined, want);
    assert_int_equal(first, want_first);
    free(bytes);
    free(bits);
}

static void change(kbr_memories *memories, plain *with, uint64_t offset, uint64_t size, uint64_t *state) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint8_t *bytes = malloc(size + 1), *bits = malloc(size / 8 + 2);
    uint64_t how = draw(state) % 3;
    for (uint64_t i = 0; i < size / 8 + 2; i++)
        bits[i] = (uint8_t)draw(state);
    for (uint64_t i = 0; i < size; i++) {
        bool defines = how == 0 || (how == 2 && (bits[i / 8] >> i % 8 & 1) != 0);
        bytes[i] = (uint8_t)draw(state);
        with->bytes[offset + i] = bytes[i];
        with->defined[offset + i] = defines;
    }
    if (how == 0)
        check_ok(kbr_memory_write(memories, 1, offset, size, bytes, &trail), &trail);
    else if (how == 1)
        check_ok(kbr_memory_undefine(memories, 1, offset, size, &trail), &trail);
    else
        check_ok(kbr_memory_write_bits(memories, 1, offset, size, bytes, bits, &trail), &trail);
    free(bytes);
    free(bits);
}

/* The canonical form, as memory.h states it, over the plain array as the second memory. */
static kb_digest canonical(const plain *with) {
    uint8_t *all = malloc((size_t)SIZE * 40);
    size_t size = 0;
    for (uint64_t low = 0; low < SIZE; low++) {
        uint64_t high = low;
        while (high < SIZE && with->defined[high])
            high++;
        if (high == low)
            continue;
        uint64_t numbers[3] = {1, low, high - low};
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits(with->bytes + low, high - low));
        for (int i = 0; i < 24; i++)
            all[size + (size_t)i] = (uint8_t)(numbers[i / 8] >> i % 8 * 8);
        memcpy(all + size + 24, hash.digest, 16);
        size += 40;
        low = high;
    }
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(all, size));
    kb_digest digest;
    memcpy(digest.bytes, hash.digest, 16);
    free(all);
    return digest;
}

static void memory_behaves_as_an_array(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    for (uint64_t seed = 0; seed < 8; seed++) {
        uint64_t random = seed;
        kb_defs defs;
        fail_alloc heap;
        fail_alloc_init(&heap);
        define(&defs, SIZE);
        plain *with = calloc(1, sizeof *with);
        if (seed % 2 != 0) { /* the later one lies over the earlier one */
            add_initial(&defs, (kb_initial){.memory = 1,
                                            .dtype = KB_DTYPE_I8,
                                            .recipe = KB_RECIPE_CONSTANT,
                                            .offset_bytes = 10,
                                            .elements = 60000,
                                            .low = 7});
            add_initial(&defs, (kb_initial){.memory = 1,
                                            .dtype = KB_DTYPE_I8,
                                            .recipe = KB_RECIPE_CONSTANT,
                                            .offset_bytes = 50000,
                                            .elements = 20000,
                                            .low = 9});
            memset(with->bytes + 10, 7, 60000);
            memset(with->bytes + 50000, 9, 20000);
            memset(with->defined + 10, 1, 69990);
        }
        kbr_memories *memories;
        check_ok(kbr_memories_create(&defs, &heap.alloc, 1 << 20, &memories, &trail), &trail);
        for (int i = 0; i < 120; i++) {
            uint64_t offset = draw(&random) % SIZE, size = draw(&random) % (i % 3 != 0 ? 300 : 40000);
            size = size > SIZE - offset ? SIZE - offset : size;
            if (i % 2 != 0)
                change(memories, with, offset, size, &random);
            else
                compare(memories, with, offset, size);
            if (i % 40 == 0) {
                kb_digest digest, want = canonical(with);
                check_ok(kbr_memories_digest(memories, &digest, &trail), &trail);
                assert_true(kb_digest_equal(&digest, &want));
            }
        }
        compare(memories, with, 0, SIZE);
        kbr_memories_destroy(memories);
        free(with);
        kb_defs_fini(&defs);
        fail_alloc_fini(&heap);
    }
}

/* --- recipes ---------------------------------------------------------------------------------------- */

/* The rule as docs/trace-format.md states it. */
static double rule(const kb_initial *it, uint64_t j) {
    uint64_t i = it->first_element + j, h = it->seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
    h ^= h >> 31;
    if (it->recipe == KB_RECIPE_IOTA)
        return it->low + (double)i * it->high;
    if (it->recipe == KB_RECIPE_UNIFORM)
        return it->low + (it->high - it->low) * ((double)(h >> 11) * 0x1p-53);
    if (it->recipe == KB_RECIPE_INTS)
        return it->low + (double)(h % ((uint64_t)(it->high - it->low) + 1));
    if (it->recipe == KB_RECIPE_SIGNS)
        return h >> 63 != 0 ? -1.0 : 1.0;
    return it->recipe == KB_RECIPE_CONSTANT ? it->low : 0.0;
}

/* Every recipe and dtype, in pieces that begin and end anywhere. */
static void recipes_follow_their_rules(void **state) {
    (void)state;
    static const uint32_t recipes[] = {KB_RECIPE_ZEROS,   KB_RECIPE_CONSTANT, KB_RECIPE_IOTA,
                                       KB_RECIPE_UNIFORM, KB_RECIPE_INTS,     KB_RECIPE_SIGNS};
    static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    uint64_t random = 3;
    for (size_t r = 0; r < 6; r++)
        for (size_t d = 0; d < 5; d++) {
            const kbr_dtype *dtype = kbr_dtype_of(dtypes[d]);
            kb_initial it = {.dtype = dtypes[d],
                             .recipe = recipes[r],
                             .elements = 100,
                             .seed = draw(&random),
                             .first_element = draw(&random) % 50,
                             .low = -5,
                             .high = 5};
            uint8_t want[400], got[400];
            for (uint64_t j = 0; j < 100; j++)
                dtype->store(rule(&it, j), want + j * dtype->size_bytes);
            for (int piece = 0; piece < 50; piece++) {
                uint64_t first = draw(&random) % (100 * dtype->size_bytes);
                uint64_t size = draw(&random) % (100 * dtype->size_bytes - first + 1);
                kbr_recipe_fill(kbr_kernels_choose(), &it, first, size, got);
                assert_memory_equal(got, want + first, size);
            }
        }
}

static void bad_contents_are_refused(void **state) {
    (void)state;
    static const kb_initial bad[] = {
        {.memory = 9, .dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_ZEROS, .elements = 1},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_ZEROS, .elements = SIZE},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_ZEROS, .offset_bytes = UINT64_MAX, .elements = 1},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_ZEROS, .elements = UINT64_MAX / 2 + 2},
        {.dtype = 99, .recipe = KB_RECIPE_ZEROS, .elements = 1},
        {.dtype = KB_DTYPE_F16, .recipe = 99, .elements = 1},
        {.dtype = KB_DTYPE_BYTES, .recipe = KB_RECIPE_INTS, .elements = 1},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_BYTES, .elements = 1},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_INTS, .elements = 1, .low = 0.5, .high = 2},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_INTS, .elements = 1, .low = 2, .high = 1},
        {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_INTS, .elements = 1, .low = -1e300, .high = 1e300},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kb_defs defs;
        kbr_memories *memories;
        kb_trail trail;
        kb_trail_init(&trail);
        define(&defs, SIZE);
        add_initial(&defs, bad[i]);
        kb_status status = kbr_memories_create(&defs, kb_alloc_heap(), 1 << 20, &memories, &trail);
        assert_true(status == KB_E_CORRUPT || status == KB_E_UNSUPPORTED);
        assert_true(trail.count != 0);
        kb_defs_fini(&defs);
    }
}

static void memory_has_a_limit(void **state) {
    (void)state;
    kb_defs defs;
    kbr_memories *memories;
    kb_trail trail;
    kb_trail_init(&trail);
    define(&defs, UINT64_MAX);
    check_ok(kbr_memories_create(&defs, kb_alloc_heap(), 100000, &memories, &trail), &trail);
    kb_status status = KB_OK;
    for (uint64_t i = 0; status == KB_OK && i < 100; i++)
        status = kbr_memory_write(memories, 0, i << 30, 1, (const uint8_t *)"x", &trail);
    check_status(status, KB_E_LIMIT, &trail);
    assert_true(kbr_memories_size(memories) <= 100000);
    kbr_memories_destroy(memories);
    kb_defs_fini(&defs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_behaves_as_an_array),
        cmocka_unit_test(recipes_follow_their_rules),
        cmocka_unit_test(bad_contents_are_refused),
        cmocka_unit_test(memory_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
