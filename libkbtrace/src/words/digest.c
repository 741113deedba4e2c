/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical bytes and their XXH3-128: see digest.h. */
#include "words/digest.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* the size of a state, so that it lives in our memory */
#include <xxhash.h>
#ifdef KB_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#endif

#include "words/defs_rows.h"

/* Words of a rank that wait for the hash. */
enum { WAITING = 128 };

static kb_digest from_hash(XXH128_hash_t hash) {
    XXH128_canonical_t canonical;
    kb_digest digest;
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(digest.bytes, canonical.digest, sizeof digest.bytes);
    return digest;
}

kb_digest kb_digest_of(const void *bytes, size_t size) {
    return from_hash(XXH3_128bits(bytes, size));
}

bool kb_digest_equal(const kb_digest *a, const kb_digest *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *kb_digest_text(const kb_digest *digest, char buffer[33]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof digest->bytes; i++) {
        buffer[2 * i] = digits[digest->bytes[i] >> 4];
        buffer[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    buffer[32] = '\0';
    return buffer;
}

/* --- canonical bytes -------------------------------------------------------------------------- */

size_t kb_canonical_count(const kb_template *what) {
    size_t count = KB_CANONICAL_PARTS + what->operand_count + what->claim_count;
    for (uint32_t i = 0; i < what->why_count; i++)
        count += what->whys[i].blames ? 4 : 2;
    return count;
}

uint64_t *kb_canonical_put(uint64_t *at, const kb_digest *digest, const kb_template *what, const kb_op *op) {
    at = kb_canonical_head(at, digest, op);
    for (uint32_t i = 0; i < what->operand_count; i++)
        at = kb_canonical_word(at, op->offsets[i]);
    for (uint32_t i = 0; i < what->claim_count; i++)
        at = kb_canonical_word(at, what->claims[i].set == KB_SET_ONE ? op->claimed[i] : 0);
    for (uint32_t i = 0; i < what->why_count; i++)
        at = kb_canonical_why(at, &op->blames[i], what->whys[i].blames);
    return at;
}

/* --- one rank --------------------------------------------------------------------------------- */

/* A state wants to be aligned more strictly than kb_new promises, so it stands inside a larger block. */
#define STATE_ALIGN 64u
#define STATE_BLOCK (sizeof(XXH3_state_t) + STATE_ALIGN)

static XXH3_state_t *state_in(void *block) {
    return (XXH3_state_t *)(((uintptr_t)block + STATE_ALIGN - 1) & ~(uintptr_t)(STATE_ALIGN - 1));
}

void kb_rank_digester_init(kb_rank_digester *digester, const kb_alloc *alloc) {
    *digester = (kb_rank_digester){.alloc = alloc};
}

void kb_rank_digester_fini(kb_rank_digester *digester) {
    kb_delete(digester->alloc, digester->state, digester->state ? STATE_BLOCK : 0);
    kb_delete(digester->alloc, digester->words, digester->word_capacity * sizeof *digester->words);
    kb_delete(digester->alloc, digester->blocks, digester->block_capacity * sizeof *digester->blocks);
    *digester = (kb_rank_digester){.alloc = digester->alloc};
}

static kb_status begin_block(kb_rank_digester *digester, kb_trail *trail) {
    void *state = digester->state, *blocks = digester->blocks;
    KB_TRY(kb_grow(digester->alloc, sizeof *digester->blocks, digester->block_count + 1,
                   &digester->block_capacity, &blocks, trail));
    digester->blocks = blocks;
    if (state == NULL) {
        KB_TRY(kb_new(digester->alloc, STATE_BLOCK, &state, trail));
        XXH3_INITSTATE(state_in(state));
        digester->state = state;
    }
    XXH3_128bits_reset(state_in(state));
    return KB_OK;
}

/* What waits goes to the hash: it takes long pieces faster than many short ones. */
static void hash_waiting(kb_rank_digester *digester) {
    if (digester->word_count > 0)
        XXH3_128bits_update(state_in(digester->state), digester->words,
                            digester->word_count * sizeof *digester->words);
    digester->word_count = 0;
}

static void end_block(kb_rank_digester *digester) {
    hash_waiting(digester);
    digester->blocks[digester->block_count++] = from_hash(XXH3_128bits_digest(state_in(digester->state)));
}

static kb_status make_room(kb_rank_digester *digester, size_t count, kb_trail *trail) {
    void *words = digester->words;
    hash_waiting(digester);
    KB_TRY(kb_grow(digester->alloc, sizeof *digester->words, count > WAITING ? count : WAITING,
                   &digester->word_capacity, &words, trail));
    digester->words = words;
    return KB_OK;
}

kb_status kb_rank_digester_add(kb_rank_digester *digester, const kb_digest *digest, const kb_op *op,
                               kb_trail *trail) {
    size_t count = kb_canonical_count(op->what) + KB_CANONICAL_DIGEST + KB_CANONICAL_BEYOND;
    if (digester->ops % KB_DIGEST_BLOCK == 0)
        KB_TRY(begin_block(digester, trail));
    if (digester->word_capacity - digester->word_count < count)
        KB_TRY(make_room(digester, count, trail));
    uint64_t *end = kb_canonical_put(digester->words + digester->word_count, digest, op->what, op);
    digester->word_count = (size_t)(end - digester->words);
    if (++digester->ops % KB_DIGEST_BLOCK == 0)
        end_block(digester);
    return KB_OK;
}

kb_status kb_rank_digester_take(kb_rank_digester *digester, const uint64_t *words, size_t count, uint64_t ops,
                                kb_trail *trail) {
    assert(ops > 0 && digester->ops % KB_DIGEST_BLOCK + ops <= KB_DIGEST_BLOCK && digester->word_count == 0);
    if (digester->ops % KB_DIGEST_BLOCK == 0)
        KB_TRY(begin_block(digester, trail));
    XXH3_128bits_update(state_in(digester->state), words, count * sizeof *words);
    digester->ops += ops;
    if (digester->ops % KB_DIGEST_BLOCK == 0)
        end_block(digester);
    return KB_OK;
}

kb_status kb_op_digest(const kb_digest *digest, const kb_op *op, const kb_alloc *alloc, kb_digest *ret_digest,
                       kb_trail *trail) {
    size_t size =
        (kb_canonical_count(op->what) + KB_CANONICAL_DIGEST + KB_CANONICAL_BEYOND) * sizeof(uint64_t);
    void *block;
    KB_TRY(kb_new(alloc, size, &block, trail));
    uint64_t *words = block, *end = kb_canonical_put(words, digest, op->what, op);
    *ret_digest = kb_digest_of(words, (size_t)(end - words) * sizeof *words);
    kb_delete(alloc, block, size);
    return KB_OK;
}

static int by_index(const void *a, const void *b) {
    const kb_late_digest *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

kb_status kb_late_digests(kb_late_digest *late, size_t count, const kb_alloc *alloc, kb_digest *ret_digest,
                          kb_trail *trail) {
    kb_buffer bytes;
    kb_buffer_init(&bytes, alloc);
    KB_TRY(kb_buffer_reserve(&bytes, count * (sizeof(uint64_t) + sizeof(kb_digest)) + 1, trail));
    if (count > 1)
        qsort(late, count, sizeof *late, by_index);
    for (size_t i = 0; i < count; i++) {
        uint64_t index = htole64(late[i].index);
        memcpy(bytes.bytes + bytes.size, &index, sizeof index);
        memcpy(bytes.bytes + bytes.size + sizeof index, late[i].digest.bytes, sizeof(kb_digest));
        bytes.size += sizeof index + sizeof(kb_digest);
    }
    *ret_digest = kb_digest_of(bytes.bytes, bytes.size);
    kb_buffer_fini(&bytes);
    return KB_OK;
}

kb_status kb_rank_digester_end(kb_rank_digester *digester, uint32_t rank, uint64_t late,
                               const kb_digest *late_digest, kb_rank_summary *ret_summary, kb_trail *trail) {
    if (digester->ops % KB_DIGEST_BLOCK != 0 && digester->block_count == digester->ops / KB_DIGEST_BLOCK)
        end_block(digester);
    void *blocks = digester->blocks;
    size_t count = digester->block_count;
    KB_TRY(kb_grow(digester->alloc, sizeof *digester->blocks, count + 1, &digester->block_capacity, &blocks,
                   trail));
    digester->blocks = blocks;
    if (late > 0)
        digester->blocks[count] = *late_digest; /* beyond the blocks, where it is hashed with them */
    *ret_summary = (kb_rank_summary){
        .rank = rank,
        .ops = digester->ops,
        .digest = kb_digest_of(digester->blocks, (count + (late > 0)) * sizeof *digester->blocks),
        .blocks = digester->blocks,
        .block_count = count,
        .late = late,
        .late_digest = *late_digest,
    };
    return KB_OK;
}

/* --- whole traces ----------------------------------------------------------------------------- */

kb_status kb_record_digest(const kb_rank_summary *ranks, size_t count, const kb_alloc *alloc,
                           kb_digest *ret_digest, kb_trail *trail) {
    kb_buffer bytes;
    kb_buffer_init(&bytes, alloc);
    KB_TRY(kb_buffer_reserve(&bytes, count * sizeof(kb_digest) + 1, trail));
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes.bytes + bytes.size, ranks[i].digest.bytes, sizeof(kb_digest));
        bytes.size += sizeof(kb_digest);
    }
    *ret_digest = kb_digest_of(bytes.bytes, bytes.size);
    kb_buffer_fini(&bytes);
    return KB_OK;
}

kb_status kb_definitions_digest(const kb_defs *defs, const kb_alloc *alloc, kb_digest *ret_digest,
                                kb_trail *trail) {
    kb_buffer bytes;
    kb_status status = KB_OK;
    kb_buffer_init(&bytes, alloc);
    for (uint32_t table = 0; table < KB_TABLE_COUNT && status == KB_OK; table++) {
        kb_view view = kb_defs_view(defs, (enum kb_table)table);
        for (size_t i = 0; i < view.count && status == KB_OK; i++)
            status = kb_message_embed(kb_definition_messages[table], table + 1,
                                      view.items + i * view.row_size, &bytes, trail);
    }
    if (status == KB_OK)
        *ret_digest = kb_digest_of(bytes.bytes, bytes.size);
    kb_buffer_fini(&bytes);
    return status;
}

void kb_run_identify(kb_run *run) {
    uint8_t bytes[2 * sizeof(kb_digest) + sizeof(uint64_t)];
    uint64_t seed = htole64(run->seed);
    memcpy(bytes, run->config_digest.bytes, sizeof(kb_digest));
    memcpy(bytes + sizeof(kb_digest), run->program_digest.bytes, sizeof(kb_digest));
    memcpy(bytes + 2 * sizeof(kb_digest), &seed, sizeof seed);
    run->run_id = kb_digest_of(bytes, sizeof bytes);
}
