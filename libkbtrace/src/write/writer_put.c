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

/* Small enough to stay in a first-level cache beside what encoding touches. */
enum { STAGED_WORDS = 2048 };

/* --- checks ----------------------------------------------------------------------------------- */

static kb_status refuse_time(uint32_t rank, const kb_op *op, kb_trail *trail) {
    const int64_t times[] = {op->issue_ps, op->start_ps, op->sent_ps, op->done_ps};
    size_t i = 0;
    while (i < 3 && times[i] >= 0 && times[i] <= KB_TIME_MAX_PS)
        i++;
    return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u has a time of %lld ps; 0 to %lld can be written",
                   (unsigned long long)op->index, rank, (long long)times[i], (long long)KB_TIME_MAX_PS);
}

kb_status kb_writer_check_op(const kb_writer *writer, uint32_t rank, const kb_template *what, const kb_op *op,
                             kb_trail *trail) {
    _Static_assert(((uint64_t)KB_TIME_MAX_PS & ((uint64_t)KB_TIME_MAX_PS + 1)) == 0,
                   "one compare for all times");
    if (rank >= writer->run.ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "an op of rank %u, but the run has ranks 0 to %u", rank,
                       writer->run.ranks - 1);
    if ((uint64_t)(op->issue_ps | op->start_ps | op->sent_ps | op->done_ps) > (uint64_t)KB_TIME_MAX_PS)
        return refuse_time(rank, op, trail);
    for (uint32_t i = 0; i < what->why_count; i++)
        if (what->whys[i].blames && op->blames[i].rank >= writer->run.ranks)
            return kb_fail(trail, KB_E_ARGUMENT, "op %llu of rank %u blames an op of rank %u, the run has %u",
                           (unsigned long long)op->index, rank, op->blames[i].rank, writer->run.ranks);
    if (op->payload_size > KB_PAYLOAD_MAX)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "op %llu of rank %u carries %llu bytes; write at most %llu at once",
                       (unsigned long long)op->index, rank, (unsigned long long)op->payload_size,
                       (unsigned long long)KB_PAYLOAD_MAX);
    return KB_OK;
}

static kb_status check_order(const kb_out_rank *of, uint32_t rank, const kb_op *op, kb_trail *trail) {
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
    kb_out_rank *of = &writer->ranks[rank];
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

kb_status kb_writer_learn(kb_writer *writer, kb_known *known, const kb_put *put, int64_t resume_ps,
                          kb_trail *trail) {
    if (__builtin_expect(known->id != KB_NONE, 1))
        return KB_OK;
    const size_t count = known->layout.count;
    void *fields = writer->fields;
    KB_TRY(kb_grow(writer->alloc, sizeof *writer->fields, count + KB_PUT_BEYOND, &writer->field_capacity,
                   &fields, trail));
    writer->fields = fields;
    kb_put_to_fields(known, put, resume_ps, writer->fields);
    memcpy(known->nominal, writer->fields, count * sizeof *writer->fields);
    kb_out_file_learn(kb_writer_file_of(writer, known->rank), known);
    /* It will be said before the packet, about so large. */
    writer->open_size += 16 + 24 * (size_t)(known->key.operand_count + known->key.claim_count) + 4 * count;
    return KB_OK;
}

kb_status kb_writer_template(kb_writer *writer, uint32_t rank, const kb_template *what,
                             const kb_known **ret_known, kb_trail *trail) {
    if (writer->failed != KB_OK)
        return kb_fail(trail, writer->failed, "the trace %s failed earlier", writer->path);
    kb_known *known = NULL;
    kb_status status = KB_OK;
    if (rank >= writer->run.ranks)
        status = kb_fail(trail, KB_E_ARGUMENT, "a template of rank %u, but the run has ranks 0 to %u", rank,
                         writer->run.ranks - 1);
    if (status == KB_OK)
        status = kb_writer_find(writer, rank, what, &known, trail);
    if (status != KB_OK) {
        writer->failed = status;
        return kb_while(trail, status, "writing the trace %s", writer->path);
    }
    *ret_known = known;
    return KB_OK;
}

/* --- encoding --------------------------------------------------------------------------------- */

/* Words that an op takes in the stage. */
static size_t staged_size(const kb_known *known, uint64_t payload_size) {
    size_t size = 1 + known->canonical_count;
    return payload_size == 0 ? size : size + KB_CANONICAL_DIGEST + (size_t)(payload_size + 7) / 8;
}

static kb_status encode(kb_writer *writer, kb_known *known, const uint64_t *words, kb_trail *trail) {
    kb_out_rank *of = &writer->ranks[known->rank];
    kb_put put = {.index = of->digester.ops, .words = words};
    size_t count = known->canonical_count, size;
    int64_t *resume;
    if (words[KB_CANONICAL_PAYLOAD] != 0) {
        count += KB_CANONICAL_DIGEST;
        put.payload = (const uint8_t *)(words + count);
    }
    if (of->packet.number == 0)
        kb_packet_open(&of->packet, ++writer->packets, put.index,
                       (int64_t)le64toh(words[KB_CANONICAL_ISSUE]));
    KB_TRY(kb_packet_resume(&of->packet, known, &resume, trail));
    KB_TRY(kb_writer_learn(writer, known, &put, *resume, trail));
    kb_put_to_fields(known, &put, *resume, writer->fields);
    KB_TRY(kb_packet_add(&of->packet, known, &put, writer->fields, &writer->forms, &size, trail));
    *resume = (int64_t)le64toh(words[known->resume_word]);
    KB_TRY(kb_rank_digester_take(&of->digester, words, count, trail));
    writer->open_size += size;
    return writer->open_size >= writer->open_limit ? kb_writer_flush(writer, trail) : KB_OK;
}

static kb_known *known_at(const uint64_t *at) {
    kb_known *known;
    memcpy(&known, at, sizeof known);
    return known;
}

static const uint64_t *next_staged(const uint64_t *at) {
    return at + staged_size(known_at(at), le64toh(at[1 + KB_CANONICAL_PAYLOAD]));
}

/* What is known of a template that comes soon is on its way while others are worked on. */
static const uint64_t *expect(const uint64_t *at, const uint64_t *end) {
    enum { LINE = 64, LINES = 8 };
    if (at == end)
        return end;
    const kb_known *known = known_at(at);
    for (size_t i = 0; i < LINES; i++)
        __builtin_prefetch((const char *)known + i * LINE);
    return next_staged(at);
}

kb_status kb_writer_drain(kb_writer *writer, kb_trail *trail) {
    enum { AHEAD = 4 };
    const uint64_t *at = writer->staged, *end = at + writer->staged_count, *ahead = at;
    writer->staged_count = 0;
    for (unsigned i = 0; i < AHEAD; i++)
        ahead = expect(ahead, end);
    for (; at < end; at = next_staged(at)) {
        ahead = expect(ahead, end);
        KB_TRY(encode(writer, known_at(at), at + 1, trail));
    }
    return KB_OK;
}

/* --- putting ---------------------------------------------------------------------------------- */

kb_status kb_writer_make_stage(kb_writer *writer, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new(writer->alloc, STAGED_WORDS * sizeof *writer->staged, &block, trail));
    writer->staged = block;
    writer->staged_capacity = STAGED_WORDS;
    return KB_OK;
}

/* Room in the stage for so many words more, and what may be read beyond them. */
static kb_status make_room(kb_writer *writer, size_t count, kb_trail *trail) {
    KB_TRY(kb_writer_drain(writer, trail));
    void *staged = writer->staged;
    KB_TRY(kb_grow(writer->alloc, sizeof *writer->staged, count, &writer->staged_capacity, &staged, trail));
    writer->staged = staged;
    return KB_OK;
}

static kb_status put_known(kb_writer *writer, const kb_known *known, const kb_op *op, kb_trail *trail) {
    const uint32_t rank = known->rank;
    kb_out_rank *of = &writer->ranks[rank];
    const size_t count = staged_size(known, op->payload_size);
    if (writer->staged_capacity - writer->staged_count < count + KB_PUT_BEYOND)
        KB_TRY(make_room(writer, count + KB_PUT_BEYOND, trail));
    uint64_t *at = writer->staged + writer->staged_count;
    memcpy(at, &known, sizeof known);
    at = kb_canonical_put(at + 1, &known->digest, &known->key, op);
    if (op->payload_size > 0)
        memcpy(at, op->payload, (size_t)op->payload_size);
    writer->staged_count += count;
    of->issue_ps = op->issue_ps;
    of->ops++;
    writer->ops++;
    return KB_OK;
}

static kb_status put(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kb_known *known;
    KB_TRY(kb_writer_check_op(writer, rank, op->what, op, trail));
    KB_TRY(check_order(&writer->ranks[rank], rank, op, trail));
    KB_TRY(kb_writer_find(writer, rank, op->what, &known, trail));
    return put_known(writer, known, op, trail);
}

static kb_status put_as(kb_writer *writer, const kb_known *known, const kb_op *op, kb_trail *trail) {
    assert(known->owner == writer);
    KB_TRY(kb_writer_check_op(writer, known->rank, &known->key, op, trail));
    KB_TRY(check_order(&writer->ranks[known->rank], known->rank, op, trail));
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

kb_status kb_writer_put_as(kb_writer *writer, const kb_known *known, const kb_op *op, kb_trail *trail) {
    kb_status status = writer->failed;
    if (status == KB_OK)
        status = put_as(writer, known, op, trail);
    return status == KB_OK ? KB_OK : fail(writer, status, trail);
}
