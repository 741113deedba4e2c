/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a trace: kinds of op, dtypes, engines, causes and their like, with names for people.
 *
 * All of it is made from three tables: ops.def, words.def and causes.def. What a word *means* in
 * time is libkbsim's business, and what it means for memory libkbreplay's.
 */
#ifndef KBTRACE_WORDS_H
#define KBTRACE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* --- constants: KB_DTYPE_F16, KB_ROLE_CREDIT, KB_COLL_ALL_REDUCE … ---------------------------- */

enum kb_word {
#define KB_WORD(VOCABULARY, NAME, name, wire, help) KB_##VOCABULARY##_##NAME = (wire),
#include "kbtrace/words.def"
#undef KB_WORD
};

typedef enum kb_vocabulary {
    KB_VOC_DTYPE,
    KB_VOC_ACCESS,
    KB_VOC_POINT,
    KB_VOC_ROLE,
    KB_VOC_SET,
    KB_VOC_FAMILY,
    KB_VOC_FUNC,
    KB_VOC_SPACE,
    KB_VOC_ENGINE,
    KB_VOC_PROMISE,
    KB_VOC_COLL,
    KB_VOC_CUT,
    KB_VOC_REDUCE,
    KB_VOC_RECIPE,
    KB_VOC_RESOURCE,
    KB_VOC_BLOCKS,
    KB_VOC_KIND,  /* KB_OP_…, below */
    KB_VOC_CAUSE, /* KB_CAUSE_…, below */
    KB_VOC_COUNT
} kb_vocabulary;

/* The word for a value, or NULL where this build knows none. */
const char *kb_word_name(kb_vocabulary vocabulary, uint32_t value);
const char *kb_word_help(kb_vocabulary vocabulary, uint32_t value);
/* The value of a word, or 0. */
uint32_t kb_word_value(kb_vocabulary vocabulary, const char *name);
/* One more than the largest value. */
uint32_t kb_word_limit(kb_vocabulary vocabulary);
/* The known word nearest to a misspelt one, for messages; NULL where none is near. */
const char *kb_word_nearest(kb_vocabulary vocabulary, const char *name);

/* Bytes of an element; 0 for an unknown dtype. */
uint32_t kb_dtype_size(uint32_t dtype);

/* --- kinds of op ------------------------------------------------------------------------------ */

typedef enum kb_kind {
#define KB_OP(NAME, name, wire, family, roles, id, help) KB_OP_##NAME = (wire),
#include "kbtrace/ops.def"
#undef KB_OP
    KB_OP_LIMIT
} kb_kind;

#define KB_OPERANDS_MAX 16u
#define KB_ROLES_MAX 3u

typedef struct kb_role {
    const char *name;
    uint32_t access; /* KB_ACCESS_… */
} kb_role;

/* What ops.def says of a kind. */
typedef struct kb_kind_info {
    const char *name;
    const char *help;
    const char *id_name;         /* what the id field numbers, or "" */
    uint32_t family;             /* KB_FAMILY_… */
    uint32_t fewest, most;       /* operands */
    kb_role roles[KB_ROLES_MAX]; /* further operands are like the last that has a name */
} kb_kind_info;

/* NULL where this build knows no such kind. */
const kb_kind_info *kb_kind_describe(uint32_t kind);
/* What operand number `operand` of a kind is for; NULL where it has none. */
const kb_role *kb_kind_role(const kb_kind_info *info, uint32_t operand);

/* --- causes of time --------------------------------------------------------------------------- */

typedef enum kb_cause {
#define KB_CAUSE(NAME, name, wire, help) KB_CAUSE_##NAME = (wire),
#include "kbtrace/causes.def"
#undef KB_CAUSE
    KB_CAUSE_LIMIT
} kb_cause;

#endif
