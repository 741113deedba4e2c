/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which findings follow from which: one fault often shows in several checks.
 *
 * Two findings belong together if they name an op in common, or speak of one queue, or one lies in the chain
 * of ops by which the other's wrong value came about. Of those that belong together one is the cause: what
 * is wrong in the records themselves comes before what follows when they are executed.
 */
#ifndef KBREPLAY_SRC_CAUSES_H
#define KBREPLAY_SRC_CAUSES_H

#include "pass.h"

/* Sorts the findings, each cause before what follows from it, and names missing edges and culprits. */
kb_status kbr_causes_find(const kbr_pass *pass, kbr_findings *findings, size_t *ret_cause_count,
                          kb_trail *trail) KB_MUST_USE;

#endif
