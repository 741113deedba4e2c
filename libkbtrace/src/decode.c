/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into ops: see decode.h, and docs/trace-format.md for what the fields are. */
#include "decode.h"

#include <string.h>

#include "packet.h"

/* Fields that make up an op's length, as bits of the first mask. */
#define TIME_BITS \
    (((uint64_t)1 << KB_FIX_START) | ((uint64_t)1 << KB_FIX_SENT) | ((uint64_t)1 << KB_FIX_DONE))

/* Fields move in groups of so many, without a branch for each. */
enum { GROUP = 4 };

/* A template in this packet: the state of its prediction, and its last op. */
struct kb_active {
    const kb_read_template *template;
    uint64_t *last, *stride; /* a field's value, and the step expected next; padded to groups */
    uint64_t *step, *stamp;  /* the last step of a field that was mispredicted, and in which op */
    uint64_t *moving;        /* masks of fields whose stride is not 0 */
    uint64_t ops;            /* of this template in this packet */
    uint32_t padded;
    int64_t *resume;
    kb_op op;
    uint64_t *claimed;
    kb_blame *blames;
    bool blames_ops; /* some why-item names an op, by its distance */
    bool seen;       /* op's scalars and blames are those of `last` */
};

typedef struct residual {
    uint32_t field;
    uint32_t class;
} residual;

/* A form: a template and the fields that have residuals, as masks and in order. */
struct kb_read_form {
    kb_active *active;
    const uint64_t *masks;
    const residual *residuals;
    uint32_t residual_count;
    bool changes_whys;
};

void kb_decoder_init(kb_decoder *decoder, const kb_alloc *alloc) {
    *decoder = (kb_decoder){.left = 0};
    kb_buffer_init(&decoder->bytes, alloc);
    kb_arena_init(&decoder->arena, alloc, 0);
}

void kb_decoder_fini(kb_decoder *decoder) {
    kb_buffer_fini(&decoder->bytes);
    kb_arena_fini(&decoder->arena);
}

/* --- templates in use ------------------------------------------------------------------------- */

/* Spreads consecutive numbers over a power of two. */
static size_t slot_of(uint64_t number, size_t slot_count) {
    return (size_t)(number * 0x9E3779B97F4A7C15u >> 20) & (slot_count - 1);
}

/* Every stream of the rank begins where the packet does. */
static int64_t *resume_of(kb_decoder *decoder, uint32_t stream) {
    size_t at = slot_of(stream, decoder->slot_count);
    while (decoder->resumes[at].used && decoder->resumes[at].stream != stream)
        at = (at + 1) & (decoder->slot_count - 1);
    if (!decoder->resumes[at].used)
        decoder->resumes[at] = (kb_resumes){true, stream, (int64_t)decoder->body.base_ps};
    return &decoder->resumes[at].ps;
}

/* Room for every template that the packet's forms could name, at most half full. */
static kb_status make_slots(kb_decoder *decoder, size_t forms, kb_trail *trail) {
    size_t templates = decoder->scope.template_count, most = forms < templates ? forms : templates;
    void *block;
    decoder->slot_count = 4;
    while (decoder->slot_count < 2 * most)
        decoder->slot_count *= 2;
    KB_TRY(kb_arena_new(&decoder->arena, decoder->slot_count * sizeof(kb_active *), &block, trail));
    decoder->slots = block;
    KB_TRY(kb_arena_new(&decoder->arena, decoder->slot_count * sizeof(kb_resumes), &block, trail));
    decoder->resumes = block;
    return KB_OK;
}

static kb_status make_state(kb_decoder *decoder, kb_active *active, kb_trail *trail) {
    const kb_template *key = &active->template->key;
    size_t fields = active->template->layout.count, words = active->template->layout.words;
    size_t padded = (fields + GROUP - 1) / GROUP * GROUP;
    void *state, *claimed, *blames;
    KB_TRY(kb_arena_new(&decoder->arena, (4 * padded + words) * sizeof(uint64_t), &state, trail));
    KB_TRY(kb_arena_new(&decoder->arena, key->claim_count * sizeof(uint64_t), &claimed, trail));
    KB_TRY(kb_arena_new(&decoder->arena, key->why_count * sizeof(kb_blame), &blames, trail));
    active->padded = (uint32_t)padded;
    active->last = state;
    active->stride = active->last + padded;
    active->step = active->stride + padded;
    active->stamp = active->step + padded;
    active->moving = active->stamp + padded;
    active->claimed = claimed;
    active->blames = blames;
    memcpy(active->last, active->template->nominal, fields * sizeof(uint64_t));
    for (uint32_t i = 0; i < key->why_count; i++)
        active->blames_ops |= key->whys[i].blames != 0;
    active->op = (kb_op){
        .what = key, .offsets = active->last + KB_FIX_COUNT, .claimed = claimed, .blames = active->blames};
    return KB_OK;
}

static kb_status make_active(kb_decoder *decoder, const kb_read_template *template, kb_active **ret_active,
                             kb_trail *trail) {
    const kb_decode_scope *scope = &decoder->scope;
    uint32_t stream = template->key.stream;
    void *block;
    if (scope->defs->streams[stream].rank != scope->rank)
        return kb_fail(trail, KB_E_CORRUPT, "an op of rank %u is of stream %u, which is rank %u's",
                       scope->rank, stream, scope->defs->streams[stream].rank);
    KB_TRY(kb_arena_new(&decoder->arena, sizeof(kb_active), &block, trail));
    kb_active *active = block;
    active->template = template;
    active->resume = resume_of(decoder, stream);
    KB_TRY(make_state(decoder, active, trail));
    *ret_active = active;
    return KB_OK;
}

static kb_status activate(kb_decoder *decoder, uint64_t id, kb_active **ret_active, kb_trail *trail) {
    if (id >= decoder->scope.template_count)
        return kb_fail(trail, KB_E_CORRUPT, "ops of template %llu, but %zu are known", (unsigned long long)id,
                       decoder->scope.template_count);
    const kb_read_template *template = decoder->scope.templates[id];
    size_t at = slot_of(id, decoder->slot_count);
    while (decoder->slots[at] != NULL && decoder->slots[at]->template != template)
        at = (at + 1) & (decoder->slot_count - 1);
    if (decoder->slots[at] == NULL)
        KB_TRY(make_active(decoder, template, &decoder->slots[at], trail));
    *ret_active = decoder->slots[at];
    return KB_OK;
}

/* --- forms ------------------------------------------------------------------------------------ */

static kb_status read_masks(kb_decoder *decoder, kb_span *span, kb_read_form *form, kb_trail *trail) {
    const kb_layout *layout = &form->active->template->layout;
    void *block;
    KB_TRY(kb_arena_new(&decoder->arena, layout->words * sizeof(uint64_t), &block, trail));
    uint64_t *masks = block;
    for (uint32_t i = 0; i < layout->words; i++) {
        if (!kb_varint_get(span, &masks[i]))
            return kb_fail(trail, KB_E_CORRUPT, "a form whose masks are cut");
        form->residual_count += (uint32_t)__builtin_popcountll(masks[i]);
    }
    if (layout->count % 64 != 0 && masks[layout->words - 1] >> (layout->count % 64) != 0)
        return kb_fail(trail, KB_E_CORRUPT, "a form with residuals of fields beyond its %u", layout->count);
    form->masks = masks;
    return KB_OK;
}

static kb_status list_residuals(kb_decoder *decoder, kb_read_form *form, kb_trail *trail) {
    const kb_layout *layout = &form->active->template->layout;
    void *block;
    KB_TRY(kb_arena_new(&decoder->arena, form->residual_count * sizeof(residual), &block, trail));
    residual *to = block;
    form->residuals = to;
    for (uint32_t i = 0; i < layout->words; i++)
        for (uint64_t mask = form->masks[i]; mask != 0; mask &= mask - 1) {
            uint32_t field = 64 * i + (uint32_t)__builtin_ctzll(mask);
            form->changes_whys |= field >= layout->first_why;
            *to++ = (residual){field, kb_field_class(layout, field)};
        }
    return KB_OK;
}

static kb_status read_forms(kb_decoder *decoder, kb_trail *trail) {
    kb_span span = decoder->body.form;
    size_t most = (size_t)(span.end - span.at) / 2; /* a template and a mask take a byte each at least */
    void *block;
    KB_TRY(kb_arena_new(&decoder->arena, most * sizeof(kb_read_form), &block, trail));
    decoder->forms = block;
    decoder->form_count = 0;
    KB_TRY(make_slots(decoder, most, trail));
    while (span.at < span.end) {
        uint64_t id;
        kb_read_form *form = &decoder->forms[decoder->form_count];
        if (!kb_varint_get(&span, &id) || decoder->form_count == most)
            return kb_fail(trail, KB_E_CORRUPT, "a form that is cut");
        KB_TRY(activate(decoder, id, &form->active, trail));
        KB_TRY(read_masks(decoder, &span, form, trail));
        KB_TRY(list_residuals(decoder, form, trail));
        decoder->form_count++;
    }
    return KB_OK;
}

kb_status kb_decoder_open(kb_decoder *decoder, kb_span body, const kb_decode_scope *scope, kb_trail *trail) {
    decoder->scope = *scope;
    decoder->left = 0;
    decoder->current = NULL;
    decoder->payload_at = 0;
    decoder->bytes.size = 0;
    kb_arena_reset(&decoder->arena);
    KB_TRY(kb_buffer_append(&decoder->bytes, body.at, (size_t)(body.end - body.at), trail));
    body = (kb_span){decoder->bytes.bytes, decoder->bytes.bytes + decoder->bytes.size};
    KB_TRY(kb_ops_body_get(body, &decoder->body, trail));
    KB_TRY(read_forms(decoder, trail));
    decoder->left = decoder->body.count;
    decoder->index = decoder->body.first;
    return KB_OK;
}

/* --- ops -------------------------------------------------------------------------------------- */

/* Every field moves by its stride; most strides are 0. */
static inline void move_all(kb_active *to) {
    uint64_t *restrict last = to->last;
    const uint64_t *restrict stride = to->stride;
    for (uint32_t i = 0; i < to->padded; i += GROUP)
        for (uint32_t j = i; j < i + GROUP; j++)
            last[j] += stride[j];
}

/*
 * The rule of prediction: a step that was seen twice running is the new stride. A field that was
 * predicted in the op before made a step of its stride then, which nobody had to write down.
 */
static inline bool take_residuals(kb_decoder *decoder, kb_active *to, const kb_read_form *form) {
    uint64_t now = ++to->ops;
    for (uint32_t i = 0; i < form->residual_count; i++) {
        uint32_t field = form->residuals[i].field;
        uint64_t packed, bit = (uint64_t)1 << (field % 64), *moving = &to->moving[field / 64];
        if (!kb_varint_get(&decoder->body.columns[form->residuals[i].class], &packed))
            return false;
        uint64_t residual = (uint64_t)kb_unzigzag(packed), step = to->stride[field] + residual;
        uint64_t before = to->stamp[field] + 1 == now ? to->step[field] : to->stride[field];
        to->last[field] += residual;
        if (now == 1)
            before = 0; /* before its first op a field has made no step */
        if (step == before)
            to->stride[field] = step;
        *moving = to->stride[field] != 0 ? *moving | bit : *moving & ~bit;
        to->step[field] = step;
        to->stamp[field] = now;
    }
    return true;
}

static inline bool set_times(kb_active *from) {
    const uint64_t *field = from->last, most = (uint64_t)KB_TIME_MAX_PS;
    uint64_t issue = (uint64_t)*from->resume + field[KB_FIX_GAP], start = issue + field[KB_FIX_START];
    uint64_t sent = start + field[KB_FIX_SENT], done = sent + field[KB_FIX_DONE];
    from->op.issue_ps = (int64_t)issue;
    from->op.start_ps = (int64_t)start;
    from->op.sent_ps = (int64_t)sent;
    from->op.done_ps = (int64_t)done;
    return issue <= most && start <= most && sent <= most && done <= most;
}

static inline void set_scalars(kb_active *from) {
    const uint64_t *field = from->last;
    from->op.step = field[KB_FIX_STEP];
    from->op.sequence = field[KB_FIX_SEQUENCE];
    from->op.id = field[KB_FIX_ID];
    from->op.tile = field[KB_FIX_TILE];
    from->op.collective = field[KB_FIX_COLLECTIVE];
    from->op.value = field[KB_FIX_VALUE];
}

static inline void set_claims(kb_active *from) {
    const kb_template *key = from->op.what;
    const uint64_t *field = from->last + from->template->layout.first_claim;
    for (uint32_t i = 0; i < key->claim_count; i++)
        from->claimed[i] = key->claims[i].set == KB_SET_ONE ? from->op.index - *field++ : 0;
}

static void set_blames(kb_active *from) {
    const kb_template *key = from->op.what;
    const uint64_t *field = from->last + from->template->layout.first_why;
    uint64_t left = (uint64_t)from->op.done_ps - (uint64_t)from->op.issue_ps;
    for (uint32_t i = 0; i < key->why_count; i++) {
        uint64_t ps = field[0] + (i + 1 == key->why_count ? left : 0);
        kb_blame *blame = &from->blames[i];
        *blame = (kb_blame){.ps = (int64_t)ps, .resource = (uint32_t)field[1] - 1};
        left -= ps;
        field += 2;
        if (key->whys[i].blames) {
            blame->rank = (uint32_t)field[0];
            blame->op = from->op.index - field[1];
            field += 2;
        }
    }
}

static kb_status take_payload(kb_decoder *decoder, kb_active *from, uint64_t size, kb_trail *trail) {
    uint64_t left = (uint64_t)(decoder->body.payload.end - decoder->body.payload.at) - decoder->payload_at;
    if (size > KB_PAYLOAD_MAX || size > left)
        return kb_fail(trail, KB_E_CORRUPT, "an op with %llu bytes, of which %llu are here",
                       (unsigned long long)size, (unsigned long long)left);
    from->op.payload_size = size;
    from->op.payload = size == 0 ? NULL : decoder->body.payload.at + decoder->payload_at;
    decoder->payload_at += size;
    return KB_OK;
}

/* What no op used is no part of a sound packet. */
static bool consumed(const kb_decoder *decoder) {
    const kb_ops_body *body = &decoder->body;
    bool all = body->op.at == body->op.end &&
               (uint64_t)(body->payload.end - body->payload.at) == decoder->payload_at;
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        all = all && body->columns[i].at == body->columns[i].end;
    return all;
}

/* Whether a why-item of a template that was seen before is another now. */
static inline bool whys_change(const kb_active *from, const kb_read_form *form) {
    const kb_layout *layout = &from->template->layout;
    if (form->changes_whys || from->blames_ops || ((form->masks[0] | from->moving[0]) & TIME_BITS) != 0)
        return true;
    for (uint32_t i = layout->first_why / 64; i < layout->words; i++) {
        uint64_t below = i == layout->first_why / 64 ? ((uint64_t)1 << (layout->first_why % 64)) - 1 : 0;
        if ((from->moving[i] & ~below) != 0)
            return true;
    }
    return false;
}

kb_status kb_decoder_next(kb_decoder *decoder, const kb_op **ret_op, kb_trail *trail) {
    uint64_t number;
    if (!kb_varint_get(&decoder->body.op, &number) || number >= decoder->form_count)
        return kb_fail(trail, KB_E_CORRUPT, "an op of a form that the packet does not have");
    const kb_read_form *form = &decoder->forms[number];
    kb_active *from = decoder->current = form->active;
    bool whys = from->op.what->why_count > 0 && (from->ops == 0 || whys_change(from, form));
    move_all(from);
    if (!take_residuals(decoder, from, form))
        return kb_fail(trail, KB_E_CORRUPT, "a column of residuals ends early");
    if (!set_times(from))
        return kb_fail(trail, KB_E_CORRUPT, "an op at %lld, %lld, %lld, %lld ps",
                       (long long)from->op.issue_ps, (long long)from->op.start_ps,
                       (long long)from->op.sent_ps, (long long)from->op.done_ps);
    from->op.index = decoder->index++;
    set_scalars(from);
    if (from->last[KB_FIX_PAYLOAD] != 0 || from->op.payload_size != 0)
        KB_TRY(take_payload(decoder, from, from->last[KB_FIX_PAYLOAD], trail));
    set_claims(from);
    if (whys)
        set_blames(from);
    *from->resume = kb_op_resume_ps(&from->op);
    if (--decoder->left == 0 && !consumed(decoder))
        return kb_fail(trail, KB_E_CORRUPT, "residuals or bytes are left after the packet's last op");
    *ret_op = &from->op;
    return KB_OK;
}

kb_status kb_decoder_template_digest(kb_decoder *decoder, const kb_digest **ret_digest, kb_trail *trail) {
    /* Templates are the input's; a digest is made once, when it is first wanted. */
    kb_read_template *template = (kb_read_template *)(uintptr_t)decoder->current->template;
    if (!template->digested) {
        KB_TRY(kb_template_digest(&template->key, decoder->scope.defs, &template->digest, trail));
        template->digested = true;
    }
    *ret_digest = &template->digest;
    return KB_OK;
}
