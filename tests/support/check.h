/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka with the headers that it wants before it, and checks on statuses that show the trail.
 */
#ifndef KB_TESTS_CHECK_H
#define KB_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kbtrace/status.h"

/* The call must return `wanted`; where it does not, the test fails with what the trail says. */
#define check_status(call, wanted, trail) check_status_at(call, wanted, trail, __FILE__, __LINE__)
#define check_ok(call, trail) check_status_at(call, KB_OK, trail, __FILE__, __LINE__)

/* The trail's text must hold `words`. */
#define check_says(trail, words) check_says_at(trail, words, __FILE__, __LINE__)

void check_status_at(kb_status status, kb_status wanted, const kb_trail *trail, const char *file, int line);
void check_says_at(const kb_trail *trail, const char *words, const char *file, int line);

#endif
