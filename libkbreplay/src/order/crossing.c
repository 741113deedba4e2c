/* SPDX-License-Identifier: Apache-2.0 */
/* Who has entered a barrier before whom leaves it; see crossing.h. */
#include "order/crossing.h"

kb_status kbr_crossings_init(kbr_crossings *crossings, const kbr_pass *pass, kb_trail *trail) {
    void *items;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->collective_count * sizeof(kbr_crossing), &items, trail));
    *crossings = (kbr_crossings){pass, items};
    return KB_OK;
}

static void forget(const kbr_pass *pass, kbr_crossing *it, size_t parts) {
    kb_delete(pass->alloc, it->places, parts * sizeof(kbr_place));
    kb_delete(pass->alloc, it->begins, parts * sizeof(kbr_mention));
}

void kbr_crossings_fini(kbr_crossings *crossings) {
    const kbr_pass *pass = crossings->pass;
    if (pass == NULL)
        return;
    for (size_t i = 0; i < pass->defs->collective_count; i++)
        forget(pass, &crossings->items[i], pass->defs->collectives[i].part_count);
    kb_delete(pass->alloc, crossings->items, pass->defs->collective_count * sizeof(kbr_crossing));
}

static kb_status open_crossing(const kbr_pass *pass, kbr_crossing *it, size_t parts, kb_trail *trail) {
    void *places, *begins;
    KB_TRY(kb_new_zeroed(pass->alloc, parts * sizeof(kbr_place), &places, trail));
    const kb_status status = kb_new_zeroed(pass->alloc, parts * sizeof(kbr_mention), &begins, trail);
    if (status != KB_OK) {
        kb_delete(pass->alloc, places, parts * sizeof(kbr_place));
        return status;
    }
    it->places = places;
    it->begins = begins;
    return KB_OK;
}

/* The stream's part; the count of parts where it has none. */
static size_t part_of(const kb_collective *collective, uint32_t rank, const kb_op *op) {
    size_t at = 0;
    while (at < collective->part_count &&
           (collective->parts[at].stream != op->what->stream || collective->parts[at].rank != rank))
        at++;
    return at;
}

static void enter(kbr_crossing *it, const kbr_pasts *pasts, size_t part, uint32_t rank, const kb_op *op) {
    const uint32_t stream = op->what->stream;
    if (it->places[part].position != 0) /* twice, which another check tells */
        return;
    if (it->entered++ == 0)
        it->since = pasts->time - 1;
    it->places[part] = (kbr_place){stream, 2 * kbr_pasts_issues(pasts, stream)};
    it->begins[part] = kbr_mention_of(rank, op);
}

kb_status kbr_crossings_issue(kbr_crossings *crossings, kbr_pasts *pasts, uint32_t rank, const kb_op *op,
                              kbr_crossed *ret, kb_trail *trail) {
    const kbr_pass *pass = crossings->pass;
    const bool enters = op->what->kind == KB_OP_COLL_BEGIN;
    *ret = (kbr_crossed){.collective = NULL};
    if ((!enters && op->what->kind != KB_OP_COLL_END) || op->collective == 0 ||
        op->collective > pass->defs->collective_count)
        return KB_OK;
    const kb_collective *collective = &pass->defs->collectives[op->collective - 1];
    kbr_crossing *it = &crossings->items[op->collective - 1];
    const size_t part = part_of(collective, rank, op);
    if (collective->kind != KB_COLL_BARRIER || part == collective->part_count)
        return KB_OK;
    if (it->places == NULL)
        KB_TRY(open_crossing(pass, it, collective->part_count, trail));
    if (enters) {
        enter(it, pasts, part, rank, op);
        return KB_OK;
    }
    size_t missing = 0;
    while (missing < collective->part_count && it->places[missing].position != 0)
        missing++;
    if (missing == collective->part_count) {
        const kbr_past past = kbr_past_of_chain(pasts, op->what->stream);
        KB_TRY(kbr_past_lacks(pasts, &past, it->places, collective->part_count, it->since, &missing, trail));
    }
    *ret = (kbr_crossed){.collective = collective, .missing = missing};
    if (missing < collective->part_count && it->places[missing].position != 0)
        ret->begin = &it->begins[missing];
    return KB_OK;
}
