/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an op: taken from a pool, its times found one after another, finished. */
#include <assert.h>
#include <string.h>

#include "pe/sim.h"

void kbs_sim_fail(kbs_sim *sim, kb_status status) {
    if (sim->status == KB_OK)
        sim->status = status;
}

/* The trail is that of the first failure: a later one must not write over it. */
static kb_trail *trail_of(kbs_sim *sim) {
    return sim->status == KB_OK ? &sim->trail : NULL;
}

/* --- pools ----------------------------------------------------------------------------------- */

static void *take(kbs_sim *sim, size_t size) {
    void *memory = NULL;
    const kb_status status = kb_arena_new(&sim->arena, size, &memory, trail_of(sim));
    if (status != KB_OK)
        kbs_sim_fail(sim, status);
    return memory;
}

kbs_op *kbs_op_make(kbs_sim *sim) {
    void *memory;
    const kb_status status = kb_arena_new_in_lines(&sim->arena, sizeof(kbs_op), &memory, trail_of(sim));
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return NULL;
    }
    kbs_op *op = memory;
    op->whys = op->own_whys;
    op->record.blames = op->blames = op->own_blames;
    op->why_capacity = KBS_WHYS;
    op->claims = op->own_claims;
    op->record.claimed = op->claimed = op->own_claimed;
    op->record.offsets = op->offsets;
    op->claim_capacity = KBS_CLAIMS;
    return op;
}

/* A block of a power of two, and the way to it: blocks are few and far between. */
static void *take_block(kbs_sim *sim, unsigned bits) {
    assert(bits < KBS_BLOCKS);
    void *block = sim->free_blocks[bits];
    if (block == NULL)
        return take(sim, (size_t)1 << bits);
    memcpy(&sim->free_blocks[bits], block, sizeof block);
    return block;
}

static void give_block(kbs_sim *sim, void *block, unsigned bits) {
    memcpy(block, &sim->free_blocks[bits], sizeof block);
    sim->free_blocks[bits] = block;
}

/* Both columns of `capacity` rows lie in one block, the wider ones first. */
static unsigned bits_for(uint32_t capacity, size_t row_bytes) {
    unsigned bits = 6;
    while (((size_t)1 << bits) < capacity * row_bytes)
        bits++;
    return bits;
}

static unsigned bits_of_whys(uint32_t capacity) {
    return bits_for(capacity, sizeof(kb_blame) + sizeof(kb_why));
}

static unsigned bits_of_claims(uint32_t capacity) {
    return bits_for(capacity, sizeof(uint64_t) + sizeof(kb_claim));
}

bool kbs_op_grow_whys(kbs_sim *sim, kbs_op *op) {
    const uint32_t capacity = op->why_capacity * 4;
    kb_blame *blames = take_block(sim, bits_of_whys(capacity));
    if (blames == NULL)
        return false;
    kb_why *whys = (kb_why *)(void *)(blames + capacity);
    memcpy(blames, op->blames, op->why_count * sizeof *blames);
    memcpy(whys, op->whys, op->why_count * sizeof *whys);
    if (op->blames != op->own_blames)
        give_block(sim, op->blames, bits_of_whys(op->why_capacity));
    op->record.blames = op->blames = blames;
    op->whys = whys;
    op->why_capacity = capacity;
    return true;
}

bool kbs_op_grow_claims(kbs_sim *sim, kbs_op *op) {
    const uint32_t capacity = op->claim_capacity * 4;
    uint64_t *claimed = take_block(sim, bits_of_claims(capacity));
    if (claimed == NULL)
        return false;
    kb_claim *claims = (kb_claim *)(void *)(claimed + capacity);
    memcpy(claimed, op->claimed, op->claim_count * sizeof *claimed);
    memcpy(claims, op->claims, op->claim_count * sizeof *claims);
    if (op->claimed != op->own_claimed)
        give_block(sim, op->claimed, bits_of_claims(op->claim_capacity));
    op->record.claimed = op->claimed = claimed;
    op->claims = claims;
    op->claim_capacity = capacity;
    return true;
}

void kbs_op_free(kbs_sim *sim, kbs_op *op) {
    if (op->blames != op->own_blames) {
        give_block(sim, op->blames, bits_of_whys(op->why_capacity));
        op->whys = op->own_whys;
        op->record.blames = op->blames = op->own_blames;
        op->why_capacity = KBS_WHYS;
    }
    if (op->claimed != op->own_claimed) {
        give_block(sim, op->claimed, bits_of_claims(op->claim_capacity));
        op->claims = op->own_claims;
        op->record.claimed = op->claimed = op->own_claimed;
        op->claim_capacity = KBS_CLAIMS;
    }
    op->next = sim->free_ops;
    sim->free_ops = op;
}

void kbs_op_note_packet(kbs_sim *sim, kbs_op *op, const kbs_packet *packet) {
    enum { MOST_TOLD = 200 }; /* an op carries no more than KB_WHYS_MAX items: the rest goes into one */
    int64_t rest_ps = 0;
    for (uint32_t i = MOST_TOLD; i < packet->wait_count; i++)
        rest_ps += packet->waits[i].ps;
    kbs_op_took(sim, op, KB_CAUSE_CONTENTION, rest_ps);
    for (uint32_t i = 0; i < packet->wait_count && i < MOST_TOLD; i++) {
        const kbs_wait *wait = &packet->waits[i];
        kbs_note note = {
            .ps = wait->ps, .resource = KB_RESOURCE_LINK, .id = wait->link->id, .who = wait->holder};
        const bool own = wait->holder.rank == op->rank && wait->holder.op == op->record.index;
        note.cause = own ? KB_CAUSE_SERIALISATION : wait->link->is_port ? KB_CAUSE_PORT : KB_CAUSE_CONTENTION;
        note.blames = !own;
        kbs_op_note(sim, op, &note);
    }
    const kbs_route *route = op->train.route;
    kbs_op_note(sim, op,
                &(kbs_note){.ps = packet->drain_ps,
                            .cause = KB_CAUSE_SERIALISATION,
                            .resource = KB_RESOURCE_LINK,
                            .id = route->narrowest->id});
    kbs_op_took(sim, op, KB_CAUSE_HOP, route->latency_ps);
}

void kbs_op_note_awaited(kbs_sim *sim, kbs_op *op, kbs_who who, int64_t late_ps) {
    const int64_t waited_ps = op->record.start_ps - op->ready_ps;
    const int64_t acknowledge_ps = waited_ps < late_ps ? waited_ps : late_ps;
    kbs_note note = {.ps = waited_ps - acknowledge_ps,
                     .cause = KB_CAUSE_AWAITED,
                     .resource = KB_RESOURCE_NONE,
                     .blames = true,
                     .id = KB_NONE,
                     .who = who};
    kbs_op_note(sim, op, &note);
    note.cause = KB_CAUSE_ACKNOWLEDGE;
    note.ps = acknowledge_ps;
    kbs_op_note(sim, op, &note);
}

/* --- times ----------------------------------------------------------------------------------- */

/* Where waits look for the op, or NULL once nobody can wait for it any more. */
static inline kbs_numbered *numbered_of(const kbs_op *op) {
    kbs_pe *pe = op->pe;
    if (!op->shape->common.numbered || op->number < pe->numbered_low)
        return NULL;
    return &pe->numbered[op->number & (pe->numbered_capacity - 1)];
}

static void unblock(kbs_pe *pe, int64_t at_ps) {
    pe->blocked_on = NULL;
    /* What a host issues is numbered behind all that it has seen of its PEs. */
    pe->clock_ps = kbs_later(pe->clock_ps, at_ps + pe->is_host);
    kbs_pe_wake(pe);
}

void kbs_op_sent(kbs_sim *sim, kbs_op *op, int64_t sent_ps) {
    assert(op->record.start_ps != KBS_UNKNOWN && sent_ps >= op->record.start_ps);
    (void)sim;
    kbs_pe *pe = op->pe;
    op->record.sent_ps = sent_ps;
    kbs_numbered *numbered = numbered_of(op);
    if (numbered != NULL) {
        numbered->sent_ps = sent_ps;
        if (pe->waiter != NULL)
            kbs_wait_check(pe);
    }
    if (pe->blocked_on == op && op->shape->common.blocks == KB_BLOCKS_SENT)
        unblock(pe, sent_ps);
}

/* Of ops that are done at one moment, the one that was issued last is the latest. */
static void keep_latest(kbs_pe *pe, const kbs_op *op, int64_t noticed_ps) {
    if (noticed_ps > pe->noticed_ps || (noticed_ps == pe->noticed_ps && op->record.index > pe->noticed.op)) {
        pe->noticed_ps = noticed_ps;
        pe->noticed_late_ps = op->acknowledge_ps;
        pe->noticed = (kbs_who){op->rank, op->record.index};
    }
    if (op->record.done_ps > pe->latest_ps ||
        (op->record.done_ps == pe->latest_ps && op->record.index > pe->latest.op)) {
        pe->latest_ps = op->record.done_ps;
        pe->latest = (kbs_who){op->rank, op->record.index};
    }
}

void kbs_op_done(kbs_sim *sim, kbs_op *op, int64_t done_ps) {
    assert(op->record.sent_ps != KBS_UNKNOWN && done_ps >= op->record.sent_ps);
    assert(sim->status != KB_OK || op->noted_ps == done_ps - op->record.issue_ps);
    kbs_pe *pe = op->pe;
    const int64_t noticed_ps = done_ps + op->acknowledge_ps;
    op->record.done_ps = done_ps;
    kbs_numbered *numbered = numbered_of(op);
    if (numbered != NULL) {
        numbered->done_ps = noticed_ps;
        numbered->late_ps = op->acknowledge_ps;
        if (pe->waiter != NULL)
            kbs_wait_check(pe);
    }
    if (pe->blocked_on == op)
        unblock(pe, noticed_ps);
    keep_latest(pe, op, noticed_ps);
    op->finished = true;
    __builtin_prefetch(op->shape->variants); /* it is told soon */
    pe->unfinished--;
    if (pe->fence != NULL && pe->unfinished == 1)
        kbs_fence_finish(pe);
    else if (pe->unfinished == 0 && (pe->resting || pe->finished))
        kbs_launch_check(pe);
}

void kbs_op_end(kbs_sim *sim, kbs_op *op, int64_t at_ps) {
    assert(op->record.start_ps != KBS_UNKNOWN && at_ps >= op->record.start_ps);
    op->record.sent_ps = at_ps;
    kbs_numbered *numbered = numbered_of(op);
    if (numbered != NULL)
        numbered->sent_ps = at_ps;
    kbs_op_done(sim, op, at_ps);
}
