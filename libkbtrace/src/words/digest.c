/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical bytes and their XXH3-128: see digest.h. */
#include "words/digest.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* the size of a state, so that it lives in our memory */
#include <xxhash.h>

#include "words/defs_rows.h"

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

/* --- one rank --------------------------------------------------------------------------------- */

/* Words wait until there are enough: the hash takes long pieces faster than many short ones. */
enum { WORDS = 64 };

typedef struct words {
    XXH3_state_t state;
    uint64_t *at; /* where the next one goes */
    uint64_t word[WORDS];
} words;

/* A state wants to be aligned more strictly than kb_new promises, so it stands inside a larger block. */
#define STATE_ALIGN 64u
#define STATE_BLOCK (sizeof(words) + STATE_ALIGN)

static words *words_in(void *block) {
    return (words *)(((uintptr_t)block + STATE_ALIGN - 1) & ~(uintptr_t)(STATE_ALIGN - 1));
}

static void words_begin(words *to) {
    XXH3_128bits_reset(&to->state);
    to->at = to->word;
}

static kb_digest words_end(words *to) {
    XXH3_128bits_update(&to->state, to->word, (size_t)(to->at - to->word) * sizeof to->word[0]);
    return from_hash(XXH3_128bits_digest(&to->state));
}

static inline uint64_t *put(words *to, uint64_t *at, uint64_t value) {
    if (__builtin_expect(at == to->word + WORDS, 0)) {
        XXH3_128bits_update(&to->state, to->word, sizeof to->word);
        at = to->word;
    }
    *at++ = htole64(value);
    return at;
}

static uint64_t *put_digest(words *to, uint64_t *at, const kb_digest *digest) {
    uint64_t halves[2];
    memcpy(halves, digest->bytes, sizeof halves);
    at = put(to, at, le64toh(halves[0]));
    return put(to, at, le64toh(halves[1]));
}

static uint64_t *put_parts(words *to, uint64_t *at, const kb_op *op) {
    const kb_template *shared = op->what;
    for (uint32_t i = 0; i < shared->operand_count; i++)
        at = put(to, at, op->offsets[i]);
    for (uint32_t i = 0; i < shared->claim_count; i++)
        at = put(to, at, shared->claims[i].set == KB_SET_ONE ? op->claimed[i] : 0);
    for (uint32_t i = 0; i < shared->why_count; i++) {
        const kb_blame *blame = &op->blames[i];
        at = put(to, at, (uint64_t)blame->ps);
        at = put(to, at, blame->resource);
        if (shared->whys[i].blames) {
            at = put(to, at, blame->rank);
            at = put(to, at, blame->op);
        }
    }
    return at;
}

static void put_op(words *to, const kb_digest *what, const kb_op *op) {
    uint64_t *at = put_digest(to, to->at, what);
    at = put(to, at, (uint64_t)op->issue_ps);
    at = put(to, at, (uint64_t)op->start_ps);
    at = put(to, at, (uint64_t)op->sent_ps);
    at = put(to, at, (uint64_t)op->done_ps);
    at = put(to, at, op->step);
    at = put(to, at, op->sequence);
    at = put(to, at, op->id);
    at = put(to, at, op->tile);
    at = put(to, at, op->collective);
    at = put(to, at, op->value);
    at = put(to, at, op->payload_size);
    if (op->payload_size > 0) {
        kb_digest payload = kb_digest_of(op->payload, (size_t)op->payload_size);
        at = put_digest(to, at, &payload);
    }
    to->at = put_parts(to, at, op);
}

void kb_rank_digester_init(kb_rank_digester *digester, const kb_alloc *alloc) {
    *digester = (kb_rank_digester){.alloc = alloc};
}

void kb_rank_digester_fini(kb_rank_digester *digester) {
    kb_delete(digester->alloc, digester->state, digester->state ? STATE_BLOCK : 0);
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
        XXH3_INITSTATE(&words_in(state)->state);
        digester->state = state;
    }
    words_begin(words_in(state));
    return KB_OK;
}

static void end_block(kb_rank_digester *digester) {
    digester->blocks[digester->block_count++] = words_end(words_in(digester->state));
}

kb_status kb_rank_digester_add(kb_rank_digester *digester, const kb_digest *what, const kb_op *op,
                               kb_trail *trail) {
    if (digester->ops % KB_DIGEST_BLOCK == 0)
        KB_TRY(begin_block(digester, trail));
    put_op(words_in(digester->state), what, op);
    if (++digester->ops % KB_DIGEST_BLOCK == 0)
        end_block(digester);
    return KB_OK;
}

kb_digest kb_op_digest(const kb_digest *what, const kb_op *op) {
    words to;
    XXH3_INITSTATE(&to.state);
    words_begin(&to);
    put_op(&to, what, op);
    return words_end(&to);
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
