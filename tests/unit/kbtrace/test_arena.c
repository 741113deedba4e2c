/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: what they hand out, their limit, and that a phase's end frees everything. */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/random.h"

#include "kbtrace/memory.h"

static bool is_all(const void *bytes, size_t size, unsigned char value) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != value)
            return false;
    return true;
}

static void items_are_zeroed_aligned_and_apart(void **state) {
    (void)state;
    enum { ITEMS = 3000 };
    static unsigned char *items[ITEMS];
    static size_t sizes[ITEMS];
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_arena arena;
    kb_arena_init(&arena, &memory.alloc, 0);
    random_source source;
    random_init(&source, 1);
    for (size_t i = 0; i < ITEMS; i++) {
        sizes[i] = (size_t)random_below(&source, random_once_in(&source, 50) ? 20000 : 100);
        void *item;
        check_ok(kb_arena_new(&arena, sizes[i], &item, NULL), NULL);
        assert_int_equal((uintptr_t)item % 16, 0);
        assert_true(is_all(item, sizes[i], 0));
        items[i] = item;
        memset(items[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < ITEMS; i++) /* nobody wrote into a neighbour */
        assert_true(is_all(items[i], sizes[i], (unsigned char)(i % 251)));
    kb_arena_fini(&arena);
    fail_alloc_fini(&memory);
}

static void nothing_has_a_place_of_its_own(void **state) {
    (void)state;
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    void *a = NULL, *b = NULL;
    check_ok(kb_arena_new(&arena, 0, &a, NULL), NULL);
    check_ok(kb_arena_copy(&arena, NULL, 0, &b, NULL), NULL);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    kb_arena_fini(&arena);
}

static void copies_and_texts_are_whole(void **state) {
    (void)state;
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    unsigned char bytes[777];
    random_source source;
    random_init(&source, 2);
    random_bytes(&source, bytes, sizeof bytes);
    void *copy;
    check_ok(kb_arena_copy(&arena, bytes, sizeof bytes, &copy, NULL), NULL);
    assert_ptr_not_equal(copy, bytes);
    assert_memory_equal(copy, bytes, sizeof bytes);
    const char *text, *empty;
    check_ok(kb_arena_text(&arena, "reduce-scatter", 6, &text, NULL), NULL);
    check_ok(kb_arena_text(&arena, NULL, 0, &empty, NULL), NULL);
    assert_string_equal(text, "reduce");
    assert_string_equal(empty, "");
    kb_arena_fini(&arena);
}

static void a_limit_is_exact_in_steps_of_16(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_trail trail;
    kb_trail_init(&trail);
    kb_arena arena;
    kb_arena_init(&arena, &memory.alloc, 160);
    void *item;
    check_ok(kb_arena_new(&arena, 90, &item, &trail), &trail);
    assert_int_equal(arena.used_size, 96);
    void *const before = item;
    check_status(kb_arena_new(&arena, 65, &item, &trail), KB_E_LIMIT, &trail);
    check_says(&trail, "65 more bytes");
    check_says(&trail, "limit of 160 bytes");
    check_says(&trail, "96 are in use");
    assert_ptr_equal(item, before);
    check_ok(kb_arena_new(&arena, 64, &item, &trail), &trail);
    check_status(kb_arena_new(&arena, 0, &item, &trail), KB_E_LIMIT, &trail);
    const char *text = "before";
    check_status(kb_arena_text(&arena, "t", 1, &text, &trail), KB_E_LIMIT, &trail);
    assert_string_equal(text, "before");
    kb_arena_reset(&arena);
    check_ok(kb_arena_new(&arena, 160, &item, &trail), &trail);
    kb_arena_fini(&arena);
    fail_alloc_fini(&memory);
}

static void sizes_that_no_memory_has_are_refused(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    const size_t limits[] = {0, SIZE_MAX};
    for (size_t l = 0; l < 2; l++) {
        kb_arena arena;
        kb_arena_init(&arena, &memory.alloc, limits[l]);
        for (size_t back = 0; back < 100; back++) {
            void *item;
            const char *text;
            check_status(kb_arena_new(&arena, SIZE_MAX - back, &item, NULL), KB_E_MEMORY, NULL);
            check_status(kb_arena_copy(&arena, "", SIZE_MAX - back, &item, NULL), KB_E_MEMORY, NULL);
            check_status(kb_arena_text(&arena, "", SIZE_MAX - back, &text, NULL), KB_E_MEMORY, NULL);
        }
        assert_int_equal(arena.used_size, 0);
        kb_arena_fini(&arena);
    }
    fail_alloc_fini(&memory);
}

static void a_reset_keeps_one_block_and_zeroes_anew(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_arena arena;
    kb_arena_init(&arena, &memory.alloc, 0);
    kb_arena_reset(&arena); /* of nothing */
    size_t requests_of_first_phase = 0;
    for (int phase = 0; phase < 5; phase++) {
        fail_alloc_arm(&memory, 0, false);
        for (int i = 0; i < 5000; i++) {
            void *item;
            check_ok(kb_arena_new(&arena, 40, &item, NULL), NULL);
            assert_true(is_all(item, 40, 0));
            memset(item, 0xee, 40);
        }
        if (phase == 0)
            requests_of_first_phase = memory.request_count;
        else
            assert_true(memory.request_count < requests_of_first_phase);
        kb_arena_reset(&arena);
        assert_int_equal(arena.used_size, 0);
        assert_int_equal(memory.live_count, 1);
    }
    kb_arena_fini(&arena);
    kb_arena_fini(&arena); /* twice does no harm */
    fail_alloc_fini(&memory);
}

/* An item that needs a block of its own must not waste the room that is left for small ones. */
static void large_items_leave_room_for_small_ones(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_arena arena;
    kb_arena_init(&arena, &memory.alloc, 0);
    void *item;
    check_ok(kb_arena_new(&arena, 16, &item, NULL), NULL);
    for (int i = 0; i < 10; i++)
        check_ok(kb_arena_new(&arena, 100000, &item, NULL), NULL);
    fail_alloc_arm(&memory, 0, false);
    for (int i = 0; i < 200; i++)
        check_ok(kb_arena_new(&arena, 16, &item, NULL), NULL);
    assert_int_equal(memory.request_count, 0);
    assert_true(memory.live_size < 10 * 100000 + 10000);
    kb_arena_fini(&arena);
    fail_alloc_fini(&memory);
}

static void many_small_items_waste_little(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_arena arena;
    kb_arena_init(&arena, &memory.alloc, 0);
    void *item;
    for (int i = 0; i < 1000000; i++)
        check_ok(kb_arena_new(&arena, 16, &item, NULL), NULL);
    assert_int_equal(arena.used_size, 16000000);
    assert_true(memory.live_size < 16000000 + (2U << 20));
    assert_true(memory.live_count < 32);
    kb_arena_fini(&arena);
    fail_alloc_fini(&memory);
}

static kb_status phase(const kb_alloc *alloc, void *user, kb_trail *trail) {
    (void)user;
    kb_arena arena;
    kb_arena_init(&arena, alloc, 0);
    kb_status status = KB_OK;
    for (size_t i = 0; i < 400 && status == KB_OK; i++) {
        void *item;
        const char *text;
        status = kb_arena_new(&arena, i * 10, &item, trail);
        if (status == KB_OK)
            status = kb_arena_text(&arena, "algorithm", i % 10, &text, trail);
        if (status == KB_OK)
            status = kb_arena_copy(&arena, text, strlen(text), &item, trail);
    }
    kb_arena_fini(&arena);
    return status;
}

static void every_refusal_is_told_and_nothing_leaks(void **state) {
    (void)state;
    assert_true(fail_alloc_sweep(phase, NULL, 1) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_zeroed_aligned_and_apart),
        cmocka_unit_test(nothing_has_a_place_of_its_own),
        cmocka_unit_test(copies_and_texts_are_whole),
        cmocka_unit_test(a_limit_is_exact_in_steps_of_16),
        cmocka_unit_test(sizes_that_no_memory_has_are_refused),
        cmocka_unit_test(a_reset_keeps_one_block_and_zeroes_anew),
        cmocka_unit_test(large_items_leave_room_for_small_ones),
        cmocka_unit_test(many_small_items_waste_little),
        cmocka_unit_test(every_refusal_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
