/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What links and engines can carry, against the plain way to ask: of a link every interval between a time
 * from which and one until which bytes can pass, of an engine every instant at which an op starts.
 */
#include <stdio.h>

#include "replayed.h"
#include "support/made.h"
#include "support/random.h"

enum { OPS = 24, ELEMENTS_MOST = 64, FLIT_BYTES = 16, FLIT_PS = 10, LINKS = 3, CAPACITY = 2 };

static const int64_t latency_ps[LINKS] = {3, 7, 1};
static const uint64_t rates[LINKS] = {2, 1, 4}; /* flits of FLIT_PS that each carries in that time, halved */

static int64_t flit_of(size_t link) {
    return FLIT_PS * 2 / (int64_t)rates[link];
}

static int64_t work_of(const made_op *op, size_t link) {
    int64_t bytes = 2 * (int64_t)op->operands[0].shape[0];
    return (bytes * flit_of(link) + FLIT_BYTES - 1) / FLIT_BYTES;
}

static int64_t there(const made_op *op, size_t link) {
    int64_t at_ps = op->op.start_ps;
    for (size_t i = 0; i < link; i++)
        at_ps += latency_ps[i];
    return at_ps;
}

static int64_t gone(const made_op *op, size_t link) {
    int64_t at_ps = op->op.done_ps;
    for (size_t i = link; i < LINKS; i++)
        at_ps -= latency_ps[i];
    return link == 0 && op->op.sent_ps < at_ps ? op->op.sent_ps : at_ps;
}

static bool too_fast(const made_op *op) {
    for (size_t link = 0; link < LINKS; link++)
        if (gone(op, link) - there(op, link) < work_of(op, link))
            return true;
    return false;
}

/* Is there an interval into which more must fall than fits? */
static bool too_much(const made_trace *it, size_t link) {
    for (size_t i = 0; i < it->count; i++)
        for (size_t j = 0; j < it->count; j++) {
            int64_t from_ps = there(&it->ops[i], link), to_ps = gone(&it->ops[j], link), sum_ps = 0;
            for (size_t k = 0; k < it->count; k++)
                if (!too_fast(&it->ops[k]) && there(&it->ops[k], link) >= from_ps &&
                    gone(&it->ops[k], link) <= to_ps)
                    sum_ps += work_of(&it->ops[k], link);
            if (sum_ps > 0 && sum_ps > to_ps - from_ps)
                return true;
        }
    return false;
}

static void define_links(made_trace *it) {
    uint32_t id, ids[LINKS];
    char name[16];
    for (size_t i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "link%zu", i);
        kb_link row = {name, FLIT_BYTES * UINT64_C(1000000000000) / (uint64_t)flit_of(i),
                       (uint64_t)flit_of(i), (uint64_t)latency_ps[i]};
        check_ok(kb_defs_add_link(&it->defs, &row, &ids[i], NULL), NULL);
    }
    check_ok(kb_defs_add_route(&it->defs, &(kb_route){ids, LINKS}, &id, NULL), NULL);
    kb_engine engine = {KB_ENGINE_DMA, KB_PROMISE_NONE, PE(0), CAPACITY, "dma"};
    check_ok(kb_defs_add_engine(&it->defs, &engine, &id, NULL), NULL);
}

/* Transfers at random times over one route, from two ranks. */
static void make_transfers(made_trace *it, random_source *random) {
    int64_t issue_ps = 100;
    made_init(it, 2);
    define_links(it);
    made_initial(it, TCM(0), KB_DTYPE_F16, 0, 4096, 1);
    made_initial(it, TCM(1), KB_DTYPE_F16, 0, 4096, 1);
    const int64_t spread_ps = random_between(random, 1, 600), slack_ps = random_between(random, 0, 900);
    for (uint32_t i = 0; i < OPS; i++) {
        uint32_t rank = (uint32_t)random_below(random, 2);
        made_op *op = made_move(it, PE(rank), KB_OP_DMA_WRITE, KB_BLOCKS_NO, HBM(rank), i * 128, TCM(rank), 0,
                                1 + random_below(random, ELEMENTS_MOST));
        op->what.route = 0;
        issue_ps += random_between(random, 0, spread_ps);
        op->timed = true;
        op->op.issue_ps = issue_ps;
        op->op.start_ps = issue_ps + random_between(random, 0, 60);
        op->op.sent_ps = op->op.start_ps + work_of(op, 0) + random_between(random, 0, slack_ps);
        op->op.done_ps =
            op->op.start_ps + latency_ps[0] + latency_ps[1] + latency_ps[2] + work_of(op, 1) +
            (random_once_in(random, 100) ? -work_of(op, 1) / 2 - 1 : random_between(random, 0, slack_ps));
        op->op.done_ps = op->op.done_ps > op->op.sent_ps ? op->op.done_ps : op->op.sent_ps;
    }
}

static void run(replayed *it, made_trace *made) {
    fault_fs_init(&it->disk);
    made_write(made, &it->disk.fs, "run.zst");
    replayed_begin(it, &(kbr_options){.verify = true});
    check_ok(kbr_replay_run(it->replay, &it->trail), &it->trail);
    it->result = kbr_replay_result(it->replay);
}

static void a_link_carries_what_fits(void **state) {
    (void)state;
    size_t found = 0, fast = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        made_trace made;
        replayed it;
        random_source random;
        random_init(&random, seed);
        make_transfers(&made, &random);
        bool any_fast = false, any_much = false;
        for (size_t i = 0; i < made.count; i++)
            any_fast = any_fast || too_fast(&made.ops[i]);
        for (size_t link = 0; link < LINKS; link++)
            any_much = any_much || too_much(&made, link);
        run(&it, &made);
        if (any_fast != (replayed_find(&it, "link", "too fast") != NULL) ||
            any_much != (replayed_find(&it, "link", "bandwidth") != NULL)) {
            replayed_show(&it);
            fail_msg("seed %llu: too fast %d, too much %d", (unsigned long long)seed, any_fast, any_much);
        }
        found += any_much;
        fast += any_fast;
        replayed_fini(&it);
        made_fini(&made);
    }
    assert_in_range(found, 30, 270);
    assert_in_range(fast, 10, 270);
}

/* --- engines ---------------------------------------------------------------------------------------- */

static bool too_many(const made_trace *it) {
    for (size_t i = 0; i < it->count; i++) {
        size_t at_once = 0;
        int64_t at_ps = it->ops[i].op.start_ps;
        for (size_t k = 0; k < it->count; k++)
            at_once += it->ops[k].op.start_ps <= at_ps && it->ops[k].op.done_ps > at_ps;
        if (at_once > CAPACITY && it->ops[i].op.done_ps > at_ps)
            return true;
    }
    return false;
}

static void an_engine_serves_no_more_than_its_capacity(void **state) {
    (void)state;
    size_t found = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        made_trace made;
        replayed it;
        random_source random;
        int64_t issue_ps = 100;
        random_init(&random, seed);
        made_init(&made, 1);
        define_links(&made);
        made_initial(&made, TCM(0), KB_DTYPE_F16, 0, 4096, 1);
        int64_t spread_ps = random_between(&random, 20, 120);
        for (uint32_t i = 0; i < OPS; i++) {
            made_op *op =
                made_move(&made, PE(0), KB_OP_DMA_WRITE, KB_BLOCKS_NO, HBM(0), i * 128, TCM(0), 0, 8);
            op->what.engine = 2;
            issue_ps += random_between(&random, 0, spread_ps);
            op->timed = true;
            op->op.issue_ps = issue_ps;
            op->op.start_ps = op->op.sent_ps = issue_ps + random_between(&random, 0, 60);
            op->op.done_ps = op->op.start_ps + random_between(&random, 0, 60);
        }
        run(&it, &made);
        bool much = too_many(&made);
        if (much != (replayed_find(&it, "engine", "capacity") != NULL)) {
            replayed_show(&it);
            fail_msg("seed %llu: %d", (unsigned long long)seed, much);
        }
        found += much;
        replayed_fini(&it);
        made_fini(&made);
    }
    assert_in_range(found, 30, 170);
}

/* Two ops of an engine that promises an order, in time at once: whatever they claim. */
static void an_engine_with_an_order_does_not_overlap(void **state) {
    (void)state;
    for (int claims = 0; claims < 2; claims++) {
        made_trace made;
        replayed it;
        made_init(&made, 1);
        made_initial(&made, TCM(0), KB_DTYPE_F16, 0, 64, 1);
        made_op *ops[2];
        for (uint32_t i = 0; i < 2; i++) {
            ops[i] = made_add(&made, PE(0), KB_OP_MATH, KB_BLOCKS_NO);
            ops[i]->what.func = KB_FUNC_ADD;
            made_touch(ops[i], TCM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, 256 + 64 * i, 8);
            made_touch(ops[i], TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, 0, 8);
            made_touch(ops[i], TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, 16, 8);
        }
        if (claims == 0)
            made_unclaim(ops[1], KB_ROLE_ENGINE);
        made_times(&made);
        ops[1]->op.start_ps = ops[0]->op.done_ps - 1;
        run(&it, &made);
        const kbr_finding *finding = replayed_find(&it, "engine", "overlap");
        assert_non_null(finding);
        assert_int_equal(finding->op_count, 2);
        assert_int_equal(finding->ops[0].index, 1);
        assert_int_equal(finding->ops[1].index, 0);
        replayed_fini(&it);
        made_fini(&made);
    }
}

/* An op on the engine of another stream. */
static void an_engine_serves_its_stream(void **state) {
    (void)state;
    made_trace made;
    replayed it;
    made_init(&made, 2);
    made_initial(&made, TCM(0), KB_DTYPE_F16, 0, 64, 1);
    made_op *op = made_move(&made, PE(0), KB_OP_DMA_WRITE, KB_BLOCKS_DONE, HBM(0), 0, TCM(0), 0, 8);
    op->what.engine = 2; /* of rank 1 */
    run(&it, &made);
    assert_non_null(replayed_find(&it, "engine", "stream"));
    replayed_fini(&it);
    made_fini(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_carries_what_fits),
        cmocka_unit_test(an_engine_serves_no_more_than_its_capacity),
        cmocka_unit_test(an_engine_with_an_order_does_not_overlap),
        cmocka_unit_test(an_engine_serves_its_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
