/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts do in a program that is being drawn: tensors, writes and reads, launches, collectives. */
#ifndef KB_TESTS_CLEAN_HOST_H
#define KB_TESTS_CLEAN_HOST_H

#include "support/clean/views.h"

/* Each draws one; false where nothing fits. */
bool clean_tensor_any(clean_plan *plan, uint32_t rank);
bool clean_free(clean_plan *plan, uint32_t rank);
bool clean_host_write(clean_plan *plan, uint32_t rank);
bool clean_host_read(clean_plan *plan, uint32_t rank);

/*
 * Begins a kernel, on all PEs or on some, and ends it when what it left open is awaited; the last one is on
 * all, and leaves nothing. Hosts may go on beside it, until they wait for it.
 */
void clean_launch(clean_plan *plan, bool is_last);
void clean_end(clean_plan *plan, bool is_last);
bool clean_wait_launch(clean_plan *plan, uint32_t rank);
void clean_wait_launches(clean_plan *plan, uint32_t rank);
/* A collective of all ranks. */
void clean_all_reduce(clean_plan *plan);

#endif
