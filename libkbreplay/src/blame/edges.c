/* SPDX-License-Identifier: Apache-2.0 */
/* Reading on from an op to who waits for it; see edges.h. */
#include "blame/edges.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "op/op.h"

/* A wait farther behind is of no use to name. */
enum { OPS_MOST = 1 << 16 };

/* What a stream did about one of its ops. */
typedef struct awaiting {
    bool blocks;         /* the op held its stream itself */
    kbr_mention at;      /* the wait or fence that observed it; not known: none */
    kbr_mention barrier; /* the first barrier behind it; not known: none */
} awaiting;

void kbr_finding_swap(kbr_finding *finding, const kb_defs *defs) {
    kbr_mention second = finding->ops[1];
    finding->ops[1] = finding->ops[0];
    finding->ops[0] = second;
    finding->rank = second.rank;
    finding->time_ps = second.time_ps;
    finding->pe = second.known ? defs->streams[second.stream].pe : KB_NONE;
}

static bool waits_for(const kb_op *op, const kbr_mention *whom, unsigned point) {
    if (op->what->kind == KB_OP_FENCE)
        return true;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        bool reaches = claim->point == KB_POINT_DONE || claim->point == point;
        if (claim->role == KB_ROLE_AWAITED && claim->set == KB_SET_ONE && claim->rank == whom->rank &&
            op->claimed[i] == whom->index && reaches)
            return true;
        if (claim->role == KB_ROLE_OBSERVED && claim->set == KB_SET_STREAM)
            return true;
    }
    return false;
}

/* Reads the stream of an op on from it, before op `until` of its rank. */
static kb_status find_awaiting(kbr_lookup *lookup, const kbr_mention *whom, unsigned point, uint64_t until,
                               awaiting *ret, kb_trail *trail) {
    const kb_op *op;
    *ret = (awaiting){.blocks = false};
    KB_TRY(kbr_lookup_op(lookup, whom->rank, whom->index, &op, trail));
    if (op == NULL)
        return KB_OK;
    ret->blocks =
        op->what->blocks == KB_BLOCKS_DONE || (op->what->blocks == KB_BLOCKS_SENT && point == KB_POINT_SENT);
    for (uint64_t i = 1; i <= OPS_MOST && !ret->blocks && whom->index + i < until; i++) {
        KB_TRY(kbr_lookup_op(lookup, whom->rank, whom->index + i, &op, trail));
        if (op == NULL)
            return KB_OK;
        if (op->what->stream != whom->stream)
            continue;
        if (waits_for(op, whom, point)) {
            ret->at = kbr_mention_of(whom->rank, op);
            return KB_OK;
        }
        if (op->what->kind == KB_OP_BARRIER && !ret->barrier.known)
            ret->barrier = kbr_mention_of(whom->rank, op);
    }
    return KB_OK;
}

/* A slot that is read when its message may have been given back. */
static void explain_slot(const kb_defs *defs, kbr_finding *finding) {
    char text[256];
    const char *other = kbr_mention_text(defs, &finding->ops[1], finding->rank, text, sizeof text);
    if (finding->ops[1].kind == KB_OP_IPCQ_RELEASE)
        kbr_finding_say(
            finding, "it reads the slot of a message that %s gave back before: the next may be there", other);
    else
        kbr_finding_say(
            finding, "no edge: it gives the slot back, and nothing before it waits until %s is sent", other);
}

/* Its own stream did not wait for the op that came first, or not before it told others of itself. */
static void say_unawaited(const kb_defs *defs, kbr_finding *finding, const char *point,
                          const kbr_mention *barrier) {
    char text[256], where[256];
    const kbr_mention *first = &finding->ops[1];
    if (finding->ops[0].stream == first->stream)
        kbr_finding_say(finding,
                        "no edge: its stream does not wait before it until %s is %s: no wait, no fence",
                        kbr_mention_text(defs, first, finding->rank, text, sizeof text), point);
    else if (barrier->known)
        kbr_finding_say(finding, "no edge: rank %" PRIu32 " came to %s without having waited until %s was %s",
                        first->rank, kbr_mention_text(defs, barrier, first->rank, where, sizeof where),
                        kbr_mention_text(defs, first, first->rank, text, sizeof text), point);
    else
        kbr_finding_say(finding, "no edge: rank %" PRIu32 " never waited until %s was %s", first->rank,
                        kbr_mention_text(defs, first, first->rank, text, sizeof text), point);
}

void kbr_order_by_program(kbr_finding *finding, const kb_defs *defs) {
    static const char *const turned[][2] = {
        {"write/read", "read/write"}, {"read/write", "write/read"}, {"write/write", "write/write"}};
    const kbr_mention *ops = finding->ops;
    if (finding->op_count < 2 || !ops[0].known || !ops[1].known || ops[0].stream != ops[1].stream ||
        ops[0].index > ops[1].index)
        return;
    for (size_t i = 0; i < sizeof turned / sizeof turned[0]; i++)
        if (strcmp(finding->rule, turned[i][0]) == 0) {
            kbr_finding_swap(finding, defs);
            snprintf(finding->rule, sizeof finding->rule, "%s", turned[i][1]);
            return;
        }
}

kb_status kbr_explain_edge(kbr_lookup *lookup, kbr_finding *finding, kb_trail *trail) {
    const kb_defs *defs = lookup->pass->defs;
    const kbr_mention second = finding->ops[0], first = finding->ops[1];
    if (finding->op_count < 2 || !first.known || !second.known)
        return KB_OK;
    if (strcmp(finding->rule, "read/release") == 0) {
        explain_slot(defs, finding);
        return KB_OK;
    }
    unsigned at = strcmp(finding->rule, "read/write") == 0 ? KB_POINT_SENT : KB_POINT_DONE;
    const char *point = at == KB_POINT_SENT ? "sent" : "done";
    bool together = first.stream == second.stream;
    awaiting of;
    char text[256], where[256];
    const char *other = kbr_mention_text(defs, &first, finding->rank, text, sizeof text);
    KB_TRY(find_awaiting(lookup, &first, at, together ? second.index : UINT64_MAX, &of, trail));
    /* A copy's done is for its receiver to wait for. */
    if (first.kind == KB_OP_IPCQ_COPY && at == KB_POINT_DONE && !together)
        kbr_finding_say(finding, "no edge: it does not come after the receive of what %s sent", other);
    else if (!of.blocks && (!of.at.known || (of.barrier.known && !together)))
        say_unawaited(defs, finding, point, &of.barrier);
    else if (!together && of.at.known)
        kbr_finding_say(
            finding,
            "no edge: no message, barrier or launch leads here from %s, where its stream knew that %s was %s",
            kbr_mention_text(defs, &of.at, finding->rank, where, sizeof where), other, point);
    else if (!together)
        kbr_finding_say(
            finding,
            "no edge: no message, barrier or launch leads here from behind %s, which held its stream", other);
    return KB_OK;
}
