/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders with all that is in them. */
#ifndef KB_BENCH_FOLDER_H
#define KB_BENCH_FOLDER_H

#include <stdint.h>

uint64_t bench_size_of(const char *path);
void bench_remove(const char *path); /* what is not there is fine */

/* Where to put files: in memory if there is such a folder, because a disk's speed is nobody's merit. */
const char *bench_scratch(void);

#endif
