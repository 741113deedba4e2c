/* SPDX-License-Identifier: Apache-2.0 */
/* Making, keeping and dropping checkpoints; see checkpoints.h. */
#include "time/checkpoints.h"

#include <string.h>

#define LEAST_SIZE ((uint64_t)512 << 20)

void kbr_checkpoints_init(kbr_checkpoints *it, kbr_memories *memories, const kb_alloc *alloc) {
    *it = (kbr_checkpoints){.alloc = alloc, .memories = memories};
}

static void end_one(kbr_checkpoint *one) {
    kbr_mark_destroy(one->mark);
    kbr_snapshot_destroy(one->memory);
}

void kbr_checkpoints_fini(kbr_checkpoints *it) {
    for (size_t i = 0; i < it->count; i++)
        end_one(&it->items[i]);
    kb_delete(it->alloc, it->items, it->capacity * sizeof *it->items);
}

/* --- how much ---------------------------------------------------------------------------------- */

uint64_t kbr_checkpoints_size(const kbr_checkpoints *it) {
    uint64_t all = kbr_memories_size(it->memories);
    uint64_t size = all > it->live_size ? all - it->live_size : 0;
    for (size_t i = 0; i < it->count; i++)
        size += kbr_mark_size(it->items[i].mark);
    return size;
}

static uint64_t budget(const kbr_checkpoints *it) {
    if (it->most_size != 0)
        return it->most_size;
    return 2 * it->live_size > LEAST_SIZE ? 2 * it->live_size : LEAST_SIZE;
}

/* Fine ones may use all of the budget, regular ones leave a quarter of it. */
static bool is_too_much(const kbr_checkpoints *it, bool fine) {
    size_t fine_count = 0;
    for (size_t i = 0; i < it->count; i++)
        fine_count += it->items[i].fine;
    uint64_t size = kbr_checkpoints_size(it), most = budget(it);
    if (size + it->live_size > it->room_size)
        return true;
    return fine ? size > most || fine_count > KBR_FINE_MAX
                : size > most - most / 4 || it->count - fine_count > it->most_regular;
}

/* --- which ------------------------------------------------------------------------------------- */

static void drop(kbr_checkpoints *it, size_t at) {
    end_one(&it->items[at]);
    memmove(&it->items[at], &it->items[at + 1], (it->count - at - 1) * sizeof *it->items);
    it->count--;
}

/* The fine one that is farthest from `ops`; 0 where there is none. */
static size_t farthest_fine(const kbr_checkpoints *it, uint64_t ops) {
    size_t farthest = 0;
    uint64_t most = 0;
    for (size_t i = 1; i < it->count; i++) {
        uint64_t there = it->items[i].ops, way = there > ops ? there - ops : ops - there;
        if (it->items[i].fine && (farthest == 0 || way > most)) {
            farthest = i;
            most = way;
        }
    }
    return farthest;
}

static void widen(kbr_checkpoints *it) {
    it->interval *= 2;
    uint64_t kept = it->items[0].ops;
    for (size_t i = 1; i < it->count;)
        if (it->items[i].ops - kept < it->interval)
            drop(it, i);
        else
            kept = it->items[i++].ops;
}

/* Gives up a fine one, or half of the regular ones. False where there is none. */
static bool give_up(kbr_checkpoints *it, uint64_t ops, bool fine_only) {
    size_t fine = farthest_fine(it, ops);
    if (fine != 0)
        drop(it, fine);
    else if (fine_only || it->count <= 1)
        return false;
    else
        widen(it);
    return true;
}

bool kbr_checkpoints_thin(kbr_checkpoints *it) {
    size_t before = it->count;
    while (it->count > before / 2 && give_up(it, 0, false))
        continue;
    return it->count < before;
}

kb_status kbr_checkpoints_add(kbr_checkpoints *it, const kbr_walk_state *walk, uint64_t ops, bool fine,
                              kb_trail *trail) {
    kbr_checkpoint one = {.at_ps = kbr_walk_now(walk), .ops = ops, .fine = fine};
    void *items = it->items;
    KB_TRY(kb_grow(it->alloc, sizeof *it->items, it->count + 1, &it->capacity, &items, trail));
    it->items = items;
    KB_TRY(kbr_walk_mark(walk, &one.mark, trail));
    kb_status status = kbr_memories_snapshot(it->memories, &one.memory, trail);
    if (status != KB_OK) {
        kbr_mark_destroy(one.mark);
        return status;
    }
    it->live_size = kbr_snapshot_size(one.memory);
    size_t at = it->count;
    while (at > 0 && it->items[at - 1].ops > ops)
        at--;
    memmove(&it->items[at + 1], &it->items[at], (it->count - at) * sizeof *it->items);
    it->items[at] = one;
    it->count++;
    while (is_too_much(it, fine) && give_up(it, ops, fine))
        continue;
    return KB_OK;
}

/* --- finding ----------------------------------------------------------------------------------- */

const kbr_checkpoint *kbr_checkpoints_before(const kbr_checkpoints *it, int64_t time_ps) {
    size_t at = it->count - 1;
    while (at > 0 && it->items[at].at_ps > time_ps)
        at--;
    return &it->items[at];
}
