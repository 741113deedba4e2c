/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could cross the edge of a part of the system, if every link there were busy all the time.
 *
 * A part is a box: packages in a box of the grid of packages, and in each of them the cubes of a box. It is
 * one cube, one package, half of a package, or half of the system.
 */
#ifndef KBSIM_SRC_BOUND_EDGES_H
#define KBSIM_SRC_BOUND_EDGES_H

#include "fabric/fabric.h"
#include "fabric/system.h"

typedef struct kbs_interval {
    uint32_t first, end;
} kbs_interval;

typedef struct kbs_box {
    kbs_interval sip_x, sip_y, cube_x, cube_y;
} kbs_box;

typedef struct kbs_edges {
    const kbs_fabric *fabric;
    uint32_t sips, sip_columns, sip_rows; /* of a ring one row */
    uint32_t cube_columns, cube_rows;
    uint32_t (*next)[KBS_SIP_SIDES]; /* by package: the one behind that side, or KB_NONE where no way leads */
} kbs_edges;

/* In millionths of GB/s, as parameters are; 0: nothing can. */
typedef struct kbs_width {
    uint64_t in_gbps, out_gbps;
} kbs_width;

kb_status kbs_edges_init(kbs_edges *edges, const kbs_fabric *fabric, kb_arena *arena,
                         kb_trail *trail) KB_MUST_USE;

kbs_box kbs_box_of_cube(const kbs_edges *edges, uint32_t cube); /* of the system */
kbs_box kbs_box_of_sip(const kbs_edges *edges, uint32_t sip);
bool kbs_box_has(const kbs_edges *edges, const kbs_box *box, uint32_t cube);

kbs_width kbs_edges_width(const kbs_edges *edges, const kbs_box *box);

#endif
