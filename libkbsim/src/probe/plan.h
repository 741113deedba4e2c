/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a probe measures: its single transfers and its crowds, laid out for a machine before anything runs.
 * Knows no time.
 */
#ifndef KBSIM_SRC_PROBE_PLAN_H
#define KBSIM_SRC_PROBE_PLAN_H

#include "kbsim/probe.h"

typedef enum kbs_probe_kind {
    KBS_PROBE_HOST_WRITE,
    KBS_PROBE_HOST_READ,
    KBS_PROBE_READ,
    KBS_PROBE_WRITE,
    KBS_PROBE_SEND,
    KBS_PROBE_BARRIER,
    KBS_PROBE_LAUNCH,
    KBS_PROBE_ROUND,
} kbs_probe_kind;

/* A row, and how it is measured. */
typedef struct kbs_probe_step {
    kbs_probe_kind kind;
    uint32_t space, pe; /* of the other end */
    const char *target;
    uint64_t size_bytes;
    uint32_t first, count;     /* of a launch or barrier: the PEs that take part */
    int64_t issue_ps, done_ps; /* as measured; of a launch the last host's issue, and when its PE begins … */
                               /* … or, of a round, the last host hears that its own is done; of a
                                * barrier the last PE's issue, and when the PE that probes goes on */
    int64_t receive_ps;        /* when the receiver of a message issued its first receive */
} kbs_probe_step;

typedef struct kbs_probe_swarm {
    const char *what;
    bool is_write, from_one; /* from_one: by the PE that probes, to all slices; else */
    bool to_one;             /* by all PEs of its cube, of its slice; else by all PEs, each of its own */
} kbs_probe_swarm;

enum { KBS_PROBE_SWARMS = 5 };
extern const kbs_probe_swarm kbs_probe_swarms[KBS_PROBE_SWARMS];

typedef struct kbs_probe_plan {
    const kbs_machine *machine;
    uint32_t pe, pes;                          /* who probes; of the machine */
    uint64_t tcm_bytes, sram_bytes, hbm_bytes; /* of the tensors */
    uint64_t swarm_bytes;                      /* each PE's */
    kbs_probe_step *steps;
    size_t step_count, left_out;
} kbs_probe_plan;

/* `knows_streams`: there is a form of messages longer than a slot. */
kb_status kbs_probe_plan_init(kbs_probe_plan *plan, const kbs_probe_options *options, bool knows_streams,
                              kb_arena *arena, kb_trail *trail) KB_MUST_USE;

bool kbs_probe_takes_part(const kbs_probe_plan *plan, const kbs_probe_swarm *swarm, uint32_t pe);
/* Bytes that each that takes part moves to or from each slice. */
uint64_t kbs_probe_share(const kbs_probe_plan *plan, const kbs_probe_swarm *swarm);

#endif
