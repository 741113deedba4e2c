/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each word of the vocabularies, each form of view and each feature of queues occurs in traces:
 *
 *   trace-coverage TRACE...
 *
 * A line each: count and name. What never occurs is there, too, with 0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/loaded.h"

/* What is no word of a vocabulary. */
#define FEATURES(X)                                  \
    X(VIEW_ELEMENT, "view.element")                  \
    X(VIEW_ROW, "view.row")                          \
    X(VIEW_ROWS, "view.rows-with-gaps")              \
    X(VIEW_STRIDED, "view.strided")                  \
    X(VIEW_TURNED, "view.transposed")                \
    X(VIEW_REPEATED, "view.broadcast")               \
    X(VIEW_AXES_1, "view.axes-1")                    \
    X(VIEW_AXES_2, "view.axes-2")                    \
    X(VIEW_AXES_3, "view.axes-3")                    \
    X(VIEW_AXES_4, "view.axes-4")                    \
    X(VIEW_ODD, "view.off-64-bytes")                 \
    X(OVERLAPS, "view.result-overlaps-source")       \
    X(READS_OTHERS, "reach.reads-others-memory")     \
    X(WRITES_OTHERS, "reach.writes-others-memory")   \
    X(TRANSPOSE_A, "gemm.transpose-a")               \
    X(TRANSPOSE_B, "gemm.transpose-b")               \
    X(ACCUMULATES, "gemm.accumulate")                \
    X(GEMM_WIDENS, "gemm.f32-of-halves")             \
    X(RING_TCM, "queue.ring-in-tcm")                 \
    X(RING_SRAM, "queue.ring-in-sram")               \
    X(RING_HBM, "queue.ring-in-hbm")                 \
    X(ONE_SLOT, "queue.one-slot")                    \
    X(CHANNELS, "queue.channel")                     \
    X(LAPS, "queue.ring-used-again")                 \
    X(FULL, "queue.whole-slot")                      \
    X(FORWARDED, "queue.forwarded")                  \
    X(SLOT_READ_TWICE, "queue.message-used-twice")   \
    X(SLOT_MATH, "queue.message-in-math")            \
    X(SLOT_GEMM, "queue.message-in-gemm")            \
    X(HELD, "queue.several-held")                    \
    X(KEPT, "queue.received-in-a-later-launch")      \
    X(FLIGHT_2, "flight.2-ops-not-awaited")          \
    X(FLIGHT_4, "flight.4-ops-not-awaited")          \
    X(FLIGHT_8, "flight.8-ops-not-awaited")          \
    X(SEVERAL_AWAITED, "wait.for-several")           \
    X(SOME_MEMBERS, "barrier.of-some")               \
    X(HOSTS_MEET, "barrier.of-hosts")                \
    X(LATER_LAUNCH, "launch.second")                 \
    X(TENSOR_ALLOCATED, "life.tensor-in-freed-room") \
    X(SCRATCH_AGAIN, "life.scratch-in-freed-room")

typedef enum feature {
#define X(NAME, name) NAME,
    FEATURES(X)
#undef X
        FEATURE_COUNT
} feature;

static const char *const names[] = {
#define X(NAME, name) name,
    FEATURES(X)
#undef X
};

enum { WORDS_MAX = 64, DTYPES = 9 };

static struct {
    uint64_t words[KB_VOC_COUNT][WORDS_MAX];
    uint64_t functions[WORDS_MAX][DTYPES]; /* by dtype of the last input, or of the output */
    uint64_t features[FEATURE_COUNT];
} seen;

static void see(kb_vocabulary vocabulary, uint32_t word) {
    if (word < WORDS_MAX)
        seen.words[vocabulary][word]++;
}

static void see_if(feature what, bool occurs) {
    seen.features[what] += occurs;
}

/* --- views ----------------------------------------------------------------------------------- */

static void see_view(const kb_operand *operand, uint64_t offset_bytes) {
    bool repeated = false, turned = false, row = true;
    int64_t next = 1;
    for (uint32_t axis = operand->dims; axis-- > 0;) {
        if (operand->shape[axis] == 1)
            continue;
        repeated = repeated || operand->stride[axis] == 0;
        turned = turned || (axis + 1 < operand->dims && operand->stride[axis] != 0 &&
                            operand->stride[axis] < operand->stride[axis + 1]);
        row = row && operand->stride[axis] == next;
        next *= (int64_t)operand->shape[axis];
    }
    const uint32_t last = operand->dims - 1;
    const bool gaps = !row && !repeated && !turned, inner = operand->dims > 0 && operand->stride[last] == 1;
    see_if(VIEW_ELEMENT, operand->dims == 0);
    see_if(VIEW_ROW, row && operand->dims > 0);
    see_if(VIEW_ROWS, gaps && inner);
    see_if(VIEW_STRIDED, gaps && !inner);
    see_if(VIEW_TURNED, turned);
    see_if(VIEW_REPEATED, repeated);
    see_if(VIEW_AXES_1, operand->dims == 1);
    see_if(VIEW_AXES_2, operand->dims == 2);
    see_if(VIEW_AXES_3, operand->dims == 3);
    see_if(VIEW_AXES_4, operand->dims == 4);
    see_if(VIEW_ODD, offset_bytes % 64 != 0);
}

static bool overlap(const kb_op *op, uint32_t a, uint32_t b) {
    int64_t low[2], high[2];
    const kb_operand *x = &op->what->operands[a], *y = &op->what->operands[b];
    if (x->memory != y->memory || !kb_operand_extent(x, &low[0], &high[0]) ||
        !kb_operand_extent(y, &low[1], &high[1]) || op->offsets[a] == op->offsets[b])
        return false;
    return (int64_t)op->offsets[a] + low[0] < (int64_t)op->offsets[b] + high[1] &&
           (int64_t)op->offsets[b] + low[1] < (int64_t)op->offsets[a] + high[0];
}

static void see_operands(const loaded_trace *trace, uint32_t rank, const kb_op *op) {
    const kb_template *what = op->what;
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *operand = &what->operands[i];
        const kb_memory *memory = &trace->defs->memories[operand->memory];
        const bool is_others = memory->rank != rank && what->kind != KB_OP_IPCQ_COPY;
        see(KB_VOC_DTYPE, operand->dtype);
        see(KB_VOC_ACCESS, operand->access);
        see(KB_VOC_SPACE, memory->space);
        see_view(operand, op->offsets[i]);
        see_if(READS_OTHERS, is_others && operand->access == KB_ACCESS_READ);
        see_if(WRITES_OTHERS, is_others && operand->access != KB_ACCESS_READ);
        see_if(OVERLAPS, i > 0 && what->operands[0].access != KB_ACCESS_READ && overlap(op, 0, i));
    }
}

/* --- queues ---------------------------------------------------------------------------------- */

/* The queue in whose ring an operand lies, or NULL. */
static const kb_queue *ring_of(const loaded_trace *trace, const kb_op *op, uint32_t operand) {
    for (size_t i = 0; i < trace->defs->queue_count; i++) {
        const kb_queue *queue = &trace->defs->queues[i];
        if (queue->memory == op->what->operands[operand].memory &&
            op->offsets[operand] >= queue->offset_bytes &&
            op->offsets[operand] < queue->offset_bytes + queue->slots * queue->slot_bytes)
            return queue;
    }
    return NULL;
}

static void see_copy(const loaded_trace *trace, const kb_op *op) {
    const kb_queue *queue = &trace->defs->queues[op->what->queue];
    const kb_operand *slot = &op->what->operands[0];
    const uint32_t space = trace->defs->memories[queue->memory].space;
    see_if(RING_TCM, space == KB_SPACE_TCM);
    see_if(RING_SRAM, space == KB_SPACE_SRAM);
    see_if(RING_HBM, space == KB_SPACE_HBM);
    see_if(ONE_SLOT, queue->slots == 1);
    see_if(CHANNELS, queue->channel != 0);
    see_if(LAPS, op->sequence >= queue->slots);
    see_if(FULL, kb_operand_elements(slot) * kb_dtype_size(slot->dtype) == queue->slot_bytes);
    see_if(FORWARDED, ring_of(trace, op, 1) != NULL);
}

/* What of a rank's ops is seen by looking at several. */
typedef struct course {
    uint64_t held, flight;
    uint64_t reads[4096]; /* of a message since it was received, by the place of its slot */
    uint64_t freed_low[256], freed_high[256], freed;
    uint32_t freed_memory[256];
    uint64_t launches;
} course;

static void see_slots(const loaded_trace *trace, const kb_op *op, course *so_far) {
    const uint32_t kind = op->what->kind;
    for (uint32_t i = 1; i < op->what->operand_count; i++) {
        const kb_queue *queue = ring_of(trace, op, i);
        if (queue == NULL)
            continue;
        uint64_t *reads = &so_far->reads[(op->offsets[i] / queue->slot_bytes * 7 + queue->channel) % 4096];
        see_if(SLOT_READ_TWICE, *reads > 0);
        ++*reads;
        see_if(SLOT_MATH, kind == KB_OP_MATH);
        see_if(SLOT_GEMM, kind == KB_OP_GEMM);
    }
    if (kind == KB_OP_IPCQ_RECV) {
        const kb_queue *queue = &trace->defs->queues[op->what->queue];
        so_far->reads[(op->offsets[0] / queue->slot_bytes * 7 + queue->channel) % 4096] = 0;
        see_if(HELD, ++so_far->held > 1);
    }
    so_far->held -= kind == KB_OP_IPCQ_RELEASE && so_far->held > 0;
}

/* --- ops ------------------------------------------------------------------------------------- */

static void see_lives(const loaded_trace *trace, const kb_op *op, course *so_far) {
    const kb_template *what = op->what;
    if (what->kind == KB_OP_FREE && so_far->freed < 256) {
        so_far->freed_memory[so_far->freed] = what->operands[0].memory;
        so_far->freed_low[so_far->freed] = op->offsets[0];
        so_far->freed_high[so_far->freed++] = op->offsets[0] + what->operands[0].shape[0];
    }
    const bool is_host = trace->defs->streams[what->stream].pe == KB_NONE;
    for (uint64_t i = 0; what->kind == KB_OP_ALLOC && i < so_far->freed; i++)
        if (so_far->freed_memory[i] == what->operands[0].memory && op->offsets[0] < so_far->freed_high[i] &&
            op->offsets[0] + what->operands[0].shape[0] > so_far->freed_low[i]) {
            see_if(is_host ? TENSOR_ALLOCATED : SCRATCH_AGAIN, true);
            return;
        }
}

static void see_order(const loaded_trace *trace, const kb_op *op, course *so_far) {
    const kb_template *what = op->what;
    const bool is_host = trace->defs->streams[what->stream].pe == KB_NONE;
    so_far->launches += what->kind == KB_OP_LAUNCH;
    see_if(LATER_LAUNCH, what->kind == KB_OP_LAUNCH && so_far->launches > 1);
    see_if(SEVERAL_AWAITED, what->kind == KB_OP_WAIT && what->claim_count > 1);
    if (what->kind == KB_OP_BARRIER) {
        see_if(SOME_MEMBERS, trace->defs->groups[what->group].rank_count < trace->ranks);
        see_if(HOSTS_MEET, is_host);
    }
    if (what->kind == KB_OP_WAIT && so_far->flight > 0)
        so_far->flight--;
    if (what->kind == KB_OP_FENCE)
        so_far->flight = 0;
    if (what->blocks == KB_BLOCKS_NO && what->kind != KB_OP_IPCQ_RELEASE) {
        so_far->flight++;
        see_if(FLIGHT_2, so_far->flight >= 2);
        see_if(FLIGHT_4, so_far->flight >= 4);
        see_if(FLIGHT_8, so_far->flight >= 8);
    }
}

static void see_op(const loaded_trace *trace, uint32_t rank, const kb_op *op, course *so_far) {
    const kb_template *what = op->what;
    see(KB_VOC_KIND, what->kind);
    see(KB_VOC_BLOCKS, what->blocks);
    if (what->kind == KB_OP_MATH) {
        see(KB_VOC_FUNC, what->func);
        seen.functions[what->func][what->operands[what->operand_count - 1].dtype]++;
    }
    if (what->kind == KB_OP_GEMM) {
        see_if(ACCUMULATES, (what->flags & KB_FLAG_ACCUMULATE) != 0);
        see_if(TRANSPOSE_A, (what->flags & KB_FLAG_TRANSPOSE_A) != 0);
        see_if(TRANSPOSE_B, (what->flags & KB_FLAG_TRANSPOSE_B) != 0);
        see_if(GEMM_WIDENS,
               what->operands[0].dtype == KB_DTYPE_F32 && what->operands[1].dtype != KB_DTYPE_F32);
    }
    for (uint32_t i = 0; i < what->claim_count; i++) {
        see(KB_VOC_ROLE, what->claims[i].role);
        see(KB_VOC_SET, what->claims[i].set);
        see(KB_VOC_POINT, what->claims[i].point);
    }
    for (uint32_t i = 0; i < what->why_count; i++) {
        see(KB_VOC_CAUSE, what->whys[i].cause);
        see(KB_VOC_RESOURCE, what->whys[i].resource);
    }
    see_operands(trace, rank, op);
    if (what->kind == KB_OP_IPCQ_COPY)
        see_copy(trace, op);
    see_slots(trace, op, so_far);
    see_lives(trace, op, so_far);
    see_order(trace, op, so_far);
}

/* The launch of its rank in which an op was issued: the number of launches before it. */
static uint64_t launch_of(const loaded_trace *trace, uint32_t rank, uint64_t index) {
    uint64_t launches = 0;
    for (uint64_t i = 0; i < index; i++)
        launches += trace->ops[rank][i].what->kind == KB_OP_LAUNCH;
    return launches;
}

static void see_kept(const loaded_trace *trace, uint32_t rank, const kb_op *recv) {
    if (recv->what->kind != KB_OP_IPCQ_RECV || recv->what->claim_count == 0)
        return;
    const uint32_t from = recv->what->claims[recv->what->claim_count - 1].rank;
    const uint64_t copy = recv->claimed[recv->what->claim_count - 1];
    see_if(KEPT, launch_of(trace, from, copy) < launch_of(trace, rank, recv->index));
}

static void see_defs(const kb_defs *defs) {
    for (size_t i = 0; i < defs->initial_count; i++)
        see(KB_VOC_RECIPE, defs->initials[i].recipe);
    for (size_t i = 0; i < defs->collective_count; i++) {
        see(KB_VOC_COLL, defs->collectives[i].kind);
        see(KB_VOC_REDUCE, defs->collectives[i].reduce);
    }
}

static void see_trace(const loaded_trace *trace) {
    static course so_far;
    see_defs(trace->defs);
    for (uint32_t rank = 0; rank < trace->ranks; rank++) {
        memset(&so_far, 0, sizeof so_far);
        for (uint64_t i = 0; i < trace->counts[rank]; i++) {
            see_op(trace, rank, &trace->ops[rank][i], &so_far);
            see_kept(trace, rank, &trace->ops[rank][i]);
        }
    }
}

/* --- telling --------------------------------------------------------------------------------- */

static void tell(void) {
    static const char *const vocabularies[KB_VOC_COUNT] = {
        [KB_VOC_DTYPE] = "dtype",   [KB_VOC_ACCESS] = "access",     [KB_VOC_POINT] = "point",
        [KB_VOC_ROLE] = "role",     [KB_VOC_SET] = "set",           [KB_VOC_FUNC] = "func",
        [KB_VOC_SPACE] = "space",   [KB_VOC_COLL] = "coll",         [KB_VOC_REDUCE] = "reduce",
        [KB_VOC_RECIPE] = "recipe", [KB_VOC_RESOURCE] = "resource", [KB_VOC_BLOCKS] = "blocks",
        [KB_VOC_KIND] = "kind",     [KB_VOC_CAUSE] = "cause"};
    for (uint32_t v = 0; v < KB_VOC_COUNT; v++)
        for (uint32_t word = 1; vocabularies[v] != NULL && word < kb_word_limit(v) && word < WORDS_MAX;
             word++)
            if (kb_word_name(v, word) != NULL)
                printf("%8" PRIu64 " %s.%s\n", seen.words[v][word], vocabularies[v], kb_word_name(v, word));
    for (uint32_t func = 1; func < kb_word_limit(KB_VOC_FUNC); func++)
        for (uint32_t dtype = KB_DTYPE_F16; dtype <= KB_DTYPE_I32; dtype++)
            printf("%8" PRIu64 " func.%s-of-%s\n", seen.functions[func][dtype],
                   kb_word_name(KB_VOC_FUNC, func), kb_word_name(KB_VOC_DTYPE, dtype));
    for (uint32_t i = 0; i < FEATURE_COUNT; i++)
        printf("%8" PRIu64 " %s\n", seen.features[i], names[i]);
}

int main(int argc, char **argv) {
    kb_trail trail;
    char text[2048];
    for (int i = 1; i < argc; i++) {
        loaded_trace trace;
        kb_trail_init(&trail);
        const kb_status status = loaded_read(&trace, argv[i], &trail);
        if (status == KB_OK)
            see_trace(&trace);
        else
            fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        loaded_fini(&trace);
        if (status != KB_OK)
            return 2;
    }
    tell();
    return 0;
}
