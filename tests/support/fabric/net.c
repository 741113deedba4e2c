/* SPDX-License-Identifier: Apache-2.0 */
/* The code under test over a few links; see net.h. */
#include "support/fabric/net.h"

#include <string.h>

#include "fabric/link.h"
#include "support/check.h"

typedef struct moved {
    kbs_train train; /* first: the fabric's callbacks find the packet by it */
    struct run *run;
    net_packet *plan;
} moved;

typedef struct run {
    net *of;
    kb_arena arena;
    kbs_engine engine;
    kbs_packets packets;
    kbs_link links[NET_LINKS];
    kbs_route *routes[NET_ROUTES];
    moved moved[NET_PACKETS];
    kb_trail trail;
} run;

static void inject(moved *one, int64_t at_ps) {
    run *r = one->run;
    kbs_packet *packet;
    check_ok(kbs_packet_take(&r->packets, &packet, &r->trail), &r->trail);
    kbs_packet_inject(&r->engine, packet, &one->train, one->plan->number, one->plan->bytes, at_ps);
}

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)packet;
    moved *one = (moved *)(void *)train;
    net *of = one->run->of;
    one->plan->sent_ps = sent_ps;
    for (uint32_t i = 0; i < of->packet_count; i++)
        if (of->packets[i].after != NET_NONE && &of->packets[of->packets[i].after] == one->plan)
            inject(&one->run->moved[i], sent_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    moved *one = (moved *)(void *)train;
    one->plan->seen_ps = seen_ps;
    kbs_packet_give(&one->run->packets, packet);
}

static void make_routes(run *r, bool fuse) {
    net *of = r->of;
    for (uint32_t i = 0; i < of->link_count; i++)
        kbs_link_init(&r->links[i], of->links[i].bytes_per_s, of->flit_bytes, of->links[i].latency_ps);
    for (uint32_t i = 0; i < of->route_count; i++) {
        void *memory;
        check_ok(
            kb_arena_new(&r->arena, sizeof(kbs_route) + NET_HOPS * sizeof(kbs_link *), &memory, &r->trail),
            &r->trail);
        kbs_route *route = r->routes[i] = memory;
        route->id = i;
        route->link_count = of->routes[i].count;
        for (uint32_t hop = 0; hop < route->link_count; hop++) {
            route->links[hop] = &r->links[of->routes[i].links[hop]];
            route->latency_ps += route->links[hop]->latency_ps;
        }
    }
    for (uint32_t i = 0; i < of->packet_count; i++)
        r->routes[of->packets[i].route]->channels |= 1U << of->packets[i].channel;
    check_ok(kbs_routes_settle(r->routes, of->route_count, fuse, &r->arena, &r->trail), &r->trail);
    for (uint32_t i = 0; i < of->link_count; i++)
        of->links[i].decides = r->links[i].pass == KBS_DECIDES;
}

static void make_packets(run *r) {
    for (uint32_t i = 0; i < r->of->packet_count; i++) {
        net_packet *plan = &r->of->packets[i];
        plan->sent_ps = plan->seen_ps = NET_NONE;
        r->moved[i] = (moved){.train = {.who = {plan->rank, plan->op},
                                        .route = r->routes[plan->route],
                                        .channel = (uint8_t)plan->channel,
                                        .sent = on_sent,
                                        .seen = on_seen},
                              .run = r,
                              .plan = plan};
    }
}

void net_run(net *of, net_how how) {
    static run r;
    memset(&r, 0, sizeof r);
    r.of = of;
    kb_arena_init(&r.arena, NULL, 0);
    r.packets = (kbs_packets){&r.arena, NULL, NET_HOPS};
    kbs_engine_init(&r.engine, &r);
    r.engine.shuffle = how.shuffle;
    make_routes(&r, how.fuse);
    make_packets(&r);
    for (uint32_t i = 0; i < of->packet_count; i++) {
        const uint32_t which = how.order != NULL ? how.order[i] : i;
        if (of->packets[which].after == NET_NONE)
            inject(&r.moved[which], of->packets[which].begin_ps);
    }
    assert_true(kbs_engine_run(&r.engine, INT64_MAX, UINT64_MAX / 2));
    kb_arena_fini(&r.arena);
}
