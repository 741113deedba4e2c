/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: their layout, equality, copies and canonical bytes. See template.h. */
#include "words/template.h"

#include <string.h>
#include <xxhash.h>

#include "wire/wire.h"
#include "words/digest.h"

/* Everything before the pointers is compared and hashed as one run of bytes. */
#define HEAD_SIZE offsetof(kb_template, operands)
_Static_assert(HEAD_SIZE == 64, "the head of a template has no padding");
_Static_assert(sizeof(kb_operand) == 72 && sizeof(kb_claim) == 8 && sizeof(kb_why) == 4,
               "nor have its parts");

kb_layout kb_template_layout(const kb_template *what) {
    kb_layout layout = {.first_offset = KB_FIX_COUNT};
    layout.first_claim = layout.first_offset + what->operand_count;
    layout.first_why = layout.first_claim;
    for (uint32_t i = 0; i < what->claim_count; i++)
        layout.first_why += what->claims[i].set == KB_SET_ONE;
    layout.count = layout.first_why;
    for (uint32_t i = 0; i < what->why_count; i++)
        layout.count += what->whys[i].blames ? 4 : 2;
    layout.words = (layout.count + 63) / 64;
    return layout;
}

uint32_t kb_template_rest(const kb_template *what) {
    for (uint32_t i = 0; i < what->why_count; i++)
        if (what->whys[i].blames)
            return i;
    return what->why_count == 0 ? 0 : what->why_count - 1;
}

int64_t kb_op_resume_ps(const kb_op *op) {
    if (op->what->blocks == KB_BLOCKS_DONE)
        return op->done_ps;
    return op->what->blocks == KB_BLOCKS_SENT ? op->sent_ps : op->issue_ps;
}

static kb_status check_operand(const kb_template *what, uint32_t i, kb_trail *trail) {
    const kb_operand *operand = &what->operands[i];
    if (operand->dims > KB_DIMS_MAX || operand->access < KB_ACCESS_READ ||
        operand->access > KB_ACCESS_UPDATE || kb_dtype_size(operand->dtype) == 0 || operand->zero != 0)
        return kb_fail(trail, KB_E_CORRUPT,
                       "operand %u of a template has no sense (access %u, dtype %u, dims %u)", i,
                       operand->access, operand->dtype, operand->dims);
    for (uint32_t d = operand->dims; d < KB_DIMS_MAX; d++)
        if (operand->shape[d] != 0 || operand->stride[d] != 0)
            return kb_fail(trail, KB_E_CORRUPT, "operand %u of a template has extents beyond its %u axes", i,
                           operand->dims);
    return KB_OK;
}

kb_status kb_template_check(const kb_template *what, kb_trail *trail) {
    if (what->kind == 0 || what->blocks < KB_BLOCKS_NO || what->blocks > KB_BLOCKS_DONE ||
        what->reached < KB_POINT_ISSUE || what->reached > KB_POINT_DONE)
        return kb_fail(trail, KB_E_CORRUPT, "a template has no sense (kind %u, blocks %u, reached %u)",
                       what->kind, what->blocks, what->reached);
    if (what->operand_count > KB_OPERANDS_MAX || what->claim_count > KB_CLAIMS_MAX ||
        what->why_count > KB_WHYS_MAX || what->immediate_count > KB_OPERANDS_MAX)
        return kb_fail(
            trail, KB_E_CORRUPT,
            "a template has %u operands, %u claims, %u why-items, %u immediates; at most %u, %u, %u, %u",
            what->operand_count, what->claim_count, what->why_count, what->immediate_count, KB_OPERANDS_MAX,
            KB_CLAIMS_MAX, KB_WHYS_MAX, KB_OPERANDS_MAX);
    for (uint32_t i = 0; i < what->operand_count; i++)
        KB_TRY(check_operand(what, i, trail));
    for (uint32_t i = 0; i < what->claim_count; i++) {
        const kb_claim *claim = &what->claims[i];
        if (claim->set < KB_SET_ONE || claim->set > KB_SET_COMPOSITE || claim->role == 0 ||
            claim->role > KB_ROLE_COMPLETION || claim->zero != 0 || claim->point < KB_POINT_ISSUE ||
            claim->point > KB_POINT_DONE)
            return kb_fail(trail, KB_E_CORRUPT,
                           "claim %u of a template has no sense (set %u, role %u, point %u)", i, claim->set,
                           claim->role, claim->point);
    }
    for (uint32_t i = 0; i < what->why_count; i++)
        if (what->whys[i].blames > 1)
            return kb_fail(trail, KB_E_CORRUPT, "why-item %u of a template blames %u ops", i,
                           what->whys[i].blames);
    return KB_OK;
}

/* A few words each, and every op that is written comes through here: so no call for each piece. */
static inline bool same(const void *a, const void *b, size_t size) {
    const uint8_t *at = a, *beside = b;
    uint64_t differ = 0, x, y;
    for (; size >= sizeof x; size -= sizeof x, at += sizeof x, beside += sizeof x) {
        memcpy(&x, at, sizeof x);
        memcpy(&y, beside, sizeof y);
        differ |= x ^ y;
    }
    return differ == 0 && (size == 0 || memcmp(at, beside, size) == 0);
}

bool kb_template_equal(const kb_template *a, const kb_template *b) {
    return same(a, b, HEAD_SIZE) && same(a->operands, b->operands, a->operand_count * sizeof *a->operands) &&
           same(a->claims, b->claims, a->claim_count * sizeof *a->claims) &&
           same(a->whys, b->whys, a->why_count * sizeof *a->whys) &&
           same(a->immediates, b->immediates, a->immediate_count * sizeof *a->immediates);
}

uint64_t kb_template_hash(const kb_template *what) {
    uint64_t hash = XXH3_64bits(what, HEAD_SIZE);
    hash = XXH3_64bits_withSeed(what->operands, what->operand_count * sizeof *what->operands, hash);
    hash = XXH3_64bits_withSeed(what->claims, what->claim_count * sizeof *what->claims, hash);
    hash = XXH3_64bits_withSeed(what->whys, what->why_count * sizeof *what->whys, hash);
    return XXH3_64bits_withSeed(what->immediates, what->immediate_count * sizeof *what->immediates, hash);
}

kb_status kb_template_copy(const kb_template *what, kb_arena *arena, kb_template *ret_copy, kb_trail *trail) {
    void *operands, *claims, *whys, *immediates;
    KB_TRY(
        kb_arena_copy(arena, what->operands, what->operand_count * sizeof *what->operands, &operands, trail));
    KB_TRY(kb_arena_copy(arena, what->claims, what->claim_count * sizeof *what->claims, &claims, trail));
    KB_TRY(kb_arena_copy(arena, what->whys, what->why_count * sizeof *what->whys, &whys, trail));
    KB_TRY(kb_arena_copy(arena, what->immediates, what->immediate_count * sizeof *what->immediates,
                         &immediates, trail));
    kb_template copy = *what;
    copy.operands = operands;
    copy.claims = claims;
    copy.whys = whys;
    copy.immediates = immediates;
    *ret_copy = copy;
    return KB_OK;
}

/* --- canonical bytes -------------------------------------------------------------------------- */

static void put(kb_buffer *out, uint64_t value) {
    for (unsigned i = 0; i < 8; i++)
        out->bytes[out->size++] = (uint8_t)(value >> (8 * i));
}

static void put_operand(kb_buffer *out, const kb_operand *operand) {
    put(out, operand->memory);
    put(out, operand->access);
    put(out, operand->dtype);
    put(out, operand->dims);
    for (uint32_t d = 0; d < operand->dims; d++)
        put(out, operand->shape[d]);
    for (uint32_t d = 0; d < operand->dims; d++)
        put(out, (uint64_t)operand->stride[d]);
}

/* A text counts as what it says: its id depends on which other texts a program has. */
static void put_text(kb_buffer *out, const kb_defs *defs, uint32_t id) {
    kb_digest digest = {{0}};
    if (id != KB_NONE) {
        const char *text = kb_defs_text(defs, id);
        digest = kb_digest_of(text, strlen(text));
    }
    memcpy(out->bytes + out->size, digest.bytes, sizeof digest.bytes);
    out->size += sizeof digest.bytes;
}

/* file and line are left out: a moved line changes no record. */
static void put_head(kb_buffer *out, const kb_template *what, const kb_defs *defs) {
    const uint32_t head[] = {what->kind,      what->blocks,         what->reached,       what->stream,
                             what->engine,    what->queue,          what->route,         what->group,
                             what->func,      what->flags,          what->operand_count, what->claim_count,
                             what->why_count, what->immediate_count};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        put(out, head[i]);
    put_text(out, defs, what->step);
    put_text(out, defs, what->kernel);
}

kb_status kb_template_digest(const kb_template *what, const kb_defs *defs, kb_digest *ret_digest,
                             kb_trail *trail) {
    size_t words = 18 + (size_t)what->operand_count * (4 + 2 * KB_DIMS_MAX) + (size_t)what->claim_count * 4 +
                   (size_t)what->why_count * 3 + what->immediate_count;
    uint8_t few[1024];
    kb_buffer many, out = {.bytes = few, .capacity = sizeof few};
    kb_buffer_init(&many, defs->arena.alloc);
    if (8 * words > sizeof few) {
        KB_TRY(kb_buffer_reserve(&many, 8 * words, trail));
        out = many;
    }
    put_head(&out, what, defs);
    for (uint32_t i = 0; i < what->operand_count; i++)
        put_operand(&out, &what->operands[i]);
    for (uint32_t i = 0; i < what->claim_count; i++) {
        put(&out, what->claims[i].rank);
        put(&out, what->claims[i].role);
        put(&out, what->claims[i].point);
        put(&out, what->claims[i].set);
    }
    for (uint32_t i = 0; i < what->why_count; i++) {
        put(&out, what->whys[i].cause);
        put(&out, what->whys[i].resource);
        put(&out, what->whys[i].blames);
    }
    for (uint32_t i = 0; i < what->immediate_count; i++)
        put(&out, what->immediates[i]);
    *ret_digest = kb_digest_of(out.bytes, out.size);
    kb_buffer_fini(&many);
    return KB_OK;
}
