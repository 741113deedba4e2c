/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transfers on an idle package against closed forms: the latencies of all links, and all bytes at the
 * narrowest one; for reads the request before, at a slice of HBM one burst and its latency.
 *
 * Every pair of PEs takes part with one size each; with an argument, with every size.
 */
#include <string.h>

#include "support/check.h"
#include "support/fabric/bare.h"

static const uint64_t sizes[] = {1, 255, 256, 257, 4095, 4096, 4097, 5000, 65536, 1 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0], PES = 128 };
static bool with_every_size;

/* What so many bytes take on a link, from its bandwidth: flit by flit rounded as the model says. */
static int64_t time_on(const kbs_link *link, uint64_t bytes) {
    const uint64_t flit = link->flit_bytes, whole = (bytes - 1) / flit, last = bytes - whole * flit;
    const uint64_t flit_ps = (flit * UINT64_C(1000000000000) + link->bytes_per_s - 1) / link->bytes_per_s;
    return (int64_t)(whole * flit_ps + (flit_ps * last + flit - 1) / flit);
}

static int64_t idle_ps(const kbs_route *route, uint64_t bytes) {
    int64_t sum_ps = 0, longest_ps = 0;
    for (uint32_t i = 0; i < route->link_count; i++) {
        const int64_t time_ps = time_on(route->links[i], bytes);
        sum_ps += route->links[i]->latency_ps;
        longest_ps = time_ps > longest_ps ? time_ps : longest_ps;
    }
    return sum_ps + longest_ps;
}

static void make_shape(kbs_shape *shape, const kbs_route *route, uint32_t kind, uint64_t bytes) {
    memset(shape, 0, sizeof *shape);
    shape->common.kind = (uint16_t)kind;
    shape->common.route = route->id;
    shape->common.operand_count = 2;
    shape->common.operands[0] = kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_I8, bytes);
    shape->common.operands[1] = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_I8, bytes);
}

/* Long after everything before has come to rest. */
static int64_t next_ps(const bare *of) {
    return of->sim->engine.now_ps + 100000000;
}

static void init(bare *of) {
    memset(of, 0, sizeof *of);
    kbs_machine_init(&of->machine);
    bare_set(of, "dma.reads_outstanding", "65536");
    bare_set(of, "dma.writes_outstanding", "65536");
}

/* --- from TCM to TCM --------------------------------------------------------------------------- */

static void copy_one(bare *of, const kbs_route *route, uint32_t from, uint64_t bytes) {
    kbs_shape shape;
    bare_copy copy;
    make_shape(&shape, route, KB_OP_IPCQ_COPY, bytes);
    kbs_op *op = bare_op(of, from, &shape, 0, next_ps(of));
    op->record.start_ps = op->ready_ps;
    op->bytes = bytes;
    bare_copy_begin(&copy, of, op, route);
    bare_run(of);
    assert_true(op->finished);
    if (op->record.done_ps - op->record.start_ps != idle_ps(route, bytes))
        fail_msg("PE %u, route %u, %lu bytes: %ld instead of %ld ps", from, route->id, (unsigned long)bytes,
                 (long)(op->record.done_ps - op->record.start_ps), (long)idle_ps(route, bytes));
    kbs_op_free(of->sim, op);
}

static void copies_between_all_pairs_of_a_package(void **state) {
    (void)state;
    static bare of;
    init(&of);
    bare_init(&of);
    for (uint32_t from = 0; from < PES; from++)
        for (uint32_t to = 0; to < PES; to++)
            bare_route(&of, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE);
    assert_int_equal(of.program.fabric.route_count, PES * PES);
    bare_start(&of, true);
    for (uint32_t from = 0; from < PES; from++)
        for (uint32_t to = 0; to < PES; to++) {
            const kbs_route *route = of.program.fabric.routes[from * PES + to];
            for (uint32_t i = 0; i < (with_every_size ? SIZES : 1); i++)
                copy_one(&of, route, from, sizes[(from * 7 + to * 3 + i) % SIZES]);
        }
    bare_stop(&of);
    bare_fini(&of);
}

/* What one crossing between cubes at 128 GB/s drains. */
static void a_crossing_drains_64_kib_in_512_ns(void **state) {
    (void)state;
    static bare of;
    init(&of);
    bare_init(&of);
    const kbs_route *route = bare_route(&of, kbs_tcm_of(3), kbs_tcm_of(11), KBS_CHANNEL_QUEUE);
    bare_start(&of, true);
    copy_one(&of, route, 3, 65536);
    copy_one(&of, route, 3, 1 << 20);
    assert_int_equal(idle_ps(route, 65536) - route->latency_ps, 512000);
    assert_int_equal(idle_ps(route, 1 << 20) - route->latency_ps, 8192000);
    bare_stop(&of);
    bare_fini(&of);
}

/* --- memories ---------------------------------------------------------------------------------- */

/* A burst of so many bytes, of which a channel takes whole accesses. */
static int64_t burst_ps(uint64_t bytes) {
    const uint64_t touched = bytes < 256 ? (bytes + 31) / 32 * 32 : 256;
    return (int64_t)(touched * 1000 / 32); /* 32 GB/s */
}

static int64_t wanted_ps(const kbs_route *route, bool reads, uint64_t bytes) {
    int64_t time_ps = idle_ps(route, bytes);
    if (reads)
        time_ps += route->back_ps;
    if (route->from_hbm != NULL)
        time_ps += burst_ps(bytes) + 60000;
    if (route->to_hbm == NULL)
        return time_ps;
    /* A burst that is written takes no less; a last flit that is a part comes sooner after the one before
     * it, and may find the burst that came eight flits earlier in its channel. */
    const int64_t since_ps =
        time_on(route->narrowest, bytes) - time_on(route->narrowest, ((bytes - 1) / 256 - 7) * 256);
    const int64_t behind_ps = bytes > 8 * 256 && since_ps < 8000 ? 8000 - since_ps : 0;
    return time_ps + behind_ps + 8000 + 10000;
}

static void transfer_one(bare *of, const kbs_route *route, uint32_t pe, bool reads, uint64_t bytes) {
    kbs_shape shape;
    make_shape(&shape, route, reads ? KB_OP_DMA_READ : KB_OP_DMA_WRITE, bytes);
    kbs_op *op = bare_op(of, pe, &shape, 65536, next_ps(of));
    assert_true(reads ? kbs_dma_read(op->pe, op) : kbs_dma_write(op->pe, op));
    bare_run(of);
    assert_true(op->finished);
    assert_int_equal(op->record.start_ps - op->record.issue_ps, 10000);
    if (op->record.done_ps - op->record.start_ps != wanted_ps(route, reads, bytes))
        fail_msg("PE %u %s route %u, %lu bytes: %ld instead of %ld ps", pe, reads ? "reads" : "writes",
                 route->id, (unsigned long)bytes, (long)(op->record.done_ps - op->record.start_ps),
                 (long)wanted_ps(route, reads, bytes));
    kbs_op_free(of->sim, op);
}

/* Each PE reads and writes memories of a few others, near and far. */
static void transfers_of_all_memories(void **state) {
    (void)state;
    static const uint32_t spaces[] = {KB_SPACE_TCM, KB_SPACE_SRAM, KB_SPACE_HBM};
    enum { SPACES = 3, WAYS = 2 };
    static bare of;
    init(&of);
    bare_set(&of, "hbm.channel_hash", "none"); /* so that bursts of a long write never meet in a channel */
    const uint32_t step = with_every_size ? 1 : 19;
    bare_init(&of);
    for (uint32_t pe = 0; pe < PES; pe++)
        for (uint32_t far = pe % step; far < PES; far += step)
            for (uint32_t i = 0; i < SPACES; i++) {
                bare_route(&of, (kbs_place){spaces[i], far}, kbs_tcm_of(pe), KBS_CHANNEL_DMA);
                bare_route(&of, kbs_tcm_of(pe), (kbs_place){spaces[i], far}, KBS_CHANNEL_DMA);
            }
    bare_start(&of, true);
    uint32_t turn = 0;
    for (uint32_t pe = 0; pe < PES; pe++)
        for (uint32_t far = pe % step; far < PES; far += step)
            for (uint32_t i = 0; i < SPACES * WAYS; i++) {
                const bool reads = i % WAYS == 0;
                const kbs_place own = kbs_tcm_of(pe), other = {spaces[i / WAYS], far};
                const kbs_route *route =
                    bare_route(&of, reads ? other : own, reads ? own : other, KBS_CHANNEL_DMA);
                for (uint32_t k = 0; k < (with_every_size ? SIZES : 1); k++)
                    transfer_one(&of, route, pe, reads, sizes[turn++ % SIZES]);
            }
    bare_stop(&of);
    bare_fini(&of);
}

/* --- what is outstanding ----------------------------------------------------------------------- */

/* One packet at a time: each pays its whole way, there and back. */
static void one_packet_at_a_time_pays_the_round_trip(void **state) {
    (void)state;
    static bare of;
    init(&of);
    bare_set(&of, "dma.reads_outstanding", "1");
    bare_set(&of, "dma.writes_outstanding", "1");
    bare_init(&of);
    const kbs_route *in = bare_route(&of, (kbs_place){KB_SPACE_HBM, 9}, kbs_tcm_of(0), KBS_CHANNEL_DMA);
    const kbs_route *out = bare_route(&of, kbs_tcm_of(0), (kbs_place){KB_SPACE_HBM, 9}, KBS_CHANNEL_DMA);
    bare_start(&of, true);
    enum { PACKETS = 5, BYTES = 4096 };
    kbs_shape shape;
    make_shape(&shape, in, KB_OP_DMA_READ, PACKETS * BYTES);
    kbs_op *op = bare_op(&of, 0, &shape, 0, 1000);
    assert_true(kbs_dma_read(op->pe, op));
    bare_run(&of);
    assert_int_equal(op->record.done_ps - op->record.start_ps, PACKETS * wanted_ps(in, true, BYTES));
    make_shape(&shape, out, KB_OP_DMA_WRITE, PACKETS * BYTES);
    op = bare_op(&of, 0, &shape, 0, next_ps(&of));
    assert_true(kbs_dma_write(op->pe, op));
    bare_run(&of);
    const int64_t trip_ps = wanted_ps(out, false, BYTES) + out->back_ps;
    assert_int_equal(op->record.done_ps - op->record.start_ps,
                     (PACKETS - 1) * trip_ps + wanted_ps(out, false, BYTES));
    assert_int_equal(op->acknowledge_ps, out->back_ps);
    bare_stop(&of);
    bare_fini(&of);
}

int main(int argc, char **argv) {
    (void)argv;
    with_every_size = argc > 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_between_all_pairs_of_a_package),
        cmocka_unit_test(a_crossing_drains_64_kib_in_512_ns),
        cmocka_unit_test(transfers_of_all_memories),
        cmocka_unit_test(one_packet_at_a_time_pays_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
