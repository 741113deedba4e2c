/* SPDX-License-Identifier: Apache-2.0 */
/* Host streams: launches, copies and barriers of theirs; times, claims and numbers. */
#include "raw.h"

static void add_math(const kept *run, uint32_t rank, uint64_t elements, uint8_t blocks) {
    raw_op op = {.kind = KB_OP_MATH, .func = KB_FUNC_FILL, .blocks = blocks, .operand_count = 1};
    op.numbered = blocks == KB_BLOCKS_NO;
    op.operands[0] = kb_operand_vector(kbs_memory_of(run->program, KB_SPACE_TCM, rank), KB_ACCESS_WRITE,
                                       KB_DTYPE_I8, elements);
    raw_add(pe(run, rank), &op);
}

static void add_copy(const kept *run, uint32_t rank, kb_kind kind, uint64_t size, uint64_t payload) {
    const bool writes = kind == KB_OP_HOST_WRITE;
    raw_op op = {.kind = kind, .blocks = KB_BLOCKS_DONE, .operand_count = 1, .value = writes ? payload : 0};
    op.operands[0] = kb_operand_vector(kbs_memory_of(run->program, KB_SPACE_HBM, rank),
                                       writes ? KB_ACCESS_WRITE : KB_ACCESS_READ, KB_DTYPE_BYTES, size);
    raw_add(host(run, rank), &op);
}

/* --- launches -------------------------------------------------------------------------------- */

static const kb_claim *claim_of(const kb_op *op, uint32_t role) {
    for (uint32_t c = 0; c < op->what->claim_count; c++)
        if (op->what->claims[c].role == role)
            return &op->what->claims[c];
    return NULL;
}

/* Three launches of work that differs from rank to rank; in the second, rank 1 has nothing to do. */
static void launch_thrice(kept *run) {
    kept_init(run, "cubes=1,pes=8", 3);
    raw_create(run);
    for (uint64_t launch = 0; launch < 3; launch++) {
        raw_launch(run);
        for (uint32_t rank = 0; rank < 3; rank++)
            for (uint64_t i = 0; i < 3 && !(launch == 1 && rank == 1); i++)
                add_math(run, rank, 1000 * (rank + 1) + launch, i == 0 ? KB_BLOCKS_NO : KB_BLOCKS_DONE);
    }
    raw_simulate(run);
    kept_check(run);
}

static void all_hosts_come_to_a_launch_before_any_rank_begins(void **state) {
    (void)state;
    static kept run;
    launch_thrice(&run);
    for (uint64_t launch = 0; launch < 3; launch++) {
        int64_t latest_ps = 0;
        for (uint32_t rank = 0; rank < 3; rank++) {
            const kb_op *op = raw_find(&run, rank, KB_OP_LAUNCH, launch);
            latest_ps = latest_ps > op->issue_ps ? latest_ps : op->issue_ps;
        }
        for (uint32_t rank = 0; rank < 3; rank++) {
            const kb_op *op = raw_find(&run, rank, KB_OP_LAUNCH, launch);
            assert_int_equal(op->id, launch);
            assert_int_equal(op->sent_ps, latest_ps + 2286299); /* the third PE's path */
            assert_int_equal(raw_why(op, KB_CAUSE_BARRIER), latest_ps - op->issue_ps);
            assert_int_equal(raw_why(op, KB_CAUSE_HOST), 2000000);
            assert_int_equal(raw_why(op, KB_CAUSE_IO_CPU), 20000 + 20000); /* there and back */
            assert_int_equal(raw_why(op, KB_CAUSE_M_CPU), 10000 * (rank + 1) + 10000);
        }
    }
    assert_int_equal(raw_why(raw_find(&run, 2, KB_OP_LAUNCH, 1), KB_CAUSE_BARRIER), 0); /* the slowest */
    kept_fini(&run);
}

static void the_first_op_of_a_launch_claims_it_and_all_before(void **state) {
    (void)state;
    static kept run;
    launch_thrice(&run);
    for (uint32_t rank = 0; rank < 3; rank++) {
        const kb_op *launch = NULL;
        uint64_t launches = 0, first = 0;
        for (uint64_t i = 0; i < run.counts[rank]; i++) {
            const kb_op *op = &run.ops[rank][i];
            const kb_claim *claim = claim_of(op, KB_ROLE_LAUNCH);
            const bool is_launch = op->what->kind == KB_OP_LAUNCH;
            assert_int_equal(claim != NULL, launch != NULL && i == first && !is_launch);
            assert_int_equal(claim_of(op, KB_ROLE_OBSERVED) != NULL, claim != NULL && launches > 1);
            if (claim != NULL)
                assert_int_equal(op->issue_ps, launch->sent_ps);
            if (!is_launch)
                continue;
            launch = op;
            first = i + 1;
            launches++;
        }
        assert_int_equal(launches, 3);
    }
    /* A launch in which a rank does nothing is over when it begins: its host hears of it then. */
    const kb_op *idle = raw_find(&run, 1, KB_OP_LAUNCH, 1), *busy = raw_find(&run, 1, KB_OP_LAUNCH, 2);
    assert_int_equal(raw_why(idle, KB_CAUSE_AWAITED), 0);
    assert_int_equal(idle->done_ps - idle->sent_ps,
                     busy->done_ps - busy->sent_ps - raw_why(busy, KB_CAUSE_AWAITED));
    kept_fini(&run);
}

/*
 * The path of a launch by its parameters: to the IO chiplet over PCIe (two endpoints, a crossbar, a flit of
 * 256 bytes at 57.6 GB/s), to the cube over UCIe (two ports, a router) and the mesh to r1c1, where the M_CPU
 * is, out of it, into it, over the mesh again, out to the PE. A pitch of the mesh takes 1284 ps.
 */
static int64_t hops_ps(int64_t crossings, int64_t pitches_to_m_cpu, int64_t from_m_cpu_ps) {
    const int64_t pcie = 2 * 100000 + 10000 + 4445, ucie = 2 * 8000 + 1000, pitch = 1284;
    return pcie + ucie * (1 + crossings) + pitches_to_m_cpu * pitch + 1 + 1000 + from_m_cpu_ps + 1;
}

/* The way back: no crossbar at the host, and one more where the IO chiplet is entered. */
static int64_t hops_back_ps(int64_t to_m_cpu_ps, int64_t pitches_from_m_cpu) {
    const int64_t pcie = 2 * 100000 + 4445, ucie = 2 * 8000 + 10000, pitch = 1284;
    return 1000 + to_m_cpu_ps + 1 + 1000 + pitches_from_m_cpu * pitch + ucie + pcie;
}

static int64_t stamp_of(const char *shape, uint32_t ranks) {
    static kept run;
    kept_init(&run, shape, ranks);
    raw_create(&run);
    raw_launch(&run);
    for (uint32_t rank = 0; rank < ranks; rank++)
        add_math(&run, rank, 100, KB_BLOCKS_DONE);
    raw_simulate(&run);
    kept_check(&run);
    const int64_t stamp_ps = run.ops[0][0].sent_ps;
    int64_t least_wait_ps = INT64_MAX;
    for (uint32_t rank = 0; rank < ranks; rank++) { /* nobody hears after the stamp, and one just then */
        const kb_op *op = &run.ops[rank][0];
        const int64_t wait_ps = raw_why(op, KB_CAUSE_LAUNCH);
        assert_int_equal(op->sent_ps, stamp_ps);
        assert_int_equal(run.ops[rank][1].issue_ps, stamp_ps);
        const int64_t back_ps = op->done_ps - run.ops[rank][1].done_ps;
        assert_int_equal(raw_why(op, KB_CAUSE_HOST) + raw_why(op, KB_CAUSE_HOP) +
                             raw_why(op, KB_CAUSE_IO_CPU) + raw_why(op, KB_CAUSE_M_CPU) + wait_ps,
                         stamp_ps + back_ps);
        least_wait_ps = wait_ps < least_wait_ps ? wait_ps : least_wait_ps;
    }
    assert_int_equal(least_wait_ps, 0);
    kept_fini(&run);
    return stamp_ps;
}

/* host.launch_ns + hops + i io_cpu.ns + j m_cpu.ns of whoever hears last. */
static void a_stamp_is_the_longest_path(void **state) {
    (void)state;
    /* One cube: link 0 comes in at r0c0. PE 0 is at r1c2, PE 7 at r4c3 behind the stack's long link. */
    const int64_t one = 2000000 + hops_ps(0, 2, 1284) + 20000 + 10000;
    assert_int_equal(stamp_of("cubes=1,pes=8", 1), one);
    const int64_t eight = 2000000 + hops_ps(0, 2, 2 * 1284 + 1850) + 20000 + 8 * 10000;
    assert_int_equal(stamp_of("cubes=1,pes=8", 8), eight);
    /* Two packages hear at the same time: they add nothing. */
    assert_int_equal(stamp_of("sips=2,cubes=1,pes=8", 16), eight);
}

/*
 * Each host hears its own PE (along x first: not behind the stack), over m_cpu.ns and io_cpu.ns once, however
 * many others are done just then.
 */
static void a_launch_is_done_when_its_host_hears(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 8);
    raw_create(&run);
    raw_launch(&run);
    for (uint32_t rank = 0; rank < 8; rank++)
        add_math(&run, rank, 5000 * (uint64_t)(rank % 3), KB_BLOCKS_NO);
    raw_simulate(&run);
    kept_check(&run);
    const struct {
        uint32_t rank;
        int64_t to_m_cpu_ps;
    } some[] = {{0, 1284}, {1, 2 * 1284}, {7, 5 * 1284}};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        const kb_op *launch = &run.ops[some[i].rank][0], *math = &run.ops[some[i].rank][1];
        assert_int_equal(launch->done_ps,
                         math->done_ps + hops_back_ps(some[i].to_m_cpu_ps, 2) + 10000 + 20000);
        assert_int_equal(raw_why(launch, KB_CAUSE_AWAITED), math->done_ps - launch->sent_ps);
    }
    kept_fini(&run);
}

/* A launch of which rank 0's host gets a token: the first, then the second … */
static void launch_beside(kept *run, uint64_t id) {
    kbs_common mark;
    memset(&mark, 0, sizeof mark);
    mark.kind = KBS_BEGIN_LAUNCH;
    raw_add(host(run, 0), &(raw_op){.kind = KB_OP_LAUNCH,
                                    .blocks = KB_BLOCKS_NO,
                                    .numbered = true,
                                    .group = run->program->group,
                                    .id = id});
    kbs_append_command(pe(run, 0), &mark, &(kbs_command){.id = id});
    run->program->launch_count = id + 1;
    host(run, 0)->overlaps = true;
}

static void wait_for_launches(kept *run, uint32_t count) {
    raw_add(host(run, 0), &(raw_op){.kind = KB_OP_WAIT,
                                    .blocks = KB_BLOCKS_DONE,
                                    .point = KB_POINT_DONE,
                                    .awaited = count,
                                    .first_awaited = 1});
}

/*
 * A PE begins its next launch at once, if it has heard of it: what is on its way to the host holds nobody.
 */
static void a_response_holds_up_no_other_launch(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 1);
    raw_create(&run);
    for (uint64_t id = 0; id < 2; id++) {
        launch_beside(&run, id);
        add_math(&run, 0, 1 << 20, KB_BLOCKS_DONE);
    }
    wait_for_launches(&run, 2);
    raw_simulate(&run);
    kept_check(&run);
    const kb_op *first = raw_find(&run, 0, KB_OP_LAUNCH, 0), *second = raw_find(&run, 0, KB_OP_LAUNCH, 1);
    const kb_op *a = raw_find(&run, 0, KB_OP_MATH, 0), *b = raw_find(&run, 0, KB_OP_MATH, 1);
    const int64_t back_ps = hops_back_ps(1284, 2) + 10000 + 20000;
    assert_true(second->sent_ps < a->done_ps);
    assert_int_equal(b->issue_ps, a->done_ps);
    assert_int_equal(first->done_ps, a->done_ps + back_ps);
    assert_int_equal(second->done_ps, b->done_ps + back_ps);
    assert_int_equal(raw_find(&run, 0, KB_OP_WAIT, 0)->done_ps, second->done_ps);
    kept_fini(&run);
}

static void a_launch_may_begin_as_it_arrives(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    check_ok(kbs_machine_assign(&run.machine, "launch.mode=on_arrival", "set", &run.trail), &run.trail);
    raw_create(&run);
    raw_launch(&run);
    for (uint32_t rank = 0; rank < 2; rank++)
        add_math(&run, rank, 100, KB_BLOCKS_DONE);
    raw_simulate(&run);
    kept_check(&run);
    for (uint32_t rank = 0; rank < 2; rank++) { /* r1c2, r1c3 */
        const int64_t own_ps =
            2000000 + hops_ps(0, 2, 1284 * (int64_t)(rank + 1)) + 20000 + 10000 * (int64_t)(rank + 1);
        assert_int_equal(run.ops[rank][0].sent_ps, own_ps);
        assert_int_equal(run.ops[rank][1].issue_ps, own_ps);
        assert_int_equal(raw_why(&run.ops[rank][0], KB_CAUSE_LAUNCH), 0);
    }
    kept_fini(&run);
}

/* --- copies of hosts ------------------------------------------------------------------------- */

static void copies_of_a_host_follow_one_another(void **state) {
    (void)state;
    static const uint8_t bytes[] = {3, 1, 4, 1, 5};
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 1);
    raw_create(&run);
    kbs_payload payload = {bytes, sizeof bytes};
    run.program->payloads = &payload;
    add_copy(&run, 0, KB_OP_HOST_WRITE, sizeof bytes, 0);
    add_copy(&run, 0, KB_OP_HOST_READ, 57600, 0);
    raw_launch(&run);
    add_math(&run, 0, 100, KB_BLOCKS_DONE);
    raw_simulate(&run);
    run.program->payloads = NULL;
    kept_check(&run);
    const kb_op *write = raw_find(&run, 0, KB_OP_HOST_WRITE, 0),
                *read = raw_find(&run, 0, KB_OP_HOST_READ, 0);
    /* host.copy_ns, set-up, hops of a launch to a slice, 5 bytes at 57.6 GB/s, a burst, its latency */
    const int64_t there_ps = hops_ps(0, 2, 1284), back_ps = hops_back_ps(1284, 2);
    assert_int_equal(write->issue_ps, 0);
    assert_int_equal(write->done_ps, 1000000 + 10000 + there_ps + 87 + 8000 + 10000);
    assert_int_equal(write->payload_size, sizeof bytes);
    assert_ptr_equal(write->payload, bytes);
    assert_int_equal(read->issue_ps, write->done_ps + back_ps + 1); /* it is acknowledged */
    assert_int_equal(raw_why(read, KB_CAUSE_HOST), 1000000);
    assert_int_equal(raw_why(read, KB_CAUSE_DMA_SETUP), 10000);
    assert_int_equal(raw_why(read, KB_CAUSE_REQUEST), there_ps);
    assert_int_equal(raw_why(read, KB_CAUSE_HOP), back_ps);
    assert_true(read->done_ps - read->issue_ps > 1000000 + 10000 + there_ps + back_ps + 1000000);
    kept_fini(&run);
}

/* Two hosts write to slices of one package: they share its PCIe link, packet by packet. */
static void copies_of_several_hosts_share_a_link(void **state) {
    (void)state;
    enum { BYTES = 1 << 20 };
    static uint8_t bytes[BYTES];
    static kept run;
    int64_t took_ps[2];
    for (uint32_t ranks = 1; ranks <= 2; ranks++) {
        kept_init(&run, "cubes=1,pes=8", ranks);
        raw_create(&run);
        kbs_payload payload = {bytes, sizeof bytes};
        run.program->payloads = &payload;
        raw_launch(&run);
        for (uint32_t rank = 0; rank < ranks; rank++) {
            add_math(&run, rank, 100, KB_BLOCKS_DONE);
            add_copy(&run, rank, KB_OP_HOST_WRITE, BYTES, 0);
        }
        raw_simulate(&run);
        run.program->payloads = NULL;
        kept_check(&run);
        const kb_op *write = raw_find(&run, ranks - 1, KB_OP_HOST_WRITE, 0);
        const kb_route *route = &run.program->defs.routes[write->what->route];
        took_ps[ranks - 1] = write->done_ps - write->issue_ps;
        assert_string_equal(run.program->defs.links[route->links[0]].name, "host>sip0.pcie0");
        assert_string_equal(run.program->defs.links[route->links[1]].name,
                            ranks == 1 ? "sip0.io>cube0.ucie0" : "sip0.io>cube0.ucie1");
        kept_fini(&run);
    }
    assert_true(took_ps[1] > took_ps[0] + 18000000 && took_ps[1] < took_ps[0] + 18500000); /* 1 MiB at 57.6 */
}

/* What a host writes while its PE stores to the same slice waits for what that has in port and channels. */
static void copies_of_hosts_meet_those_of_pes(void **state) {
    (void)state;
    enum { BYTES = 1 << 20 };
    static uint8_t bytes[BYTES];
    static kept run;
    int64_t took_ps[2];
    for (uint64_t stores = 0; stores < 2; stores++) {
        kept_init(&run, "cubes=1,pes=8", 1);
        raw_create(&run);
        kbs_payload payload = {bytes, sizeof bytes};
        run.program->payloads = &payload;
        launch_beside(&run, 0);
        const struct { tl_stream *stream; } kernel = {pe(&run, 0)};
        const uint32_t tcm = kbs_memory_of(run.program, KB_SPACE_TCM, 0),
                       hbm = kbs_memory_of(run.program, KB_SPACE_HBM, 0);
        for (uint64_t i = 0; i < 8 * stores; i++)
            tl_store(&kernel, kbs_view_vector(hbm, KB_DTYPE_I8, 0, BYTES),
                     kbs_view_vector(tcm, KB_DTYPE_I8, 0, BYTES));
        add_copy(&run, 0, KB_OP_HOST_WRITE, BYTES, 0);
        wait_for_launches(&run, 1);
        raw_simulate(&run);
        run.program->payloads = NULL;
        kept_check(&run);
        const kb_op *write = raw_find(&run, 0, KB_OP_HOST_WRITE, 0);
        took_ps[stores] = write->done_ps - write->issue_ps;
        assert_int_equal(raw_why(write, KB_CAUSE_PORT) + raw_why(write, KB_CAUSE_HBM_CHANNEL) > 0,
                         stores > 0);
        kept_fini(&run);
    }
    assert_true(took_ps[1] > took_ps[0]);
}

/* --- barriers -------------------------------------------------------------------------------- */

static void hosts_have_barriers_of_their_own(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 3);
    raw_create(&run);
    for (uint32_t rank = 0; rank < 3; rank++) {
        for (uint32_t i = 0; i < rank; i++)
            add_copy(&run, rank, KB_OP_HOST_READ, 576, 0);
        const raw_op op = {
            .kind = KB_OP_BARRIER, .blocks = KB_BLOCKS_DONE, .group = run.program->group, .id = 9};
        raw_add(host(&run, rank), &op);
    }
    raw_launch(&run);
    for (uint32_t rank = 0; rank < 3; rank++)
        add_math(&run, rank, 100, KB_BLOCKS_DONE);
    raw_simulate(&run);
    kept_check(&run);
    const int64_t latest_ps = raw_find(&run, 2, KB_OP_HOST_READ, 1)->done_ps + 1;
    for (uint32_t rank = 0; rank < 3; rank++) {
        const kb_op *op = raw_find(&run, rank, KB_OP_BARRIER, 0);
        assert_int_equal(op->done_ps, latest_ps + 1000000);
        assert_int_equal(raw_why(op, KB_CAUSE_HOST), 1000000);
        assert_int_equal(raw_why(op, KB_CAUSE_BARRIER), latest_ps - op->issue_ps);
    }
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hosts_come_to_a_launch_before_any_rank_begins),
        cmocka_unit_test(the_first_op_of_a_launch_claims_it_and_all_before),
        cmocka_unit_test(a_stamp_is_the_longest_path),
        cmocka_unit_test(a_launch_may_begin_as_it_arrives),
        cmocka_unit_test(a_launch_is_done_when_its_host_hears),
        cmocka_unit_test(a_response_holds_up_no_other_launch),
        cmocka_unit_test(copies_of_a_host_follow_one_another),
        cmocka_unit_test(copies_of_several_hosts_share_a_link),
        cmocka_unit_test(copies_of_hosts_meet_those_of_pes),
        cmocka_unit_test(hosts_have_barriers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
