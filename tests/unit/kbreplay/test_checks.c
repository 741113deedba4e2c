/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every check can fail, and names the op that was spoilt: each case spoils one thing of a right ring.
 */
#include "replayed.h"

/* What the spoilt op is; SPOILT_NONE: the case names none. */
typedef struct spoilt {
    uint32_t rank;
    uint64_t index;
} spoilt;

static const spoilt nobody = {KB_NONE, 0};

static spoilt of(uint32_t rank, const ring_op *op) {
    return (spoilt){rank, op->op.index};
}

/* --- structure ---------------------------------------------------------------------------------- */

static spoilt times_go_back(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_MATH, 1);
    op->op.sent_ps = op->op.done_ps + 1;
    return of(2, op);
}

static spoilt why_does_not_sum(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_MATH, 1);
    op->blames[0].ps++;
    return of(2, op);
}

static spoilt a_wait_waits_for_nothing(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_WAIT, 2);
    ring_unclaim(op, KB_ROLE_AWAITED);
    return of(1, op);
}

static spoilt an_op_claims_itself(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_WAIT, 2);
    op->claimed[0] = op->op.index;
    return of(1, op);
}

static spoilt a_source_is_written(ring *it) {
    ring_op *op = ring_find(it, 0, KB_OP_DMA_READ, 0);
    op->operands[1].access = KB_ACCESS_WRITE;
    return of(0, op);
}

static spoilt an_operand_is_missing(ring *it) {
    ring_op *op = ring_find(it, 0, KB_OP_DMA_READ, 0);
    op->what.operand_count = 1;
    return of(0, op);
}

static spoilt operands_differ_in_size(ring *it) {
    ring_op *op = ring_find(it, 0, KB_OP_DMA_READ, 0);
    op->operands[1].shape[0]--;
    return of(0, op);
}

static spoilt the_footer_lies(ring *it) {
    it->ending.time_ps++;
    return nobody;
}

/* --- bounds ------------------------------------------------------------------------------------- */

static spoilt an_offset_is_odd(ring *it) {
    ring_op *op = ring_find(it, 3, KB_OP_IPCQ_COPY, 1);
    op->offsets[1]++;
    return of(3, op);
}

static spoilt an_operand_leaves_its_memory(ring *it) {
    ring_op *op = ring_find(it, 3, KB_OP_IPCQ_COPY, 1);
    op->offsets[1] = RING_TCM_SIZE - 2;
    return of(3, op);
}

static spoilt an_operand_leaves_its_memory_downwards(ring *it) {
    ring_op *op = ring_find(it, 3, KB_OP_IPCQ_COPY, 1);
    op->operands[1].stride[0] = INT64_MIN / 8;
    return of(3, op);
}

static spoilt an_operand_leaves_its_tensor(ring *it) {
    ring_op *op = ring_find(it, 0, KB_OP_IPCQ_COPY, 0);
    op->offsets[1] = RING_X_AT + 2 * it->shape.elements - 2;
    return of(0, op);
}

static spoilt an_operand_leaves_its_slot(ring *it) {
    ring_op *op = ring_find(it, 0, KB_OP_MATH, 0);
    op->offsets[2] = RING_AT + it->defs.queues[4].slot_bytes - 2;
    return of(0, op);
}

static spoilt numbers_of_another_dtype(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    for (uint32_t i = 0; i < 3; i++)
        op->operands[i].dtype = KB_DTYPE_BF16;
    return of(1, op);
}

/* --- queue -------------------------------------------------------------------------------------- */

static spoilt a_copy_goes_to_the_next_slot(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_COPY, 1);
    op->offsets[0] += it->defs.queues[2].slot_bytes;
    return of(2, op);
}

static spoilt a_sequence_is_skipped(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_RECV, 1);
    op->op.sequence++;
    return of(2, op);
}

static spoilt another_stream_sends(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_COPY, 1);
    op->what.queue = 1;
    return of(2, op);
}

static spoilt a_credit_is_not_awaited(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_COPY, it->shape.slots + 1);
    ring_unclaim(op, KB_ROLE_CREDIT);
    return of(2, op);
}

static spoilt another_credit_is_awaited(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_COPY, it->shape.slots + 1);
    op->claimed[0] = ring_find(it, 3, KB_OP_IPCQ_RELEASE, 0)->op.index;
    return of(2, op);
}

static spoilt another_message_is_awaited(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_RECV, 2);
    op->claimed[0] = ring_find(it, 1, KB_OP_IPCQ_COPY, 1)->op.index;
    return of(2, op);
}

static spoilt a_message_is_not_sent(ring *it) {
    size_t last = ring_count(it, 2, KB_OP_IPCQ_COPY) - 1;
    ring_drop(it, 2, ring_find(it, 2, KB_OP_IPCQ_COPY, last)->op.index);
    return of(3, ring_find(it, 3, KB_OP_IPCQ_RECV, last));
}

static spoilt a_slot_is_not_given_back(ring *it) {
    size_t last = ring_count(it, 2, KB_OP_IPCQ_RELEASE) - 1;
    ring_drop(it, 2, ring_find(it, 2, KB_OP_IPCQ_RELEASE, last)->op.index);
    return of(2, ring_find(it, 2, KB_OP_IPCQ_RECV, last));
}

static spoilt a_message_is_read_past_its_end(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_DMA_READ, 1);
    op->offsets[1] += 2;
    return of(2, op);
}

static spoilt somebody_else_writes_into_a_ring(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_DMA_READ, 1);
    op->offsets[0] = RING_AT;
    return of(2, op);
}

static spoilt a_message_is_longer_than_received(ring *it) {
    ring_op *op = ring_find(it, 2, KB_OP_IPCQ_RECV, 1);
    op->operands[0].shape[0]--;
    return of(1, ring_find(it, 1, KB_OP_IPCQ_COPY, 1));
}

/* --- init, causality ----------------------------------------------------------------------------- */

static spoilt undefined_bytes_are_sent(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_IPCQ_COPY, 1);
    op->offsets[1] = 0x8000;
    return of(1, op);
}

static spoilt a_copy_is_seen_too_early(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_IPCQ_RECV, 1);
    op->op.start_ps = op->op.sent_ps = op->op.issue_ps;
    return of(1, op);
}

static spoilt a_command_overtakes_the_one_before(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    op->op.issue_ps--;
    op->blames[0].ps++;
    return of(1, op);
}

static spoilt an_engine_is_not_claimed(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 2);
    ring_unclaim(op, KB_ROLE_ENGINE);
    return of(1, op);
}

static spoilt a_launch_is_not_claimed(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_COLL_BEGIN, 0);
    ring_unclaim(op, KB_ROLE_LAUNCH);
    return of(1, op);
}

static spoilt a_launch_is_done_too_early(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_LAUNCH, 0);
    op->op.done_ps -= 10;
    op->blames[0].ps -= 10;
    return of(1, op);
}

/* --- engine, link --------------------------------------------------------------------------------- */

static spoilt an_engine_of_another_serves(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 0);
    op->what.engine = 2;
    return of(1, op);
}

static spoilt two_are_served_at_once(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 0);
    op->op.done_ps = ring_find(it, 1, KB_OP_MATH, 1)->op.start_ps + 1;
    return of(1, ring_find(it, 1, KB_OP_MATH, 1));
}

static spoilt a_copy_is_faster_than_its_link(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_IPCQ_COPY, 2);
    uint32_t link;
    kb_link row = {"link", 256, UINT64_C(1000000000000), 1}; /* 256 bytes a second */
    check_ok(kb_defs_add_link(&it->defs, &row, &link, NULL), NULL);
    check_ok(kb_defs_add_route(&it->defs, &(kb_route){&link, 1}, &op->what.route, NULL), NULL);
    return of(1, op);
}

/* --- value ---------------------------------------------------------------------------------------- */

static spoilt another_element_is_sent(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_IPCQ_COPY, 1);
    op->offsets[1] += op->offsets[1] > RING_X_AT ? (uint64_t)-2 : 2;
    return of(1, op);
}

static spoilt a_sum_goes_elsewhere(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    op->offsets[0] = op->offsets[0] > RING_X_AT ? RING_X_AT : RING_X_AT + 400;
    return of(1, op);
}

static spoilt another_function_joins(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    op->what.func = KB_FUNC_MAX;
    return of(1, op);
}

static spoilt an_input_is_left_out(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    op->what.func = KB_FUNC_COPY;
    op->operands[1] = op->operands[2];
    op->offsets[1] = op->offsets[2];
    op->what.operand_count = 2;
    return of(1, op);
}

static spoilt an_input_is_added_twice(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    op->operands[1] = op->operands[2];
    op->offsets[1] = op->offsets[2];
    return of(1, op);
}

static spoilt a_message_is_shorter_than_its_use(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 1);
    for (uint32_t i = 0; i < 3; i++)
        op->operands[i].shape[0]--;
    return of(1, op);
}

static spoilt a_stream_never_leaves(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_COLL_END, 0);
    ring_drop(it, 1, op->op.index);
    return of(1, ring_find(it, 1, KB_OP_COLL_BEGIN, 0));
}

static spoilt a_stream_enters_elsewhere(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_COLL_BEGIN, 0);
    op->offsets[0] += 2;
    op->operands[0].shape[0]--;
    return of(1, op);
}

/* --- order ------------------------------------------------------------------------------------------ */

static spoilt a_slot_is_given_back_while_it_is_read(ring *it) {
    ring_find(it, 1, KB_OP_MATH, 1)->what.blocks = KB_BLOCKS_NO;
    return of(1, ring_find(it, 1, KB_OP_IPCQ_RELEASE, 1));
}

/* --- progress --------------------------------------------------------------------------------------- */

static spoilt two_wait_for_each_other(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 0);
    ring_claim(op, KB_ROLE_STAGE, 1, ring_find(it, 1, KB_OP_MATH, 1)->op.index, KB_POINT_DONE);
    return nobody;
}

static spoilt an_op_is_claimed_that_is_not_there(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 0);
    ring_claim(op, KB_ROLE_STAGE, 2, 999, KB_POINT_DONE);
    return of(1, op);
}

static spoilt an_op_never_ends(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_MATH, 0);
    op->what.reached = KB_POINT_START;
    return of(1, op);
}

static spoilt a_peek_saw_something_else(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_WAIT, 2);
    op->what.kind = KB_OP_ASSUME;
    op->what.claim_count = 0;
    op->what.operand_count = 1;
    op->operands[0] = kb_operand_vector(1, KB_ACCESS_READ, KB_DTYPE_F16, 1);
    op->offsets[0] = RING_X_AT;
    op->op.value = 0x7BFF;
    return of(1, op);
}

static spoilt a_barrier_is_not_reached_by_all(ring *it) {
    ring_op *op = ring_find(it, 1, KB_OP_WAIT, 0);
    op->what.kind = KB_OP_BARRIER;
    op->what.group = 0;
    op->what.claim_count = 0;
    return of(1, op);
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct {
    spoilt (*spoil)(ring *it);
    const char *check, *rule;
} cases[] = {
    {times_go_back, "structure", "times"},
    {why_does_not_sum, "structure", "why"},
    {a_wait_waits_for_nothing, "claims", "awaited"},
    {an_op_claims_itself, "claims", "claim"},
    {a_source_is_written, "structure", "operand access"},
    {an_operand_is_missing, "structure", "operand count"},
    {operands_differ_in_size, "structure", "operand shape"},
    {the_footer_lies, "structure", "footer"},
    {an_offset_is_odd, "bounds", "alignment"},
    {an_operand_leaves_its_memory, "bounds", "memory"},
    {an_operand_leaves_its_memory_downwards, "bounds", "memory"},
    {an_operand_leaves_its_tensor, "bounds", "shard"},
    {an_operand_leaves_its_slot, "bounds", "slot"},
    {numbers_of_another_dtype, "bounds", "dtype"},
    {numbers_of_another_dtype, "queue", "dtype"},
    {a_copy_goes_to_the_next_slot, "queue", "slot"},
    {a_sequence_is_skipped, "queue", "sequence"},
    {another_stream_sends, "queue", "stream"},
    {a_credit_is_not_awaited, "queue", "credit"},
    {another_credit_is_awaited, "queue", "credit"},
    {another_message_is_awaited, "queue", "message"},
    {a_message_is_not_sent, "queue", "never sent"},
    {a_slot_is_not_given_back, "queue", "never released"},
    {a_message_is_read_past_its_end, "queue", "read"},
    {somebody_else_writes_into_a_ring, "queue", "write"},
    {a_message_is_longer_than_received, "queue", "length"},
    {undefined_bytes_are_sent, "init", "undefined"},
    {a_peek_saw_something_else, "assumption", "contents"},
    {a_copy_is_seen_too_early, "causality", "copy"},
    {a_command_overtakes_the_one_before, "causality", "program order"},
    {an_engine_is_not_claimed, "claims", "engine"},
    {a_launch_is_not_claimed, "claims", "launch"},
    {a_launch_is_done_too_early, "causality", "completion"},
    {an_engine_of_another_serves, "engine", "stream"},
    {two_are_served_at_once, "engine", "overlap"},
    {a_copy_is_faster_than_its_link, "link", "too fast"},
    {another_element_is_sent, "value", "source"},
    {a_sum_goes_elsewhere, "value", "target"},
    {another_function_joins, "value", "function"},
    {an_input_is_left_out, "value", "missing"},
    {an_input_is_added_twice, "value", "doubled"},
    {numbers_of_another_dtype, "value", "dtype"},
    {a_message_is_shorter_than_its_use, "value", "missing"},
    {a_stream_never_leaves, "value", "exit"},
    {a_stream_enters_elsewhere, "value", "part"},
    {a_slot_is_given_back_while_it_is_read, "order", "read/release"},
    {two_wait_for_each_other, "progress", "cycle"},
    {an_op_is_claimed_that_is_not_there, "progress", "missing op"},
    {an_op_never_ends, "progress", "unfinished"},
    {a_barrier_is_not_reached_by_all, "progress", "barrier"},
};

static void every_check_can_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ring made;
        replayed it;
        ring_make(&made, &(ring_shape){.ranks = 5, .elements = 1000, .seed = 20 + i});
        spoilt op = cases[i].spoil(&made);
        replayed_run(&it, &made, &(kbr_options){.verify = true});
        const kbr_finding *finding = replayed_find(&it, cases[i].check, cases[i].rule);
        bool named = finding != NULL &&
                     (op.rank == KB_NONE || (finding->op_count != 0 && finding->ops[0].rank == op.rank &&
                                             finding->ops[0].index == op.index));
        if (!named || finding->message[0] == '\0' || finding->count == 0) {
            print_message("%s %s should be about rank %u #%llu:\n", cases[i].check, cases[i].rule, op.rank,
                          (unsigned long long)op.index);
            replayed_show(&it);
            fail();
        }
        replayed_fini(&it);
        ring_fini(&made);
    }
}

/* Every row of the table is the check of some case. */
static void every_check_is_tested(void **state) {
    (void)state;
    for (size_t number = 0; number < kbr_check_count(); number++) {
        bool any = false;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            any = any || strcmp(cases[i].check, kbr_check_describe(number).name) == 0;
        if (!any)
            fail_msg("nothing shows that %s can fail", kbr_check_describe(number).name);
    }
}

/* Without verify only what execution needs is checked, and the result says so. */
static void plain_replay_says_what_it_left_out(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = 100, .seed = 1});
    (void)another_function_joins(&made);
    replayed_run(&it, &made, &(kbr_options){.verify = false});
    assert_int_equal(it.result->finding_count, 0);
    bool value = false, order = false;
    for (size_t i = 0; i < it.result->unchecked_count; i++) {
        value = value || strncmp(it.result->unchecked[i], "value:", 6) == 0;
        order = order || strncmp(it.result->unchecked[i], "order:", 6) == 0;
    }
    assert_true(value && order);
    replayed_fini(&it);
    ring_fini(&made);
}

/* A run that says that it is incomplete: pending ops are no findings, and are counted. */
static void an_incomplete_run_is_no_finding(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = 100, .seed = 1});
    (void)an_op_never_ends(&made);
    made.ending.outcome = KB_OUTCOME_DEADLOCK;
    made.ending.message = "a deadlock";
    replayed_run(&it, &made, &(kbr_options){.verify = true});
    replayed_show(&it);
    assert_int_equal(it.result->finding_count, 0);
    assert_true(it.result->unfinished > 0);
    replayed_fini(&it);
    ring_fini(&made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_can_fail),
        cmocka_unit_test(every_check_is_tested),
        cmocka_unit_test(plain_replay_says_what_it_left_out),
        cmocka_unit_test(an_incomplete_run_is_no_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
