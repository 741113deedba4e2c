/* SPDX-License-Identifier: Apache-2.0 */
/* Joining and searching; see past.h. */
#include "order/past.h"

#include <string.h>

/* --- life -------------------------------------------------------------------------------------- */

kb_status kbr_pasts_init(kbr_pasts *pasts, const kb_alloc *alloc, size_t count, uint64_t limit_size,
                         kb_trail *trail) {
    void *logs;
    *pasts = (kbr_pasts){.alloc = alloc, .limit_size = limit_size};
    kb_arena_init(&pasts->arena, alloc, 0);
    KB_TRY(kb_new_zeroed(alloc, (count + 1) * sizeof(kbr_chain_log), &logs, trail));
    pasts->logs = logs;
    pasts->count = count;
    pasts->capacity = count + 1;
    return KB_OK;
}

void kbr_pasts_fini(kbr_pasts *pasts) {
    for (size_t i = 0; i < pasts->count; i++)
        kb_delete(pasts->alloc, pasts->logs[i].joins, pasts->logs[i].capacity * sizeof(kbr_join));
    kb_delete(pasts->alloc, pasts->logs, pasts->capacity * sizeof(kbr_chain_log));
    kb_delete(pasts->alloc, pasts->stack, pasts->stack_capacity * sizeof(kbr_place));
    kb_arena_fini(&pasts->arena);
}

kb_status kbr_pasts_add_chain(kbr_pasts *pasts, uint32_t *ret_chain, kb_trail *trail) {
    void *logs = pasts->logs;
    KB_TRY(kb_grow(pasts->alloc, sizeof(kbr_chain_log), pasts->count + 1, &pasts->capacity, &logs, trail));
    pasts->logs = logs;
    pasts->logs[pasts->count] = (kbr_chain_log){.position = 0};
    *ret_chain = (uint32_t)pasts->count++;
    return KB_OK;
}

/* --- chains ------------------------------------------------------------------------------------ */

void kbr_pasts_issue(kbr_pasts *pasts, uint32_t chain) {
    pasts->logs[chain].position = (pasts->logs[chain].position | 1u) + 1;
    pasts->time++;
}

void kbr_pasts_start(kbr_pasts *pasts, uint32_t chain) {
    pasts->logs[chain].position |= 1u;
}

uint32_t kbr_pasts_issues(const kbr_pasts *pasts, uint32_t chain) {
    return pasts->logs[chain].position / 2;
}

kbr_past kbr_past_of_chain(const kbr_pasts *pasts, uint32_t chain) {
    return (kbr_past){.count = 1, .few = {{chain, pasts->logs[chain].position}}};
}

/* --- joining ----------------------------------------------------------------------------------- */

static const kbr_place *places_of(const kbr_past *past) {
    return past->many != NULL ? past->many : past->few;
}

static kb_status add_place(kbr_pasts *pasts, kbr_past *to, kbr_place place, kb_trail *trail) {
    kbr_place *places = to->many != NULL ? to->many : to->few;
    for (uint32_t i = 0; i < to->count; i++)
        if (places[i].chain == place.chain) {
            places[i].position = place.position > places[i].position ? place.position : places[i].position;
            return KB_OK;
        }
    uint32_t capacity = to->many != NULL ? to->capacity : KBR_PLACES_FEW;
    if (to->count == capacity) {
        void *wider;
        KB_TRY(kb_arena_new(&pasts->arena, 2 * (size_t)capacity * sizeof place, &wider, trail));
        memcpy(wider, places, to->count * sizeof place);
        to->many = places = wider;
        to->capacity = 2 * capacity;
    }
    places[to->count++] = place;
    return KB_OK;
}

kb_status kbr_past_join(kbr_pasts *pasts, kbr_past *to, const kbr_past *from, kb_trail *trail) {
    for (uint32_t i = 0; i < from->count; i++)
        KB_TRY(add_place(pasts, to, places_of(from)[i], trail));
    return KB_OK;
}

static kb_status add_join(kbr_pasts *pasts, uint32_t chain, kbr_place place, kb_trail *trail) {
    kbr_chain_log *log = &pasts->logs[chain];
    const kbr_join *last = log->count != 0 ? &log->joins[log->count - 1] : NULL;
    if (place.chain == chain ||
        (last != NULL && last->from.chain == place.chain && last->from.position >= place.position))
        return KB_OK;
    size_t capacity = log->capacity;
    void *joins = log->joins;
    if (log->count == capacity && pasts->used_size > pasts->limit_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "what has joined the chains of issues takes more than %llu bytes, a quarter of the "
                       "limit for memory",
                       (unsigned long long)pasts->limit_size);
    KB_TRY(kb_grow(pasts->alloc, sizeof(kbr_join), log->count + 1, &capacity, &joins, trail));
    pasts->used_size += (capacity - log->capacity) * sizeof(kbr_join);
    log->joins = joins;
    log->capacity = capacity;
    log->joins[log->count++] = (kbr_join){.time = pasts->time, .from = place, .at = log->position};
    return KB_OK;
}

kb_status kbr_pasts_join_chain(kbr_pasts *pasts, uint32_t chain, const kbr_past *from, kb_trail *trail) {
    for (uint32_t i = 0; i < from->count; i++)
        KB_TRY(add_join(pasts, chain, places_of(from)[i], trail));
    return KB_OK;
}

/* --- searching --------------------------------------------------------------------------------- */

/* Joins up to a position of the chain. */
static size_t joins_until(const kbr_chain_log *log, uint32_t position) {
    size_t first = 0, end = log->count;
    if (end == 0 || log->joins[end - 1].at <= position)
        return end;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (log->joins[middle].at > position)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* Puts what joined at or before a place, and was not looked at yet, on the stack; or finds what is sought. */
static kb_status expand(kbr_pasts *pasts, kbr_place place, kbr_place sought, uint64_t since,
                        size_t *inout_count, bool *ret_found, kb_trail *trail) {
    kbr_chain_log *log = &pasts->logs[place.chain];
    bool again = log->search == pasts->search;
    uint32_t below = log->searched;
    if (again && place.position <= below)
        return KB_OK;
    log->search = pasts->search;
    log->searched = place.position;
    for (size_t i = joins_until(log, place.position); i-- > 0;) {
        const kbr_join *join = &log->joins[i];
        if (join->time < since || (again && join->at <= below))
            break;
        if (join->from.chain == sought.chain && join->from.position >= sought.position) {
            *ret_found = true;
            return KB_OK;
        }
        void *stack = pasts->stack;
        KB_TRY(kb_grow(pasts->alloc, sizeof(kbr_place), *inout_count + 1, &pasts->stack_capacity, &stack,
                       trail));
        pasts->stack = stack;
        pasts->stack[(*inout_count)++] = join->from;
    }
    return KB_OK;
}

static kb_status search(kbr_pasts *pasts, const kbr_past *past, kbr_place sought, uint64_t since,
                        bool *ret_found, kb_trail *trail) {
    size_t count = 0;
    pasts->search++;
    *ret_found = false;
    for (uint32_t i = 0; i < past->count && !*ret_found; i++) {
        KB_TRY(expand(pasts, places_of(past)[i], sought, since, &count, ret_found, trail));
        while (count > 0 && !*ret_found) {
            kbr_place next = pasts->stack[--count];
            KB_TRY(expand(pasts, next, sought, since, &count, ret_found, trail));
        }
    }
    return KB_OK;
}

/* Where it is kept what the latest position of a chain knows of another; NULL for a past that is not one. */
static kbr_known *known_of(kbr_pasts *pasts, const kbr_past *past, uint32_t chain) {
    const kbr_place *place = places_of(past);
    if (past->count != 1 || place->position != pasts->logs[place->chain].position)
        return NULL;
    return &pasts->logs[place->chain].known[chain % KBR_KNOWN];
}

kb_status kbr_past_has(kbr_pasts *pasts, const kbr_past *past, uint32_t chain, uint32_t issues,
                       uint64_t since, bool *ret_has, kb_trail *trail) {
    const kbr_place *places = places_of(past);
    *ret_has = false;
    for (uint32_t i = 0; i < past->count; i++)
        if (places[i].chain == chain) {
            *ret_has = places[i].position / 2 >= issues;
            if (*ret_has || past->count == 1) /* nothing else knows more of a chain than itself */
                return KB_OK;
        }
    kbr_known *known = known_of(pasts, past, chain), unknown = {.chain = chain};
    uint32_t joins = past->count != 0 ? (uint32_t)pasts->logs[places[0].chain].count : 0;
    if (known != NULL && known->chain == chain) {
        *ret_has = known->reached >= issues;
        if (*ret_has || (known->joins == joins && known->missed != 0 && known->missed <= issues))
            return KB_OK;
    } else if (known != NULL) {
        *known = unknown;
    }
    KB_TRY(search(pasts, past, (kbr_place){chain, 2 * issues}, since, ret_has, trail));
    if (known == NULL)
        return KB_OK;
    if (*ret_has) {
        known->reached = issues;
    } else if (known->joins != joins || known->missed == 0 || issues < known->missed) {
        known->missed = issues;
        known->joins = joins;
    }
    return KB_OK;
}

kb_status kbr_past_lacks(kbr_pasts *pasts, const kbr_past *past, const kbr_place *places, size_t count,
                         uint64_t since, size_t *ret_first, kb_trail *trail) {
    const kbr_place nothing = {UINT32_MAX, 0};
    bool found;
    size_t at = 0;
    KB_TRY(search(pasts, past, nothing, since, &found, trail));
    while (at < count && pasts->logs[places[at].chain].search == pasts->search &&
           pasts->logs[places[at].chain].searched >= places[at].position)
        at++;
    *ret_first = at;
    return KB_OK;
}
