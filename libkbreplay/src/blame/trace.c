/* SPDX-License-Identifier: Apache-2.0 */
/* Building the graph of origins; see trace.h. */
#include "blame/trace.h"

#include "blame/staged.h"
#include "op/access.h"

/* A graph beyond this explains nothing to anybody. */
enum { NODES_MOST = 1 << 15 };

/* --- operands ---------------------------------------------------------------------------------- */

bool kbr_touch_place(const kbr_touch *touch, uint64_t offset, uint64_t *ret_place) {
    if (offset < touch->low || offset >= touch->high)
        return false;
    kbr_runs runs;
    kbr_runs_init(&runs, touch->view, touch->offset);
    uint64_t at, size, done = 0;
    while (kbr_runs_next(&runs, &at, &size)) {
        if (offset >= at && offset - at < size) {
            *ret_place = done + offset - at;
            return true;
        }
        done += size;
    }
    return false;
}

uint64_t kbr_touch_offset(const kbr_touch *touch, uint64_t place) {
    kbr_runs runs;
    kbr_runs_init(&runs, touch->view, touch->offset);
    uint64_t at = touch->offset, size, done = 0;
    while (kbr_runs_next(&runs, &at, &size)) {
        if (place - done < size)
            return at + place - done;
        done += size;
    }
    return at;
}

bool kbr_passes_on(const kbr_entry *entry, uint32_t touch, uint64_t place, uint32_t *ret_memory,
                   uint64_t *ret_offset) {
    if (entry->flow != KBR_FLOW_MOVE && entry->flow != KBR_FLOW_MAP)
        return false;
    const kbr_touch *to = &entry->touches[0];
    if (entry->flow == KBR_FLOW_MAP)
        place = place / kb_dtype_size(entry->touches[touch].view->dtype) * kb_dtype_size(to->view->dtype);
    *ret_memory = to->view->memory;
    *ret_offset = kbr_touch_offset(to, place);
    return true;
}

/* --- writers ----------------------------------------------------------------------------------- */

static bool writes(const kbr_entry *entry, uint32_t touch) {
    return entry->flow != KBR_FLOW_NONE && entry->touches[touch].view->access != KB_ACCESS_READ;
}

kb_status kbr_writers_init(kbr_writers *writers, const kbr_log *log, const kb_defs *defs, kb_arena *arena,
                           kb_trail *trail) {
    void *entries, *counts;
    KB_TRY(kb_arena_new(arena, defs->memory_count * sizeof(size_t *), &entries, trail));
    KB_TRY(kb_arena_new(arena, defs->memory_count * sizeof(size_t), &counts, trail));
    *writers =
        (kbr_writers){.log = log, .entries = entries, .counts = counts, .memory_count = defs->memory_count};
    for (int filling = 0; filling < 2; filling++) {
        for (size_t i = 0; i < log->count; i++)
            for (uint32_t touch = 0; touch < log->entries[i].touch_count; touch++) {
                uint32_t memory = log->entries[i].touches[touch].view->memory;
                if (!writes(&log->entries[i], touch))
                    continue;
                if (filling != 0)
                    writers->entries[memory][writers->counts[memory]] = i;
                writers->counts[memory]++;
            }
        for (size_t memory = 0; filling == 0 && memory < defs->memory_count; memory++) {
            void *block;
            KB_TRY(kb_arena_new(arena, writers->counts[memory] * sizeof(size_t), &block, trail));
            writers->entries[memory] = block;
            writers->counts[memory] = 0;
        }
    }
    return KB_OK;
}

size_t kbr_writers_before(const kbr_writers *writers, uint32_t memory, size_t entry) {
    size_t low = 0, high = writers->counts[memory];
    while (low < high) { /* the first that is not before */
        size_t middle = low + (high - low) / 2;
        if (writers->entries[memory][middle] < entry)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t kbr_writer_of(const kbr_writers *writers, uint32_t memory, uint64_t offset, size_t before,
                     uint64_t *ret_place) {
    const size_t *entries = writers->entries[memory];
    size_t low = kbr_writers_before(writers, memory, before);
    while (low > 0) {
        const kbr_entry *entry = &writers->log->entries[entries[--low]];
        for (uint32_t touch = 0; touch < entry->touch_count; touch++)
            if (writes(entry, touch) && entry->touches[touch].view->memory == memory &&
                kbr_touch_place(&entry->touches[touch], offset, ret_place))
                return entries[low];
    }
    return KBR_NOWHERE;
}

/* --- homes ------------------------------------------------------------------------------------- */

typedef struct home {
    bool any, same, between; /* any element's; the wanted one's; not on its first byte */
    uint64_t element;        /* of another than the wanted one */
} home;

static void offer_home(const kbr_origins *it, home *at, uint64_t first, uint64_t count, uint64_t from,
                       uint64_t offset, uint32_t position, bool input, uint64_t wanted) {
    uint32_t size = kb_dtype_size(it->reference->collective->dtype);
    uint64_t limit = input ? kbr_reference_inputs(it->reference, position)
                           : kbr_reference_outputs(it->reference, position);
    if (limit == 0 || offset < from || (offset - from) / size >= count)
        return;
    uint64_t number = first + (offset - from) / size;
    uint64_t element = input ? kbr_reference_of_input(it->reference, position, number)
                             : kbr_reference_of_output(it->reference, position, number);
    bool between = (offset - from) % size != 0;
    at->any = true;
    at->same = at->same || (element == wanted && !between);
    if (element != wanted || between) {
        at->element = element;
        at->between = between;
    }
}

static home own_home_of(const kbr_origins *it, uint32_t memory, uint64_t offset, uint64_t wanted) {
    const kb_collective *collective = it->reference->collective;
    home at = {.any = false};
    for (size_t i = 0; i < collective->part_count; i++) {
        const kb_part *part = &collective->parts[i];
        uint32_t position;
        if ((part->input != memory && part->output != memory) ||
            !kbr_reference_position(it->pass->defs, collective, part->rank, &position))
            continue;
        if (part->input == memory)
            offer_home(it, &at, part->input_first, part->input_count, part->input_offset_bytes, offset,
                       position, true, wanted);
        if (part->output == memory)
            offer_home(it, &at, part->output_first, part->output_count, part->output_offset_bytes, offset,
                       position, false, wanted);
    }
    return at;
}

/* A part's own memory, or scratch memory that stands for it. */
static home home_of(const kbr_origins *it, uint32_t memory, uint64_t offset, size_t when, uint64_t wanted) {
    home at = own_home_of(it, memory, offset, wanted);
    if (!at.any && kbr_staged_home(it, memory, offset, when, &memory, &offset))
        at = own_home_of(it, memory, offset, wanted);
    return at;
}

bool kbr_home_of_another(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                         uint64_t element, uint64_t *ret_other) {
    home at = home_of(origins, memory, offset, when, element);
    *ret_other = at.element;
    return at.any && !at.same;
}

bool kbr_home_of(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                 uint64_t *ret_element) {
    home at = home_of(origins, memory, offset, when, UINT64_MAX); /* no element is wanted: any is another */
    *ret_element = at.element;
    return at.any;
}

/* --- the graph --------------------------------------------------------------------------------- */

/* The stream whose input the byte was when it entered, if nobody wrote it since; KBR_NOWHERE: none. */
static size_t input_part(const kbr_origins *it, uint32_t memory, uint64_t offset, size_t before,
                         size_t written) {
    const kb_collective *collective = it->reference->collective;
    uint32_t size = kb_dtype_size(collective->dtype);
    for (size_t i = 0; i < collective->part_count; i++) {
        const kb_part *part = &collective->parts[i];
        size_t begin = it->begins[i];
        bool lies = part->input == memory && offset >= part->input_offset_bytes &&
                    (offset - part->input_offset_bytes) / size < part->input_count;
        if (lies && begin != KBR_NOWHERE && begin < before && (written == KBR_NOWHERE || begin > written))
            return i;
    }
    return KBR_NOWHERE;
}

static void suspect(kbr_origins *it, size_t reader, size_t writer, uint32_t memory, uint64_t offset,
                    const home *at, uint64_t wanted) {
    if (it->suspect.entry != KBR_NOWHERE && it->suspect.entry <= reader)
        return;
    it->suspect = (kbr_suspect){reader, writer, memory, offset, wanted, at->element, at->between};
}

static kb_status add_node(kbr_origins *it, uint32_t memory, uint64_t offset, uint64_t element, size_t reader,
                          size_t home_writer, uint32_t *ret_node, kb_trail *trail) {
    home at = home_of(it, memory, offset, reader, element);
    if (at.any && !at.same && reader != KBR_NOWHERE) {
        suspect(it, reader, home_writer, memory, offset, &at, element);
        element = at.element;
    }
    size_t before = reader != KBR_NOWHERE ? reader : it->writers->log->count;
    kbr_origin node = {.memory = memory, .offset = offset, .element = element, .reader = reader};
    node.entry = kbr_writer_of(it->writers, memory, offset, before, &node.place);
    node.home_writer = at.any ? node.entry : home_writer;
    size_t part = input_part(it, memory, offset, before, node.entry);
    if (part != KBR_NOWHERE) {
        node.kind = KBR_NODE_INPUT;
        (void)kbr_reference_position(it->pass->defs, it->reference->collective,
                                     it->reference->collective->parts[part].rank, &node.position);
    } else {
        unsigned flow =
            node.entry != KBR_NOWHERE ? it->writers->log->entries[node.entry].flow : KBR_FLOW_NONE;
        node.kind = flow == KBR_FLOW_MOVE || flow == KBR_FLOW_MAP ? KBR_NODE_OP : KBR_NODE_FOREIGN;
    }
    for (size_t i = 0; node.kind == KBR_NODE_OP && i < it->count; i++)
        if (it->nodes[i].kind == KBR_NODE_OP && it->nodes[i].entry == node.entry &&
            it->nodes[i].place == node.place) {
            *ret_node = (uint32_t)i;
            return KB_OK;
        }
    void *nodes = it->nodes;
    KB_TRY(kb_grow(it->alloc, sizeof(kbr_origin), it->count + 1, &it->capacity, &nodes, trail));
    it->nodes = nodes;
    *ret_node = (uint32_t)it->count;
    it->nodes[it->count++] = node;
    return KB_OK;
}

/* What the written byte was made of, operand by operand. */
static kb_status add_children(kbr_origins *it, uint32_t number, kb_trail *trail) {
    kbr_origin node = it->nodes[number];
    const kbr_entry *entry = &it->writers->log->entries[node.entry];
    uint32_t written = 0;
    while (!writes(entry, written) || entry->touches[written].view->memory != node.memory)
        written++;
    uint64_t out_size = kb_dtype_size(entry->touches[written].view->dtype);
    for (uint32_t touch = 0; touch < entry->touch_count; touch++) {
        const kbr_touch *from = &entry->touches[touch];
        if (touch == written || from->view->access == KB_ACCESS_WRITE)
            continue;
        uint64_t place = node.place;
        if (entry->flow == KBR_FLOW_MAP)
            place = node.place / out_size * kb_dtype_size(from->view->dtype);
        uint32_t child;
        KB_TRY(add_node(it, from->view->memory, kbr_touch_offset(from, place), node.element, node.entry,
                        node.home_writer, &child, trail));
        it->nodes[number].children[it->nodes[number].child_count++] = child;
    }
    return KB_OK;
}

kb_status kbr_origins_trace(kbr_origins *origins, uint32_t memory, uint64_t offset, uint64_t element,
                            size_t before, kb_trail *trail) {
    origins->suspect.entry = KBR_NOWHERE;
    uint32_t root;
    KB_TRY(add_node(origins, memory, offset, element, before, KBR_NOWHERE, &root, trail));
    for (uint32_t i = 0; i < origins->count; i++) {
        if (origins->nodes[i].kind != KBR_NODE_OP)
            continue;
        if (origins->count > NODES_MOST)
            origins->nodes[i].kind = KBR_NODE_TOO_DEEP;
        else
            KB_TRY(add_children(origins, i, trail));
    }
    return KB_OK;
}
