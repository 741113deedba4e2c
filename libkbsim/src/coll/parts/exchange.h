/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ranks send each other the whole of a view, and both reduce what comes into the same view.
 *
 * The sum must not overwrite what is still to be sent. So the view goes segment by segment, each a message of
 * a slot; a segment is reduced when it came and its own copy was sent; and as many segments are handed over
 * ahead as a ring has slots, so that the link does not wait for the sums. It takes
 *     α  +  S β  +  γ of the last segment,
 * or S γ where summing is slower than the link.
 *
 * It cannot hang, whatever the slots: segment i + slots is handed over when segment i was used and released.
 * Then copies of at most `slots` segments lack the partner's releases; take the least segment that either of
 * the two has not released: all before it were released by both, so both have its credit, and both sent it.
 */
#ifndef KBSIM_SRC_EXCHANGE_H
#define KBSIM_SRC_EXCHANGE_H

#include "coll/parts/share.h"

enum { KBS_EXCHANGE_MOST = 1024 }; /* segments ahead: more would fill a stack, and no link is that long */

static inline void kbs_exchange(kb_coll *c, uint32_t peer, tl_view view) {
    const uint64_t slots = kb_coll_slots(c), most = kb_coll_slot_elements(c);
    const uint64_t segments = (view.elements + most - 1) / most;
    uint64_t ahead = slots < KBS_EXCHANGE_MOST ? slots : KBS_EXCHANGE_MOST;
    ahead = segments < ahead ? segments : ahead;
    if (segments == 0)
        return;
    const tl_queue to = tl_queue_to(c, peer), from = tl_queue_from(c, peer);
    tl_token sent[ahead];
    for (uint64_t i = 0; i < ahead; i++)
        sent[i] = tl_send_async(c, to, kbs_segment(c, view, i * most));
    for (uint64_t i = 0; i < segments; i++) {
        tl_view in = tl_recv(c, from);
        tl_wait_sent(c, sent[i % ahead]);
        tl_reduce(c, kbs_segment(c, view, i * most), in);
        tl_release(c, from);
        if (i + ahead < segments)
            sent[i % ahead] = tl_send_async(c, to, kbs_segment(c, view, (i + ahead) * most));
    }
}

#endif
