/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with all that ranks do beside collectives: hosts that write and read, two launches, scratch
 * memory, DMA to another's memory, queues in every memory, fences and barriers. It is clean in every order
 * that its claims allow; and each thing in it that is spoilt is found, and named.
 */
#include "replayed.h"
#include "support/program.h"

static void program_run(replayed *it, program *from, const kbr_options *options) {
    fault_fs_init(&it->disk);
    made_write(&from->made, &it->disk.fs, "run.zst");
    replayed_begin(it, options);
    check_ok(kbr_replay_run(it->replay, &it->trail), &it->trail);
    it->result = kbr_replay_result(it->replay);
}

static void a_right_program_is_clean_in_every_order(void **state) {
    (void)state;
    kb_digest digest = {{0}};
    for (uint64_t seed = 0; seed < 24; seed++) {
        program made;
        replayed it;
        program_make(&made);
        program_run(&it, &made, &(kbr_options){.verify = true, .random = seed != 0, .seed = seed});
        replayed_show(&it);
        assert_int_equal(it.result->finding_count, 0);
        assert_int_equal(it.result->ops, made.made.count);
        if (seed == 0)
            digest = it.result->memory_digest;
        assert_true(kb_digest_equal(&digest, &it.result->memory_digest));
        replayed_fini(&it);
        made_fini(&made.made);
    }
}

/* --- what is spoilt ---------------------------------------------------------------------------------- */

/* Each gives the op that the finding is to name first. */

static made_op *a_stream_does_not_claim_its_former_launch(program *it) {
    made_unclaim(it->ranks[1].second, KB_ROLE_OBSERVED);
    return it->ranks[1].second;
}

static made_op *a_launch_is_not_claimed(program *it) {
    made_unclaim(it->ranks[2].alloc, KB_ROLE_LAUNCH);
    return it->ranks[2].alloc;
}

static made_op *a_launch_is_claimed_again(program *it) {
    made_claim(it->ranks[2].load, KB_ROLE_LAUNCH, it->ranks[2].launches[0], KB_POINT_SENT);
    return it->ranks[2].load;
}

static made_op *a_launch_does_not_wait_for_its_ops(program *it) {
    made_unclaim(it->ranks[0].launches[1], KB_ROLE_COMPLETION);
    return it->ranks[0].launches[1];
}

static made_op *a_rank_is_not_launched(program *it) {
    it->ranks[2].launches[1]->op.id = 9;
    return it->ranks[0].launches[1];
}

static made_op *something_else_is_taken_for_a_launch(program *it) {
    made_op *op = it->ranks[1].second;
    made_unclaim(op, KB_ROLE_LAUNCH);
    made_claim(op, KB_ROLE_LAUNCH, it->ranks[1].write, KB_POINT_SENT);
    return op;
}

static made_op *an_op_is_issued_before_its_launch(program *it) {
    made_op *op = it->ranks[1].launches[1];
    made_times(&it->made);
    op->op.start_ps = op->op.sent_ps = op->op.sent_ps + 1000;
    op->op.done_ps += 1000;
    return it->ranks[1].second;
}

static made_op *a_fence_claims_one_op(program *it) {
    made_op *op = it->ranks[1].fence;
    made_unclaim(op, KB_ROLE_AWAITED);
    made_claim(op, KB_ROLE_AWAITED, it->ranks[1].store, KB_POINT_DONE);
    return op;
}

static made_op *a_fence_ends_too_early(program *it) {
    made_op *op = it->ranks[1].fence;
    made_times(&it->made);
    op->op.start_ps = op->op.sent_ps = op->op.done_ps = it->ranks[1].store->op.done_ps - 1;
    return op;
}

static made_op *a_wait_waits_for_another_stream(program *it) {
    made_op *op = it->ranks[1].wait;
    made_unclaim(op, KB_ROLE_AWAITED);
    made_claim(op, KB_ROLE_AWAITED, it->ranks[1].write, KB_POINT_DONE);
    return op;
}

static made_op *a_member_does_not_come_to_a_barrier(program *it) {
    it->ranks[0].barriers[1]->op.id = 17;
    return it->ranks[0].barriers[1];
}

static made_op *a_member_comes_twice(program *it) {
    made_op *op = it->ranks[0].fence;
    made_unclaim(op, KB_ROLE_AWAITED);
    op->what.kind = KB_OP_BARRIER;
    op->what.blocks = KB_BLOCKS_NO;
    op->what.group = 0;
    it->ranks[1].barriers[0]->op.id = 17; /* so that they meet */
    return it->ranks[0].barriers[0];
}

static made_op *a_barrier_opens_too_early(program *it) {
    made_times(&it->made);
    made_op *op = it->ranks[0].barriers[0];
    for (uint32_t rank = 1; rank < PROGRAM_RANKS; rank++)
        if (it->ranks[rank].barriers[0]->op.issue_ps < op->op.issue_ps)
            op = it->ranks[rank].barriers[0];
    op->op.start_ps = op->op.issue_ps;
    return op;
}

static made_op *a_barrier_claims_the_other(program *it) {
    made_op *op = it->ranks[0].barriers[1];
    made_claim(op, KB_ROLE_OBSERVED, it->ranks[1].barriers[0], KB_POINT_DONE);
    return op;
}

static made_op *an_order_is_claimed_that_nobody_promised(program *it) {
    made_op *op = it->ranks[0].store;
    made_claim(op, KB_ROLE_ENGINE, it->ranks[0].scale, KB_POINT_DONE);
    return op;
}

static made_op *another_op_of_the_engine_is_claimed(program *it) {
    made_op *op = it->ranks[0].adds[2];
    made_unclaim(op, KB_ROLE_ENGINE);
    made_claim(op, KB_ROLE_ENGINE, it->ranks[0].adds[0], KB_POINT_DONE);
    return op;
}

static made_op *a_stage_is_claimed_outside_a_composite(program *it) {
    made_op *op = it->ranks[0].store;
    made_claim(op, KB_ROLE_STAGE, it->ranks[0].scale, KB_POINT_DONE);
    return op;
}

static made_op *scratch_is_used_after_its_end(program *it) {
    it->ranks[1].second->offsets[0] = PROGRAM_SCRATCH_AT + 0x1000;
    return it->ranks[1].reload;
}

static made_op *an_allocation_is_too_short(program *it) {
    it->ranks[1].alloc->operands[0].shape[0] = PROGRAM_BYTES / 2;
    return it->ranks[1].alloc;
}

static made_op *another_range_is_freed(program *it) {
    it->ranks[1].free->operands[0].shape[0] = PROGRAM_BYTES / 2;
    return it->ranks[1].free;
}

static made_op *what_is_freed_is_freed_again(program *it) {
    it->ranks[1].second->what.kind = KB_OP_FREE;
    return it->ranks[1].second;
}

static made_op *what_lives_is_allocated_again(program *it) {
    it->ranks[1].free->what.kind = KB_OP_ALLOC;
    return it->ranks[1].free;
}

static made_op *fresh_scratch_is_read(program *it) {
    it->ranks[1].load->what.operand_count = 0;
    it->ranks[1].load->what.kind = KB_OP_FENCE;
    made_claim_set(it->ranks[1].load, KB_ROLE_AWAITED, KB_SET_STREAM, KB_POINT_DONE);
    return it->ranks[1].scale;
}

static made_op *an_engine_works_on_anothers_memory(program *it) {
    it->ranks[1].scale->operands[1].memory = TCM(2);
    return it->ranks[1].scale;
}

static made_op *an_engine_works_on_hbm(program *it) {
    it->ranks[1].scale->operands[1].memory = HBM(1);
    return it->ranks[1].scale;
}

static made_op *a_read_goes_to_anothers_memory(program *it) {
    it->ranks[1].load->operands[0].memory = TCM(0);
    return it->ranks[1].load;
}

static made_op *a_write_comes_from_anothers_memory(program *it) {
    it->ranks[1].store->operands[1].memory = TCM(0);
    return it->ranks[1].store;
}

static made_op *memory_holds_something_else(program *it) {
    it->ranks[1].write->payload[3] ^= 1;
    return it->ranks[1].assume;
}

static made_op *a_host_writes_too_little(program *it) {
    it->ranks[1].write->op.payload_size -= 2;
    return it->ranks[1].write;
}

static made_op *a_result_is_spread(program *it) {
    it->ranks[1].scale->operands[0].stride[0] = 0;
    return it->ranks[1].scale;
}

static made_op *a_result_is_too_long(program *it) {
    it->ranks[1].scale->operands[0].shape[0]--;
    return it->ranks[1].scale;
}

static made_op *a_constant_is_missing(program *it) {
    it->ranks[1].scale->what.immediate_count = 0;
    return it->ranks[1].scale;
}

static made_op *a_ring_lies_elsewhere(program *it) {
    it->made.defs.queues[1].memory = SRAM(0);
    for (uint64_t s = 0; s < 4; s++) {
        it->ranks[1].copies[s]->operands[0].memory = SRAM(0);
        it->ranks[2].recvs[s]->operands[0].memory = SRAM(0);
        it->ranks[2].adds[s]->operands[2].memory = SRAM(0);
        it->ranks[2].releases[s]->operands[0].memory = SRAM(0);
    }
    return NULL;
}

static made_op *a_copy_awaits_no_credit(program *it) {
    made_unclaim(it->ranks[1].copies[2], KB_ROLE_CREDIT);
    return it->ranks[1].copies[2];
}

static made_op *a_barrier_is_of_no_group(program *it) {
    it->ranks[1].barriers[0]->what.group = KB_NONE;
    return it->ranks[1].barriers[0];
}

/* --- order ------------------------------------------------------------------------------------------- */

/* The op waits for nothing any more. */
static void disarm(made_op *op) {
    made_unclaim(op, KB_ROLE_AWAITED);
    op->what.kind = KB_OP_HOST_READ;
    op->what.operand_count = 0;
    made_touch(op, op->what.stream % 2 == 0 ? SRAM(op->rank) : HBM(op->rank), KB_ACCESS_READ, KB_DTYPE_F16, 0,
               0);
}

static made_op *a_write_is_not_awaited_before_a_barrier(program *it) {
    disarm(it->ranks[1].fence);
    return it->ranks[0].fetch; /* of what rank 1 wrote to rank 2 */
}

static made_op *a_barrier_is_left_out(program *it) {
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++)
        disarm(it->ranks[rank].barriers[0]);
    return NULL;
}

static made_op *a_source_is_overwritten_while_it_is_sent(program *it) {
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++)
        disarm(it->ranks[rank].barriers[1]);
    return NULL;
}

static made_op *a_slot_is_read_while_it_is_given_back(program *it) {
    it->ranks[1].adds[1]->what.blocks = KB_BLOCKS_NO;
    return it->ranks[1].releases[1];
}

static made_op *a_slot_is_read_after_its_release(program *it) {
    made_op *op = it->ranks[1].adds[1];
    op->offsets[2] = it->ranks[1].adds[0]->offsets[2];
    return op;
}

static made_op *a_credit_is_taken_on_trust(program *it) {
    made_unclaim(it->ranks[1].copies[2], KB_ROLE_CREDIT);
    return it->ranks[1].copies[2];
}

static made_op *a_message_is_taken_on_trust(program *it) {
    made_unclaim(it->ranks[1].recvs[1], KB_ROLE_COPY);
    return NULL;
}

static made_op *scratch_is_freed_while_it_is_read(program *it) {
    it->ranks[1].fetch->what.blocks = KB_BLOCKS_NO;
    return NULL;
}

static made_op *a_tie_is_taken_for_an_order(program *it) {
    made_op *op = it->ranks[1].scale;
    op->what.blocks = KB_BLOCKS_NO; /* and the store comes when it is done, by chance */
    made_times(&it->made);
    return it->ranks[1].store;
}

static made_op *the_host_reads_while_its_kernel_runs(program *it) {
    it->ranks[1].launches[1]->what.blocks = KB_BLOCKS_NO;
    return NULL;
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct {
    made_op *(*spoil)(program *it);
    const char *check, *rule;
} cases[] = {
    {a_stream_does_not_claim_its_former_launch, "claims", "launch"},
    {a_launch_is_not_claimed, "claims", "launch"},
    {a_launch_is_claimed_again, "claims", "launch"},
    {a_launch_does_not_wait_for_its_ops, "claims", "completion"},
    {a_rank_is_not_launched, "causality", "launch"},
    {something_else_is_taken_for_a_launch, "causality", "claim"},
    {an_op_is_issued_before_its_launch, "causality", "launch"},
    {a_fence_claims_one_op, "claims", "not allowed"},
    {a_fence_ends_too_early, "causality", "stream"},
    {a_wait_waits_for_another_stream, "causality", "claim"},
    {a_member_does_not_come_to_a_barrier, "progress", "barrier"},
    {a_member_comes_twice, "progress", "barrier twice"},
    {a_barrier_opens_too_early, "causality", "barrier"},
    {a_barrier_claims_the_other, "claims", "not allowed"},
    {an_order_is_claimed_that_nobody_promised, "claims", "engine"},
    {another_op_of_the_engine_is_claimed, "claims", "engine"},
    {a_stage_is_claimed_outside_a_composite, "claims", "not allowed"},
    {scratch_is_used_after_its_end, "bounds", "use after free"},
    {an_allocation_is_too_short, "bounds", "allocation"},
    {another_range_is_freed, "bounds", "free"},
    {what_is_freed_is_freed_again, "bounds", "free"},
    {what_lives_is_allocated_again, "bounds", "allocation"},
    {fresh_scratch_is_read, "init", "undefined"},
    {an_engine_works_on_anothers_memory, "bounds", "reach"},
    {an_engine_works_on_hbm, "bounds", "reach"},
    {a_read_goes_to_anothers_memory, "bounds", "reach"},
    {a_write_comes_from_anothers_memory, "bounds", "reach"},
    {memory_holds_something_else, "assumption", "contents"},
    {a_host_writes_too_little, "structure", "operand shape"},
    {a_result_is_spread, "structure", "operand shape"},
    {a_result_is_too_long, "structure", "operand shape"},
    {a_constant_is_missing, "structure", "operand shape"},
    {a_ring_lies_elsewhere, "queue", "ring"},
    {a_copy_awaits_no_credit, "queue", "credit"},
    {a_barrier_is_of_no_group, "structure", "unknown id"},
    {a_write_is_not_awaited_before_a_barrier, "order", "write/read"},
    {a_barrier_is_left_out, "order", "write/read"},
    {a_source_is_overwritten_while_it_is_sent, "order", "read/write"},
    {a_slot_is_read_while_it_is_given_back, "order", "read/release"},
    {a_slot_is_read_after_its_release, "order", "read/release"},
    {a_credit_is_taken_on_trust, "order", "write/write"},
    {a_message_is_taken_on_trust, "order", "read/write"},
    {scratch_is_freed_while_it_is_read, "order", "write/write"},
    {a_tie_is_taken_for_an_order, "order", "write/read"},
    {the_host_reads_while_its_kernel_runs, "order", "read/write"},
};

static void what_is_spoilt_is_found(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        program made;
        replayed it;
        program_make(&made);
        const made_op *op = cases[i].spoil(&made);
        program_run(&it, &made, &(kbr_options){.verify = true});
        const kbr_finding *finding = replayed_find(&it, cases[i].check, cases[i].rule);
        bool named =
            finding != NULL && (op == NULL || (finding->op_count != 0 && finding->ops[0].rank == op->rank &&
                                               finding->ops[0].index == op->op.index));
        if (!named || finding->message[0] == '\0') {
            print_message("case %zu: %s %s should be about rank %u #%llu:\n", i, cases[i].check,
                          cases[i].rule, op != NULL ? op->rank : 0,
                          op != NULL ? (unsigned long long)op->op.index : 0);
            replayed_show(&it);
            all = false;
        }
        replayed_fini(&it);
        made_fini(&made.made);
    }
    assert_true(all);
}

/* --- ranges of any size ----------------------------------------------------------------------------- */

/* A range of half a memory begins, is written in the middle, and ends while that may still be going on. */
static void large_ranges_have_an_order(void **state) {
    (void)state;
    for (int waits = 0; waits < 3; waits++) {
        made_trace made;
        replayed it;
        made_init(&made, 1);
        made_initial(&made, TCM(0), KB_DTYPE_F16, 0, 64, 1);
        made_launch(&made, 0, 0);
        made_op *alloc = made_add(&made, PE(0), KB_OP_ALLOC, waits == 1 ? KB_BLOCKS_NO : KB_BLOCKS_DONE);
        made_touch(alloc, HBM(0), KB_ACCESS_WRITE, KB_DTYPE_BYTES, 0x1000, MADE_SIZE / 2);
        made_op *write =
            made_move(&made, PE(0), KB_OP_DMA_WRITE, KB_BLOCKS_NO, HBM(0), 0x20000, TCM(0), 0, 64);
        if (waits != 2)
            made_fence(&made, PE(0));
        made_op *end = made_add(&made, PE(0), KB_OP_FREE, KB_BLOCKS_DONE);
        made_touch(end, HBM(0), KB_ACCESS_WRITE, KB_DTYPE_BYTES, 0x1000, MADE_SIZE / 2);
        fault_fs_init(&it.disk);
        made_write(&made, &it.disk.fs, "run.zst");
        replayed_begin(&it, &(kbr_options){.verify = true});
        check_ok(kbr_replay_run(it.replay, &it.trail), &it.trail);
        it.result = kbr_replay_result(it.replay);
        const kbr_finding *finding = replayed_find(&it, "order", "write/write");
        assert_int_equal(it.result->finding_count, waits != 0);
        if (waits != 0)
            assert_int_equal(finding->ops[0].index, waits == 1 ? write->op.index : end->op.index);
        replayed_fini(&it);
        made_fini(&made);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_program_is_clean_in_every_order),
        cmocka_unit_test(what_is_spoilt_is_found),
        cmocka_unit_test(large_ranges_have_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
