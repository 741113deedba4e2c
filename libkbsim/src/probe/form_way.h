/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a transfer leads, for closed forms (form.h): packages, cubes, routers and links, found from the
 * parameters by arithmetic of its own. May include nothing of fabric/.
 */
#ifndef KBSIM_SRC_PROBE_FORM_WAY_H
#define KBSIM_SRC_PROBE_FORM_WAY_H

#include "probe/form.h"

/* A router of a cube's mesh, or one that the HBM stack in the middle has taken the place of. */
typedef struct kbs_form_cell {
    uint32_t x, y;
} kbs_form_cell;

/*
 * Links one after another. Neighbours of one bandwidth are one link with their latencies added: a packet that
 * left the first without a gap finds the second free.
 */
enum { KBS_FORM_STRETCHES = 256 };

typedef struct kbs_form_stretch {
    int64_t flit_ps, latency_ps;
    int64_t start_ps, free_ps; /* of the packet that came last */
} kbs_form_stretch;

typedef struct kbs_form_way {
    const kbs_machine *machine;
    uint32_t cube;
    kbs_form_cell at;   /* a router of its mesh */
    int64_t latency_ps; /* of all */
    uint32_t count;
    kbs_form_stretch of[KBS_FORM_STRETCHES];
} kbs_form_way;

/* Between different memories; nothing has been sent on it. */
void kbs_form_find_way(kbs_form_way *way, const kbs_machine *machine, kbs_form_place from, kbs_form_place to);

/* Σλ of a launch's message: from the host over the IO chiplet and the M_CPU of the PE's cube to the PE. */
int64_t kbs_form_launch_hops(const kbs_machine *machine, uint32_t pe);
/* And of its response. */
int64_t kbs_form_response_hops(const kbs_machine *machine, uint32_t pe);

/* Decimals of the machine are millionths: of a ns that is a femtosecond. */
static inline int64_t kbs_form_ps(uint64_t fs) {
    return (int64_t)((fs + 999) / 1000);
}

/* Bytes at so many millionths of a GB/s. */
static inline int64_t kbs_form_ps_at(uint64_t bytes, uint64_t gbps) {
    return (int64_t)(((unsigned __int128)bytes * 1000000000 + gbps - 1) / gbps);
}

static inline int64_t kbs_form_later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

#endif
