/* SPDX-License-Identifier: Apache-2.0 */
/* A standstill and its remedy as lines for people; see kbsim/lint.h. Finds nothing out. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kbsim/lint.h"

enum { MOST_SIZES = 16 }; /* queues whose sizes are told */

typedef struct lines {
    kb_arena *arena;
    char *text;
    size_t size, capacity;
    kb_trail *trail;
} lines;

static kb_status add(lines *to, const char *format, ...) KB_PRINTF(2, 3);

static kb_status add(lines *to, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line)
        length = (int)sizeof line - 1;
    const size_t size = length > 0 ? (size_t)length : 0;
    if (to->size + size + 2 > to->capacity) {
        const size_t capacity = (to->capacity + size) * 2 + 256;
        void *memory;
        KB_TRY(kb_arena_new(to->arena, capacity, &memory, to->trail));
        if (to->size > 0)
            memcpy(memory, to->text, to->size);
        to->text = memory;
        to->capacity = capacity;
    }
    memcpy(to->text + to->size, line, size);
    memcpy(to->text + to->size + size, "\n", 2);
    to->size += size + 1;
    return KB_OK;
}

static kb_status add_waiting(lines *to, const kbs_waiting *one) {
    char number[24] = "", step[96] = "";
    if (one->has_number)
        snprintf(number, sizeof number, " #%" PRIu64, one->number);
    if (one->step != NULL)
        snprintf(step, sizeof step, ", %.64s %" PRIu64, one->step, one->step_number);
    return add(to, "  rank %u (%s): %s%s (%s:%u%s) %s", one->rank, one->pe, one->kind, number, one->file,
               one->line, step, one->reason);
}

/* Of a circle, an end, or those behind, all lines; returns behind the last of them. */
static kb_status add_part(lines *to, const kbs_standstill *all, size_t first, size_t *ret_next) {
    const kbs_waiting *head = &all->waiting[first];
    size_t i = first;
    KB_TRY(add(to, "%s",
               head->place == KBS_WAIT_CIRCLE ? "these wait for one another, each for the next:"
               : head->place == KBS_WAIT_END  ? "this waits for what never comes:"
               : all->behind_count == 1       ? "behind them waits:"
                                              : "behind them wait:"));
    for (; i < all->waiting_count && all->waiting[i].part == head->part; i++)
        KB_TRY(add_waiting(to, &all->waiting[i]));
    *ret_next = i;
    if (head->place == KBS_WAIT_CIRCLE)
        return add(to, "  and so back to rank %u", head->rank);
    if (head->place == KBS_WAIT_END)
        return head->who_ends != NULL ? add(to, "  and the %s has nothing left to do", head->who_ends)
                                      : KB_OK;
    return all->behind_count > i - first ? add(to, "  and %" PRIu64 " more", all->behind_count - (i - first))
                                         : KB_OK;
}

kb_status kbs_standstill_text(const kbs_standstill *standstill, kb_arena *arena, const char **ret,
                              kb_trail *trail) {
    lines to = {.arena = arena, .text = "", .trail = trail};
    uint64_t told = 0;
    size_t i = 0;
    for (; i < standstill->waiting_count && standstill->waiting[i].place != KBS_WAIT_BEHIND; told++)
        KB_TRY(add_part(&to, standstill, i, &i));
    if (told < standstill->part_count)
        KB_TRY(add(&to, "and so in %" PRIu64 " places more", standstill->part_count - told));
    if (i < standstill->waiting_count)
        KB_TRY(add_part(&to, standstill, i, &i));
    *ret = to.text;
    return KB_OK;
}

kb_status kbs_remedy_text(const kbs_remedy *remedy, kb_arena *arena, const char **ret, kb_trail *trail) {
    lines to = {.arena = arena, .text = "", .trail = trail};
    if (remedy->slots == 0)
        KB_TRY(add(&to, "no number of slots lets this program end: its order of sends and receives must "
                        "change"));
    else
        KB_TRY(add(
            &to, "%" PRIu64 " slots in every ring let it end (--set ipcq.slots=%" PRIu64 "), and no fewer do",
            remedy->slots, remedy->slots));
    if (remedy->size_count > 0)
        KB_TRY(add(&to, remedy->are_smallest ? "or queue by queue, none of which can have fewer:"
                                             : "or queue by queue, where some may need fewer:"));
    for (size_t i = 0; i < remedy->size_count && i < MOST_SIZES; i++)
        KB_TRY(add(&to, "  --set 'ipcq.slots_of.%s=%" PRIu64 "' (it has %" PRIu64 ")", remedy->sizes[i].queue,
                   remedy->sizes[i].slots, remedy->sizes[i].given));
    if (remedy->size_count > MOST_SIZES)
        KB_TRY(add(&to, "  and %zu queues more (--json names them all)", remedy->size_count - MOST_SIZES));
    *ret = to.text;
    return KB_OK;
}
