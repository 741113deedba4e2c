/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: barriers, completions and launches order what they should, in every order that the claims
 * allow; and ranks that are far apart in the trace meet.
 */
#include "replayed.h"

/* The last wait of each rank becomes a barrier of all: nobody's coll_end comes before everybody's release. */
static void make_barriers(ring *it) {
    int64_t latest_ps = 0;
    size_t last = ring_count(it, 0, KB_OP_WAIT) - 1;
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++) {
        const ring_op *launch = ring_find(it, rank, KB_OP_LAUNCH, 0);
        latest_ps = launch->op.done_ps > latest_ps ? launch->op.done_ps : latest_ps;
    }
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++) {
        ring_op *op = ring_find(it, rank, KB_OP_WAIT, last), *end = ring_find(it, rank, KB_OP_COLL_END, 0);
        ring_op *launch = ring_find(it, rank, KB_OP_LAUNCH, 0);
        op->what.kind = KB_OP_BARRIER;
        op->what.group = 0;
        op->what.claim_count = 0;
        op->op.id = 7;
        op->op.start_ps = op->op.sent_ps = op->op.done_ps = latest_ps;
        op->blames[0].ps = latest_ps - op->op.issue_ps;
        end->op.issue_ps = end->op.start_ps = end->op.sent_ps = end->op.done_ps = latest_ps;
        end->blames[0].ps = 0;
        launch->blames[0].ps += latest_ps - launch->op.done_ps;
        launch->op.done_ps = latest_ps;
    }
}

static void clean_in_every_order(ring *made) {
    kb_digest digest = {{0}};
    for (uint64_t seed = 0; seed < 12; seed++) {
        replayed it;
        replayed_run(&it, made, &(kbr_options){.verify = true, .random = seed != 0, .seed = seed});
        replayed_show(&it);
        assert_int_equal(it.result->finding_count, 0);
        assert_int_equal(it.result->unfinished, 0);
        size_t ops = 0;
        for (uint32_t rank = 0; rank < made->shape.ranks; rank++)
            ops += made->op_count[rank];
        assert_int_equal(it.result->ops, ops);
        if (seed == 0)
            digest = it.result->memory_digest;
        assert_true(kb_digest_equal(&digest, &it.result->memory_digest));
        replayed_fini(&it);
    }
}

static void barriers_join_ranks(void **state) {
    (void)state;
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 5, .elements = 100, .seed = 2});
    make_barriers(&made);
    clean_in_every_order(&made);
    ring_fini(&made);
}

/* One slot: every copy waits for the release of the one before, so ranks take turns. */
static void tight_rings_take_turns(void **state) {
    (void)state;
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 8, .elements = 64, .slots = 1, .seed = 3});
    clean_in_every_order(&made);
    ring_fini(&made);
}

/* Many ranks and as many slots as messages: each is parked far ahead of what it waits for. */
static void ranks_far_apart_meet(void **state) {
    (void)state;
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 31, .elements = 310, .slots = 64, .seed = 4});
    clean_in_every_order(&made);
    ring_fini(&made);
}

/* What claims nothing may run at any time: without the message's claim some order reads too early. */
static void orders_really_differ(void **state) {
    (void)state;
    ring made;
    ring_make(&made, &(ring_shape){.ranks = 5, .elements = 100, .seed = 5});
    for (uint32_t rank = 0; rank < 5; rank++)
        for (size_t n = 0; n < ring_count(&made, rank, KB_OP_IPCQ_RECV); n++)
            ring_unclaim(ring_find(&made, rank, KB_OP_IPCQ_RECV, n), KB_ROLE_COPY);
    size_t wrong = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        replayed it;
        replayed_run(&it, &made, &(kbr_options){.verify = true, .random = true, .seed = seed});
        bool value = false;
        for (size_t i = 0; i < it.result->finding_count; i++)
            value = value || strcmp(it.result->findings[i].check, "value") == 0 ||
                    strcmp(it.result->findings[i].check, "init") == 0;
        wrong += value;
        replayed_fini(&it);
    }
    assert_true(wrong > 4);
    ring_fini(&made);
}

/* A cycle over ranks is told once, with those that wait for it as its count. */
static void a_cycle_is_told_once(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = 30, .seed = 6});
    ring_claim(ring_find(&made, 0, KB_OP_IPCQ_COPY, 0), KB_ROLE_STAGE, 2,
               ring_find(&made, 2, KB_OP_DMA_READ, 0)->op.index, KB_POINT_DONE);
    replayed_run(&it, &made, &(kbr_options){.verify = false});
    const kbr_finding *cycle = replayed_find(&it, "progress", "cycle");
    assert_non_null(cycle);
    assert_int_equal(it.result->finding_count, 2); /* and the claim that no rule allows */
    assert_int_equal(cycle->count, it.result->unfinished);
    assert_true(cycle->op_count > 1);
    replayed_fini(&it);
    ring_fini(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(barriers_join_ranks),  cmocka_unit_test(tight_rings_take_turns),
        cmocka_unit_test(ranks_far_apart_meet), cmocka_unit_test(orders_really_differ),
        cmocka_unit_test(a_cycle_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
