/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which part of a trace is wanted: ranks, times of issue, kinds of op. Each is everything unless said.
 */
#ifndef KBTOOLS_SELECT_H
#define KBTOOLS_SELECT_H

#include "kbtrace/memory.h"
#include "kbtrace/words.h"

typedef struct kbt_selection {
    bool *ranks; /* [of the run], or NULL for all */
    bool *kinds; /* [kb_word_limit(KB_VOC_KIND)], or NULL for all */
    int64_t from_ps, until_ps;
} kbt_selection;

/* NULL texts select everything. `ranks` is "0,2-5", `range` "1us:2.5us", `kinds` "math,gemm". */
kb_status kbt_select(const char *ranks, const char *range, const char *kinds, uint32_t rank_count,
                     kb_arena *arena, kbt_selection *ret_selection, kb_trail *trail) KB_MUST_USE;

bool kbt_selects_rank(const kbt_selection *selection, uint32_t rank);
bool kbt_selects_kind(const kbt_selection *selection, uint32_t kind);
bool kbt_selects_time(const kbt_selection *selection, int64_t time_ps);

#endif
