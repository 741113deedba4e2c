/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op that cannot go on waits for, in words: the same whether the clock has come to a standstill or
 * the program was executed without one.
 */
#ifndef KBSIM_SRC_WORDS_H
#define KBSIM_SRC_WORDS_H

#include "record/program.h"

enum { KBS_WORDS_CHARS = 320, KBS_NUMBER_CHARS = 24 };

typedef struct kbs_words {
    char text[KBS_WORDS_CHARS]; /* "waits for ..." */
    uint32_t queue;             /* that it waits on, or KB_NONE */
    uint64_t sequence;          /* and for which slot: its message, or its release */
    bool of_credit;
} kbs_words;

/* An op as it is named within words: the number that it has in the trace, where there is one. */
typedef struct kbs_named {
    uint32_t kind; /* KB_OP_… */
    bool has_number;
    uint64_t number;
} kbs_named;

void kbs_words_plain(kbs_words *words, const char *text);
/* A copy that is not the first in its queue's line. */
void kbs_words_line(kbs_words *words, const kbs_program *program, uint32_t queue);
/* The first copy in line, with that sequence; *ret_ever: whether what must go before is ever received. */
void kbs_words_credit(kbs_words *words, const kbs_program *program, uint32_t queue, uint64_t slots,
                      uint64_t sequence, bool *ret_ever);
/* A receive; *ret_ever: whether that slot is ever sent. */
void kbs_words_message(kbs_words *words, const kbs_program *program, uint32_t queue, uint64_t sequence,
                       bool *ret_ever);
/* A wait for so many ops, of which some are missing. */
void kbs_words_wait(kbs_words *words, uint8_t point, uint32_t awaited, uint32_t missing,
                    const kbs_named *first);
void kbs_words_fence(kbs_words *words, uint64_t unfinished);
void kbs_words_barrier(kbs_words *words, uint64_t id, uint32_t missing, uint32_t come, size_t members);
/* A launch that its rank is not done with, or to which a host has not come. */
void kbs_words_launched(kbs_words *words, uint64_t launch);
void kbs_words_launch(kbs_words *words, uint64_t launch, uint32_t missing);

#endif
