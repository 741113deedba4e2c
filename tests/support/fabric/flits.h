/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle of the fabric: a model that moves every flit over every link and serves every burst of a
 * memory by itself, without an event queue and without any of the formulas under test.
 *
 * An output is held by a packet from its head to its tail. At each instant first all that arrives arrives,
 * then free links let packets in: from the channel after the one served last, by time, rank, op, number.
 * Slices of HBM reserve the bursts of a packet together: of a read at the end of the instant at which its
 * request arrives, of a write at its last link's decision, reads first.
 */
#ifndef KB_TESTS_FLITS_H
#define KB_TESTS_FLITS_H

#include <stdbool.h>
#include <stdint.h>

enum { FLITS_HOPS = 128, FLITS_PACKETS = 96, FLITS_OF_PACKET = 40, FLITS_DIMS = 3, FLITS_CHANNELS = 16 };
enum { FLITS_NONE = -1 };

typedef struct flits_link {
    int64_t flit_ps, latency_ps;
    bool stores; /* holds each flit as long as a whole one takes, before it goes on */
    /* the model's own */
    int64_t free_ps;
    int last_channel;
    bool wanted; /* by a packet that is there */
} flits_link;

typedef struct flits_route {
    uint32_t count;
    uint32_t links[FLITS_HOPS];
    int64_t back_ps;      /* what a request or acknowledgement takes */
    int from_hbm, to_hbm; /* slice, or FLITS_NONE */
} flits_route;

typedef struct flits_hbm {
    int64_t free_ps[FLITS_CHANNELS];
} flits_hbm;

typedef struct flits_hbm_kind {
    uint32_t channels;
    uint64_t burst_bytes, access_bytes, bytes_per_s;
    bool is_hashed;
    int64_t commit_ps, read_latency_ps, write_latency_ps;
} flits_hbm_kind;

/* The bytes of a strided view, in order. */
typedef struct flits_view {
    uint64_t offset_bytes, element_bytes;
    uint32_t dims;
    uint64_t shape[FLITS_DIMS];
    int64_t stride[FLITS_DIMS]; /* elements */
} flits_view;

typedef struct flits_packet {
    int64_t ready_ps; /* at the link of `hop`; or its request, at the memory */
    uint32_t hop, bytes, first_byte;
    bool asks, waits;                                           /* at a memory; at a link */
    int64_t begin_ps[FLITS_OF_PACKET], end_ps[FLITS_OF_PACKET]; /* of each flit at the link before */
    int64_t return_ps; /* its data, or its acknowledgement; -1: not known yet */
} flits_packet;

typedef enum flits_what { FLITS_COPY, FLITS_READ, FLITS_WRITE } flits_what;

/* Some bytes that go from one place to another. */
typedef struct flits_transfer {
    flits_what what;
    int lane; /* reads and writes of a lane take turns, in the order of the transfers; copies have none */
    uint32_t rank, op, route;
    int channel;
    uint32_t bytes;
    flits_view view; /* of the end that is HBM, if one is */
    int64_t ready_ps;
    int64_t start_ps, sent_ps, done_ps; /* found */
    /* the model's own */
    uint32_t issued_bytes, issued, sent, seen;
    flits_packet packets[FLITS_PACKETS];
} flits_transfer;

typedef struct flits_lane {
    uint32_t limit;
    /* the model's own */
    int current;
    uint32_t next; /* transfer to look at */
    int64_t free_ps, due_ps;
} flits_lane;

typedef struct flits {
    uint32_t flit_bytes, packet_bytes;
    int64_t setup_ps;
    bool single; /* a transfer of a lane begins when nothing is out of the one before */
    flits_hbm_kind kind;
    flits_link *links;
    uint32_t link_count;
    const flits_route *routes;
    flits_hbm *slices;
    flits_lane *lanes;
    uint32_t lane_count;
    flits_transfer *transfers;
    uint32_t transfer_count;
} flits;

/* Moves everything; finds start_ps, sent_ps, done_ps of each transfer. */
void flits_run(flits *model);

#endif
