/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Barrier by dissemination: in round k of ⌈lg n⌉ each rank tells the one 2^k behind it that it and all that
 * it has heard of have come, and waits for what the one 2^k before it tells.
 *
 * With α a message of ipcq.credit_bytes on the credits' path it takes
 *     ⌈lg n⌉ α.
 *
 * Those rounds are what a barrier of PEs is: one command, without queues and slots. It cannot hang, for all
 * come.
 */
#include "coll/algorithms.h"

static void dissemination(kb_coll *c) {
    tl_step(c, "barrier", 0);
    tl_barrier(c);
}

const kbs_algorithm kbs_algorithm_barrier_dissemination = {.name = "dissemination",
                                                           .collective = KB_COLL_BARRIER,
                                                           .help = "each tells ranks 1, 2, 4 ... behind it",
                                                           .record = dissemination};
