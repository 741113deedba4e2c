/* SPDX-License-Identifier: Apache-2.0 */
/* Collectives on tensors that do not lie in their PE's TCM. */
#ifndef KBSIM_SRC_STAGED_H
#define KBSIM_SRC_STAGED_H

#include "kbsim/coll.h"

/* Records an algorithm of one rank, wherever its tensors lie. */
void kbs_coll_record(kb_coll *c, const kbs_algorithm *algorithm);

#endif
