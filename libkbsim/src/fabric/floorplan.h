/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cube from above: a mesh of routers around an HBM stack, and which router belongs to which PE.
 *
 * The stack takes the middle of the mesh (of an even side two rows or columns, of an odd one the
 * middle one) and holds no router; the rows and columns that it cuts are closed by one long link.
 */
#ifndef KBSIM_SRC_FLOORPLAN_H
#define KBSIM_SRC_FLOORPLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { KBS_SIDE_MAX = 16 }; /* routers along a side: the bound of cube.routers */

typedef struct kbs_cell {
    uint8_t x, y; /* column, row */
} kbs_cell;

typedef struct kbs_floorplan {
    uint32_t columns, rows;
    kbs_cell hole_low, hole_high; /* both inside the hole */
} kbs_floorplan;

void kbs_floorplan_init(kbs_floorplan *plan, uint32_t columns, uint32_t rows);

bool kbs_floorplan_is_hole(const kbs_floorplan *plan, uint32_t x, uint32_t y);
uint32_t kbs_floorplan_routers(const kbs_floorplan *plan);

/*
 * Where the PEs of a cube of `pes` are: with as many PEs as the stack has neighbours, one beside
 * each slice; with any other number in the outermost columns first, spread evenly over the rows.
 * PEs are numbered row by row. ret_cells has room for `pes`, which fit.
 */
void kbs_floorplan_place(const kbs_floorplan *plan, uint32_t pes, kbs_cell *ret_cells);

/* Of `ports` ports spread evenly along an edge of `side` routers, the place of number `port`. */
uint32_t kbs_floorplan_port(uint32_t side, uint32_t ports, uint32_t port);

/*
 * The routers on the way from one to another, both ends included: first along x, then along y, or
 * the other way round where the corner would lie in the hole. Returns how many; ret_cells has room
 * for 2 * KBS_SIDE_MAX.
 */
uint32_t kbs_floorplan_walk(const kbs_floorplan *plan, kbs_cell from, kbs_cell to, kbs_cell *ret_cells);

#endif
