/* SPDX-License-Identifier: Apache-2.0 */
/* Makes traffic over our machine's links, writes it, and compares times: see shapes.h. */
#include "traffic/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "fabric/fabric.h"
#include "support/random.h"

enum { FLIT_BYTES = 256, PACKET_BYTES = 4096 };

/* --- routes of the machine --------------------------------------------------------------------------- */

typedef struct atlas {
    kbs_machine machine;
    kb_arena arena;
    kbs_fabric fabric;
} atlas;

static atlas *atlas_create(const char *shape) {
    atlas *a = bench_new(sizeof *a);
    kb_trail trail;
    kb_arena_init(&a->arena, NULL, 0);
    kbs_machine_init(&a->machine);
    bench_must_kb(kbs_machine_shorthand(&a->machine, shape, &trail), &trail);
    bench_must_kb(kbs_machine_check(&a->machine, &trail), &trail);
    bench_must_kb(kbs_fabric_init(&a->fabric, &a->machine, &a->arena, &trail), &trail);
    return a;
}

static void atlas_destroy(atlas *a) {
    kbs_fabric_fini(&a->fabric);
    kb_arena_fini(&a->arena);
    free(a);
}

/* The route from one PE's TCM to another's; a fabric numbers routes and links as they are asked for. */
static uint32_t find_route(atlas *a, uint32_t from, uint32_t to) {
    kb_trail trail;
    const kbs_route *route;
    bench_must_kb(
        kbs_fabric_route(&a->fabric, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE, &route, &trail),
        &trail);
    return route->id;
}

static void copy_network(traffic *to, const atlas *a) {
    to->link_count = a->fabric.link_count;
    to->links = bench_new(to->link_count * sizeof *to->links);
    for (size_t i = 0; i < to->link_count; i++) {
        const kbs_link *link = a->fabric.links[i];
        to->links[i] = (traffic_link){link->bytes_per_s, link->flit_ps, link->latency_ps, 0};
    }
    to->route_count = a->fabric.route_count;
    to->routes = bench_new(to->route_count * sizeof *to->routes);
    for (size_t i = 0; i < to->route_count; i++) {
        const kbs_route *route = a->fabric.routes[i];
        bench_must(route->link_count <= TRAFFIC_HOPS, "a route of so many links");
        to->routes[i].count = route->link_count;
        for (uint32_t hop = 0; hop < route->link_count; hop++)
            to->routes[i].links[hop] = route->links[hop]->id;
    }
}

/* --- shapes ------------------------------------------------------------------------------------------ */

static traffic *new_traffic(size_t messages) {
    traffic *of = bench_new(sizeof *of);
    of->flit_bytes = FLIT_BYTES;
    of->packet_bytes = PACKET_BYTES;
    of->message_count = messages;
    of->messages = bench_new(messages * sizeof *of->messages);
    return of;
}

traffic *shape_mesh(size_t messages, uint64_t seed) {
    enum { PES = 32, GAP_PS = 4000 };
    atlas *a = atlas_create("cubes=2x2,pes=8");
    traffic *of = new_traffic(messages);
    random_source random;
    random_init(&random, seed);
    int64_t clock_ps = 0;
    for (size_t i = 0; i < messages; i++) {
        const uint32_t from = (uint32_t)random_below(&random, PES);
        const uint32_t to = (from + 1 + (uint32_t)random_below(&random, PES - 1)) % PES;
        clock_ps += random_between(&random, 0, (int64_t)2 * GAP_PS);
        of->messages[i] = (traffic_message){.rank = from,
                                            .op = (uint32_t)i,
                                            .route = find_route(a, from, to),
                                            .channel = (uint32_t)random_below(&random, 2),
                                            .bytes = (uint32_t)random_between(&random, 1, 16384),
                                            .after = {TRAFFIC_NONE, TRAFFIC_NONE},
                                            .begin_ps = clock_ps};
    }
    copy_network(of, a);
    atlas_destroy(a);
    return of;
}

traffic *shape_ring(uint32_t ranks, uint64_t bytes) {
    atlas *a = atlas_create(ranks > 128 ? "cubes=8x4,pes=8" : "cubes=4x4,pes=8");
    const uint32_t steps = 2 * (ranks - 1);
    traffic *of = new_traffic((size_t)ranks * steps);
    for (uint32_t step = 0; step < steps; step++)
        for (uint32_t rank = 0; rank < ranks; rank++) {
            const uint32_t before = (step - 1) * ranks;
            of->messages[step * ranks + rank] = (traffic_message){
                .rank = rank,
                .op = step,
                .route = find_route(a, rank, (rank + 1) % ranks),
                .channel = 1,
                .bytes = (uint32_t)((bytes + ranks - 1) / ranks),
                .after = {step > 0 ? (int32_t)(before + (rank + ranks - 1) % ranks) : TRAFFIC_NONE,
                          step > 0 ? (int32_t)(before + rank) : TRAFFIC_NONE}};
        }
    copy_network(of, a);
    atlas_destroy(a);
    return of;
}

traffic *shape_ring_routes(const char *machine, uint32_t ranks) {
    atlas *a = atlas_create(machine);
    traffic *of = new_traffic(0);
    for (uint32_t rank = 0; rank < ranks; rank++)
        bench_must(find_route(a, rank, (rank + 1) % ranks) == rank, "a route a rank");
    copy_network(of, a);
    atlas_destroy(a);
    return of;
}

void shape_destroy(traffic *of) {
    if (of == NULL)
        return;
    free(of->links);
    free(of->routes);
    free(of->messages);
    free(of);
}

/* --- files ------------------------------------------------------------------------------------------- */

void shape_write(const traffic *of, const char *path) {
    FILE *to = fopen(path, "w");
    bench_must(to != NULL, path);
    fprintf(to, "%u %u %zu %zu %zu\n", of->flit_bytes, of->packet_bytes, of->link_count, of->route_count,
            of->message_count);
    for (size_t i = 0; i < of->link_count; i++)
        fprintf(to, "%lu %ld %ld\n", of->links[i].bytes_per_s, of->links[i].flit_ps, of->links[i].latency_ps);
    for (size_t i = 0; i < of->route_count; i++)
        for (uint32_t hop = 0; hop < of->routes[i].count; hop++)
            fprintf(to, "%u%c", of->routes[i].links[hop], hop + 1 < of->routes[i].count ? ' ' : '\n');
    for (size_t i = 0; i < of->message_count; i++) {
        const traffic_message *m = &of->messages[i];
        fprintf(to, "%u %u %u %u %u %ld", m->rank, m->op, m->route, m->channel, m->bytes, m->begin_ps);
        for (int j = 0; j < TRAFFIC_AFTER; j++)
            if (m->after[j] != TRAFFIC_NONE)
                fprintf(to, " %d", m->after[j]);
        fprintf(to, "\n");
    }
    bench_must(fclose(to) == 0, path);
}

bool shape_agrees(const traffic *of, const char *path) {
    FILE *from = fopen(path, "r");
    bench_must(from != NULL, path);
    bool same = true;
    for (size_t i = 0; i < of->message_count && same; i++) {
        int64_t sent_ps, seen_ps;
        same = fscanf(from, "%ld %ld", &sent_ps, &seen_ps) == 2 && sent_ps == of->messages[i].sent_ps &&
               seen_ps == of->messages[i].seen_ps;
    }
    fclose(from);
    return same;
}
