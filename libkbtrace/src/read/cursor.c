/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor: one rank's ops, one packet after another; and the ways to a given op or time.
 *
 * The cursor's decoder holds its own copy of the packet, so that ranks that advance at different
 * speeds hold a packet each and not a frame.
 */
#include <assert.h>
#include <string.h>

#include "read/decode.h"
#include "read/reader_parts.h"

struct kb_cursor {
    kb_reader *reader;
    uint32_t rank;
    const kb_rank_place *place;
    size_t span;    /* the packet that is open or comes next, of place->span_count */
    size_t late_at; /* amendments before it were given, of place->late */
    kb_decoder decoder;
    kb_rank_digester digester;
    bool digesting;
    kb_status failed; /* the first failure stays until a seek: what came behind it would be guessed */
};

/* --- packets ---------------------------------------------------------------------------------- */

static kb_status load_packet(kb_cursor *cursor, const kb_span_of_ops *span, kb_trail *trail) {
    kb_reader *reader = cursor->reader;
    kb_input *input = cursor->place->input;
    kb_decoder *decoder = &cursor->decoder;
    kb_span body;
    KB_TRY(kb_reader_templates(reader, input, span->frame, trail));
    KB_TRY(kb_reader_packet(reader, input, span->frame, cursor->rank, &body, trail));
    kb_decode_scope scope = kb_reader_scope(reader, cursor->rank);
    KB_TRY(kb_decoder_open(decoder, body, &scope, trail));
    if (decoder->index != span->first || decoder->left != span->count)
        return kb_fail(trail, KB_E_CORRUPT,
                       "the index tells of ops %llu to %llu, the packet holds %u from %llu on",
                       (unsigned long long)span->first, (unsigned long long)(span->first + span->count - 1),
                       decoder->left, (unsigned long long)decoder->index);
    return KB_OK;
}

static kb_status where(const kb_cursor *cursor, kb_status status, kb_trail *trail) {
    const kb_input *input = cursor->place->input;
    const kb_span_of_ops *span = &cursor->reader->spans[cursor->place->first_span + cursor->span];
    return kb_while(trail, status, "reading op %llu of rank %u in frame %u of %s at byte %llu",
                    (unsigned long long)cursor->decoder.index, cursor->rank, span->frame, input->shown,
                    (unsigned long long)input->places[span->frame].offset);
}

/* --- digests ---------------------------------------------------------------------------------- */

static kb_status digest_op(kb_cursor *cursor, const kb_op *op, kb_trail *trail) {
    const kb_digest *what;
    KB_TRY(kb_decoder_template_digest(&cursor->decoder, &what, trail));
    return kb_rank_digester_add(&cursor->digester, what, op, trail);
}

static kb_status check_digest(kb_cursor *cursor, kb_trail *trail) {
    kb_rank_summary here;
    char said[33], found[33];
    cursor->digesting = false;
    if (!cursor->reader->has_footer)
        return KB_OK;
    const kb_rank_place *place = cursor->place;
    kb_digest late = {{0}};
    if (place->late_count > 0)
        KB_TRY(kb_late_digests(place->late_digests, place->late_count, cursor->reader->alloc, &late, trail));
    KB_TRY(kb_rank_digester_end(&cursor->digester, cursor->rank, place->late_count, &late, &here, trail));
    const kb_rank_summary *footer = &cursor->reader->footer.ranks[cursor->rank];
    if (kb_digest_equal(&here.digest, &footer->digest) && here.block_count == footer->block_count &&
        (here.block_count == 0 ||
         memcmp(here.blocks, footer->blocks, here.block_count * sizeof *here.blocks) == 0))
        return KB_OK;
    const kb_input *input = cursor->place->input;
    return kb_input_bad(
        input, input->places[input->place_count - 1].offset, trail,
        "the footer says that the ops of rank %u have another digest: they have %s, it says %s", cursor->rank,
        kb_digest_text(&here.digest, found), kb_digest_text(&footer->digest, said));
}

/* --- the cursor ------------------------------------------------------------------------------- */

kb_status kb_cursor_create(kb_reader *reader, uint32_t rank, kb_cursor **ret_cursor, kb_trail *trail) {
    void *block;
    if (rank >= reader->run.ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "there is no rank %u: the run has %u", rank, reader->run.ranks);
    KB_TRY(kb_new_zeroed(reader->alloc, sizeof(kb_cursor), &block, trail));
    kb_cursor *cursor = block;
    cursor->reader = reader;
    cursor->rank = rank;
    cursor->place = &reader->ranks[rank];
    kb_decoder_init(&cursor->decoder, reader->alloc);
    kb_rank_digester_init(&cursor->digester, reader->alloc);
    cursor->digesting = reader->options.check_digests;
    *ret_cursor = cursor;
    return KB_OK;
}

void kb_cursor_destroy(kb_cursor *cursor) {
    if (cursor == NULL)
        return;
    kb_rank_digester_fini(&cursor->digester);
    kb_decoder_fini(&cursor->decoder);
    kb_delete(cursor->reader->alloc, cursor, sizeof *cursor);
}

static kb_status next_packet(kb_cursor *cursor, kb_trail *trail) {
    const kb_span_of_ops *span = &cursor->reader->spans[cursor->place->first_span + cursor->span];
    kb_status status = load_packet(cursor, span, trail);
    if (status != KB_OK) {
        cursor->decoder.left = 0;
        return where(cursor, status, trail);
    }
    return KB_OK;
}

static kb_status at_end(kb_cursor *cursor, kb_trail *trail) {
    if (cursor->digesting)
        KB_TRY(check_digest(cursor, trail));
    return KB_END;
}

/* The op that was just decoded, or what was said of it later. Amendments are few and in order. */
static const kb_op *amended(kb_cursor *cursor, const kb_op *op) {
    const kb_rank_place *place = cursor->place;
    while (cursor->late_at < place->late_count && place->late[cursor->late_at].index < op->index)
        cursor->late_at++;
    if (cursor->late_at < place->late_count && place->late[cursor->late_at].index == op->index)
        return &place->late[cursor->late_at];
    return op;
}

static kb_status next(kb_cursor *cursor, const kb_op **ret_op, kb_trail *trail) {
    const kb_op *op;
    if (cursor->decoder.left == 0) {
        if (cursor->span == cursor->place->span_count)
            return at_end(cursor, trail);
        KB_TRY(next_packet(cursor, trail));
    }
    kb_status status = kb_decoder_next(&cursor->decoder, &op, trail);
    if (status == KB_OK && cursor->digesting)
        status = digest_op(cursor, op, trail);
    if (status != KB_OK)
        return where(cursor, status, trail);
    if (cursor->decoder.left == 0)
        cursor->span++;
    *ret_op = cursor->place->late_count > 0 ? amended(cursor, op) : op;
    return KB_OK;
}

kb_status kb_cursor_next(kb_cursor *cursor, const kb_op **ret_op, kb_trail *trail) {
    if (cursor->failed != KB_OK)
        return kb_fail(trail, cursor->failed, "the ops of rank %u could not be read before, in %s",
                       cursor->rank, cursor->place->input->shown);
    kb_status status = next(cursor, ret_op, trail);
    if (status != KB_OK && status != KB_END)
        status = cursor->failed = kb_reader_explain(cursor->reader, status, trail);
    return status;
}

uint32_t kb_cursor_frame(const kb_cursor *cursor) {
    const kb_rank_place *place = cursor->place;
    if (cursor->reader->input_count > 1 || cursor->span == place->span_count)
        return 0;
    return cursor->reader->spans[place->first_span + cursor->span].frame;
}

/* --- seeking ---------------------------------------------------------------------------------- */

/* To the packet number `span`; ops before the wanted one are decoded and passed over. */
static kb_status go_to(kb_cursor *cursor, size_t span, kb_trail *trail) {
    cursor->digesting = false; /* it is no longer every op that is seen */
    cursor->span = span;
    cursor->decoder.left = 0;
    cursor->late_at = 0;
    cursor->failed = KB_OK;
    if (span < cursor->place->span_count)
        cursor->failed = kb_reader_explain(cursor->reader, next_packet(cursor, trail), trail);
    return cursor->failed;
}

kb_status kb_cursor_seek_op(kb_cursor *cursor, uint64_t index, kb_trail *trail) {
    const kb_span_of_ops *spans = cursor->reader->spans + cursor->place->first_span;
    size_t span = 0, count = cursor->place->span_count;
    for (size_t low = 0, high = count; low < high; span = low) {
        size_t middle = low + (high - low) / 2;
        if (spans[middle].first + spans[middle].count <= index)
            low = middle + 1;
        else
            high = middle;
    }
    /* Further on in the open packet nothing need be decoded again. */
    bool ahead = cursor->failed == KB_OK && cursor->decoder.left > 0 && cursor->span == span &&
                 cursor->decoder.index <= index;
    cursor->digesting = cursor->digesting && ahead && cursor->decoder.index == index;
    if (!ahead)
        KB_TRY(go_to(cursor, span, trail));
    const kb_op *op;
    while (cursor->decoder.left > 0 && cursor->decoder.index < index)
        KB_TRY(kb_cursor_next(cursor, &op, trail));
    return KB_OK;
}

/* The last packet that begins before the time may hold the op; later ones are all later. */
kb_status kb_cursor_seek_time(kb_cursor *cursor, int64_t time_ps, kb_trail *trail) {
    const kb_span_of_ops *spans = cursor->reader->spans + cursor->place->first_span;
    size_t low = 0, high = cursor->place->span_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int64_t)spans[middle].first_ps < time_ps)
            low = middle + 1;
        else
            high = middle;
    }
    KB_TRY(go_to(cursor, low > 0 ? low - 1 : 0, trail));
    const kb_op *op;
    kb_status status;
    while ((status = kb_cursor_next(cursor, &op, trail)) == KB_OK)
        if (op->issue_ps >= time_ps)
            return kb_cursor_seek_op(cursor, op->index, trail);
    return status == KB_END ? KB_OK : status;
}
