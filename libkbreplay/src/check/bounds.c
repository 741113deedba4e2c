/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds: each operand lies inside its memory, on a multiple of its element, and inside what it touches.
 *
 * What touches a tensor's shard or a queue's slot must lie within it: memory around them belongs to
 * somebody else. Elements of a tensor are taken for what they are. Ranges that begin or end to live may
 * hold many, and only keep to their memory.
 */
#include <inttypes.h>

#include "check/check.h"
#include "op/op.h"

static kb_status open_bounds(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    (void)trail;
    *ret_state = pass;
    return KB_OK;
}

static void close_bounds(void *state, const kb_alloc *alloc) {
    (void)state, (void)alloc;
}

static void say(kbr_pass *pass, uint32_t rank, const kb_op *op, uint32_t number, const char *rule,
                uint64_t low, uint64_t high, const char *message) {
    kbr_finding finding = kbr_finding_about(pass->defs, "bounds", rule, rank, op);
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

/* The slot of a ring that holds byte `low` must hold all up to `high`. */
static bool inside(const kb_defs *defs, const kbr_region *region, uint64_t low, uint64_t high) {
    if (low < region->low || high > region->high)
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
        if (inside(pass->defs, it, low, high)) {
            lies = true;
            if (same_dtype(pass->defs, it, op->what->operands[number].dtype))
                return;
        }
        kind = touches ? kind : it->kind;
        touches = true;
    }
    if (lies)
        say(pass, rank, op, number, "dtype", low, high, "it takes a tensor's elements for another dtype");
    else if (touches && kind == KBR_REGION_RING)
        say(pass, rank, op, number, "slot", low, high, "it touches a slot and reaches past its end");
    else if (touches)
        say(pass, rank, op, number, "shard", low, high, "it touches a tensor and reaches past its end");
}

static kb_status read_bounds(void *state, uint32_t rank, const kb_op *op, bool *inout_usable,
                             kb_trail *trail) {
    (void)trail;
    kbr_pass *pass = state;
    kbr_flow flow = kbr_op_impl_of(op->what->kind)->flow;
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
            say(pass, rank, op, i, "memory", offset, offset + 1, "it leaves its memory");
            *inout_usable = false;
            continue;
        }
        if (offset % kb_dtype_size(operand->dtype) != 0)
            say(pass, rank, op, i, "alignment", offset + (uint64_t)low, offset + (uint64_t)high,
                "its offset is no multiple of its element's size");
        if (flow != KBR_FLOW_UNDEFINE)
            check_regions(pass, rank, op, i, offset + (uint64_t)low, offset + (uint64_t)high);
    }
    return KB_OK;
}

const kbr_check kbr_check_bounds = {.open = open_bounds, .read = read_bounds, .close = close_bounds};
