/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor: one rank's ops, decoded from one packet at a time.
 *
 * The cursor holds its own copy of the packet, so that ranks that advance at different speeds hold
 * a packet each and not a frame. The loop over ops is the reader's hot path: an op costs a form
 * number, an addition a field, and a varint for each field that was mispredicted.
 */
#include <assert.h>
#include <string.h>

#include "packet.h"
#include "reader_parts.h"

/* Fields are worked on in groups of so many, which compilers turn into vector instructions. */
enum { GROUP = 4 };

/* A template in this packet: the state of its prediction, and its stream's. */
typedef struct active {
    const kb_read_template *template;
    uint32_t fields, padded;
    uint64_t *last, *stride, *step;
    int64_t *resume;
} active;

/* A form: the template and which fields have residuals, in order. */
typedef struct form {
    active *active;
    uint32_t residuals;
    const uint32_t *field; /* [residuals] */
} form;

struct kb_cursor {
    kb_reader *reader;
    uint32_t rank;
    const kb_rank_place *place;
    size_t span;    /* the next packet, of place->span_count */
    uint64_t index; /* of the next op */
    size_t late_at; /* amendments before it were given, of place->late */

    kb_buffer bytes; /* the packet */
    kb_ops_body body;
    uint32_t left;  /* ops in it */
    kb_arena arena; /* of the packet: forms, states */
    form *forms;
    size_t form_count;
    active **slots; /* a hash of templates in use */
    size_t slot_count;
    active *current;  /* of the last op */
    int64_t *resumes; /* [place->streams] */
    uint64_t payload_at;
    uint64_t *before; /* steps of fields with residuals, [most fields of a form] */

    kb_op op;
    uint64_t *claimed;
    kb_blame *blames;

    kb_rank_digester digester;
    bool digesting;
};

/* --- a packet's forms ------------------------------------------------------------------------------------ */

/* Every stream of the rank begins where the packet does. */
static kb_status make_resumes(kb_cursor *cursor, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(&cursor->arena, cursor->place->streams * sizeof(int64_t), &block, trail));
    cursor->resumes = block;
    for (uint32_t i = 0; i < cursor->place->streams; i++)
        cursor->resumes[i] = (int64_t)cursor->body.base_ps;
    return KB_OK;
}

/* Room for every template that the packet's forms could name, at most half full. */
static kb_status make_slots(kb_cursor *cursor, size_t forms, kb_trail *trail) {
    size_t templates = cursor->place->input->template_count, most = forms < templates ? forms : templates;
    void *block;
    cursor->slot_count = 4;
    while (cursor->slot_count < 2 * most)
        cursor->slot_count *= 2;
    KB_TRY(kb_arena_new(&cursor->arena, cursor->slot_count * sizeof(active *), &block, trail));
    cursor->slots = block;
    return KB_OK;
}

static kb_status new_active(kb_cursor *cursor, const kb_read_template *template, active **ret_active,
                            kb_trail *trail) {
    const kb_reader *reader = cursor->reader;
    uint32_t stream = template->key.stream, fields = template->layout.count;
    uint32_t padded = (fields + GROUP - 1) / GROUP * GROUP;
    void *block, *state;
    if (reader->defs.streams[stream].rank != cursor->rank)
        return kb_fail(trail, KB_E_CORRUPT, "an op of rank %u is of stream %u, which is rank %u's",
                       cursor->rank, stream, reader->defs.streams[stream].rank);
    KB_TRY(kb_arena_new(&cursor->arena, sizeof(active), &block, trail));
    KB_TRY(kb_arena_new(&cursor->arena, 3 * (size_t)padded * sizeof(uint64_t), &state, trail));
    active *made = block;
    *made = (active){.template = template, .fields = fields, .padded = padded};
    made->last = state;
    made->stride = made->last + padded;
    made->step = made->stride + padded;
    made->resume = &cursor->resumes[reader->stream_slots[stream]];
    memcpy(made->last, template->nominal, fields * sizeof(uint64_t));
    *ret_active = made;
    return KB_OK;
}

static kb_status activate(kb_cursor *cursor, uint64_t id, active **ret_active, kb_trail *trail) {
    const kb_input *input = cursor->place->input;
    if (id >= input->template_count)
        return kb_fail(trail, KB_E_CORRUPT, "ops of template %llu, but %zu are known", (unsigned long long)id,
                       input->template_count);
    const kb_read_template *template = input->templates[id];
    size_t mask = cursor->slot_count - 1, at = (size_t)(id * 0x9E3779B97F4A7C15u >> 20) & mask;
    while (cursor->slots[at] != NULL && cursor->slots[at]->template != template)
        at = (at + 1) & mask;
    if (cursor->slots[at] == NULL)
        KB_TRY(new_active(cursor, template, &cursor->slots[at], trail));
    *ret_active = cursor->slots[at];
    return KB_OK;
}

static kb_status list_residuals(kb_cursor *cursor, const active *of, kb_span *span, form *to,
                                kb_trail *trail) {
    uint64_t masks[64], *all = masks;
    uint32_t words = of->template->layout.words, count = 0;
    void *block;
    if (words > sizeof masks / sizeof masks[0]) {
        KB_TRY(kb_arena_new(&cursor->arena, words * sizeof(uint64_t), &block, trail));
        all = block;
    }
    for (uint32_t i = 0; i < words; i++) {
        if (!kb_varint_get(span, &all[i]))
            return kb_fail(trail, KB_E_CORRUPT, "a form whose masks are cut");
        count += (uint32_t)__builtin_popcountll(all[i]);
    }
    if (of->fields % 64 != 0 && all[words - 1] >> (of->fields % 64) != 0)
        return kb_fail(trail, KB_E_CORRUPT, "a form with residuals of fields beyond its %u", of->fields);
    KB_TRY(kb_arena_new(&cursor->arena, count * sizeof(uint32_t), &block, trail));
    uint32_t *fields = block;
    to->field = fields;
    to->residuals = count;
    for (uint32_t i = 0; i < words; i++)
        for (uint64_t mask = all[i]; mask != 0; mask &= mask - 1)
            *fields++ = 64 * i + (uint32_t)__builtin_ctzll(mask);
    return KB_OK;
}

static kb_status read_forms(kb_cursor *cursor, kb_trail *trail) {
    kb_span span = cursor->body.form;
    void *block;
    size_t most = (size_t)(span.end - span.at) / 2; /* a template and a mask at least */
    uint32_t residuals = 0, claims = 0, whys = 0;
    KB_TRY(kb_arena_new(&cursor->arena, most * sizeof(form), &block, trail));
    cursor->forms = block;
    cursor->form_count = 0;
    KB_TRY(make_slots(cursor, most, trail));
    while (span.at < span.end) {
        uint64_t id;
        form *to = &cursor->forms[cursor->form_count];
        if (!kb_varint_get(&span, &id) || cursor->form_count == most)
            return kb_fail(trail, KB_E_CORRUPT, "a form that is cut");
        KB_TRY(activate(cursor, id, &to->active, trail));
        KB_TRY(list_residuals(cursor, to->active, &span, to, trail));
        const kb_template *key = &to->active->template->key;
        residuals = to->residuals > residuals ? to->residuals : residuals;
        claims = key->claim_count > claims ? key->claim_count : claims;
        whys = key->why_count > whys ? key->why_count : whys;
        cursor->form_count++;
    }
    KB_TRY(kb_arena_new(&cursor->arena, residuals * sizeof(uint64_t), &block, trail));
    cursor->before = block;
    KB_TRY(kb_arena_new(&cursor->arena, claims * sizeof(uint64_t), &block, trail));
    cursor->claimed = block;
    KB_TRY(kb_arena_new(&cursor->arena, whys * sizeof(kb_blame), &block, trail));
    cursor->blames = block;
    return KB_OK;
}

/* --- packets ------------------------------------------------------------------------------------------------ */

/* Takes a copy of the packet's body and makes ready for its first op. */
static kb_status open_body(kb_cursor *cursor, kb_span body, kb_trail *trail) {
    cursor->bytes.size = 0;
    KB_TRY(kb_buffer_append(&cursor->bytes, body.at, (size_t)(body.end - body.at), trail));
    body = (kb_span){cursor->bytes.bytes, cursor->bytes.bytes + cursor->bytes.size};
    KB_TRY(kb_ops_body_get(body, &cursor->body, trail));
    kb_arena_reset(&cursor->arena);
    cursor->payload_at = 0;
    KB_TRY(make_resumes(cursor, trail));
    KB_TRY(read_forms(cursor, trail));
    cursor->left = cursor->body.count;
    cursor->index = cursor->body.first;
    return KB_OK;
}

static kb_status load_packet(kb_cursor *cursor, const kb_span_of_ops *span, kb_trail *trail) {
    kb_reader *reader = cursor->reader;
    kb_input *input = cursor->place->input;
    kb_span body;
    KB_TRY(kb_input_templates(input, span->frame, &reader->defs, trail));
    KB_TRY(kb_reader_packet(reader, input, span->frame, cursor->rank, &body, trail));
    KB_TRY(open_body(cursor, body, trail));
    if (cursor->body.first != span->first || cursor->body.count != span->count)
        return kb_fail(trail, KB_E_CORRUPT,
                       "the index tells of ops %llu to %llu, the packet holds %u from %llu on",
                       (unsigned long long)span->first, (unsigned long long)(span->first + span->count - 1),
                       cursor->body.count, (unsigned long long)cursor->body.first);
    return KB_OK;
}

static kb_status where(const kb_cursor *cursor, kb_status status, kb_trail *trail) {
    const kb_input *input = cursor->place->input;
    const kb_span_of_ops *span = &cursor->reader->spans[cursor->place->first_span + cursor->span];
    return kb_while(trail, status, "reading op %llu of rank %u in frame %u of %s at byte %llu",
                    (unsigned long long)cursor->index, cursor->rank, span->frame, input->path,
                    (unsigned long long)input->places[span->frame].offset);
}

/* --- ops -------------------------------------------------------------------------------------------------------- */

/* Every field moves by its stride; those with a residual are set right. */
static inline bool advance(kb_cursor *cursor, const form *of) {
    active *to = of->active;
    uint64_t *restrict last = __builtin_assume_aligned(to->last, 16);
    uint64_t *restrict stride = __builtin_assume_aligned(to->stride, 16);
    uint64_t *restrict step = __builtin_assume_aligned(to->step, 16);
    for (uint32_t i = 0; i < of->residuals; i++)
        cursor->before[i] = step[of->field[i]];
    for (uint32_t i = 0; i < to->padded; i += GROUP)
        for (uint32_t j = i; j < i + GROUP; j++) {
            last[j] += stride[j];
            step[j] = stride[j];
        }
    for (uint32_t i = 0; i < of->residuals; i++) {
        uint32_t field = of->field[i];
        uint64_t packed, residual;
        if (!kb_varint_get(&cursor->body.columns[kb_field_class(&to->template->layout, field)], &packed))
            return false;
        residual = (uint64_t)kb_unzigzag(packed);
        last[field] += residual;
        step[field] = stride[field] + residual;
        if (step[field] == cursor->before[i])
            stride[field] = step[field];
    }
    return true;
}

static void fill_claims(kb_cursor *cursor, const active *from) {
    const kb_template *key = &from->template->key;
    const uint64_t *field = from->last + from->template->layout.first_claim;
    for (uint32_t i = 0; i < key->claim_count; i++)
        cursor->claimed[i] = key->claims[i].set == KB_SET_ONE ? cursor->index - *field++ : 0;
}

static void fill_blames(kb_cursor *cursor, const active *from) {
    const kb_template *key = &from->template->key;
    const uint64_t *field = from->last + from->template->layout.first_why;
    uint64_t left = (uint64_t)cursor->op.done_ps - (uint64_t)cursor->op.issue_ps;
    for (uint32_t i = 0; i < key->why_count; i++) {
        uint64_t ps = field[0] + (i + 1 == key->why_count ? left : 0);
        kb_blame *blame = &cursor->blames[i];
        *blame = (kb_blame){.ps = (int64_t)ps, .resource = (uint32_t)field[1] - 1};
        left -= ps;
        field += 2;
        if (key->whys[i].blames) {
            blame->rank = (uint32_t)field[0];
            blame->op = cursor->index - field[1];
            field += 2;
        }
    }
}

static kb_status take_payload(kb_cursor *cursor, uint64_t size, kb_trail *trail) {
    uint64_t have = (uint64_t)(cursor->body.payload.end - cursor->body.payload.at);
    if (size > KB_PAYLOAD_MAX || size > have - cursor->payload_at)
        return kb_fail(trail, KB_E_CORRUPT, "an op with %llu bytes, of which %llu are here",
                       (unsigned long long)size, (unsigned long long)(have - cursor->payload_at));
    cursor->op.payload_size = size;
    cursor->op.payload = size == 0 ? NULL : cursor->body.payload.at + cursor->payload_at;
    cursor->payload_at += size;
    return KB_OK;
}

static inline bool out_of_time(uint64_t ps) {
    return ps > (uint64_t)KB_TIME_MAX_PS;
}

static kb_status decode(kb_cursor *cursor, kb_trail *trail) {
    uint64_t number;
    if (!kb_varint_get(&cursor->body.op, &number) || number >= cursor->form_count)
        return kb_fail(trail, KB_E_CORRUPT, "an op of a form that the packet does not have");
    const form *of = &cursor->forms[number];
    active *from = cursor->current = of->active;
    if (!advance(cursor, of))
        return kb_fail(trail, KB_E_CORRUPT, "a column of residuals ends early");
    const uint64_t *field = from->last;
    kb_op *op = &cursor->op;
    uint64_t issue = (uint64_t)*from->resume + field[KB_FIX_GAP], start = issue + field[KB_FIX_START];
    uint64_t sent = start + field[KB_FIX_SENT], done = sent + field[KB_FIX_DONE];
    if (out_of_time(issue) || out_of_time(start) || out_of_time(sent) || out_of_time(done))
        return kb_fail(trail, KB_E_CORRUPT, "an op at %lld, %lld, %lld, %lld ps", (long long)issue,
                       (long long)start, (long long)sent, (long long)done);
    op->what = &from->template->key;
    op->index = cursor->index;
    op->issue_ps = (int64_t)issue;
    op->start_ps = (int64_t)start;
    op->sent_ps = (int64_t)sent;
    op->done_ps = (int64_t)done;
    op->step = field[KB_FIX_STEP];
    op->sequence = field[KB_FIX_SEQUENCE];
    op->id = field[KB_FIX_ID];
    op->tile = field[KB_FIX_TILE];
    op->collective = field[KB_FIX_COLLECTIVE];
    op->value = field[KB_FIX_VALUE];
    op->offsets = field + KB_FIX_COUNT;
    op->claimed = cursor->claimed;
    op->blames = cursor->blames;
    KB_TRY(take_payload(cursor, field[KB_FIX_PAYLOAD], trail));
    fill_claims(cursor, from);
    fill_blames(cursor, from);
    *from->resume = kb_op_resume_ps(op);
    return KB_OK;
}

/* What no op used is no part of a sound packet. */
static bool consumed(const kb_cursor *cursor) {
    const kb_ops_body *body = &cursor->body;
    bool all =
        body->op.at == body->op.end && (uint64_t)(body->payload.end - body->payload.at) == cursor->payload_at;
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        all = all && body->columns[i].at == body->columns[i].end;
    return all;
}

/* --- digests ---------------------------------------------------------------------------------------------------- */

static kb_status template_digest(kb_cursor *cursor, const kb_digest **ret_digest, kb_trail *trail) {
    kb_read_template *template = (kb_read_template *)(uintptr_t)cursor->current->template;
    if (!template->digested) {
        KB_TRY(kb_template_digest(&template->key, &cursor->reader->defs, &template->digest, trail));
        template->digested = true;
    }
    *ret_digest = &template->digest;
    return KB_OK;
}

static kb_status digest_op(kb_cursor *cursor, kb_trail *trail) {
    const kb_digest *what;
    KB_TRY(template_digest(cursor, &what, trail));
    return kb_rank_digester_add(&cursor->digester, what, &cursor->op, trail);
}

kb_status kb_cursor_decode_one(kb_cursor *cursor, kb_span body, kb_op *ret_op, kb_digest *ret_digest,
                               kb_trail *trail) {
    const kb_digest *what;
    KB_TRY(open_body(cursor, body, trail));
    KB_TRY(decode(cursor, trail));
    if (!consumed(cursor))
        return kb_fail(trail, KB_E_CORRUPT, "residuals are left after the amended op");
    KB_TRY(template_digest(cursor, &what, trail));
    *ret_digest = kb_op_digest(what, &cursor->op);
    *ret_op = cursor->op;
    return KB_OK;
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
    if (kb_digest_equal(&here.digest, &footer->digest) || footer->ops == 0)
        return KB_OK;
    return kb_fail(trail, KB_E_CORRUPT, "%s: the ops of rank %u have the digest %s, the footer says %s",
                   cursor->place->input->path, cursor->rank, kb_digest_text(&here.digest, found),
                   kb_digest_text(&footer->digest, said));
}

/* --- the cursor ------------------------------------------------------------------------------------------------- */

kb_status kb_cursor_create(kb_reader *reader, uint32_t rank, kb_cursor **ret_cursor, kb_trail *trail) {
    void *block;
    if (rank >= reader->run.ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "there is no rank %u: the run has %u", rank, reader->run.ranks);
    KB_TRY(kb_new_zeroed(reader->alloc, sizeof(kb_cursor), &block, trail));
    kb_cursor *cursor = block;
    cursor->reader = reader;
    cursor->rank = rank;
    cursor->place = &reader->ranks[rank];
    kb_buffer_init(&cursor->bytes, reader->alloc);
    kb_arena_init(&cursor->arena, reader->alloc, 0);
    kb_rank_digester_init(&cursor->digester, reader->alloc);
    cursor->digesting = reader->options.check_digests;
    *ret_cursor = cursor;
    return KB_OK;
}

void kb_cursor_destroy(kb_cursor *cursor) {
    if (cursor == NULL)
        return;
    kb_rank_digester_fini(&cursor->digester);
    kb_arena_fini(&cursor->arena);
    kb_buffer_fini(&cursor->bytes);
    kb_delete(cursor->reader->alloc, cursor, sizeof *cursor);
}

static kb_status next_packet(kb_cursor *cursor, kb_trail *trail) {
    const kb_span_of_ops *span = &cursor->reader->spans[cursor->place->first_span + cursor->span];
    kb_status status = load_packet(cursor, span, trail);
    if (status != KB_OK) {
        cursor->left = 0;
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
static const kb_op *amended(kb_cursor *cursor, uint64_t index) {
    const kb_rank_place *place = cursor->place;
    while (cursor->late_at < place->late_count && place->late[cursor->late_at].index < index)
        cursor->late_at++;
    if (cursor->late_at < place->late_count && place->late[cursor->late_at].index == index)
        return &place->late[cursor->late_at];
    return &cursor->op;
}

kb_status kb_cursor_next(kb_cursor *cursor, const kb_op **ret_op, kb_trail *trail) {
    if (cursor->left == 0) {
        if (cursor->span == cursor->place->span_count)
            return at_end(cursor, trail);
        KB_TRY(next_packet(cursor, trail));
    }
    kb_status status = decode(cursor, trail);
    if (status == KB_OK && cursor->digesting)
        status = digest_op(cursor, trail);
    if (status != KB_OK)
        return where(cursor, status, trail);
    if (--cursor->left == 0) {
        if (!consumed(cursor))
            return where(
                cursor, kb_fail(trail, KB_E_CORRUPT, "residuals or bytes are left after the last op"), trail);
        cursor->span++;
    }
    *ret_op = amended(cursor, cursor->index++);
    return KB_OK;
}

/* --- seeking ------------------------------------------------------------------------------------------------------ */

/* To the packet number `span`; ops before the wanted one are decoded and passed over. */
static kb_status go_to(kb_cursor *cursor, size_t span, kb_trail *trail) {
    cursor->digesting = false; /* it is no longer every op that is seen */
    cursor->span = span;
    cursor->left = 0;
    cursor->late_at = 0;
    if (span == cursor->place->span_count)
        return KB_OK;
    return next_packet(cursor, trail);
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
    KB_TRY(go_to(cursor, span, trail));
    const kb_op *op;
    while (cursor->left > 0 && cursor->index < index)
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
