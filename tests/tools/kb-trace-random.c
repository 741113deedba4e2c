/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a trace of random records with the real writer, for tests that read it some other way:
 *   kb-trace-random SEED OPS RANKS wild|tame OPEN_BYTES THREADS OUT
 * OPS a rank; small OPEN_BYTES make many frames. The same arguments give the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/records.h"

#include "kbtrace/writer.h"

/* A counter a rank stands in the definitions of records.c. */
static kb_status put_sample(kb_writer *writer, records *from, uint32_t rank, int64_t time_ps,
                            kb_trail *trail) {
    int64_t value = from->wild ? random_extreme_i64(&from->random) : (int64_t)random_below(&from->random, 5);
    return kb_writer_sample(writer, rank, time_ps, value, trail);
}

/* Op 0 of each rank: a launch that is done only when everything else is. */
static kb_status put_launch(kb_writer *writer, const records *from, uint32_t rank, bool done,
                            kb_trail *trail) {
    const kb_template what = {
        .kind = KB_OP_LAUNCH,
        .blocks = KB_BLOCKS_NO,
        .reached = done ? KB_POINT_DONE : KB_POINT_SENT,
        .stream = rank * from->streams_per_rank,
        .engine = KB_NONE,
        .queue = KB_NONE,
        .route = KB_NONE,
        .group = 0,
        .step = KB_NONE,
        .kernel = 0,
        .file = KB_NONE,
    };
    const kb_op op = {.what = &what, .start_ps = 5, .sent_ps = 70, .done_ps = done ? 900000 : 70};
    return done ? kb_writer_amend(writer, rank, &op, trail) : kb_writer_put(writer, rank, &op, trail);
}

static kb_status put_op(kb_writer *writer, records *from, uint32_t rank, kb_op op, kb_trail *trail) {
    op.index++; /* after the launch */
    if (!from->wild || op.payload_size != 0 || !random_once_in(&from->random, 20))
        return kb_writer_put(writer, rank, &op, trail);
    kb_op first = op;
    first.done_ps = first.sent_ps;
    KB_TRY(kb_writer_put(writer, rank, &first, trail));
    return kb_writer_amend(writer, rank, &op, trail);
}

static kb_status put_all(kb_writer *writer, records *from, uint64_t ops, kb_trail *trail) {
    for (uint32_t rank = 0; ops > 0 && rank < from->ranks; rank++)
        KB_TRY(put_launch(writer, from, rank, false, trail));
    for (uint64_t i = 1; i < ops; i++)
        for (uint32_t rank = 0; rank < from->ranks; rank++) {
            const kb_op *op = records_next(from, rank);
            KB_TRY(put_op(writer, from, rank, *op, trail));
            if (i % 5 == 0)
                KB_TRY(put_sample(writer, from, rank, op->issue_ps, trail));
        }
    for (uint32_t rank = 0; ops > 0 && rank < from->ranks; rank++)
        KB_TRY(put_launch(writer, from, rank, true, trail));
    return KB_OK;
}

static kb_status write_trace(const kb_writer_options *options, records *from, uint64_t ops, kb_trail *trail) {
    kb_writer *writer;
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", KB_TIME_MAX_PS};
    KB_TRY(kb_writer_create(options, &from->run, &from->defs, &writer, trail));
    kb_status status = put_all(writer, from, ops, trail);
    if (status == KB_OK)
        status = kb_writer_finish(writer, &ending, NULL, trail);
    kb_writer_destroy(writer);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: kb-trace-random SEED OPS RANKS wild|tame OPEN_BYTES THREADS OUT\n");
        return 2;
    }
    const kb_writer_options options = {
        .path = argv[7],
        .open_bytes = strtoul(argv[5], NULL, 10),
        .threads = (unsigned)strtoul(argv[6], NULL, 10),
    };
    kb_trail trail;
    kb_trail_init(&trail);
    records from;
    records_init(&from, strtoull(argv[1], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10),
                 strcmp(argv[4], "wild") == 0);
    kb_status status = write_trace(&options, &from, strtoull(argv[2], NULL, 10), &trail);
    records_fini(&from);
    if (status == KB_OK)
        return 0;
    char text[KB_TRAIL_ENTRIES * (KB_TRAIL_CHARS + 8)];
    fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
    return 2;
}
