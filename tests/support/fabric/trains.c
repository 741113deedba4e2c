/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic as our fabric moves it: the one place where experiments meet its links and packets. */
#include "support/fabric/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fabric/link.h"

typedef struct message {
    kbs_train train; /* first: the fabric's callbacks find the message by it */
    struct run *run;
    traffic_message *plan;
    kbs_event leave; /* when it is seen: it is told of that ahead of time */
    uint32_t left_bytes, packets, seen_packets;
    uint32_t waits_for;  /* messages that were not seen yet, and 1 until the clock reaches begin_ps */
    uint32_t *followers; /* that come after it */
    size_t follower_count;
} message;

typedef struct run {
    traffic *of;
    kbs_engine engine;
    kb_arena arena;
    kbs_packets packets;
    kbs_link *links;
    kbs_route **routes;
    message *messages;
    uint32_t *followers;
    kbs_event source; /* begins messages, in their order */
    size_t begun;
    int64_t inside, since_ps; /* messages in the network, and since when there are so many */
} run;

static void *take(size_t size) {
    const size_t whole = (size / KB_CACHE_LINE + 1) * KB_CACHE_LINE; /* links lie in lines of the cache */
    void *block = aligned_alloc(KB_CACHE_LINE, whole);
    if (block == NULL)
        abort();
    return memset(block, 0, whole);
}

static void must(kb_status status) {
    if (status != KB_OK)
        abort();
}

/* --- moving ---------------------------------------------------------------------------------- */

static void count_inside(run *r, int64_t change) {
    r->of->area += r->inside * (r->engine.now_ps - r->since_ps);
    r->since_ps = r->engine.now_ps;
    r->inside += change;
}

static void inject(message *m, int64_t at_ps) {
    run *r = m->run;
    kb_trail trail;
    kbs_packet *packet;
    must(kbs_packet_take(&r->packets, &packet, &trail));
    const uint32_t bytes = m->left_bytes < r->of->packet_bytes ? m->left_bytes : r->of->packet_bytes;
    m->left_bytes -= bytes;
    kbs_packet_inject(&r->engine, packet, &m->train, m->packets++, bytes, at_ps);
}

static void begin_if_free(message *m) {
    if (--m->waits_for > 0)
        return;
    count_inside(m->run, 1);
    m->plan->begun_ps = m->run->engine.now_ps;
    inject(m, m->run->engine.now_ps);
}

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)packet;
    message *m = (message *)(void *)train;
    m->plan->sent_ps = sent_ps;
    if (m->left_bytes > 0)
        inject(m, sent_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    message *m = (message *)(void *)train;
    if (seen_ps > m->plan->seen_ps)
        m->plan->seen_ps = seen_ps;
    kbs_packet_give(&m->run->packets, packet);
    if (++m->seen_packets == m->packets && m->left_bytes == 0)
        kbs_engine_at(&m->run->engine, &m->leave, m->plan->seen_ps);
}

static void fire_leave(kbs_engine *engine, kbs_event *event) {
    (void)engine;
    message *m = (message *)(void *)((char *)event - offsetof(message, leave));
    count_inside(m->run, -1);
    m->run->of->sojourn_ps += m->plan->seen_ps - m->plan->begun_ps;
    for (size_t i = 0; i < m->follower_count; i++)
        begin_if_free(&m->run->messages[m->followers[i]]);
}

static void fire_source(kbs_engine *engine, kbs_event *event) {
    run *r = engine->owner;
    traffic *of = r->of;
    while (r->begun < of->message_count && of->messages[r->begun].begin_ps <= engine->now_ps)
        begin_if_free(&r->messages[r->begun++]);
    if (r->begun < of->message_count)
        kbs_engine_at(engine, event, of->messages[r->begun].begin_ps);
}

/* --- setting up ------------------------------------------------------------------------------ */

static void make_links(run *r) {
    traffic *of = r->of;
    r->links = take(of->link_count * sizeof *r->links);
    for (size_t i = 0; i < of->link_count; i++) {
        kbs_link_init(&r->links[i], of->links[i].bytes_per_s, of->flit_bytes, of->links[i].latency_ps);
        r->links[i].id = (uint32_t)i;
        of->links[i].flit_ps = r->links[i].flit_ps;
    }
}

static void make_routes(run *r) {
    traffic *of = r->of;
    r->routes = take(of->route_count * sizeof(kbs_route *));
    r->packets = (kbs_packets){.arena = &r->arena};
    for (size_t i = 0; i < of->route_count; i++) {
        const traffic_route *plan = &of->routes[i];
        kbs_route *route = take(sizeof *route + plan->count * sizeof(kbs_link *));
        route->link_count = plan->count;
        for (uint32_t hop = 0; hop < plan->count; hop++) {
            route->links[hop] = &r->links[plan->links[hop]];
            route->latency_ps += route->links[hop]->latency_ps;
        }
        r->routes[i] = route;
        if (plan->count > r->packets.most_steps)
            r->packets.most_steps = plan->count;
    }
    for (size_t i = 0; i < of->message_count; i++)
        r->routes[of->messages[i].route]->channels |= 1U << of->messages[i].channel;
    kb_trail trail;
    must(kbs_routes_settle(r->routes, of->route_count, !of->plain, &r->arena, &trail));
}

static void make_messages(run *r) {
    traffic *of = r->of;
    r->messages = take(of->message_count * sizeof *r->messages);
    for (size_t i = 0; i < of->message_count; i++) {
        traffic_message *plan = &of->messages[i];
        message *m = &r->messages[i];
        m->train = (kbs_train){.who = {plan->rank, plan->op},
                               .route = r->routes[plan->route],
                               .channel = (uint8_t)plan->channel,
                               .sent = on_sent,
                               .seen = on_seen};
        m->run = r;
        m->plan = plan;
        m->leave.fire = fire_leave;
        plan->seen_ps = 0;
        m->left_bytes = plan->bytes;
        m->waits_for++;
        of->packet_hops +=
            (plan->bytes + of->packet_bytes - 1) / of->packet_bytes * of->routes[plan->route].count;
        for (int j = 0; j < TRAFFIC_AFTER; j++)
            if (plan->after[j] != TRAFFIC_NONE) {
                m->waits_for++;
                r->messages[plan->after[j]].follower_count++;
            }
    }
}

static void make_followers(run *r) {
    traffic *of = r->of;
    uint32_t *next = r->followers = take(of->message_count * TRAFFIC_AFTER * sizeof *next);
    for (size_t i = 0; i < of->message_count; i++) {
        r->messages[i].followers = next;
        next += r->messages[i].follower_count;
        r->messages[i].follower_count = 0;
    }
    for (size_t i = 0; i < of->message_count; i++)
        for (int j = 0; j < TRAFFIC_AFTER; j++)
            if (of->messages[i].after[j] != TRAFFIC_NONE) {
                message *before = &r->messages[of->messages[i].after[j]];
                before->followers[before->follower_count++] = (uint32_t)i;
            }
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void traffic_run(traffic *of) {
    run *r = take(sizeof *r);
    r->of = of;
    of->packet_hops = 0;
    of->area = of->sojourn_ps = 0;
    kb_arena_init(&r->arena, NULL, 0);
    kbs_engine_init(&r->engine, r);
    make_links(r);
    make_routes(r);
    make_messages(r);
    make_followers(r);
    r->source.fire = fire_source;
    if (of->message_count > 0)
        kbs_engine_at(&r->engine, &r->source, of->messages[0].begin_ps);
    const double begun = seconds_now();
    while (!kbs_engine_run(&r->engine, INT64_MAX, UINT64_C(1) << 32U))
        ;
    of->seconds = seconds_now() - begun;
    for (size_t i = 0; i < of->link_count; i++)
        of->links[i].bytes = r->links[i].bytes;
    for (size_t i = 0; i < of->route_count; i++)
        free(r->routes[i]);
    kb_arena_fini(&r->arena);
    free(r->followers);
    free(r->messages);
    free(r->routes);
    free(r->links);
    free(r);
}
