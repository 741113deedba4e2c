/* SPDX-License-Identifier: Apache-2.0 */
/* One cursor that goes from op to op; see lookup.h. */
#include "blame/lookup.h"

void kbr_lookup_init(kbr_lookup *lookup, const kbr_pass *pass) {
    *lookup = (kbr_lookup){.pass = pass};
}

void kbr_lookup_fini(kbr_lookup *lookup) {
    kb_cursor_destroy(lookup->cursor);
    lookup->cursor = NULL;
}

kb_status kbr_lookup_op(kbr_lookup *lookup, uint32_t rank, uint64_t index, const kb_op **ret_op,
                        kb_trail *trail) {
    *ret_op = NULL;
    if (rank >= lookup->pass->run->ranks)
        return KB_OK;
    if (lookup->cursor == NULL || lookup->rank != rank) {
        kbr_lookup_fini(lookup);
        KB_TRY(kb_cursor_create(lookup->pass->reader, rank, &lookup->cursor, trail));
        lookup->rank = rank;
        lookup->next = 0;
    }
    kb_status status = KB_OK;
    if (lookup->next != index)
        status = kb_cursor_seek_op(lookup->cursor, index, trail);
    if (status == KB_OK)
        status = kb_cursor_next(lookup->cursor, ret_op, trail);
    lookup->next = index + 1;
    if (status == KB_END) {
        kbr_lookup_fini(lookup);
        *ret_op = NULL;
    }
    return status == KB_END ? KB_OK : status;
}

kb_status kbr_lookup_mention(const kbr_pass *pass, uint32_t rank, uint64_t index, kbr_mention *ret_mention,
                             kb_trail *trail) {
    kbr_lookup lookup;
    const kb_op *op;
    kbr_lookup_init(&lookup, pass);
    kb_status status = kbr_lookup_op(&lookup, rank, index, &op, trail);
    if (status == KB_OK)
        *ret_mention = op != NULL ? kbr_mention_of(rank, op) : (kbr_mention){.rank = rank, .index = index};
    kbr_lookup_fini(&lookup);
    return status;
}

kb_status kbr_lookup_findings(const kbr_pass *pass, kbr_findings *findings, kb_trail *trail) {
    for (size_t i = 0; i < findings->count; i++)
        for (uint32_t k = 0; k < findings->items[i].op_count; k++) {
            kbr_mention *it = &findings->items[i].ops[k];
            if (!it->known && it->rank < pass->run->ranks)
                KB_TRY(kbr_lookup_mention(pass, it->rank, it->index, it, trail));
        }
    return KB_OK;
}
