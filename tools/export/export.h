/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format of kb-export is: a few calls that are told a trace from begin to end.
 *
 * kb-export.c opens the trace, selects ops and samples, and owns the output; a format turns what it
 * is told into bytes of `out`, keeps no more than a bounded state, and knows no kind of op: names
 * come from kb_kind_describe() and kb_word_name(). Whether writing failed is asked by the caller.
 */
#ifndef KBTOOLS_EXPORT_H
#define KBTOOLS_EXPORT_H

#include <stdio.h>

#include "kbtrace/reader.h"

typedef struct kbt_export {
    kb_reader *reader;
    const kb_run *run;
    const kb_defs *defs;
    FILE *out;
    kb_arena *arena; /* for as long as the export lasts */
    void *state;     /* of the format */
} kbt_export;

typedef struct kbt_exporter {
    bool binary; /* not for a terminal */
    /* Once, before all else. */
    kb_status (*begin)(kbt_export *it, kb_trail *trail);
    /* Rank by rank, each in its order. */
    kb_status (*op)(kbt_export *it, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* After all ops. */
    kb_status (*sample)(kbt_export *it, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail);
    /* Once, after all else. */
    kb_status (*end)(kbt_export *it, kb_trail *trail);
} kbt_exporter;

#define KBT_EXPORTER(name, help) extern const kbt_exporter kbt_export_##name;
#include "export/exporters.def"
#undef KBT_EXPORTER

#endif
