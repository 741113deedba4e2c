/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways through a system: router meshes of cubes, joined by links between neighbouring cubes, and
 * packages, joined by links between the IO chiplets of neighbours.
 *
 * A route leads from one memory to another: out of it by its read port, into the mesh, along x then y,
 * over cubes first in x then in y by the link that the source PE's number chooses, out of the mesh, in
 * by the write port. To another package it leads up the column of cubes to the IO chiplet, from package
 * to package, and down the column of its end. A slice of HBM has a way into its PE's router and out of
 * it, and no other port. The SRAM of a cube is one memory, at the router diagonal to the HBM's corner, of
 * which each PE owns a cut.
 *
 * Links and routes come to be when they are first asked for, while a program is recorded, and are
 * numbered in that order; nothing is added once the clock moves.
 */
#ifndef KBSIM_SRC_FABRIC_H
#define KBSIM_SRC_FABRIC_H

#include "fabric/floorplan.h"
#include "fabric/hbm.h"
#include "fabric/link.h"
#include "kbsim/machine.h"
#include "kbtrace/memory.h"

/* An end of a route: a memory of a PE (by its number), or of a host, and the PE at the other end. */
typedef struct kbs_place {
    uint32_t space; /* KB_SPACE_TCM, _SRAM, _HBM or _HOST */
    uint32_t pe;
} kbs_place;

typedef struct kbs_fabric {
    const kbs_machine *machine;
    kb_arena *arena;
    kbs_floorplan plan;
    kbs_cell *pe_cells; /* of a cube's PEs */
    kbs_hbm_kind hbm_kind;
    kbs_hbm ***slices;  /* by cube of the system, then by its PE; both NULL until one is used */
    kbs_link ***places; /* link by part and place, both NULL until one is used; see way.c */
    kbs_link **links;   /* by id */
    size_t link_count, link_capacity;
    kbs_route **routes; /* by id */
    size_t route_count, route_capacity;
    uint64_t *route_pairs; /* by id: both ends */
    size_t route_pair_capacity;
    uint32_t *route_slots; /* hash of pairs: 1 + id */
    size_t route_slot_count;
    kbs_link **way_links; /* scratch for a route that is being found */
    uint32_t way_capacity;
    uint32_t most_links; /* of any route */
    uint32_t most_steps; /* once settled */
} kbs_fabric;

/* `arena` and `machine`, which was checked, outlive it. */
kb_status kbs_fabric_init(kbs_fabric *fabric, const kbs_machine *machine, kb_arena *arena,
                          kb_trail *trail) KB_MUST_USE;
/* Frees what does not live in the arena. */
void kbs_fabric_fini(kbs_fabric *fabric);

/*
 * From one place to another, which may be the same; one at least is a PE's. `channel` is one on which it will
 * be used.
 */
kb_status kbs_fabric_route(kbs_fabric *fabric, kbs_place from, kbs_place to, uint32_t channel,
                           const kbs_route **ret, kb_trail *trail) KB_MUST_USE;

/*
 * What a packet takes that finds its way idle: hops, and its bytes at the narrowest link. Makes no link and
 * no route: for what travels beside them.
 */
void kbs_fabric_idle(kbs_fabric *fabric, kbs_place from, kbs_place to, uint64_t bytes,
                     int64_t *ret_latency_ps, int64_t *ret_time_ps);

/*
 * The hops of a launch's message, which has no bytes, and those of its response: from the host into the PE's
 * package, from its IO_CPU to the M_CPU of the PE's cube, from there to the PE, and the same way back.
 * kbs_way_of_launch() of way.h finds them.
 */
typedef struct kbs_launch_way {
    int64_t there_ps, back_ps;
} kbs_launch_way;

static inline kbs_place kbs_tcm_of(uint32_t pe) {
    return (kbs_place){KB_SPACE_TCM, pe};
}

/* A PE's slice of HBM; NULL until a route begins or ends there. */
kbs_hbm *kbs_fabric_slice(const kbs_fabric *fabric, uint32_t pe);

/* No route is asked for any more: finds the steps of those that there are; see kbs_routes_settle(). */
kb_status kbs_fabric_settle(kbs_fabric *fabric, bool fuse, kb_trail *trail) KB_MUST_USE;

/* "sip0.cube3.pe5" */
enum { KBS_PE_NAME_CHARS = 48 };
const char *kbs_pe_name(const kbs_machine *machine, uint32_t pe, char buffer[KBS_PE_NAME_CHARS]);

/* Picoseconds of a parameter in ns, rounded up. */
int64_t kbs_ps_of_ns(uint64_t millionths_ns);
/* Bytes a second of a parameter in GB/s. */
uint64_t kbs_rate_of_gbps(uint64_t millionths_gbps);

#endif
