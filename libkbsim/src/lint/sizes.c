/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes of rings; see sizes.h. More slots never hold anything up. So the sizes with which a program ends are
 * closed upwards, and halving finds the least of one number.
 */
#include "lint/sizes.h"

/* --- one size for all ------------------------------------------------------------------------ */

static kb_status fill(kbs_timeless *t, uint64_t slots, uint64_t **inout_sizes, kb_trail *trail) {
    const size_t count = t->program->queue_count;
    if (*inout_sizes == NULL) {
        void *memory;
        KB_TRY(kb_arena_new(&t->arena, count * sizeof(uint64_t), &memory, trail));
        *inout_sizes = memory;
    }
    for (size_t i = 0; i < count; i++)
        (*inout_sizes)[i] = slots;
    return KB_OK;
}

static kb_status ends_with(kbs_timeless *t, uint64_t slots, uint64_t **inout_sizes, bool *ret_ends,
                           kb_trail *trail) {
    KB_TRY(fill(t, slots, inout_sizes, trail));
    return kbs_timeless_play(t, *inout_sizes, ret_ends, trail);
}

kb_status kbs_sizes_uniform(kbs_timeless *t, uint64_t *ret_slots, kb_trail *trail) {
    uint64_t low = 0, high = 1, *sizes = NULL; /* too few, enough */
    for (size_t i = 0; i < t->program->queue_count; i++)
        if (t->program->queues[i].sent > high)
            high = t->program->queues[i].sent;
    bool ends;
    KB_TRY(ends_with(t, high, &sizes, &ends, trail));
    if (!ends) {
        *ret_slots = 0;
        return KB_OK;
    }
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        KB_TRY(ends_with(t, middle, &sizes, &ends, trail));
        if (ends)
            high = middle;
        else
            low = middle;
    }
    *ret_slots = high;
    return KB_OK;
}

/* --- queue by queue -------------------------------------------------------------------------- */

typedef struct search {
    kbs_timeless *t;
    uint64_t uniform, until; /* the size that suffices; commands played, beyond which it gives up */
    uint64_t *slots;         /* with these it ends, from grow() on */
    uint32_t *grown;         /* queues that have more than they had */
    size_t grown_count;
    kb_trail *trail;
} search;

static uint64_t given(const search *s, size_t queue) {
    return s->t->program->queues[queue].slots;
}

/*
 * Where it stands still, at least one of the queues whose next copy has no credit must be larger. All of
 * them get what suffices, until it ends: which of them need it is found out afterwards.
 */
static kb_status grow(search *s) {
    const kbs_program *program = s->t->program;
    bool ends = false;
    for (;;) {
        KB_TRY(kbs_timeless_play(s->t, s->slots, &ends, s->trail));
        if (ends)
            return KB_OK;
        for (uint32_t i = 0; i < program->queue_count; i++) {
            const kbs_course *q = &s->t->courses[i];
            if (q->started == q->issued || s->slots[i] >= s->uniform)
                continue;
            s->slots[i] = s->uniform;
            s->grown[s->grown_count++] = i;
        }
    }
}

/* Takes from the grown queues [first, first + count) what they got, as far as the program ends without. */
static kb_status shrink(search *s, size_t first, size_t count) {
    bool ends = false;
    if (s->t->played > s->until)
        return KB_OK;
    for (size_t i = first; i < first + count; i++)
        s->slots[s->grown[i]] = given(s, s->grown[i]);
    KB_TRY(kbs_timeless_play(s->t, s->slots, &ends, s->trail));
    if (ends)
        return KB_OK;
    for (size_t i = first; i < first + count; i++)
        s->slots[s->grown[i]] = s->uniform;
    if (count == 1)
        return KB_OK;
    KB_TRY(shrink(s, first, count / 2));
    return shrink(s, first + count / 2, count - count / 2);
}

/* The least that this one needs, the others being as they are. */
static kb_status settle(search *s, uint32_t queue) {
    uint64_t low = given(s, queue), high = s->slots[queue];
    while (high - low > 1 && s->t->played <= s->until) {
        bool ends = false;
        s->slots[queue] = low + (high - low) / 2;
        KB_TRY(kbs_timeless_play(s->t, s->slots, &ends, s->trail));
        if (ends)
            high = s->slots[queue];
        else
            low = s->slots[queue];
    }
    s->slots[queue] = high;
    return KB_OK;
}

kb_status kbs_sizes_by_queue(kbs_timeless *t, uint64_t uniform, uint64_t most_played, uint64_t *slots,
                             bool *ret_smallest, kb_trail *trail) {
    search s = {.t = t, .uniform = uniform, .until = t->played + most_played, .slots = slots, .trail = trail};
    const size_t count = t->program->queue_count;
    void *memory;
    KB_TRY(kb_arena_new(&t->arena, count * sizeof(uint32_t), &memory, trail));
    s.grown = memory;
    for (size_t i = 0; i < count; i++)
        slots[i] = given(&s, i);
    KB_TRY(grow(&s));
    if (s.grown_count > 0)
        KB_TRY(shrink(&s, 0, s.grown_count));
    for (size_t i = 0; i < s.grown_count; i++)
        if (slots[s.grown[i]] > given(&s, s.grown[i]))
            KB_TRY(settle(&s, s.grown[i]));
    *ret_smallest = t->played <= s.until;
    return KB_OK;
}
