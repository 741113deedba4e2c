/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs on random machines: they end, every op's time is accounted for, and which ops there are
 * and what they claim is the same on every machine: timing decides times, and nothing else.
 *
 * Messages have one order for all. Each rank sends and receives its own of them in that order, so whatever
 * the slots and lines there is always one message that can go on.
 */
#include "support/random.h"

#include "kept.h"

enum { MESSAGES = 120, PROGRAMS = 60, MACHINES = 3 };

typedef struct message {
    uint32_t from, to, channel;
    uint64_t first, elements;
    bool waits_at_once, blocks, reduces;
} message;

static struct {
    message messages[MESSAGES];
    uint32_t count;
} plan;

static void send_one(kb_coll *c, const message *m, tl_token *token) {
    const tl_queue to = tl_queue_to_on(c, m->to, m->channel);
    const tl_view view = tl_slice(c, c->buffer, m->first, m->elements);
    if (m->blocks) {
        tl_send(c, to, view);
        return;
    }
    *token = tl_send_async(c, to, view);
    if (!m->waits_at_once)
        return;
    tl_wait_sent(c, *token);
    *token = (tl_token){0, 0, c->rank};
}

static void receive_one(kb_coll *c, const message *m) {
    const tl_queue from = tl_queue_from_on(c, m->from, m->channel);
    const tl_view in = tl_recv(c, from), view = tl_slice(c, c->buffer, m->first, m->elements);
    if (m->reduces)
        tl_reduce(c, view, in);
    else
        tl_copy(c, view, in);
    tl_release(c, from);
}

static void kernel(kb_coll *c) {
    tl_token tokens[MESSAGES];
    memset(tokens, 0, sizeof tokens);
    for (uint32_t i = 0; i < plan.count; i++) {
        const message *m = &plan.messages[i];
        tl_step(c, m->reduces ? "reducing" : "copying", i);
        if (m->from == c->rank)
            send_one(c, m, &tokens[i]);
        else if (m->to == c->rank)
            receive_one(c, m);
    }
    for (uint32_t i = plan.count; i-- > 0;) /* in another order than they were sent */
        tl_wait(c, tokens[i]);
}

static void make_plan(random_source *random, uint32_t ranks, uint64_t elements) {
    plan.count = (uint32_t)random_between(random, 1, MESSAGES);
    for (uint32_t i = 0; i < plan.count; i++) {
        message *m = &plan.messages[i];
        m->from = (uint32_t)random_below(random, ranks);
        m->to = (m->from + 1 + (uint32_t)random_below(random, ranks - 1)) % ranks;
        m->channel = random_once_in(random, 4) ? 7 : 0;
        m->elements = random_once_in(random, 10) ? 0 : random_below(random, elements / 2);
        m->first = random_below(random, elements - m->elements);
        m->waits_at_once = random_once_in(random, 3);
        /* A blocking send of more than the ring holds needs its receiver there: it is, by the order. */
        m->blocks = random_once_in(random, 6);
        m->reduces = random_once_in(random, 2);
    }
}

static void make_machine(random_source *random, kbs_machine *machine, uint64_t slots, uint64_t slot_bytes) {
    machine->at.ipcq_slots = slots;
    machine->at.ipcq_slot_bytes = slot_bytes;
    machine->at.fabric_packet_bytes = (uint64_t)random_between(random, 100, 5000);
    machine->at.fabric_flit_bytes = (uint64_t)random_between(random, 16, 512);
    machine->at.noc_link_gbps = (uint64_t)random_between(random, 1, 500) * KBS_MILLION;
    machine->at.tcm_read_gbps = (uint64_t)random_between(random, 1, 500) * KBS_MILLION;
    machine->at.engine_queue_depth = (uint64_t)random_between(random, 1, 4);
    machine->at.pe_cpu_dispatch_ns = random_below(random, 10) * KBS_MILLION;
    machine->at.dma_reads_outstanding = (uint64_t)random_between(random, 1, 4);
    machine->at.ipcq_max_queues = 16;
    machine->at.ipcq_backpressure = random_below(random, 2);
    machine->at.ipcq_poll_ns = (uint64_t)random_between(random, 1, 50000) * 1000;
    machine->at.ipcq_credit_path = random_below(random, 2);
    machine->at.ipcq_credit_bytes = random_below(random, 300);
    machine->at.host_launch_ns = random_below(random, 2) * KBS_MILLION;
}

/* Of each queue no more slots are in use than there are, from a copy's start to its credit's arrival. */
static void check_slots(const kept *run, uint64_t slots) {
    for (uint32_t rank = 0; rank < run->ranks; rank++)
        for (uint64_t i = 0; i < run->counts[rank]; i++) {
            const kb_op *copy = &run->ops[rank][i];
            if (copy->what->kind != KB_OP_IPCQ_COPY || copy->sequence < slots)
                continue;
            const uint32_t to = run->program->queues[copy->what->queue].consumer;
            bool found = false;
            for (uint64_t k = 0; k < run->counts[to] && !found; k++) {
                const kb_op *release = &run->ops[to][k];
                found = release->what->kind == KB_OP_IPCQ_RELEASE &&
                        release->what->queue == copy->what->queue &&
                        release->sequence == copy->sequence - slots;
                assert_true(!found || release->done_ps <= copy->start_ps);
            }
            assert_true(found);
        }
}

static void compare(const kept *a, const kept *b) {
    for (uint32_t rank = 0; rank < a->ranks; rank++) {
        assert_int_equal(a->counts[rank], b->counts[rank]);
        for (uint64_t i = 0; i < a->counts[rank]; i++) {
            const kb_op *x = &a->ops[rank][i], *y = &b->ops[rank][i];
            assert_int_equal(x->what->kind, y->what->kind);
            assert_int_equal(x->sequence, y->sequence);
            assert_int_equal(x->what->claim_count, y->what->claim_count);
            for (uint32_t c = 0; c < x->what->claim_count; c++) {
                assert_memory_equal(&x->what->claims[c], &y->what->claims[c], sizeof(kb_claim));
                assert_int_equal(x->claimed[c], y->claimed[c]);
            }
            for (uint32_t o = 0; o < x->what->operand_count; o++)
                assert_int_equal(x->offsets[o], y->offsets[o]);
        }
    }
}

static void programs_end_and_claims_do_not_depend_on_time(void **state) {
    (void)state;
    static kept runs[MACHINES];
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        random_source random;
        random_init(&random, seed);
        const uint32_t ranks = (uint32_t)random_between(&random, 2, 8);
        const uint64_t elements = (uint64_t)random_between(&random, 2, 1200);
        const uint64_t slots = (uint64_t)random_between(&random, 1, 4);
        const uint64_t slot_bytes = (uint64_t)random_between(&random, 100, 600) * 2;
        const uint64_t ring = random_below(&random, 3);
        make_plan(&random, ranks, elements);
        for (int i = 0; i < MACHINES; i++) {
            kept_init(&runs[i], i == 0 ? "cubes=1,pes=8" : "cubes=2x2,pes=2", ranks);
            runs[i].elements = elements;
            make_machine(&random, &runs[i].machine, slots, slot_bytes);
            runs[i].machine.at.ipcq_ring = ring; /* a part of the program: operands lie in it */
            check_ok(kept_record(&runs[i], kernel), &runs[i].trail);
            check_ok(kept_simulate(&runs[i]), &runs[i].trail);
            kept_check(&runs[i]);
            check_slots(&runs[i], slots);
        }
        for (int i = 1; i < MACHINES; i++)
            compare(&runs[0], &runs[i]);
        for (int i = 0; i < MACHINES; i++)
            kept_fini(&runs[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_end_and_claims_do_not_depend_on_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
