/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers of the words of a trace, all from ops.def, words.def and causes.def. */
#include "kbtrace/words.h"

#include <string.h>

#include "kbtrace/nearest.h"

typedef struct word {
    uint32_t vocabulary, value;
    const char *name, *help;
} word;

static const word words[] = {
#define KB_WORD(VOCABULARY, NAME, name, wire, help) {KB_VOC_##VOCABULARY, wire, #name, help},
#include "kbtrace/words.def"
#undef KB_WORD
#define KB_OP(NAME, name, wire, family, roles, id, help) {KB_VOC_KIND, wire, #name, help},
#include "kbtrace/ops.def"
#undef KB_OP
#define KB_CAUSE(NAME, name, wire, help) {KB_VOC_CAUSE, wire, #name, help},
#include "kbtrace/causes.def"
#undef KB_CAUSE
};

enum {
#define KB_WORD(VOCABULARY, NAME, name, wire, help) AT_##VOCABULARY##_##NAME,
#include "kbtrace/words.def"
#undef KB_WORD
#define KB_OP(NAME, name, wire, family, roles, id, help) AT_KIND_##NAME,
#include "kbtrace/ops.def"
#undef KB_OP
#define KB_CAUSE(NAME, name, wire, help) AT_CAUSE_##NAME,
#include "kbtrace/causes.def"
#undef KB_CAUSE
    WORD_COUNT
};

/* Every op is asked for several of its words: 1 + where the word stands above, 0 for none. */
enum { VALUES = 64 };
_Static_assert(WORD_COUNT < 256, "a word's place is a byte");
static const uint8_t places[KB_VOC_COUNT][VALUES] = {
#define KB_WORD(VOCABULARY, NAME, name, wire, help) \
    [KB_VOC_##VOCABULARY][wire] = 1 + AT_##VOCABULARY##_##NAME,
#include "kbtrace/words.def"
#undef KB_WORD
#define KB_OP(NAME, name, wire, family, roles, id, help) [KB_VOC_KIND][wire] = 1 + AT_KIND_##NAME,
#include "kbtrace/ops.def"
#undef KB_OP
#define KB_CAUSE(NAME, name, wire, help) [KB_VOC_CAUSE][wire] = 1 + AT_CAUSE_##NAME,
#include "kbtrace/causes.def"
#undef KB_CAUSE
};

static const word *find(kb_vocabulary vocabulary, uint32_t value) {
    bool known = (uint32_t)vocabulary < KB_VOC_COUNT && value < VALUES && places[vocabulary][value] != 0;
    return known ? &words[places[vocabulary][value] - 1] : NULL;
}

const char *kb_word_name(kb_vocabulary vocabulary, uint32_t value) {
    const word *found = find(vocabulary, value);
    return found ? found->name : NULL;
}

const char *kb_word_help(kb_vocabulary vocabulary, uint32_t value) {
    const word *found = find(vocabulary, value);
    return found ? found->help : NULL;
}

uint32_t kb_word_value(kb_vocabulary vocabulary, const char *name) {
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].vocabulary == (uint32_t)vocabulary && strcmp(words[i].name, name) == 0)
            return words[i].value;
    return 0;
}

uint32_t kb_word_limit(kb_vocabulary vocabulary) {
    uint32_t limit = 0;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].vocabulary == (uint32_t)vocabulary && words[i].value >= limit)
            limit = words[i].value + 1;
    return limit;
}

uint32_t kb_dtype_size(uint32_t dtype) {
    static const uint8_t sizes[] = {
        [KB_DTYPE_F16] = 2, [KB_DTYPE_BF16] = 2,   [KB_DTYPE_F32] = 4,    [KB_DTYPE_I8] = 1,
        [KB_DTYPE_I32] = 4, [KB_DTYPE_F8E4M3] = 1, [KB_DTYPE_F8E5M2] = 1, [KB_DTYPE_BYTES] = 1,
    };
    return dtype < sizeof sizes ? sizes[dtype] : 0;
}

const char *kb_word_nearest(kb_vocabulary vocabulary, const char *name) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].vocabulary == (uint32_t)vocabulary)
            kb_nearest_offer(&nearest, words[i].name);
    return kb_nearest_best(&nearest);
}

#define W(name) \
    { #name, KB_ACCESS_WRITE }
#define R(name) \
    { #name, KB_ACCESS_READ }
#define U(name) \
    { #name, KB_ACCESS_UPDATE }
#define ROLES(fewest_, most_, ...) .fewest = fewest_, .most = most_, .roles = {__VA_ARGS__}

static const kb_kind_info kinds[KB_OP_LIMIT] = {
#define KB_OP(NAME, name_, wire, family_, roles_, id, help_) \
    [wire] = {.name = #name_, .help = help_, .id_name = id, .family = KB_FAMILY_##family_, roles_},
#include "kbtrace/ops.def"
#undef KB_OP
};

const kb_kind_info *kb_kind_describe(uint32_t kind) {
    return kind < KB_OP_LIMIT && kinds[kind].name != NULL ? &kinds[kind] : NULL;
}

const kb_role *kb_kind_role(const kb_kind_info *info, uint32_t operand) {
    uint32_t last = KB_ROLES_MAX;
    while (last > 0 && info->roles[last - 1].name == NULL)
        last--;
    if (operand >= info->most || last == 0)
        return NULL;
    return &info->roles[operand < last ? operand : last - 1];
}
