/* SPDX-License-Identifier: Apache-2.0 */
/* Routers and PEs of a cube as cells of a grid; see floorplan.h. Knows no time. */
#include "fabric/floorplan.h"

#include <assert.h>
#include <string.h>

void kbs_floorplan_init(kbs_floorplan *plan, uint32_t columns, uint32_t rows) {
    assert(columns >= 3 && columns <= KBS_SIDE_MAX && rows >= 3 && rows <= KBS_SIDE_MAX);
    plan->columns = columns;
    plan->rows = rows;
    plan->hole_low = (kbs_cell){(uint8_t)((columns - 1) / 2), (uint8_t)((rows - 1) / 2)};
    plan->hole_high = (kbs_cell){(uint8_t)(columns / 2), (uint8_t)(rows / 2)};
}

bool kbs_floorplan_is_hole(const kbs_floorplan *plan, uint32_t x, uint32_t y) {
    return x >= plan->hole_low.x && x <= plan->hole_high.x && y >= plan->hole_low.y && y <= plan->hole_high.y;
}

static uint32_t hole_columns(const kbs_floorplan *plan) {
    return (uint32_t)(plan->hole_high.x - plan->hole_low.x) + 1;
}

static uint32_t hole_rows(const kbs_floorplan *plan) {
    return (uint32_t)(plan->hole_high.y - plan->hole_low.y) + 1;
}

uint32_t kbs_floorplan_routers(const kbs_floorplan *plan) {
    return plan->columns * plan->rows - hole_columns(plan) * hole_rows(plan);
}

uint32_t kbs_floorplan_port(uint32_t side, uint32_t ports, uint32_t port) {
    return (2 * port + 1) * side / (2 * ports);
}

/* --- PEs ------------------------------------------------------------------------------------- */

typedef struct marks {
    bool taken[KBS_SIDE_MAX][KBS_SIDE_MAX]; /* [y][x] */
} marks;

static bool is_beside_hole(const kbs_floorplan *plan, uint32_t x, uint32_t y) {
    const bool in_columns = x >= plan->hole_low.x && x <= plan->hole_high.x;
    const bool in_rows = y >= plan->hole_low.y && y <= plan->hole_high.y;
    return (in_columns && (y + 1 == plan->hole_low.y || y == plan->hole_high.y + 1U)) ||
           (in_rows && (x + 1 == plan->hole_low.x || x == plan->hole_high.x + 1U));
}

/* Marks `count` routers of a column, spread evenly; returns how many it had room for. */
static uint32_t fill_column(const kbs_floorplan *plan, marks *m, uint32_t x, uint32_t count) {
    uint32_t free_rows[KBS_SIDE_MAX], free_count = 0;
    for (uint32_t y = 0; y < plan->rows; y++)
        if (!kbs_floorplan_is_hole(plan, x, y))
            free_rows[free_count++] = y;
    if (count > free_count)
        count = free_count;
    for (uint32_t i = 0; i < count; i++)
        m->taken[free_rows[kbs_floorplan_port(free_count, count, i)]][x] = true;
    return count;
}

static void spread(const kbs_floorplan *plan, marks *m, uint32_t pes) {
    for (uint32_t left = 0; pes > 0; left++) {
        const uint32_t right = plan->columns - 1 - left;
        assert(left <= right);
        if (left == right) {
            pes -= fill_column(plan, m, left, pes);
            assert(pes == 0);
            return;
        }
        const uint32_t rows =
            kbs_floorplan_is_hole(plan, left, plan->hole_low.y) ? plan->rows - hole_rows(plan) : plan->rows;
        const uint32_t here = pes < 2 * rows ? pes : 2 * rows;
        pes -= fill_column(plan, m, left, here - here / 2);
        pes -= fill_column(plan, m, right, here / 2);
    }
}

void kbs_floorplan_place(const kbs_floorplan *plan, uint32_t pes, kbs_cell *ret_cells) {
    marks m;
    memset(&m, 0, sizeof m);
    const bool beside = pes == 2 * (hole_columns(plan) + hole_rows(plan));
    if (!beside)
        spread(plan, &m, pes);
    uint32_t count = 0;
    for (uint32_t y = 0; y < plan->rows; y++)
        for (uint32_t x = 0; x < plan->columns; x++)
            if (beside ? is_beside_hole(plan, x, y) : m.taken[y][x])
                ret_cells[count++] = (kbs_cell){(uint8_t)x, (uint8_t)y};
    assert(count == pes);
}

/* --- ways ------------------------------------------------------------------------------------ */

typedef struct walk {
    const kbs_floorplan *plan;
    kbs_cell *cells;
    uint32_t count;
    kbs_cell at;
} walk;

static void visit(walk *w) {
    if (!kbs_floorplan_is_hole(w->plan, w->at.x, w->at.y))
        w->cells[w->count++] = w->at;
}

static void along_x(walk *w, uint8_t x) {
    while (w->at.x != x) {
        w->at.x = (uint8_t)(w->at.x < x ? w->at.x + 1 : w->at.x - 1);
        visit(w);
    }
}

static void along_y(walk *w, uint8_t y) {
    while (w->at.y != y) {
        w->at.y = (uint8_t)(w->at.y < y ? w->at.y + 1 : w->at.y - 1);
        visit(w);
    }
}

uint32_t kbs_floorplan_walk(const kbs_floorplan *plan, kbs_cell from, kbs_cell to, kbs_cell *ret_cells) {
    assert(!kbs_floorplan_is_hole(plan, from.x, from.y) && !kbs_floorplan_is_hole(plan, to.x, to.y));
    walk w = {plan, ret_cells, 0, from};
    visit(&w);
    if (!kbs_floorplan_is_hole(plan, to.x, from.y)) {
        along_x(&w, to.x);
        along_y(&w, to.y);
    } else {
        along_y(&w, to.y);
        along_x(&w, to.x);
    }
    return w.count;
}
