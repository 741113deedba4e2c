/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets as trains against a model that moves every flit.
 *
 * The flit model knows nothing of the one under test: it has no event queue and no d, it computes start
 * and end of each flit at each link. An output is held by a packet from its head to its tail. Every
 * time at which a packet is sent or seen must be the same, to the picosecond.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "fabric/link.h"

enum { LINKS = 10, ROUTES = 10, TRAINS = 24, PACKETS = 8, HOPS = 5, FLITS = 40 };

typedef struct planned {
    kbs_train train; /* first: callbacks find their plan by it */
    uint32_t route;
    uint32_t packets, bytes[PACKETS];
    bool chained; /* a packet goes when the one before was sent; else all at once */
    int64_t begin_ps;
    int64_t sent_ps[PACKETS], seen_ps[PACKETS];
    uint32_t injected;
} planned;

typedef struct network {
    kb_arena arena;
    kbs_engine engine;
    kbs_packets packets;
    kbs_link links[LINKS];
    kbs_route *routes[ROUTES];
    planned plans[TRAINS];
    uint32_t train_count;
    kb_trail trail;
} network;

/* --- the model under test -------------------------------------------------------------------- */

static void inject(network *net, planned *plan, int64_t at_ps) {
    kbs_packet *packet;
    check_ok(kbs_packet_take(&net->packets, &packet, &net->trail), &net->trail);
    const uint32_t number = plan->injected++;
    kbs_packet_inject(&net->engine, packet, &plan->train, number, plan->bytes[number], at_ps);
}

static network *net_of_test;

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    planned *plan = (planned *)(void *)train;
    plan->sent_ps[packet->number] = sent_ps;
    if (plan->chained && plan->injected < plan->packets)
        inject(net_of_test, plan, sent_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    planned *plan = (planned *)(void *)train;
    plan->seen_ps[packet->number] = seen_ps;
    int64_t waited_ps = 0;
    for (uint32_t i = 0; i < packet->wait_count; i++) {
        assert_true(packet->waits[i].ps > 0);
        waited_ps += packet->waits[i].ps;
    }
    assert_int_equal(packet->injected_ps + waited_ps + train->route->latency_ps + packet->drain_ps, seen_ps);
    kbs_packet_give(&net_of_test->packets, packet);
}

/* Trains are handed in in any order: only what they say of themselves may matter. */
static void run_trains(network *net, uint32_t first) {
    net_of_test = net;
    kbs_engine_init(&net->engine, net);
    for (uint32_t t = 0; t < net->train_count; t++) {
        planned *plan = &net->plans[(first + t) % net->train_count];
        for (uint32_t p = 0; p < (plan->chained ? 1 : plan->packets); p++)
            inject(net, plan, plan->begin_ps);
    }
    assert_true(kbs_engine_run(&net->engine, INT64_MAX, UINT64_MAX / 2));
}

/* --- the oracle ------------------------------------------------------------------------------ */

typedef struct flit_packet {
    const planned *plan;
    uint32_t number, flits, hop;
    bool waits, gone;
    int64_t ready_ps;                       /* its head, at the link of `hop` */
    int64_t start_ps[FLITS], end_ps[FLITS]; /* of each flit at the link before */
    int64_t sent_ps, seen_ps;
} flit_packet;

typedef struct flit_link {
    int64_t free_ps;
    uint8_t last_channel;
} flit_link;

static bool is_before(const flit_packet *x, const flit_packet *y) {
    if (x->ready_ps != y->ready_ps)
        return x->ready_ps < y->ready_ps;
    const kbs_who *a = &x->plan->train.who, *b = &y->plan->train.who;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->op != b->op ? a->op < b->op : x->number < y->number;
}

/* Moves every flit of a packet over its next link, from `now` on. */
static void move_flits(flit_packet *packet, flit_link *state, int64_t now_ps) {
    const kbs_link *link = packet->plan->train.route->links[packet->hop];
    const uint32_t bytes = packet->plan->bytes[packet->number];
    const int64_t before_ps =
        packet->hop > 0 ? packet->plan->train.route->links[packet->hop - 1]->latency_ps : 0;
    int64_t previous_end_ps = now_ps;
    for (uint32_t i = 0; i < packet->flits; i++) {
        const uint32_t in_flit = i + 1 < packet->flits ? link->flit_bytes : bytes - i * link->flit_bytes;
        const int64_t full = link->flit_ps * (int64_t)in_flit;
        const int64_t own_ps = (full + link->flit_bytes - 1) / link->flit_bytes;
        int64_t start_ps = previous_end_ps, end_ps = 0;
        if (packet->hop > 0) {
            if (packet->start_ps[i] + before_ps > start_ps)
                start_ps = packet->start_ps[i] + before_ps;
            end_ps = packet->end_ps[i] + before_ps; /* a flit cannot end before it has wholly come */
        }
        if (start_ps + own_ps > end_ps)
            end_ps = start_ps + own_ps;
        packet->start_ps[i] = start_ps;
        packet->end_ps[i] = end_ps;
        previous_end_ps = end_ps;
    }
    state->free_ps = previous_end_ps;
    state->last_channel = packet->plan->train.channel;
}

/* The next packet that a link would let in, of those whose heads are there at `now`. */
static flit_packet *choose(flit_packet *all, uint32_t count, const kbs_link *link, const flit_link *state,
                           int64_t now_ps) {
    for (uint8_t turn = 1; turn <= KBS_CHANNELS; turn++) {
        const uint8_t channel = (uint8_t)((state->last_channel + turn) % KBS_CHANNELS);
        flit_packet *best = NULL;
        for (uint32_t i = 0; i < count; i++) {
            flit_packet *packet = &all[i];
            if (packet->waits && packet->plan->train.channel == channel && packet->ready_ps <= now_ps &&
                packet->plan->train.route->links[packet->hop] == link &&
                (best == NULL || is_before(packet, best)))
                best = packet;
        }
        if (best != NULL)
            return best;
    }
    return NULL;
}

/* The earliest time at which any link lets a packet in. */
static int64_t next_time(const network *net, const flit_packet *all, uint32_t count,
                         const flit_link *states) {
    int64_t earliest_ps = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!all[i].waits)
            continue;
        const size_t link = (size_t)(all[i].plan->train.route->links[all[i].hop] - net->links);
        const int64_t at_ps = all[i].ready_ps > states[link].free_ps ? all[i].ready_ps : states[link].free_ps;
        earliest_ps = at_ps < earliest_ps ? at_ps : earliest_ps;
    }
    return earliest_ps;
}

static void let_in(flit_packet *all, uint32_t count, flit_packet *packet, flit_link *state, int64_t now_ps) {
    move_flits(packet, state, now_ps);
    const kbs_route *route = packet->plan->train.route;
    if (packet->hop == 0) {
        packet->sent_ps = state->free_ps;
        for (uint32_t i = 0; i < count; i++)
            if (all[i].plan == packet->plan && packet->plan->chained && all[i].number == packet->number + 1) {
                all[i].waits = true;
                all[i].ready_ps = packet->sent_ps;
            }
    }
    const int64_t latency_ps = route->links[packet->hop]->latency_ps;
    packet->ready_ps = now_ps + latency_ps;
    if (++packet->hop == route->link_count) {
        packet->waits = false;
        packet->seen_ps = state->free_ps + latency_ps;
    }
}

static void run_flits(const network *net, flit_packet *all, uint32_t count) {
    flit_link states[LINKS];
    for (uint32_t l = 0; l < LINKS; l++)
        states[l] = (flit_link){0, KBS_CHANNELS - 1};
    for (int64_t now_ps; (now_ps = next_time(net, all, count, states)) != INT64_MAX;)
        for (uint32_t l = 0; l < LINKS; l++) {
            if (states[l].free_ps > now_ps)
                continue;
            flit_packet *packet = choose(all, count, &net->links[l], &states[l], now_ps);
            if (packet != NULL)
                let_in(all, count, packet, &states[l], now_ps);
        }
}

/* --- random networks ------------------------------------------------------------------------- */

static void make_links(network *net, random_source *random, uint32_t flit_bytes) {
    static const uint64_t gbps[] = {16, 50, 57, 128, 128, 256, 256, 512};
    for (uint32_t i = 0; i < LINKS; i++) {
        const int64_t latency_ps = random_once_in(random, 3) ? 1 : random_between(random, 1, 20000);
        kbs_link_init(&net->links[i], gbps[random_below(random, 8)] * 1000000000, flit_bytes, latency_ps);
        net->links[i].id = i;
    }
}

static void make_routes(network *net, random_source *random) {
    for (uint32_t r = 0; r < ROUTES; r++) {
        void *memory;
        check_ok(
            kb_arena_new(&net->arena, sizeof(kbs_route) + HOPS * sizeof(kbs_link *), &memory, &net->trail),
            &net->trail);
        kbs_route *route = memory;
        const uint32_t hops = (uint32_t)random_between(random, 1, HOPS);
        uint32_t at = (uint32_t)random_below(random, LINKS);
        for (uint32_t h = 0; h < hops; h++) {
            route->links[h] = &net->links[at];
            route->latency_ps += net->links[at].latency_ps;
            at = (at + 1 + (uint32_t)random_below(random, 2)) %
                 LINKS; /* never the same twice: HOPS < LINKS / 2 + 2 */
        }
        route->link_count = hops;
        route->channels = (1U << KBS_CHANNELS) - 1;
        net->routes[r] = route;
    }
    check_ok(kbs_routes_settle(net->routes, ROUTES, false, &net->arena, &net->trail), &net->trail);
}

static void make_trains(network *net, random_source *random, uint32_t flit_bytes) {
    /* From idle to saturated: everything begins within 200 ns, or spread over 40 us. */
    const int64_t spread_ps = random_once_in(random, 2) ? 200000 : 40000000;
    net->train_count = (uint32_t)random_between(random, 1, TRAINS);
    for (uint32_t t = 0; t < net->train_count; t++) {
        planned *plan = &net->plans[t];
        memset(plan, 0, sizeof *plan);
        plan->route = (uint32_t)random_below(random, ROUTES);
        plan->chained = random_once_in(random, 2);
        plan->packets = (uint32_t)random_between(random, 1, PACKETS);
        for (uint32_t p = 0; p < plan->packets; p++)
            plan->bytes[p] = (uint32_t)random_between(random, 1, (int64_t)flit_bytes * 16);
        /* On a coarse grid, so that heads meet at one instant. */
        plan->begin_ps = random_between(random, 0, spread_ps / 1000) * 1000;
        plan->train = (kbs_train){{(uint32_t)random_below(random, 4), t},
                                  net->routes[plan->route],
                                  (uint8_t)random_below(random, 2),
                                  on_sent,
                                  on_seen};
    }
}

static void compare(const flit_packet *all, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const planned *plan = all[i].plan;
        assert_true(plan->seen_ps[all[i].number] > 0);
        assert_int_equal(plan->sent_ps[all[i].number], all[i].sent_ps);
        assert_int_equal(plan->seen_ps[all[i].number], all[i].seen_ps);
    }
}

/* What goes in comes over every link of its way. */
static void check_bytes(const network *net) {
    uint64_t wanted[LINKS] = {0};
    for (uint32_t t = 0; t < net->train_count; t++) {
        const planned *plan = &net->plans[t];
        for (uint32_t p = 0; p < plan->packets; p++)
            for (uint32_t h = 0; h < plan->train.route->link_count; h++)
                wanted[plan->train.route->links[h]->id] += plan->bytes[p];
    }
    for (uint32_t l = 0; l < LINKS; l++)
        assert_int_equal(net->links[l].bytes, wanted[l]);
}

static void one_configuration(uint64_t seed) {
    static network net;
    static flit_packet all[TRAINS * PACKETS];
    random_source random;
    random_init(&random, seed);
    memset(&net, 0, sizeof net);
    memset(all, 0, sizeof all);
    kb_arena_init(&net.arena, NULL, 0);
    net.packets = (kbs_packets){&net.arena, NULL, HOPS};
    const uint32_t flit_bytes = random_once_in(&random, 4) ? 64 : 256;
    make_links(&net, &random, flit_bytes);
    make_routes(&net, &random);
    make_trains(&net, &random, flit_bytes);
    run_trains(&net, (uint32_t)random_below(&random, net.train_count));
    check_bytes(&net);
    uint32_t count = 0;
    for (uint32_t t = 0; t < net.train_count; t++)
        for (uint32_t p = 0; p < net.plans[t].packets; p++) {
            flit_packet *packet = &all[count++];
            packet->plan = &net.plans[t];
            packet->number = p;
            packet->flits = (net.plans[t].bytes[p] + flit_bytes - 1) / flit_bytes;
            packet->waits = p == 0 || !net.plans[t].chained;
            packet->ready_ps = net.plans[t].begin_ps;
        }
    run_flits(&net, all, count);
    compare(all, count);
    kb_arena_fini(&net.arena);
}

static void trains_and_flits_give_the_same_times(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        one_configuration(seed);
}

/* --- by hand --------------------------------------------------------------------------------- */

static void times_of_a_link_are_rounded_up_once(void **state) {
    (void)state;
    kbs_link link;
    kbs_link_init(&link, UINT64_C(57600000000), 256, 0);
    assert_int_equal(link.flit_ps, 4445); /* 4444.4 */
    assert_int_equal(link.latency_ps, 1); /* nothing arrives at the instant at which it was granted */
    assert_int_equal(kbs_link_time(&link, 0), 0);
    assert_int_equal(kbs_link_time(&link, 1), 18); /* 17.4 */
    assert_int_equal(kbs_link_time(&link, 256), 4445);
    assert_int_equal(kbs_link_time(&link, 257), 4463);
    assert_int_equal(kbs_link_time(&link, 4096), 16 * 4445);
}

/* The anchors of the model: what one crossing between cubes at 128 GB/s drains. */
static void a_crossing_drains_at_its_bandwidth(void **state) {
    (void)state;
    kbs_link link;
    kbs_link_init(&link, UINT64_C(128000000000), 256, 16000);
    assert_int_equal(kbs_link_time(&link, 64 << 10), 512000);
    assert_int_equal(kbs_link_time(&link, 1 << 20), 8192000);
}

/* --- who is let in --------------------------------------------------------------------------- */

typedef struct arrival {
    kbs_train train;
    char name;
} arrival;

static char order[16];

static void note_sent(kbs_train *train, kbs_packet *packet, int64_t sent_at_ps) {
    (void)packet;
    (void)sent_at_ps;
    const size_t length = strlen(order);
    order[length] = ((arrival *)(void *)train)->name;
    order[length + 1] = '\0';
}

static void note_seen(kbs_train *train, kbs_packet *packet, int64_t time_ps) {
    (void)train;
    (void)packet;
    (void)time_ps;
}

/*
 * Six packets at one instant at a free link: channel 0 first, then in turn; within a channel by rank, then by
 * op. Whoever comes later waits behind them, in turn as well.
 */
static void channels_take_turns_and_ties_go_by_rank_and_op(void **state) {
    (void)state;
    kb_arena arena;
    kb_trail trail;
    kbs_engine engine;
    kbs_link link;
    kb_arena_init(&arena, NULL, 0);
    void *memory;
    check_ok(kb_arena_new(&arena, sizeof(kbs_route) + sizeof(kbs_link *), &memory, &trail), &trail);
    kbs_route *route = memory;
    kbs_link_init(&link, UINT64_C(256000000000), 256, 1);
    *route = (kbs_route){.link_count = 1, .channels = 3, .latency_ps = 1, .narrowest = &link};
    route->links[0] = &link;
    check_ok(kbs_routes_settle(&route, 1, true, &arena, &trail), &trail);
    kbs_packets packets = {&arena, NULL, 1};
    arrival all[] = {
        {{{2, 5}, route, 1, note_sent, note_seen}, 'f'}, {{{1, 9}, route, 0, note_sent, note_seen}, 'c'},
        {{{0, 7}, route, 1, note_sent, note_seen}, 'b'}, {{{1, 8}, route, 1, note_sent, note_seen}, 'd'},
        {{{0, 3}, route, 0, note_sent, note_seen}, 'a'}, {{{2, 0}, route, 0, note_sent, note_seen}, 'e'},
        {{{0, 0}, route, 0, note_sent, note_seen}, 'g'},
    };
    kbs_engine_init(&engine, NULL);
    order[0] = '\0';
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        kbs_packet *packet;
        check_ok(kbs_packet_take(&packets, &packet, &trail), &trail);
        kbs_packet_inject(&engine, packet, &all[i].train, 0, 256, all[i].name == 'g' ? 1001 : 1000);
    }
    assert_true(kbs_engine_run(&engine, INT64_MAX, 1000));
    assert_string_equal(order, "abcdefg");
    assert_int_equal(link.free_ps, 1000 + 7 * 1000);
    kb_arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_and_flits_give_the_same_times),
        cmocka_unit_test(channels_take_turns_and_ties_go_by_rank_and_op),
        cmocka_unit_test(times_of_a_link_are_rounded_up_once),
        cmocka_unit_test(a_crossing_drains_at_its_bandwidth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
