/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write and read them, and the clock on the wall for what is shown while they wait. */
#ifndef KBTOOLS_TIME_H
#define KBTOOLS_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * "2.5us" as picoseconds; units are ps, ns, us, ms, s, and ps where there is none. The text ends at ':' or
 * its end, where *inout_text is left. False for what is no time, no whole picosecond, or beyond all times.
 */
bool kbt_take_time(const char **inout_text, int64_t *ret_ps);
/* The digits at the beginning of a text; false where there are none, or too many. */
bool kbt_take_number(const char **inout_text, uint64_t *ret);

/* "12.345 us": three places and the largest unit that keeps a figure before the point. */
void kbt_print_time(FILE *stream, int64_t time_ps);
enum { KBT_TIME_CHARS = 32 };
const char *kbt_time_text(int64_t time_ps, char buffer[KBT_TIME_CHARS]);
/* "1m 20s", "3.4 s" */
void kbt_print_duration(FILE *stream, double seconds);
double kbt_seconds_now(void);

#endif
