/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops on their way: an op is checked, staged as its canonical words, and later, some hundred at a
 * time, encoded into its rank's open packet and digested. When all open packets together are large
 * enough, they become frames. Where a stage ends changes nothing of what is written.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "words/defs_check.h"
#include "write/writer_parts.h"

/* --- checks ----------------------------------------------------------------------------------- */

static kb_status refuse_time(uint32_t rank, const kb_op *op, kb_trail *trail) {
    const int64_t times[] = {op->issue_ps, op->start_ps, op->sent_ps, op->done_ps};
    size_t i = 0;
    while (i < 3 && times[i] >= 0 && times[i] <= KB_TIME_MAX_PS)
        i++;
    return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u has a time of %lld ps; 0 to %lld can be written",
                   (unsigned long long)op->index, rank, (long long)times[i], (long long)KB_TIME_MAX_PS);
}

static kb_status check_blames(const kb_writer *writer, const kb_known *known, const kb_op *op,
                              kb_trail *trail) {
    for (uint32_t i = 0; i < known->why_count; i++)
        if (op->blames[i].rank >= writer->run.ranks && kb_known_blames(known, i))
            return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u blames an op of rank %u, the run has %u",
                           (unsigned long long)op->index, known->rank, op->blames[i].rank, writer->run.ranks);
    return KB_OK;
}

kb_status kb_writer_check_op(const kb_writer *writer, const kb_known *known, const kb_op *op,
                             kb_trail *trail) {
    const uint32_t rank = known->rank;
    _Static_assert(((uint64_t)KB_TIME_MAX_PS & ((uint64_t)KB_TIME_MAX_PS + 1)) == 0, "one compare for all");
    if ((uint64_t)(op->issue_ps | op->start_ps | op->sent_ps | op->done_ps) > (uint64_t)KB_TIME_MAX_PS)
        return refuse_time(rank, op, trail);
    uint32_t most = 0; /* also of those that are told where nobody is blamed: 0 as a rule */
    for (uint32_t i = 0; i < known->why_count; i++)
        most = op->blames[i].rank > most ? op->blames[i].rank : most;
    if (most >= writer->run.ranks)
        KB_TRY(check_blames(writer, known, op, trail));
    if (op->payload_size > KB_PAYLOAD_MAX)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "op %llu of rank %u carries %llu bytes; write at most %llu at once",
                       (unsigned long long)op->index, rank, (unsigned long long)op->payload_size,
                       (unsigned long long)KB_PAYLOAD_MAX);
    return KB_OK;
}

static kb_status check_order(const kb_put_rank *of, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (op->index != of->ops)
        return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u came as op %llu",
                       (unsigned long long)of->ops, rank, (unsigned long long)op->index);
    if (op->issue_ps < of->issue_ps)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "op %llu of rank %u is issued at %lld ps, the one before at %lld ps",
                       (unsigned long long)op->index, rank, (long long)op->issue_ps, (long long)of->issue_ps);
    return KB_OK;
}

/* --- templates -------------------------------------------------------------------------------- */

static kb_status make_known(kb_writer *writer, uint32_t rank, const kb_template *what, uint64_t hash,
                            kb_known **ret_known, kb_trail *trail) {
    KB_TRY(kb_template_check(what, trail));
    if (what->stream >= writer->defs->stream_count || writer->defs->streams[what->stream].rank != rank)
        return kb_fail(trail, KB_E_ARGUMENT, "an op of rank %u is of stream %u, which is not this rank's",
                       rank, what->stream);
    KB_TRY(kb_template_check_ids(what, writer->defs, writer->run.ranks, KB_E_ARGUMENT, trail));
    kb_known *known;
    KB_TRY(kb_intern_add(&writer->intern, what, hash, writer->defs, &known, trail));
    known->owner = writer;
    known->rank = rank;
    *ret_known = known;
    return KB_OK;
}

static bool is_of(const kb_known *known, const kb_template *what) {
    return known != NULL && kb_template_equal(&known->key, what);
}

/* One of the two templates that followed the last one before is nearly always right. */
kb_status kb_writer_find(kb_writer *writer, uint32_t rank, const kb_template *what, kb_known **ret_known,
                         kb_trail *trail) {
    if (rank >= writer->run.ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "an op of rank %u, but the run has ranks 0 to %u", rank,
                       writer->run.ranks - 1);
    kb_put_rank *of = &writer->puts[rank];
    kb_known *last = of->last, *found = last ? last->follower : NULL;
    if (!is_of(found, what)) {
        found = last ? last->former : NULL;
        if (!is_of(found, what)) {
            uint64_t hash = kb_template_hash(what);
            found = kb_intern_find(&writer->intern, what, hash);
            if (found == NULL)
                KB_TRY(make_known(writer, rank, what, hash, &found, trail));
        }
        if (last != NULL) {
            last->former = last->follower;
            last->follower = found;
        }
    }
    of->last = found;
    *ret_known = found;
    return KB_OK;
}

kb_status kb_writer_learn(kb_writer *writer, kb_known *known, kb_trail *trail) {
    const size_t count = known->layout.count;
    void *fields = writer->place.fields;
    KB_TRY(kb_grow(writer->alloc, sizeof *writer->place.fields, count + KB_FIELDS_BEYOND,
                   &writer->field_capacity, &fields, trail));
    writer->place.fields = fields;
    kb_out_file_learn(kb_writer_file_of(writer, known->rank), known);
    /* It will be said before the packet, about so large. */
    writer->place.size += 16 + 24 * (size_t)(known->operand_count + known->claim_count) + 4 * count;
    return KB_OK;
}

kb_status kb_writer_template(kb_writer *writer, uint32_t rank, const kb_template *what, kb_known **ret_known,
                             kb_trail *trail) {
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    kb_known *known = NULL;
    const kb_status status = kb_writer_find(writer, rank, what, &known, trail);
    if (status != KB_OK) {
        writer->failed = status;
        return kb_while(trail, status, "writing the trace %s", writer->path);
    }
    *ret_known = known;
    return KB_OK;
}

/* --- encoding --------------------------------------------------------------------------------- */

/* What encoding an op looks at is on its way while others are worked on; so many ops ahead. */
enum { AHEAD = 3 };

static uint32_t expect(const kb_stage *stage, uint32_t number) {
    enum { OF_KNOWN = 4, OF_STATE = 6 };
    if (number == KB_NONE)
        return KB_NONE;
    const kb_known *known = stage->ops[number].known;
    for (size_t i = 0; i < OF_KNOWN; i++)
        __builtin_prefetch((const char *)known + i * KB_CACHE_LINE);
    for (size_t i = 0; i < OF_STATE; i++)
        __builtin_prefetch((const char *)known->state + i * KB_CACHE_LINE);
    return stage->ops[number].next;
}

/* The rank that comes next: its packet, words and first ops. */
static void expect_rank(const kb_writer *writer, const kb_stage *stage, uint32_t rank) {
    enum { OF_WORDS = 3 };
    const char *of = (const char *)&writer->ranks[rank], *words = (const char *)stage->ranks[rank].words;
    for (size_t i = 0; i < sizeof writer->ranks[rank]; i += KB_CACHE_LINE)
        __builtin_prefetch(of + i);
    for (size_t i = 0; i < OF_WORDS; i++)
        __builtin_prefetch(words + i * KB_CACHE_LINE);
    uint32_t number = stage->ranks[rank].first;
    for (unsigned i = 0; i < AHEAD; i++)
        number = expect(stage, number);
}

/* An op into its packet; *inout_words goes past it. */
static kb_status encode(kb_writer *writer, kb_out_rank *of, const kb_stage *stage, const kb_staged *staged,
                        const uint64_t **inout_words, kb_trail *trail) {
    kb_known *known = staged->known;
    kb_put put = {.index = of->ops, .words = *inout_words};
    *inout_words += known->canonical_count;
    if (put.words[KB_CANONICAL_PAYLOAD] != 0) {
        *inout_words += KB_CANONICAL_DIGEST;
        put.payload = stage->payloads.bytes + staged->payload_at;
    }
    if (of->packet.number == 0)
        kb_packet_open(&of->packet, ++writer->packets, put.index,
                       (int64_t)le64toh(put.words[KB_CANONICAL_ISSUE]));
    KB_TRY(kb_packet_add(&of->packet, known, &put, &writer->place, trail));
    of->ops++;
    return KB_OK;
}

/* A rank's ops, and then their words while they are near. */
static kb_status encode_rank(kb_writer *writer, const kb_stage *stage, uint32_t rank, kb_trail *trail) {
    kb_out_rank *of = &writer->ranks[rank];
    const kb_stage_rank *staged = &stage->ranks[rank];
    const uint64_t *words = staged->words, *begun = words;
    uint64_t ops = of->ops;
    uint32_t ahead = staged->first;
    for (unsigned i = 0; i < AHEAD && ahead != KB_NONE; i++)
        ahead = stage->ops[ahead].next;
    for (uint32_t i = staged->first; i != KB_NONE; i = stage->ops[i].next) {
        ahead = expect(stage, ahead);
        KB_TRY(encode(writer, of, stage, &stage->ops[i], &words, trail));
        if (of->ops % KB_DIGEST_BLOCK != 0 && stage->ops[i].next != KB_NONE)
            continue;
        KB_TRY(kb_rank_digester_take(&of->digester, begun, (size_t)(words - begun), of->ops - ops, trail));
        begun = words;
        ops = of->ops;
    }
    assert(words == staged->words + staged->count);
    return KB_OK;
}

kb_status kb_writer_encode(void *context, void *piece, kb_trail *trail) {
    kb_writer *writer = context;
    kb_stage *stage = piece;
    KB_TRY(kb_row_log_add(&writer->files[0].rows, &stage->rows, trail));
    for (uint32_t i = 0; i < stage->op_count && stage->has_new; i++)
        if (stage->ops[i].known->id == KB_NONE)
            KB_TRY(kb_writer_learn(writer, stage->ops[i].known, trail));
    for (uint32_t i = 0; i < stage->touched_count; i++) {
        if (i + 1 < stage->touched_count)
            expect_rank(writer, stage, stage->touched[i + 1]);
        KB_TRY(encode_rank(writer, stage, stage->touched[i], trail));
    }
    for (size_t at = 0; at < stage->samples.size; at += sizeof(kb_staged_sample))
        KB_TRY(kb_writer_take_sample(
            writer, (const kb_staged_sample *)(const void *)(stage->samples.bytes + at), trail));
    KB_TRY(kb_stage_clear(stage, trail));
    return writer->place.size >= writer->open_limit ? kb_writer_flush(writer, trail) : KB_OK;
}

kb_status kb_writer_hand_over(kb_writer *writer, kb_trail *trail) {
    kb_stage *stage = writer->stage;
    if (kb_row_log_is_behind(writer->defs, writer->noted)) {
        KB_TRY(kb_defs_check(writer->defs, writer->run.ranks, KB_E_ARGUMENT, trail));
        KB_TRY(kb_row_log_note(writer->defs, writer->noted, &stage->rows, trail));
    }
    if (stage->op_count == 0 && stage->rows.size == 0 && stage->samples.size == 0)
        return KB_OK;
    if (writer->beside == NULL)
        return kb_writer_encode(writer, stage, trail);
    KB_TRY(kb_beside_hand(writer->beside, stage, trail));
    writer->stage = &writer->stages[stage == &writer->stages[0] ? 1 : 0];
    return KB_OK;
}

kb_status kb_writer_drain(kb_writer *writer, kb_trail *trail) {
    KB_TRY(kb_writer_hand_over(writer, trail));
    return writer->beside != NULL ? kb_beside_wait(writer->beside, trail) : KB_OK;
}

/* --- putting ---------------------------------------------------------------------------------- */

/* Whether an op may break any rule of check_order() and kb_writer_check_op(): at one go, told there. */
static inline bool is_suspect(const kb_writer *writer, const kb_put_rank *of, const kb_known *known,
                              const kb_op *op) {
    const int64_t times = op->issue_ps | op->start_ps | op->sent_ps | op->done_ps;
    bool is_one = (uint64_t)times > (uint64_t)KB_TIME_MAX_PS;
    is_one |= op->index != of->ops;
    is_one |= op->issue_ps < of->issue_ps;
    is_one |= op->payload_size > KB_PAYLOAD_MAX;
    is_one |= kb_known_is_wide(known);
    for (uint64_t left = known->blaming; left != 0; left &= left - 1)
        is_one |= op->blames[__builtin_ctzll(left)].rank >= writer->run.ranks;
    return is_one;
}

static inline kb_status put_known(kb_writer *writer, kb_known *known, const kb_op *op, kb_trail *trail) {
    kb_put_rank *of = &writer->puts[known->rank];
    if (__builtin_expect(is_suspect(writer, of, known, op), 0)) {
        KB_TRY(kb_writer_check_op(writer, known, op, trail));
        KB_TRY(check_order(of, known->rank, op, trail));
    }
    if (__builtin_expect(!kb_stage_add(writer->stage, known, op), 0)) {
        if (!kb_stage_has_room(writer->stage))
            KB_TRY(kb_writer_hand_over(writer, trail));
        KB_TRY(kb_stage_take(writer->stage, known, op, trail));
    }
    of->issue_ps = op->issue_ps;
    of->ops++;
    writer->ops++;
    return KB_OK;
}

static kb_status put(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kb_known *known;
    KB_TRY(kb_writer_find(writer, rank, op->what, &known, trail));
    return put_known(writer, known, op, trail);
}

static kb_status fail(kb_writer *writer, kb_status status, kb_trail *trail) {
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    writer->failed = status;
    return kb_while(trail, status, "writing the trace %s", writer->path);
}

kb_status kb_writer_put(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kb_status status = writer->failed;
    if (status == KB_OK)
        status = put(writer, rank, op, trail);
    return status == KB_OK ? KB_OK : fail(writer, status, trail);
}

kb_status kb_writer_put_as(kb_writer *writer, kb_known *known, const kb_op *op, kb_trail *trail) {
    assert(known->owner == writer);
    kb_status status = writer->failed;
    if (status == KB_OK)
        status = put_known(writer, known, op, trail);
    return status == KB_OK ? KB_OK : fail(writer, status, trail);
}
