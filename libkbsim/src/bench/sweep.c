/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of a sweep as text: "bytes=64KiB:1GiB:x4"; see kbsim/run.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbsim/run.h"
#include "machine/number.h"

/* The size of such a parameter, or NULL. */
static const char *size_of(const char *param) {
    static const char *const keys[] = {"elems=", "bytes="};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strncmp(param, keys[i], strlen(keys[i])) == 0)
            return param + strlen(keys[i]);
    return NULL;
}

bool kbs_is_sweep(const char *param) {
    const char *size = size_of(param);
    return size != NULL && strchr(size, ':') != NULL;
}

static bool read_part(const char **inout_text, char end, uint64_t *ret) {
    char part[32];
    const size_t length = strcspn(*inout_text, ":");
    if (length >= sizeof part || (*inout_text)[length] != end)
        return false;
    snprintf(part, sizeof part, "%.*s", (int)length, *inout_text);
    *inout_text += length + (end != '\0');
    return kbs_parse_bytes(part, ret);
}

kb_status kbs_sweep_read(const char *param, kbs_sweep *ret, kb_trail *trail) {
    kbs_sweep sweep = {.count = 0};
    const char *at = size_of(param);
    uint64_t first, last, factor;
    const bool has_ends = read_part(&at, ':', &first) && read_part(&at, ':', &last);
    if (!has_ends || *at++ != 'x' || !read_part(&at, '\0', &factor))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "-p %s: a sweep is FIRST:LAST:xFACTOR, such as bytes=64KiB:1GiB:x4", param);
    if (first == 0 || last < first || factor < 2)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "-p %s: a sweep goes from 1 at least to no less, and its factor is 2 at least", param);
    snprintf(sweep.key, sizeof sweep.key, "%.5s", param);
    for (uint64_t size = first; size <= last; size *= factor) {
        if (sweep.count == KBS_SWEEP_SIZES)
            return kb_fail(trail, KB_E_ARGUMENT, "-p %s: more than %d sizes", param, KBS_SWEEP_SIZES);
        sweep.sizes[sweep.count++] = size;
        if (size > UINT64_MAX / factor)
            break;
    }
    *ret = sweep;
    return KB_OK;
}
