/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blame: which op is the cause of a wrong value, or of undefined bytes that were used.
 *
 * Goes back from the first wrong element through the log, from each byte to the op that put it there,
 * until it comes to inputs. A culprit is the op that
 *   - read an element for another (a shifted or mistaken address),
 *   - joined with another function than the collective's,
 *   - took in bytes that are no input of the collective at all,
 *   - took an input in a second time, or
 *   - let the last trace of an input be overwritten or left lying.
 */
#ifndef KBREPLAY_SRC_BLAME_H
#define KBREPLAY_SRC_BLAME_H

#include "blame/log.h"
#include "wrong.h"

/* Adds what it finds to the findings of `value` and `init` that `wrongs` stand for. */
kb_status kbr_blame(const kbr_pass *pass, const kbr_log *log, const kbr_wrongs *wrongs,
                    kbr_findings *findings, kb_trail *trail) KB_MUST_USE;

#endif
