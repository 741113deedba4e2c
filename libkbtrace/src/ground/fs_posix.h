/* SPDX-License-Identifier: Apache-2.0 */
/* A part of the posix file seam that a test reaches on its own. Private to libkbtrace. */
#ifndef KBTRACE_SRC_FS_POSIX_H
#define KBTRACE_SRC_FS_POSIX_H

#include "kbtrace/fs.h"

/* KB_OPEN_SCRATCH where O_TMPFILE is not to be had: a file whose name is taken away again. */
int kb_fs_posix_named_scratch(const char *path);

#endif
