/* SPDX-License-Identifier: Apache-2.0 */
/* The replaced malloc, and the heap of the allocation seam above it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "support/check.h"
#include "support/fault_fs.h"
#include "support/malloc_fault/malloc_fault.h"

#include "kbtrace/memory.h"

/* Compilers may drop an allocation whose result does not matter; this makes it matter. */
static void *keep(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static void *by_malloc(void) {
    return malloc(10);
}

static void *by_calloc(void) {
    return calloc(3, 5);
}

static void *by_aligned_alloc(void) {
    return aligned_alloc(64, 128);
}

static void *by_posix_memalign(void) {
    void *block = NULL;
    return posix_memalign(&block, 64, 100) == 0 ? block : NULL;
}

static void *by_realloc(void) {
    return realloc(NULL, 10);
}

static void every_function_is_replaced(void **state) {
    (void)state;
    if (!malloc_fault_works())
        skip();
    static void *(*const ways[])(void) = {by_malloc, by_calloc, by_aligned_alloc, by_posix_memalign,
                                          by_realloc};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const size_t before = malloc_fault_live_count();
        malloc_fault_arm(2, false);
        void *a = keep(ways[i]()), *b = keep(ways[i]()), *c = keep(ways[i]());
        const size_t live = malloc_fault_live_count();
        size_t refused;
        const size_t requests = malloc_fault_disarm(&refused);
        assert_non_null(a);
        assert_null(b);
        assert_non_null(c);
        assert_int_equal(requests, 3);
        assert_int_equal(refused, 1);
        assert_int_equal(live, before + 2);
        free(a);
        free(c);
        assert_int_equal(malloc_fault_live_count(), before);
    }
}

static void a_refused_realloc_keeps_the_block(void **state) {
    (void)state;
    if (!malloc_fault_works())
        skip();
    void *block;
    check_ok(kb_new(NULL, 4, &block, NULL), NULL);
    memcpy(block, "abc", 4);
    malloc_fault_arm(1, true);
    errno = 0;
    const kb_status status =
        kb_resize(NULL, 4, 1 << 20, &block, NULL); /* not realloc: compilers know that one */
    const int error = errno;
    malloc_fault_disarm(NULL);
    check_status(status, KB_E_MEMORY, NULL);
    assert_int_equal(error, ENOMEM);
    assert_string_equal(block, "abc");
    kb_delete(NULL, block, 4);
}

static void the_heap_tells_and_the_disk_works_on(void **state) {
    (void)state;
    if (!malloc_fault_works())
        skip();
    fault_fs disk;
    fault_fs_init(&disk);
    kb_trail trail;
    kb_trail_init(&trail);
    kb_file file;
    void *block;
    malloc_fault_arm(1, true);
    const kb_status refused = kb_new(NULL, 64, &block, &trail);
    const kb_status opened = kb_file_open(&file, &disk.fs, "a", KB_OPEN_CREATE, &trail);
    const kb_status wrote = kb_file_write(&file, "abc", 3, &trail);
    const kb_status closed = kb_file_close(&file, &trail);
    malloc_fault_disarm(NULL);
    check_status(refused, KB_E_MEMORY, &trail);
    check_says(&trail, "out of memory: 64 bytes");
    check_ok(opened, &trail);
    check_ok(wrote, &trail);
    check_ok(closed, &trail);
    fault_fs_fini(&disk);
}

static void other_peoples_libraries_are_hit_too(void **state) {
    (void)state;
    if (!malloc_fault_works())
        skip();
    malloc_fault_arm(1, false);
    ZSTD_CCtx *refused = ZSTD_createCCtx();
    ZSTD_CCtx *granted = ZSTD_createCCtx();
    malloc_fault_disarm(NULL);
    assert_null(refused);
    assert_non_null(granted);
    ZSTD_freeCCtx(granted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_replaced),
        cmocka_unit_test(a_refused_realloc_keeps_the_block),
        cmocka_unit_test(the_heap_tells_and_the_disk_works_on),
        cmocka_unit_test(other_peoples_libraries_are_hit_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
