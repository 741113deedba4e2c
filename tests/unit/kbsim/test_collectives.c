/* SPDX-License-Identifier: Apache-2.0 */
/* direct and tree: which ops they take, that none hangs with the least of rings, and what they refuse. */
#include <stdio.h>

#include "coll/algorithms.h"
#include "kept.h"

static void run_of(kept *run, const kbs_algorithm *algorithm, uint32_t ranks, uint64_t elements,
                   uint64_t slots) {
    kept_init(run, ranks > 8 ? "cubes=2x2,pes=8" : "cubes=1,pes=8", ranks);
    run->elements = elements;
    run->machine.at.ipcq_slots = slots;
    run->machine.at.ipcq_max_queues = 31;
    check_ok(kept_record(run, algorithm->record), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
    kept_check(run);
}

typedef struct tally {
    uint64_t of[KB_OP_LIMIT];
} tally;

static void check_tally(const kept *run, uint32_t rank, const tally *expected) {
    tally found;
    memset(&found, 0, sizeof found);
    for (uint64_t k = 0; k < run->counts[rank]; k++)
        found.of[run->ops[rank][k].what->kind]++;
    assert_memory_equal(&found, expected, sizeof found);
}

static uint64_t slots_of(uint64_t elements) {
    return (elements + 2047) / 2048; /* f16 in slots of 4096 bytes */
}

static uint64_t chunk_slots(uint64_t elements, uint64_t ranks, uint64_t rank) {
    return slots_of(elements / ranks + (rank < elements % ranks));
}

/* By the page: every chunk but the own goes out, the own comes in from everybody; then the reverse. */
static tally expect_direct(uint64_t ranks, uint64_t elements, uint32_t rank) {
    tally t;
    memset(&t, 0, sizeof t);
    t.of[KB_OP_LAUNCH] = t.of[KB_OP_COLL_BEGIN] = t.of[KB_OP_COLL_END] = 1;
    const uint64_t own = chunk_slots(elements, ranks, rank);
    for (uint64_t peer = 0; peer < ranks; peer++) {
        if (peer == rank)
            continue;
        const uint64_t other = chunk_slots(elements, ranks, peer);
        t.of[KB_OP_IPCQ_COPY] += own + other;
        t.of[KB_OP_WAIT] += (own > 0 ? 1U : 0U) + (other > 0 ? 1U : 0U);
        t.of[KB_OP_IPCQ_RECV] += own + other;
        t.of[KB_OP_IPCQ_RELEASE] += own + other;
        t.of[KB_OP_MATH] += own;
        t.of[KB_OP_DMA_READ] += other;
    }
    return t;
}

/* Ranks [first, end) under their middle one; `over` says whether somebody is above. */
static void expect_tree(uint32_t first, uint32_t end, bool over, uint64_t m, tally *expected) {
    const uint32_t at = first + (end - first) / 2;
    tally *t = &expected[at];
    memset(t, 0, sizeof *t);
    t->of[KB_OP_LAUNCH] = t->of[KB_OP_COLL_BEGIN] = t->of[KB_OP_COLL_END] = 1;
    const uint64_t children = (first < at ? 1U : 0U) + (at + 1 < end ? 1U : 0U);
    t->of[KB_OP_MATH] = children * m;
    t->of[KB_OP_DMA_READ] = over ? m : 0;
    t->of[KB_OP_IPCQ_COPY] = t->of[KB_OP_IPCQ_RECV] = t->of[KB_OP_IPCQ_RELEASE] =
        (children + (over ? 1U : 0U)) * m;
    if (first < at)
        expect_tree(first, at, true, m, expected);
    if (at + 1 < end)
        expect_tree(at + 1, end, true, m, expected);
}

static void counts_follow_the_closed_forms(void **state) {
    (void)state;
    static const uint32_t ranks[] = {1, 2, 3, 4, 5, 7, 8, 16, 31};
    static kept run;
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        const uint32_t n = ranks[i];
        const uint64_t sizes[] = {0, 1, n - 1, n, 1000, n < 16 ? 65537 : 20001};
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            tally expected[KEPT_RANKS];
            run_of(&run, &kbs_algorithm_all_reduce_tree, n, sizes[j], 4);
            expect_tree(0, n, false, slots_of(sizes[j]), expected);
            for (uint32_t rank = 0; rank < n; rank++)
                check_tally(&run, rank, &expected[rank]);
            kept_fini(&run);
            run_of(&run, &kbs_algorithm_all_reduce_direct, n, sizes[j], 4);
            for (uint32_t rank = 0; rank < n; rank++) {
                expected[rank] = expect_direct(n, sizes[j], rank);
                check_tally(&run, rank, &expected[rank]);
            }
            kept_fini(&run);
        }
    }
}

/* One slot and the shallowest lines: messages of many rings' length go through all the same. */
static void none_hangs_with_the_least_of_rings(void **state) {
    (void)state;
    static const kbs_algorithm *const all[] = {
        &kbs_algorithm_all_reduce_ring, &kbs_algorithm_all_reduce_direct, &kbs_algorithm_all_reduce_tree};
    static kept run;
    for (size_t a = 0; a < sizeof all / sizeof all[0]; a++)
        for (uint32_t ranks = 2; ranks <= 9; ranks++) {
            kept_init(&run, "cubes=2x2,pes=5", ranks);
            run.elements = 5000;
            run.machine.at.ipcq_slots = 1;
            run.machine.at.ipcq_slot_bytes = 128;
            run.machine.at.engine_queue_depth = 1;
            check_ok(kept_record(&run, all[a]->record), &run.trail);
            check_ok(kept_simulate(&run), &run.trail);
            kept_check(&run);
            kept_fini(&run);
        }
}

/* Full trees of 3, 7, 15 ranks: each level more costs as much, where ways cost nothing. */
static void a_tree_is_as_deep_as_it_must_be(void **state) {
    (void)state;
    static const uint32_t ranks[] = {3, 7, 15};
    static kept run;
    int64_t time_ps[3];
    for (int i = 0; i < 3; i++) {
        kept_init(&run, "cubes=1,pes=16", ranks[i]);
        run.machine.at.noc_router_ns = 0;
        run.machine.at.noc_ns_per_mm = 0;
        run.machine.at.m_cpu_ns = 0; /* a launch is told to more */
        check_ok(kept_record(&run, kbs_algorithm_all_reduce_tree.record), &run.trail);
        check_ok(kept_simulate(&run), &run.trail);
        time_ps[i] = run.result.time_ps;
        kept_fini(&run);
    }
    const int64_t level_ps = time_ps[1] - time_ps[0], enough_ps = 1000; /* two that come at once */
    assert_true(level_ps > 50000);
    assert_in_range(time_ps[2] - time_ps[1], level_ps - enough_ps, level_ps + enough_ps);
}

/* What was moved between a rank's tensor and its TCM by DMA, and whether what was stored came in order. */
typedef struct moved {
    uint64_t loads, stores, loaded, stored;
    uint64_t sent_from; /* elements that queues took from the tensor itself */
} moved;

static moved moved_of(const kept *run, uint32_t rank) {
    moved m = {0};
    const uint32_t memory = run->views[rank].memory;
    for (uint64_t k = 0; k < run->counts[rank]; k++) {
        const kb_op *op = &run->ops[rank][k];
        const kb_operand *into = &op->what->operands[0], *from = &op->what->operands[1];
        if (op->what->kind == KB_OP_DMA_READ && from->memory == memory) {
            m.loads++;
            m.loaded += from->shape[0];
        } else if (op->what->kind == KB_OP_DMA_WRITE && into->memory == memory) {
            m.stores++;
            m.stored += into->shape[0];
        } else if (op->what->kind == KB_OP_IPCQ_COPY && from->memory == memory) {
            m.sent_from += from->shape[0];
        }
    }
    return m;
}

static moved run_elsewhere(kept *run, const kbs_algorithm *algorithm, uint64_t elements, uint32_t space,
                           uint64_t scratch_bytes) {
    kept_init(run, "cubes=1,pes=8", 3);
    run->elements = elements;
    run->space = space;
    run->machine.at.scratch_bytes = scratch_bytes;
    check_ok(kept_record_as(run, algorithm), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
    kept_check(run);
    const moved m = moved_of(run, 0);
    kept_fini(run);
    return m;
}

/*
 * Outside of the TCM what is small is moved as a whole; what goes slot by slot in pieces, each a collective
 * of its own; and all else is sent from where it lies: what is reduced is loaded, and what is got is stored.
 */
static void tensors_elsewhere(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0, 1, 384, 385, 512, 513, 1024, 1537, 4000};
    static kept run;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint32_t space = i % 2 == 0 ? KB_SPACE_HBM : KB_SPACE_SRAM;
        const uint64_t e = sizes[i], scratch_bytes = 3 * 1024; /* a quarter: 384; three buffers: 512 */
        moved m = run_elsewhere(&run, &kbs_algorithm_all_reduce_tree, e, space, scratch_bytes);
        const uint64_t pieces = e <= 384 ? e > 0 : (e + 511) / 512;
        assert_true(m.loads == pieces && m.stores == pieces && m.loaded == e && m.stored == e);
        assert_int_equal(m.sent_from, 0);
        m = run_elsewhere(&run, &kbs_algorithm_all_reduce_ring, e, space, scratch_bytes);
        if (e <= 384) {
            assert_true(m.loaded == e && m.stored == e && m.sent_from == 0);
            continue;
        }
        /* two of three chunks are reduced, and two more are got; four are sent */
        const uint64_t first = e / 3 + (e % 3 > 0), second = e / 3 + (e % 3 > 1), third = e / 3;
        assert_int_equal(m.loaded, third + second);
        assert_int_equal(m.stored, third + second + first + third);
        assert_int_equal(m.sent_from, first + third + second + first);
    }
    kept_init(&run, "cubes=1,pes=8", 1);
    run.space = KB_SPACE_HBM;
    check_ok(kept_record_as(&run, &kbs_algorithm_all_reduce_tree), &run.trail);
    check_ok(kept_simulate(&run), &run.trail);
    assert_int_equal(run.counts[0], 3); /* a launch, a begin, an end: nothing to be moved */
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 3);
    run.space = KB_SPACE_HBM;
    run.machine.at.scratch_bytes = 60;
    check_status(kept_record_as(&run, &kbs_algorithm_all_reduce_ring), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "no room in scratch: ");
    check_says(&run.trail, "raise scratch.bytes");
    kept_fini(&run);
}

static void direct_says_how_many_ranks_its_queues_serve(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=2x2,pes=8", 18);
    check_status(kept_record(&run, kbs_algorithm_all_reduce_direct.record), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "direct.c:");
    check_says(&run.trail, "sends to 17 others");
    check_says(&run.trail, "ipcq.max_queues allows 16 queues in one direction");
    check_says(&run.trail, "--set ipcq.max_queues=17");
    check_says(&run.trail, "take 17 ranks at most");
    kept_fini(&run);
    kept_init(&run, "cubes=2x2,pes=8", 17);
    check_ok(kept_record(&run, kbs_algorithm_all_reduce_direct.record), &run.trail);
    kept_fini(&run);
}

static void slots_that_hold_no_element_are_refused(void **state) {
    (void)state;
    static kept run;
    static const kbs_algorithm *const all[] = {
        &kbs_algorithm_all_reduce_ring, &kbs_algorithm_all_reduce_direct, &kbs_algorithm_all_reduce_tree};
    for (size_t a = 0; a < sizeof all / sizeof all[0]; a++) {
        kept_init(&run, "cubes=1,pes=8", 4);
        run.machine.at.ipcq_slot_bytes = 1;
        check_status(kept_record(&run, all[a]->record), KB_E_PROGRAM, &run.trail);
        check_says(&run.trail, "a slot of 1 bytes cannot hold one f16 of 2");
        kept_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow_the_closed_forms),
        cmocka_unit_test(none_hangs_with_the_least_of_rings),
        cmocka_unit_test(a_tree_is_as_deep_as_it_must_be),
        cmocka_unit_test(tensors_elsewhere),
        cmocka_unit_test(direct_says_how_many_ranks_its_queues_serve),
        cmocka_unit_test(slots_that_hold_no_element_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
