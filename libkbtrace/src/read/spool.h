/* SPDX-License-Identifier: Apache-2.0 */
/* Makes what cannot be sought (a pipe, standard input) into something that can. */
#ifndef KBTRACE_SRC_SPOOL_H
#define KBTRACE_SRC_SPOOL_H

#include "kbtrace/fs.h"

/*
 * *ret_size of a regular file; a pipe's bytes are first copied to a nameless file, which takes its
 * place in *inout_file. A folder is refused.
 */
kb_status kb_spool(kb_file *inout_file, const char *path, bool *ret_spooled, uint64_t *ret_size,
                   kb_trail *trail) KB_MUST_USE;

#endif
