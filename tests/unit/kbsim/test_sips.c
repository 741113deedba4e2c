/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks of several PEs: numbers of their ops, launches, barriers, and where their tensors lie. */
#include <stdio.h>

#include "kept.h"
#include "support/random.h"

enum { SHUFFLES = 3 };

/* A ring with a barrier at its end; what a PE has to do besides differs, so that they come apart. */
static void ring(kb_coll *c) {
    const tl_queue to = tl_queue_to(c, rank_at(c, 1)), from = tl_queue_from(c, rank_at(c, -1));
    const uint32_t work = c->stream->pe * 37 % 5;
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        const tl_token sent = tl_send_async(c, to, chunk(c, -s));
        for (uint32_t i = 0; i < work; i++)
            tl_reduce(c, chunk(c, -s), chunk(c, -s));
        const tl_view in = tl_recv(c, from);
        tl_copy(c, chunk(c, -s - 1), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
    tl_barrier(c);
}

static void make(kept *run, const char *shape, uint32_t ranks, uint32_t rank_pes, uint64_t elements,
                 uint64_t shuffle) {
    kept_init(run, shape, ranks);
    run->rank_pes = rank_pes;
    run->elements = elements;
    run->limits.shuffle = shuffle;
}

static void play(kept *run) {
    check_status(kept_record(run, ring), KB_OK, &run->trail);
    check_status(kept_simulate(run), KB_OK, &run->trail);
    kept_check(run);
}

/* By issue, then by stream: of a stream in the order of its program, which its issues cannot break. */
static void check_numbers(const kept *run) {
    for (uint32_t rank = 0; rank < run->ranks; rank++)
        for (uint64_t i = 1; i < run->counts[rank]; i++) {
            const kb_op *op = &run->ops[rank][i], *former = &run->ops[rank][i - 1];
            assert_true(op->issue_ps > former->issue_ps ||
                        (op->issue_ps == former->issue_ps && op->what->stream >= former->what->stream));
        }
}

static void check_same(const kept *run, const kept *other) {
    for (uint32_t rank = 0; rank < run->ranks; rank++) {
        assert_int_equal(run->counts[rank], other->counts[rank]);
        for (uint64_t i = 0; i < run->counts[rank]; i++) {
            const kb_op *op = &run->ops[rank][i], *twin = &other->ops[rank][i];
            assert_int_equal(op->what->kind, twin->what->kind);
            assert_int_equal(op->what->stream, twin->what->stream);
            assert_int_equal(op->issue_ps, twin->issue_ps);
            assert_int_equal(op->done_ps, twin->done_ps);
        }
    }
}

static void ops_are_numbered_by_issue_and_stream(void **state) {
    (void)state;
    static kept runs[SHUFFLES];
    static const char *const shapes[] = {"sips=3,cubes=1x1,pes=4", "sips=2,cubes=2x1,pes=3",
                                         "sips=5,cubes=1x1,pes=2"};
    static const uint32_t counts[][2] = {{3, 4}, {2, 6}, {5, 2}};
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint32_t dispatch = 0; dispatch < 2; dispatch++) {
            for (uint64_t shuffle = 0; shuffle < SHUFFLES; shuffle++) {
                kept *run = &runs[shuffle];
                make(run, shapes[i], counts[i][0], counts[i][1], 1000, shuffle * 77);
                if (dispatch == 0)
                    run->machine.at.pe_cpu_dispatch_ns = 0; /* several ops of one instant */
                play(run);
                check_numbers(run);
                check_same(&runs[0], run);
            }
            for (uint32_t shuffle = 0; shuffle < SHUFFLES; shuffle++)
                kept_fini(&runs[shuffle]);
        }
}

static const kb_op *launch_of(const kept *run, uint32_t rank) {
    assert_int_equal(run->ops[rank][0].what->kind, KB_OP_LAUNCH);
    return &run->ops[rank][0];
}

/* The rank's first and latest PE that a launch began on, and when all of them were done. */
typedef struct begun {
    uint32_t streams;
    int64_t first_ps, last_ps, over_ps;
} begun;

static begun begun_of(const kept *run, uint32_t rank) {
    begun all = {0, INT64_MAX, 0, 0};
    for (uint64_t i = 1; i < run->counts[rank]; i++) {
        const kb_op *op = &run->ops[rank][i];
        all.over_ps = op->done_ps > all.over_ps ? op->done_ps : all.over_ps;
        for (uint32_t c = 0; c < op->what->claim_count; c++) {
            if (op->what->claims[c].role != KB_ROLE_LAUNCH)
                continue;
            assert_int_equal(op->claimed[c], 0);
            all.streams++;
            all.first_ps = op->issue_ps < all.first_ps ? op->issue_ps : all.first_ps;
            all.last_ps = op->issue_ps > all.last_ps ? op->issue_ps : all.last_ps;
        }
    }
    return all;
}

static void a_launch_starts_all_pes_of_a_rank(void **state) {
    (void)state;
    static kept run;
    for (uint32_t mode = 0; mode < 2; mode++) {
        make(&run, "sips=2,cubes=2x1,pes=3", 2, 6, 100, 0);
        run.machine.at.launch_mode = mode == 0 ? KBS_LAUNCH_STAMPED : KBS_LAUNCH_ON_ARRIVAL;
        play(&run);
        for (uint32_t rank = 0; rank < 2; rank++) {
            const begun all = begun_of(&run, rank);
            assert_int_equal(all.streams, 6);
            assert_int_equal(all.first_ps, launch_of(&run, rank)->sent_ps);
            assert_true(mode == 0 ? all.last_ps == all.first_ps : all.last_ps > all.first_ps);
            assert_true(launch_of(&run, rank)->done_ps > all.over_ps); /* its host hears of it */
        }
        assert_int_equal(launch_of(&run, 0)->sent_ps, launch_of(&run, 1)->sent_ps);
        kept_fini(&run);
    }
}

static void barriers_join_pes_of_one_number(void **state) {
    (void)state;
    static kept run;
    uint64_t ids[3][4] = {{0}};
    make(&run, "sips=3,cubes=1x1,pes=4", 3, 4, 60, 0);
    play(&run);
    for (uint32_t rank = 0; rank < 3; rank++)
        for (uint64_t i = 0; i < run.counts[rank]; i++) {
            const kb_op *op = &run.ops[rank][i];
            if (op->what->kind == KB_OP_BARRIER)
                ids[rank][(op->what->stream - 3) % 4] = op->id + 1;
        }
    for (uint32_t pe = 0; pe < 4; pe++) {
        assert_true(ids[0][pe] != 0 && ids[0][pe] == ids[1][pe] && ids[0][pe] == ids[2][pe]);
        assert_true(pe == 0 || ids[0][pe] != ids[0][pe - 1]);
    }
    kept_fini(&run);
}

/* --- tensors ----------------------------------------------------------------------------------- */

/* Every element lies in one shard, with its number as its contents. */
static void check_shards(const kept *run, uint64_t elements) {
    const kb_defs *defs = &run->program->defs;
    const kb_tensor *row = &defs->tensors[0];
    uint8_t seen[100] = {0};
    uint64_t filled = 0;
    assert_int_equal(defs->initial_count, row->shard_count);
    for (size_t s = 0; s < row->shard_count; s++) {
        const kb_shard *shard = &row->shards[s];
        const kb_initial *initial = &defs->initials[s];
        assert_int_equal(initial->memory, shard->memory);
        assert_int_equal(initial->offset_bytes, shard->offset_bytes);
        assert_int_equal(initial->first_element, shard->origin[0]);
        assert_int_equal(initial->elements, shard->shape[0]);
        filled += initial->elements;
        for (uint64_t i = 0; i < shard->shape[0]; i++)
            seen[shard->origin[0] + i]++;
    }
    for (uint64_t i = 0; i < elements; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(filled, elements);
}

static void tensors_lie_over_all_pes(void **state) {
    (void)state;
    static kept run;
    random_source random;
    random_init(&random, 5);
    for (uint32_t turn = 0; turn < 60; turn++) {
        const uint32_t rank_pes = (uint32_t)random_between(&random, 2, 6);
        const uint64_t block = (uint64_t)random_between(&random, 1, 40);
        const uint64_t elements = (uint64_t)random_between(&random, 0, 100);
        char shape[48];
        snprintf(shape, sizeof shape, "sips=2,cubes=1x1,pes=%u", rank_pes);
        kept_init(&run, shape, 2);
        check_ok(kbs_machine_check(&run.machine, &run.trail), &run.trail);
        check_ok(kbs_program_create(&run.machine, 2, rank_pes, 1, NULL, NULL, &run.program, &run.trail),
                 &run.trail);
        const kbs_cut cut = kbs_cut_of(run.program, block, block);
        const kb_initial initial = {.dtype = KB_DTYPE_I32, .recipe = KB_RECIPE_IOTA, .high = 1};
        tl_stream *host = &run.program->hosts[1];
        const tl_view whole = kbs_tensor_new_part(host, "x", KB_SPACE_HBM, &TL_SHAPE(elements), &cut,
                                                  &initial, 0, elements, TL_HERE);
        check_ok(kbs_program_status(run.program, &run.trail), &run.trail);
        check_shards(&run, elements);
        uint64_t on_pes = 0;
        for (uint32_t pe = 0; pe < rank_pes; pe++) {
            const tl_view part = tl_part_of_at(host, whole, pe, TL_HERE);
            assert_int_equal(part.memory, kbs_memory_of(run.program, KB_SPACE_HBM, rank_pes + pe));
            assert_true(part.elements <= cut.share * ((elements + block - 1) / block));
            on_pes += part.elements;
        }
        assert_int_equal(on_pes, elements);
        kept_fini(&run);
    }
}

static void use_whole(kb_host *h, void *context) {
    (void)context;
    const tl_view x = kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 64);
    (void)tl_slice(h, x, 0, 8);
}

static void use_no_pe(kb_host *h, void *context) {
    (void)context;
    (void)tl_part_of(h, kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 64), 4);
}

static void cut_otherwise(kb_host *h, void *context) {
    (void)context;
    tl_view x = h->rank == 0 ? kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 15)
                             : kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 3, 5);
    kb_all_reduce(h, x, KB_REDUCE_SUM, "ring");
}

static void what_is_wrong_is_told(void **state) {
    (void)state;
    static kept run;
    static const struct {
        kb_host_fn host;
        const char *says;
    } cases[] = {
        {use_whole,
         "host program wrong, rank 0 (sip0.cube0.pe0): the tensor lies over all PEs of its rank: tl_part "
         "gives what of it lies on this one"},
        {use_no_pe, "there is no PE 4 in a rank of 4"},
        {cut_otherwise, "all_reduce number 0 is of 6 elements on PE 0 of 4 here, and of 4 in rank 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kept_init(&run, "sips=2,cubes=1x1,pes=4", 2);
        check_ok(kbs_machine_check(&run.machine, &run.trail), &run.trail);
        check_ok(kbs_program_create(&run.machine, 2, 4, 1, NULL, NULL, &run.program, &run.trail), &run.trail);
        check_status(kbs_program_host(run.program, "wrong", cases[i].host, NULL, &run.trail), KB_E_PROGRAM,
                     &run.trail);
        check_says(&run.trail, cases[i].says);
        kept_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_are_numbered_by_issue_and_stream),
        cmocka_unit_test(a_launch_starts_all_pes_of_a_rank),
        cmocka_unit_test(barriers_join_pes_of_one_number),
        cmocka_unit_test(tensors_lie_over_all_pes),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
