/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlocks in words: circles, what waits behind them, messages that nobody sends, and slots that help. */
#include <ctype.h>
#include <stdio.h>

#include "kept.h"

/* Takes the numbers of source lines out: "(test_deadlock.c:31" becomes "(test_deadlock.c:". */
static void blank_lines(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        *to++ = *from++;
        if (to - text >= 3 && strncmp(to - 3, ".c:", 3) == 0)
            while (isdigit((unsigned char)*from))
                from++;
    }
    *to = '\0';
}

/* Records `kernel`, and has the deadlock that it runs into explained, in these very words. */
static void explains(kept *run, void (*kernel)(kb_coll *c), const char *wanted) {
    char text[4096];
    check_ok(kept_record(run, kernel), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
    assert_int_equal(run->result.outcome, KB_OUTCOME_DEADLOCK);
    assert_true(strlen(run->result.explanation) < sizeof text);
    strcpy(text, run->result.explanation);
    blank_lines(text);
    assert_string_equal(text, wanted);
    uint64_t pending = 0;
    for (uint32_t rank = 0; rank < run->ranks; rank++)
        pending += kept_pending(run, rank);
    assert_true(pending >= 2); /* an op, and the launch of its rank */
}

/* --- circles --------------------------------------------------------------------------------- */

static void send_first(kb_coll *c) {
    tl_step(c, "exchange", 7);
    if (c->rank < 2) {
        tl_queue to = tl_queue_to(c, 1 - c->rank), from = tl_queue_from(c, 1 - c->rank);
        tl_send(c, to, c->buffer);
        tl_view in = tl_recv(c, from);
        tl_copy(c, c->buffer, in);
        tl_release(c, from);
    }
    if (c->rank == 0) {
        tl_send(c, tl_queue_to(c, 2), c->buffer);
    } else if (c->rank == 2) {
        tl_view in = tl_recv(c, tl_queue_from(c, 0));
        tl_copy(c, c->buffer, in);
        tl_release(c, tl_queue_from(c, 0));
    }
}

/* Both send all of a message that is longer than the ring before either receives; rank 2 waits behind. */
static void a_circle_of_full_rings_names_the_slots_that_break_it(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 3);
    run.elements = 20000;
    explains(
        &run, send_first,
        "these wait for one another, each for the next:\n"
        "  rank 0 (sip0.cube0.pe0): ipcq_copy #6 (test_deadlock.c:, exchange 7) waits for a credit of queue "
        "pe0>pe1 (slots: 4, all full): rank 1 must release message slot 0\n"
        "  rank 1 (sip0.cube0.pe1): wait #12 (test_deadlock.c:, exchange 7) waits until 6 of 10 ops are "
        "sent, first ipcq_copy #6\n"
        "  rank 1 (sip0.cube0.pe1): ipcq_copy #6 (test_deadlock.c:, exchange 7) waits for a credit of queue "
        "pe1>pe0 (slots: 4, all full): rank 0 must release message slot 0\n"
        "  rank 0 (sip0.cube0.pe0): wait #12 (test_deadlock.c:, exchange 7) waits until 6 of 10 ops are "
        "sent, first ipcq_copy #6\n"
        "  and so back to rank 0\n"
        "behind them waits:\n"
        "  rank 2 (sip0.cube0.pe2): ipcq_recv #2 (test_deadlock.c:, exchange 7) waits for message slot 0 of "
        "queue pe0>pe2 from rank 0\n"
        "10 slots in every ring let it end (--set ipcq.slots=10), and no fewer do\n"
        "or queue by queue, none of which can have fewer:\n"
        "  --set 'ipcq.slots_of.pe1>pe0=10' (it has 4)\n");
    kept_fini(&run);
    for (uint64_t slots = 9; slots <= 10; slots++) {
        kept_init(&run, "cubes=1,pes=8", 3);
        run.elements = 20000;
        run.machine.at.ipcq_slots = slots;
        check_ok(kept_record(&run, send_first), &run.trail);
        check_ok(kept_simulate(&run), &run.trail);
        assert_int_equal(run.result.outcome, slots < 10 ? KB_OUTCOME_DEADLOCK : KB_OUTCOME_COMPLETE);
        kept_fini(&run);
    }
}

/* Each receives before it sends: rings have nothing to do with it. */
static void receive_first(kb_coll *c) {
    tl_queue to = tl_queue_to(c, rank_at(c, 1)), from = tl_queue_from(c, rank_at(c, -1));
    tl_view in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
    tl_release(c, from);
    tl_send(c, to, c->buffer);
}

static void a_circle_that_no_slots_break_says_so(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 3);
    explains(&run, receive_first,
             "these wait for one another, each for the next:\n"
             "  rank 0 (sip0.cube0.pe0): ipcq_recv #2 (test_deadlock.c:) waits for message slot 0 of queue "
             "pe2>pe0 from rank 2\n"
             "  rank 2 (sip0.cube0.pe2): ipcq_recv #2 (test_deadlock.c:) waits for message slot 0 of queue "
             "pe1>pe2 from rank 1\n"
             "  rank 1 (sip0.cube0.pe1): ipcq_recv #2 (test_deadlock.c:) waits for message slot 0 of queue "
             "pe0>pe1 from rank 0\n"
             "  and so back to rank 0\n"
             "no number of slots lets this program end: its order of sends and receives must change\n");
    kept_fini(&run);
}

/* Rank 0 floods the ring before the barrier, rank 1 empties it behind. */
static void flood_then_meet(kb_coll *c) {
    enum { MESSAGES = 8 };
    tl_token sent[MESSAGES];
    if (c->rank == 0)
        for (int i = 0; i < MESSAGES; i++)
            sent[i] = tl_send_async(c, tl_queue_to(c, 1), c->buffer);
    tl_barrier(c);
    for (int i = 0; i < MESSAGES && c->rank == 1; i++) {
        tl_reduce(c, c->buffer, tl_recv(c, tl_queue_from(c, 0)));
        tl_release(c, tl_queue_from(c, 0));
    }
    for (int i = 0; i < MESSAGES && c->rank == 0; i++)
        tl_wait(c, sent[i]);
}

static void fence_then_speak(kb_coll *c) {
    if (c->rank == 0) {
        tl_token first = tl_send_async(c, tl_queue_to(c, 1), c->buffer);
        tl_token second = tl_send_async(c, tl_queue_to(c, 1), c->buffer);
        tl_fence(c);
        tl_wait(c, first);
        tl_wait(c, second);
        tl_send(c, tl_queue_to(c, 2), c->buffer);
    } else if (c->rank == 1) {
        tl_view in = tl_recv(c, tl_queue_from(c, 2));
        tl_reduce(c, c->buffer, in);
        tl_release(c, tl_queue_from(c, 2));
        for (int i = 0; i < 2; i++) {
            tl_reduce(c, c->buffer, tl_recv(c, tl_queue_from(c, 0)));
            tl_release(c, tl_queue_from(c, 0));
        }
    } else if (c->rank == 2) {
        tl_reduce(c, c->buffer, tl_recv(c, tl_queue_from(c, 0)));
        tl_release(c, tl_queue_from(c, 0));
        tl_send(c, tl_queue_to(c, 1), c->buffer);
    }
}

static void barriers_fences_and_full_lines_are_part_of_circles(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.machine.at.ipcq_slots = 1;
    run.machine.at.engine_queue_depth = 2;
    explains(
        &run, flood_then_meet,
        "these wait for one another, each for the next:\n"
        "  rank 0 (sip0.cube0.pe0): ipcq_copy #3 (test_deadlock.c:) waits for a credit of queue pe0>pe1 "
        "(slots: 1, all full): rank 1 must release message slot 0\n"
        "  rank 1 (sip0.cube0.pe1): barrier #2 (test_deadlock.c:) waits at barrier 0 for rank 0 (1 of 2 "
        "have come)\n"
        "  rank 0 (sip0.cube0.pe0): ipcq_copy #5 (test_deadlock.c:) waits for the copies before it on queue "
        "pe0>pe1\n"
        "  and so back to rank 0\n"
        "6 slots in every ring let it end (--set ipcq.slots=6), and no fewer do\n"
        "or queue by queue, none of which can have fewer:\n"
        "  --set 'ipcq.slots_of.pe0>pe1=6' (it has 1)\n");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 3);
    run.machine.at.ipcq_slots = 1;
    explains(&run, fence_then_speak,
             "these wait for one another, each for the next:\n"
             "  rank 0 (sip0.cube0.pe0): ipcq_copy #3 (test_deadlock.c:) waits for a credit of queue pe0>pe1 "
             "(slots: 1, all full): rank 1 must release message slot 0\n"
             "  rank 1 (sip0.cube0.pe1): ipcq_recv #2 (test_deadlock.c:) waits for message slot 0 of queue "
             "pe2>pe1 from rank 2\n"
             "  rank 2 (sip0.cube0.pe2): ipcq_recv #2 (test_deadlock.c:) waits for message slot 0 of queue "
             "pe0>pe2 from rank 0\n"
             "  rank 0 (sip0.cube0.pe0): fence #4 (test_deadlock.c:) waits until all ops before it are done "
             "(unfinished: 1)\n"
             "  and so back to rank 0\n"
             "2 slots in every ring let it end (--set ipcq.slots=2), and no fewer do\n"
             "or queue by queue, none of which can have fewer:\n"
             "  --set 'ipcq.slots_of.pe0>pe1=2' (it has 1)\n");
    kept_fini(&run);
}

/* --- what never comes ------------------------------------------------------------------------ */

static void listen(kb_coll *c) {
    tl_step(c, "listening", 3);
    if (c->rank == 0)
        return;
    tl_queue from = tl_queue_from(c, c->rank - 1);
    tl_view in = tl_recv(c, from);
    tl_reduce(c, c->buffer, in);
    tl_release(c, from);
}

static void messages_that_nobody_sends_are_named(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 3);
    explains(
        &run, listen,
        "this waits for what never comes:\n"
        "  rank 1 (sip0.cube0.pe1): ipcq_recv #2 (test_deadlock.c:, listening 3) waits for message slot 0 of "
        "queue pe0>pe1, which nobody sends: the program of rank 0 sends 0\n"
        "this waits for what never comes:\n"
        "  rank 2 (sip0.cube0.pe2): ipcq_recv #2 (test_deadlock.c:, listening 3) waits for message slot 0 of "
        "queue pe1>pe2, which nobody sends: the program of rank 1 sends 0\n"
        "no number of slots lets this program end: its order of sends and receives must change\n");
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_circle_of_full_rings_names_the_slots_that_break_it),
        cmocka_unit_test(a_circle_that_no_slots_break_says_so),
        cmocka_unit_test(barriers_fences_and_full_lines_are_part_of_circles),
        cmocka_unit_test(messages_that_nobody_sends_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
