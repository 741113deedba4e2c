/* SPDX-License-Identifier: Apache-2.0 */
/* Whether definitions make sense together, so that nobody who reads them needs to ask again. */
#ifndef KBTRACE_SRC_DEFS_CHECK_H
#define KBTRACE_SRC_DEFS_CHECK_H

#include "kbtrace/defs.h"

/* Ids name rows that are there, ranks are of the run, lists are of one length. What is not so is `bad`. */
kb_status kb_defs_check(const kb_defs *defs, uint32_t ranks, kb_status bad, kb_trail *trail) KB_MUST_USE;

/* The same of what a template names. */
kb_status kb_template_check_ids(const kb_template *what, const kb_defs *defs, uint32_t ranks, kb_status bad,
                                kb_trail *trail) KB_MUST_USE;

#endif
