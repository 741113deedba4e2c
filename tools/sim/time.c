/* SPDX-License-Identifier: Apache-2.0 */
/* Reading times of options; see time.h. */
#include "sim/time.h"

#include <stdlib.h>
#include <string.h>

#include "kbtrace/op.h"

static const struct {
    const char *unit;
    int64_t ps;
} units[] = {{"s", INT64_C(1000000000000)}, {"ms", 1000000000}, {"us", 1000000}, {"ns", 1000}, {"ps", 1}};

kb_status sim_read_time(const char *option, const char *text, int64_t *ret_ps, kb_trail *trail) {
    char *end;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end != text && strcmp(end, units[i].unit) == 0 && number > 0 &&
            number * (double)units[i].ps <= (double)KB_TIME_MAX_PS) {
            const int64_t time_ps = (int64_t)(number * (double)units[i].ps + 0.5);
            *ret_ps = time_ps > 0 ? time_ps : 1;
            return KB_OK;
        }
    return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is not a time above 0 with its unit (try 100us)", option,
                   text);
}
