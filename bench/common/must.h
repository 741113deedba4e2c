/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements do not recover: what fails is said, and ends the process. */
#ifndef KB_BENCH_MUST_H
#define KB_BENCH_MUST_H

#include <stdbool.h>
#include <stddef.h>

#include "kbtrace/status.h"

/* Ends the process with a message unless `fine`. */
void bench_must(bool fine, const char *what);
void bench_must_kb(kb_status status, const kb_trail *trail);
void *bench_new(size_t size); /* zeroed */

#endif
