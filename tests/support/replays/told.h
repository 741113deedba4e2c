/* SPDX-License-Identifier: Apache-2.0 */
/* All that a replay of a trace tells, as one text, to be compared with that of another replay. */
#ifndef KB_TESTS_TOLD_H
#define KB_TESTS_TOLD_H

#include "kbreplay/replay.h"

typedef struct told_how {
    kbr_options options;
    bool messages;        /* over support/replays/messages.h */
    uint64_t little_size; /* see pass.h; 0: each op that touches memory is handed to the threads */
} told_how;

/* A text that the caller frees; where the replay itself fails, that is what it tells. */
char *told_by(kb_reader *reader, const told_how *how);

#endif
