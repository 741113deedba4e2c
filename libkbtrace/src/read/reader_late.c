/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops that were said again: read when the trace is opened, and given by cursors in the place of
 * what was written first.
 */
#include <stdlib.h>
#include <string.h>

#include "read/reader_parts.h"

typedef struct found {
    struct found *next;
    uint32_t rank;
    kb_op op;
    kb_digest digest;
} found;

typedef struct gathering {
    kb_reader *reader;
    kb_input *input;
    uint32_t frame;
    found *first;
    kb_decoder decoder;
} gathering;

static kb_status copy_op(kb_arena *arena, const kb_op *op, kb_op *ret_copy, kb_trail *trail) {
    void *offsets, *claimed, *blames;
    const kb_template *what = op->what;
    KB_TRY(kb_arena_copy(arena, op->offsets, what->operand_count * sizeof *op->offsets, &offsets, trail));
    KB_TRY(kb_arena_copy(arena, op->claimed, what->claim_count * sizeof *op->claimed, &claimed, trail));
    KB_TRY(kb_arena_copy(arena, op->blames, what->why_count * sizeof *op->blames, &blames, trail));
    *ret_copy = *op;
    ret_copy->offsets = offsets;
    ret_copy->claimed = claimed;
    ret_copy->blames = blames;
    return KB_OK;
}

static kb_status decode_one(gathering *to, kb_span body, found *late, kb_trail *trail) {
    kb_decode_scope scope = kb_reader_scope(to->reader, late->rank);
    const kb_op *op;
    const kb_digest *what;
    KB_TRY(kb_decoder_open(&to->decoder, body, &scope, trail));
    KB_TRY(kb_decoder_next(&to->decoder, &op, trail));
    if (op->payload_size != 0)
        return kb_fail(trail, KB_E_CORRUPT, "an amended op carries bytes");
    KB_TRY(kb_decoder_template_digest(&to->decoder, &what, trail));
    KB_TRY(kb_op_digest(what, op, to->reader->alloc, &late->digest, trail));
    return copy_op(&to->reader->arena, op, &late->op, trail);
}

static kb_status gather(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    gathering *to = user;
    kb_reader *reader = to->reader;
    kb_ops_body head;
    void *block;
    if (kind != KB_PACKET_LATE)
        return KB_OK;
    KB_TRY(kb_ops_body_get(body, &head, trail));
    if (head.count != 1 || head.rank >= reader->run.ranks || reader->ranks[head.rank].input != to->input)
        return kb_fail(trail, KB_E_CORRUPT, "%u ops of rank %u are amended", head.count, head.rank);
    KB_TRY(kb_arena_new(&reader->arena, sizeof(found), &block, trail));
    found *late = block;
    late->rank = head.rank;
    KB_TRY(decode_one(to, body, late, trail));
    late->next = to->first;
    to->first = late;
    reader->ranks[head.rank].late_count++;
    return KB_OK;
}

static kb_status gather_frame(gathering *to, kb_trail *trail) {
    const kb_raw_frame *raw;
    KB_TRY(kb_reader_templates(to->reader, to->input, to->frame, trail));
    KB_TRY(kb_reader_frame(to->reader, to->input, to->frame, &raw, trail));
    return kb_walk_packets((kb_span){raw->bytes, raw->bytes + raw->size}, gather, to, trail);
}

static int by_index(const void *a, const void *b) {
    const kb_op *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static kb_status sort_rank(kb_reader *reader, uint32_t rank, kb_trail *trail) {
    kb_rank_place *place = &reader->ranks[rank];
    uint64_t ops = 0;
    if (place->late_count > 1)
        qsort(place->late, place->late_count, sizeof *place->late, by_index);
    if (place->span_count > 0)
        ops = reader->spans[place->first_span + place->span_count - 1].first +
              reader->spans[place->first_span + place->span_count - 1].count;
    for (size_t i = 0; i < place->late_count; i++)
        if (place->late[i].index >= ops || (i > 0 && place->late[i].index == place->late[i - 1].index))
            return kb_fail(trail, KB_E_CORRUPT,
                           "%s: op %llu of rank %u is amended twice, or without being there",
                           place->input->shown, (unsigned long long)place->late[i].index, rank);
    return KB_OK;
}

/* From the list into an array a rank, by index. */
static kb_status place_late(kb_reader *reader, const found *first, kb_trail *trail) {
    void *block;
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++) {
        kb_rank_place *place = &reader->ranks[rank];
        KB_TRY(kb_arena_new(&reader->arena, place->late_count * sizeof(kb_op), &block, trail));
        place->late = block;
        KB_TRY(kb_arena_new(&reader->arena, place->late_count * sizeof(kb_late_digest), &block, trail));
        place->late_digests = block;
        place->late_count = 0;
    }
    for (const found *late = first; late != NULL; late = late->next) {
        kb_rank_place *place = &reader->ranks[late->rank];
        place->late_digests[place->late_count] = (kb_late_digest){late->op.index, late->digest};
        place->late[place->late_count++] = late->op;
    }
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++)
        KB_TRY(sort_rank(reader, rank, trail));
    return KB_OK;
}

kb_status kb_reader_gather_late(kb_reader *reader, kb_trail *trail) {
    kb_status status = KB_OK;
    gathering to = {.reader = reader};
    kb_decoder_init(&to.decoder, reader->alloc);
    for (size_t f = 0; f < reader->input_count; f++) {
        to.input = &reader->inputs[f];
        for (to.frame = 0; to.frame < to.input->entry_count && status == KB_OK; to.frame++) {
            if (!to.input->entries[to.frame].late)
                continue;
            status = gather_frame(&to, trail);
            if (status != KB_OK)
                status =
                    kb_while(trail, status, "reading amended ops in frame %u of %s at byte %llu", to.frame,
                             to.input->shown, (unsigned long long)to.input->places[to.frame].offset);
        }
    }
    kb_decoder_fini(&to.decoder);
    return status == KB_OK ? place_late(reader, to.first, trail) : status;
}
