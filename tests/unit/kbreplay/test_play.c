/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads where something goes wrong: the first op that fails is told, a full list of findings holds the same
 * ones, and where the system refuses threads or memory, the rest does the work or says so.
 */
#include "replayed.h"

#include <stdio.h>
#include <stdlib.h>

#include "replay_state.h"
#include "support/fail_alloc.h"
#include "support/program.h"
#include "support/replays/told.h"
#include "support/thread_fault/thread_fault.h"

static const unsigned thread_counts[] = {2, 3, 8};

/* What one thread tells of the trace on the disk. */
static char *told_with(fault_fs *disk, unsigned threads, uint64_t little_size) {
    const char *path = "run.zst";
    kb_reader_options reading = {.fs = &disk->fs};
    kb_reader *reader;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_reader_open(&path, 1, &reading, &reader, &trail), &trail);
    char *text = told_by(
        reader, &(told_how){.options = {.verify = true, .threads = threads}, .little_size = little_size});
    kb_reader_destroy(reader);
    return text;
}

/* Threads tell what one tells, which has `words` in it. */
static void check_told(fault_fs *disk, const char *words, int times) {
    char *one = told_with(disk, 1, UINT64_MAX);
    if (strstr(one, words) == NULL)
        fail_msg("no `%s` in\n%s", words, one);
    for (int i = 0; i < times; i++) {
        for (size_t k = 0; k < sizeof thread_counts / sizeof thread_counts[0]; k++) {
            char *more = told_with(disk, thread_counts[k], 0);
            assert_string_equal(more, one);
            free(more);
        }
    }
    free(one);
}

/* Several ops that no build can execute: whichever thread comes to its own first. */
static void the_first_that_fails_is_told(void **state) {
    (void)state;
    for (uint32_t first = 0; first < 3; first++) {
        ring made;
        fault_fs disk;
        fault_fs_init(&disk);
        ring_make(&made, &(ring_shape){.ranks = 5, .elements = 500});
        for (uint32_t rank = 0; rank < 5; rank++) {
            ring_op *op = ring_find(&made, rank, KB_OP_MATH, (rank + first) % 3);
            for (uint32_t i = 0; i < op->what.operand_count; i++)
                op->operands[i].dtype = KB_DTYPE_F8E4M3;
        }
        ring_write(&made, &disk.fs, "run.zst");
        check_told(&disk, "is not executed by this build", 10);
        ring_fini(&made);
        fault_fs_fini(&disk);
    }
}

enum { PEEKS = 150, PEEKING = 4 };

/* More findings than there is room for: wrong peeks, each of another kernel, in an order not theirs. */
static void a_full_list_holds_the_same(void **state) {
    (void)state;
    made_trace made;
    fault_fs disk;
    kb_trail trail;
    kb_trail_init(&trail);
    fault_fs_init(&disk);
    made_init(&made, PEEKING);
    for (uint32_t rank = 0; rank < PEEKING; rank++) {
        made_initial(&made, TCM(rank), KB_DTYPE_F16, 0, 64, 3);
        made_launch(&made, rank, 0);
    }
    uint32_t kernels[PEEKS * PEEKING];
    for (uint32_t i = 0; i < PEEKS * PEEKING; i++) {
        char name[32];
        snprintf(name, sizeof name, "kernel %u", i);
        check_ok(kb_defs_intern(&made.defs, name, &kernels[i], &trail), &trail);
    }
    for (uint32_t i = 0; i < PEEKS * PEEKING; i++) {
        uint32_t rank = i % PEEKING;
        made_op *peek = made_add(&made, PE(rank), KB_OP_ASSUME, KB_BLOCKS_NO);
        made_touch(peek, TCM(rank), KB_ACCESS_READ, KB_DTYPE_F16, 2 * (i % 64), 1);
        peek->op.value = 0x7BFF;
        peek->what.kernel = kernels[(i * 77 + 5) % (PEEKS * PEEKING)];
    }
    made_write(&made, &disk.fs, "run.zst");
    check_told(&disk, "overflow 344", 5);
    made_fini(&made);
    fault_fs_fini(&disk);
}

static void threads_may_be_refused(void **state) {
    (void)state;
    if (!thread_fault_works())
        skip();
    fault_fs disk;
    fault_fs_init(&disk);
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 5, .elements = 500});
    ring_write(&made, &disk.fs, "run.zst");
    char *one = told_with(&disk, 1, UINT64_MAX);
    for (int allowed = 0; allowed < 5; allowed++) {
        thread_fault_allow(allowed);
        char *fewer = told_with(&disk, 4, 0);
        thread_fault_allow(-1);
        assert_string_equal(fewer, one);
        free(fewer);
    }
    free(one);
    ring_fini(&made);
    fault_fs_fini(&disk);
}

/* One run by three threads; the allocations of each differ from run to run. */
static kb_status replay_with(fault_fs *disk, const kb_alloc *alloc, kb_trail *trail) {
    const char *path = "run.zst";
    kb_reader_options reading = {.fs = &disk->fs};
    kb_reader *reader;
    kbr_replay *replay;
    KB_TRY(kb_reader_open(&path, 1, &reading, &reader, trail));
    kbr_options options = {.alloc = alloc, .verify = true, .threads = 3};
    kb_status status = kbr_replay_create(reader, &options, &replay, trail);
    if (status == KB_OK) {
        replay->little_size = 0;
        status = kbr_replay_run(replay, trail);
        kbr_replay_destroy(replay);
    }
    kb_reader_destroy(reader);
    return status;
}

static void memory_may_be_refused(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = 64, .seed = 5});
    ring_write(&made, &disk.fs, "run.zst");
    size_t refused = 0;
    for (int from_then_on = 0; from_then_on < 2; from_then_on++) {
        for (size_t request = 1, idle = 0; idle < 10; request++) {
            fail_alloc memory;
            kb_trail trail;
            kb_trail_init(&trail);
            fail_alloc_init(&memory);
            fail_alloc_arm(&memory, request, from_then_on != 0);
            kb_status status = replay_with(&disk, &memory.alloc, &trail);
            assert_int_equal(status, memory.refused_count != 0 ? KB_E_MEMORY : KB_OK);
            assert_true(status == KB_OK || trail.count != 0);
            refused += memory.refused_count != 0;
            idle += memory.refused_count == 0;
            fail_alloc_fini(&memory);
        }
    }
    assert_true(refused > 100);
    ring_fini(&made);
    fault_fs_fini(&disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_fails_is_told),
        cmocka_unit_test(a_full_list_holds_the_same),
        cmocka_unit_test(threads_may_be_refused),
        cmocka_unit_test(memory_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
