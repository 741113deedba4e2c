/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a trace: the footers of all its files as one, held against what was found, and in what
 * condition the trace is.
 */
#include <stdio.h>

#include "read/reader_parts.h"

static void take_summary(const kb_wire_summary *from, kb_rank_summary *to) {
    *to = (kb_rank_summary){from->rank,
                            from->ops,
                            from->digest,
                            (const kb_digest *)(const void *)from->blocks,
                            from->blocks_size / sizeof(kb_digest),
                            from->late,
                            from->late_digest};
}

static bool agree(const kb_wire_footer *a, const kb_wire_footer *b) {
    return a->outcome == b->outcome && a->time_ps == b->time_ps && a->ops == b->ops &&
           a->samples == b->samples && kb_digest_equal(&a->record_digest, &b->record_digest) &&
           kb_digest_equal(&a->definitions_digest, &b->definitions_digest);
}

/* The last frame has it. */
static uint64_t footer_at(const kb_input *input) {
    return input->places[input->place_count - 1].offset;
}

/* Every rank's summary from the file that holds it. */
static kb_status take_footers(kb_reader *reader, kb_rank_summary *ranks, kb_trail *trail) {
    for (size_t f = 0; f < reader->input_count; f++) {
        const kb_input *input = &reader->inputs[f];
        if (!agree(&input->footer, &reader->inputs[0].footer))
            return kb_input_bad(input, footer_at(input), trail, "the footer does not agree with that of %s",
                                reader->inputs[0].shown);
        for (size_t i = 0; i < input->footer.rank_count; i++) {
            const kb_wire_summary *summary = &input->footer.ranks[i];
            if (summary->rank >= reader->run.ranks || reader->ranks[summary->rank].input != input)
                return kb_input_bad(input, footer_at(input), trail, "the footer tells of rank %u",
                                    summary->rank);
            take_summary(summary, &ranks[summary->rank]);
        }
    }
    return KB_OK;
}

static kb_status check_rank(const kb_reader *reader, uint32_t rank, kb_rank_summary *summary,
                            kb_trail *trail) {
    const kb_rank_place *place = &reader->ranks[rank];
    uint64_t ops = 0;
    if (place->span_count > 0) {
        const kb_span_of_ops *last = &reader->spans[place->first_span + place->span_count - 1];
        ops = last->first + last->count;
    }
    summary->rank = rank;
    if (summary->late != place->late_count)
        return kb_input_bad(place->input, footer_at(place->input), trail,
                            "the footer tells of %llu amended ops of rank %u, %zu are there",
                            (unsigned long long)summary->late, rank, place->late_count);
    if (summary->ops != ops)
        return kb_input_bad(place->input, footer_at(place->input), trail,
                            "the footer tells of %llu ops of rank %u, the frames hold %llu",
                            (unsigned long long)summary->ops, rank, (unsigned long long)ops);
    return KB_OK;
}

static kb_status check_totals(const kb_reader *reader, const kb_rank_summary *ranks, kb_trail *trail) {
    const kb_wire_footer *footer = &reader->inputs[0].footer;
    const kb_input *input = &reader->inputs[0];
    const uint64_t at = footer_at(input);
    kb_digest records, definitions = footer->definitions_digest;
    uint64_t ops = 0;
    if (footer->time_ps > (uint64_t)KB_TIME_MAX_PS || footer->outcome < KB_OUTCOME_COMPLETE)
        return kb_input_bad(input, at, trail, "the footer has no sense (outcome %u, %llu ps)",
                            footer->outcome, (unsigned long long)footer->time_ps);
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++)
        ops += ranks[rank].ops;
    if (ops != footer->ops)
        return kb_input_bad(input, at, trail, "the footer tells of %llu ops, its ranks have %llu",
                            (unsigned long long)footer->ops, (unsigned long long)ops);
    KB_TRY(kb_record_digest(ranks, reader->run.ranks, reader->alloc, &records, trail));
    if (!kb_digest_equal(&records, &footer->record_digest))
        return kb_input_bad(input, at, trail, "the footer's record digest is not that of its ranks");
    if (reader->options.check_digests)
        KB_TRY(kb_definitions_digest(&reader->defs, reader->alloc, &definitions, trail));
    if (!kb_digest_equal(&definitions, &footer->definitions_digest))
        return kb_input_bad(input, at, trail, "the definitions have another digest than the footer says");
    return KB_OK;
}

static kb_status merge_footers(kb_reader *reader, kb_trail *trail) {
    void *block;
    const kb_wire_footer *one = &reader->inputs[0].footer;
    for (size_t f = 0; f < reader->input_count; f++)
        if (!reader->inputs[f].has_footer)
            return KB_OK;
    KB_TRY(kb_arena_new(&reader->arena, reader->run.ranks * sizeof(kb_rank_summary), &block, trail));
    kb_rank_summary *ranks = block;
    KB_TRY(take_footers(reader, ranks, trail));
    for (uint32_t rank = 0; rank < reader->run.ranks; rank++)
        KB_TRY(check_rank(reader, rank, &ranks[rank], trail));
    KB_TRY(check_totals(reader, ranks, trail));
    reader->footer = (kb_footer){
        .ending = {(kb_outcome)one->outcome, one->message, (int64_t)one->time_ps},
        .ops = one->ops,
        .samples = one->samples,
        .record_digest = one->record_digest,
        .definitions_digest = one->definitions_digest,
        .ranks = ranks,
        .rank_count = reader->run.ranks,
    };
    reader->has_footer = true;
    return KB_OK;
}

static void judge(kb_reader *reader) {
    reader->state = KB_TRACE_COMPLETE;
    reader->words[0] = '\0';
    for (size_t i = 0; i < reader->input_count; i++) {
        const kb_input *input = &reader->inputs[i];
        if (input->damaged || (!input->ended && reader->state == KB_TRACE_COMPLETE)) {
            reader->state = input->damaged ? KB_TRACE_DAMAGED : KB_TRACE_CUT;
            snprintf(reader->words, sizeof reader->words, "%s", input->words);
        }
        if (input->damaged)
            return;
    }
    if (reader->state == KB_TRACE_COMPLETE && reader->footer.ending.outcome != KB_OUTCOME_COMPLETE) {
        reader->state = KB_TRACE_UNFINISHED;
        snprintf(reader->words, sizeof reader->words, "the run ended before its program did: %.300s",
                 reader->footer.ending.message);
    }
}

kb_status kb_reader_conclude(kb_reader *reader, kb_trail *trail) {
    KB_TRY(merge_footers(reader, trail));
    judge(reader);
    return KB_OK;
}
