/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A deadlock in words. Every unfinished op waits for one thing, and that for another: whoever follows them
 * comes back to where it was, or to something that nobody will ever bring.
 */
#ifndef KBSIM_SRC_DEADLOCK_H
#define KBSIM_SRC_DEADLOCK_H

#include "pe/sim.h"

/* Lines, each with its end; the caller frees them by their length and one. */
kb_status kbs_explain_deadlock(const kbs_sim *sim, char **ret_text, kb_trail *trail) KB_MUST_USE;

#endif
