/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barrier in time. PEs: by dissemination. In round k of ⌈lg n⌉ the member at place i of the group tells the
 * one at i + 2^k that it and all that it has heard of have come, and waits for what the one at i - 2^k tells
 * it (both modulo n), over the path of credits. With the hops of that way, and t of ipcq.credit_bytes at its
 * narrowest link,
 *
 *   at(0, i) = ready(i)
 *   at(k + 1, i) = max (at(k, i), at(k, i - 2^k) + hops + t)
 *   start(i) = at(⌈lg n⌉, i)
 *
 * No message meets another, so that all are found when the last member has come. Hosts come together
 * host.barrier_ns after the last of them.
 */
#include "op/join.h"
#include "op/kind.h"

static kbs_join *join_of(const kbs_pe *pe, const kbs_op *op) {
    return kbs_join_of(pe->sim, pe->stream, op->shape->common.group);
}

/* What each member waits for in the end. Where own and told are as late it has nobody to wait for. */
static const kbs_join_word *disseminate(const kbs_join *join) {
    kbs_join_word *words = join->words, *next = join->words + join->count;
    for (uint32_t i = 0; i < join->count; i++)
        words[i] = (kbs_join_word){.at_ps = join->ops[i]->ready_ps, .from = i};
    for (uint32_t round = 0; round < join->rounds; round++) {
        const kbs_join_way *ways = &join->ways[(size_t)round * join->count];
        for (uint32_t i = 0; i < join->count; i++) {
            const kbs_join_word *told = &words[kbs_join_tells(join, round, i)];
            const int64_t told_ps = told->at_ps + ways[i].hops_ps + ways[i].time_ps;
            next[i] = words[i];
            if (told_ps > words[i].at_ps)
                next[i] = (kbs_join_word){
                    told_ps,
                    told->from,
                    {told->way.hops_ps + ways[i].hops_ps, told->way.time_ps + ways[i].time_ps}};
        }
        kbs_join_word *former = words;
        words = next;
        next = former;
    }
    return words;
}

/* Late is who came after it; of messages that were on their way before it came, it waits for the rest. */
static void leave(kbs_sim *sim, const kbs_join *join, uint32_t place, const kbs_join_word *word) {
    kbs_op *op = join->ops[place];
    const kbs_op *from = join->ops[word->from];
    const int64_t late_ps = kbs_later(from->ready_ps - op->ready_ps, 0);
    const int64_t way_ps = word->at_ps - op->ready_ps - late_ps;
    const int64_t time_ps = word->way.time_ps < way_ps ? word->way.time_ps : way_ps;
    op->record.start_ps = word->at_ps;
    kbs_op_note(sim, op,
                &(kbs_note){.ps = late_ps,
                            .cause = KB_CAUSE_BARRIER,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = {from->rank, from->record.index}});
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, time_ps);
    kbs_op_took(sim, op, KB_CAUSE_HOP, way_ps - time_ps);
    kbs_op_end(sim, op, op->record.start_ps);
}

static void leave_as_host(kbs_sim *sim, const kbs_join *join, uint32_t place) {
    kbs_op *op = join->ops[place];
    op->record.start_ps = join->latest_ps + sim->costs.host_barrier_ps;
    kbs_op_note(sim, op,
                &(kbs_note){.ps = join->latest_ps - op->ready_ps,
                            .cause = KB_CAUSE_BARRIER,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = join->latest});
    kbs_op_took(sim, op, KB_CAUSE_HOST, sim->costs.host_barrier_ps);
    kbs_op_end(sim, op, op->record.start_ps);
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_join *join = join_of(pe, op);
    if (!kbs_join_come(join, op, op->ready_ps))
        return true;
    const kbs_join_word *words = pe->is_host ? NULL : disseminate(join);
    for (uint32_t i = 0; i < join->count; i++)
        if (pe->is_host)
            leave_as_host(pe->sim, join, i);
        else
            leave(pe->sim, join, i, &words[i]);
    kbs_join_reset(join);
    return true;
}

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_join *join = join_of(pe, op);
    const uint32_t missing = kbs_join_missing(join);
    kbs_words_barrier(&ret->words, op->record.id, missing, join->come, join->count);
    const uint32_t pes = pe->sim->program->rank_pes;
    ret->on = pe->is_host ? &pe->sim->hosts[missing] : &pe->sim->pes[missing * pes + pe->pe % pes];
}

const kbs_kind kbs_kind_barrier = {.engine = KB_ENGINE_SEQUENCER, .begin = begin, .explain = explain};
