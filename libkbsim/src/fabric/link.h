/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, and packets that travel over them as trains of flits.
 *
 * A packet holds a link from its head to its tail. Its head is ready at a link at R, starts at
 * S = max(R, the link free), and is ready at the next link at S + latency. Its tail leaves at
 * T = max(S + d, tail at the link before + that link's latency), where d is the packet's own time
 * on this link; the link is free again at T. So a whole packet costs one event a link, and the
 * times are those of a model that moves every flit.
 *
 * Who gets a free link is decided at the end of the instant, when all heads of the instant are
 * there: from the virtual channel after the one served last, and within it by R, then by rank, op
 * and packet. Ports of memories are links like any other.
 */
#ifndef KBSIM_SRC_LINK_H
#define KBSIM_SRC_LINK_H

#include "engine/engine.h"
#include "kbtrace/op.h"

typedef struct kbs_packet kbs_packet;
typedef struct kbs_train kbs_train;

enum { KBS_CHANNEL_DMA = 0, KBS_CHANNEL_QUEUE = 1, KBS_CHANNELS = 2 };

/* An op, as arbitration and blame know it. */
typedef struct kbs_who {
    uint32_t rank;
    uint64_t op;
} kbs_who;

typedef struct kbs_link {
    int64_t free_ps;
    int64_t flit_ps, latency_ps;
    kbs_event grant; /* a decision that is due: at the end of this instant, or when it gets free */
    bool asked;      /* `grant` is scheduled */
    bool is_port;    /* of a memory: what waits here blames the port */
    uint8_t turn;    /* the channel that is asked first */
    uint32_t id;
    uint32_t flit_bytes;
    kbs_packet *waiting[KBS_CHANNELS]; /* in the order of their turn */
    kbs_packet *waiting_last[KBS_CHANNELS];
    kbs_who holder; /* the last op that was let in */
    uint64_t bytes; /* carried so far */
    uint64_t bytes_per_s;
    const char *name;
} kbs_link;

/* A latency is at least 1, so that nothing arrives at the instant at which it was granted. */
static inline int64_t kbs_link_latency_ps(int64_t latency_ps) {
    return latency_ps > 0 ? latency_ps : 1;
}
void kbs_link_init(kbs_link *link, uint64_t bytes_per_s, uint32_t flit_bytes, int64_t latency_ps);

/* The time that so many bytes take on a link: whole flits, and the part of the last one. */
int64_t kbs_link_time(const kbs_link *link, uint64_t bytes);

/* All links of a route have flits of one size. */
typedef struct kbs_route {
    uint32_t id;
    uint32_t link_count;
    uint32_t channels;   /* bit: is used on that channel */
    int64_t latency_ps;  /* of all links: what a message without bytes takes */
    int64_t back_ps;     /* the same of the way back, whose links this need not have */
    kbs_link *narrowest; /* the first of the slowest */
    kbs_link *links[];
} kbs_route;

/* The longest time that so many bytes take on one of its links. */
int64_t kbs_route_time(const kbs_route *route, uint64_t bytes);

/* --- trains ---------------------------------------------------------------------------------- */

/*
 * An op's packets. `sent` is called when the tail's time on the first link is known, `seen` when
 * its time behind the last one is: both ahead of that time. Both may inject more packets and may
 * not drive the engine; after `seen` the packet is the fabric's again.
 */
struct kbs_train {
    kbs_who who;
    const kbs_route *route;
    uint8_t channel;
    void (*sent)(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
    void (*seen)(kbs_train *train, kbs_packet *packet, int64_t seen_ps);
};

/* What a packet waited for, at one link of its way. */
typedef struct kbs_wait {
    int64_t ps;
    const kbs_link *link;
    kbs_who holder;
} kbs_wait;

struct kbs_packet {
    kbs_event arrival;
    kbs_packet *next; /* behind it at a link, or in the pool */
    kbs_train *train;
    void *owner;     /* for the train's owner, once seen */
    uint32_t number; /* in its train */
    uint32_t bytes;
    uint32_t whole_flits, last_bytes; /* but for the last flit, and in it */
    uint32_t hop;
    int64_t injected_ps;
    int64_t ready_ps; /* R at the link of `hop` */
    int64_t tail_ps;  /* earliest T at it: that of the link before, and its latency */
    int64_t drain_ps; /* T - S of the last link, when seen */
    uint32_t wait_count;
    kbs_wait waits[];
};

/* Packets that are not on their way; every one has room for `most_links` waits. */
typedef struct kbs_packets {
    kb_arena *arena;
    kbs_packet *free;
    size_t most_links;
} kbs_packets;

kb_status kbs_packet_take(kbs_packets *packets, kbs_packet **ret, kb_trail *trail) KB_MUST_USE;
void kbs_packet_give(kbs_packets *packets, kbs_packet *packet);

/* Its head is ready at the first link at time_ps. `bytes` > 0, and the route has links. */
void kbs_packet_inject(kbs_engine *engine, kbs_packet *packet, kbs_train *train, uint32_t number,
                       uint32_t bytes, int64_t time_ps);

#endif
