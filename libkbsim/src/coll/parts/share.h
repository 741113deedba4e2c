/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of views that algorithms send: even shares and, where long messages are taken slot by slot, segments.
 * They make views only, and record nothing.
 */
#ifndef KBSIM_SRC_SHARE_H
#define KBSIM_SRC_SHARE_H

#include "kbsim/coll.h"

/* Shares [first, end) of a view that is cut into `count`: they differ by one element, longer ones first. */
static inline tl_view kbs_shares(kb_coll *c, tl_view view, uint32_t count, uint32_t first, uint32_t end) {
    const uint64_t least = view.elements / count, longer = view.elements % count;
    const uint64_t from = first * least + (first < longer ? first : longer);
    const uint64_t to = end * least + (end < longer ? end : longer);
    return tl_slice(c, view, from, to - from);
}

static inline tl_view kbs_share(kb_coll *c, tl_view view, uint32_t count, uint32_t index) {
    return kbs_shares(c, view, count, index, index + 1);
}

/* What of a view is left behind `done` elements, but a slot's worth at most. */
static inline tl_view kbs_segment(kb_coll *c, tl_view view, uint64_t done) {
    const uint64_t left = done < view.elements ? view.elements - done : 0, most = kb_coll_slot_elements(c);
    return tl_slice(c, view, left > 0 ? done : 0, left < most ? left : most);
}

#endif
