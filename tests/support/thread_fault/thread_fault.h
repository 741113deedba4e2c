/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refuses new threads. A test that includes this header is linked with a pthread_create for its whole
 * process that passes calls on until told otherwise. Sanitizers bring their own: in their builds nothing
 * is replaced, thread_fault_works() is false, and a test should skip().
 */
#ifndef KB_TESTS_THREAD_FAULT_H
#define KB_TESTS_THREAD_FAULT_H

#include <stdbool.h>

bool thread_fault_works(void);

/* So many may still be created; those after them are refused. Negative: all are created. */
void thread_fault_allow(int count);

#endif
