/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots: random changes with several of them alive, restored in any order, against plain arrays.
 */
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#include "memory/memory.h"
#include "support/fail_alloc.h"
#include "support/random.h"

enum { SIZE = 200000, MEMORIES = 2, ALIVE = 5, STEPS = 400 };

typedef struct plain {
    uint8_t bytes[MEMORIES][SIZE];
    uint8_t bits[MEMORIES][SIZE / 8 + 1];
} plain;

static void define(kb_defs *defs) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    kb_defs_init(defs, kb_alloc_heap(), 0);
    for (int i = 0; i < MEMORIES; i++) {
        kb_memory memory = {KB_SPACE_TCM, 0, KB_NONE, SIZE, 0, i == 0 ? "first" : "second"};
        check_ok(kb_defs_add_memory(defs, &memory, &id, &trail), &trail);
    }
    kb_initial initial = {.memory = 1,
                          .dtype = KB_DTYPE_I8,
                          .recipe = KB_RECIPE_INTS,
                          .offset_bytes = 1001,
                          .elements = 90000,
                          .low = -100,
                          .high = 100};
    check_ok(kb_defs_add_initial(defs, &initial, &id, &trail), &trail);
}

/* What memory holds, by asking it. */
static void look(kbr_memories *memories, plain *ret_seen) {
    kb_trail trail;
    kb_trail_init(&trail);
    memset(ret_seen, 0, sizeof *ret_seen);
    for (uint32_t i = 0; i < MEMORIES; i++) {
        check_ok(kbr_memory_read(memories, i, 0, SIZE, ret_seen->bytes[i], NULL, &trail), &trail);
        check_ok(kbr_memory_get_bits(memories, i, 0, SIZE, ret_seen->bits[i], &trail), &trail);
    }
}

/* Writes or undefines a random range, or the same in pieces, in memory and in the arrays. */
static void change(kbr_memories *memories, plain *with, random_source *random) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t memory = (uint32_t)random_below(random, MEMORIES);
    uint64_t offset = random_below(random, SIZE);
    uint64_t size = random_below(random, random_once_in(random, 4) ? 70000 : 300);
    size = size > SIZE - offset ? SIZE - offset : size;
    bool defines = !random_once_in(random, 3);
    uint8_t *bytes = malloc(size + 1);
    random_bytes(random, bytes, size);
    for (uint64_t i = offset; i < offset + size; i++) {
        with->bytes[memory][i] = defines ? bytes[i - offset] : 0;
        with->bits[memory][i / 8] &= (uint8_t) ~(1u << i % 8);
        with->bits[memory][i / 8] |= (uint8_t)((defines ? 1u : 0u) << i % 8);
    }
    if (defines)
        check_ok(kbr_memory_write(memories, memory, offset, size, bytes, &trail), &trail);
    else
        check_ok(kbr_memory_undefine(memories, memory, offset, size, &trail), &trail);
    free(bytes);
}

typedef struct kept {
    kbr_snapshot *snapshot;
    plain *held;
    kb_digest digest;
} kept;

static void forget(kept *it) {
    kbr_snapshot_destroy(it->snapshot);
    free(it->held);
    *it = (kept){.snapshot = NULL};
}

static void keep(kept *it, kbr_memories *memories, const plain *now) {
    kb_trail trail;
    kb_trail_init(&trail);
    forget(it);
    it->held = malloc(sizeof *it->held);
    *it->held = *now;
    check_ok(kbr_memories_digest(memories, &it->digest, &trail), &trail);
    check_ok(kbr_memories_snapshot(memories, &it->snapshot, &trail), &trail);
}

static void restore(const kept *it, kbr_memories *memories, plain *now) {
    kb_trail trail;
    kb_trail_init(&trail);
    kb_digest digest;
    kbr_memories_restore(memories, it->snapshot);
    *now = *it->held;
    check_ok(kbr_memories_digest(memories, &digest, &trail), &trail);
    assert_true(kb_digest_equal(&digest, &it->digest));
}

static void restores_in_any_order(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        kb_trail trail;
        kb_trail_init(&trail);
        kb_defs defs;
        define(&defs);
        fail_alloc heap;
        fail_alloc_init(&heap);
        random_source random;
        random_init(&random, seed);
        kbr_memories *memories;
        check_ok(kbr_memories_create(&defs, &heap.alloc, 8 << 20, &memories, &trail), &trail);
        kept all[ALIVE] = {{.snapshot = NULL}};
        plain *now = malloc(sizeof *now), *seen = malloc(sizeof *seen);
        look(memories, now);
        for (int step = 0; step < STEPS; step++) {
            change(memories, now, &random);
            uint64_t which = random_below(&random, ALIVE);
            if (step % 7 == 0)
                keep(&all[which], memories, now);
            if (step % 5 == 0 && all[which].snapshot != NULL)
                restore(&all[which], memories, now);
            if (step % 11 == 0)
                forget(&all[which]);
            if (step % 40 == 0) {
                look(memories, seen);
                assert_memory_equal(seen, now, sizeof *seen);
            }
        }
        look(memories, seen);
        assert_memory_equal(seen, now, sizeof *seen);
        for (int i = 0; i < ALIVE; i++)
            forget(&all[i]);
        kbr_memories_destroy(memories);
        fail_alloc_fini(&heap);
        kb_defs_fini(&defs);
        free(now);
        free(seen);
    }
}

/* --- what it costs --------------------------------------------------------------------------------- */

static void a_page_counts_once(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_defs defs;
    define(&defs);
    kbr_memories *memories;
    kbr_snapshot *snapshots[3];
    check_ok(kbr_memories_create(&defs, kb_alloc_heap(), 8 << 20, &memories, &trail), &trail);
    uint8_t *bytes = calloc(1, SIZE);
    check_ok(kbr_memory_write(memories, 0, 0, SIZE, bytes, &trail), &trail);
    uint64_t whole = kbr_memories_size(memories);
    assert_true(whole >= SIZE);
    for (int i = 0; i < 3; i++)
        check_ok(kbr_memories_snapshot(memories, &snapshots[i], &trail), &trail);
    assert_int_equal(kbr_memories_size(memories), whole);
    check_ok(kbr_memory_write(memories, 0, 0, 1, bytes, &trail), &trail);
    uint64_t more = kbr_memories_size(memories) - whole;
    assert_true(more > 0 && more < whole / 2);
    check_ok(kbr_memory_write(memories, 0, 1, 1, bytes, &trail), &trail);
    assert_int_equal(kbr_memories_size(memories), whole + more);
    kbr_memories_restore(memories, snapshots[0]);
    assert_int_equal(kbr_memories_size(memories), whole);
    for (int i = 0; i < 3; i++)
        kbr_snapshot_destroy(snapshots[i]);
    assert_int_equal(kbr_memories_size(memories), whole);
    check_ok(kbr_memory_write(memories, 0, 1, 1, bytes, &trail), &trail);
    assert_int_equal(kbr_memories_size(memories), whole);
    kbr_memories_destroy(memories);
    free(bytes);
    kb_defs_fini(&defs);
}

static void copies_count_against_the_limit(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_defs defs;
    define(&defs);
    kbr_memories *memories;
    kbr_snapshot *snapshot;
    check_ok(kbr_memories_create(&defs, kb_alloc_heap(), 300000, &memories, &trail), &trail);
    uint8_t *bytes = calloc(1, SIZE);
    check_ok(kbr_memory_write(memories, 0, 0, SIZE, bytes, &trail), &trail);
    check_ok(kbr_memories_snapshot(memories, &snapshot, &trail), &trail);
    check_status(kbr_memory_write(memories, 0, 0, SIZE, bytes, &trail), KB_E_LIMIT, &trail);
    kbr_memories_restore(memories, snapshot);
    kbr_snapshot_destroy(snapshot);
    kb_trail_init(&trail);
    check_ok(kbr_memory_write(memories, 0, 0, SIZE, bytes, &trail), &trail);
    kbr_memories_destroy(memories);
    free(bytes);
    kb_defs_fini(&defs);
}

static kb_status changes_with_snapshots(const kb_alloc *alloc, void *user, kb_trail *trail) {
    static const uint8_t bytes[40000] = {1};
    kbr_memories *memories;
    kbr_snapshot *first = NULL, *second = NULL;
    KB_TRY(kbr_memories_create(user, alloc, 8 << 20, &memories, trail));
    kb_status status = kbr_memory_write(memories, 0, 100, sizeof bytes, bytes, trail);
    if (status == KB_OK)
        status = kbr_memories_snapshot(memories, &first, trail);
    if (status == KB_OK)
        status = kbr_memory_undefine(memories, 0, 200, 30000, trail);
    if (status == KB_OK)
        status = kbr_memories_snapshot(memories, &second, trail);
    if (status == KB_OK)
        status = kbr_memory_write(memories, 1, 100, sizeof bytes, bytes, trail);
    if (status == KB_OK) {
        kbr_memories_restore(memories, first);
        status = kbr_memory_write(memories, 0, 150, 20000, bytes, trail);
    }
    kbr_snapshot_destroy(second);
    kbr_snapshot_destroy(first);
    kbr_memories_destroy(memories);
    return status;
}

static void memory_may_run_out(void **state) {
    (void)state;
    kb_defs defs;
    define(&defs);
    fail_alloc_sweep(changes_with_snapshots, &defs, 1);
    kb_defs_fini(&defs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restores_in_any_order),
        cmocka_unit_test(a_page_counts_once),
        cmocka_unit_test(copies_count_against_the_limit),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
