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
            assert_int_equal(raw_why(op, KB_CAUSE_IO_CPU), 20000);
            assert_int_equal(raw_why(op, KB_CAUSE_M_CPU), 10000 * (rank + 1));
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
    /* A launch in which a rank does nothing is done when it begins. */
    const kb_op *idle = raw_find(&run, 1, KB_OP_LAUNCH, 1);
    assert_int_equal(idle->done_ps, idle->sent_ps);
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
        assert_int_equal(raw_why(op, KB_CAUSE_HOST) + raw_why(op, KB_CAUSE_HOP) +
                             raw_why(op, KB_CAUSE_IO_CPU) + raw_why(op, KB_CAUSE_M_CPU) + wait_ps,
                         stamp_ps);
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
    assert_int_equal(write->issue_ps, 0);
    assert_int_equal(write->done_ps, 1000000 + 87); /* 1 us, and 5 bytes at 57.6 GB/s */
    assert_int_equal(write->payload_size, sizeof bytes);
    assert_ptr_equal(write->payload, bytes);
    assert_int_equal(read->issue_ps, write->done_ps + 1);
    assert_int_equal(read->done_ps - read->issue_ps, 1000000 + 1000000);
    assert_int_equal(raw_why(read, KB_CAUSE_HOST), 1000000);
    assert_int_equal(raw_why(read, KB_CAUSE_SERIALISATION), 1000000);
    kept_fini(&run);
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
    for (uint32_t rank = 0; rank < 3; rank++) {
        const kb_op *op = raw_find(&run, rank, KB_OP_BARRIER, 0);
        assert_int_equal(op->done_ps, 2 * (1010000 + 1) + 1000000);
        assert_int_equal(raw_why(op, KB_CAUSE_HOST), 1000000);
        assert_int_equal(raw_why(op, KB_CAUSE_BARRIER), (int64_t)(2 - rank) * 1010001);
    }
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hosts_come_to_a_launch_before_any_rank_begins),
        cmocka_unit_test(the_first_op_of_a_launch_claims_it_and_all_before),
        cmocka_unit_test(a_stamp_is_the_longest_path),
        cmocka_unit_test(a_launch_may_begin_as_it_arrives),
        cmocka_unit_test(copies_of_a_host_follow_one_another),
        cmocka_unit_test(hosts_have_barriers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
