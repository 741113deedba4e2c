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

kb_status kb_intern_add(kb_intern *intern, const kb_template *what, uint64_t hash, const kb_defs *defs,
                        kb_known **ret_known, kb_trail *trail) {
    void *block, *fields;
    if (intern->count >= intern->bucket_count)
        KB_TRY(grow(intern, trail));
    KB_TRY(kb_arena_new(&intern->arena, sizeof(kb_known), &block, trail));
    kb_known *known = block;
    KB_TRY(kb_template_copy(what, &intern->arena, &known->key, trail));
    KB_TRY(kb_template_digest(what, defs, &known->digest, trail));
    known->hash = hash;
    known->id = KB_NONE;
    known->layout = kb_template_layout(what);
    known->rest_field = rest_field(what, &known->layout);
    known->resume_word = resume_word(what);
    known->canonical_count = kb_canonical_count(what);
    size_t count = known->layout.count, words = known->layout.words;
    KB_TRY(kb_arena_new(&intern->arena, (4 * count + 2 * words) * sizeof(uint64_t), &fields, trail));
    kb_guess *guess = &known->guess;
    guess->next = fields;
    guess->moving = guess->next + count;
    guess->unsettled = guess->moving + words;
    guess->stride = guess->unsettled + words;
    guess->step = guess->stride + count;
    known->nominal = guess->step + count;
    known->in_bucket = intern->buckets[hash & (intern->bucket_count - 1)];
    intern->buckets[hash & (intern->bucket_count - 1)] = known;
    intern->count++;
    *ret_known = known;
    return KB_OK;
}
