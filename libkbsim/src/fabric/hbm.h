/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PE's slice of HBM: when its channels serve the bursts of a packet.
 *
 * A channel serves one burst after another, in the order in which packets reserve them. All bursts of a
 * packet are reserved together: of a read when its request arrives, of a write when its packet is
 * granted the last link. So a packet costs no event here, however many bursts it has. At one instant
 * reads come before the write, and among themselves go by rank, op and packet.
 *
 * A burst is the part of a packet's bytes that lies in one block of hbm.burst_bytes, and takes the
 * time of the accesses (blocks of hbm.access_bytes) that it touches; to be written, hbm.commit_ns at
 * least. A flit that is read leaves when its bursts are there; a burst that is written begins when its
 * last flit has come.
 *
 * With hbm.timing = hbm3 a burst's accesses are commands of banks instead (dram.h), each on its own.
 */
#ifndef KBSIM_SRC_HBM_H
#define KBSIM_SRC_HBM_H

#include "fabric/dram.h"
#include "fabric/link.h"
#include "fabric/runs.h"
#include "kbsim/machine.h"
#include "kbtrace/memory.h"

/* What all slices of a machine have in common. */
typedef struct kbs_hbm_kind {
    uint32_t channels, channel_bits; /* channels = 1 << channel_bits */
    uint32_t burst_bits, access_bits;
    bool is_hashed;
    uint64_t bytes_per_s; /* of a channel */
    int64_t burst_ps;     /* a whole one */
    int64_t commit_ps;    /* what one takes at least that is written */
    int64_t read_latency_ps,
        write_latency_ps; /* from bursts to flits; from the last burst to being visible */
    bool has_banks;       /* then these are the memory's latencies, and what follows counts */
    kbs_dram_kind dram;
} kbs_hbm_kind;

typedef struct kbs_hbm_channel {
    int64_t free_ps;
    kbs_who holder; /* whose burst comes last */
} kbs_hbm_channel;

typedef struct kbs_hbm kbs_hbm;

/* Reserves what a packet reads, at engine->now_ps, and sends it on its way. */
typedef void (*kbs_hbm_serve)(kbs_engine *engine, kbs_hbm *hbm, kbs_packet *packet);

struct kbs_hbm {
    const kbs_hbm_kind *kind;
    kbs_packet *asking; /* whose requests came at this instant, in the order of their turn */
    kbs_hbm_serve serve;
    kbs_event turn;         /* they are served at the end of the instant */
    bool is_due;            /* `turn` is scheduled */
    kbs_dram_channel *dram; /* NULL where the kind has no banks */
    kbs_hbm_channel channels[];
};

void kbs_hbm_kind_init(kbs_hbm_kind *kind, const kbs_machine *machine);
/* `kind` outlives it. */
kb_status kbs_hbm_create(const kbs_hbm_kind *kind, kb_arena *arena, kbs_hbm **ret,
                         kb_trail *trail) KB_MUST_USE;

/* A packet's request is there: it is served at the end of the instant, or before a write is. */
void kbs_hbm_ask(kbs_engine *engine, kbs_hbm *hbm, kbs_packet *packet, kbs_hbm_serve serve);

/* The packet's part of the bytes of `runs`. */
typedef struct kbs_part {
    const kbs_runs *runs;
    uint64_t first_byte;
    uint32_t bytes, flit_bytes;
    kbs_who who;
} kbs_part;

/*
 * Reserves a read from now on: returns when the head is ready for the first link, on which flits follow
 * one another by flit_ps.
 */
int64_t kbs_hbm_read(kbs_hbm *hbm, const kbs_part *part, int64_t now_ps, int64_t flit_ps,
                     kbs_service *ret_service);

/*
 * Reserves a write whose flits come as `slopes` say and the last one at tail_ps: returns when all of it is
 * visible. Serves reads first whose requests have come.
 */
int64_t kbs_hbm_write(kbs_engine *engine, kbs_hbm *hbm, const kbs_part *part, const kbs_slope *slopes,
                      uint32_t slope_count, int64_t tail_ps, kbs_service *ret_service);

/* The channel that serves the block in which a byte lies. */
uint32_t kbs_hbm_channel_of(const kbs_hbm_kind *kind, uint64_t offset_bytes);

#endif
