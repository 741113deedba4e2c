/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever stands in a record, a replay ends: with findings, or with a status and a word. And whatever
 * allocation is refused, nothing leaks.
 */
#include "kbreplay/timeline.h"
#include "replayed.h"

#include "support/fail_alloc.h"
#include "support/program.h"

/* --- records of any content ------------------------------------------------------------------------ */

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* A number that is likely to hurt. */
static uint64_t nasty(uint64_t *state) {
    static const uint64_t favourites[] = {0,
                                          1,
                                          2,
                                          3,
                                          255,
                                          4096,
                                          UINT32_MAX,
                                          INT32_MAX,
                                          INT64_MAX,
                                          UINT64_MAX,
                                          UINT64_MAX - 1,
                                          (uint64_t)1 << 63,
                                          (uint64_t)1 << 40};
    uint64_t kind = draw(state) % 3;
    if (kind == 0)
        return favourites[draw(state) % (sizeof favourites / sizeof favourites[0])];
    return kind == 1 ? draw(state) % 32 : draw(state) >> draw(state) % 64;
}

static void spoil_op(ring *it, ring_op *op, uint64_t *state) {
    uint32_t operand = (uint32_t)draw(state) % 3, claim = (uint32_t)draw(state) % 4;
    kb_operand *view = &op->operands[operand];
    uint64_t value = nasty(state);
    switch (draw(state) % 20) {
    case 0: op->what.kind = (uint16_t)(1 + value % (KB_OP_LIMIT - 1)); break;
    case 1: op->what.blocks = (uint8_t)(1 + value % 3); break;
    case 2: op->what.reached = (uint8_t)(1 + value % 4); break;
    case 3: op->what.queue = value % 2 != 0 ? KB_NONE : (uint32_t)value % it->shape.ranks; break;
    case 4: op->what.group = value % 2 != 0 ? KB_NONE : 0; break;
    case 5: op->what.func = (uint32_t)value % 34; break;
    case 6: op->what.operand_count = (uint32_t)value % 4; break;
    case 7: op->what.claim_count = (uint32_t)value % 5; break;
    case 8: op->op.sequence = value; break;
    case 9: op->op.id = value; break;
    case 10: op->op.collective = value % 3; break;
    case 11: op->offsets[operand] = value; break;
    case 12: view->shape[0] = value; break;
    case 13: view->stride[0] = (int64_t)value; break;
    case 14: view->dtype = (uint8_t)(1 + value % 8); break;
    case 15: view->access = (uint8_t)(1 + value % 3); break;
    case 16:
        view->dims = (uint8_t)(value % 5);
        view->shape[1] = nasty(state);
        view->stride[1] = (int64_t)nasty(state);
        break;
    case 17: op->claimed[claim] = value; break;
    case 18:
        op->claims[claim] = (kb_claim){(uint32_t)value % it->shape.ranks, (uint8_t)(1 + draw(state) % 8),
                                       (uint8_t)(3 + draw(state) % 2), (uint8_t)(1 + draw(state) % 4), 0};
        break;
    default: view->memory = (uint32_t)value % it->shape.ranks; break;
    }
}

/* The writer refuses what no trace can hold; such an op is left as it was. */
static bool writable(ring *it) {
    kb_trail trail;
    kb_trail_init(&trail);
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++)
        for (size_t i = 0; i < it->op_count[rank]; i++) {
            ring_op *op = &it->ops[rank][i];
            for (uint32_t k = 0; k < op->what.claim_count; k++)
                if (op->claims[k].role == 0)
                    return false;
            for (uint32_t k = 0; k < op->what.operand_count; k++)
                if (op->operands[k].access == 0)
                    return false;
        }
    return true;
}

static kb_status digest_at(kbr_timeline *timeline, int64_t time_ps, kb_digest *ret_digest, kb_trail *trail) {
    KB_TRY(kbr_timeline_seek(timeline, time_ps, trail));
    return kbr_timeline_digest(timeline, ret_digest, trail);
}

/* Memory at a time is the same wherever one comes from; and at the end as much has run as in a replay. */
static void same_from_anywhere(kb_reader *reader, uint64_t seed) {
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_timeline *timeline;
    kbr_timeline_options options = {.replay.max_memory = 1 << 24, .checkpoint_ops = 1 + seed % 40};
    uint64_t random = seed;
    kb_digest first[4], again;
    if (kbr_timeline_create(reader, &options, &timeline, &trail) != KB_OK)
        return;
    int64_t at_ps[4] = {1000, 2000, (int64_t)(draw(&random) % 8000), INT64_MAX};
    kb_status status = KB_OK;
    for (int i = 0; i < 4 && status == KB_OK; i++)
        status = digest_at(timeline, at_ps[i], &first[i], &trail);
    for (int i = 0; i < 12 && status == KB_OK; i++) {
        size_t which = draw(&random) % 4;
        status = digest_at(timeline, at_ps[which], &again, &trail);
        assert_true(status != KB_OK || kb_digest_equal(&first[which], &again));
    }
    const kbr_result *told;
    kbr_replay *replay;
    kbr_options plain = {.max_memory = 1 << 24};
    check_ok(kbr_replay_create(reader, &plain, &replay, &trail), &trail);
    if (status == KB_OK && kbr_replay_run(replay, &trail) == KB_OK) {
        const kbr_result *whole = kbr_replay_result(replay);
        check_ok(kbr_timeline_seek(timeline, INT64_MAX, &trail), &trail);
        check_ok(kbr_timeline_result(timeline, &told, &trail), &trail);
        assert_int_equal(told->ops, whole->ops);
        assert_int_equal(told->unfinished, whole->unfinished);
    }
    kbr_replay_destroy(replay);
    assert_true(status == KB_OK || trail.count != 0);
    kbr_timeline_destroy(timeline);
}

/* Replays run.zst, if a reader takes it. 0: clean, 1: findings, 2: a status, 3: not read. */
static int end_of(const fault_fs *disk, uint64_t seed) {
    kb_trail trail;
    kb_trail_init(&trail);
    const char *path = "run.zst";
    kb_reader_options reading = {.fs = &disk->fs};
    kb_reader *reader;
    kbr_replay *replay;
    if (kb_reader_open(&path, 1, &reading, &reader, &trail) != KB_OK)
        return 3;
    kbr_options options = {.verify = true, .max_memory = 1 << 24, .random = seed % 4 == 0, .seed = seed};
    kb_status status = kbr_replay_create(reader, &options, &replay, &trail);
    bool found = false;
    if (status == KB_OK) {
        status = kbr_replay_run(replay, &trail);
        found = kbr_replay_result(replay)->finding_count != 0;
        kbr_replay_destroy(replay);
        same_from_anywhere(reader, seed);
    }
    kb_reader_destroy(reader);
    assert_true(status == KB_OK || trail.count != 0);
    return status != KB_OK ? 2 : found ? 1 : 0;
}

static void any_record_ends_well(void **state) {
    (void)state;
    size_t ended[4] = {0, 0, 0, 0};
    for (uint64_t seed = 0; seed < 600; seed++) {
        ring made;
        uint64_t random = seed;
        ring_make(&made, &(ring_shape){.ranks = 3, .elements = 64, .seed = seed});
        for (uint64_t n = draw(&random) % 3 + 1; n > 0; n--) {
            uint32_t rank = (uint32_t)draw(&random) % 3;
            spoil_op(&made, &made.ops[rank][draw(&random) % made.op_count[rank]], &random);
        }
        fault_fs disk;
        kb_trail trail;
        fault_fs_init(&disk);
        kb_trail_init(&trail);
        if (writable(&made) && ring_try_write(&made, &disk.fs, "run.zst", &trail) == KB_OK)
            ended[end_of(&disk, seed)]++;
        fault_fs_fini(&disk);
        ring_fini(&made);
    }
    assert_true(ended[1] > 100); /* the draw is worth something */
}

static void spoil_made(program *it, made_op *op, uint64_t *state) {
    uint32_t operand = (uint32_t)draw(state) % 3, claim = (uint32_t)draw(state) % 3;
    kb_operand *view = &op->operands[operand];
    uint64_t value = nasty(state);
    switch (draw(state) % 16) {
    case 0: op->what.kind = (uint16_t)(1 + value % (KB_OP_LIMIT - 1)); break;
    case 1: op->what.blocks = (uint8_t)(1 + value % 3); break;
    case 2: op->what.reached = (uint8_t)(1 + value % 4); break;
    case 3: op->what.group = value % 2 != 0 ? KB_NONE : 0; break;
    case 4: op->what.func = (uint32_t)value % 34; break;
    case 5: op->what.operand_count = (uint32_t)value % 4; break;
    case 6: op->what.stream = (uint32_t)value % (2 * PROGRAM_RANKS); break;
    case 7: op->op.id = value; break;
    case 8: op->what.flags = (uint32_t)value % 16; break;
    case 9: op->offsets[operand] = value; break;
    case 10: view->shape[value % 2] = nasty(state); break;
    case 11: view->stride[value % 2] = (int64_t)(value % 2 != 0 ? 0 : nasty(state)); break;
    case 12: view->dtype = (uint8_t)(1 + value % 8); break;
    case 13:
        view->dims = 2;
        view->shape[1] = nasty(state);
        view->stride[1] = (int64_t)(draw(state) % 2);
        break;
    case 14:
        if (claim < op->what.claim_count) {
            op->claims[claim].role = (uint8_t)(1 + draw(state) % 8);
            op->claims[claim].set = (uint8_t)(1 + draw(state) % 4);
            op->claimed[claim] = &it->made.ops[value % it->made.count];
        }
        break;
    default: view->memory = (uint32_t)value % (3 * PROGRAM_RANKS); break;
    }
}

/* The same with launches, barriers, allocations and hosts. */
static void any_record_of_a_program_ends_well(void **state) {
    (void)state;
    size_t ended[4] = {0, 0, 0, 0};
    for (uint64_t seed = 0; seed < 600; seed++) {
        program made;
        uint64_t random = seed + 1000;
        program_make(&made);
        made_times(&made.made);
        for (uint64_t n = draw(&random) % 3 + 1; n > 0; n--)
            spoil_made(&made, &made.made.ops[draw(&random) % made.made.count], &random);
        for (size_t i = 0; i < made.made.count; i++) /* what no trace can hold is left out */
            for (uint32_t k = 0; k < made.made.ops[i].what.operand_count; k++)
                if (made.made.ops[i].operands[k].access == 0)
                    made.made.ops[i].what.operand_count = k;
        fault_fs disk;
        kb_trail trail;
        fault_fs_init(&disk);
        kb_trail_init(&trail);
        if (made_try_write(&made.made, &disk.fs, "run.zst", &trail) == KB_OK)
            ended[end_of(&disk, seed)]++;
        fault_fs_fini(&disk);
        made_fini(&made.made);
    }
    assert_true(ended[1] > 200);
}

/* --- refused allocations ------------------------------------------------------------------------------ */

static kb_status verify(const kb_alloc *alloc, void *user, kb_trail *trail) {
    const fault_fs *disk = user;
    const char *path = "run.zst";
    kb_reader_options reading = {.fs = &disk->fs};
    kb_reader *reader;
    kbr_replay *replay;
    KB_TRY(kb_reader_open(&path, 1, &reading, &reader, trail));
    kb_status status =
        kbr_replay_create(reader, &(kbr_options){.alloc = alloc, .verify = true}, &replay, trail);
    if (status == KB_OK) {
        status = kbr_replay_run(replay, trail);
        kbr_replay_destroy(replay);
    }
    kb_reader_destroy(reader);
    return status;
}

static void any_allocation_may_be_refused(void **state) {
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        ring made;
        fault_fs disk;
        fault_fs_init(&disk);
        ring_make(&made, &(ring_shape){.ranks = 3, .elements = 64, .seed = 5});
        if (wrong != 0) /* the search for the culprit allocates too */
            ring_find(&made, 1, KB_OP_MATH, 0)->what.func = KB_FUNC_MAX;
        ring_write(&made, &disk.fs, "run.zst");
        assert_true(fail_alloc_sweep(verify, &disk, 1) > 50);
        ring_fini(&made);
        fault_fs_fini(&disk);
    }
    program made;
    fault_fs disk;
    fault_fs_init(&disk);
    program_make(&made);
    made_write(&made.made, &disk.fs, "run.zst");
    assert_true(fail_alloc_sweep(verify, &disk, 1) > 50);
    made_fini(&made.made);
    fault_fs_fini(&disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_record_ends_well),
        cmocka_unit_test(any_record_of_a_program_ends_well),
        cmocka_unit_test(any_allocation_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
