/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs without time against programs in time: random sends and receives in random orders come to their
 * end in one if they do in the other, and with no fewer slots than the smallest number that is named.
 */
#include "support/random.h"

#include "lint/sizes.h"
#include "raw.h"
#include "record/view.h"

enum { PROGRAMS = 150, MOST_RANKS = 5, MOST_MESSAGES = 30 };

typedef struct message {
    uint32_t from, to;
    uint64_t elements;
    uint64_t send_key, receive_key; /* each rank does its part in the order of these */
    bool async;
} message;

typedef struct plan {
    message messages[MOST_MESSAGES];
    uint32_t count, ranks;
    bool has_barrier;
} plan;

typedef struct kernel {
    tl_stream *stream;
} kernel;

static void make(plan *p, random_source *random) {
    p->ranks = (uint32_t)random_between(random, 2, MOST_RANKS);
    p->count = (uint32_t)random_between(random, 1, MOST_MESSAGES);
    p->has_barrier = random_once_in(random, 4);
    const uint64_t disorder = random_below(random, 12) + 1;
    for (uint32_t i = 0; i < p->count; i++) {
        message *m = &p->messages[i];
        m->from = (uint32_t)random_below(random, p->ranks);
        m->to = (m->from + 1 + (uint32_t)random_below(random, p->ranks - 1)) % p->ranks;
        m->elements = (uint64_t)random_between(random, 1, 1500);
        m->send_key = i * 4 + random_below(random, disorder);
        m->receive_key = i * 4 + random_below(random, disorder);
        m->async = random_once_in(random, 3);
        if (i > 0 && random_once_in(random, 5)) { /* an exchange: both send before they receive */
            message *last = &p->messages[i - 1];
            m->from = last->to;
            m->to = last->from;
            last->send_key = m->send_key = i * 4;
            last->receive_key = m->receive_key = i * 4 + 1;
        }
        for (uint32_t k = 0; k < i; k++) /* a queue's messages are one size: which is which does not matter */
            if (p->messages[k].from == m->from && p->messages[k].to == m->to)
                m->elements = p->messages[k].elements;
    }
}

/* What of a rank comes next after `key`, or NULL. */
static const message *next_of(const plan *p, uint32_t rank, uint64_t *inout_key, bool *ret_sends) {
    const message *found = NULL;
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < p->count; i++) {
        const message *m = &p->messages[i];
        if (m->from != rank && m->to != rank)
            continue;
        const bool sends = m->from == rank;
        const uint64_t key = (sends ? m->send_key : m->receive_key) * MOST_MESSAGES + i + 1;
        if (key <= *inout_key || key >= best)
            continue;
        best = key;
        found = m;
        *ret_sends = sends;
    }
    *inout_key = best;
    return found;
}

static void record_rank(const kept *run, const plan *p, uint32_t rank) {
    kernel c = {pe(run, rank)};
    tl_token tokens[MOST_MESSAGES];
    uint32_t token_count = 0, done = 0;
    uint64_t key = 0;
    bool sends = false;
    for (const message *m = next_of(p, rank, &key, &sends); m != NULL; m = next_of(p, rank, &key, &sends)) {
        const tl_view view =
            kbs_view_vector(kbs_memory_of(run->program, KB_SPACE_TCM, rank), KB_DTYPE_F16, 0, m->elements);
        if (!sends) {
            tl_copy(&c, view, tl_recv(&c, tl_queue_from(&c, m->from)));
            tl_release(&c, tl_queue_from(&c, m->from));
        } else if (m->async) {
            tokens[token_count++] = tl_send_async(&c, tl_queue_to(&c, m->to), view);
        } else {
            tl_send(&c, tl_queue_to(&c, m->to), view);
        }
        if (++done == 3 && p->has_barrier)
            break;
    }
    while (token_count > 0)
        tl_wait(&c, tokens[--token_count]);
}

static kb_outcome run_with(const plan *p, uint64_t slots, uint64_t depth, bool *ret_ends,
                           uint64_t *ret_slots) {
    static kept run;
    kept_init(&run, "cubes=1,pes=8", p->ranks);
    run.machine.at.ipcq_slots = slots;
    run.machine.at.ipcq_slot_bytes = 256;
    run.machine.at.engine_queue_depth = depth;
    raw_create(&run);
    raw_launch(&run);
    for (uint32_t rank = 0; rank < p->ranks; rank++) {
        record_rank(&run, p, rank);
        const raw_op barrier = {
            .kind = KB_OP_BARRIER, .blocks = KB_BLOCKS_DONE, .group = run.program->group, .id = 1};
        if (p->has_barrier)
            raw_add(pe(&run, rank), &barrier);
    }
    raw_launch(&run);
    check_status(run.program->status, KB_OK, &run.program->trail);
    raw_simulate(&run);
    kbs_timeless t;
    check_ok(kbs_timeless_init(&t, run.program, &run.trail), &run.trail);
    check_ok(kbs_timeless_play(&t, NULL, ret_ends, &run.trail), &run.trail);
    check_ok(kbs_sizes_uniform(&t, ret_slots, &run.trail), &run.trail);
    kbs_timeless_fini(&t);
    const kb_outcome outcome = run.result.outcome;
    kept_fini(&run);
    return outcome;
}

static void time_does_not_decide_who_comes_to_the_end(void **state) {
    (void)state;
    uint32_t ended = 0, stuck = 0, mended = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        random_source random;
        random_init(&random, seed);
        plan p;
        make(&p, &random);
        const uint64_t depth = (uint64_t)random_between(&random, 1, 4);
        bool ends = false;
        uint64_t least = 0, same = 0;
        const kb_outcome outcome =
            run_with(&p, (uint64_t)random_between(&random, 1, 3), depth, &ends, &least);
        assert_int_equal(outcome, ends ? KB_OUTCOME_COMPLETE : KB_OUTCOME_DEADLOCK);
        ended += ends;
        stuck += !ends && least == 0;
        if (least == 0)
            continue;
        mended += !ends;
        assert_int_equal(run_with(&p, least, depth, &ends, &same), KB_OUTCOME_COMPLETE);
        assert_true(ends && same == least);
        if (least > 1) {
            assert_int_equal(run_with(&p, least - 1, depth, &ends, &same), KB_OUTCOME_DEADLOCK);
            assert_true(!ends && same == least);
        }
    }
    assert_true(ended > 10 && stuck > 10 && mended > 10); /* all of it was tried */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_does_not_decide_who_comes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
