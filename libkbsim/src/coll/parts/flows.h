/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step in which two messages go out and two come in: the flows of both directions of a ring or line.
 *
 * What goes out is handed over before anything is waited for. What comes in is used slot by slot, by turns,
 * so that both links are busy all the time: by its own a message longer than its ring would hold up the one
 * that is used after it. Views without elements are no messages.
 */
#ifndef KBSIM_SRC_FLOWS_H
#define KBSIM_SRC_FLOWS_H

#include "coll/parts/share.h"

typedef struct kbs_flow {
    tl_queue to, from;
    tl_view out, in; /* of the rank's own tensor: what is sent, and what the message is used for */
} kbs_flow;

enum { KBS_FLOWS = 2 };

static inline void kbs_flow_use(kb_coll *c, tl_queue from, tl_view part, bool reduces) {
    tl_view in = tl_recv(c, from);
    if (reduces)
        tl_reduce(c, part, in);
    else
        tl_copy(c, part, in);
    tl_release(c, from);
}

static inline void kbs_flows_step(kb_coll *c, const kbs_flow flows[KBS_FLOWS], bool reduces) {
    const uint64_t a = flows[0].in.elements, b = flows[1].in.elements, longest = a > b ? a : b;
    tl_token sent[KBS_FLOWS] = {{0}, {0}};
    for (int i = 0; i < KBS_FLOWS; i++)
        if (flows[i].out.elements > 0)
            sent[i] = tl_send_async(c, flows[i].to, flows[i].out);
    for (uint64_t done = 0; done < longest; done += kb_coll_slot_elements(c))
        for (int i = 0; i < KBS_FLOWS; i++)
            if (done < flows[i].in.elements)
                kbs_flow_use(c, flows[i].from, kbs_segment(c, flows[i].in, done), reduces);
    for (int i = 0; i < KBS_FLOWS; i++)
        tl_wait_sent(c, sent[i]);
}

#endif
