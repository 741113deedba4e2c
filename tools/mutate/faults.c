/* SPDX-License-Identifier: Apache-2.0 */
/* What each fault does to an op; the table is faults.def. */
#include "mutate/fault.h"

/* --- which op ---------------------------------------------------------------------------------- */

static bool is_data(const kb_op *op) {
    const kb_kind_info *kind = kb_kind_describe(op->what->kind);
    return kind != NULL && kind->family == KB_FAMILY_DATA;
}

/* The first operand of an access, or the number of operands. */
static uint32_t operand_of(const kb_op *op, bool writes) {
    uint32_t i = 0;
    while (i < op->what->operand_count && (op->what->operands[i].access == KB_ACCESS_READ) == writes)
        i++;
    return i;
}

/* Would the operand stay in its memory if it began `shift` bytes further on? */
static bool has_room(const kb_op *op, const kb_defs *defs, uint32_t operand, uint64_t shift) {
    int64_t low, high;
    if (operand >= op->what->operand_count || !kb_operand_extent(&op->what->operands[operand], &low, &high))
        return false;
    const kb_memory *memory = &defs->memories[op->what->operands[operand].memory];
    return high > 0 && op->offsets[operand] + (uint64_t)high + shift <= memory->size_bytes;
}

/* --- shifts ------------------------------------------------------------------------------------ */

static uint64_t one_byte(const kb_operand *operand) {
    (void)operand;
    return 1;
}

static uint64_t one_element(const kb_operand *operand) {
    return kb_dtype_size(operand->dtype);
}

static uint64_t its_length(const kb_operand *operand) {
    return kb_operand_elements(operand) * kb_dtype_size(operand->dtype);
}

/* The first operand that is read, or written, begins further on. */
#define SHIFT(identifier, writes, distance)                               \
    static bool fits_##identifier(const kb_op *op, const kb_defs *defs) { \
        uint32_t at = operand_of(op, writes);                             \
        return is_data(op) && at < op->what->operand_count &&             \
               has_room(op, defs, at, distance(&op->what->operands[at])); \
    }                                                                     \
    static void apply_##identifier(kbt_edit *edit, const kb_defs *defs) { \
        uint32_t at = operand_of(&edit->op, writes);                      \
        (void)defs;                                                       \
        edit->offsets[at] += distance(&edit->operands[at]);               \
    }                                                                     \
    const kbt_fault kbt_fault_##identifier = {fits_##identifier, apply_##identifier};

SHIFT(source_shift_byte, false, one_byte)
SHIFT(source_shift_element, false, one_element)
SHIFT(source_shift_chunk, false, its_length)
SHIFT(target_shift_element, true, one_element)
SHIFT(target_shift_chunk, true, its_length)

static bool fits_source_far(const kb_op *op, const kb_defs *defs) {
    uint32_t at = operand_of(op, false);
    return is_data(op) && at < op->what->operand_count && has_room(op, defs, at, 1);
}

static void apply_source_far(kbt_edit *edit, const kb_defs *defs) {
    uint32_t at = operand_of(&edit->op, false);
    int64_t low = 0, high = 0;
    (void)kb_operand_extent(&edit->operands[at], &low, &high);
    edit->offsets[at] = defs->memories[edit->operands[at].memory].size_bytes - (uint64_t)high;
    edit->offsets[at] -= edit->offsets[at] % kb_dtype_size(edit->operands[at].dtype);
}

const kbt_fault kbt_fault_source_far = {fits_source_far, apply_source_far};

/* --- queues ------------------------------------------------------------------------------------ */

static bool fits_copy(const kb_op *op, const kb_defs *defs) {
    return op->what->kind == KB_OP_IPCQ_COPY && op->what->queue < defs->queue_count &&
           defs->queues[op->what->queue].slots > 1;
}

static void apply_slot_shift(kbt_edit *edit, const kb_defs *defs) {
    const kb_queue *queue = &defs->queues[edit->what.queue];
    uint64_t slot = (edit->offsets[0] - queue->offset_bytes) / queue->slot_bytes;
    edit->offsets[0] = queue->offset_bytes + (slot + 1) % queue->slots * queue->slot_bytes;
}

const kbt_fault kbt_fault_slot_shift = {fits_copy, apply_slot_shift};

/* The next memory of the same space; the same one where it is alone. */
static uint32_t other_memory(const kb_defs *defs, uint32_t memory) {
    uint32_t other = memory;
    do
        other = other + 1 < defs->memory_count ? other + 1 : 0;
    while (other != memory && (defs->memories[other].space != defs->memories[memory].space ||
                               defs->memories[other].size_bytes != defs->memories[memory].size_bytes));
    return other;
}

static bool fits_peer_shift(const kb_op *op, const kb_defs *defs) {
    return op->what->kind == KB_OP_IPCQ_COPY &&
           other_memory(defs, op->what->operands[0].memory) != op->what->operands[0].memory;
}

static void apply_peer_shift(kbt_edit *edit, const kb_defs *defs) {
    edit->operands[0].memory = other_memory(defs, edit->operands[0].memory);
}

const kbt_fault kbt_fault_peer_shift = {fits_peer_shift, apply_peer_shift};

/* What a data op reads must be near its engine, but for a dma_read, which fetches from anywhere. */
static bool fits_source_peer(const kb_op *op, const kb_defs *defs) {
    uint32_t at = operand_of(op, false);
    return is_data(op) && op->what->kind != KB_OP_DMA_READ && at < op->what->operand_count &&
           other_memory(defs, op->what->operands[at].memory) != op->what->operands[at].memory;
}

static void apply_source_peer(kbt_edit *edit, const kb_defs *defs) {
    uint32_t at = operand_of(&edit->op, false);
    edit->operands[at].memory = other_memory(defs, edit->operands[at].memory);
}

const kbt_fault kbt_fault_source_peer = {fits_source_peer, apply_source_peer};

static bool fits_queue(const kb_op *op, const kb_defs *defs) {
    return op->what->queue < defs->queue_count;
}

static void apply_sequence_shift(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.sequence++;
}

const kbt_fault kbt_fault_sequence_shift = {fits_queue, apply_sequence_shift};

/* --- what is computed -------------------------------------------------------------------------- */

static bool fits_length_short(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        if (op->what->operands[i].dims != 1 || op->what->operands[i].shape[0] < 2)
            return false;
    return is_data(op) && op->what->operand_count != 0;
}

static void apply_length_short(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    for (uint32_t i = 0; i < edit->what.operand_count; i++)
        edit->operands[i].shape[0]--;
}

const kbt_fault kbt_fault_length_short = {fits_length_short, apply_length_short};

static void apply_length_shorter(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->operands[0].shape[0]--;
}

const kbt_fault kbt_fault_length_shorter = {fits_length_short, apply_length_shorter};

static bool fits_wrong_func(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind == KB_OP_MATH && op->what->operand_count == 3;
}

static void apply_wrong_func(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->what.func = edit->what.func == KB_FUNC_ADD ? KB_FUNC_MAX : KB_FUNC_ADD;
}

const kbt_fault kbt_fault_wrong_func = {fits_wrong_func, apply_wrong_func};

/* Another dtype of numbers of the same size, or 0. */
static uint8_t other_dtype(uint8_t dtype) {
    static const uint8_t others[] = {[KB_DTYPE_F16] = KB_DTYPE_BF16,
                                     [KB_DTYPE_BF16] = KB_DTYPE_F16,
                                     [KB_DTYPE_F32] = KB_DTYPE_I32,
                                     [KB_DTYPE_I32] = KB_DTYPE_F32};
    return dtype < sizeof others ? others[dtype] : 0;
}

static bool fits_wrong_dtype(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind == KB_OP_MATH && op->what->operand_count != 0 &&
           other_dtype(op->what->operands[0].dtype) != 0;
}

static void apply_wrong_dtype(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    for (uint32_t i = 0; i < edit->what.operand_count; i++)
        edit->operands[i].dtype = other_dtype(edit->operands[i].dtype);
}

const kbt_fault kbt_fault_wrong_dtype = {fits_wrong_dtype, apply_wrong_dtype};

/* --- what is there ----------------------------------------------------------------------------- */

static bool fits_alloc_short(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind == KB_OP_ALLOC && op->what->operands[0].dims == 1 &&
           op->what->operands[0].shape[0] > 1;
}

static void apply_alloc_short(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->operands[0].shape[0] /= 2;
}

const kbt_fault kbt_fault_alloc_short = {fits_alloc_short, apply_alloc_short};

static bool fits_wrong_peek(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind == KB_OP_ASSUME;
}

static void apply_wrong_peek(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.value ^= 1;
}

const kbt_fault kbt_fault_wrong_peek = {fits_wrong_peek, apply_wrong_peek};

/* --- order ------------------------------------------------------------------------------------- */

static bool fits_drop_claim(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->claim_count != 0 && op->what->kind != KB_OP_LAUNCH;
}

static void apply_drop_claim(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    kbt_edit_drop_claim(edit, 0);
}

const kbt_fault kbt_fault_drop_claim = {fits_drop_claim, apply_drop_claim};

static bool fits_claim_next(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->blocks == KB_BLOCKS_DONE && fits_drop_claim(op, defs);
}

static void apply_claim_next(kbt_edit *edit, const kb_defs *defs) {
    edit->claims[0] =
        (kb_claim){defs->streams[edit->what.stream].rank, KB_ROLE_STAGE, KB_POINT_DONE, KB_SET_ONE, 0};
    edit->claimed[0] = edit->op.index + 1;
}

const kbt_fault kbt_fault_claim_next = {fits_claim_next, apply_claim_next};

/* Somebody is sure to have gone on when it was done: who received it, or its stream. */
static bool fits_done_late(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind == KB_OP_IPCQ_COPY || (is_data(op) && op->what->blocks == KB_BLOCKS_DONE);
}

static void apply_done_late(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.done_ps += 1000000;
    if (edit->what.why_count != 0)
        edit->blames[0].ps += 1000000;
}

const kbt_fault kbt_fault_done_late = {fits_done_late, apply_done_late};

/* --- times that cannot be ------------------------------------------------------------------------ */

/* What hosts copy, too. */
static bool fits_faster(const kb_op *op, const kb_defs *defs) {
    const kb_kind_info *kind = kb_kind_describe(op->what->kind);
    return kind != NULL && (kind->family == KB_FAMILY_DATA || kind->family == KB_FAMILY_HOST) &&
           op->what->route < defs->route_count && op->done_ps > op->start_ps;
}

static void apply_faster(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.sent_ps = edit->op.done_ps = edit->op.start_ps;
    for (uint32_t i = 0; i < edit->what.why_count; i++)
        edit->blames[i].ps = i == 0 ? edit->op.start_ps - edit->op.issue_ps : 0;
}

const kbt_fault kbt_fault_faster = {fits_faster, apply_faster};

/* The time that it waited for one of two causes. */
static int64_t waited_ps(const kb_op *op, unsigned cause, unsigned other_cause) {
    int64_t sum_ps = 0;
    for (uint32_t i = 0; i < op->what->why_count; i++)
        if (op->what->whys[i].cause == cause || op->what->whys[i].cause == other_cause)
            sum_ps += op->blames[i].ps;
    return sum_ps;
}

/* As if it had not waited. */
static int64_t forget_wait(kbt_edit *edit, unsigned cause, unsigned other_cause) {
    int64_t sum_ps = waited_ps(&edit->op, cause, other_cause);
    for (uint32_t i = 0; i < edit->what.why_count; i++)
        if (edit->what.whys[i].cause == cause || edit->what.whys[i].cause == other_cause)
            edit->blames[i].ps = 0;
    return sum_ps;
}

static bool fits_ignore_contention(const kb_op *op, const kb_defs *defs) {
    return fits_faster(op, defs) && waited_ps(op, KB_CAUSE_CONTENTION, KB_CAUSE_PORT) > 0;
}

static void apply_ignore_contention(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.done_ps -= forget_wait(edit, KB_CAUSE_CONTENTION, KB_CAUSE_PORT);
    if (edit->op.sent_ps > edit->op.done_ps)
        edit->op.sent_ps = edit->op.done_ps;
}

const kbt_fault kbt_fault_ignore_contention = {fits_ignore_contention, apply_ignore_contention};

/* The cause of waiting that goes with a claim at the start of an op, or 0. */
static unsigned cause_of(const kb_op *op) {
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        unsigned role = op->what->claims[i].role;
        unsigned cause = role == KB_ROLE_COPY     ? KB_CAUSE_RING_EMPTY
                         : role == KB_ROLE_CREDIT ? KB_CAUSE_CREDIT
                         : role == KB_ROLE_ENGINE ? KB_CAUSE_ENGINE_BUSY
                                                  : 0;
        if (cause != 0 && waited_ps(op, cause, cause) > 0)
            return cause;
    }
    return 0;
}

static bool fits_start_early(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return cause_of(op) != 0;
}

static void apply_start_early(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    unsigned cause = cause_of(&edit->op);
    int64_t early_ps = forget_wait(edit, cause, cause);
    edit->op.start_ps -= early_ps;
    edit->op.sent_ps -= early_ps;
    edit->op.done_ps -= early_ps;
}

const kbt_fault kbt_fault_start_early = {fits_start_early, apply_start_early};

static bool fits_go_on(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return is_data(op) && op->what->blocks == KB_BLOCKS_DONE;
}

static void apply_go_on(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->what.blocks = KB_BLOCKS_NO;
}

const kbt_fault kbt_fault_go_on = {fits_go_on, apply_go_on};

static bool fits_meet_next(const kb_op *op, const kb_defs *defs) {
    return op->what->kind == KB_OP_BARRIER && op->what->group < defs->group_count &&
           defs->groups[op->what->group].rank_count > 1;
}

static void apply_meet_next(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->op.id++;
}

const kbt_fault kbt_fault_meet_next = {fits_meet_next, apply_meet_next};

static bool fits_drop_op(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return op->what->kind != KB_OP_LAUNCH;
}

const kbt_fault kbt_fault_drop_op = {fits_drop_op, NULL};

static bool fits_double_op(const kb_op *op, const kb_defs *defs) {
    (void)defs;
    return is_data(op);
}

static void apply_double_op(kbt_edit *edit, const kb_defs *defs) {
    (void)defs;
    edit->doubled = true;
}

const kbt_fault kbt_fault_double_op = {fits_double_op, apply_double_op};
