/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two ops has the odd address; see trace.h. */
#include "blame/trace.h"

/* Elements that an operand covers: from one on, so many bytes. */
typedef struct range {
    bool any;
    uint64_t element, size;
} range;

static range range_of(const kbr_origins *origins, const kbr_touch *touch, size_t when) {
    range it = {.size = touch->high - touch->low};
    it.any = it.size != 0 && kbr_home_of(origins, touch->view->memory, touch->low, when, &it.element);
    return it;
}

/* Of the op's operands that are written, or read, the first that lies in a home. */
static range range_in(const kbr_origins *origins, size_t entry, bool written) {
    const kbr_entry *it = &origins->writers->log->entries[entry];
    for (uint32_t i = 0; i < it->touch_count; i++) {
        range found = range_of(origins, &it->touches[i], entry);
        if (found.any && (it->touches[i].view->access != KB_ACCESS_READ) == written)
            return found;
    }
    return (range){.any = false};
}

/* How many operands of other ops cover the same elements. */
static size_t count_same(const kbr_origins *origins, const range *as, size_t but, size_t nor) {
    const kbr_log *log = origins->writers->log;
    size_t count = 0;
    for (size_t i = 0; i < log->count; i++) {
        const kbr_entry *entry = &log->entries[i];
        bool moves = entry->flow == KBR_FLOW_MOVE || entry->flow == KBR_FLOW_MAP;
        for (uint32_t touch = 0; moves && i != but && i != nor && touch < entry->touch_count; touch++) {
            if (entry->touches[touch].high - entry->touches[touch].low != as->size)
                continue;
            range it = range_of(origins, &entry->touches[touch], i);
            count += it.any && it.element == as->element;
        }
    }
    return count;
}

bool kbr_writer_is_odd(const kbr_origins *origins, const kbr_suspect *suspect) {
    if (suspect->writer == KBR_NOWHERE || suspect->writer == suspect->entry)
        return false;
    range read = range_in(origins, suspect->entry, false), written = range_in(origins, suspect->writer, true);
    if (!read.any || !written.any)
        return false;
    return count_same(origins, &written, suspect->entry, suspect->writer) == 0 &&
           count_same(origins, &read, suspect->entry, suspect->writer) != 0;
}
