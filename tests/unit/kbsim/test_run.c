/* SPDX-License-Identifier: Apache-2.0 */
/* Programs in time: backpressure, running ahead, deadlocks, interruptions, mismatches. */
#include <stdio.h>

#include "kept.h"

static void run_of(kept *run, void (*kernel)(kb_coll *c)) {
    check_ok(kept_record(run, kernel), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
}

static const kb_op *find(const kept *run, uint32_t rank, uint32_t kind, uint64_t which) {
    for (uint64_t i = 0; i < run->counts[rank]; i++)
        if (run->ops[rank][i].what->kind == kind && which-- == 0)
            return &run->ops[rank][i];
    fail_msg("rank %u has no such op of kind %u", rank, kind);
    return NULL;
}

static int64_t why_of(const kb_op *op, uint32_t cause) {
    int64_t sum_ps = 0;
    for (uint32_t i = 0; i < op->what->why_count; i++)
        sum_ps += op->what->whys[i].cause == cause ? op->blames[i].ps : 0;
    return sum_ps;
}

/* --- backpressure ---------------------------------------------------------------------------- */

/* Rank 0 sends more than the ring holds; rank 1 takes its time over each message. */
static void flood(kb_coll *c) {
    if (c->rank == 0) {
        tl_queue to = tl_queue_to(c, 1);
        tl_token sent[6];
        for (int i = 0; i < 6; i++)
            sent[i] = tl_send_async(c, to, c->buffer);
        for (int i = 0; i < 6; i++)
            tl_wait(c, sent[i]);
    } else {
        tl_queue from = tl_queue_from(c, 0);
        for (int i = 0; i < 6; i++) {
            tl_view in = tl_recv(c, from);
            for (int k = 0; k < 20; k++)
                tl_reduce(c, c->buffer, in);
            tl_release(c, from);
        }
    }
}

static void a_full_ring_holds_its_sender_until_a_credit_comes(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.machine.at.ipcq_slots = 2;
    run_of(&run, flood);
    kept_check(&run);
    for (uint64_t s = 0; s < 6; s++) {
        const kb_op *copy = find(&run, 0, KB_OP_IPCQ_COPY, s);
        assert_int_equal(copy->sequence, s);
        if (s < 2) {
            assert_int_equal(why_of(copy, KB_CAUSE_CREDIT), 0);
            continue;
        }
        /* It starts at the moment at which the credit arrives, and says whom it waited for. */
        const kb_op *release = find(&run, 1, KB_OP_IPCQ_RELEASE, s - 2);
        assert_int_equal(copy->start_ps, release->done_ps);
        assert_true(why_of(copy, KB_CAUSE_CREDIT) > 0);
        assert_int_equal(copy->claimed[copy->what->claim_count - 1], release->index);
    }
    kept_fini(&run);
}

/* The sequencer hands over so many messages ahead, and then waits for room in the line. */
static void running_ahead_has_a_depth(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.machine.at.ipcq_slots = 1;
    run.machine.at.engine_queue_depth = 2;
    run_of(&run, flood);
    kept_check(&run);
    const kb_op *first = find(&run, 0, KB_OP_IPCQ_COPY, 0), *fourth = find(&run, 0, KB_OP_IPCQ_COPY, 3);
    const kb_op *fifth = find(&run, 0, KB_OP_IPCQ_COPY, 4);
    assert_int_equal(fourth->issue_ps - first->issue_ps, 3 * 4000);
    /* Two wait in line; the fourth is handed over when the second has started, and goes behind the third. */
    assert_int_equal(why_of(fourth, KB_CAUSE_ENGINE_BUSY),
                     find(&run, 0, KB_OP_IPCQ_COPY, 2)->sent_ps - fourth->issue_ps - 4000);
    assert_int_equal(fifth->issue_ps, find(&run, 0, KB_OP_IPCQ_COPY, 1)->start_ps);
    kept_fini(&run);
}

/* --- DMA ------------------------------------------------------------------------------------- */

static void copy_much(kb_coll *c) {
    tl_view a = tl_slice(c, c->buffer, 0, 50000), b = tl_slice(c, c->buffer, 50000, 50000);
    tl_token first = tl_copy_async(c, a, b);
    tl_token second = tl_copy_async(c, a, b);
    tl_wait(c, first);
    tl_wait_sent(c, second);
}

/* 100000 bytes are 25 packets; requests follow one another at the port's pace. */
static void a_long_copy_keeps_its_port_busy(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 1);
    run.elements = 100000;
    run_of(&run, copy_much);
    kept_check(&run);
    const kb_op *first = find(&run, 0, KB_OP_DMA_READ, 0), *second = find(&run, 0, KB_OP_DMA_READ, 1);
    const int64_t set_up = 4000 + 10000, drain = 24 * 8000 + 500 * 6 + 250 + 63;
    assert_int_equal(first->start_ps, first->issue_ps + set_up);
    assert_int_equal(first->done_ps, first->start_ps + 2 + 2 + drain);
    assert_int_equal(first->sent_ps, first->done_ps - 2);
    /* The second is set up when the requests of the first are out. */
    assert_int_equal(second->start_ps, first->start_ps + drain + 10000);
    assert_int_equal(why_of(first, KB_CAUSE_OUTSTANDING), 0);
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 1);
    run.elements = 100000;
    run.machine.at.dma_reads_outstanding = 1;
    run_of(&run, copy_much);
    kept_check(&run);
    first = find(&run, 0, KB_OP_DMA_READ, 0);
    /* One packet at a time pays a round trip each; the port's own pace hides none of it. */
    assert_int_equal(why_of(first, KB_CAUSE_OUTSTANDING), 24 * 4);
    assert_int_equal(first->done_ps, first->start_ps + 2 + 2 + drain + 24 * 4);
    kept_fini(&run);
}

/* --- messages longer than a slot ------------------------------------------------------------- */

static void exchange(kb_coll *c) {
    tl_queue to = tl_queue_to(c, rank_at(c, 1)), from = tl_queue_from(c, rank_at(c, 1));
    tl_token sent = tl_send_async(c, to, c->buffer);
    tl_view in = tl_recv(c, from);
    tl_copy(c, c->buffer, in); /* only times matter here: nobody reads what it holds */
    tl_release(c, from);
    tl_wait_sent(c, sent);
}

static void long_messages_go_slot_by_slot(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.elements = 20000; /* 40000 bytes: 10 slots, through a ring of 4 */
    run_of(&run, exchange);
    kept_check(&run);
    for (uint32_t rank = 0; rank < 2; rank++) {
        const kb_op *wait = find(&run, rank, KB_OP_WAIT, 0), *head = find(&run, rank, KB_OP_IPCQ_COPY, 0);
        assert_int_equal(wait->what->claim_count, 10);
        for (uint64_t s = 0; s < 10; s++) {
            const kb_op *copy = find(&run, rank, KB_OP_IPCQ_COPY, s);
            assert_int_equal(copy->issue_ps, head->issue_ps); /* one command: dispatched once */
            assert_int_equal(copy->what->operands[1].shape[0], s < 9 ? 2048 : 20000 - 9 * 2048);
            assert_int_equal(copy->offsets[1], s * 4096);
            assert_int_equal(wait->claimed[s], copy->index);
        }
        assert_int_equal(find(&run, rank, KB_OP_IPCQ_RELEASE, 9)->sequence, 9);
    }
    kept_fini(&run);
}

/* --- interruptions --------------------------------------------------------------------------- */

static void the_clock_can_be_stopped(void **state) {
    (void)state;
    static kept run;
    for (int64_t stop_ps = 1; stop_ps < 3000000; stop_ps += 7919) {
        kept_init(&run, "cubes=1,pes=8", 2);
        run.elements = 20000;
        run.limits.max_time_ps = stop_ps;
        run_of(&run, exchange);
        if (run.result.outcome == KB_OUTCOME_INTERRUPTED)
            assert_true(kept_pending(&run, 0) + kept_pending(&run, 1) > 0);
        else
            kept_check(&run);
        kept_fini(&run);
        if (stop_ps < 2000000)
            stop_ps += 400000;
    }
    assert_int_equal(run.result.outcome, KB_OUTCOME_COMPLETE);
}

static void a_signal_ends_a_run(void **state) {
    (void)state;
    static kept run;
    static volatile sig_atomic_t stop = 1;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.limits.stop = &stop;
    run_of(&run, exchange);
    assert_int_equal(run.result.outcome, KB_OUTCOME_INTERRUPTED);
    assert_int_equal(run.result.events, 0);
    assert_int_equal(run.result.time_ps, 0);
    kept_fini(&run);
}

/* --- mismatches ------------------------------------------------------------------------------ */

static void differ(kb_coll *c) {
    if (c->rank == 0) {
        tl_send(c, tl_queue_to(c, 1), tl_slice(c, c->buffer, 0, 50));
        return;
    }
    tl_queue from = tl_queue_from(c, 0);
    tl_view in = tl_recv(c, from);
    tl_reduce(c, tl_slice(c, c->buffer, 0, 60), in);
    tl_release(c, from);
}

static void differ_and_go_on(kb_coll *c) {
    differ(c);
    if (c->rank == 0)
        tl_send(c, tl_queue_to(c, 1), c->buffer);
}

static void a_message_must_be_what_is_received(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    check_status(kept_record(&run, differ), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "rank 1 receives 60 x f16, and rank 0 sends 50 x f16 (test_run.c:");
    check_says(&run.trail, "): slot 0 of queue pe0>pe1");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8",
              2); /* where more is sent than received it is found while the clock moves */
    check_ok(kept_record(&run, differ_and_go_on), &run.trail);
    check_status(kept_simulate(&run), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "rank 1 receives 60 x f16, and rank 0 sent 50 x f16");
    kept_fini(&run);
}

static void nothing(kb_coll *c) {
    (void)c;
}

static void a_run_that_does_nothing_is_refused(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    check_ok(kbs_program_create(&run.machine, 2, 1, 1, NULL, NULL, &run.program, &run.trail), &run.trail);
    check_status(kbs_program_seal(run.program, &run.trail), KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "there is nothing to simulate");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 2);
    run_of(&run, nothing); /* a collective without work still begins and ends */
    kept_check(&run);
    assert_int_equal(run.counts[0], 3);
    assert_int_equal(run.ops[0][1].done_ps, 2277583);
    assert_int_equal(run.ops[0][2].done_ps, 2277583);
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_ring_holds_its_sender_until_a_credit_comes),
        cmocka_unit_test(running_ahead_has_a_depth),
        cmocka_unit_test(a_long_copy_keeps_its_port_busy),
        cmocka_unit_test(long_messages_go_slot_by_slot),
        cmocka_unit_test(the_clock_can_be_stopped),
        cmocka_unit_test(a_signal_ends_a_run),
        cmocka_unit_test(a_message_must_be_what_is_received),
        cmocka_unit_test(a_run_that_does_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
