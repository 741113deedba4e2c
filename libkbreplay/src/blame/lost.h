/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an input that should be in an element was lost: forward from it, through all that took it over.
 */
#ifndef KBREPLAY_SRC_LOST_H
#define KBREPLAY_SRC_LOST_H

#include "blame/trace.h"

typedef struct kbr_loss {
    size_t entry;  /* the op to blame, or KBR_NOWHERE */
    size_t holder; /* that had put it where it was lost, or KBR_NOWHERE: it lay there as an input */
    uint32_t memory;
    uint64_t offset;
    bool strayed;     /* it was written to the home of another element, `other` */
    bool released;    /* its slot was given back unread */
    bool overwritten; /* before it was read; where none of the three holds, it was left lying */
    bool left_out;    /* and `entry` took other bytes that were written together with it */
    uint64_t other;
} kbr_loss;

/*
 * Follows the byte at which a member's input of `element` lies, from its coll_begin up to entry `until`.
 * The first op that takes it to the home of another element; else, of the places that held it and were
 * never read, the one that was lost first.
 */
kb_status kbr_find_loss(const kbr_origins *origins, uint32_t memory, uint64_t offset, uint64_t element,
                        size_t begin, size_t until, kb_arena *arena, kbr_loss *ret_loss,
                        kb_trail *trail) KB_MUST_USE;

#endif
