/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and printing times; see time.h. */
#include "common/time.h"

#include <string.h>
#include <time.h>

#include "kbtrace/op.h"

static const struct {
    const char *name;
    int64_t ps;
} units[] = {{"s", INT64_C(1000000000000)}, {"ms", 1000000000}, {"us", 1000000}, {"ns", 1000}, {"ps", 1}};

enum { UNITS = sizeof units / sizeof units[0] };

/* --- reading ----------------------------------------------------------------------------------- */

bool kbt_take_number(const char **inout_text, uint64_t *ret) {
    uint64_t value = 0;
    const char *at = *inout_text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == *inout_text)
        return false;
    *inout_text = at;
    *ret = value;
    return true;
}

/* The unit of that name; 0 where there is none of it. */
static int64_t unit_of(const char *name, size_t length) {
    for (size_t i = 0; i < UNITS; i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
            return units[i].ps;
    return length == 0 ? 1 : 0;
}

bool kbt_take_time(const char **inout_text, int64_t *ret_ps) {
    const char *at = *inout_text;
    uint64_t whole, parts = 0;
    int64_t places = 1;
    if (!kbt_take_number(&at, &whole))
        return false;
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++, places *= 10) {
            if (places > INT64_C(100000000000))
                return false;
            parts = parts * 10 + (uint64_t)(*at - '0');
        }
    size_t length = strcspn(at, ":");
    int64_t unit = unit_of(at, length);
    if (unit == 0 || whole > (uint64_t)(KB_TIME_MAX_PS / unit) || unit % places != 0)
        return false;
    *ret_ps = (int64_t)whole * unit + (int64_t)parts * (unit / places);
    *inout_text = at + length;
    return true;
}

/* --- printing ---------------------------------------------------------------------------------- */

const char *kbt_time_text(int64_t time_ps, char buffer[KBT_TIME_CHARS]) {
    size_t unit = 0;
    while (unit + 1 < UNITS && time_ps < units[unit].ps)
        unit++;
    snprintf(buffer, KBT_TIME_CHARS, "%.*f %s", units[unit].ps == 1 ? 0 : 3,
             (double)time_ps / (double)units[unit].ps, units[unit].name);
    return buffer;
}

void kbt_print_time(FILE *stream, int64_t time_ps) {
    char text[KBT_TIME_CHARS];
    fputs(kbt_time_text(time_ps, text), stream);
}

void kbt_print_duration(FILE *stream, double seconds) {
    if (seconds < 60)
        fprintf(stream, "%.1f s", seconds);
    else if (seconds < 3600)
        fprintf(stream, "%.0fm %02.0fs", (double)(long)(seconds / 60),
                seconds - 60 * (double)(long)(seconds / 60));
    else
        fprintf(stream, "%.1f h", seconds / 3600);
}

double kbt_seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
