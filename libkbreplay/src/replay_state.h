/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay owns, shared by replay.c and dump.c alone. */
#ifndef KBREPLAY_SRC_REPLAY_STATE_H
#define KBREPLAY_SRC_REPLAY_STATE_H

#include "exchange/exchange.h"
#include "pass.h"
#include "wrong.h"

struct kbr_replay {
    kbr_options options;
    const kb_alloc *alloc;
    kb_reader *reader;
    const kb_defs *defs;
    kb_arena arena;
    const kbr_kernels *kernels;
    kbr_regions regions;
    kbr_findings findings;
    kbr_memories *memories;
    kbr_exchange_shared shared;
    /* Tests put others here: how ops reach the memories, and what is not worth a thread. */
    kbr_exchange *exchange;
    uint64_t little_size;
    kbr_wrongs wrongs;
    kbr_unchecked unchecked;
    kbr_result result;
    bool ran;
};

#endif
