/* SPDX-License-Identifier: Apache-2.0 */
/* What queueing theory says of links, whoever models them: bandwidth, waiting, conservation, fairness. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/fabric/traffic.h"
#include "support/random.h"

#define GBPS UINT64_C(1000000000)

/* Room for what an experiment needs, freed by forget(). */
static void plan(traffic *of, uint32_t packet_bytes, size_t links, size_t routes, size_t messages) {
    *of = (traffic){.flit_bytes = 256,
                    .packet_bytes = packet_bytes,
                    .link_count = links,
                    .route_count = routes,
                    .message_count = messages};
    of->links = calloc(links, sizeof *of->links);
    of->routes = calloc(routes, sizeof *of->routes);
    of->messages = calloc(messages, sizeof *of->messages);
    assert_true(of->links != NULL && of->routes != NULL && of->messages != NULL);
    for (size_t i = 0; i < messages; i++) {
        of->messages[i].op = (uint32_t)i;
        for (int j = 0; j < TRAFFIC_AFTER; j++)
            of->messages[i].after[j] = TRAFFIC_NONE;
    }
}

static void forget(traffic *of) {
    free(of->links);
    free(of->routes);
    free(of->messages);
}

static void plan_one_link(traffic *of, uint64_t bytes_per_s, size_t messages) {
    plan(of, 4096, 1, 1, messages);
    of->links[0] = (traffic_link){.bytes_per_s = bytes_per_s, .latency_ps = 5000};
    of->routes[0] = (traffic_route){1, {0}};
}

/* Times of a Poisson process; the mean in ps. */
static int64_t next_arrival(random_source *random, double *clock_ps, double mean_ps) {
    const double uniform = ((double)(random_u64(random) >> 11U) + 1) * 0x1p-53; /* in (0, 1] */
    *clock_ps -= mean_ps * log(uniform);
    return (int64_t)*clock_ps;
}

/* --- bandwidth ------------------------------------------------------------------------------- */

/* A part of a flit is rounded up to a picosecond, which small packets alone would feel. */
static void a_saturated_link_carries_its_bandwidth(void **state) {
    (void)state;
    static const uint64_t rates[] = {16, 57, 128, 256, 512, 1024};
    random_source random;
    random_init(&random, 11);
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        traffic of;
        plan_one_link(&of, rates[r] * GBPS, 2000);
        uint64_t bytes = 0;
        int64_t end_ps = 0;
        for (size_t i = 0; i < of.message_count; i++) {
            of.messages[i].channel = (uint32_t)random_below(&random, 2);
            of.messages[i].rank = (uint32_t)random_below(&random, 8);
            of.messages[i].bytes = (uint32_t)random_between(&random, 1024, 30000);
            bytes += of.messages[i].bytes;
        }
        traffic_run(&of);
        for (size_t i = 0; i < of.message_count; i++)
            if (of.messages[i].sent_ps > end_ps)
                end_ps = of.messages[i].sent_ps;
        const double reached = (double)bytes / (double)end_ps * 1e12;
        assert_true(reached <= (double)(rates[r] * GBPS));
        assert_true(reached >= (double)(rates[r] * GBPS) * 0.999);
        forget(&of);
    }
}

/* --- waiting --------------------------------------------------------------------------------- */

/*
 * The mean wait, with less scatter than the mean of waits. Between two packets a wait W grows by X, the
 * service less the gap, which knows nothing of W: so the mean of W (X - E X) is 0, and what it happens
 * to be in this sample tells how far the sample's waits are off, by the factor -load / E X. That leaves
 * half a percent of standard deviation at any load; the plain mean of as many waits has 6% at 0.95.
 */
static double mean_wait(const traffic *of, int64_t service_ps, double load) {
    const double gap_ps = (double)service_ps / load;
    double waits_ps = 0, chance = 0;
    for (size_t i = 0; i + 1 < of->message_count; i++) {
        const traffic_message *m = &of->messages[i];
        const double wait_ps = (double)(m->sent_ps - service_ps - m->begin_ps);
        waits_ps += wait_ps;
        chance += wait_ps * (gap_ps - (double)(of->messages[i + 1].begin_ps - m->begin_ps));
    }
    return (waits_ps + load * chance / ((double)service_ps - gap_ps)) / (double)(of->message_count - 1);
}

/* Each wait follows from the one before (Lindley, 1952), to the picosecond. */
static void check_each_wait(const traffic *of, int64_t service_ps) {
    int64_t free_ps = 0;
    for (size_t i = 0; i < of->message_count; i++) {
        const traffic_message *m = &of->messages[i];
        free_ps = (m->begin_ps > free_ps ? m->begin_ps : free_ps) + service_ps;
        if (m->sent_ps != free_ps)
            assert_int_equal(m->sent_ps, free_ps);
    }
}

static void poisson_arrivals_wait_as_pollaczek_and_khinchine_say(void **state) {
    (void)state;
    static const double loads[] = {0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95};
    enum { PACKETS = 300000 };
    const int64_t service_ps = 32000; /* 4 KiB at 128 GB/s */
    random_source random;
    random_init(&random, 12);
    for (size_t l = 0; l < sizeof loads / sizeof *loads; l++) {
        traffic of;
        plan_one_link(&of, 128 * GBPS, PACKETS);
        double clock_ps = 0;
        const double gap_ps = (double)service_ps / loads[l];
        for (size_t i = 0; i < PACKETS; i++) {
            of.messages[i].begin_ps = next_arrival(&random, &clock_ps, gap_ps);
            of.messages[i].bytes = 4096;
        }
        traffic_run(&of);
        check_each_wait(&of, service_ps);
        const double wanted_ps = loads[l] * (double)service_ps / (2 * (1 - loads[l]));
        const double off = mean_wait(&of, service_ps, loads[l]) / wanted_ps - 1;
        if (fabs(off) >= 0.02)
            fail_msg("load %.2f: the mean wait is off by %.2f%%", loads[l], 100 * off);
        forget(&of);
    }
}

/* --- what goes in comes out ------------------------------------------------------------------ */

enum { LINKS = 12, ROUTES = 20, MESSAGES = 3000 };

static void make_network(traffic *of, random_source *random) {
    for (uint32_t i = 0; i < LINKS; i++)
        of->links[i] = (traffic_link){.bytes_per_s = (uint64_t)random_between(random, 20, 600) * GBPS,
                                      .latency_ps = random_between(random, 1, 20000)};
    for (uint32_t r = 0; r < ROUTES; r++) {
        of->routes[r].count = (uint32_t)random_between(random, 1, 6);
        for (uint32_t hop = 0, at = (uint32_t)random_below(random, LINKS); hop < of->routes[r].count; hop++) {
            of->routes[r].links[hop] = at;
            at = (at + 1 + (uint32_t)random_below(random, 2)) % LINKS;
        }
    }
}

static void make_messages(traffic *of, random_source *random, double gap_ps) {
    double clock_ps = 0;
    for (size_t i = 0; i < of->message_count; i++) {
        traffic_message *m = &of->messages[i];
        m->rank = (uint32_t)random_below(random, 8);
        m->route = (uint32_t)random_below(random, ROUTES);
        m->channel = (uint32_t)random_below(random, 2);
        m->bytes = (uint32_t)random_between(random, 1, 20000);
        m->begin_ps = next_arrival(random, &clock_ps, gap_ps);
        if (i > 100 && random_once_in(random, 4))
            m->after[0] = (int32_t)random_below(random, i);
    }
}

/*
 * Little's law on a drained run, in integers: messages in the network, counted as they come and go and
 * integrated over time, are the sum of their stays. And each link carried what was sent over it.
 */
static void nothing_is_lost_and_littles_law_is_exact(void **state) {
    (void)state;
    random_source random;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        random_init(&random, seed);
        traffic of;
        plan(&of, seed % 3 == 0 ? 256 : 4096, LINKS, ROUTES, MESSAGES);
        of.plain = true; /* so that each link counts its bytes */
        make_network(&of, &random);
        make_messages(&of, &random, seed % 2 == 0 ? 30000 : 300000);
        traffic_run(&of);
        uint64_t wanted[LINKS] = {0};
        int64_t stays_ps = 0;
        for (size_t i = 0; i < MESSAGES; i++) {
            const traffic_message *m = &of.messages[i];
            assert_true(m->seen_ps > m->sent_ps && m->sent_ps > m->begun_ps);
            assert_true(m->begun_ps >= m->begin_ps);
            stays_ps += m->seen_ps - m->begun_ps;
            for (uint32_t hop = 0; hop < of.routes[m->route].count; hop++)
                wanted[of.routes[m->route].links[hop]] += m->bytes;
        }
        assert_int_equal(of.sojourn_ps, stays_ps);
        assert_int_equal(of.area, stays_ps);
        for (size_t i = 0; i < LINKS; i++)
            assert_int_equal(of.links[i].bytes, wanted[i]);
        forget(&of);
    }
}

/* Links that need no decision of their own, because of where they lie, change no time. */
static void what_a_link_need_not_decide_changes_nothing(void **state) {
    (void)state;
    static int64_t seen_ps[MESSAGES];
    random_source random;
    for (uint64_t seed = 21; seed <= 32; seed++) {
        random_init(&random, seed);
        traffic of;
        plan(&of, 4096, LINKS, ROUTES, MESSAGES);
        make_network(&of, &random);
        of.route_count = 2 + seed % 4; /* few routes: many links are reached from one other only */
        make_messages(&of, &random, 60000);
        for (size_t i = 0; i < MESSAGES; i++) {
            of.messages[i].route %= (uint32_t)of.route_count;
            of.messages[i].channel &= (uint32_t)seed % 2;
        }
        of.plain = true;
        traffic_run(&of);
        for (size_t i = 0; i < MESSAGES; i++)
            seen_ps[i] = of.messages[i].seen_ps;
        of.plain = false;
        traffic_run(&of);
        for (size_t i = 0; i < MESSAGES; i++)
            assert_int_equal(of.messages[i].seen_ps, seen_ps[i]);
        forget(&of);
    }
}

/* --- fairness -------------------------------------------------------------------------------- */

static int by_sent(const void *a, const void *b) {
    const traffic_message *x = *(traffic_message *const *)a, *y = *(traffic_message *const *)b;
    return (x->sent_ps > y->sent_ps) - (x->sent_ps < y->sent_ps);
}

/*
 * Two channels ask for more than a link has: while both do, they are served in turn, so that neither
 * is ever more than one packet ahead; and each serves in the order of arrival.
 */
static void channels_share_a_saturated_link_evenly(void **state) {
    (void)state;
    enum { PACKETS = 4000 };
    static traffic_message *order[PACKETS];
    random_source random;
    random_init(&random, 13);
    traffic of;
    plan_one_link(&of, 128 * GBPS, PACKETS);
    double clock_ps = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        of.messages[i].begin_ps = next_arrival(&random, &clock_ps, 10000); /* service takes 32000 */
        of.messages[i].channel = random_once_in(&random, 4);
        of.messages[i].rank = (uint32_t)random_below(&random, 4);
        of.messages[i].bytes = 4096;
        order[i] = &of.messages[i];
    }
    traffic_run(&of);
    qsort(order, PACKETS, sizeof *order, by_sent);
    int64_t latest_ps[2] = {-1, -1};
    uint32_t served[2] = {0, 0}, left[2] = {0, 0};
    for (size_t i = 0; i < PACKETS; i++)
        left[of.messages[i].channel]++;
    /* From the first tenth of the rarer channel's packets on it always has one waiting. */
    for (size_t i = 0, both_from = 0; i < PACKETS; i++) {
        const uint32_t channel = order[i]->channel;
        assert_true(order[i]->begin_ps >= latest_ps[channel]);
        latest_ps[channel] = order[i]->begin_ps;
        served[channel]++;
        left[channel]--;
        if (both_from == 0 && served[1] > 100) {
            both_from = i;
            served[0] = served[1] = 0;
        }
        if (both_from > 0 && left[0] > 0 && left[1] > 0)
            assert_true(served[0] <= served[1] + 1 && served[1] <= served[0] + 1);
    }
    forget(&of);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saturated_link_carries_its_bandwidth),
        cmocka_unit_test(poisson_arrivals_wait_as_pollaczek_and_khinchine_say),
        cmocka_unit_test(nothing_is_lost_and_littles_law_is_exact),
        cmocka_unit_test(what_a_link_need_not_decide_changes_nothing),
        cmocka_unit_test(channels_share_a_saturated_link_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
