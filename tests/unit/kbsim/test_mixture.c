/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs of every kind of op, on random machines, over several launches: they end; every op's time
 * is accounted for; and which ops there are and whom they claim is the same on every machine.
 */
#include "support/random.h"

#include "raw.h"
#include "record/view.h"

enum { PROGRAMS = 80, MACHINES = 2, MOST_RANKS = 6, MOST_STEPS = 40, ROOM = 4096 };

typedef struct kernel {
    tl_stream *stream;
} kernel;

typedef struct plan {
    uint64_t seed;
    uint32_t ranks, steps, launches;
    uint64_t next_id; /* of barriers and allocations */
} plan;

/* --- commands of a PE ------------------------------------------------------------------------ */

static kb_operand vector(const kept *run, uint32_t rank, uint32_t space, uint8_t access, uint64_t elements) {
    return kb_operand_vector(kbs_memory_of(run->program, space, rank), access, KB_DTYPE_F16, elements);
}

static void add_math(const kept *run, uint32_t rank, random_source *random) {
    raw_op op = {.kind = KB_OP_MATH, .blocks = KB_BLOCKS_DONE};
    op.func = (uint32_t)random_between(random, KB_FUNC_COPY, KB_FUNC_FMA);
    const uint64_t elements = random_below(random, 2000);
    op.operand_count = (uint32_t)random_between(random, 1, 4);
    for (uint32_t i = 0; i < op.operand_count; i++) {
        const uint32_t space = i > 0 && random_once_in(random, 6) ? KB_SPACE_SRAM : KB_SPACE_TCM;
        op.operands[i] = vector(run, rank, space, i > 0 ? KB_ACCESS_READ : KB_ACCESS_WRITE, elements);
        op.offsets[i] = 2 * random_below(random, ROOM);
    }
    raw_add(pe(run, rank), &op);
}

static void add_gemm(const kept *run, uint32_t rank, random_source *random) {
    const uint64_t m = (uint64_t)random_between(random, 1, 80), n = (uint64_t)random_between(random, 1, 80);
    const uint64_t k = random_below(random, 200);
    const bool adds = random_once_in(random, 2);
    raw_op op = {.kind = KB_OP_GEMM, .blocks = KB_BLOCKS_DONE, .operand_count = 3};
    op.flags = adds ? KB_FLAG_ACCUMULATE : 0;
    op.operands[0] =
        raw_operand(run, KB_SPACE_TCM, adds ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE, KB_DTYPE_F32, m, n);
    op.operands[1] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_READ, KB_DTYPE_BF16, m, k);
    op.operands[2] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_READ, KB_DTYPE_BF16, k, n);
    for (uint32_t i = 0; i < 3; i++)
        op.operands[i].memory = kbs_memory_of(run->program, KB_SPACE_TCM, rank);
    raw_add(pe(run, rank), &op);
}

/* An op that does not hold the stream up, and sometimes a fence behind it. */
static void add_async(const kept *run, uint32_t rank, random_source *random) {
    raw_op op = {.kind = KB_OP_MATH, .func = KB_FUNC_EXP, .blocks = KB_BLOCKS_NO, .numbered = true};
    op.operand_count = 2;
    op.operands[0] = vector(run, rank, KB_SPACE_TCM, KB_ACCESS_WRITE, 900);
    op.operands[1] = vector(run, rank, KB_SPACE_TCM, KB_ACCESS_READ, 900);
    const int64_t count = random_between(random, 1, 12);
    for (int64_t i = 0; i < count; i++)
        raw_add(pe(run, rank), &op);
    if (random_once_in(random, 2))
        raw_add(pe(run, rank), &(raw_op){.kind = KB_OP_FENCE, .blocks = KB_BLOCKS_DONE});
    else
        raw_add(pe(run, rank),
                &(raw_op){.kind = KB_OP_WAIT,
                          .blocks = KB_BLOCKS_DONE,
                          .point = KB_POINT_DONE,
                          .awaited = (uint32_t)count,
                          .first_awaited = pe(run, rank)->commands.newest - (uint64_t)count + 1});
}

static void add_mark(const kept *run, plan *p, tl_stream *stream, random_source *random) {
    static const kb_kind kinds[] = {KB_OP_ASSUME, KB_OP_ALLOC, KB_OP_FREE};
    raw_op op = {.kind = kinds[random_below(random, stream->is_host ? 2 : 3) + stream->is_host],
                 .blocks = KB_BLOCKS_DONE,
                 .operand_count = 1};
    op.operands[0] =
        vector(run, stream->rank, KB_SPACE_TCM, KB_ACCESS_WRITE, op.kind == KB_OP_ASSUME ? 1 : 64);
    if (op.kind == KB_OP_ASSUME) {
        op.operands[0].access = KB_ACCESS_READ;
        op.value = random_below(random, 65536);
    } else {
        op.id = ++p->next_id;
    }
    raw_add(stream, &op);
}

static tl_view view_of(const kept *run, uint32_t rank, uint64_t elements, random_source *random) {
    return kbs_view_vector(kbs_memory_of(run->program, KB_SPACE_TCM, rank), KB_DTYPE_F16,
                           2 * random_below(random, ROOM), elements);
}

/* All send and receive in one order, so there is always one message that can go on. */
static void add_message(const kept *run, uint32_t from, uint32_t to, random_source *random) {
    kernel sender = {pe(run, from)}, receiver = {pe(run, to)};
    const uint64_t elements = (uint64_t)random_between(random, 1, 700);
    const tl_view view = view_of(run, from, elements, random), into = view_of(run, to, elements, random);
    if (random_once_in(random, 3))
        tl_wait(&sender, tl_send_async(&sender, tl_queue_to(&sender, to), view));
    else
        tl_send(&sender, tl_queue_to(&sender, to), view);
    const tl_queue queue = tl_queue_from(&receiver, from);
    tl_copy(&receiver, into, tl_recv(&receiver, queue));
    tl_release(&receiver, queue);
}

static void add_barrier(const kept *run, plan *p, tl_stream *(*stream_of)(const kept *, uint32_t)) {
    const raw_op op = {
        .kind = KB_OP_BARRIER, .blocks = KB_BLOCKS_DONE, .group = run->program->group, .id = ++p->next_id};
    for (uint32_t rank = 0; rank < p->ranks; rank++)
        raw_add(stream_of(run, rank), &op);
}

static void add_step(const kept *run, plan *p, random_source *random) {
    const uint32_t rank = (uint32_t)random_below(random, p->ranks);
    const uint32_t other = (rank + 1 + (uint32_t)random_below(random, p->ranks - 1)) % p->ranks;
    switch (random_below(random, 7)) {
    case 0: add_math(run, rank, random); break;
    case 1: add_gemm(run, rank, random); break;
    case 2: add_async(run, rank, random); break;
    case 3: add_mark(run, p, pe(run, rank), random); break;
    case 4: add_barrier(run, p, pe); break;
    default: add_message(run, rank, other, random); break;
    }
}

/* --- commands of a host ---------------------------------------------------------------------- */

static void add_host_step(const kept *run, plan *p, random_source *random) {
    const uint32_t rank = (uint32_t)random_below(random, p->ranks);
    raw_op op = {.kind = random_once_in(random, 2) ? KB_OP_HOST_WRITE : KB_OP_HOST_READ, .operand_count = 1};
    op.blocks = random_once_in(random, 3) ? KB_BLOCKS_NO : KB_BLOCKS_DONE;
    op.operands[0] =
        vector(run, rank, KB_SPACE_HBM, op.kind == KB_OP_HOST_WRITE ? KB_ACCESS_WRITE : KB_ACCESS_READ, 4);
    if (random_once_in(random, 4))
        add_barrier(run, p, host);
    else if (random_once_in(random, 4))
        add_mark(run, p, host(run, rank), random);
    else
        raw_add(host(run, rank), &op);
}

/* --- runs ------------------------------------------------------------------------------------ */

static kbs_payload payload = {(const uint8_t *)"8 bytes.", 8};

static void record(kept *run, plan *p) {
    random_source random;
    random_init(&random, p->seed);
    raw_create(run);
    run->program->payloads = &payload;
    for (uint32_t launch = 0; launch < p->launches; launch++) {
        for (uint64_t i = random_below(&random, 6); i > 0; i--)
            add_host_step(run, p, &random);
        raw_launch(run);
        for (uint32_t i = 0; i < p->steps; i++)
            add_step(run, p, &random);
    }
    check_status(run->program->status, KB_OK, &run->program->trail);
}

static void make_machine(random_source *random, kbs_machine *machine) {
    machine->at.fabric_packet_bytes = (uint64_t)random_between(random, 100, 5000);
    machine->at.noc_link_gbps = (uint64_t)random_between(random, 1, 500) * KBS_MILLION;
    machine->at.tcm_read_gbps = (uint64_t)random_between(random, 1, 500) * KBS_MILLION;
    machine->at.engine_queue_depth = (uint64_t)random_between(random, 1, 4);
    machine->at.pe_cpu_dispatch_ns = random_below(random, 10) * KBS_MILLION;
    machine->at.pe_compute_slots = random_below(random, 2);
    machine->at.gemm_port_gbps = random_below(random, 2) * 100 * KBS_MILLION;
    machine->at.host_launch_ns = random_below(random, 2) * KBS_MILLION;
    machine->at.host_copy_ns = random_below(random, 3) * KBS_MILLION;
    machine->at.host_barrier_ns = random_below(random, 2) * KBS_MILLION;
    machine->at.io_cpu_ns = random_below(random, 2) * KBS_MILLION;
    machine->at.m_cpu_ns = random_below(random, 2) * KBS_MILLION;
    machine->at.ipcq_slots = (uint64_t)random_between(random, 1, 3);
    machine->at.ipcq_slot_bytes = 512;
    machine->at.ipcq_credit_path = random_below(random, 2);
}

static void compare(const kept *a, const kept *b) {
    for (uint32_t rank = 0; rank < a->ranks; rank++) {
        assert_int_equal(a->counts[rank], b->counts[rank]);
        for (uint64_t i = 0; i < a->counts[rank]; i++) {
            const kb_op *x = &a->ops[rank][i], *y = &b->ops[rank][i];
            assert_int_equal(x->what->kind, y->what->kind);
            assert_int_equal(x->id, y->id);
            assert_int_equal(x->what->claim_count, y->what->claim_count);
            for (uint32_t c = 0; c < x->what->claim_count; c++)
                if (x->what->claims[c].role != KB_ROLE_CREDIT) { /* rings differ */
                    assert_memory_equal(&x->what->claims[c], &y->what->claims[c], sizeof(kb_claim));
                    assert_int_equal(x->claimed[c], y->claimed[c]);
                }
        }
    }
}

static void all_kinds_end_and_account_for_their_time(void **state) {
    (void)state;
    static kept runs[MACHINES];
    uint64_t seen[KB_OP_LIMIT] = {0};
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        random_source random;
        random_init(&random, seed * 1000);
        plan p = {.seed = seed, .ranks = (uint32_t)random_between(&random, 2, MOST_RANKS)};
        p.steps = (uint32_t)random_between(&random, 1, MOST_STEPS);
        p.launches = (uint32_t)random_between(&random, 1, 3);
        const uint64_t slots = (uint64_t)random_between(&random, 1, 3);
        for (int i = 0; i < MACHINES; i++) {
            plan again = p;
            kept_init(&runs[i], i == 0 ? "cubes=1,pes=8" : "cubes=2x2,pes=2", p.ranks);
            make_machine(&random, &runs[i].machine);
            runs[i].machine.at.ipcq_slots = slots;
            record(&runs[i], &again);
            raw_simulate(&runs[i]);
            kept_check(&runs[i]);
            for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
                seen[kind] += runs[i].result.ops[kind];
        }
        compare(&runs[0], &runs[1]);
        for (int i = 0; i < MACHINES; i++) {
            runs[i].program->payloads = NULL;
            kept_fini(&runs[i]);
        }
    }
    static const kb_kind all[] = {KB_OP_DMA_READ,  KB_OP_IPCQ_COPY,    KB_OP_GEMM,   KB_OP_MATH,
                                  KB_OP_IPCQ_RECV, KB_OP_IPCQ_RELEASE, KB_OP_WAIT,   KB_OP_FENCE,
                                  KB_OP_BARRIER,   KB_OP_LAUNCH,       KB_OP_ASSUME, KB_OP_HOST_WRITE,
                                  KB_OP_HOST_READ, KB_OP_ALLOC,        KB_OP_FREE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_true(seen[all[i]] > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_end_and_account_for_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
