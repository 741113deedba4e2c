/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong first, for a second pass to explain: a wrong element of a collective's output, and a
 * use of undefined bytes. Of several the choice does not depend on the order of the walk.
 */
#ifndef KBREPLAY_SRC_WRONG_H
#define KBREPLAY_SRC_WRONG_H

#include "pass.h"

typedef struct kbr_wrong_value {
    bool set;
    uint32_t collective, part; /* id; part of the output in which the element lies */
    uint64_t element;          /* of that rank's output */
    uint32_t rank;
    uint64_t op; /* the coll_end that showed it */
} kbr_wrong_value;

typedef struct kbr_wrong_byte {
    bool set;
    uint32_t rank;
    uint64_t op; /* that used it */
    int64_t time_ps;
    uint32_t memory;
    uint64_t offset;
} kbr_wrong_byte;

typedef struct kbr_wrongs {
    kbr_wrong_value *values; /* [collectives]: the first of each */
    size_t value_count;
    kbr_wrong_byte undefined;
} kbr_wrongs;

/* Offers what another has; their values are the same list. */
void kbr_wrongs_join(kbr_wrongs *wrongs, const kbr_wrongs *from);

/* `wrongs` may be NULL in these: nobody asks. */
void kbr_wrongs_offer_value(kbr_wrongs *wrongs, const kbr_wrong_value *value);
void kbr_wrongs_offer_undefined(kbr_wrongs *wrongs, uint32_t rank, const kb_op *op, uint32_t memory,
                                uint64_t offset);

#endif
