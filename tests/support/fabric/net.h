/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few links, routes over them, and packets of which each has a time, a place in the order of turns and
 * a route of its own, as plain data: what tests of who goes first are made of. Says what became of each
 * packet, and nothing of what should have.
 */
#ifndef KB_TESTS_NET_H
#define KB_TESTS_NET_H

#include <stdbool.h>
#include <stdint.h>

enum { NET_LINKS = 16, NET_ROUTES = 16, NET_HOPS = 6, NET_PACKETS = 192, NET_NONE = -1 };

typedef struct net_link {
    uint64_t bytes_per_s;
    int64_t latency_ps; /* ≥ 1 */
    bool decides;       /* found: whether packets stop here to be let in */
} net_link;

typedef struct net_route {
    uint32_t count;
    uint32_t links[NET_HOPS];
} net_route;

typedef struct net_packet {
    uint32_t rank, number;
    uint64_t op; /* no two packets have rank, op and number the same */
    uint32_t route;
    uint32_t channel; /* 0 or 1 */
    uint32_t bytes;
    int64_t begin_ps;         /* its head is there, */
    int after;                /* or when that packet was sent, if it is not NET_NONE */
    int64_t sent_ps, seen_ps; /* found; NET_NONE if never */
} net_packet;

typedef struct net {
    uint32_t flit_bytes;
    net_link links[NET_LINKS];
    uint32_t link_count;
    net_route routes[NET_ROUTES]; /* each is used */
    uint32_t route_count;
    net_packet packets[NET_PACKETS];
    uint32_t packet_count;
} net;

/* What must not matter. */
typedef struct net_how {
    bool fuse;             /* as kbs_routes_settle */
    const uint32_t *order; /* in which packets are handed in; NULL: as they stand */
    uint64_t shuffle;      /* as kbs_engine's */
} net_how;

/* Runs until nothing is left to do. */
void net_run(net *of, net_how how);

#endif
