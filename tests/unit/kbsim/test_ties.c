/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is at a link: the virtual channel after the one served last, within it who came first, and
 * of those that came at one instant by rank, then by op, then by packet. Each part of the rule by itself,
 * against all others: whoever must go first would go last by every part that comes after.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/fabric/net.h"

enum { HEADS = 6, FLIT_PS = 1000, FEED_PS = 3000, BEHIND_PS = 7000, DMA = 0, QUEUE = 1 };

/* A packet of one flit, as it comes to the link in question; listed in the order in which they must go. */
typedef struct head {
    uint32_t rank;
    uint64_t op;
    uint32_t number, channel;
    int64_t ready_ps;
} head;

/* --- the link in question -------------------------------------------------------------------- */

typedef enum place {
    ENTRY,    /* all routes begin with it */
    MEETING,  /* a link of its own leads each of them there */
    HALF_WAY, /* the same, and it goes on from there */
    PLACES
} place;

static void add_link(net *of, int64_t latency_ps) {
    of->links[of->link_count++] = (net_link){.bytes_per_s = UINT64_C(256000000000),
                                             .latency_ps = latency_ps}; /* 256 bytes in FLIT_PS */
}

static void make(net *of, place at, const head *heads, uint32_t count) {
    memset(of, 0, sizeof *of);
    of->flit_bytes = 256;
    add_link(of, BEHIND_PS);
    add_link(of, BEHIND_PS);
    for (uint32_t i = 0; i < count; i++) {
        net_route *route = &of->routes[of->route_count++];
        if (at != ENTRY) {
            route->links[route->count++] = of->link_count;
            add_link(of, FEED_PS);
        }
        route->links[route->count++] = 0;
        if (at == HALF_WAY)
            route->links[route->count++] = 1;
        of->packets[of->packet_count++] = (net_packet){heads[i].rank,
                                                       heads[i].number,
                                                       heads[i].op,
                                                       i,
                                                       heads[i].channel,
                                                       256,
                                                       heads[i].ready_ps - (at != ENTRY ? FEED_PS : 0),
                                                       NET_NONE,
                                                       0,
                                                       0};
    }
}

/* One after the other, as they are listed. */
static void check_order(const net *of, place at, const head *heads, uint32_t count) {
    int64_t free_ps = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int64_t start_ps = heads[i].ready_ps > free_ps ? heads[i].ready_ps : free_ps;
        free_ps = start_ps + FLIT_PS;
        assert_int_equal(of->packets[i].seen_ps, free_ps + BEHIND_PS * (at == HALF_WAY ? 2 : 1));
    }
}

/* The `number`-th order of so many. */
static void make_order(uint32_t number, uint32_t count, uint32_t *ret_order) {
    uint32_t left[HEADS];
    for (uint32_t i = 0; i < count; i++)
        left[i] = i;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t which = number % (count - i);
        number /= count - i;
        ret_order[i] = left[which];
        memmove(&left[which], &left[which + 1], (count - i - which - 1) * sizeof left[0]);
    }
}

/* In every order of making them, and whatever order an instant's events are taken in. */
static void check_at(place at, bool fuse, const head *heads, uint32_t count) {
    static net of;
    uint32_t orders = 1;
    for (uint32_t i = 2; i <= count; i++)
        orders *= i;
    make(&of, at, heads, count);
    for (uint32_t number = 0; number < orders; number++) {
        uint32_t order[HEADS];
        make_order(number, count, order);
        net_run(&of, (net_how){fuse, order, 0});
        check_order(&of, at, heads, count);
    }
    for (uint64_t shuffle = 1; shuffle <= 8; shuffle++) {
        net_run(&of, (net_how){fuse, NULL, shuffle});
        check_order(&of, at, heads, count);
    }
}

static void check_heads(const head *heads, uint32_t count) {
    for (int at = 0; at < PLACES; at++)
        for (int fuse = 0; fuse < 2; fuse++)
            check_at((place)at, fuse, heads, count);
}

/* What does not begin with an idle link and both channels holds with the channels exchanged. */
static void check_either_way(const head *heads, uint32_t count) {
    for (uint32_t exchange = 0; exchange < 2; exchange++) {
        head moved[HEADS];
        for (uint32_t i = 0; i < count; i++) {
            moved[i] = heads[i];
            moved[i].channel ^= exchange;
        }
        check_heads(moved, count);
    }
}

#define CHECK(check, ...) \
    check((const head[]){__VA_ARGS__}, (uint32_t)(sizeof((const head[]){__VA_ARGS__}) / sizeof(head)))

/* --- within a channel ------------------------------------------------------------------------ */

/* The same heads at a free link, at one that is served, and at the instant at which it gets free. */
static void check_ties(const head *ties, uint32_t count) {
    static const int64_t after_ps[] = {300, FLIT_PS - 1, FLIT_PS};
    check_either_way(ties, count);
    for (size_t i = 0; i < sizeof after_ps / sizeof after_ps[0]; i++) {
        head heads[HEADS] = {{.rank = 5, .op = 5, .number = 5, .channel = DMA, .ready_ps = 10000}};
        for (uint32_t k = 0; k < count; k++) {
            heads[k + 1] = ties[k];
            heads[k + 1].ready_ps = heads[0].ready_ps + after_ps[i];
        }
        check_either_way(heads, count + 1);
    }
}

static void the_lower_rank_goes_first(void **state) {
    (void)state;
    CHECK(check_ties, {0, 9, 9, DMA, 10000}, {1, 8, 8, DMA, 10000}, {2, 7, 7, DMA, 10000});
    CHECK(check_ties, {7, 9, 0, DMA, 10000}, {8, 8, 0, DMA, 10000});
    CHECK(check_ties, {7, 0, 9, DMA, 10000}, {8, 0, 8, DMA, 10000});
}

static void of_one_rank_the_lower_op_goes_first(void **state) {
    (void)state;
    CHECK(check_ties, {4, 1, 9, DMA, 10000}, {4, 2, 8, DMA, 10000}, {4, 3, 7, DMA, 10000});
    CHECK(check_ties, {4, 7, 1, DMA, 10000}, {4, (UINT64_C(1) << 32U) + 6, 0, DMA, 10000});
}

static void of_one_op_the_lower_packet_goes_first(void **state) {
    (void)state;
    CHECK(check_ties, {4, 4, 0, DMA, 10000}, {4, 4, 1, DMA, 10000}, {4, 4, 2, DMA, 10000});
}

static void who_came_first_goes_first(void **state) {
    (void)state;
    CHECK(check_either_way, {9, 9, 9, DMA, 10000}, {8, 8, 8, DMA, 10100}, {7, 7, 7, DMA, 10101},
          {6, 6, 6, DMA, 10102});
    CHECK(check_either_way, {9, 9, 9, DMA, 10000}, {8, 8, 8, DMA, 10500}, {7, 7, 7, DMA, 11000});
    /* One part differs at a time. */
    CHECK(check_either_way, {9, 9, 9, DMA, 10000}, {8, 8, 8, DMA, 10100}, {7, 8, 8, DMA, 10101});
    CHECK(check_either_way, {9, 9, 9, DMA, 10000}, {8, 8, 8, DMA, 10100}, {8, 7, 8, DMA, 10101});
    CHECK(check_either_way, {9, 9, 9, DMA, 10000}, {8, 8, 8, DMA, 10100}, {8, 8, 7, DMA, 10101});
}

/* --- between channels ------------------------------------------------------------------------ */

static void at_first_channel_0_goes_first(void **state) {
    (void)state;
    CHECK(check_heads, {8, 8, 8, DMA, 10000}, {1, 1, 1, QUEUE, 10000}, {9, 9, 9, DMA, 10000},
          {2, 2, 2, QUEUE, 10000}, {3, 3, 3, QUEUE, 10000});
}

/* However long ago that was, and whether or not it had to wait. */
static void the_other_channel_goes_after_one_was_served(void **state) {
    (void)state;
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {9, 9, 9, QUEUE, 15000}, {1, 1, 1, DMA, 15000});
    CHECK(check_either_way, {2, 2, 2, DMA, 10000}, {3, 3, 3, DMA, 10000}, {9, 9, 9, QUEUE, 15000},
          {1, 1, 1, DMA, 15000});
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {9, 9, 9, QUEUE, 10300}, {1, 1, 1, DMA, 10300});
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {9, 9, 9, QUEUE, 11000}, {1, 1, 1, DMA, 11000});
}

static void a_channel_waits_for_its_turn_before_r_counts(void **state) {
    (void)state;
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {9, 9, 9, QUEUE, 10300}, {1, 1, 1, DMA, 10200});
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {9, 9, 9, QUEUE, 11000}, {1, 1, 1, DMA, 10200});
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {8, 8, 8, QUEUE, 10900}, {1, 1, 1, DMA, 10100},
          {9, 9, 9, QUEUE, 10901}, {2, 2, 2, DMA, 10200});
}

/* Where the channel whose turn it is has nobody, the other one goes on, and the turn is not used up. */
static void a_turn_that_nobody_wants_is_not_lost(void **state) {
    (void)state;
    CHECK(check_either_way, {5, 5, 5, DMA, 10000}, {6, 6, 6, DMA, 10100}, {9, 9, 9, QUEUE, 11500},
          {7, 7, 7, DMA, 10200}, {8, 8, 8, DMA, 10300});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lower_rank_goes_first),
        cmocka_unit_test(of_one_rank_the_lower_op_goes_first),
        cmocka_unit_test(of_one_op_the_lower_packet_goes_first),
        cmocka_unit_test(who_came_first_goes_first),
        cmocka_unit_test(at_first_channel_0_goes_first),
        cmocka_unit_test(the_other_channel_goes_after_one_was_served),
        cmocka_unit_test(a_channel_waits_for_its_turn_before_r_counts),
        cmocka_unit_test(a_turn_that_nobody_wants_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
