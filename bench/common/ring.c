/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring all-reduces with times: see ring.h. A step of a rank is copy, recv, add or dma_read, release,
 * wait; all copies of a step are timed first, because every rank then waits for its neighbour's.
 */
#include "common/ring.h"

#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/ring_parts.h"

enum {
    DISPATCH_PS = 4000,
    COMMIT_PS = 8000,
    LOOK_PS = 1000,
    ADD_PS = 16000,
    SETUP_PS = 10000,
    READ_PS = 8000,
    CREDIT_PS = 63 /* 16 bytes at 256 GB/s */
};

/* splitmix64 */
static uint64_t draw(bench_ring *ring) {
    uint64_t x = ring->random += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* 0 but for a share of `of256` / 256, then up to `most` ps at random: another flow was there first. */
static int64_t delay(bench_ring *ring, unsigned of256, int64_t most) {
    uint64_t x = draw(ring);
    return (x & 255) < of256 ? (int64_t)(1 + (x >> 8) % (uint64_t)most) : 0;
}

static uint32_t next_of(const bench_ring *ring, uint32_t rank) {
    return rank + 1 == ring->options.ranks ? 0 : rank + 1;
}

static uint32_t former_of(const bench_ring *ring, uint32_t rank) {
    return (rank == 0 ? ring->options.ranks : rank) - 1;
}

/* --- one record ------------------------------------------------------------------------------------ */

static void because(const bench_ring *ring, bench_record *record, int64_t ps, uint32_t resource,
                    uint32_t rank, uint64_t op) {
    if (ring->options.whys)
        record->blames[record->op.tile++] = (kb_blame){ps, resource, rank, op};
}

/* `tile` counts the why-items until the record is finished. */
static bench_record *begin(bench_ring *ring, uint32_t rank, int64_t issue_ps) {
    bench_lane *lane = &ring->lanes[rank];
    bench_record *record = &ring->records[ring->record_count++];
    record->rank = rank;
    record->op = (kb_op){
        .index = lane->index++,
        .issue_ps = issue_ps,
        .step = ring->step,
        .collective = 1 + ring->collective,
    };
    because(ring, record, DISPATCH_PS, bench_engine_id(rank, KB_ENGINE_SEQUENCER), 0, 0);
    return record;
}

static void finish(bench_ring *ring, bench_record *record, enum bench_shape shape, unsigned traits,
                   int64_t start_ps, int64_t sent_ps, int64_t done_ps) {
    kb_op *op = &record->op;
    record->what = bench_template(ring, record->rank, shape, traits, &op->what);
    bench_must(op->tile == op->what->why_count, "giving every picosecond a cause");
    op->tile = 0;
    op->start_ps = start_ps;
    op->sent_ps = sent_ps;
    op->done_ps = done_ps;
    op->offsets = record->offsets;
    op->claimed = record->claimed;
    op->blames = record->blames;
    if (done_ps > ring->end_ps)
        ring->end_ps = done_ps;
}

static uint64_t slot_offset(uint64_t sequence) {
    return BENCH_RING_OFFSET + sequence % BENCH_SLOTS * BENCH_SLOT_BYTES;
}

/* Where a chunk lies; `behind` may be negative. */
static uint64_t chunk_offset(const bench_ring *ring, uint32_t rank, int64_t behind) {
    int64_t ranks = ring->options.ranks;
    uint64_t chunk = (uint64_t)((((int64_t)rank - behind) % ranks + ranks) % ranks);
    return (ring->collective % 4 * ring->options.ranks + chunk) * BENCH_SLOT_BYTES;
}

/* --- a step ---------------------------------------------------------------------------------------- */

/* The chunk that a rank sends in this step counts down from its own; gathering begins one later. */
static int64_t sent_chunk(const bench_ring *ring) {
    return ring->gather ? (int64_t)ring->step - 1 : (int64_t)ring->step;
}

/* When a rank's copy of this step passes: its neighbour waits for it, so this is known of all ranks first. */
static void time_copy(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    const bench_release *release = &ring->lanes[next_of(ring, rank)].releases[ring->sequence % BENCH_SLOTS];
    const bench_path *path = &lane->path;
    bool edge = ring->step == 0 && !ring->gather;
    lane->copy_issue_ps = lane->now_ps + (edge ? DISPATCH_PS : 0);
    lane->copy_index = lane->index + edge;
    lane->copy_start_ps = lane->copy_issue_ps + DISPATCH_PS;
    if (ring->sequence >= BENCH_SLOTS && release->done_ps > lane->copy_start_ps)
        lane->copy_start_ps = release->done_ps;
    lane->credit_index = release->index;
    lane->held_ps = delay(ring, 64, 16 * path->flit_ps);
    lane->copy_sent_ps = lane->copy_start_ps + lane->held_ps + 16 * path->flit_ps;
    lane->copy_done_ps = lane->copy_sent_ps + path->hop_ps + COMMIT_PS;
}

static void put_copy(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    const bench_path *path = &lane->path;
    unsigned traits = ring->gather ? BENCH_GATHER : 0;
    bench_record *record = begin(ring, rank, lane->copy_issue_ps);
    int64_t waited_ps = lane->copy_start_ps - lane->copy_issue_ps - DISPATCH_PS;
    record->op.sequence = ring->sequence;
    record->offsets[0] = slot_offset(ring->sequence);
    record->offsets[1] = chunk_offset(ring, rank, sent_chunk(ring));
    if (ring->sequence >= BENCH_SLOTS) {
        record->claimed[0] = lane->credit_index;
        traits |= BENCH_CLAIMS_IT;
    }
    if (waited_ps > 0) {
        because(ring, record, waited_ps, bench_queue_id(rank), next_of(ring, rank), lane->credit_index);
        traits |= BENCH_WAITS;
    }
    if (lane->held_ps > 0) {
        uint32_t other = (uint32_t)((rank + 8 + (uint64_t)lane->held_ps % 3) % ring->options.ranks);
        because(ring, record, lane->held_ps, path->first_link, other, ring->lanes[other].copy_index);
        traits |= BENCH_HELD;
    }
    because(ring, record, 16 * path->flit_ps, path->narrow_link, 0, 0);
    because(ring, record, path->hop_ps, KB_NONE, 0, 0);
    because(ring, record, COMMIT_PS, bench_tcm_id(next_of(ring, rank)), 0, 0);
    finish(ring, record, BENCH_COPY, traits, lane->copy_start_ps, lane->copy_sent_ps, lane->copy_done_ps);
    lane->now_ps += DISPATCH_PS; /* the sequencer goes on */
}

static void put_recv(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    const bench_lane *from = &ring->lanes[former_of(ring, rank)];
    bench_record *record = begin(ring, rank, lane->now_ps);
    int64_t start_ps = lane->now_ps + DISPATCH_PS;
    unsigned traits = (ring->gather ? BENCH_GATHER : 0) | BENCH_CLAIMS_IT;
    record->op.sequence = ring->sequence;
    record->offsets[0] = slot_offset(ring->sequence);
    record->claimed[0] = from->copy_index;
    if (from->copy_done_ps > start_ps) {
        because(ring, record, from->copy_done_ps - start_ps, bench_queue_id(former_of(ring, rank)),
                former_of(ring, rank), from->copy_index);
        traits |= BENCH_WAITS;
        start_ps = from->copy_done_ps;
    }
    lane->now_ps = start_ps + LOOK_PS;
    because(ring, record, LOOK_PS, bench_tcm_id(rank), 0, 0);
    finish(ring, record, BENCH_RECV, traits, start_ps, lane->now_ps, lane->now_ps);
}

/* Reducing: chunk += slot. */
static void put_add(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    bench_record *record = begin(ring, rank, lane->now_ps);
    int64_t start_ps = lane->now_ps + DISPATCH_PS, held_ps = delay(ring, 32, ADD_PS / 2);
    unsigned traits = held_ps > 0 ? BENCH_HELD : 0;
    record->offsets[0] = record->offsets[1] = chunk_offset(ring, rank, (int64_t)ring->step + 1);
    record->offsets[2] = slot_offset(ring->sequence);
    if (lane->has_added) {
        record->claimed[0] = lane->add_index;
        traits |= BENCH_CLAIMS_IT;
    }
    lane->has_added = true;
    lane->add_index = record->op.index;
    if (held_ps > 0)
        because(ring, record, held_ps, bench_tcm_id(rank), rank, lane->copy_index);
    lane->now_ps = start_ps + held_ps + ADD_PS + LOOK_PS;
    because(ring, record, ADD_PS, bench_engine_id(rank, KB_ENGINE_MATH), 0, 0);
    because(ring, record, LOOK_PS, bench_tcm_id(rank), 0, 0);
    finish(ring, record, BENCH_ADD, traits, start_ps, lane->now_ps - LOOK_PS, lane->now_ps);
}

/* Gathering: chunk = slot. */
static void put_read(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    bench_record *record = begin(ring, rank, lane->now_ps);
    int64_t start_ps = lane->now_ps + DISPATCH_PS, held_ps = delay(ring, 32, READ_PS);
    unsigned traits = BENCH_GATHER | (held_ps > 0 ? BENCH_HELD : 0);
    record->offsets[0] = chunk_offset(ring, rank, (int64_t)ring->step);
    record->offsets[1] = slot_offset(ring->sequence);
    if (held_ps > 0)
        because(ring, record, held_ps, bench_tcm_id(rank), rank, lane->copy_index);
    lane->now_ps = start_ps + SETUP_PS + held_ps + READ_PS;
    because(ring, record, SETUP_PS, bench_engine_id(rank, KB_ENGINE_DMA), 0, 0);
    because(ring, record, READ_PS, bench_tcm_id(rank), 0, 0);
    finish(ring, record, BENCH_READ, traits, start_ps, lane->now_ps, lane->now_ps);
}

static void put_release(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    const bench_path *path = &ring->lanes[former_of(ring, rank)].path;
    bench_record *record = begin(ring, rank, lane->now_ps);
    int64_t sent_ps = lane->now_ps + DISPATCH_PS + CREDIT_PS, done_ps = sent_ps + path->hop_ps;
    record->op.sequence = ring->sequence;
    record->offsets[0] = slot_offset(ring->sequence);
    because(ring, record, CREDIT_PS, KB_NONE, 0, 0);
    because(ring, record, path->hop_ps, KB_NONE, 0, 0);
    lane->releases[ring->sequence % BENCH_SLOTS] = (bench_release){record->op.index, done_ps};
    finish(ring, record, BENCH_RELEASE, ring->gather ? BENCH_GATHER : 0, lane->now_ps + DISPATCH_PS, sent_ps,
           done_ps);
    lane->now_ps += DISPATCH_PS;
}

/* Until the copy of this step no longer reads its source. */
static void put_wait(bench_ring *ring, uint32_t rank) {
    bench_lane *lane = &ring->lanes[rank];
    bench_record *record = begin(ring, rank, lane->now_ps);
    int64_t start_ps = lane->now_ps + DISPATCH_PS;
    unsigned traits = (ring->gather ? BENCH_GATHER : 0) | BENCH_CLAIMS_IT;
    record->claimed[0] = lane->copy_index;
    if (lane->copy_sent_ps > start_ps) {
        because(ring, record, lane->copy_sent_ps - start_ps, bench_engine_id(rank, KB_ENGINE_IPCQ), rank,
                lane->copy_index);
        traits |= BENCH_WAITS;
        start_ps = lane->copy_sent_ps;
    }
    because(ring, record, LOOK_PS, bench_engine_id(rank, KB_ENGINE_SEQUENCER), 0, 0);
    lane->now_ps = start_ps + LOOK_PS;
    finish(ring, record, BENCH_WAIT, traits, start_ps, lane->now_ps, lane->now_ps);
}

/* The stream enters or leaves the collective. */
static void put_edge(bench_ring *ring, uint32_t rank, enum bench_shape shape) {
    bench_lane *lane = &ring->lanes[rank];
    bench_record *record = begin(ring, rank, lane->now_ps);
    record->op.step = 0;
    record->offsets[0] = chunk_offset(ring, 0, 0);
    lane->now_ps += DISPATCH_PS;
    finish(ring, record, shape, 0, lane->now_ps, lane->now_ps, lane->now_ps);
}

static void put_step(bench_ring *ring, uint32_t rank) {
    if (ring->step == 0 && !ring->gather)
        put_edge(ring, rank, BENCH_BEGIN);
    put_copy(ring, rank);
    put_recv(ring, rank);
    if (ring->gather)
        put_read(ring, rank);
    else
        put_add(ring, rank);
    put_release(ring, rank);
    put_wait(ring, rank);
    if (ring->gather && ring->step + 2 == ring->options.ranks)
        put_edge(ring, rank, BENCH_END);
}

static void end_step(bench_ring *ring) {
    bool last = ring->step + 2 == ring->options.ranks;
    ring->sequence++;
    ring->step = last ? 0 : ring->step + 1;
    ring->collective += last && ring->gather;
    ring->gather ^= last;
    ring->rank = 0;
}

size_t bench_ring_next(bench_ring *ring, const bench_record **ret_records) {
    uint32_t ranks = ring->options.ranks;
    uint64_t left = ring->options.records - ring->made;
    ring->record_count = 0;
    if (left == 0)
        return 0;
    for (uint32_t rank = 0; ring->rank == 0 && rank < ranks; rank++)
        time_copy(ring, rank);
    for (uint32_t i = 0; i < BENCH_GROUP && ring->rank < ranks; i++)
        put_step(ring, ring->rank++);
    if (ring->rank == ranks)
        end_step(ring);
    size_t count = ring->record_count < left ? ring->record_count : (size_t)left;
    ring->made += count;
    *ret_records = ring->records;
    return count;
}
