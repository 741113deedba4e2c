/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into ops: see decode.h, and docs/trace-format.md for what the fields are. */
#include "read/decode.h"

#include <string.h>

/* Fields that make up an op's length, as bits of the first mask. */
#define TIME_BITS \
    (((uint64_t)1 << KB_FIX_START) | ((uint64_t)1 << KB_FIX_SENT) | ((uint64_t)1 << KB_FIX_DONE))

#define SCALAR_BITS ((((uint64_t)1 << KB_FIX_PAYLOAD) - 1) & ~(((uint64_t)1 << KB_FIX_STEP) - 1))

/* How a field moves: the step expected next, and the last one. */
typedef struct motion {
    uint64_t stride, step;
} motion;

/* A template in this packet: the state of its prediction, and its last op. */
struct kb_active {
    const kb_read_template *template;
    uint64_t *last;      /* the fields */
    uint64_t *moving;    /* masks of fields whose stride is not 0 */
    uint64_t *unsettled; /* masks of fields whose last step was not their stride */
    motion *motions;     /* of each field; seldom looked at */
    bool seen;           /* op's scalars and blames are those of `last` */
    int64_t *resume;
    kb_op op;
    uint64_t *claimed;
    kb_blame *blames;
    uint32_t rest;   /* the why-item that takes what the others leave */
    bool blames_ops; /* some why-item names an op, by its distance */
};

/* A form: a template and the fields that have residuals. */
struct kb_read_form {
    kb_active *active;
    uint32_t first_mask;     /* of layout.words */
    uint32_t first_residual; /* in the order of their fields */
    uint32_t residual_count;
    bool changes_whys;
};

/* A residual's field and its column, in one word: templates have fewer fields than 2^28. */
#define RESIDUAL(field, class) ((uint32_t)(field) | (uint32_t)(class) << 28)
#define RESIDUAL_FIELD(residual) ((residual)&0x0fffffffu)
#define RESIDUAL_CLASS(residual) ((residual) >> 28)

void kb_decoder_init(kb_decoder *decoder, const kb_alloc *alloc) {
    *decoder = (kb_decoder){.left = 0};
    kb_buffer_init(&decoder->bytes, alloc);
    kb_arena_init(&decoder->arena, alloc, 0);
}

void kb_decoder_fini(kb_decoder *decoder) {
    const kb_alloc *alloc = decoder->arena.alloc;
    kb_delete(alloc, decoder->forms, decoder->form_capacity * sizeof *decoder->forms);
    kb_delete(alloc, decoder->masks, decoder->mask_capacity * sizeof *decoder->masks);
    kb_delete(alloc, decoder->residuals, decoder->residual_capacity * sizeof *decoder->residuals);
    kb_delete(alloc, decoder->slots, decoder->slot_count * sizeof *decoder->slots);
    kb_delete(alloc, decoder->streams, decoder->slot_count * sizeof *decoder->streams);
    kb_buffer_fini(&decoder->bytes);
    kb_arena_fini(&decoder->arena);
}

/* --- templates in use ------------------------------------------------------------------------- */

/* Spreads consecutive numbers over a power of two. */
static size_t slot_of(uint64_t number, size_t slot_count) {
    return (size_t)(number * 0x9E3779B97F4A7C15u >> 20) & (slot_count - 1);
}

static kb_active **find_active(kb_active **slots, size_t slot_count, const kb_read_template *template) {
    size_t at = slot_of(template->id, slot_count);
    while (slots[at] != NULL && slots[at]->template != template)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static kb_resumes **find_stream(kb_resumes **streams, size_t slot_count, uint32_t stream) {
    size_t at = slot_of(stream, slot_count);
    while (streams[at] != NULL && streams[at]->stream != stream)
        at = (at + 1) & (slot_count - 1);
    return &streams[at];
}

/* Room for one more in both hashes. */
static kb_status grow_slots(kb_decoder *decoder, kb_trail *trail) {
    const kb_alloc *alloc = decoder->arena.alloc;
    size_t former = decoder->slot_count, wanted = former == 0 ? 16 : 2 * former;
    void *slots, *streams;
    if (2 * (decoder->active_count + 1) <= former)
        return KB_OK;
    KB_TRY(kb_new_zeroed(alloc, wanted * sizeof *decoder->slots, &slots, trail));
    kb_status status = kb_new_zeroed(alloc, wanted * sizeof *decoder->streams, &streams, trail);
    if (status != KB_OK) {
        kb_delete(alloc, slots, wanted * sizeof *decoder->slots);
        return status;
    }
    for (size_t i = 0; i < former; i++) {
        if (decoder->slots[i] != NULL)
            *find_active(slots, wanted, decoder->slots[i]->template) = decoder->slots[i];
        if (decoder->streams[i] != NULL)
            *find_stream(streams, wanted, decoder->streams[i]->stream) = decoder->streams[i];
    }
    kb_delete(alloc, decoder->slots, former * sizeof *decoder->slots);
    kb_delete(alloc, decoder->streams, former * sizeof *decoder->streams);
    decoder->slots = slots;
    decoder->streams = streams;
    decoder->slot_count = wanted;
    return KB_OK;
}

/* Every stream begins where the packet does. */
static kb_status resume_of(kb_decoder *decoder, uint32_t stream, int64_t **ret_ps, kb_trail *trail) {
    kb_resumes **found = find_stream(decoder->streams, decoder->slot_count, stream);
    if (*found == NULL) {
        void *block;
        KB_TRY(kb_arena_new(&decoder->arena, sizeof(kb_resumes), &block, trail));
        *found = block;
        **found = (kb_resumes){stream, (int64_t)decoder->body.base_ps};
    }
    *ret_ps = &(*found)->ps;
    return KB_OK;
}

static kb_status make_state(kb_decoder *decoder, kb_active *active, kb_trail *trail) {
    const kb_template *key = &active->template->key;
    size_t fields = active->template->layout.count, words = active->template->layout.words;
    void *state, *motions, *claimed, *blames;
    KB_TRY(kb_arena_new(&decoder->arena, (fields + 2 * words) * sizeof(uint64_t), &state, trail));
    KB_TRY(kb_arena_new(&decoder->arena, fields * sizeof(motion), &motions, trail));
    KB_TRY(kb_arena_new(&decoder->arena, key->claim_count * sizeof(uint64_t), &claimed, trail));
    KB_TRY(kb_arena_new(&decoder->arena, key->why_count * sizeof(kb_blame), &blames, trail));
    active->last = state;
    active->moving = active->last + fields;
    active->unsettled = active->moving + words;
    active->motions = motions;
    active->claimed = claimed;
    active->blames = blames;
    memcpy(active->last, active->template->nominal, fields * sizeof(uint64_t));
    active->rest = kb_template_rest(key);
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
    KB_TRY(resume_of(decoder, stream, &active->resume, trail));
    KB_TRY(make_state(decoder, active, trail));
    *ret_active = active;
    return KB_OK;
}

static kb_status activate(kb_decoder *decoder, uint64_t id, kb_active **ret_active, kb_trail *trail) {
    if (id >= decoder->scope.template_count)
        return kb_fail(trail, KB_E_CORRUPT, "ops of template %llu, but %zu are known", (unsigned long long)id,
                       decoder->scope.template_count);
    const kb_read_template *template = decoder->scope.templates[id];
    KB_TRY(grow_slots(decoder, trail));
    kb_active **slot = find_active(decoder->slots, decoder->slot_count, template);
    if (*slot == NULL) {
        KB_TRY(make_active(decoder, template, slot, trail));
        decoder->active_count++;
    }
    *ret_active = *slot;
    return KB_OK;
}

/* --- forms ------------------------------------------------------------------------------------ */

static kb_status read_masks(kb_decoder *decoder, kb_span *span, kb_read_form *form, kb_trail *trail) {
    const kb_layout *layout = &form->active->template->layout;
    void *masks = decoder->masks;
    KB_TRY(kb_grow(decoder->arena.alloc, sizeof *decoder->masks, decoder->mask_count + layout->words,
                   &decoder->mask_capacity, &masks, trail));
    decoder->masks = masks;
    form->first_mask = (uint32_t)decoder->mask_count;
    for (uint32_t i = 0; i < layout->words; i++) {
        uint64_t *mask = &decoder->masks[decoder->mask_count++];
        if (!kb_varint_get(span, mask))
            return kb_fail(trail, KB_E_CORRUPT, "a form whose masks are cut");
        form->residual_count += (uint32_t)__builtin_popcountll(*mask);
    }
    if (layout->count % 64 != 0 && decoder->masks[decoder->mask_count - 1] >> (layout->count % 64) != 0)
        return kb_fail(trail, KB_E_CORRUPT, "a form with residuals of fields beyond its %u", layout->count);
    return KB_OK;
}

static kb_status list_residuals(kb_decoder *decoder, kb_read_form *form, kb_trail *trail) {
    const kb_layout *layout = &form->active->template->layout;
    void *residuals = decoder->residuals;
    KB_TRY(kb_grow(decoder->arena.alloc, sizeof *decoder->residuals,
                   decoder->residual_count + form->residual_count, &decoder->residual_capacity, &residuals,
                   trail));
    decoder->residuals = residuals;
    form->first_residual = (uint32_t)decoder->residual_count;
    for (uint32_t i = 0; i < layout->words; i++)
        for (uint64_t mask = decoder->masks[form->first_mask + i]; mask != 0; mask &= mask - 1) {
            uint32_t field = 64 * i + (uint32_t)__builtin_ctzll(mask);
            form->changes_whys |= field >= layout->first_why;
            decoder->residuals[decoder->residual_count++] = RESIDUAL(field, kb_field_class(layout, field));
        }
    return KB_OK;
}

static kb_status read_forms(kb_decoder *decoder, kb_trail *trail) {
    kb_span span = decoder->body.form;
    while (span.at < span.end) {
        uint64_t id;
        void *forms = decoder->forms;
        if (!kb_varint_get(&span, &id))
            return kb_fail(trail, KB_E_CORRUPT, "a form that is cut");
        KB_TRY(kb_grow(decoder->arena.alloc, sizeof *decoder->forms, decoder->form_count + 1,
                       &decoder->form_capacity, &forms, trail));
        decoder->forms = forms;
        kb_read_form *form = &decoder->forms[decoder->form_count];
        *form = (kb_read_form){.active = NULL};
        KB_TRY(activate(decoder, id, &form->active, trail));
        KB_TRY(read_masks(decoder, &span, form, trail));
        KB_TRY(list_residuals(decoder, form, trail));
        decoder->form_count++;
    }
    return KB_OK;
}

/* Forgets the packet before. */
static void forget(kb_decoder *decoder) {
    decoder->left = 0;
    decoder->current = NULL;
    decoder->payload_at = 0;
    decoder->bytes.size = 0;
    decoder->form_count = decoder->mask_count = decoder->residual_count = decoder->active_count = 0;
    if (decoder->slot_count > 0) {
        memset(decoder->slots, 0, decoder->slot_count * sizeof *decoder->slots);
        memset(decoder->streams, 0, decoder->slot_count * sizeof *decoder->streams);
    }
    kb_arena_reset(&decoder->arena);
}

/* A copy in as much memory as it takes: there is one for each rank. */
static kb_status keep_body(kb_decoder *decoder, kb_span body, kb_trail *trail) {
    size_t size = (size_t)(body.end - body.at);
    if (size > decoder->bytes.capacity) {
        void *block = decoder->bytes.bytes;
        KB_TRY(kb_resize(decoder->bytes.alloc, decoder->bytes.capacity, size, &block, trail));
        decoder->bytes.bytes = block;
        decoder->bytes.capacity = size;
    }
    return kb_buffer_append(&decoder->bytes, body.at, size, trail);
}

kb_status kb_decoder_open(kb_decoder *decoder, kb_span body, const kb_decode_scope *scope, kb_trail *trail) {
    decoder->scope = *scope;
    forget(decoder);
    KB_TRY(keep_body(decoder, body, trail));
    body = (kb_span){decoder->bytes.bytes, decoder->bytes.bytes + decoder->bytes.size};
    KB_TRY(kb_ops_body_get(body, &decoder->body, trail));
    KB_TRY(read_forms(decoder, trail));
    decoder->left = decoder->body.count;
    decoder->index = decoder->body.first;
    return KB_OK;
}

/* --- ops -------------------------------------------------------------------------------------- */

/* Fields that were predicted move by their strides; the others' memory is not touched. */
static inline void move_predicted(kb_active *to, const uint64_t *masks) {
    for (uint32_t i = 0; i < to->template->layout.words; i++) {
        uint64_t predicted = ~masks[i];
        for (uint64_t mask = to->moving[i] & predicted; mask != 0; mask &= mask - 1) {
            uint32_t field = 64 * i + (uint32_t)__builtin_ctzll(mask);
            to->last[field] += to->motions[field].stride;
        }
        for (uint64_t mask = to->unsettled[i] & predicted; mask != 0; mask &= mask - 1) {
            motion *of = &to->motions[64 * i + (uint32_t)__builtin_ctzll(mask)];
            of->step = of->stride;
        }
        to->unsettled[i] &= masks[i];
    }
}

/* The rule of prediction: a step that was seen twice running is the new stride. */
static inline bool take_residuals(kb_decoder *decoder, kb_active *to, const kb_read_form *form) {
    for (uint32_t i = 0; i < form->residual_count; i++) {
        uint32_t residual = decoder->residuals[form->first_residual + i];
        uint32_t field = RESIDUAL_FIELD(residual), word = field / 64;
        uint64_t packed, bit = (uint64_t)1 << (field % 64);
        motion *of = &to->motions[field];
        if (!kb_varint_get(&decoder->body.columns[RESIDUAL_CLASS(residual)], &packed))
            return false;
        uint64_t step = of->stride + (uint64_t)kb_unzigzag(packed);
        to->last[field] += step;
        if (step == of->step) {
            of->stride = step;
            to->moving[word] = step != 0 ? to->moving[word] | bit : to->moving[word] & ~bit;
        }
        to->unsettled[word] = step != of->stride ? to->unsettled[word] | bit : to->unsettled[word] & ~bit;
        of->step = step;
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

/* False where a rank is blamed that the run does not have. */
static bool set_blames(kb_active *from, uint32_t ranks) {
    bool sound = true;
    const kb_template *key = from->op.what;
    const uint64_t *field = from->last + from->template->layout.first_why;
    uint64_t left = (uint64_t)from->op.done_ps - (uint64_t)from->op.issue_ps;
    for (uint32_t i = 0; i < key->why_count; i++) {
        kb_blame *blame = &from->blames[i];
        *blame = (kb_blame){.ps = (int64_t)field[0], .resource = (uint32_t)field[1] - 1};
        left -= i == from->rest ? 0 : field[0];
        field += 2;
        if (key->whys[i].blames) {
            sound = sound && field[0] < ranks;
            blame->rank = (uint32_t)field[0];
            blame->op = from->op.index - field[1];
            field += 2;
        }
    }
    from->blames[from->rest].ps = (int64_t)((uint64_t)from->blames[from->rest].ps + left);
    return sound;
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
static inline bool whys_change(const kb_active *from, const kb_read_form *form, uint64_t changed) {
    const kb_layout *layout = &from->template->layout;
    if (form->changes_whys || from->blames_ops || (changed & TIME_BITS) != 0)
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
    const uint64_t *masks = decoder->masks + form->first_mask;
    uint64_t changed = masks[0] | from->moving[0];
    bool whys = from->op.what->why_count > 0 && (!from->seen || whys_change(from, form, changed));
    move_predicted(from, masks);
    if (!take_residuals(decoder, from, form))
        return kb_fail(trail, KB_E_CORRUPT, "a column of residuals ends early");
    if (!set_times(from))
        return kb_fail(trail, KB_E_CORRUPT, "an op at %lld, %lld, %lld, %lld ps",
                       (long long)from->op.issue_ps, (long long)from->op.start_ps,
                       (long long)from->op.sent_ps, (long long)from->op.done_ps);
    from->op.index = decoder->index++;
    if (!from->seen || (changed & SCALAR_BITS) != 0)
        set_scalars(from);
    if (from->last[KB_FIX_PAYLOAD] != 0 || from->op.payload_size != 0)
        KB_TRY(take_payload(decoder, from, from->last[KB_FIX_PAYLOAD], trail));
    set_claims(from);
    if (whys && !set_blames(from, decoder->scope.ranks))
        return kb_fail(trail, KB_E_CORRUPT, "an op blames one of a rank that the run does not have");
    from->seen = true;
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
