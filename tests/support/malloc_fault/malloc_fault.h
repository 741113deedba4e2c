/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refuses the C library's own malloc, so that allocations inside other people's libraries fail too.
 *
 * A test that includes this header is linked with replacements of malloc, calloc, realloc, free,
 * aligned_alloc, posix_memalign and memalign for its whole process; they pass everything on until
 * armed. Sanitizers bring their own malloc: in their builds nothing is replaced, malloc_fault_works()
 * is false, and a test should skip(). Requests are counted over all threads.
 *
 * Between arm and disarm call only what is under test: cmocka and stdio allocate as well. The
 * double fault_fs does not; fail_alloc does.
 */
#ifndef KB_TESTS_MALLOC_FAULT_H
#define KB_TESTS_MALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this build replaces malloc. */
bool malloc_fault_works(void);

/* The request-th request from now on, counted from 1, is refused; 0 counts and refuses nothing. */
void malloc_fault_arm(size_t request, bool from_then_on);

/*
 * Ends counting and refusing. Returns the requests since arm(); *ret_refused (may be NULL) of them
 * were refused.
 */
size_t malloc_fault_disarm(size_t *ret_refused);

/* Blocks of the whole process that are allocated and not freed: compare before and after. */
size_t malloc_fault_live_count(void);

#endif
