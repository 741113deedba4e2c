/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings against bandwidth x round trip. A slot goes around: its message's way, its use, and its credit's way
 * back; no stream is faster than all slots in that time. One finding for all queues whose slots are used
 * again; none where they reach enough.
 */
#include <inttypes.h>

#include "lint/linting.h"
#include "run/costs.h"

enum { ENOUGH_PERCENT = 90 }; /* of the narrowest link: less is worth a word */

/* What a slot takes around on idle links, and what it takes the narrowest of them. */
typedef struct turn {
    int64_t around_ps, link_ps;
} turn;

static turn turn_of(const kbs_program *program, const kbs_costs *costs, const kbs_queue *queue) {
    const uint32_t space = program->defs.memories[queue->memory].space;
    const int64_t link_ps = kbs_route_time(queue->route, queue->slot_bytes);
    const int64_t message_ps =
        queue->route->latency_ps + link_ps + kbs_slot_time(costs, space, queue->slot_bytes);
    const int64_t use_ps = 2 * costs->dispatch_ps; /* whatever uses it, and the release */
    return (turn){message_ps + use_ps + queue->credit_latency_ps + queue->credit_time_ps, link_ps};
}

static uint64_t percent_of(turn t, uint32_t slots) {
    const uint64_t reached = (uint64_t)t.link_ps * slots * 100 / (uint64_t)t.around_ps;
    return reached < 100 ? reached : 100;
}

/* The fewest slots that keep the link busy. */
static uint64_t slots_for(turn t) {
    return ((uint64_t)t.around_ps + (uint64_t)t.link_ps - 1) / (uint64_t)t.link_ps;
}

kb_status kbs_check_rings(kbs_linting *l) {
    const kbs_program *program = l->program;
    kbs_costs costs;
    kbs_costs_find(&costs, program->machine);
    const kbs_queue *worst = NULL;
    uint64_t worst_percent = ENOUGH_PERCENT, most_slots = 0, count = 0;
    for (size_t i = 0; i < program->queue_count; i++) {
        const kbs_queue *queue = &program->queues[i];
        if (queue->sent <= queue->slots)
            continue; /* no slot is used twice */
        const turn t = turn_of(program, &costs, queue);
        const uint64_t percent = percent_of(t, queue->slots);
        if (percent >= ENOUGH_PERCENT)
            continue;
        count++;
        most_slots = slots_for(t) > most_slots ? slots_for(t) : most_slots;
        if (percent < worst_percent) {
            worst_percent = percent;
            worst = queue;
        }
    }
    if (worst == NULL)
        return KB_OK;
    char name[KBS_QUEUE_NAME_CHARS];
    return kbs_lint_find(l, KBS_CHECK_RINGS, true,
                         "in %" PRIu64
                         " of %zu queues the ring is smaller than bandwidth x round trip: %s reaches at most "
                         "%" PRIu64 "%% of its narrowest link with %u slots of %" PRIu64 " bytes; %" PRIu64
                         " slots would do for all (ipcq.slots)",
                         count, program->queue_count, kbs_queue_name(worst, name), worst_percent,
                         worst->slots, worst->slot_bytes, most_slots);
}
