/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds: each operand lies inside its memory, on a multiple of its element, where the op's engine reaches,
 * and inside what it touches.
 *
 * What touches a tensor's shard, a queue's slot or a live allocation must lie within it: memory around
 * them belongs to somebody else; and what was freed belongs to nobody. Elements of a tensor are taken for
 * what they are. Ranges that begin or end to live may hold many, and only keep to their memory.
 */
#include <inttypes.h>

#include "check/check.h"
#include "lives.h"
#include "op/op.h"

typedef struct bounds {
    kbr_pass *pass;
    kbr_lives *lives; /* [memories] */
} bounds;

static kb_status open_bounds(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    size_t size = sizeof(bounds) + pass->defs->memory_count * sizeof(kbr_lives);
    KB_TRY(kb_new_zeroed(pass->alloc, size, &block, trail));
    bounds *it = block;
    it->pass = pass;
    it->lives = (kbr_lives *)(it + 1);
    *ret_state = it;
    return KB_OK;
}

static void close_bounds(void *state, const kb_alloc *alloc) {
    bounds *it = state;
    size_t count = it->pass->defs->memory_count;
    for (size_t i = 0; i < count; i++)
        kbr_lives_fini(&it->lives[i], alloc);
    kb_delete(alloc, it, sizeof *it + count * sizeof(kbr_lives));
}

static void say(kbr_pass *pass, uint32_t rank, const kb_op *op, uint32_t number, const char *rule,
                uint64_t low, uint64_t high, const kbr_mention *other, const char *message) {
    kbr_finding finding = kbr_finding_about(pass->defs, "bounds", rule, rank, op);
    if (other != NULL)
        kbr_finding_mention(&finding, other);
    finding.key = op->what->kind;
    const kb_operand *operand = &op->what->operands[number];
    kbr_finding_place(&finding, pass->defs, operand->memory, low, high - low);
    kbr_finding_say(&finding, "operand %" PRIu32 " (%s): %s", number,
                    kb_word_name(KB_VOC_ACCESS, operand->access), message);
    uint32_t tensor;
    uint64_t element;
    if (kbr_regions_element(pass->regions, operand->memory, low, &tensor, &element)) {
        finding.tensor = tensor;
        finding.element = element;
    }
    kbr_findings_add(pass->findings, &finding);
}

/* Shards of one tensor that lie side by side are one to what touches them: where they end, up to `high`. */
static uint64_t end_of(const kbr_pass *pass, const kbr_region *region, uint32_t memory, uint64_t high) {
    uint64_t end = region->high;
    size_t cursor = 0;
    const kbr_region *it;
    if (region->kind != KBR_REGION_SHARD || high <= end)
        return end;
    while (end < high && (it = kbr_regions_touching(pass->regions, memory, end, high, &cursor)) != NULL)
        if (it->kind == KBR_REGION_SHARD && it->id == region->id && it->low == end)
            end = it->high;
    return end;
}

/* The slot of a ring that holds byte `low` must hold all up to `high`. */
static bool inside(const kbr_pass *pass, const kbr_region *region, uint32_t memory, uint64_t low,
                   uint64_t high) {
    const kb_defs *defs = pass->defs;
    if (low < region->low || high > end_of(pass, region, memory, high))
        return false;
    if (region->kind != KBR_REGION_RING)
        return true;
    uint64_t slot = defs->queues[region->id].slot_bytes;
    return (low - region->low) / slot == (high - 1 - region->low) / slot;
}

/* What a message in a slot is, its queue's ops say. */
static bool same_dtype(const kb_defs *defs, const kbr_region *region, uint32_t dtype) {
    if (region->kind == KBR_REGION_RING || dtype == KB_DTYPE_BYTES)
        return true;
    uint32_t of = defs->tensors[region->id].dtype;
    return of == dtype || of == KB_DTYPE_BYTES;
}

static void check_regions(kbr_pass *pass, uint32_t rank, const kb_op *op, uint32_t number, uint64_t low,
                          uint64_t high) {
    size_t cursor = 0;
    bool touches = false, lies = false;
    const kbr_region *it;
    kbr_region_kind kind = KBR_REGION_SHARD;
    while ((it = kbr_regions_touching(pass->regions, op->what->operands[number].memory, low, high,
                                      &cursor)) != NULL) {
        if (inside(pass, it, op->what->operands[number].memory, low, high)) {
            lies = true;
            if (same_dtype(pass->defs, it, op->what->operands[number].dtype))
                return;
        }
        kind = touches ? kind : it->kind;
        touches = true;
    }
    if (lies)
        say(pass, rank, op, number, "dtype", low, high, NULL,
            "it takes a tensor's elements for another dtype");
    else if (touches && kind == KBR_REGION_RING)
        say(pass, rank, op, number, "slot", low, high, NULL, "it touches a slot and reaches past its end");
    else if (touches)
        say(pass, rank, op, number, "shard", low, high, NULL, "it touches a tensor and reaches past its end");
}

/* --- where an engine reaches --------------------------------------------------------------------- */

static bool in_ring(kbr_pass *pass, uint32_t memory, uint64_t low, uint64_t high) {
    size_t cursor = 0;
    const kbr_region *it;
    while ((it = kbr_regions_touching(pass->regions, memory, low, high, &cursor)) != NULL)
        if (it->kind == KBR_REGION_RING)
            return true;
    return false;
}

static bool reached(kbr_pass *pass, const kb_op *op, uint32_t number, uint64_t low, uint64_t high) {
    const kb_operand *operand = &op->what->operands[number];
    const kb_memory *memory = &pass->defs->memories[operand->memory];
    kbr_reach reach = kbr_op_impl_of(op->what->kind)->reach;
    bool own = memory->pe == pass->defs->streams[op->what->stream].pe;
    if (reach == KBR_REACH_ANY || (reach == KBR_REACH_TO && number != 0) ||
        (reach == KBR_REACH_FROM && number == 0))
        return true;
    if (reach != KBR_REACH_ENGINE)
        return own;
    return own && (memory->space == KB_SPACE_TCM || in_ring(pass, operand->memory, low, high));
}

/* --- in the order of numbers --------------------------------------------------------------------- */

static kb_status read_bounds(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                             kb_trail *trail) {
    (void)trail;
    kbr_pass *pass = ((bounds *)state)->pass;
    kbr_flow flow = kbr_op_flow(op->what);
    for (uint32_t i = 0; i < op->what->operand_count; i++) {
        const kb_operand *operand = &op->what->operands[i];
        if (kb_operand_elements(operand) == 0)
            continue;
        uint64_t room = pass->defs->memories[operand->memory].size_bytes, offset = op->offsets[i];
        int64_t low, high;
        bool fits = kb_operand_extent(operand, &low, &high) && offset <= room &&
                    (low >= 0 || 0 - (uint64_t)low <= offset) &&
                    (high <= 0 || (uint64_t)high <= room - offset);
        if (!fits) {
            say(pass, rank, op, i, "memory", offset, offset + 1, NULL, "it leaves its memory");
            *inout_fitness = KBR_UNFIT;
            continue;
        }
        if (offset % kb_dtype_size(operand->dtype) != 0)
            say(pass, rank, op, i, "alignment", offset + (uint64_t)low, offset + (uint64_t)high, NULL,
                "its offset is no multiple of its element's size");
        if (flow != KBR_FLOW_UNDEFINE)
            check_regions(pass, rank, op, i, offset + (uint64_t)low, offset + (uint64_t)high);
        if (!reached(pass, op, i, offset + (uint64_t)low, offset + (uint64_t)high))
            say(pass, rank, op, i, "reach", offset + (uint64_t)low, offset + (uint64_t)high, NULL,
                "its engine does not reach that memory");
    }
    return KB_OK;
}

/* --- in the order of dataflow: what lives -------------------------------------------------------- */

/* A range begins to live where none lives, and ends as it began; what was there from the start may end. */
static kb_status change_life(bounds *it, uint32_t rank, const kb_op *op, uint64_t low, uint64_t high,
                             kb_trail *trail) {
    kbr_lives *lives = &it->lives[op->what->operands[0].memory];
    bool begins = op->what->kind == KB_OP_ALLOC;
    const kbr_life *live = kbr_lives_touching(lives, low, high, true);
    const kbr_life *dead = kbr_lives_touching(lives, low, high, false);
    bool whole = live != NULL && live->id == op->id && live->low == low && live->high == high;
    if (begins && live != NULL)
        say(it->pass, rank, op, 0, "allocation", low, high, &live->by, "part of it is allocated already");
    else if (!begins && live != NULL && !whole)
        say(it->pass, rank, op, 0, "free", low, high, &live->by, "it frees another range than was allocated");
    else if (!begins && live == NULL && dead != NULL)
        say(it->pass, rank, op, 0, "free", low, high, &dead->by, "part of it is freed already");
    kbr_life life = {low, high, op->id, begins, kbr_mention_of(rank, op)};
    return kbr_lives_set(lives, it->pass->alloc, &life, trail);
}

static void check_lives(bounds *it, uint32_t rank, const kb_op *op, uint32_t number, uint64_t low,
                        uint64_t high) {
    const kbr_lives *lives = &it->lives[op->what->operands[number].memory];
    const kbr_life *dead = kbr_lives_touching(lives, low, high, false);
    const kbr_life *live = kbr_lives_touching(lives, low, high, true);
    if (live != NULL && (low < live->low || high > live->high))
        say(it->pass, rank, op, number, "allocation", low, high, &live->by,
            "it touches an allocation and reaches past its end");
    else if (dead != NULL)
        say(it->pass, rank, op, number, "use after free", low, high, &dead->by, "it touches what was freed");
}

static kb_status execute_bounds(void *state, uint32_t rank, const kb_op *op, kb_trail *trail) {
    bounds *it = state;
    kbr_flow flow = kbr_op_flow(op->what);
    for (uint32_t i = 0; i < op->what->operand_count && flow != KBR_FLOW_NONE; i++) {
        const kb_operand *operand = &op->what->operands[i];
        int64_t low, high;
        if (kb_operand_elements(operand) == 0 || !kb_operand_extent(operand, &low, &high))
            continue;
        uint64_t begin = op->offsets[i] + (uint64_t)low, end = op->offsets[i] + (uint64_t)high;
        if (flow == KBR_FLOW_UNDEFINE)
            KB_TRY(change_life(it, rank, op, begin, end, trail));
        else if (it->lives[operand->memory].count != 0)
            check_lives(it, rank, op, i, begin, end);
    }
    return KB_OK;
}

const kbr_check kbr_check_bounds = {
    .open = open_bounds, .read = read_bounds, .execute = execute_bounds, .close = close_bounds};
