/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over a network of links, as plain data: what experiments with the fabric are made of, and
 * what is handed to models that are not ours.
 *
 * A message is cut into packets, each injected when the one before is sent. It begins at begin_ps,
 * or when all that it comes after were seen, whichever is later.
 */
#ifndef KB_TESTS_TRAFFIC_H
#define KB_TESTS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct traffic_link {
    uint64_t bytes_per_s;
    int64_t flit_ps, latency_ps; /* flit_ps: filled in by traffic_run */
    uint64_t bytes;              /* carried; the same */
} traffic_link;

enum { TRAFFIC_HOPS = 128, TRAFFIC_AFTER = 2, TRAFFIC_NONE = -1 };

typedef struct traffic_route {
    uint32_t count;
    uint32_t links[TRAFFIC_HOPS];
} traffic_route;

typedef struct traffic_message {
    uint32_t rank; /* with `op`: who it is where order matters; no two are equal */
    uint32_t op;
    uint32_t route;
    uint32_t channel; /* 0 or 1 */
    uint32_t bytes;   /* > 0 */
    int32_t after[TRAFFIC_AFTER];
    int64_t begin_ps;
    int64_t begun_ps, sent_ps, seen_ps; /* filled in: the last packet's */
} traffic_message;

typedef struct traffic {
    uint32_t flit_bytes, packet_bytes;
    bool plain; /* every link decides: the same times, and links that let all through count their bytes */
    traffic_link *links;
    size_t link_count;
    traffic_route *routes;
    size_t route_count;
    traffic_message *messages; /* in the order of begin_ps */
    size_t message_count;
    uint64_t packet_hops;     /* grants, what a model cannot do without; filled in */
    double seconds;           /* of this process while it ran, without setting up; filled in */
    int64_t area, sojourn_ps; /* filled in: messages in the network, integrated over time by counting them
                                 as they come and go; and the sum of their stays */
} traffic;

/* Moves all messages by our fabric and engine. Ends the process where memory is short. */
void traffic_run(traffic *of);

#endif
