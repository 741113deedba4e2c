/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the worked example of docs/trace-format.md to a file, with the real writer: kb-trace-example OUT.
 * Rank 0 sends four messages of a queue to rank 1, each once its credit has come.
 */
#include <stdio.h>

#include "kbtrace/writer.h"

enum { OPS = 4 };

static kb_status define(kb_defs *defs, kb_trail *trail) {
    uint32_t id;
    KB_TRY(kb_defs_add_causes(defs, trail));
    for (uint32_t rank = 0; rank < 2; rank++) {
        KB_TRY(kb_defs_add_pe(defs, &(kb_pe){.rank = rank, .pe = rank, .name = "pe"}, &id, trail));
        KB_TRY(kb_defs_add_stream(defs, &(kb_stream){.rank = rank, .pe = rank, .name = "pe"}, &id, trail));
        const kb_memory memory = {KB_SPACE_TCM, rank, rank, 1 << 20, 0, "tcm"};
        KB_TRY(kb_defs_add_memory(defs, &memory, &id, trail));
    }
    KB_TRY(kb_defs_add_link(defs, &(kb_link){"pe0>pe1", 256000000000, 1000, 2700}, &id, trail));
    const kb_queue queue = {0, 1, 0, 1, 0, 4, 4096, "pe0>pe1"};
    return kb_defs_add_queue(defs, &queue, &id, trail);
}

static kb_status put_op(kb_writer *writer, uint64_t index, kb_trail *trail) {
    static const int64_t issue_ps[OPS] = {1000, 1600, 2200, 2900}, commit_ps[OPS] = {50, 50, 50, 70};
    const kb_operand operands[] = {
        kb_operand_vector(1, KB_ACCESS_WRITE, KB_DTYPE_F16, 2048),
        kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_F16, 2048),
    };
    const kb_claim claim = {1, KB_ROLE_CREDIT, KB_POINT_DONE, KB_SET_ONE, 0};
    const kb_why why = {KB_CAUSE_SERIALISATION, KB_RESOURCE_LINK, 0};
    const kb_template what = {
        .kind = KB_OP_IPCQ_COPY,
        .blocks = KB_BLOCKS_NO,
        .reached = KB_POINT_DONE,
        .stream = 0,
        .engine = KB_NONE,
        .queue = 0,
        .route = KB_NONE,
        .group = KB_NONE,
        .step = KB_NONE,
        .kernel = KB_NONE,
        .file = KB_NONE,
        .operand_count = 2,
        .operands = operands,
        .claim_count = 1,
        .claims = &claim,
        .why_count = 1,
        .whys = &why,
    };
    kb_op op = {.what = &what, .index = index, .issue_ps = issue_ps[index], .sequence = 4 + index};
    op.start_ps = op.issue_ps + 10;
    op.sent_ps = op.start_ps + 100;
    op.done_ps = op.sent_ps + commit_ps[index];
    const uint64_t offsets[] = {4096 * index, 32768 + 4096 * index}, claimed[] = {7 + 3 * index};
    const kb_blame blame = {.ps = op.done_ps - op.issue_ps, .resource = 0};
    op.offsets = offsets;
    op.claimed = claimed;
    op.blames = &blame;
    return kb_writer_put(writer, 0, &op, trail);
}

static kb_status write_trace(const char *path, const kb_run *run, const kb_defs *defs, kb_trail *trail) {
    kb_writer *writer;
    const kb_writer_options options = {.path = path};
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 3080};
    KB_TRY(kb_writer_create(&options, run, defs, &writer, trail));
    kb_status status = KB_OK;
    for (uint64_t i = 0; i < OPS && status == KB_OK; i++)
        status = put_op(writer, i, trail);
    if (status == KB_OK)
        status = kb_writer_finish(writer, &ending, NULL, trail);
    kb_writer_destroy(writer);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: kb-trace-example OUT\n");
        return 2;
    }
    kb_trail trail;
    kb_trail_init(&trail);
    kb_run run = {.memory_model = "kb.mm.1", .producer = "kb-test", .bench = "example", .ranks = 2};
    run.config_digest = run.program_digest = kb_digest_of("", 0);
    kb_run_identify(&run);
    kb_defs defs;
    kb_defs_init(&defs, NULL, 0);
    kb_status status = define(&defs, &trail);
    if (status == KB_OK)
        status = write_trace(argv[1], &run, &defs, &trail);
    kb_defs_fini(&defs);
    if (status == KB_OK)
        return 0;
    char text[KB_TRAIL_ENTRIES * (KB_TRAIL_CHARS + 8)];
    fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
    return 2;
}
