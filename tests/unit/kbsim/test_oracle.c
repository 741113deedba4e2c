/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DMA, queues' copies, links and memories of a system against a model that moves every flit and serves
 * every burst: each time of each transfer must be the same, to the picosecond, whether links that need no
 * decision are fused or not. What an op says of its time must be the same either way, too.
 */
#include <stdlib.h>
#include <string.h>

#include "fabric/system.h"
#include "support/check.h"
#include "support/fabric/bare.h"
#include "support/fabric/flits.h"
#include "support/random.h"

enum { OPS = 40, PES = 96, LANES = 2 * PES, LINKS = 4096, ROUTES = OPS };

/* One transfer as the code under test takes it. */
typedef struct planned {
    flits_what what;
    uint32_t pe;
    const kbs_route *route;
    kbs_shape shape;
    uint64_t offset_bytes;
    int64_t ready_ps;
    kbs_op *op;
    bare_copy copy;
} planned;

typedef struct world {
    bare under;
    planned plans[OPS];
    uint32_t plan_count;
} world;

/* --- the code under test ----------------------------------------------------------------------- */

static void begin(world *w, planned *plan) {
    kbs_op *op = plan->op = bare_op(&w->under, plan->pe, &plan->shape, plan->offset_bytes, plan->ready_ps);
    if (plan->what != FLITS_COPY) {
        assert_true(plan->what == FLITS_READ ? kbs_dma_read(op->pe, op) : kbs_dma_write(op->pe, op));
        return;
    }
    op->record.start_ps = plan->ready_ps;
    op->bytes = kbs_operand_bytes(&plan->shape.common.operands[1]);
    bare_copy_begin(&plan->copy, &w->under, op, plan->route);
}

static void run(world *w, bool fuse) {
    bare_start(&w->under, fuse);
    for (uint32_t i = 0; i < w->plan_count; i++)
        begin(w, &w->plans[i]);
    bare_run(&w->under);
}

/* --- random worlds ----------------------------------------------------------------------------- */

static const char *pick(random_source *random, const char *const *values, size_t count) {
    return values[random_below(random, count)];
}
#define PICK(random, ...)                            \
    pick(random, (const char *const[]){__VA_ARGS__}, \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void make_machine(world *w, random_source *random, bool one_flit) {
    kbs_machine_init(&w->under.machine);
    bare_set(&w->under, "system.sips", PICK(random, "1", "1", "2", "3x1", "3x2"));
    bare_set(&w->under, "system.grid", PICK(random, "ring_1d", "torus_2d", "mesh_2d"));
    const bool many = kbs_system_sips(&w->under.machine) > 3; /* packages, of few PEs each */
    bare_set(&w->under, "sip.cubes", many ? PICK(random, "1x1", "2x1") : PICK(random, "1x1", "2x1", "2x2"));
    bare_set(&w->under, "cube.pes", PICK(random, "2", "5", "8"));
    bare_set(&w->under, "io.links", PICK(random, "1", "2", "4"));
    bare_set(&w->under, "io_noc.ns", PICK(random, "0", "10"));
    bare_set(&w->under, "pcie.links", PICK(random, "1", "3"));
    bare_set(&w->under, "pcie.gbps", PICK(random, "57.6", "13", "300"));
    bare_set(&w->under, "pcie.endpoint_ns", PICK(random, "0", "3", "100"));
    bare_set(&w->under, "cube.routers", PICK(random, "4x4", "6x6"));
    bare_set(&w->under, "ucie.links", PICK(random, "1", "4"));
    bare_set(&w->under, "fabric.flit_bytes", PICK(random, "64", "256"));
    bare_set(&w->under, "fabric.packet_bytes", PICK(random, "256", "1024", "2000"));
    if (one_flit) {
        bare_set(&w->under, "fabric.flit_bytes", "256");
        bare_set(&w->under, "fabric.packet_bytes", "256");
    }
    bare_set(&w->under, "noc.link_gbps", PICK(random, "256", "100", "57.6", "640"));
    bare_set(&w->under, "noc.router_ns", PICK(random, "0", "1", "3.3"));
    bare_set(&w->under, "ucie.gbps", PICK(random, "128", "37", "400"));
    bare_set(&w->under, "tcm.read_gbps", PICK(random, "512", "90"));
    bare_set(&w->under, "tcm.write_gbps", PICK(random, "512", "77"));
    bare_set(&w->under, "sram.gbps", PICK(random, "128", "500"));
    bare_set(&w->under, "hbm.channels_per_pe", PICK(random, "1", "2", "8", "8"));
    bare_set(&w->under, "hbm.channel_gbps", PICK(random, "32", "32", "7", "300"));
    bare_set(&w->under, "hbm.burst_bytes", PICK(random, "256", "256", "128", "1024"));
    bare_set(&w->under, "hbm.access_bytes", PICK(random, "32", "32", "1", "64"));
    bare_set(&w->under, "hbm.commit_ns", PICK(random, "8", "0", "20"));
    bare_set(&w->under, "hbm.channel_hash", PICK(random, "xor", "none"));
    bare_set(&w->under, "hbm.read_latency_ns", PICK(random, "60", "0", "3"));
    bare_set(&w->under, "hbm.write_latency_ns", PICK(random, "10", "0", "200"));
    bare_set(&w->under, "dma.reads_outstanding", PICK(random, "1", "2", "5", "16"));
    bare_set(&w->under, "dma.writes_outstanding", PICK(random, "1", "2", "3", "16"));
    bare_set(&w->under, "dma.setup_ns", PICK(random, "0", "10"));
    bare_set(&w->under, "dma.transfers", PICK(random, "overlapped", "single"));
}

/* A row of bytes, rows of a matrix, elements apart from one another, or rows that go backwards. */
static kb_operand make_view(random_source *random, uint64_t *ret_offset) {
    kb_operand view = {.dtype = KB_DTYPE_F16, .dims = 1, .stride = {1}};
    *ret_offset = random_below(random, 4096) * 32 + 100000;
    switch (random_below(random, 5)) {
    case 0: {
        const uint64_t columns = random_below(random, 300) + 1;
        view = (kb_operand){.dtype = KB_DTYPE_F32,
                            .dims = 2,
                            .shape = {random_below(random, 12) + 1, columns},
                            .stride = {(int64_t)columns + random_between(random, 2, 500), 1}};
        break;
    }
    case 1:
        view = (kb_operand){.dtype = KB_DTYPE_F16,
                            .dims = 2,
                            .shape = {random_below(random, 9) + 1, 200},
                            .stride = {-random_between(random, 300, 900), 1}};
        break;
    case 2:
        view.shape[0] = random_below(random, 200) + 1;
        view.stride[0] = random_between(random, 2, 40);
        break;
    default:
        view.shape[0] = random_below(random, random_once_in(random, 3) ? 6000 : 700) + 1;
        *ret_offset += random_below(random, 300);
    }
    return view;
}

static const kbs_route *make_route(world *w, random_source *random, planned *plan) {
    static const uint32_t spaces[] = {KB_SPACE_TCM, KB_SPACE_SRAM, KB_SPACE_HBM, KB_SPACE_HBM};
    const uint64_t pes = kbs_machine_pes(&w->under.machine);
    const kbs_place own = kbs_tcm_of(plan->pe);
    /* Often the same few memories, so that packets meet. */
    kbs_place far = {spaces[random_below(random, 4)],
                     (uint32_t)random_below(random, random_once_in(random, 2) ? pes : 2)};
    const bool reads = plan->what == FLITS_READ;
    return bare_route(&w->under, reads ? far : own, reads ? own : far,
                      plan->what == FLITS_COPY ? KBS_CHANNEL_QUEUE : KBS_CHANNEL_DMA);
}

static void make_plans(world *w, random_source *random) {
    const uint64_t pes = kbs_machine_pes(&w->under.machine);
    /* From idle to saturated: all at once, or spread over as much as 60 us; on a grid, so that heads meet. */
    const int64_t spread_ps =
        PICK(random, "x", "y")[0] == 'x' ? 100000 : random_between(random, 1, 60) * 1000000;
    const uint64_t copies = random_below(random, 4); /* of four */
    w->plan_count = (uint32_t)random_between(random, 1, OPS);
    for (uint32_t i = 0; i < w->plan_count; i++) {
        planned *plan = &w->plans[i];
        memset(plan, 0, sizeof *plan);
        plan->what = random_below(random, 4) < copies ? FLITS_COPY
                     : random_once_in(random, 2)      ? FLITS_READ
                                                      : FLITS_WRITE;
        plan->pe = (uint32_t)random_below(random, pes);
        plan->ready_ps = random_between(random, 1, spread_ps / 1000) * 1000;
        plan->route = make_route(w, random, plan);
        kbs_common *common = &plan->shape.common;
        common->kind = plan->what == FLITS_COPY   ? KB_OP_IPCQ_COPY
                       : plan->what == FLITS_READ ? KB_OP_DMA_READ
                                                  : KB_OP_DMA_WRITE;
        common->route = plan->route->id;
        common->operand_count = 2;
        common->operands[0] = common->operands[1] = make_view(random, &plan->offset_bytes);
    }
}

/* --- the same for the oracle ------------------------------------------------------------------- */

static flits_link one_link(const world *w, const kbs_link *link) {
    flits_link one = {.flit_ps = link->flit_ps, .latency_ps = link->latency_ps};
    if (strstr(link->name, ".pcie") != NULL) { /* endpoints and a crossbar, and it stores what it forwards */
        one.latency_ps =
            kbs_ps_of_ns(2 * w->under.machine.at.pcie_endpoint_ns + w->under.machine.at.io_noc_ns);
        one.stores = true;
    }
    return one;
}

static void hand_links(const world *w, flits *model, flits_route *routes) {
    const kbs_fabric *fabric = &w->under.program.fabric;
    assert_true(fabric->link_count <= LINKS && fabric->route_count <= ROUTES);
    model->link_count = (uint32_t)fabric->link_count;
    for (size_t i = 0; i < fabric->link_count; i++)
        model->links[i] = one_link(w, fabric->links[i]);
    for (size_t i = 0; i < fabric->route_count; i++) {
        const kbs_route *route = fabric->routes[i];
        routes[i] = (flits_route){route->link_count, {0}, route->back_ps, FLITS_NONE, FLITS_NONE};
        for (uint32_t l = 0; l < route->link_count; l++)
            routes[i].links[l] = route->links[l]->id;
        for (int pe = 0; pe < (int)kbs_machine_pes(&w->under.machine); pe++) {
            if (route->from_hbm != NULL && route->from_hbm == kbs_fabric_slice(fabric, (uint32_t)pe))
                routes[i].from_hbm = pe;
            if (route->to_hbm != NULL && route->to_hbm == kbs_fabric_slice(fabric, (uint32_t)pe))
                routes[i].to_hbm = pe;
        }
    }
}

static void hand_memories(const world *w, flits *model) {
    const kbs_machine *machine = &w->under.machine;
    model->kind = (flits_hbm_kind){(uint32_t)machine->at.hbm_channels_per_pe,
                                   machine->at.hbm_burst_bytes,
                                   machine->at.hbm_access_bytes,
                                   kbs_rate_of_gbps(machine->at.hbm_channel_gbps),
                                   machine->at.hbm_channel_hash == KBS_HASH_XOR,
                                   kbs_ps_of_ns(machine->at.hbm_commit_ns),
                                   kbs_ps_of_ns(machine->at.hbm_read_latency_ns),
                                   kbs_ps_of_ns(machine->at.hbm_write_latency_ns)};
    for (uint32_t lane = 0; lane < LANES; lane++)
        model->lanes[lane] =
            (flits_lane){.limit = (uint32_t)(lane < PES ? machine->at.dma_reads_outstanding
                                                        : machine->at.dma_writes_outstanding)};
}

static void hand_transfers(const world *w, flits *model) {
    for (uint32_t i = 0; i < w->plan_count; i++) {
        const planned *plan = &w->plans[i];
        const kb_operand *view = &plan->shape.common.operands[0];
        flits_transfer *t = &model->transfers[i];
        memset(t, 0, sizeof *t);
        t->what = plan->what;
        t->lane = plan->what == FLITS_COPY   ? FLITS_NONE
                  : plan->what == FLITS_READ ? (int)plan->pe
                                             : (int)(PES + plan->pe);
        t->rank = plan->pe;
        t->op = (uint32_t)plan->op->record.index;
        t->route = plan->route->id;
        t->channel = plan->what == FLITS_COPY ? KBS_CHANNEL_QUEUE : KBS_CHANNEL_DMA;
        t->bytes = (uint32_t)kbs_operand_bytes(view);
        t->ready_ps = plan->ready_ps;
        t->view = (flits_view){plan->offset_bytes, kb_dtype_size(view->dtype), view->dims, {0}, {0}};
        for (uint32_t d = 0; d < view->dims; d++) {
            t->view.shape[d] = view->shape[d];
            t->view.stride[d] = view->stride[d];
        }
    }
    model->transfer_count = w->plan_count;
}

static void run_oracle(const world *w, flits *model) {
    static flits_link links[LINKS];
    static flits_route routes[ROUTES];
    static flits_hbm slices[PES];
    static flits_lane lanes[LANES];
    static flits_transfer transfers[OPS];
    memset(slices, 0, sizeof slices);
    *model = (flits){.flit_bytes = (uint32_t)w->under.machine.at.fabric_flit_bytes,
                     .packet_bytes = (uint32_t)w->under.machine.at.fabric_packet_bytes,
                     .setup_ps = kbs_ps_of_ns(w->under.machine.at.dma_setup_ns),
                     .single = w->under.machine.at.dma_transfers == KBS_TRANSFERS_SINGLE,
                     .links = links,
                     .routes = routes,
                     .slices = slices,
                     .lanes = lanes,
                     .lane_count = LANES,
                     .transfers = transfers};
    hand_links(w, model, routes);
    hand_memories(w, model);
    hand_transfers(w, model);
    flits_run(model);
}

/* --- both -------------------------------------------------------------------------------------- */

static void compare(const world *w, const flits *model, uint64_t seed) {
    for (uint32_t i = 0; i < w->plan_count; i++) {
        const kbs_op *op = w->plans[i].op;
        const flits_transfer *t = &model->transfers[i];
        if (!op->finished || op->record.start_ps != t->start_ps || op->record.sent_ps != t->sent_ps ||
            op->record.done_ps != t->done_ps)
            fail_msg("seed %lu, transfer %u (%d, %u bytes): %ld %ld %ld, and by flits %ld %ld %ld",
                     (unsigned long)seed, i, (int)t->what, t->bytes, (long)op->record.start_ps,
                     (long)op->record.sent_ps, (long)op->record.done_ps, (long)t->start_ps, (long)t->sent_ps,
                     (long)t->done_ps);
        int64_t sum_ps = 0;
        for (uint32_t n = 0; n < op->why_count; n++)
            sum_ps += op->blames[n].ps;
        assert_int_equal(sum_ps, op->record.done_ps - op->record.issue_ps);
    }
}

/* What the ops say of their time, as one number. */
static uint64_t hash_of_notes(const world *w) {
    uint64_t hash = 1;
    for (uint32_t i = 0; i < w->plan_count; i++) {
        const kbs_op *op = w->plans[i].op;
        for (uint32_t n = 0; n < op->why_count; n++) {
            const uint64_t parts[] = {
                op->whys[n].cause,      op->whys[n].resource, op->whys[n].blames, (uint64_t)op->blames[n].ps,
                op->blames[n].resource, op->blames[n].rank,   op->blames[n].op};
            for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
                hash = (hash ^ parts[k]) * UINT64_C(0x9E3779B97F4A7C15) + (hash >> 29U);
        }
    }
    return hash;
}

static void one_configuration(uint64_t seed, bool one_flit) {
    static world w;
    static flits model;
    random_source random;
    random_init(&random, seed);
    make_machine(&w, &random, one_flit);
    bare_init(&w.under);
    make_plans(&w, &random);
    run(&w, false);
    run_oracle(&w, &model);
    compare(&w, &model, seed);
    const uint64_t plain = hash_of_notes(&w);
    bare_stop(&w.under);
    run(&w, true);
    compare(&w, &model, seed);
    assert_true(hash_of_notes(&w) == plain);
    bare_stop(&w.under);
    bare_fini(&w.under);
}

static void transfers_take_what_their_flits_take(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        one_configuration(seed, false);
}

/* A packet of one flit holds nothing that a flit would not: this is plain first come, first served. */
static void packets_of_one_flit_are_flits(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        one_configuration(seed, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers_take_what_their_flits_take),
        cmocka_unit_test(packets_of_one_flit_are_flits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
