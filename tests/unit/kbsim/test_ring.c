/* SPDX-License-Identifier: Apache-2.0 */
/* The ring all-reduce: which ops it takes, what they claim, how long a small one takes to the picosecond. */
#include <stdlib.h>

#include "coll/algorithms.h"
#include "kept.h"

static void ring_of(kept *run, uint32_t ranks, uint64_t elements) {
    kept_init(run, ranks > 8 ? "cubes=1,pes=16" : "cubes=1,pes=8", ranks);
    run->elements = elements;
    check_ok(kept_record(run, kbs_algorithm_all_reduce_ring.record), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
}

static uint64_t slots_of(uint64_t elements, uint64_t ranks, int64_t chunk) {
    const uint64_t place = (uint64_t)((chunk % (int64_t)ranks + (int64_t)ranks) % (int64_t)ranks);
    const uint64_t count = elements / ranks + (place < elements % ranks);
    return (count + 2047) / 2048; /* f16 in slots of 4096 bytes */
}

typedef struct tally {
    uint64_t of[KB_OP_LIMIT];
} tally;

/* By the page of the algorithm: per step one message out and one in, of so many slots. */
static tally expect(uint64_t ranks, uint64_t elements, int64_t rank) {
    tally t;
    memset(&t, 0, sizeof t);
    t.of[KB_OP_LAUNCH] = t.of[KB_OP_COLL_BEGIN] = t.of[KB_OP_COLL_END] = 1;
    for (int64_t s = 0; s + 1 < (int64_t)ranks; s++) {
        const uint64_t out[] = {slots_of(elements, ranks, rank - s), slots_of(elements, ranks, rank + 1 - s)};
        const uint64_t in[] = {slots_of(elements, ranks, rank - s - 1), slots_of(elements, ranks, rank - s)};
        t.of[KB_OP_MATH] += in[0];
        t.of[KB_OP_DMA_READ] += in[1];
        for (int phase = 0; phase < 2; phase++) {
            t.of[KB_OP_IPCQ_COPY] += out[phase];
            t.of[KB_OP_WAIT] += out[phase] > 0;
            t.of[KB_OP_IPCQ_RECV] += in[phase];
            t.of[KB_OP_IPCQ_RELEASE] += in[phase];
        }
    }
    return t;
}

static void counts_follow_the_closed_form(void **state) {
    (void)state;
    static const uint32_t ranks[] = {1, 2, 3, 5, 8, 16};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        const uint64_t n = ranks[i], elements[] = {0, 1, n - 1, n, 1000, 65537};
        for (size_t j = 0; j < sizeof elements / sizeof elements[0]; j++) {
            static kept run;
            ring_of(&run, ranks[i], elements[j]);
            kept_check(&run);
            for (uint32_t rank = 0; rank < ranks[i]; rank++) {
                const tally expected = expect(n, elements[j], rank);
                tally found;
                memset(&found, 0, sizeof found);
                for (uint64_t k = 0; k < run.counts[rank]; k++)
                    found.of[run.ops[rank][k].what->kind]++;
                assert_memory_equal(&found, &expected, sizeof found);
            }
            kept_fini(&run);
        }
    }
}

/* --- claims ---------------------------------------------------------------------------------- */

static uint32_t claims_of(const kb_op *op, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        count += op->what->claims[i].role == role;
    return count;
}

static void check_claims(const kb_op *op, bool first_math, uint32_t slots) {
    const uint16_t kind = op->what->kind;
    assert_int_equal(claims_of(op, KB_ROLE_LAUNCH), op->index == 1);
    assert_int_equal(claims_of(op, KB_ROLE_COPY), kind == KB_OP_IPCQ_RECV);
    assert_int_equal(claims_of(op, KB_ROLE_CREDIT), kind == KB_OP_IPCQ_COPY && op->sequence >= slots);
    assert_int_equal(claims_of(op, KB_ROLE_ENGINE), kind == KB_OP_MATH && !first_math);
    assert_int_equal(claims_of(op, KB_ROLE_COMPLETION), kind == KB_OP_LAUNCH);
    assert_true((claims_of(op, KB_ROLE_AWAITED) > 0) == (kind == KB_OP_WAIT));
}

/* Whether an op claims something never depends on timing. */
static void claims_are_those_of_the_protocol(void **state) {
    (void)state;
    static kept run;
    for (uint64_t elements = 100; elements <= 70000; elements += 23300) {
        ring_of(&run, 5, elements);
        for (uint32_t rank = 0; rank < 5; rank++) {
            uint64_t maths = 0, copies = 0, receives = 0, releases = 0;
            for (uint64_t i = 0; i < run.counts[rank]; i++) {
                const kb_op *op = &run.ops[rank][i];
                check_claims(op, maths == 0, 4);
                maths += op->what->kind == KB_OP_MATH;
                if (op->what->kind == KB_OP_IPCQ_COPY)
                    assert_int_equal(op->sequence, copies++);
                if (op->what->kind == KB_OP_IPCQ_RECV)
                    assert_int_equal(op->sequence, receives++);
                if (op->what->kind == KB_OP_IPCQ_RELEASE)
                    assert_int_equal(op->sequence, releases++);
            }
        }
        kept_fini(&run);
    }
}

/* --- time ------------------------------------------------------------------------------------ */

/* Two neighbours and one message a phase, on an idle machine: every latency of the model, once. */
static void a_small_ring_takes_what_its_parameters_say(void **state) {
    (void)state;
    static kept run;
    ring_of(&run, 2, 2000);
    kept_check(&run);
    const int64_t dispatch = 4000, launch = 2277583, bytes = 2000;
    /* read port, into the mesh, one pitch, out of it, write port; narrowest 256 GB/s; slot at 512 GB/s */
    const int64_t way = 1 + 1000 + 1284 + 1 + 1, narrowest = 7000 + 813, commit = 3907;
    const int64_t copy = way + narrowest + commit;
    const int64_t arrived = launch + dispatch + copy;
    const int64_t math = 8 * 1000; /* 2000 bytes at 256 a cycle; the ports are faster */
    const int64_t reduced = arrived + dispatch + math;
    const int64_t second = reduced + dispatch + dispatch; /* release; wait, whose copy was sent long ago */
    const int64_t arrived_again = second + dispatch + copy;
    const int64_t port = 3500 + 407, dma = 10000 + 2 + 2 + port;
    const int64_t copied = arrived_again + dispatch + dma;
    const int64_t ended = copied + 2 * dispatch;
    const int64_t credit = way + 63; /* 16 bytes at 256 GB/s */
    /* To the M_CPU by one pitch or two, to the IO chiplet by two and UCIe, to the host; either CPU once. */
    const int64_t heard = 1000 + 1284 + 1 + 1000 + 2 * 1284 + 26000 + 204445 + 10000 + 20000;
    (void)bytes;
    for (uint32_t rank = 0; rank < 2; rank++) {
        const kb_op *ops = run.ops[rank];
        assert_int_equal(run.counts[rank], 13);
        assert_int_equal(ops[2].done_ps, arrived);
        assert_int_equal(ops[3].done_ps, arrived);
        assert_int_equal(ops[4].done_ps, reduced);
        assert_int_equal(ops[5].done_ps, reduced + dispatch + credit);
        assert_int_equal(ops[6].done_ps, second);
        assert_int_equal(ops[9].done_ps, copied);
        assert_int_equal(ops[12].done_ps, ended);
        assert_int_equal(ops[12].what->kind, KB_OP_COLL_END);
        assert_int_equal(ops[0].done_ps,
                         heard + rank * 1284 +
                             (ended > copied + dispatch + credit ? ended : copied + dispatch + credit));
    }
    assert_int_equal(run.result.time_ps, run.ops[1][0].done_ps);
    kept_fini(&run);
}

/* Slots on the way are bounded: a long message through one slot pays a round trip a slot. */
static void fewer_slots_take_longer(void **state) {
    (void)state;
    int64_t before_ps = INT64_MAX;
    for (uint32_t slots = 1; slots <= 8; slots *= 2) {
        static kept run;
        kept_init(&run, "cubes=2x1,pes=8", 16);
        run.elements = 1 << 18;
        run.machine.at.ipcq_slots = slots;
        check_ok(kept_record(&run, kbs_algorithm_all_reduce_ring.record), &run.trail);
        check_ok(kept_simulate(&run), &run.trail);
        kept_check(&run);
        assert_true(run.result.time_ps <= before_ps);
        if (slots == 2)
            assert_true(run.result.time_ps < before_ps);
        before_ps = run.result.time_ps;
        kept_fini(&run);
    }
}

static void records_are_the_same_from_run_to_run(void **state) {
    (void)state;
    static kept a, b;
    ring_of(&a, 8, 65537);
    ring_of(&b, 8, 65537);
    for (uint32_t rank = 0; rank < 8; rank++) {
        assert_int_equal(a.counts[rank], b.counts[rank]);
        for (uint64_t i = 0; i < a.counts[rank]; i++) {
            const kb_op *x = &a.ops[rank][i], *y = &b.ops[rank][i];
            assert_true(x->issue_ps == y->issue_ps && x->start_ps == y->start_ps &&
                        x->sent_ps == y->sent_ps && x->done_ps == y->done_ps);
            assert_int_equal(x->what->why_count, y->what->why_count);
            for (uint32_t w = 0; w < x->what->why_count; w++) {
                assert_int_equal(x->blames[w].ps, y->blames[w].ps);
                assert_int_equal(x->blames[w].resource, y->blames[w].resource);
                assert_int_equal(x->blames[w].op, y->blames[w].op);
            }
        }
    }
    kept_fini(&a);
    kept_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow_the_closed_form),
        cmocka_unit_test(claims_are_those_of_the_protocol),
        cmocka_unit_test(a_small_ring_takes_what_its_parameters_say),
        cmocka_unit_test(fewer_slots_take_longer),
        cmocka_unit_test(records_are_the_same_from_run_to_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
