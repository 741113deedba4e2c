/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue: the protocol of queues, message by message.
 *
 * Sequences are dense on both sides, each message is sent, received and released once, by the streams
 * that the queue joins, in the slot of its number; a receive claims its copy, and a copy into a used
 * slot claims the release that freed it; what touches a slot stays inside the message that lies there.
 */
#include <inttypes.h>

#include "check/check.h"
#include "op/access.h"
#include "op/op.h"

/* Messages that the two sides may be apart in the trace; a sequence beyond is not a skew but wrong. */
#define WINDOW_MOST ((uint64_t)1 << 20)

enum { COPY, RECV, RELEASE, ACTS, CLAIMERS = RELEASE };

static const char *const acts[ACTS] = {"copy", "recv", "release"};

/* What is known of one message: who did what with it, and what was claimed. */
typedef struct message {
    kbr_sighting by[ACTS];
    uint64_t claimed_index[CLAIMERS], size[CLAIMERS];
    uint32_t claimed_rank[CLAIMERS];
    uint8_t dtype[CLAIMERS];
    bool done[ACTS], claims[CLAIMERS];
    bool waits[CLAIMERS]; /* the run ended before it started: what it would claim then may not be there */
} message;

typedef struct filling {
    uint64_t size; /* bytes; 0: no message yet */
    uint32_t dtype;
} filling;

typedef struct queue_state {
    uint64_t next[ACTS];       /* the sequence that each act should have next */
    kbr_sighting former[ACTS]; /* the op that did it last … */
    bool any[ACTS];            /* … if there was one */
    bool gaps;                 /* a sequence is not dense: what is left at the end follows from it */
    message *window;           /* of sequences [base, base + count) */
    uint64_t base;
    size_t count, capacity;
    size_t over;     /* of these, from the first on: nothing more can be asked of them */
    filling *filled; /* [slots seen]: the message that lies there, by dataflow */
    size_t filled_count, filled_capacity;
} queue_state;

typedef struct queues {
    kbr_pass *pass;
    queue_state *items;
} queues;

/* A ring lies with its consumer. */
static void check_ring(kbr_pass *pass, uint32_t id) {
    const kb_queue *queue = &pass->defs->queues[id];
    const kb_stream *consumer = &pass->defs->streams[queue->consumer];
    const kb_memory *memory = &pass->defs->memories[queue->memory];
    if (memory->rank == consumer->rank && memory->pe == consumer->pe)
        return;
    kbr_finding finding = kbr_finding_about(pass->defs, "queue", "ring", consumer->rank, NULL);
    finding.key = id;
    finding.pe = consumer->pe;
    kbr_finding_place(&finding, pass->defs, queue->memory, queue->offset_bytes,
                      queue->slots * queue->slot_bytes);
    kbr_finding_say(&finding, "the ring of queue %s does not lie in a memory of its consumer, %s",
                    queue->name, consumer->name);
    kbr_findings_add(pass->findings, &finding);
}

static kb_status open_queues(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    size_t size = sizeof(queues) + pass->defs->queue_count * sizeof(queue_state);
    KB_TRY(kb_new_zeroed(pass->alloc, size, &block, trail));
    queues *it = block;
    it->pass = pass;
    it->items = (queue_state *)(it + 1);
    for (uint32_t id = 0; id < pass->defs->queue_count; id++)
        check_ring(pass, id);
    *ret_state = it;
    return KB_OK;
}

static void close_queues(void *state, const kb_alloc *alloc) {
    queues *it = state;
    size_t count = it->pass->defs->queue_count;
    for (size_t i = 0; i < count; i++) {
        kb_delete(alloc, it->items[i].window, it->items[i].capacity * sizeof(message));
        kb_delete(alloc, it->items[i].filled, it->items[i].filled_capacity * sizeof(filling));
    }
    kb_delete(alloc, it, sizeof *it + count * sizeof(queue_state));
}

static kbr_finding about(const queues *it, const char *rule, uint32_t rank, const kb_op *op, uint32_t queue) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "queue", rule, rank, op);
    finding.key = queue;
    return finding;
}

#define SAY(it, rule, rank, op, queue, ...)                                \
    do {                                                                   \
        kbr_finding finding_ = about((it), (rule), (rank), (op), (queue)); \
        kbr_finding_say(&finding_, __VA_ARGS__);                           \
        kbr_findings_add((it)->pass->findings, &finding_);                 \
    } while (0)

/* --- one op by itself -------------------------------------------------------------------------- */

static void check_place(const queues *it, uint32_t rank, const kb_op *op, int act) {
    const kb_defs *defs = it->pass->defs;
    uint32_t id = op->what->queue;
    const kb_queue *queue = &defs->queues[id];
    uint32_t stream = act == COPY ? queue->producer : queue->consumer;
    if (op->what->stream != stream)
        SAY(it, "stream", rank, op, id, "queue %s is %s by stream %s, not by %s", queue->name,
            act == COPY ? "filled" : "emptied", defs->streams[stream].name,
            defs->streams[op->what->stream].name);
    const kb_operand *slot = &op->what->operands[0];
    uint64_t offset = queue->offset_bytes + op->sequence % queue->slots * queue->slot_bytes;
    if (slot->memory != queue->memory || op->offsets[0] != offset)
        SAY(it, "slot", rank, op, id,
            "message %" PRIu64 " of queue %s belongs at %s[0x%04" PRIx64
            "], and its slot is said to be %s[0x%04" PRIx64 "]",
            op->sequence, queue->name, defs->memories[queue->memory].name, offset,
            defs->memories[slot->memory].name, op->offsets[0]);
    uint64_t size = kbr_operand_size(slot);
    int64_t low = 0, high = 0;
    if (size > queue->slot_bytes)
        SAY(it, "length", rank, op, id,
            "message %" PRIu64 " of queue %s has %" PRIu64 " bytes, and a slot %" PRIu64, op->sequence,
            queue->name, size, queue->slot_bytes);
    if (size == 0)
        SAY(it, "length", rank, op, id,
            "message %" PRIu64 " of queue %s is empty: it is not to be sent at all", op->sequence,
            queue->name);
    else if (kb_operand_extent(slot, &low, &high) && (low != 0 || (uint64_t)high != size))
        SAY(it, "length", rank, op, id, "message %" PRIu64 " of queue %s does not lie in one piece",
            op->sequence, queue->name);
}

/* --- the window of messages -------------------------------------------------------------------- */

/* NULL where the sequence is too far off to be one. */
static kb_status message_at(const queues *it, queue_state *queue, uint64_t sequence, message **ret_message,
                            kb_trail *trail) {
    *ret_message = NULL;
    if (sequence < queue->base || sequence - queue->base >= WINDOW_MOST)
        return KB_OK;
    size_t wanted = (size_t)(sequence - queue->base) + 1;
    void *window = queue->window;
    KB_TRY(kb_grow(it->pass->alloc, sizeof(message), wanted, &queue->capacity, &window, trail));
    queue->window = window;
    while (queue->count < wanted)
        queue->window[queue->count++] = (message){.done = {false}};
    *ret_message = &queue->window[sequence - queue->base];
    return KB_OK;
}

/* A claim that must name what did `act` with a message, now that both are known. */
static void check_claim(const queues *it, uint32_t id, const message *claimer, int by, uint64_t sequence,
                        const message *claimed, int act) {
    const kbr_sighting *who = &claimer->by[by], *whom = &claimed->by[act];
    if (claimer->claims[by] && claimer->claimed_rank[by] == whom->rank &&
        claimer->claimed_index[by] == whom->index)
        return;
    bool told = by == COPY && !claimer->claims[by]; /* when it was read */
    if (told || claimer->waits[by])
        return;
    const kb_defs *defs = it->pass->defs;
    kbr_finding finding = kbr_finding_of_sighting(defs, "queue", by == COPY ? "credit" : "message", who);
    finding.key = id;
    kbr_finding_mention_sighting(&finding, whom);
    kbr_finding_say(&finding, "no edge: %s %" PRIu64 " of queue %s was %s", by == COPY ? "credit" : "message",
                    sequence, defs->queues[id].name,
                    claimer->claims[by] ? "not what it awaited" : "never awaited");
    kbr_findings_add(it->pass->findings, &finding);
}

/* The two sides of a message speak of different ones. */
static void report_misfit(const queues *it, uint32_t id, const message *now, uint64_t sequence) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "queue", "length", now->by[RECV].rank, NULL);
    finding.key = id;
    finding.time_ps = now->by[RECV].time_ps;
    kbr_finding_mention_sighting(&finding, &now->by[COPY]);
    kbr_finding_mention_sighting(&finding, &now->by[RECV]);
    kbr_finding_say(&finding,
                    "message %" PRIu64 " of queue %s is sent as %" PRIu64
                    " bytes of %s and received as %" PRIu64 " of %s",
                    sequence, it->pass->defs->queues[id].name, now->size[COPY],
                    kb_word_name(KB_VOC_DTYPE, now->dtype[COPY]), now->size[RECV],
                    kb_word_name(KB_VOC_DTYPE, now->dtype[RECV]));
    kbr_findings_add(it->pass->findings, &finding);
}

static void check_claims(const queues *it, uint32_t id, queue_state *queue, uint64_t sequence) {
    uint32_t slots = it->pass->defs->queues[id].slots;
    message *now = &queue->window[sequence - queue->base];
    if (now->done[RECV] && now->done[COPY]) {
        check_claim(it, id, now, RECV, sequence, now, COPY);
        if (now->size[RECV] != now->size[COPY] || now->dtype[RECV] != now->dtype[COPY])
            report_misfit(it, id, now, sequence);
    }
    if (now->done[COPY] && sequence >= slots && sequence - slots >= queue->base &&
        queue->window[sequence - slots - queue->base].done[RELEASE])
        check_claim(it, id, now, COPY, sequence - slots, &queue->window[sequence - slots - queue->base],
                    RELEASE);
    if (now->done[RELEASE] && sequence + slots - queue->base < queue->count &&
        queue->window[sequence + slots - queue->base].done[COPY])
        check_claim(it, id, &queue->window[sequence + slots - queue->base], COPY, sequence, now, RELEASE);
}

/* Forgets messages of which nothing more can be asked. */
static void slide(const queues *it, uint32_t id, queue_state *queue) {
    uint32_t slots = it->pass->defs->queues[id].slots;
    size_t old = queue->over;
    while (old < queue->count && queue->window[old].done[COPY] && queue->window[old].done[RECV] &&
           queue->window[old].done[RELEASE] && queue->next[COPY] > queue->base + old + slots)
        old++;
    queue->over = old;
    if (old < 4 || old < queue->count / 2) /* so that moving the rest costs little a message */
        return;
    for (size_t i = old; i < queue->count; i++)
        queue->window[i - old] = queue->window[i];
    queue->count -= old;
    queue->base += old;
    queue->over = 0;
}

/* --- in the order of numbers ------------------------------------------------------------------- */

static int act_of(const kb_op *op) {
    return op->what->kind == KB_OP_IPCQ_COPY      ? COPY
           : op->what->kind == KB_OP_IPCQ_RECV    ? RECV
           : op->what->kind == KB_OP_IPCQ_RELEASE ? RELEASE
                                                  : ACTS;
}

static void remember(message *to, uint32_t rank, const kb_op *op, int act) {
    unsigned role = act == COPY ? KB_ROLE_CREDIT : KB_ROLE_COPY;
    to->done[act] = true;
    to->by[act] = kbr_sighting_of(rank, op);
    if (act == RELEASE)
        return;
    to->waits[act] = op->what->reached < KB_POINT_START;
    to->size[act] = kbr_operand_size(&op->what->operands[0]);
    to->dtype[act] = op->what->operands[0].dtype;
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == role && op->what->claims[i].set == KB_SET_ONE &&
            op->what->claims[i].point == KB_POINT_DONE) {
            to->claims[act] = true;
            to->claimed_rank[act] = op->what->claims[i].rank;
            to->claimed_index[act] = op->claimed[i];
        }
}

/* The op whose number does not follow, and the one that it should follow. */
static void report_gap(queues *it, uint32_t rank, const kb_op *op, int act) {
    queue_state *queue = &it->items[op->what->queue];
    kbr_finding finding = about(it, "sequence", rank, op, op->what->queue);
    if (queue->any[act])
        kbr_finding_mention_sighting(&finding, &queue->former[act]);
    const char *name = it->pass->defs->queues[op->what->queue].name;
    if (op->sequence > queue->next[act])
        kbr_finding_say(&finding, "it is %s %" PRIu64 " of queue %s, and %s %" PRIu64 " is missing before it",
                        acts[act], op->sequence, name, acts[act], queue->next[act]);
    else
        kbr_finding_say(&finding, "it is %s %" PRIu64 " of queue %s again, where %" PRIu64 " should follow",
                        acts[act], op->sequence, name, queue->next[act]);
    kbr_findings_add(it->pass->findings, &finding);
    queue->gaps = true;
}

static kb_status read_queues(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                             kb_trail *trail) {
    queues *it = state;
    int act = act_of(op);
    if (act == ACTS)
        return KB_OK;
    uint32_t id = op->what->queue;
    if (id == KB_NONE) {
        SAY(it, "queue", rank, op, id, "it names no queue");
        *inout_fitness = KBR_UNFIT;
        return KB_OK;
    }
    queue_state *queue = &it->items[id];
    const char *name = it->pass->defs->queues[id].name;
    check_place(it, rank, op, act);
    if (op->sequence != queue->next[act])
        report_gap(it, rank, op, act);
    queue->former[act] = kbr_sighting_of(rank, op);
    queue->any[act] = true;
    message *now;
    KB_TRY(message_at(it, queue, op->sequence, &now, trail));
    if (now == NULL)
        return KB_OK;
    if (act == RELEASE && !now->done[RECV])
        SAY(it, "release", rank, op, id, "message %" PRIu64 " of queue %s is released before it is received",
            op->sequence, name);
    if (op->sequence >= queue->next[act])
        queue->next[act] = op->sequence + 1;
    remember(now, rank, op, act);
    if (act == COPY && op->sequence >= it->pass->defs->queues[id].slots && !now->claims[COPY] &&
        !now->waits[COPY])
        SAY(it, "credit", rank, op, id, "no edge: credit %" PRIu64 " of queue %s was never awaited",
            op->sequence - it->pass->defs->queues[id].slots, name);
    else
        check_claims(it, id, queue, op->sequence);
    slide(it, id, queue);
    return KB_OK;
}

/* --- in the order of dataflow ------------------------------------------------------------------ */

static kb_status fill(const queues *it, const kb_op *op, kb_trail *trail) {
    queue_state *queue = &it->items[op->what->queue];
    uint64_t slot = op->sequence % it->pass->defs->queues[op->what->queue].slots;
    if (slot >= WINDOW_MOST)
        return KB_OK;
    void *filled = queue->filled;
    KB_TRY(
        kb_grow(it->pass->alloc, sizeof(filling), (size_t)slot + 1, &queue->filled_capacity, &filled, trail));
    queue->filled = filled;
    while (queue->filled_count <= slot)
        queue->filled[queue->filled_count++] = (filling){.size = 0};
    const kb_operand *sent = &op->what->operands[0];
    queue->filled[slot] = (filling){kbr_operand_size(sent), sent->dtype};
    return KB_OK;
}

/* An operand of an op that is no copy of this queue: it may read what the message in the slot holds. */
static void check_touch(const queues *it, uint32_t rank, const kb_op *op, uint32_t number,
                        const kbr_region *ring, uint64_t low, uint64_t high) {
    const kb_queue *queue = &it->pass->defs->queues[ring->id];
    const queue_state *in = &it->items[ring->id];
    const kb_operand *operand = &op->what->operands[number];
    uint64_t slot = (low - ring->low) / queue->slot_bytes, begin = ring->low + slot * queue->slot_bytes;
    if (slot >= WINDOW_MOST)
        return;
    filling filled = slot < in->filled_count ? in->filled[slot] : (filling){.size = 0};
    bool writes = operand->access != KB_ACCESS_READ;
    bool within = high <= begin + filled.size;
    if (!writes && within && (operand->dtype == filled.dtype || operand->dtype == KB_DTYPE_BYTES))
        return;
    kbr_finding finding = about(it, writes ? "write" : within ? "dtype" : "read", rank, op, ring->id);
    finding.follows = !writes;
    kbr_finding_place(&finding, it->pass->defs, operand->memory, low, high - low);
    if (writes)
        kbr_finding_say(&finding, "it writes into the ring of queue %s, and is no copy of that queue",
                        queue->name);
    else if (within)
        kbr_finding_say(&finding, "it takes the message in slot %" PRIu64 " of queue %s for %s, and it is %s",
                        slot, queue->name, kb_word_name(KB_VOC_DTYPE, operand->dtype),
                        kb_word_name(KB_VOC_DTYPE, filled.dtype));
    else
        kbr_finding_say(&finding,
                        "it reads past the message in slot %" PRIu64 " of queue %s, which has %" PRIu64
                        " bytes",
                        slot, queue->name, filled.size);
    kbr_findings_add(it->pass->findings, &finding);
}

static kb_status execute_queues(void *state, uint32_t rank, const kb_op *op, kb_trail *trail) {
    queues *it = state;
    int act = act_of(op);
    kbr_flow flow = kbr_op_flow(op->what);
    if (flow == KBR_FLOW_NONE || flow == KBR_FLOW_UNDEFINE)
        return KB_OK;
    for (uint32_t i = 0; i < op->what->operand_count; i++) {
        const kb_operand *operand = &op->what->operands[i];
        int64_t low, high;
        if (kb_operand_elements(operand) == 0 || !kb_operand_extent(operand, &low, &high))
            continue;
        uint64_t begin = op->offsets[i] + (uint64_t)low, end = op->offsets[i] + (uint64_t)high;
        size_t cursor = 0;
        const kbr_region *ring;
        while ((ring = kbr_regions_touching(it->pass->regions, operand->memory, begin, end, &cursor)) !=
               NULL) {
            bool own = act == COPY && i == 0 && ring->id == op->what->queue;
            if (ring->kind == KBR_REGION_RING && !own && begin >= ring->low)
                check_touch(it, rank, op, i, ring, begin, end);
        }
    }
    return act == COPY ? fill(it, op, trail) : KB_OK;
}

/* --- at the end -------------------------------------------------------------------------------- */

static void check_rest(const queues *it, uint32_t id, const message *rest, uint64_t sequence) {
    for (int act = COPY; act < ACTS; act++) {
        int other = act == COPY ? RECV : act == RECV ? COPY : RECV; /* who shows that the act is missing */
        if (act == RELEASE ? !rest->done[RECV] || rest->done[RELEASE] : rest->done[act] || !rest->done[other])
            continue;
        const char *rule = act == COPY ? "never sent" : act == RECV ? "never received" : "never released";
        kbr_finding finding = kbr_finding_of_sighting(it->pass->defs, "queue", rule, &rest->by[other]);
        finding.key = id;
        kbr_finding_say(&finding, "there is no %s of message %" PRIu64 " of queue %s", acts[act], sequence,
                        it->pass->defs->queues[id].name);
        kbr_findings_add(it->pass->findings, &finding);
    }
}

static kb_status finish_queues(void *state, kb_trail *trail) {
    (void)trail;
    const queues *it = state;
    for (uint32_t id = 0; it->pass->complete && id < it->pass->defs->queue_count; id++)
        for (size_t i = 0; !it->items[id].gaps && i < it->items[id].count; i++)
            check_rest(it, id, &it->items[id].window[i], it->items[id].base + i);
    return KB_OK;
}

const kbr_check kbr_check_queue = {.open = open_queues,
                                   .read = read_queues,
                                   .execute = execute_queues,
                                   .finish = finish_queues,
                                   .close = close_queues};
