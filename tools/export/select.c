/* SPDX-License-Identifier: Apache-2.0 */
/* Selections as people write them; see select.h. */
#include "export/select.h"

#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "kbtrace/op.h"

static kb_status select_ranks(const char *text, uint32_t rank_count, bool *ranks, kb_trail *trail) {
    const char *at = text;
    do {
        uint64_t first, last;
        if (!kbt_take_number(&at, &first))
            return kb_fail(trail, KB_E_ARGUMENT, "--ranks: '%s' is no list of ranks (try --ranks 0,2-5)",
                           text);
        last = first;
        if (*at == '-' && (at++, !kbt_take_number(&at, &last)))
            return kb_fail(trail, KB_E_ARGUMENT, "--ranks: '%s' is no list of ranks (try --ranks 0,2-5)",
                           text);
        if (last < first || last >= rank_count)
            return kb_fail(trail, KB_E_ARGUMENT, "--ranks: '%s' leaves the run, which has ranks 0 to %u",
                           text, rank_count - 1);
        for (uint64_t rank = first; rank <= last; rank++)
            ranks[rank] = true;
    } while (*at == ',' && *++at != '\0');
    if (*at != '\0')
        return kb_fail(trail, KB_E_ARGUMENT, "--ranks: '%s' is no list of ranks (try --ranks 0,2-5)", text);
    return KB_OK;
}

static kb_status select_range(const char *text, kbt_selection *selection, kb_trail *trail) {
    const char *at = text;
    bool good = *at == ':' || kbt_take_time(&at, &selection->from_ps);
    good = good && *at++ == ':';
    good = good && (*at == '\0' || (kbt_take_time(&at, &selection->until_ps) && *at == '\0'));
    if (!good)
        return kb_fail(trail, KB_E_ARGUMENT, "--range: '%s' is no range of times (try --range 1us:2.5us)",
                       text);
    return KB_OK;
}

static kb_status select_kinds(const char *text, kb_arena *arena, bool *kinds, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_copy(arena, text, strlen(text) + 1, &block, trail));
    char *rest = block;
    for (char *name; (name = strtok_r(rest, ",", &rest)) != NULL;) {
        uint32_t kind = kb_word_value(KB_VOC_KIND, name);
        const char *near = kb_word_nearest(KB_VOC_KIND, name);
        if (kind == 0 && near != NULL)
            return kb_fail(trail, KB_E_ARGUMENT, "--kinds: no kind of op is called '%s' (did you mean '%s'?)",
                           name, near);
        if (kind == 0)
            return kb_fail(trail, KB_E_ARGUMENT,
                           "--kinds: no kind of op is called '%s' (docs/trace-format.md lists them)", name);
        kinds[kind] = true;
    }
    return KB_OK;
}

kb_status kbt_select(const char *ranks, const char *range, const char *kinds, uint32_t rank_count,
                     kb_arena *arena, kbt_selection *ret_selection, kb_trail *trail) {
    kbt_selection selection = {.from_ps = 0, .until_ps = INT64_MAX};
    void *block;
    if (ranks != NULL) {
        KB_TRY(kb_arena_new(arena, rank_count * sizeof(bool), &block, trail));
        selection.ranks = block;
        KB_TRY(select_ranks(ranks, rank_count, selection.ranks, trail));
    }
    if (range != NULL)
        KB_TRY(select_range(range, &selection, trail));
    if (kinds != NULL) {
        KB_TRY(kb_arena_new(arena, kb_word_limit(KB_VOC_KIND) * sizeof(bool), &block, trail));
        selection.kinds = block;
        KB_TRY(select_kinds(kinds, arena, selection.kinds, trail));
    }
    *ret_selection = selection;
    return KB_OK;
}

bool kbt_selects_rank(const kbt_selection *selection, uint32_t rank) {
    return selection->ranks == NULL || selection->ranks[rank];
}

bool kbt_selects_kind(const kbt_selection *selection, uint32_t kind) {
    return selection->kinds == NULL || (kind < kb_word_limit(KB_VOC_KIND) && selection->kinds[kind]);
}

bool kbt_selects_time(const kbt_selection *selection, int64_t time_ps) {
    return time_ps >= selection->from_ps && time_ps < selection->until_ps;
}
