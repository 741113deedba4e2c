/* SPDX-License-Identifier: Apache-2.0 */
/* Queues: the bandwidth that a ring allows, credits on both paths, polling, message lengths, channels. */
#include <stdio.h>

#include "kept.h"

enum { MEMORIES = 3 };

static const kb_op *find(const kept *run, uint32_t rank, uint32_t kind, uint64_t which) {
    for (uint64_t i = 0; i < run->counts[rank]; i++)
        if (run->ops[rank][i].what->kind == kind && which-- == 0)
            return &run->ops[rank][i];
    return NULL;
}

static int64_t why_of(const kb_op *op, uint32_t cause) {
    int64_t sum_ps = 0;
    for (uint32_t i = 0; i < op->what->why_count; i++)
        sum_ps += op->what->whys[i].cause == cause ? op->blames[i].ps : 0;
    return sum_ps;
}

static void simulate(kept *run, void (*kernel)(kb_coll *c)) {
    check_ok(kept_record(run, kernel), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
    kept_check(run);
}

/* Whom the part of an op's time blames that went to a cause. */
static uint64_t blamed_for(const kb_op *op, uint32_t cause, uint32_t rank) {
    for (uint32_t i = 0; i < op->what->why_count; i++)
        if (op->what->whys[i].cause == cause && op->what->whys[i].blames && op->blames[i].rank == rank)
            return op->blames[i].op;
    return UINT64_MAX;
}

static uint64_t claimed_as(const kb_op *op, uint32_t role, uint32_t rank) {
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == role && op->what->claims[i].rank == rank)
            return op->claimed[i];
    return UINT64_MAX;
}

/* The copy of message s held its slot from its start on, and had the credit for it. */
static void check_credit(const kb_op *copy, const kb_op *release, uint32_t to) {
    const int64_t waited_ps = why_of(copy, KB_CAUSE_CREDIT);
    assert_true(copy->start_ps >= release->done_ps);
    assert_int_equal(claimed_as(copy, KB_ROLE_CREDIT, to), release->index);
    if (waited_ps == 0)
        return;
    assert_int_equal(copy->start_ps - why_of(copy, KB_CAUSE_POLL), release->done_ps);
    assert_int_equal(blamed_for(copy, KB_CAUSE_CREDIT, to), release->index);
}

/* Nobody starts before what it awaits, all name it, and no more slots are in use than there are. */
static void check_queue(const kept *run, uint32_t from, uint32_t to, uint64_t slots) {
    for (uint64_t s = 0; find(run, from, KB_OP_IPCQ_COPY, s) != NULL; s++) {
        const kb_op *copy = find(run, from, KB_OP_IPCQ_COPY, s), *recv = find(run, to, KB_OP_IPCQ_RECV, s),
                    *release = find(run, to, KB_OP_IPCQ_RELEASE, s);
        assert_true(recv->start_ps >= copy->done_ps && recv->done_ps == recv->start_ps);
        assert_int_equal(claimed_as(recv, KB_ROLE_COPY, from), copy->index);
        if (why_of(recv, KB_CAUSE_RING_EMPTY) > 0) {
            assert_int_equal(recv->start_ps - why_of(recv, KB_CAUSE_POLL), copy->done_ps);
            assert_int_equal(blamed_for(recv, KB_CAUSE_RING_EMPTY, from), copy->index);
        }
        assert_true(release->start_ps >= recv->done_ps && release->done_ps > release->start_ps);
        if (s >= slots)
            check_credit(copy, find(run, to, KB_OP_IPCQ_RELEASE, s - slots), to);
        else
            assert_int_equal(claimed_as(copy, KB_ROLE_CREDIT, to), UINT64_MAX);
    }
}

/* --- bandwidth ------------------------------------------------------------------------------- */

enum { MESSAGES = 48 };

/* One message of many slots, reduced slot by slot. */
static void stream(kb_coll *c) {
    if (c->rank == 0) {
        tl_send(c, tl_queue_to(c, 1), c->buffer);
    } else {
        tl_view in = tl_recv(c, tl_queue_from(c, 0));
        tl_reduce(c, c->buffer, in);
        tl_release(c, tl_queue_from(c, 0));
    }
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/*
 * A slot goes around in the message's way, its use, and its credit's way; `slots` of them at a time. So in
 * the steady state a slot takes a `slots`-th of that, or as long as the slowest of injecting, the narrowest
 * link and using, whichever is longest: not a picosecond more or less.
 */
static void check_bound(const kept *run, uint64_t slots, int64_t narrowest_ps) {
    const kb_op *copy = find(run, 0, KB_OP_IPCQ_COPY, 0), *math = find(run, 1, KB_OP_MATH, 0),
                *release = find(run, 1, KB_OP_IPCQ_RELEASE, 0);
    const int64_t dispatch_ps = 4000, use_ps = math->done_ps - math->start_ps + 3 * dispatch_ps;
    const int64_t around_ps = release->done_ps - copy->start_ps;
    assert_int_equal(release->start_ps - copy->done_ps, use_ps - dispatch_ps); /* the receive stood ready */
    const int64_t inject_ps = copy->sent_ps - copy->start_ps;
    const int64_t busy_ps = most(most(inject_ps, narrowest_ps), use_ps);
    const int64_t turns = 2, from = MESSAGES - 1 - turns * (int64_t)slots;
    const int64_t begun_ps = find(run, 1, KB_OP_IPCQ_RELEASE, (uint64_t)from)->done_ps;
    const int64_t took_ps = find(run, 1, KB_OP_IPCQ_RELEASE, MESSAGES - 1)->done_ps - begun_ps;
    assert_int_equal(took_ps, most(turns * around_ps, turns * (int64_t)slots * busy_ps));
    for (uint64_t s = 0; s + slots < MESSAGES; s++) /* and never is it faster than that */
        assert_true(find(run, 0, KB_OP_IPCQ_COPY, s + slots)->start_ps -
                        find(run, 0, KB_OP_IPCQ_COPY, s)->start_ps >=
                    around_ps);
}

static void a_ring_carries_its_slots_a_round_trip(void **state) {
    (void)state;
    static const uint64_t sizes[] = {64, 1000, 4096, 16384};
    static kept run;
    for (uint64_t memory = 0; memory < MEMORIES; memory++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            for (uint64_t slots = 1; slots <= 8; slots++) {
                kept_init(&run, "cubes=2x1,pes=1", 2);
                run.machine.at.ipcq_ring = memory;
                run.machine.at.ipcq_slots = slots;
                run.machine.at.ipcq_slot_bytes = sizes[i];
                run.elements = MESSAGES * sizes[i] / 2;
                simulate(&run, stream);
                check_queue(&run, 0, 1, slots);
                /* 128 GB/s between cubes and into an SRAM; whole flits of 2 ns, and a part of one */
                const int64_t flits = (int64_t)(sizes[i] - 1) / 256, rest = (int64_t)sizes[i] - flits * 256;
                check_bound(&run, slots, flits * 2000 + (2000 * rest + 255) / 256);
                kept_fini(&run);
            }
}

/* --- time of one message --------------------------------------------------------------------- */

static uint32_t far; /* the rank that rank 0 speaks to */

static void speak_far(kb_coll *c) {
    if (c->rank == 0)
        tl_send(c, tl_queue_to(c, far), c->buffer);
    if (c->rank != far)
        return;
    tl_view in = tl_recv(c, tl_queue_from(c, 0));
    tl_reduce(c, c->buffer, in);
    tl_release(c, tl_queue_from(c, 0));
}

static int64_t longest_of(const kbs_fabric *fabric, uint32_t route, uint64_t bytes) {
    return kbs_route_time(fabric->routes[route], bytes);
}

/* A message takes its hops, its bytes at the narrowest link, and settles; a credit the first two. */
static void an_idle_way_takes_the_closed_form(void **state) {
    (void)state;
    static const int64_t settle_ps[MEMORIES] = {391, 1563 + 2000, 782 + 6000}; /* 200 bytes */
    static kept run;
    for (far = 1; far < 32; far += 5)
        for (uint64_t memory = 0; memory < MEMORIES; memory++)
            for (uint64_t path = KBS_CREDIT_FAST; path <= KBS_CREDIT_VC; path++)
                for (uint64_t bytes = 0; bytes <= 16; bytes += 16) {
                    kept_init(&run, "cubes=2x2,pes=8", 32);
                    run.machine.at.ipcq_ring = memory;
                    run.machine.at.ipcq_credit_path = path;
                    run.machine.at.ipcq_credit_bytes = bytes;
                    simulate(&run, speak_far);
                    const kbs_fabric *fabric = &run.program->fabric;
                    const kb_op *copy = find(&run, 0, KB_OP_IPCQ_COPY, 0);
                    assert_int_equal(copy->done_ps - copy->start_ps,
                                     fabric->routes[copy->what->route]->latency_ps +
                                         longest_of(fabric, copy->what->route, 200) + settle_ps[memory]);
                    assert_int_equal(why_of(copy, KB_CAUSE_COMMIT), settle_ps[memory]);
                    assert_int_equal(why_of(copy, KB_CAUSE_HOP),
                                     fabric->routes[copy->what->route]->latency_ps);
                    assert_int_equal(why_of(copy, KB_CAUSE_SERIALISATION),
                                     longest_of(fabric, copy->what->route, 200));
                    const kb_op *release = find(&run, far, KB_OP_IPCQ_RELEASE, 0);
                    const kbs_queue *queue = &run.program->queues[0];
                    if (memory == KBS_RING_TCM)
                        assert_int_equal(queue->credit_latency_ps, queue->route->back_ps);
                    if (queue->back != NULL)
                        assert_int_equal(queue->credit_latency_ps, queue->back->latency_ps);
                    assert_int_equal(release->done_ps - release->start_ps,
                                     queue->credit_latency_ps + queue->credit_time_ps);
                    assert_int_equal(why_of(release, KB_CAUSE_HOP), queue->credit_latency_ps);
                    assert_true((queue->credit_time_ps > 0) == (bytes > 0));
                    const bool packet = path == KBS_CREDIT_VC && bytes > 0;
                    assert_int_equal(release->what->route, packet ? queue->back->id : KB_NONE);
                    if (packet)
                        assert_int_equal(longest_of(fabric, queue->back->id, 16), queue->credit_time_ps);
                    kept_fini(&run);
                }
}

/* --- credits on the links -------------------------------------------------------------------- */

/* Both send each other much: credits meet the data that go the same way. */
static void both_ways(kb_coll *c) {
    const uint32_t peer = 1 - c->rank;
    tl_token sent = tl_send_async(c, tl_queue_to(c, peer), c->buffer);
    tl_view in = tl_recv(c, tl_queue_from(c, peer));
    tl_copy(c, c->buffer, in);
    tl_release(c, tl_queue_from(c, peer));
    tl_wait_sent(c, sent);
}

static void credits_on_the_links_wait_their_turn(void **state) {
    (void)state;
    static kept fast, vc;
    kept *const runs[] = {&fast, &vc};
    for (uint64_t path = KBS_CREDIT_FAST; path <= KBS_CREDIT_VC; path++) {
        kept *run = runs[path];
        kept_init(run, "cubes=2x1,pes=1", 2);
        run->elements = 100000;
        run->machine.at.ipcq_credit_path = path;
        simulate(run, both_ways);
        check_queue(run, 0, 1, 4);
        check_queue(run, 1, 0, 4);
    }
    int64_t waited_ps = 0;
    for (uint64_t s = 0; find(&vc, 0, KB_OP_IPCQ_RELEASE, s) != NULL; s++) {
        const kb_op *beside = find(&fast, 0, KB_OP_IPCQ_RELEASE, s);
        const kb_op *among = find(&vc, 0, KB_OP_IPCQ_RELEASE, s);
        const int64_t idle_ps = beside->done_ps - beside->start_ps;
        waited_ps += why_of(among, KB_CAUSE_CONTENTION) + why_of(among, KB_CAUSE_PORT);
        assert_true(among->done_ps - among->start_ps >= idle_ps);
        assert_true(among->sent_ps > among->start_ps && among->sent_ps < among->done_ps);
    }
    assert_true(waited_ps > 0);
    assert_true(vc.result.time_ps > fast.result.time_ps);
    kept_fini(&fast);
    kept_fini(&vc);
}

/* A credit that is longer than a packet comes back when its last one does, and in order. */
static void a_credit_may_be_several_packets(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=2x1,pes=1", 2);
    run.elements = 5000;
    run.machine.at.fabric_packet_bytes = 256;
    run.machine.at.ipcq_credit_bytes = 1000;
    run.machine.at.ipcq_credit_path = KBS_CREDIT_VC;
    simulate(&run, stream);
    check_queue(&run, 0, 1, 4);
    const kb_op *release = find(&run, 1, KB_OP_IPCQ_RELEASE, 0);
    const kbs_route *back = run.program->queues[0].back;
    /* 3 packets of a flit, and 232 bytes: 2 ns a flit at the narrowest, 0.5 ns at the port */
    assert_int_equal(release->done_ps - release->start_ps, back->latency_ps + 3 * 2000 + 1813);
    assert_int_equal(release->sent_ps - release->start_ps, 3 * 500 + 454);
    kept_fini(&run);
}

/* --- polling --------------------------------------------------------------------------------- */

static void who_polls_sees_at_its_next_look(void **state) {
    (void)state;
    static kept run;
    const int64_t dispatch_ps = 4000;
    for (int64_t poll_ps = 1000; poll_ps <= 100000; poll_ps = poll_ps * 3 + 1) {
        kept_init(&run, "cubes=2x1,pes=1", 2);
        run.elements = 40000;
        run.machine.at.ipcq_slots = 2;
        run.machine.at.ipcq_backpressure = KBS_PRESSURE_POLL;
        run.machine.at.ipcq_poll_ns = (uint64_t)poll_ps * 1000;
        simulate(&run, stream);
        check_queue(&run, 0, 1, 2);
        int64_t free_ps = 0, looked_ps = 0;
        for (uint64_t s = 0; s < 20; s++) {
            const kb_op *copy = find(&run, 0, KB_OP_IPCQ_COPY, s), *recv = find(&run, 1, KB_OP_IPCQ_RECV, s);
            const int64_t first_ps = recv->issue_ps + dispatch_ps, waited_ps = recv->start_ps - first_ps;
            assert_int_equal(waited_ps % poll_ps, 0);
            assert_true(waited_ps == 0 || recv->start_ps - copy->done_ps < poll_ps);
            assert_int_equal(why_of(recv, KB_CAUSE_POLL),
                             waited_ps == 0 ? 0 : recv->start_ps - copy->done_ps);
            assert_int_equal(why_of(recv, KB_CAUSE_RING_EMPTY) + why_of(recv, KB_CAUSE_POLL), waited_ps);
            const int64_t turn_ps = most(copy->issue_ps + dispatch_ps, free_ps);
            assert_int_equal((copy->start_ps - turn_ps) % poll_ps, 0);
            if (s >= 2 && copy->start_ps > turn_ps)
                assert_int_equal(why_of(copy, KB_CAUSE_POLL),
                                 copy->start_ps - find(&run, 1, KB_OP_IPCQ_RELEASE, s - 2)->done_ps);
            looked_ps += why_of(copy, KB_CAUSE_POLL) + why_of(recv, KB_CAUSE_POLL);
            free_ps = copy->sent_ps;
        }
        assert_true(looked_ps > 0);
        kept_fini(&run);
    }
}

/* --- lengths --------------------------------------------------------------------------------- */

static void messages_of_any_length_take_whole_slots(void **state) {
    (void)state;
    static kept run;
    for (uint64_t slots = 1; slots <= 3; slots++)
        for (uint64_t elements = 1; elements <= 500;
             elements = elements < 130 ? elements + 1 : elements + 61) {
            kept_init(&run, "cubes=1,pes=2", 2);
            run.elements = elements;
            run.machine.at.ipcq_slots = slots;
            run.machine.at.ipcq_slot_bytes = 128; /* 64 elements */
            simulate(&run, both_ways);
            check_queue(&run, 0, 1, slots);
            uint64_t sum = 0, count = 0;
            for (const kb_op *copy; (copy = find(&run, 0, KB_OP_IPCQ_COPY, count)) != NULL; count++) {
                const uint64_t part = copy->what->operands[0].shape[0];
                assert_true(part == 64 || sum + part == elements);
                assert_int_equal(find(&run, 1, KB_OP_IPCQ_RECV, count)->what->operands[0].shape[0], part);
                sum += part;
            }
            assert_int_equal(sum, elements);
            assert_int_equal(count, (elements + 63) / 64);
            kept_fini(&run);
        }
}

/* What lies in HBM comes into scratch in pieces; sending it on does not hold the sender all the same. */
static void far_message(kb_coll *c) {
    if (c->rank == 1) {
        const tl_queue from = tl_queue_from(c, 0);
        tl_barrier(c);
        tl_copy(c, c->buffer, tl_recv(c, from));
        tl_release(c, from);
        return;
    }
    tl_view view = c->buffer;
    view.memory = kbs_memory_of(c->stream->program, KB_SPACE_HBM, c->rank);
    const tl_token sent = tl_send_async(c, tl_queue_to(c, 1), view);
    tl_barrier(c);
    tl_wait_sent(c, sent);
}

static void a_message_in_pieces_is_one_entry_of_its_line(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=2", 2);
    run.elements = 3000;
    run.machine.at.engine_queue_depth = 1;
    run.machine.at.scratch_bytes = 16384; /* a piece is 1024 bytes */
    run.machine.at.ipcq_slots = 2;
    run.machine.at.ipcq_slot_bytes = 512;
    simulate(&run, far_message);
    assert_non_null(find(&run, 0, KB_OP_IPCQ_COPY, 11));
    check_queue(&run, 0, 1, 2);
    kept_fini(&run);
}

/* Rank 0 sends its own elements, and then what it got, which has a shorter way: from SRAM to SRAM. */
static void send_on(kb_coll *c) {
    const uint32_t other = 1 - c->rank;
    const tl_queue to = tl_queue_to(c, other), from = tl_queue_from(c, other);
    const tl_view own = tl_slice(c, c->buffer, 0, 40), rest = tl_slice(c, c->buffer, 40, 8);
    if (c->rank == 0) {
        const tl_view in = tl_recv(c, from);
        tl_copy(c, rest, in);
        const tl_token sent[] = {tl_send_async(c, to, own), tl_send_async(c, to, in)};
        tl_wait_sent(c, sent[0]);
        tl_wait_sent(c, sent[1]);
        tl_release(c, from);
        return;
    }
    tl_send(c, to, rest);
    tl_copy(c, own, tl_recv(c, from));
    tl_release(c, from);
    tl_copy(c, rest, tl_recv(c, from));
    tl_release(c, from);
}

static void messages_that_overtake_each_other_keep_their_slots(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    run.machine.at.ipcq_ring = KBS_RING_SRAM;
    run.machine.at.noc_router_ns = 50 * KBS_MILLION;
    simulate(&run, send_on);
    assert_true(find(&run, 0, KB_OP_IPCQ_COPY, 1)->done_ps < find(&run, 0, KB_OP_IPCQ_COPY, 0)->done_ps);
    assert_int_equal(claimed_as(find(&run, 1, KB_OP_IPCQ_RECV, 0), KB_ROLE_COPY, 0),
                     find(&run, 0, KB_OP_IPCQ_COPY, 0)->index);
    kept_fini(&run);
}

/* --- several queues between two PEs ------------------------------------------------------------ */

/* Channel 1 is used while the ring of channel 0 is full, and the other way round at the receiver. */
static void two_channels(kb_coll *c) {
    tl_view a = tl_slice(c, c->buffer, 0, 64), b = tl_slice(c, c->buffer, 64, 36);
    if (c->rank == 0) {
        tl_token sent[6];
        for (int i = 0; i < 3; i++)
            sent[i] = tl_send_async(c, tl_queue_to(c, 1), a);
        for (int i = 3; i < 6; i++)
            sent[i] = tl_send_async(c, tl_queue_to_on(c, 1, 1), b);
        for (int i = 0; i < 6; i++)
            tl_wait_sent(c, sent[i]);
        return;
    }
    for (int i = 0; i < 6; i++) {
        tl_queue from = tl_queue_from_on(c, 0, i < 3 ? 1 : 0);
        tl_view in = tl_recv(c, from);
        tl_reduce(c, i < 3 ? b : a, in);
        tl_release(c, from);
    }
}

static void channels_are_queues_of_their_own(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=2", 2);
    run.machine.at.ipcq_slots = 1;
    simulate(&run, two_channels);
    assert_int_equal(run.program->queue_count, 2);
    const kb_queue *rows = run.program->defs.queues;
    assert_string_equal(rows[0].name, "pe0>pe1");
    assert_string_equal(rows[1].name, "pe0>pe1.1");
    assert_int_equal(rows[1].channel, 1);
    assert_true(rows[0].offset_bytes + rows[0].slots * rows[0].slot_bytes <= rows[1].offset_bytes);
    for (uint64_t s = 0; s < 6; s++) {
        assert_int_equal(find(&run, 0, KB_OP_IPCQ_COPY, s)->sequence, s % 3);
        assert_int_equal(find(&run, 0, KB_OP_IPCQ_COPY, s)->what->queue, s / 3);
        assert_int_equal(find(&run, 1, KB_OP_IPCQ_RECV, s)->sequence, s % 3);
    }
    /* What channel 1 carries did not wait for channel 0's receiver. */
    assert_true(find(&run, 0, KB_OP_IPCQ_COPY, 5)->start_ps < find(&run, 0, KB_OP_IPCQ_COPY, 1)->start_ps);
    kept_fini(&run);
}

/* --- order of creation ----------------------------------------------------------------------- */

static bool backwards;

static void all_to_all(kb_coll *c) {
    tl_token sent[8];
    for (uint32_t i = 1; i < c->ranks; i++) { /* only asks for them */
        const int64_t distance = backwards ? (int64_t)c->ranks - i : i;
        tl_queue_to(c, rank_at(c, distance));
        tl_queue_from(c, rank_at(c, distance));
    }
    for (uint32_t i = 1; i < c->ranks; i++)
        sent[i] = tl_send_async(c, tl_queue_to(c, rank_at(c, i)), tl_slice(c, c->buffer, 3000, 3000));
    for (uint32_t i = 1; i < c->ranks; i++) {
        tl_view in = tl_recv(c, tl_queue_from(c, rank_at(c, -(int64_t)i)));
        tl_reduce(c, tl_slice(c, c->buffer, 0, 3000), in);
        tl_release(c, tl_queue_from(c, rank_at(c, -(int64_t)i)));
    }
    for (uint32_t i = 1; i < c->ranks; i++)
        tl_wait_sent(c, sent[i]);
}

static void times_do_not_depend_on_the_order_of_creation(void **state) {
    (void)state;
    static kept runs[2];
    for (uint64_t path = KBS_CREDIT_FAST; path <= KBS_CREDIT_VC; path++) {
        for (int i = 0; i < 2; i++) {
            kept_init(&runs[i], "cubes=2x2,pes=2", 8);
            runs[i].elements = 6000;
            runs[i].machine.at.ipcq_credit_path = path;
            backwards = i == 1;
            simulate(&runs[i], all_to_all);
        }
        assert_true(runs[0].program->queues[1].producer != runs[1].program->queues[1].producer ||
                    runs[0].program->queues[1].consumer != runs[1].program->queues[1].consumer);
        for (uint32_t rank = 0; rank < 8; rank++) {
            assert_int_equal(runs[0].counts[rank], runs[1].counts[rank]);
            for (uint64_t i = 0; i < runs[0].counts[rank]; i++) {
                const kb_op *x = &runs[0].ops[rank][i], *y = &runs[1].ops[rank][i];
                assert_true(x->issue_ps == y->issue_ps && x->start_ps == y->start_ps &&
                            x->sent_ps == y->sent_ps && x->done_ps == y->done_ps);
                assert_int_equal(x->what->kind, y->what->kind);
            }
        }
        kept_fini(&runs[0]);
        kept_fini(&runs[1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_carries_its_slots_a_round_trip),
        cmocka_unit_test(an_idle_way_takes_the_closed_form),
        cmocka_unit_test(credits_on_the_links_wait_their_turn),
        cmocka_unit_test(a_credit_may_be_several_packets),
        cmocka_unit_test(who_polls_sees_at_its_next_look),
        cmocka_unit_test(messages_of_any_length_take_whole_slots),
        cmocka_unit_test(a_message_in_pieces_is_one_entry_of_its_line),
        cmocka_unit_test(messages_that_overtake_each_other_keep_their_slots),
        cmocka_unit_test(channels_are_queues_of_their_own),
        cmocka_unit_test(times_do_not_depend_on_the_order_of_creation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
