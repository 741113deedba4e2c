/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that begin with where the trouble stands: "machines/big.yaml:3:7: ...". */
#ifndef KBSIM_SRC_ORIGIN_H
#define KBSIM_SRC_ORIGIN_H

#include "kbsim/machine.h"

/* Fails with KB_E_ARGUMENT. What was not set in a file has no place, and the message none either. */
kb_status kbs_fail_at(const kbs_origin *origin, kb_trail *trail, const char *format, ...) KB_PRINTF(3, 4);

/* Puts the place before the cause of a failure, and returns `status` unchanged. */
kb_status kbs_blame(const kbs_origin *origin, kb_status status, kb_trail *trail);

#endif
