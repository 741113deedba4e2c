/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's table of templates: finds the one that an op has, or makes it known. */
#ifndef KBTRACE_SRC_INTERN_H
#define KBTRACE_SRC_INTERN_H

#include "kbtrace/writer.h"
#include "words/template.h"

/* A form is a template with the set of its fields that were mispredicted; numbered in a packet. */
typedef struct kb_form {
    struct kb_form *next;
    uint32_t number;
    uint64_t masks[]; /* [layout.words] */
} kb_form;

/*
 * A template's forms in the open packet. Some of one mask, those that came last, stand where they are
 * found without going anywhere; the others are a list.
 */
enum { KB_FORMS_NEAR = 4 };
typedef struct kb_forms {
    uint64_t near_masks[KB_FORMS_NEAR];
    uint32_t near_numbers[KB_FORMS_NEAR]; /* KB_NONE where there is none */
    uint32_t turn;                        /* whose place is taken next */
    kb_form *far;
} kb_forms;

/*
 * What a template's next op is expected to be: a field is expected to move by its stride, and a new
 * stride is believed when the same step was seen twice running. Modulo 2^64.
 */
typedef struct kb_guess {
    uint64_t *next;      /* [layout.count]: the values expected */
    uint64_t *moving;    /* masks of fields whose stride is not 0 */
    uint64_t *unsettled; /* masks of fields whose last step is not their stride */
    uint64_t *strides;   /* [layout.count] */
    uint64_t *steps;     /* [layout.count]: the last ones, of fields that are unsettled; seldom looked at */
} kb_guess;

/* A template that ops have named, and what its last op in the open packet was like. */
struct kb_known {
    /* What putting an op looks at, told once: a line of the cache. */
    _Alignas(KB_CACHE_LINE) kb_digest digest;
    const kb_writer *owner;
    uint64_t naming;  /* bit i: claim i names one op; of the first 64 claims */
    uint64_t blaming; /* bit i: why-item i blames an op; of the first 64 */
    uint32_t rank;
    uint32_t canonical_count; /* words of an op without payload */
    uint32_t claim_count;
    uint8_t operand_count, why_count;
    bool is_put; /* an op of it was */
    /* What encoding an op looks at as well. */
    bool has_nominal;
    uint64_t packet; /* that `guess`, `forms` and `resume` belong to */
    kb_guess guess;
    uint32_t resume;      /* its stream's place in that packet's resumes */
    uint32_t resume_word; /* the canonical word of an op that tells when its stream goes on */
    uint32_t rest_field;  /* of the why-item that takes what the others leave, if there are items */
    uint32_t id;          /* in its file; KB_NONE until an op of it is written */
    kb_layout layout;
    kb_forms forms;
    /* What is seldom looked at. */
    kb_template key;
    uint64_t hash;
    uint64_t *nominal; /* the fields of its first op */
    struct kb_known *in_bucket;
    struct kb_known *follower, *former; /* that came after it last time, and before that: good guesses */
    struct kb_known *in_file;           /* the one with the next id */
    uint64_t state[];                   /* where `guess` is */
};

/* More claims or why-items than the masks have bits. */
static inline bool kb_known_is_wide(const kb_known *known) {
    return known->claim_count > 64 || known->why_count > 64;
}

static inline bool kb_known_names(const kb_known *known, uint32_t claim) {
    return claim < 64 ? (known->naming >> claim & 1) != 0 : known->key.claims[claim].set == KB_SET_ONE;
}

static inline bool kb_known_blames(const kb_known *known, uint32_t why) {
    return why < 64 ? (known->blaming >> why & 1) != 0 : known->key.whys[why].blames != 0;
}

/* Whoever makes fields writes up to so many behind the last one. */
enum { KB_FIELDS_BEYOND = 2 };

typedef struct kb_intern {
    kb_arena arena;
    kb_known **buckets;
    size_t bucket_count, count;
} kb_intern;

void kb_intern_init(kb_intern *intern, const kb_alloc *alloc);
void kb_intern_fini(kb_intern *intern);

/* NULL where it is not known yet. */
kb_known *kb_intern_find(const kb_intern *intern, const kb_template *what, uint64_t hash);
/* A copy of `what` that belongs to no file yet; the caller sets owner, rank, and later the nominal fields. */
kb_status kb_intern_add(kb_intern *intern, const kb_template *what, uint64_t hash, const kb_defs *defs,
                        kb_known **ret_known, kb_trail *trail) KB_MUST_USE;

#endif
