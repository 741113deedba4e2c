/* SPDX-License-Identifier: Apache-2.0 */
/* Packages as cells of a grid; see system.h. Knows no time and no link. */
#include "fabric/system.h"

#include <assert.h>

/* The grid as it is walked: a ring has one row. */
typedef struct shape {
    uint32_t columns, rows;
    bool closed;
} shape;

static shape shape_of(const kbs_machine *machine) {
    const uint32_t columns = kbs_columns(machine->at.system_sips), rows = kbs_rows(machine->at.system_sips);
    if (machine->at.system_grid == KBS_GRID_RING)
        return (shape){columns * rows, 1, true};
    return (shape){columns, rows, machine->at.system_grid == KBS_GRID_TORUS};
}

uint32_t kbs_system_sips(const kbs_machine *machine) {
    return kbs_columns(machine->at.system_sips) * kbs_rows(machine->at.system_sips);
}

uint32_t kbs_system_most_steps(const kbs_machine *machine) {
    const shape grid = shape_of(machine);
    return grid.columns + grid.rows;
}

/* One place along a line of `count`, from `at` towards `to`, which is another. */
static uint32_t step_along(uint32_t at, uint32_t to, uint32_t count, bool closed, bool *ret_up) {
    const uint32_t up = to > at ? to - at : to + count - at;
    *ret_up = closed ? up <= count - up : to > at;
    if (*ret_up)
        return at + 1 < count ? at + 1 : 0;
    return at > 0 ? at - 1 : count - 1;
}

kbs_side_of_sip kbs_system_step(const kbs_machine *machine, uint32_t from, uint32_t to, uint32_t *ret_next) {
    assert(from != to);
    const shape grid = shape_of(machine);
    const uint32_t x = from % grid.columns, y = from / grid.columns;
    const uint32_t to_x = to % grid.columns, to_y = to / grid.columns;
    bool up;
    if (x != to_x) {
        *ret_next = y * grid.columns + step_along(x, to_x, grid.columns, grid.closed, &up);
        return up ? KBS_SIP_NEXT_X : KBS_SIP_LAST_X;
    }
    *ret_next = step_along(y, to_y, grid.rows, grid.closed, &up) * grid.columns + x;
    return up ? KBS_SIP_NEXT_Y : KBS_SIP_LAST_Y;
}
