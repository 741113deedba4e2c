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
 * What a template's next op is expected to be: a field is expected to move by its stride, and a new
 * stride is believed when the same step was seen twice running. Modulo 2^64.
 */
typedef struct kb_guess {
    uint64_t *next, *stride, *step; /* [layout.count]: the value expected, the last steps */
    uint64_t *moving;               /* masks of fields whose stride is not 0 */
    uint64_t *unsettled;            /* masks of fields whose last step is not their stride */
} kb_guess;

/*
 * A template that ops have named, and what its last op in the open packet was like. What every op
 * touches comes first; guess and forms are behind it in memory.
 */
struct kb_known {
    uint64_t packet; /* that `guess`, `forms` and `resume` belong to */
    kb_guess guess;
    kb_form *forms;
    size_t resume; /* its stream's place in that packet's resumes */
    kb_layout layout;
    uint32_t resume_word; /* the canonical word of an op that tells when its stream goes on */
    uint32_t rest_field;  /* of the why-item that takes what the others leave, if there are items */
    uint32_t rank;
    uint32_t id;            /* in its file; KB_NONE until an op of it is written */
    size_t canonical_count; /* words of an op without payload */
    kb_digest digest;
    kb_template key;
    const kb_writer *owner;
    uint64_t hash;
    uint64_t *nominal; /* the fields of its first op */
    struct kb_known *in_bucket;
    struct kb_known *follower, *former; /* that came after it last time, and before that: good guesses */
    struct kb_known *in_file;           /* the one with the next id */
};

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
