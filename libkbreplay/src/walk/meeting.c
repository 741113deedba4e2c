/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers that are under way: who has come, and whether all have. */
#include <inttypes.h>

#include "walk/state.h"

static size_t meeting_size(const kbr_walk_state *walk) {
    return sizeof(kbr_meeting) + walk->pass->run->ranks * sizeof(bool);
}

kbr_meeting *kbr_meeting_find(const kbr_walk_state *walk, const kb_op *op) {
    kbr_meeting *it = walk->meetings;
    while (it != NULL && (it->group != op->what->group || it->id != op->id))
        it = it->next;
    return it;
}

bool kbr_meeting_is_full(const kbr_walk_state *walk, const kbr_meeting *meeting) {
    return meeting->arrived >= walk->pass->defs->groups[meeting->group].rank_count;
}

/* A rank has one op in a barrier; a second one waits with the others, and counts for nobody. */
static void report_twice(const kbr_walk_state *walk, uint32_t rank, const kb_op *op) {
    kbr_finding finding = kbr_finding_about(walk->pass->defs, "progress", "barrier twice", rank, op);
    finding.key = op->what->group;
    kbr_finding_say(&finding, "its rank has come to barrier %" PRIu64 " of group `%s` before", op->id,
                    walk->pass->defs->groups[op->what->group].name);
    kbr_findings_add(walk->pass->findings, &finding);
}

kb_status kbr_meeting_enter(kbr_walk_state *walk, uint32_t rank, const kb_op *op, kbr_meeting **ret_meeting,
                            bool *ret_full, kb_trail *trail) {
    kbr_meeting *it = kbr_meeting_find(walk, op);
    if (it == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(walk->pass->alloc, meeting_size(walk), &block, trail));
        it = block;
        it->group = op->what->group;
        it->id = op->id;
        it->next = walk->meetings;
        walk->meetings = it;
    }
    *ret_full = false;
    it->inside++;
    if (it->came[rank]) {
        report_twice(walk, rank, op);
    } else {
        it->came[rank] = true;
        it->arrived++;
        *ret_full = kbr_meeting_is_full(walk, it);
    }
    *ret_meeting = it;
    return KB_OK;
}

void kbr_meeting_leave(kbr_walk_state *walk, kbr_meeting *meeting) {
    if (--meeting->inside > 0)
        return;
    kbr_meeting **at = &walk->meetings;
    while (*at != meeting)
        at = &(*at)->next;
    *at = meeting->next;
    kb_delete(walk->pass->alloc, meeting, meeting_size(walk));
}

void kbr_meetings_fini(kbr_walk_state *walk) {
    while (walk->meetings != NULL) {
        kbr_meeting *next = walk->meetings->next;
        kb_delete(walk->pass->alloc, walk->meetings, meeting_size(walk));
        walk->meetings = next;
    }
}
