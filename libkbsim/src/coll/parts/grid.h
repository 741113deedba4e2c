/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks as a grid of rows and columns, nearest to a square, row by row: who stands where, and in which
 * lines.
 */
#ifndef KBSIM_SRC_GRID_H
#define KBSIM_SRC_GRID_H

#include "kbsim/coll.h"

/*
 * Ranks that stand in a row or column: the one at place i is `first` + i · `stride`; the recorded one is
 * `at`.
 */
typedef struct kbs_line {
    uint32_t first, stride, count, at;
} kbs_line;

typedef struct kbs_grid {
    kbs_line row, column; /* that the recorded rank stands in */
} kbs_grid;

/* Rows of the grid: the largest divisor up to the root. 1: there is no grid. */
static inline uint32_t kbs_grid_rows(uint32_t ranks) {
    uint32_t rows = 1;
    for (uint32_t i = 2; (uint64_t)i * i <= ranks; i++)
        if (ranks % i == 0)
            rows = i;
    return rows;
}

#define KBS_GRID_COUNTS "r x c ranks, both 2 at least"
static inline bool kbs_grid_serves(uint32_t ranks) {
    return kbs_grid_rows(ranks) > 1;
}

static inline kbs_grid kbs_grid_of(uint32_t rank, uint32_t ranks) {
    const uint32_t rows = kbs_grid_rows(ranks), columns = ranks / rows;
    return (kbs_grid){.row = {rank / columns * columns, 1, columns, rank % columns},
                      .column = {rank % columns, columns, rows, rank / columns}};
}

static inline uint32_t kbs_line_rank(const kbs_line *line, uint32_t place) {
    return line->first + place * line->stride;
}

#endif
