/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of templates, chained, that doubles: see intern.h. */
#include "write/intern.h"

#include <string.h>

#include "words/digest.h"

void kb_intern_init(kb_intern *intern, const kb_alloc *alloc) {
    *intern = (kb_intern){.count = 0};
    kb_arena_init(&intern->arena, alloc, 0);
}

void kb_intern_fini(kb_intern *intern) {
    kb_delete(intern->arena.alloc, intern->buckets, intern->bucket_count * sizeof(kb_known *));
    kb_arena_fini(&intern->arena);
    intern->buckets = NULL;
    intern->bucket_count = intern->count = 0;
}

kb_known *kb_intern_find(const kb_intern *intern, const kb_template *what, uint64_t hash) {
    if (intern->bucket_count == 0)
        return NULL;
    kb_known *known = intern->buckets[hash & (intern->bucket_count - 1)];
    while (known != NULL && (known->hash != hash || !kb_template_equal(&known->key, what)))
        known = known->in_bucket;
    return known;
}

static kb_status grow(kb_intern *intern, kb_trail *trail) {
    size_t wanted = intern->bucket_count == 0 ? 64 : 2 * intern->bucket_count;
    void *block;
    KB_TRY(kb_new_zeroed(intern->arena.alloc, wanted * sizeof(kb_known *), &block, trail));
    kb_known **buckets = block;
    for (size_t i = 0; i < intern->bucket_count; i++)
        for (kb_known *known = intern->buckets[i], *next; known != NULL; known = next) {
            next = known->in_bucket;
            known->in_bucket = buckets[known->hash & (wanted - 1)];
            buckets[known->hash & (wanted - 1)] = known;
        }
    kb_delete(intern->arena.alloc, intern->buckets, intern->bucket_count * sizeof(kb_known *));
    intern->buckets = buckets;
    intern->bucket_count = wanted;
    return KB_OK;
}

static uint32_t rest_field(const kb_template *what, const kb_layout *layout) {
    uint32_t field = layout->first_why;
    for (uint32_t i = 0; i < kb_template_rest(what); i++)
        field += what->whys[i].blames ? 4 : 2;
    return field;
}

static uint32_t resume_word(const kb_template *what) {
    if (what->blocks == KB_BLOCKS_DONE)
        return KB_CANONICAL_DONE;
    return what->blocks == KB_BLOCKS_SENT ? KB_CANONICAL_SENT : KB_CANONICAL_ISSUE;
}

/* Sums of the template that every op would have to make again. */
static void look_at(kb_known *known) {
    const kb_template *what = &known->key;
    known->layout = kb_template_layout(what);
    known->rest_field = rest_field(what, &known->layout);
    known->resume_word = resume_word(what);
    known->canonical_count = (uint32_t)kb_canonical_count(what);
    known->claim_count = what->claim_count;
    known->operand_count = (uint8_t)what->operand_count;
    known->why_count = (uint8_t)what->why_count;
    for (uint32_t i = 0; i < what->claim_count && i < 64; i++)
        known->naming |= (uint64_t)(what->claims[i].set == KB_SET_ONE) << i;
    for (uint32_t i = 0; i < what->why_count && i < 64; i++)
        known->blaming |= (uint64_t)(what->whys[i].blames != 0) << i;
}

/* In the order in which they are likely to be touched. */
static void place_state(kb_known *known) {
    const size_t count = known->layout.count, words = known->layout.words;
    kb_guess *guess = &known->guess;
    guess->next = known->state;
    guess->moving = guess->next + count;
    guess->unsettled = guess->moving + words;
    guess->strides = guess->unsettled + words;
    guess->steps = guess->strides + count;
    known->nominal = guess->steps + count;
}

kb_status kb_intern_add(kb_intern *intern, const kb_template *what, uint64_t hash, const kb_defs *defs,
                        kb_known **ret_known, kb_trail *trail) {
    void *block;
    if (intern->count >= intern->bucket_count)
        KB_TRY(grow(intern, trail));
    const kb_layout layout = kb_template_layout(what);
    const size_t state = 4 * (size_t)layout.count + 2 * (size_t)layout.words + KB_FIELDS_BEYOND;
    KB_TRY(kb_arena_new_in_lines(&intern->arena, sizeof(kb_known) + state * sizeof(uint64_t), &block, trail));
    kb_known *known = block;
    KB_TRY(kb_template_copy(what, &intern->arena, &known->key, trail));
    KB_TRY(kb_template_digest(what, defs, &known->digest, trail));
    known->hash = hash;
    known->id = KB_NONE;
    look_at(known);
    place_state(known);
    known->in_bucket = intern->buckets[hash & (intern->bucket_count - 1)];
    intern->buckets[hash & (intern->bucket_count - 1)] = known;
    intern->count++;
    *ret_known = known;
    return KB_OK;
}
