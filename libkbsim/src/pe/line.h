/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line before an engine, in which engine.queue_depth commands may stand that have not begun. Whether
 * there is room is a matter of times, not of who was called first: command n may be handed over once
 * command n - depth has begun.
 */
#ifndef KBSIM_SRC_LINE_H
#define KBSIM_SRC_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct kbs_sim;
struct kbs_pe;

typedef struct kbs_line {
    uint64_t entered, begun;
    int64_t *begins; /* ring by number modulo depth: when those began that somebody may ask for */
    uint32_t places; /* of it, so far */
    uint32_t enter_place, begin_place; /* of the next to enter, and of the next to begin */
} kbs_line;

/*
 * A command gets in line at ready_ps. False where it may not yet: then pe->full is the line, and the
 * sequencer is woken when that is known; or pe->full is NULL, and pe->room_ps says when it may.
 */
bool kbs_line_enter(kbs_line *line, struct kbs_pe *pe, int64_t ready_ps);

/* The first in line begins at begin_ps, which is no earlier than the one before it did. */
void kbs_line_begin(kbs_line *line, struct kbs_pe *pe, int64_t begin_ps);

#endif
