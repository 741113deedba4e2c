/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With packets of one flit the fabric is plain first come, first served of flits.
 *
 * The model that says so here knows flits and links, and nothing else: no packet, no train, no output that
 * is held for one. Each flit goes by itself; a link serves one at a time, and has served it after the flit's
 * own time there, or when the flit's end has come where the link before is slower. Every time at which a
 * flit has left its first link, or has come, must be the same to the picosecond.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/fabric/net.h"
#include "support/random.h"

enum { FLIT_BYTES = 256, CONFIGURATIONS = 400, MESSAGES = 16, RANKS = 4 };

/* --- the model ------------------------------------------------------------------------------- */

typedef struct flit {
    const net_packet *is;
    const net_route *route;
    bool waits; /* for the link of `hop` */
    uint32_t hop;
    int64_t ready_ps; /* its head is at that link, */
    int64_t whole_ps; /* and its end */
    int64_t sent_ps, seen_ps;
} flit;

typedef struct server {
    int64_t free_ps;
    uint32_t channel; /* that is asked first */
    int64_t busy_ps, first_ps;
    uint32_t served;
} server;

typedef struct fifo {
    const net *of;
    flit flits[NET_PACKETS];
    server servers[NET_LINKS];
    /* what kind of a run it was */
    int64_t waited_ps;
    uint32_t ties;
} fifo;

static int64_t later(int64_t a_ps, int64_t b_ps) {
    return a_ps > b_ps ? a_ps : b_ps;
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

static bool goes_first(const flit *x, const flit *y) {
    const net_packet *a = x->is, *b = y->is;
    if (x->ready_ps != y->ready_ps)
        return x->ready_ps < y->ready_ps;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->op != b->op ? a->op < b->op : a->number < b->number;
}

static flit *choose(fifo *model, uint32_t link, uint32_t channel, int64_t now_ps) {
    flit *best = NULL;
    for (uint32_t i = 0; i < model->of->packet_count; i++) {
        flit *one = &model->flits[i];
        if (!one->waits || one->route->links[one->hop] != link || one->is->channel != channel ||
            one->ready_ps > now_ps)
            continue;
        model->ties += best != NULL && one->ready_ps == best->ready_ps;
        if (best == NULL || goes_first(one, best))
            best = one;
    }
    return best;
}

static void serve(fifo *model, flit *one, uint32_t link, int64_t now_ps) {
    const net_link *kind = &model->of->links[link];
    server *at = &model->servers[link];
    const uint64_t full_ps = divide_up(FLIT_BYTES * UINT64_C(1000000000000), kind->bytes_per_s);
    const int64_t own_ps = (int64_t)divide_up(full_ps * one->is->bytes, FLIT_BYTES);
    at->channel = 1 - one->is->channel;
    at->free_ps = later(now_ps + own_ps, one->whole_ps);
    at->busy_ps += at->free_ps - now_ps;
    at->first_ps = at->served++ == 0 ? now_ps : at->first_ps;
    model->waited_ps += now_ps - one->ready_ps;
    if (one->hop == 0) {
        one->sent_ps = at->free_ps;
        for (uint32_t i = 0; i < model->of->packet_count; i++)
            if (model->of->packets[i].after == (int)(one - model->flits)) {
                model->flits[i].waits = true;
                model->flits[i].ready_ps = one->sent_ps;
            }
    }
    one->ready_ps = now_ps + kind->latency_ps;
    one->whole_ps = at->free_ps + kind->latency_ps;
    if (++one->hop == one->route->count) {
        one->waits = false;
        one->seen_ps = one->whole_ps;
    }
}

/* The next instant at which a link is free and a flit is at it. */
static int64_t next_time(const fifo *model) {
    int64_t earliest_ps = INT64_MAX;
    for (uint32_t i = 0; i < model->of->packet_count; i++) {
        const flit *one = &model->flits[i];
        if (!one->waits)
            continue;
        const int64_t at_ps = later(one->ready_ps, model->servers[one->route->links[one->hop]].free_ps);
        earliest_ps = at_ps < earliest_ps ? at_ps : earliest_ps;
    }
    return earliest_ps;
}

static void run_fifo(fifo *model, const net *of) {
    memset(model, 0, sizeof *model);
    model->of = of;
    for (uint32_t i = 0; i < of->packet_count; i++) {
        const net_packet *is = &of->packets[i];
        model->flits[i] = (flit){is, &of->routes[is->route], is->after == NET_NONE, 0, is->begin_ps, 0, 0, 0};
    }
    for (int64_t now_ps; (now_ps = next_time(model)) != INT64_MAX;)
        for (uint32_t link = 0; link < of->link_count; link++) {
            server *at = &model->servers[link];
            if (at->free_ps > now_ps)
                continue;
            flit *one = choose(model, link, at->channel, now_ps);
            if (one == NULL)
                one = choose(model, link, 1 - at->channel, now_ps);
            if (one != NULL)
                serve(model, one, link, now_ps);
        }
}

/* --- random networks ------------------------------------------------------------------------- */

/* Often on a grid of whole nanoseconds, so that heads meet at one instant. */
static void make_links(net *of, random_source *random) {
    static const uint64_t round_gbps[] = {64, 128, 256, 256, 512}, odd_gbps[] = {16, 37, 50, 57, 100, 640};
    const bool odd = random_once_in(random, 3);
    of->link_count = (uint32_t)random_between(random, 8, NET_LINKS);
    for (uint32_t i = 0; i < of->link_count; i++) {
        const uint64_t gbps = odd ? odd_gbps[random_below(random, 6)] : round_gbps[random_below(random, 5)];
        const int64_t latency_ps =
            odd ? random_between(random, 1, 20000) : random_between(random, 1, 5) * 1000;
        of->links[i] = (net_link){.bytes_per_s = gbps * 1000000000, .latency_ps = latency_ps};
    }
}

/* Each link leads to one or two others; few begin a route, so that some need no decision of their own. */
static void make_routes(net *of, random_source *random) {
    bool forks[NET_LINKS];
    for (uint32_t i = 0; i < NET_LINKS; i++)
        forks[i] = random_once_in(random, 3);
    const uint64_t entries = random_below(random, of->link_count) + 1;
    of->route_count = (uint32_t)random_between(random, 1, 10);
    for (uint32_t r = 0; r < of->route_count; r++) {
        net_route *route = &of->routes[r];
        route->count = (uint32_t)random_between(random, 1, NET_HOPS - 2); /* at two a step none comes twice */
        uint32_t at = (uint32_t)random_below(random, entries);
        for (uint32_t hop = 0; hop < route->count; hop++) {
            route->links[hop] = at;
            at = (at + 1 + (forks[at] ? (uint32_t)random_below(random, 2) : 0)) % of->link_count;
        }
    }
}

typedef struct demand {
    int64_t spread_ns; /* within which all begin */
    bool is_calm;      /* and are short, no flit ahead of the one before */
} demand;

/* A message's flits: each when the one before was sent, or all at once, or at a pace of their own. */
static void make_message(net *of, random_source *random, demand load, uint32_t index, net_packet first) {
    const uint32_t count = (uint32_t)random_between(random, 1, load.is_calm ? 3 : NET_PACKETS / MESSAGES);
    const bool chained = random_once_in(random, 2) || load.is_calm, backwards = random_once_in(random, 2);
    const int64_t pace_ps = random_once_in(random, 2) ? random_between(random, 1, 8) * 1000 : 0;
    first.rank = index % RANKS;
    first.op = MESSAGES - index / RANKS;
    first.begin_ps = random_between(random, 0, load.spread_ns) * 1000;
    for (uint32_t n = 0; n < count; n++) {
        net_packet *one = &of->packets[of->packet_count];
        *one = first;
        one->number = backwards ? count - 1 - n : n;
        one->bytes = n + 1 < count ? FLIT_BYTES : (uint32_t)random_between(random, 1, FLIT_BYTES);
        one->begin_ps += pace_ps * n;
        one->after = chained && n > 0 ? (int)of->packet_count - 1 : NET_NONE;
        of->packet_count++;
    }
}

/* From idle to saturated. */
static void make_packets(net *of, random_source *random) {
    const demand loads[] = {
        {1000000, true}, {50, false}, {1000, false}, {random_between(random, 1, 100) * 1000, false}};
    const demand load = loads[random_below(random, 4)];
    const uint64_t mixture = random_below(random, 3);
    const uint32_t messages = (uint32_t)random_between(random, of->route_count, MESSAGES);
    for (uint32_t m = 0; m < messages; m++) {
        const uint32_t route = m < of->route_count ? m : (uint32_t)random_below(random, of->route_count);
        const uint32_t channels[] = {1, route % 2, (uint32_t)random_below(random, 2)};
        make_message(of, random, load, m, (net_packet){.route = route, .channel = channels[mixture]});
    }
}

/* --- both ------------------------------------------------------------------------------------ */

typedef struct tally {
    uint32_t idle, saturated, both_channels, spared_links;
    uint64_t ties;
} tally;

static void compare(const net *of, const fifo *model, uint64_t seed) {
    for (uint32_t i = 0; i < of->packet_count; i++) {
        const net_packet *is = &of->packets[i];
        const flit *one = &model->flits[i];
        if (is->sent_ps != one->sent_ps || is->seen_ps != one->seen_ps)
            fail_msg("seed %lu, packet %u: sent %ld, seen %ld; as a flit %ld, %ld", (unsigned long)seed, i,
                     (long)is->sent_ps, (long)is->seen_ps, (long)one->sent_ps, (long)one->seen_ps);
    }
}

static void note(tally *seen, const net *of, const fifo *model) {
    bool is_full = false, uses[2] = {false, false};
    for (uint32_t i = 0; i < of->link_count; i++) {
        const server *at = &model->servers[i];
        is_full |= at->served >= 40 && at->busy_ps * 100 >= (at->free_ps - at->first_ps) * 99;
        seen->spared_links += !of->links[i].decides;
    }
    for (uint32_t i = 0; i < of->packet_count; i++)
        uses[of->packets[i].channel] = true;
    seen->idle += model->waited_ps == 0;
    seen->saturated += is_full;
    seen->both_channels += uses[0] && uses[1];
    seen->ties += model->ties;
}

static void packets_of_one_flit_are_served_as_flits(void **state) {
    (void)state;
    tally seen = {0};
    for (uint64_t seed = 1; seed <= CONFIGURATIONS; seed++) {
        static net of;
        static fifo model;
        random_source random;
        random_init(&random, seed);
        memset(&of, 0, sizeof of);
        of.flit_bytes = FLIT_BYTES;
        make_links(&of, &random);
        make_routes(&of, &random);
        make_packets(&of, &random);
        run_fifo(&model, &of);
        net_run(&of, (net_how){.fuse = false});
        compare(&of, &model, seed);
        net_run(&of, (net_how){.fuse = true, .shuffle = seed});
        compare(&of, &model, seed);
        note(&seen, &of, &model);
    }
    /* The draw was one that can tell. */
    assert_in_range(seen.idle, 20, CONFIGURATIONS);
    assert_in_range(seen.saturated, 40, CONFIGURATIONS);
    assert_in_range(seen.both_channels, 200, CONFIGURATIONS);
    assert_true(seen.spared_links >= 500);
    assert_true(seen.ties >= 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_one_flit_are_served_as_flits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
