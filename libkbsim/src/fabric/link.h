/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, routes over them, and packets that travel as trains of flits.
 *
 * A packet holds a link from its head to its tail. Its head is ready at a link at R, starts at
 * S = max(R, the link free), and is ready at the next link at S + latency. Its tail leaves at
 * T = max(S + d, tail at the link before + that link's latency), where d is the packet's own time
 * on this link; the link is free again at T. So a whole packet costs no more than one event a link,
 * and the times are those of a model that moves every flit.
 *
 * Who gets a free link is decided at the end of the instant, when all heads of the instant are
 * there: from the virtual channel after the one served last, and within it by R, then by rank, op
 * and packet. Ports of memories are links like any other.
 *
 * A link that packets reach from one other link only, in all routes, needs no decision of its own
 * where it is no slower than that one (whoever comes finds it free: it lets everything through), or
 * serves one channel (they go on in the order in which they come: it follows). Then a packet's times
 * there are known when the decision before is made, and cost no event.
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

/* Links and packets begin at a line of the cache, so that what a hop needs lies in as few as can be. */
/* How packets get past a link. */
typedef enum kbs_pass { KBS_DECIDES, KBS_FOLLOWS, KBS_LETS_THROUGH } kbs_pass;

typedef struct kbs_link {
    _Alignas(KB_CACHE_LINE) int64_t free_ps;
    int64_t flit_ps;
    uint32_t flit_bytes;
    uint8_t turn;                      /* the channel that is asked first */
    bool asked;                        /* `grant` is scheduled */
    uint8_t pass;                      /* KBS_DECIDES … */
    bool is_port;                      /* of a memory: what waits here blames the port */
    kbs_who holder;                    /* the last op that was let in */
    uint64_t bytes;                    /* carried so far; not counted where it lets everything through */
    kbs_packet *waiting[KBS_CHANNELS]; /* in the order of their turn */
    kbs_packet *waiting_last[KBS_CHANNELS];
    kbs_event grant; /* a decision that is due: at the end of this instant, or when it gets free */
    int64_t latency_ps;
    /* for those who set up and describe */
    uint32_t id;
    uint32_t channels;       /* bit: is used on that channel */
    bool reserves;           /* leads into a memory that is reserved at its decisions: always decides */
    bool is_entry, is_joint; /* routes begin with it; it is reached from several links */
    struct kbs_link *before; /* a link from which it is reached */
    uint64_t bytes_per_s;
    const char *name;
} kbs_link;

/* A latency is at least 1, so that nothing arrives at the instant at which it was granted. */
static inline int64_t kbs_link_latency_ps(int64_t latency_ps) {
    return latency_ps > 0 ? latency_ps : 1;
}
/* What a whole flit takes, rounded up. */
static inline int64_t kbs_flit_ps(uint64_t bytes_per_s, uint32_t flit_bytes) {
    return (int64_t)((flit_bytes * UINT64_C(1000000000000) + bytes_per_s - 1) / bytes_per_s);
}
void kbs_link_init(kbs_link *link, uint64_t bytes_per_s, uint32_t flit_bytes, int64_t latency_ps);

/* The time that so many bytes take on a link: whole flits, and the part of the last one. */
int64_t kbs_link_time(const kbs_link *link, uint64_t bytes);

/* --- routes ---------------------------------------------------------------------------------- */

/* A link of a route that decides or follows. */
typedef struct kbs_step {
    kbs_link *link;
    int64_t delay_ps; /* its latency, and those of the links behind it that let everything through */
} kbs_step;

/* All links of a route have flits of one size. */
typedef struct kbs_route {
    uint32_t id;
    uint32_t link_count, step_count;
    uint32_t spared;                   /* links that do not decide */
    uint32_t channels;                 /* bit: is used on that channel */
    kbs_step *steps;                   /* once settled */
    int64_t latency_ps;                /* of all links: what a message without bytes takes */
    int64_t back_ps;                   /* the same of the way back, whose links this need not have */
    struct kbs_hbm *from_hbm, *to_hbm; /* the slices at its ends, or NULL */
    kbs_link *narrowest;               /* the first of the slowest */
    kbs_link *links[];
} kbs_route;

/* The longest time that so many bytes take on one of its links. */
int64_t kbs_route_time(const kbs_route *route, uint64_t bytes);

/*
 * Finds how packets get past each link, and each route's steps. Nothing may travel before, and neither
 * routes nor the channels of their use may change afterwards. Without `fuse` every link decides, which
 * gives the same times.
 */
kb_status kbs_routes_settle(kbs_route *const *routes, size_t count, bool fuse, kb_arena *arena,
                            kb_trail *trail) KB_MUST_USE;

/* --- trains ---------------------------------------------------------------------------------- */

/*
 * An op's packets. `sent` is called when the tail's time on the first link is known, `seen` when its
 * time behind the last one is: both ahead of that time. Where the last link decides, `seen` is called
 * at the instant of that decision. Both may inject more packets and may not drive the engine; after
 * `seen` the packet is its owner's.
 */
struct kbs_train {
    kbs_who who;
    const kbs_route *route;
    uint8_t channel;
    void (*sent)(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
    void (*seen)(kbs_train *train, kbs_packet *packet, int64_t seen_ps);
};

/* What a packet waited for, at one step of its way. */
typedef struct kbs_wait {
    int64_t ps;
    const kbs_link *link;
    kbs_who holder;
    uint32_t step;
} kbs_wait;

/* What held bytes up at the channels and banks of a memory, and how long they were served there. */
typedef struct kbs_service {
    int64_t channel_ps, bank_ps, burst_ps;
    uint32_t channel;
    kbs_who holder; /* of the channel */
} kbs_service;

/* What a hop needs comes first, in two lines of the cache. */
struct kbs_packet {
    _Alignas(KB_CACHE_LINE) kbs_event arrival;
    const kbs_step *step; /* where it is, or is due */
    kbs_who who;          /* its train's */
    int64_t tail_ps;      /* earliest T at its step, by the link before; at last when it is seen */
    uint32_t whole_flits, last_bytes; /* but for the last flit, and in it */
    int64_t ready_ps;                 /* R at the link of its step */
    uint32_t bytes;
    uint32_t number; /* in its train */
    uint16_t wait_count;
    uint8_t channel;
    bool is_first; /* at the first link */
    kbs_train *train;
    kbs_packet *next; /* behind it at a link, or in the pool */
    kbs_wait *waits;  /* has room for those of any route */
    int64_t injected_ps;
    int64_t drain_ps; /* T - S of the last link, when seen */
    /* its owner's */
    void *owner;
    uint64_t first_byte;        /* of its op */
    int64_t begun_ps;           /* requested or injected at */
    int64_t stall_ps, entry_ps; /* its op's, at that time */
    kbs_service read, write;
};

/* The order in which packets have their turn: by ready_ps, rank, op, number. No two are equal in it. */
bool kbs_packet_comes_before(const kbs_packet *a, const kbs_packet *b);

/* Packets that are not on their way. */
typedef struct kbs_packets {
    kb_arena *arena;
    kbs_packet *free;
    size_t most_steps; /* of any route */
} kbs_packets;

kb_status kbs_packet_take(kbs_packets *packets, kbs_packet **ret, kb_trail *trail) KB_MUST_USE;
void kbs_packet_give(kbs_packets *packets, kbs_packet *packet);

/* Its head is ready at the first link at time_ps. `bytes` > 0, and the route is settled. */
void kbs_packet_inject(kbs_engine *engine, kbs_packet *packet, kbs_train *train, uint32_t number,
                       uint32_t bytes, int64_t time_ps);

/*
 * When the flits of a packet are behind its last link, once that is decided: flit i at the latest of
 * base_ps + (i + 1) * flit_ps of all slopes, the last one at the packet's tail_ps.
 */
typedef struct kbs_slope {
    int64_t base_ps, flit_ps;
} kbs_slope;

/* Returns how many there are; ret_slopes has room for one a step of the route. */
uint32_t kbs_packet_slopes(const kbs_packet *packet, kbs_slope *ret_slopes);

#endif
