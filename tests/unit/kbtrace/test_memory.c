/* SPDX-License-Identifier: Apache-2.0 */
/* The allocation seam: the heap, growth, refusals, and the allocator with a bound. */
#include <pthread.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/random.h"

#include "kbtrace/memory.h"

/* --- requests -------------------------------------------------------------------------------- */

static void blocks_come_and_go(void **state) {
    (void)state;
    const kb_alloc *const allocs[] = {NULL, kb_alloc_heap()};
    kb_trail trail;
    kb_trail_init(&trail);
    for (size_t i = 0; i < 2; i++) {
        void *block;
        check_ok(kb_new(allocs[i], 100, &block, &trail), &trail);
        memset(block, 1, 100);
        check_ok(kb_resize(allocs[i], 100, 5000, &block, &trail), &trail);
        for (size_t at = 0; at < 100; at++)
            assert_int_equal(((unsigned char *)block)[at], 1);
        check_ok(kb_resize(allocs[i], 5000, 10, &block, &trail), &trail);
        kb_delete(allocs[i], block, 10);
        kb_delete(allocs[i], NULL, 0);
    }
}

static void a_zeroed_block_is_zero(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory); /* gives bytes that are not zero by themselves */
    unsigned char *bytes;
    void *block;
    check_ok(kb_new(&memory.alloc, 777, &block, NULL), NULL);
    bytes = block;
    assert_int_not_equal(bytes[0] | bytes[776], 0);
    kb_delete(&memory.alloc, block, 777);
    check_ok(kb_new_zeroed(&memory.alloc, 777, &block, NULL), NULL);
    bytes = block;
    for (size_t i = 0; i < 777; i++)
        assert_int_equal(bytes[i], 0);
    kb_delete(&memory.alloc, block, 777);
    fail_alloc_fini(&memory);
}

static void size_zero_is_null(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    int something;
    void *block = &something;
    check_ok(kb_new(&memory.alloc, 0, &block, NULL), NULL);
    assert_null(block);
    block = &something;
    check_ok(kb_new_zeroed(&memory.alloc, 0, &block, NULL), NULL);
    assert_null(block);
    check_ok(kb_resize(&memory.alloc, 0, 0, &block, NULL), NULL);
    assert_null(block);
    check_ok(kb_resize(&memory.alloc, 0, 9, &block, NULL), NULL);
    assert_non_null(block);
    check_ok(kb_resize(&memory.alloc, 9, 0, &block, NULL), NULL);
    assert_null(block);
    fail_alloc_fini(&memory);
}

static void a_refusal_changes_nothing_and_says_why(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_trail trail;
    kb_trail_init(&trail);
    int something;
    void *block = &something;
    fail_alloc_arm(&memory, 1, true);
    check_status(kb_new(&memory.alloc, 12345, &block, &trail), KB_E_MEMORY, &trail);
    check_says(&trail, "out of memory: 12345 bytes");
    assert_ptr_equal(block, &something);
    check_status(kb_new_zeroed(&memory.alloc, 12345, &block, &trail), KB_E_MEMORY, &trail);
    assert_ptr_equal(block, &something);

    fail_alloc_arm(&memory, 2, true);
    check_ok(kb_new(&memory.alloc, 50, &block, &trail), &trail);
    memset(block, 9, 50);
    void *before = block;
    check_status(kb_resize(&memory.alloc, 50, 100, &block, &trail), KB_E_MEMORY, &trail);
    assert_ptr_equal(block, before);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(((unsigned char *)block)[i], 9);
    kb_delete(&memory.alloc, block, 50);
    fail_alloc_fini(&memory);
}

static void the_heap_refuses_what_no_machine_has(void **state) {
    (void)state;
    void *block;
    check_status(kb_new(NULL, SIZE_MAX - 100, &block, NULL), KB_E_MEMORY, NULL);
}

/* --- growth ---------------------------------------------------------------------------------- */

static void growing_doubles_and_keeps_contents(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    fail_alloc_arm(&memory, 0, false);
    size_t capacity = 0;
    void *items = NULL;
    for (uint32_t i = 0; i < 10000; i++) {
        check_ok(kb_grow(&memory.alloc, sizeof i, i + 1, &capacity, &items, NULL), NULL);
        assert_true(capacity > i);
        ((uint32_t *)items)[i] = i * 7;
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(((uint32_t *)items)[i], i * 7);
    assert_true(memory.request_count <= 12);
    assert_true(capacity < 20000);
    kb_delete(&memory.alloc, items, capacity * sizeof(uint32_t));
    fail_alloc_fini(&memory);
}

static void growing_far_goes_there_at_once(void **state) {
    (void)state;
    size_t capacity = 0;
    void *items = NULL;
    check_ok(kb_grow(NULL, 3, 1000, &capacity, &items, NULL), NULL);
    assert_int_equal(capacity, 1000);
    check_ok(kb_grow(NULL, 3, 1000, &capacity, &items, NULL), NULL);
    check_ok(kb_grow(NULL, 3, 0, &capacity, &items, NULL), NULL);
    assert_int_equal(capacity, 1000);
    check_ok(kb_grow(NULL, 3, 1001, &capacity, &items, NULL), NULL);
    assert_int_equal(capacity, 2000);
    kb_delete(NULL, items, capacity * 3);
}

static void growing_never_overflows(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_trail trail;
    kb_trail_init(&trail);
    random_source source;
    random_init(&source, 42);
    for (int i = 0; i < 2000; i++) {
        size_t capacity = 0;
        void *items = NULL;
        const size_t item_size = 1 + (size_t)random_extreme_u64(&source, SIZE_MAX - 1);
        const size_t wanted = (size_t)random_extreme_u64(&source, SIZE_MAX);
        fail_alloc_arm(&memory, item_size > 4096 || wanted > 4096 ? 1 : 0, true);
        kb_status status = kb_grow(&memory.alloc, item_size, wanted, &capacity, &items, &trail);
        if (status == KB_OK) {
            assert_true(capacity >= wanted);
            kb_delete(&memory.alloc, items, capacity * item_size);
        } else {
            check_status(status, KB_E_MEMORY, &trail);
            assert_null(items);
            assert_int_equal(capacity, 0);
        }
    }
    size_t capacity = 0;
    void *items = NULL;
    check_status(kb_grow(&memory.alloc, 16, SIZE_MAX / 16 + 1, &capacity, &items, &trail), KB_E_MEMORY,
                 &trail);
    check_says(&trail, "items of 16 bytes");
    fail_alloc_fini(&memory);
}

static void *refuse_and_remember(void *context, void *old, size_t old_size, size_t new_size) {
    (void)old;
    (void)old_size;
    *(size_t *)context = new_size;
    return NULL;
}

/* Where doubling would exceed what can be addressed, the most that can is asked for. */
static void doubling_stops_at_the_end_of_memory(void **state) {
    (void)state;
    size_t asked = 0;
    const kb_alloc alloc = {refuse_and_remember, &asked};
    int something;
    void *items = &something;
    size_t capacity = SIZE_MAX / 24 + 5;
    check_status(kb_grow(&alloc, 16, capacity + 1, &capacity, &items, NULL), KB_E_MEMORY, NULL);
    assert_int_equal(asked, SIZE_MAX / 16 * 16);
    assert_int_equal(capacity, SIZE_MAX / 24 + 5);
    assert_ptr_equal(items, &something);
}

/* --- a bound --------------------------------------------------------------------------------- */

static void a_bound_is_exact(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_bounded bounded;
    kb_bounded_init(&bounded, &memory.alloc, 100);
    void *a, *b;
    check_ok(kb_new(&bounded.alloc, 60, &a, NULL), NULL);
    check_ok(kb_new(&bounded.alloc, 40, &b, NULL), NULL);
    void *c = NULL;
    check_status(kb_new(&bounded.alloc, 1, &c, NULL), KB_E_MEMORY, NULL);
    check_status(kb_resize(&bounded.alloc, 40, 41, &b, NULL), KB_E_MEMORY, NULL);
    check_ok(kb_resize(&bounded.alloc, 40, 30, &b, NULL), NULL);
    assert_int_equal(bounded.used_size, 90);
    check_ok(kb_resize(&bounded.alloc, 60, 70, &a, NULL), NULL);
    assert_int_equal(bounded.used_size, 100);
    kb_delete(&bounded.alloc, a, 70);
    assert_int_equal(bounded.used_size, 30);
    check_status(kb_new(&bounded.alloc, SIZE_MAX, &c, NULL), KB_E_MEMORY, NULL);
    kb_delete(&bounded.alloc, b, 30);
    assert_int_equal(bounded.used_size, 0);
    assert_int_equal(bounded.peak_size, 100);
    fail_alloc_fini(&memory);
}

static void what_the_inner_refuses_does_not_count(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_bounded bounded;
    kb_bounded_init(&bounded, &memory.alloc, 1000);
    void *block;
    fail_alloc_arm(&memory, 1, false);
    check_status(kb_new(&bounded.alloc, 600, &block, NULL), KB_E_MEMORY, NULL);
    assert_int_equal(bounded.used_size, 0);
    assert_int_equal(bounded.peak_size, 0);
    check_ok(kb_new(&bounded.alloc, 600, &block, NULL), NULL);
    fail_alloc_arm(&memory, 1, true);
    check_status(kb_resize(&bounded.alloc, 600, 900, &block, NULL), KB_E_MEMORY, NULL);
    check_status(kb_resize(&bounded.alloc, 600, 100, &block, NULL), KB_E_MEMORY, NULL);
    assert_int_equal(bounded.used_size, 600);
    kb_delete(&bounded.alloc, block, 600);
    assert_int_equal(bounded.used_size, 0);
    fail_alloc_fini(&memory);
}

enum { THREADS = 4, ROUNDS = 20000, BOUND = 5000 };

typedef struct worker {
    kb_bounded *bounded;
    uint64_t seed;
    size_t granted_count, refused_count;
} worker;

/* Keeps a few blocks, resizing them at random; the bound is too small for all threads' wishes. */
static void *work(void *context) {
    worker *self = context;
    void *blocks[8] = {NULL};
    size_t sizes[8] = {0};
    random_source source;
    random_init(&source, self->seed);
    for (int round = 0; round < ROUNDS; round++) {
        const size_t i = (size_t)random_below(&source, 8);
        const size_t size = (size_t)random_below(&source, 600);
        if (kb_resize(&self->bounded->alloc, sizes[i], size, &blocks[i], NULL) == KB_OK) {
            sizes[i] = size;
            self->granted_count++;
        } else {
            self->refused_count++;
        }
    }
    for (size_t i = 0; i < 8; i++)
        kb_delete(&self->bounded->alloc, blocks[i], sizes[i]);
    return NULL;
}

static void a_bound_holds_over_threads(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_bounded bounded;
    kb_bounded_init(&bounded, &memory.alloc, BOUND);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.bounded = &bounded, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].granted_count > 0);
    }
    assert_int_equal(bounded.used_size, 0);
    assert_true(bounded.peak_size <= BOUND);
    assert_true(bounded.peak_size > BOUND / 2);
    assert_true(memory.peak_size <= BOUND);
    fail_alloc_fini(&memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_and_go),
        cmocka_unit_test(a_zeroed_block_is_zero),
        cmocka_unit_test(size_zero_is_null),
        cmocka_unit_test(a_refusal_changes_nothing_and_says_why),
        cmocka_unit_test(the_heap_refuses_what_no_machine_has),
        cmocka_unit_test(growing_doubles_and_keeps_contents),
        cmocka_unit_test(growing_far_goes_there_at_once),
        cmocka_unit_test(growing_never_overflows),
        cmocka_unit_test(doubling_stops_at_the_end_of_memory),
        cmocka_unit_test(a_bound_is_exact),
        cmocka_unit_test(what_the_inner_refuses_does_not_count),
        cmocka_unit_test(a_bound_holds_over_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
