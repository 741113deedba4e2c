/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping entries; see log.h. */
#include "blame/log.h"

/* Beyond this a search for the culprit is given up: so many entries are a gigabyte. */
#define ENTRIES_MOST ((size_t)1 << 22)

void kbr_log_init(kbr_log *log, const kb_alloc *alloc) {
    *log = (kbr_log){.alloc = alloc};
    kb_arena_init(&log->arena, alloc, 0);
}

void kbr_log_fini(kbr_log *log) {
    kb_delete(log->alloc, log->entries, log->capacity * sizeof(kbr_entry));
    kb_arena_fini(&log->arena);
}

kb_status kbr_log_add(kbr_log *log, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    if (log->count == ENTRIES_MOST) {
        log->full = true;
        return KB_OK;
    }
    void *entries = log->entries, *touches;
    KB_TRY(kb_grow(log->alloc, sizeof(kbr_entry), log->count + 1, &log->capacity, &entries, trail));
    log->entries = entries;
    KB_TRY(kb_arena_new(&log->arena, what->operand_count * sizeof(kbr_touch), &touches, trail));
    kbr_touch *at = touches;
    for (uint32_t i = 0; i < what->operand_count; i++) {
        void *view;
        KB_TRY(kb_arena_copy(&log->arena, &what->operands[i], sizeof(kb_operand), &view, trail));
        int64_t low = 0, high = 0;
        if (kb_operand_elements(&what->operands[i]) != 0)
            (void)kb_operand_extent(&what->operands[i], &low, &high);
        at[i] = (kbr_touch){op->offsets[i] + (uint64_t)low, op->offsets[i] + (uint64_t)high, op->offsets[i],
                            view};
    }
    log->entries[log->count++] = (kbr_entry){.rank = rank,
                                             .stream = what->stream,
                                             .index = op->index,
                                             .collective = op->collective,
                                             .time_ps = op->start_ps,
                                             .func = what->func,
                                             .file = what->file,
                                             .line = what->line,
                                             .label = what->step,
                                             .step = op->step,
                                             .kind = what->kind,
                                             .flow = (uint8_t)kbr_op_flow(what),
                                             .touch_count = (uint8_t)what->operand_count,
                                             .touches = at};
    return KB_OK;
}

bool kbr_log_find(const kbr_log *log, uint32_t rank, uint64_t index, size_t *ret_entry) {
    for (size_t i = 0; i < log->count; i++)
        if (log->entries[i].rank == rank && log->entries[i].index == index) {
            *ret_entry = i;
            return true;
        }
    return false;
}

kbr_mention kbr_entry_mention(const kbr_entry *entry) {
    return (kbr_mention){.rank = entry->rank,
                         .index = entry->index,
                         .known = true,
                         .kind = entry->kind,
                         .func = entry->func,
                         .stream = entry->stream,
                         .file = entry->file,
                         .line = entry->line,
                         .label = entry->label,
                         .step = entry->step,
                         .time_ps = entry->time_ps};
}
