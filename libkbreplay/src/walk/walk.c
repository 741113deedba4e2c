/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, parking, waking and running ops; see walk.h. */
#include "walk/walk.h"

#include <assert.h>
#include <string.h>

#include "walk/copy.h"
#include "walk/state.h"

enum { TURN_OPS = 64, PARKED_FIRST = 32, CHAINS = 8 };

/* --- lines ------------------------------------------------------------------------------------- */

void kbr_line_up(kbr_line *line, kbr_parked *it) {
    assert(!it->lined);
    it->lined = true;
    it->line_next = NULL;
    if (line->tail != NULL)
        line->tail->line_next = it;
    else
        line->head = it;
    line->tail = it;
}

static kbr_parked *line_off(kbr_line *line) {
    kbr_parked *it = line->head;
    if (it == NULL)
        return NULL;
    line->head = it->line_next;
    if (line->head == NULL)
        line->tail = NULL;
    it->lined = false;
    return it;
}

void kbr_walk_wake(kbr_walk_state *walk, kbr_line *line) {
    kbr_parked *it;
    while ((it = line_off(line)) != NULL)
        kbr_line_up(&walk->waking, it);
}

void kbr_walk_wake_stream(kbr_walk_state *walk, kbr_walk_stream *stream) {
    if (stream->head != NULL && stream->blocker == NULL && !stream->head->lined)
        kbr_line_up(&walk->waking, stream->head);
}

/* Puts `it` where it will be woken when what it waits for has moved. */
static kb_status wait_for(kbr_walk_state *walk, kbr_parked *it, const kbr_awaited *awaited, kb_trail *trail) {
    if (awaited->reading) {
        kbr_walk_rank *in = &walk->ranks[awaited->rank];
        if (in->readers.head == NULL || in->readers_ps > it->op.done_ps)
            in->readers_ps = it->op.done_ps;
        kbr_line_up(&in->readers, it);
        return KB_OK;
    }
    it->awaited_rank = awaited->rank;
    it->awaited_index = awaited->index;
    kbr_parked *other = (kbr_parked *)kbr_table_find(&walk->parked, awaited->rank, awaited->index);
    if (other != NULL) {
        kbr_line_up(&other->waiters, it);
        return KB_OK;
    }
    kbr_future *future = (kbr_future *)kbr_table_find(&walk->futures, awaited->rank, awaited->index);
    if (future == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(walk->pass->alloc, sizeof *future, &block, trail));
        future = block;
        future->node.rank = awaited->rank;
        future->node.index = awaited->index;
        kb_status status = kbr_table_add(&walk->futures, &future->node, trail);
        if (status != KB_OK) {
            kb_delete(walk->pass->alloc, future, sizeof *future);
            return status;
        }
    }
    kbr_line_up(&future->waiters, it);
    return KB_OK;
}

/* The waiters for an op that is read now. */
static kbr_line take_future(kbr_walk_state *walk, uint32_t rank, uint64_t index) {
    kbr_future *future = (kbr_future *)kbr_table_find(&walk->futures, rank, index);
    if (future == NULL)
        return (kbr_line){NULL, NULL};
    kbr_line waiters = future->waiters;
    kbr_table_remove(&walk->futures, &future->node);
    kb_delete(walk->pass->alloc, future, sizeof *future);
    return waiters;
}

/* --- parking ----------------------------------------------------------------------------------- */

/* By time every op is parked; what it has of its own is used again, and marks share the rest. */
static kb_status new_timed(kbr_walk_state *walk, const kb_op *op, kbr_parked **ret_parked, kb_trail *trail) {
    kbr_laid *laid;
    KB_TRY(kbr_laid_create(walk->pass->alloc, op, &laid, trail));
    kb_status status = kbr_walk_new_parked(walk, laid, ret_parked, trail);
    if (status != KB_OK)
        kbr_laid_release(walk->pass->alloc, laid);
    return status;
}

kb_status kbr_walk_new_parked(kbr_walk_state *walk, kbr_laid *laid, kbr_parked **ret_parked,
                              kb_trail *trail) {
    void *block = walk->spares;
    if (block != NULL)
        walk->spares = walk->spares->stream_next;
    else
        KB_TRY(kb_new(walk->pass->alloc, sizeof(kbr_parked), &block, trail));
    kbr_parked *it = memset(block, 0, sizeof(kbr_parked));
    it->size = sizeof *it;
    it->laid = laid;
    it->op = laid->op;
    *ret_parked = it;
    return KB_OK;
}

static kb_status new_parked(kbr_walk_state *walk, const kb_op *op, kbr_parked **ret_parked, kb_trail *trail) {
    if (walk->timed)
        return new_timed(walk, op, ret_parked, trail);
    size_t head = (sizeof(kbr_parked) + 15) & ~(size_t)15, size = head + kbr_op_lay_size(op);
    void *block;
    KB_TRY(kb_new(walk->pass->alloc, size, &block, trail));
    memset(block, 0, sizeof(kbr_parked));
    kbr_parked *it = block;
    it->size = size;
    kbr_op_lay(op, (char *)block + head, &it->op);
    *ret_parked = it;
    return KB_OK;
}

static void delete_parked(kbr_walk_state *walk, kbr_parked *it) {
    if (it->laid == NULL) {
        kb_delete(walk->pass->alloc, it, it->size);
        return;
    }
    kbr_laid_release(walk->pass->alloc, it->laid);
    it->stream_next = walk->spares;
    walk->spares = it;
}

kb_status kbr_walk_park(kbr_walk_state *walk, uint32_t rank, kbr_parked *it, kb_trail *trail) {
    it->node.rank = rank;
    it->node.index = it->op.index;
    it->awaited_rank = KB_NONE;
    kb_status status = kbr_table_add(&walk->parked, &it->node, trail);
    if (status != KB_OK) {
        delete_parked(walk, it);
        return status;
    }
    kbr_walk_rank *in = &walk->ranks[rank];
    it->rank_previous = in->last;
    if (in->last != NULL)
        in->last->rank_next = it;
    else
        in->first = it;
    in->last = it;
    in->parked_count++;
    it->waiters = take_future(walk, rank, it->op.index);
    return KB_OK;
}

static kb_status park(kbr_walk_state *walk, uint32_t rank, const kb_op *op, kbr_phase phase, uint64_t launch,
                      kbr_parked **ret_parked, kb_trail *trail) {
    KB_TRY(new_parked(walk, op, ret_parked, trail));
    (*ret_parked)->phase = phase;
    (*ret_parked)->launch = launch;
    return kbr_walk_park(walk, rank, *ret_parked, trail);
}

/* The op is done: nobody waits for it any more. */
void kbr_walk_unpark(kbr_walk_state *walk, kbr_parked *it) {
    kbr_walk_rank *in = &walk->ranks[it->node.rank];
    kbr_walk_stream *stream = &walk->streams[it->op.what->stream];
    kbr_walk_wake(walk, &it->waiters);
    if (stream->blocker == it) {
        stream->blocker = NULL;
        kbr_walk_wake_stream(walk, stream);
    }
    *(it->rank_previous != NULL ? &it->rank_previous->rank_next : &in->first) = it->rank_next;
    *(it->rank_next != NULL ? &it->rank_next->rank_previous : &in->last) = it->rank_previous;
    in->parked_count--;
    kbr_table_remove(&walk->parked, &it->node);
    delete_parked(walk, it);
}

/* --- running ----------------------------------------------------------------------------------- */

static kb_status run(kbr_walk_state *walk, uint32_t rank, const kb_op *op, kb_trail *trail) {
    walk->pass->result->ops++;
    return walk->visitor->execute(walk->visitor->user, rank, op, trail);
}

/* DONE is reached where the completion of an op that ran claims nothing more. */
static kb_status complete(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    it->awaited_rank = KB_NONE;
    kbr_awaited awaited;
    if (it->op.what->reached != KB_POINT_DONE)
        return KB_OK;
    if (!kbr_claims_hold(walk, it->node.rank, &it->op, it->launch, KBR_AT_DONE, &awaited))
        return wait_for(walk, it, &awaited, trail);
    if (walk->timed && it->op.done_ps > walk->now_ps)
        return kbr_walk_await_time(walk, it, trail);
    kbr_walk_unpark(walk, it);
    return KB_OK;
}

/*
 * The op ran: SENT is reached. Waiters hear of that once: two ops that each complete with the other's done
 * would wake one another for ever.
 */
static kb_status ran(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    kbr_walk_stream *stream = &walk->streams[it->op.what->stream];
    it->phase = KBR_RAN;
    kbr_walk_wake(walk, &it->waiters);
    if (it->op.what->blocks == KB_BLOCKS_SENT && stream->blocker == it) {
        stream->blocker = NULL;
        kbr_walk_wake_stream(walk, stream);
    }
    return complete(walk, it, trail);
}

/* An op that the run did not finish. */
static kb_status abandon(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    it->awaited_rank = KB_NONE;
    if (it->op.what->reached < KB_POINT_START)
        return KB_OK;
    it->phase = KBR_LEFT;
    KB_TRY(walk->visitor->abandon(walk->visitor->user, it->node.rank, &it->op, trail));
    return it->op.what->reached >= KB_POINT_SENT ? ran(walk, it, trail) : KB_OK;
}

kb_status kbr_walk_begin(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    if (it->op.what->reached != KB_POINT_DONE)
        return abandon(walk, it, trail);
    KB_TRY(run(walk, it->node.rank, &it->op, trail));
    return ran(walk, it, trail);
}

kb_status kbr_walk_ready(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    void *ready = walk->ready;
    KB_TRY(kb_grow(walk->pass->alloc, sizeof *walk->ready, walk->ready_count + 1, &walk->ready_capacity,
                   &ready, trail));
    walk->ready = ready;
    walk->ready[walk->ready_count++] = it;
    it->phase = KBR_READY;
    return KB_OK;
}

/* --- from phase to phase ----------------------------------------------------------------------- */

static kb_status issue(kbr_walk_state *walk, kbr_parked *it, bool *ret_issued, kb_trail *trail) {
    kbr_walk_stream *stream = &walk->streams[it->op.what->stream];
    kbr_awaited awaited;
    *ret_issued = false;
    if (stream->head != it || stream->blocker != NULL)
        return KB_OK;
    if (!kbr_claims_hold(walk, it->node.rank, &it->op, it->launch, KBR_AT_ISSUE, &awaited))
        return wait_for(walk, it, &awaited, trail);
    stream->head = it->stream_next;
    if (stream->head == NULL)
        stream->tail = NULL;
    it->phase = KBR_ISSUED;
    if (it->op.what->blocks != KB_BLOCKS_NO)
        stream->blocker = it;
    else
        kbr_walk_wake_stream(walk, stream);
    *ret_issued = true;
    KB_TRY(walk->visitor->issue(walk->visitor->user, it->node.rank, &it->op, trail));
    if (!kbr_op_impl_of(it->op.what->kind)->joins)
        return KB_OK;
    kbr_meeting *meeting;
    bool full;
    KB_TRY(kbr_meeting_enter(walk, it->node.rank, &it->op, &meeting, &full, trail));
    if (full)
        kbr_walk_wake(walk, &meeting->waiters);
    return KB_OK;
}

static kb_status start(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    kbr_awaited awaited;
    if (!kbr_claims_hold(walk, it->node.rank, &it->op, it->launch, KBR_AT_START, &awaited))
        return wait_for(walk, it, &awaited, trail);
    if (it->op.what->reached != KB_POINT_DONE && (!walk->timed || it->op.what->reached < KB_POINT_START))
        return abandon(walk, it, trail);
    it->awaited_rank = KB_NONE;
    if (kbr_op_impl_of(it->op.what->kind)->joins) {
        kbr_meeting *meeting = kbr_meeting_find(walk, &it->op);
        if (!kbr_meeting_is_full(walk, meeting)) {
            kbr_line_up(&meeting->waiters, it);
            return KB_OK;
        }
        kbr_meeting_leave(walk, meeting);
    }
    if (walk->timed)
        return kbr_walk_await_time(walk, it, trail);
    if (walk->pass->random)
        return kbr_walk_ready(walk, it, trail);
    return kbr_walk_begin(walk, it, trail);
}

/* Takes a woken op as far as it can go. */
static kb_status advance(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    if (it->phase == KBR_QUEUED) {
        bool issued;
        KB_TRY(issue(walk, it, &issued, trail));
        if (!issued)
            return KB_OK;
    }
    if (it->phase == KBR_ISSUED)
        return start(walk, it, trail);
    return it->phase == KBR_RAN ? complete(walk, it, trail) : KB_OK;
}

kb_status kbr_walk_settle(kbr_walk_state *walk, kb_trail *trail) {
    kbr_parked *it;
    while ((it = line_off(&walk->waking)) != NULL)
        KB_TRY(advance(walk, it, trail));
    return KB_OK;
}

static uint64_t draw(kbr_walk_state *walk) {
    uint64_t x = walk->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Runs some of the ready ops, drawn at random; not all, so that others can come between them. */
kb_status kbr_walk_run_drawn(kbr_walk_state *walk, kb_trail *trail) {
    for (size_t left = walk->ready_count / 2 + 1; left > 0 && walk->ready_count > 0; left--) {
        size_t at = (size_t)(draw(walk) % walk->ready_count);
        kbr_parked *it = walk->ready[at];
        walk->ready[at] = walk->ready[--walk->ready_count];
        KB_TRY(kbr_walk_begin(walk, it, trail));
        KB_TRY(kbr_walk_settle(walk, trail));
    }
    return KB_OK;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* The launch that an op works for: that which its stream claimed last. */
static uint64_t launch_of(kbr_walk_stream *stream, const kb_op *op) {
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == KB_ROLE_LAUNCH && op->what->claims[i].set == KB_SET_ONE)
            stream->launch = op->claimed[i] + 1;
    return op->what->kind == KB_OP_LAUNCH ? 0 : stream->launch;
}

/* An op that nothing holds back runs from the cursor's own storage. */
static bool free_to_run(const kbr_walk_state *walk, uint32_t rank, const kb_op *op, uint64_t launch) {
    const kbr_walk_stream *stream = &walk->streams[op->what->stream];
    kbr_awaited awaited;
    return !walk->parks_all && stream->head == NULL && stream->blocker == NULL &&
           op->what->reached == KB_POINT_DONE && !kbr_op_impl_of(op->what->kind)->joins &&
           kbr_claims_hold(walk, rank, op, launch, KBR_AT_ISSUE | KBR_AT_START, &awaited);
}

void kbr_walk_queue(kbr_walk_stream *stream, kbr_parked *it) {
    *(stream->tail != NULL ? &stream->tail->stream_next : &stream->head) = it;
    stream->tail = it;
}

kb_status kbr_walk_take(kbr_walk_state *walk, uint32_t rank, const kb_op *op, bool *ret_parked,
                        kb_trail *trail) {
    kbr_walk_rank *in = &walk->ranks[rank];
    bool usable = true;
    *ret_parked = false;
    KB_TRY(walk->visitor->read(walk->visitor->user, rank, op, &usable, trail));
    in->read_count = op->index + 1;
    in->last_issue_ps = op->issue_ps;
    kbr_line waiters;
    if (!usable) {
        waiters = take_future(walk, rank, op->index);
        kbr_walk_wake(walk, &waiters);
        return KB_OK;
    }
    kbr_walk_stream *stream = &walk->streams[op->what->stream];
    uint64_t launch = launch_of(stream, op);
    kbr_parked *it;
    if (free_to_run(walk, rank, op, launch)) {
        KB_TRY(walk->visitor->issue(walk->visitor->user, rank, op, trail));
        KB_TRY(run(walk, rank, op, trail));
        kbr_awaited awaited;
        if (kbr_claims_hold(walk, rank, op, launch, KBR_AT_DONE, &awaited)) {
            waiters = take_future(walk, rank, op->index);
            kbr_walk_wake(walk, &waiters);
            return KB_OK;
        }
        KB_TRY(park(walk, rank, op, KBR_RAN, launch, &it, trail));
        if (op->what->blocks == KB_BLOCKS_DONE)
            stream->blocker = it;
        return ran(walk, it, trail);
    }
    KB_TRY(park(walk, rank, op, KBR_QUEUED, launch, &it, trail));
    kbr_walk_queue(stream, it);
    *ret_parked = true;
    return stream->head == it ? advance(walk, it, trail) : KB_OK;
}

/* Nothing that follows in the stream can be issued now. */
static bool holds(const kbr_walk_stream *stream) {
    return stream->head != NULL || stream->blocker != NULL;
}

/* It has more to be read before the others come to the end of the frame. */
static bool is_in_frame(const kbr_walk_state *walk, const kbr_walk_rank *in) {
    return !in->ended && kb_cursor_frame(in->cursor) <= walk->frame;
}

/*
 * Reads a rank as far as its streams go on; who waits for it goes on at once. Many ops of a rank in a row are
 * quicker than as many of several: what is kept of a rank is in the caches then.
 */
static kb_status read_turn(kbr_walk_state *walk, uint32_t rank, bool *inout_moved, kb_trail *trail) {
    kbr_walk_rank *in = &walk->ranks[rank];
    for (int i = 0; i < TURN_OPS && is_in_frame(walk, in) && in->parked_count < walk->parked_limit; i++) {
        const kb_op *op;
        kb_status status = kb_cursor_next(in->cursor, &op, trail);
        *inout_moved = true;
        bool parked = false;
        if (status == KB_END)
            in->ended = true;
        else if (status != KB_OK)
            return status;
        else
            KB_TRY(kbr_walk_take(walk, rank, op, &parked, trail));
        if (in->readers.head != NULL && (in->ended || in->last_issue_ps > in->readers_ps))
            kbr_walk_wake(walk, &in->readers);
        if (walk->waking.head != NULL)
            KB_TRY(kbr_walk_settle(walk, trail));
        if (parked && holds(&walk->streams[op->what->stream]))
            break;
    }
    return KB_OK;
}

static bool all_ended(const kbr_walk_state *walk) {
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        if (!walk->ranks[rank].ended)
            return false;
    return true;
}

static kb_status tell(const kbr_walk_state *walk, kb_trail *trail) {
    uint64_t ops = 0;
    if (walk->pass->progress.tell == NULL)
        return KB_OK;
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        ops += walk->ranks[rank].read_count;
    return kbr_progress_tell(&walk->pass->progress, ops, trail);
}

/*
 * Nobody can go on as it is. Either what the open frame still holds is parked, too, which is little: what
 * could not run so far waited for ops that the run was told of later. Or the next frame is opened. So each
 * frame is unpacked once, however far apart the ranks are in time.
 */
static void go_further(kbr_walk_state *walk) {
    uint32_t next = UINT32_MAX;
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++) {
        const kbr_walk_rank *in = &walk->ranks[rank];
        if (in->ended)
            continue;
        const uint32_t frame = kb_cursor_frame(in->cursor);
        if (frame <= walk->frame) {
            walk->parked_limit *= 2;
            return;
        }
        next = frame < next ? frame : next;
    }
    walk->frame = next;
    walk->parked_limit = PARKED_FIRST;
}

/*
 * In a ring, and in much else, a rank can go on as far as the one before it has gone. Turn after turn in the
 * order of ranks would make one long chain of them, which no two threads could share; and turns of ranks that
 * have nothing to do with each other would leave the caches cold. So several chains go on side by side.
 */
static kb_status go(kbr_walk_state *walk, kb_trail *trail) {
    const uint32_t ranks = walk->pass->run->ranks, step = (ranks + CHAINS - 1) / CHAINS;
    for (;;) {
        bool moved = false;
        KB_TRY(tell(walk, trail));
        for (uint32_t first = 0; first < step; first++) {
            for (uint32_t rank = first; rank < ranks; rank += step) {
                KB_TRY(read_turn(walk, rank, &moved, trail));
                KB_TRY(kbr_walk_settle(walk, trail));
            }
        }
        if (walk->ready_count != 0)
            KB_TRY(kbr_walk_run_drawn(walk, trail));
        else if (!moved && all_ended(walk))
            return KB_OK;
        else if (!moved)
            go_further(walk);
    }
}

/* --- life -------------------------------------------------------------------------------------- */

static kb_status begin(kbr_walk_state *walk, kb_trail *trail) {
    const kbr_pass *pass = walk->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, (pass->run->ranks + 1u) * sizeof *walk->ranks, &block, trail));
    walk->ranks = block;
    KB_TRY(kb_new_zeroed(pass->alloc, (pass->defs->stream_count + 1) * sizeof *walk->streams, &block, trail));
    walk->streams = block;
    for (uint32_t rank = 0; rank < pass->run->ranks; rank++)
        KB_TRY(kb_cursor_create(pass->reader, rank, &walk->ranks[rank].cursor, trail));
    return KB_OK;
}

void kbr_walk_forget(kbr_walk_state *walk) {
    kbr_node *node;
    while ((node = kbr_table_take(&walk->parked)) != NULL)
        delete_parked(walk, (kbr_parked *)node);
    while ((node = kbr_table_take(&walk->futures)) != NULL)
        kb_delete(walk->pass->alloc, node, sizeof(kbr_future));
    kbr_meetings_fini(walk);
}

kb_status kbr_walk_init(kbr_walk_state *walk, kbr_pass *pass, const kbr_visitor *visitor, kb_trail *trail) {
    *walk = (kbr_walk_state){.pass = pass,
                             .visitor = visitor,
                             .parks_all = pass->random,
                             .parked_limit = PARKED_FIRST,
                             .random = pass->seed};
    kbr_table_init(&walk->parked, pass->alloc);
    kbr_table_init(&walk->futures, pass->alloc);
    return begin(walk, trail);
}

void kbr_walk_fini(kbr_walk_state *walk) {
    const kbr_pass *pass = walk->pass;
    kbr_walk_forget(walk);
    while (walk->spares != NULL) {
        kbr_parked *next = walk->spares->stream_next;
        kb_delete(pass->alloc, walk->spares, sizeof *walk->spares);
        walk->spares = next;
    }
    kbr_table_fini(&walk->parked);
    kbr_table_fini(&walk->futures);
    for (uint32_t rank = 0; walk->ranks != NULL && rank < pass->run->ranks; rank++)
        kb_cursor_destroy(walk->ranks[rank].cursor);
    kb_delete(pass->alloc, walk->ranks, (pass->run->ranks + 1u) * sizeof *walk->ranks);
    kb_delete(pass->alloc, walk->streams, (pass->defs->stream_count + 1) * sizeof *walk->streams);
    kb_delete(pass->alloc, walk->ready, walk->ready_capacity * sizeof *walk->ready);
}

kb_status kbr_walk(kbr_pass *pass, const kbr_visitor *visitor, kb_trail *trail) {
    kbr_walk_state walk;
    kb_status status = kbr_walk_init(&walk, pass, visitor, trail);
    if (status == KB_OK)
        status = go(&walk, trail);
    if (status == KB_OK)
        kbr_walk_explain(&walk);
    kbr_walk_fini(&walk);
    return status;
}
