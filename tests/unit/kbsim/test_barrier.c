/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers of PEs: times by their recurrence, whom they blame, groups of any size in any places. */
#include "raw.h"
#include "support/random.h"

static const int64_t dispatch_ps = 4000;

static void add_math(const kept *run, uint32_t rank, uint64_t elements) {
    raw_op op = {.kind = KB_OP_MATH, .func = KB_FUNC_FILL, .blocks = KB_BLOCKS_DONE, .operand_count = 1};
    op.operands[0] = kb_operand_vector(kbs_memory_of(run->program, KB_SPACE_TCM, rank), KB_ACCESS_WRITE,
                                       KB_DTYPE_I8, elements);
    raw_add(pe(run, rank), &op);
}

static void add_barrier(const kept *run, uint32_t rank, uint32_t group, uint64_t id) {
    const raw_op op = {.kind = KB_OP_BARRIER, .blocks = KB_BLOCKS_DONE, .group = group, .id = id};
    raw_add(pe(run, rank), &op);
}

/* What `from` tells `to`: hops, and 16 bytes at the narrowest link. */
static kbs_join_way way_of(kept *run, uint32_t from, uint32_t to) {
    const kbs_route *route;
    check_ok(kbs_fabric_route(&run->program->fabric, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE,
                              &route, &run->trail),
             &run->trail);
    return (kbs_join_way){route->latency_ps, kbs_route_time(route, run->machine.at.ipcq_credit_bytes)};
}

typedef struct meeting {
    uint32_t members[KEPT_RANKS], count;
    const kb_op *ops[KEPT_RANKS];
} meeting;

/* When the member has done `rounds` of them, asked backwards. */
static int64_t heard_ps(kept *run, const meeting *of, uint32_t rounds, uint32_t place) {
    if (rounds == 0)
        return of->ops[place]->issue_ps + dispatch_ps;
    const uint32_t from = (place + of->count - (1U << (rounds - 1))) % of->count;
    const kbs_join_way way = way_of(run, of->members[from], of->members[place]);
    const int64_t own_ps = heard_ps(run, of, rounds - 1, place),
                  told_ps = heard_ps(run, of, rounds - 1, from) + way.hops_ps + way.time_ps;
    return own_ps > told_ps ? own_ps : told_ps;
}

/* Whoever is blamed has come so much later, and is a member. */
static void check_blame(const meeting *of, const kb_op *op) {
    for (uint32_t w = 0; w < op->what->why_count; w++) {
        if (op->what->whys[w].cause != KB_CAUSE_BARRIER)
            continue;
        assert_true(op->what->whys[w].blames);
        uint32_t place = 0;
        while (place < of->count && of->members[place] != op->blames[w].rank)
            place++;
        assert_true(place < of->count);
        assert_int_equal(of->ops[place]->index, op->blames[w].op);
        assert_int_equal(of->ops[place]->issue_ps - op->issue_ps, op->blames[w].ps);
    }
}

static void check_meeting(kept *run, const meeting *of) {
    uint32_t rounds = 0;
    int64_t last_ps = 0;
    while (1U << rounds < of->count)
        rounds++;
    for (uint32_t i = 0; i < of->count; i++)
        last_ps = kbs_later(last_ps, of->ops[i]->issue_ps + dispatch_ps);
    for (uint32_t i = 0; i < of->count; i++) {
        const kb_op *op = of->ops[i];
        assert_int_equal(op->start_ps, heard_ps(run, of, rounds, i));
        assert_int_equal(op->done_ps, op->start_ps);
        assert_true(op->start_ps >= last_ps);
        assert_int_equal(op->what->claim_count, 0);
        const int64_t parts_ps =
            raw_why(op, KB_CAUSE_BARRIER) + raw_why(op, KB_CAUSE_HOP) + raw_why(op, KB_CAUSE_SERIALISATION);
        assert_int_equal(parts_ps, op->start_ps - op->issue_ps - dispatch_ps);
        check_blame(of, op);
    }
}

/* Three barriers of the ranks below `ranks`, which come at random times. */
static void every_count_meets_its_recurrence(void **state) {
    (void)state;
    enum { TIMES = 3 };
    static kept run;
    for (uint32_t ranks = 1; ranks <= KEPT_RANKS; ranks += ranks < 9 ? 1 : 4) {
        random_source random;
        random_init(&random, ranks);
        kept_init(&run, "sips=2,cubes=2x2,pes=4", ranks);
        raw_create(&run);
        raw_launch(&run);
        for (uint64_t id = 0; id < TIMES; id++)
            for (uint32_t rank = 0; rank < ranks; rank++) {
                add_math(&run, rank, 1 + random_below(&random, 200000));
                add_barrier(&run, rank, run.program->group, id);
            }
        raw_simulate(&run);
        kept_check(&run);
        for (uint64_t id = 0; id < TIMES; id++) {
            meeting of = {.count = ranks};
            for (uint32_t rank = 0; rank < ranks; rank++) {
                of.members[rank] = rank;
                of.ops[rank] = raw_find(&run, rank, KB_OP_BARRIER, id);
                assert_int_equal(of.ops[rank]->id, id);
            }
            check_meeting(&run, &of);
        }
        kept_fini(&run);
    }
}

/* Members of several groups, scattered over the machine, come to barriers of their own. */
static void groups_are_told_by_place(void **state) {
    (void)state;
    static const uint32_t groups[][6] = {{31, 0, 7, 12, 22, 9}, {5, 30, 2, 16, 19, 8}};
    enum { GROUPS = 2, COUNT = 5 };
    static kept run;
    uint32_t ids[GROUPS];
    kept_init(&run, "sips=2,cubes=2x2,pes=4", KEPT_RANKS);
    run.machine.at.ipcq_credit_bytes = 777;
    raw_create(&run);
    raw_launch(&run);
    for (uint32_t g = 0; g < GROUPS; g++) {
        ids[g] = tl_group_of_at(pe(&run, groups[g][0]), groups[g], COUNT + g, TL_HERE).id;
        for (uint32_t i = 0; i < COUNT + g; i++) {
            add_math(&run, groups[g][i], 1 + i * 7 % 5 * 30000);
            add_barrier(&run, groups[g][i], ids[g], g);
        }
    }
    raw_simulate(&run);
    kept_check(&run);
    for (uint32_t g = 0; g < GROUPS; g++) {
        const kb_group *group = &run.program->defs.groups[ids[g]];
        meeting of = {.count = (uint32_t)group->rank_count};
        assert_int_equal(of.count, COUNT + g);
        for (uint32_t i = 0; i < of.count; i++) {
            of.members[i] = group->ranks[i];
            of.ops[i] = raw_find(&run, group->ranks[i], KB_OP_BARRIER, 0);
        }
        check_meeting(&run, &of);
    }
    kept_fini(&run);
}

/* Who comes long after all others is whom they wait for, and waits for nothing but its own words' echo. */
static void the_late_member_is_named(void **state) {
    (void)state;
    enum { RANKS = 7 };
    static kept run;
    for (uint32_t late = 0; late < RANKS; late++) {
        kept_init(&run, "cubes=2x2,pes=2", RANKS);
        raw_create(&run);
        raw_launch(&run);
        for (uint32_t rank = 0; rank < RANKS; rank++) {
            add_math(&run, rank, rank == late ? 1000000 : 1 + rank);
            add_barrier(&run, rank, run.program->group, 0);
        }
        raw_simulate(&run);
        kept_check(&run);
        const kb_op *last = raw_find(&run, late, KB_OP_BARRIER, 0);
        assert_int_equal(raw_why(last, KB_CAUSE_BARRIER), 0);
        for (uint32_t rank = 0; rank < RANKS; rank++) {
            const kb_op *op = raw_find(&run, rank, KB_OP_BARRIER, 0);
            for (uint32_t w = 0; w < op->what->why_count; w++)
                assert_true(!op->what->whys[w].blames || op->blames[w].rank == late);
            assert_int_equal(raw_why(op, KB_CAUSE_BARRIER), last->issue_ps - op->issue_ps);
        }
        kept_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_count_meets_its_recurrence),
        cmocka_unit_test(groups_are_told_by_place),
        cmocka_unit_test(the_late_member_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
