/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks in groups, from text; see group.h. */
#include "bench/group.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

typedef struct reading {
    const char *text, *at;
    uint32_t ranks; /* of the run */
    uint32_t *list, *sizes;
    uint32_t count, listed; /* groups that are complete; ranks in all */
    bool *taken;            /* by rank */
} reading;

/* A number that a rank could have; false where there is none. */
static bool read_number(reading *r, uint64_t *ret) {
    uint64_t number = 0;
    const char *at = r->at;
    for (; isdigit((unsigned char)*at) && number <= UINT32_MAX; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == r->at || number > UINT32_MAX)
        return false;
    r->at = at;
    *ret = number;
    return true;
}

static kb_status not_group(const reading *r, kb_trail *trail) {
    return kb_fail(
        trail, KB_E_ARGUMENT,
        "group: '%s' is not understood at '%s' (all, or ranks such as 0-3,8,12-30:2, with a / between "
        "groups)",
        r->text, r->at);
}

static kb_status take(reading *r, uint64_t rank, kb_trail *trail) {
    if (rank >= r->ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "group: there is no rank %" PRIu64 ", the run has %u (--ranks)",
                       rank, r->ranks);
    if (r->taken[rank])
        return kb_fail(trail, KB_E_ARGUMENT, "group: rank %" PRIu64 " is named twice", rank);
    r->taken[rank] = true;
    r->list[r->listed++] = (uint32_t)rank;
    return KB_OK;
}

/* A number that must not be below `least`; where it is, that is where the text is not understood. */
static kb_status read_number_from(reading *r, uint64_t least, uint64_t *ret, kb_trail *trail) {
    const char *const begin = r->at;
    uint64_t number;
    if (!read_number(r, &number))
        return not_group(r, trail);
    if (number < least) {
        r->at = begin;
        return not_group(r, trail);
    }
    *ret = number;
    return KB_OK;
}

/* A rank, a range, or every so manieth of a range. */
static kb_status read_range(reading *r, kb_trail *trail) {
    uint64_t first, last, step = 1;
    KB_TRY(read_number_from(r, 0, &first, trail));
    last = first;
    if (*r->at == '-') {
        r->at++;
        KB_TRY(read_number_from(r, first, &last, trail));
        if (*r->at == ':') {
            r->at++;
            KB_TRY(read_number_from(r, 1, &step, trail));
        }
    }
    for (uint64_t rank = first; rank <= last; rank += step)
        KB_TRY(take(r, rank, trail));
    return KB_OK;
}

static kb_status read_group(reading *r, kb_trail *trail) {
    const uint32_t before = r->listed;
    KB_TRY(read_range(r, trail));
    while (*r->at == ',') {
        r->at++;
        KB_TRY(read_range(r, trail));
    }
    r->sizes[r->count++] = r->listed - before;
    return KB_OK;
}

static kb_status read_all(reading *r, kb_trail *trail) {
    if (strcmp(r->text, "all") == 0) {
        for (uint32_t rank = 0; rank < r->ranks; rank++)
            KB_TRY(take(r, rank, trail));
        r->sizes[r->count++] = r->ranks;
        return KB_OK;
    }
    KB_TRY(read_group(r, trail));
    while (*r->at == '/') {
        r->at++;
        KB_TRY(read_group(r, trail));
    }
    return *r->at == '\0' ? KB_OK : not_group(r, trail);
}

kb_status kbs_read_groups(const char *text, uint32_t ranks, kb_arena *arena, kbs_groups *ret,
                          kb_trail *trail) {
    reading r = {.text = text, .at = text, .ranks = ranks};
    void *list, *sizes, *taken;
    KB_TRY(kb_arena_new(arena, ranks * sizeof(uint32_t), &list, trail));
    KB_TRY(kb_arena_new(arena, ranks * sizeof(uint32_t), &sizes, trail));
    KB_TRY(kb_arena_new(arena, ranks * sizeof(bool), &taken, trail));
    r.list = list;
    r.sizes = sizes;
    r.taken = taken;
    KB_TRY(read_all(&r, trail));
    kbs_groups groups = {
        .ranks = r.list, .sizes = r.sizes, .count = r.count, .smallest = ranks, .largest = 0};
    for (uint32_t i = 0; i < r.count; i++) {
        groups.smallest = r.sizes[i] < groups.smallest ? r.sizes[i] : groups.smallest;
        groups.largest = r.sizes[i] > groups.largest ? r.sizes[i] : groups.largest;
    }
    *ret = groups;
    return KB_OK;
}
