/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of numbers; see number.h. */
#include "machine/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Digits from *at on; moves *at behind them. */
static bool take_digits(const char **at, uint64_t *ret) {
    const char *digit = *at;
    uint64_t number = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        const uint64_t value = (uint64_t)(*digit - '0');
        if (number > (UINT64_MAX - value) / 10)
            return false;
        number = number * 10 + value;
    }
    if (digit == *at)
        return false;
    *at = digit;
    *ret = number;
    return true;
}

/* --- quantities ------------------------------------------------------------------------------ */

typedef struct unit {
    const char *own, *name;
    uint64_t times, over;
} unit;

static const unit units[] = {
#define KBS_UNIT(own, name, times, over) {own, name, times, over},
#include "machine/units.def"
#undef KBS_UNIT
};
static const size_t unit_count = sizeof units / sizeof units[0];

const char *kbs_unit_of(const char *own, size_t i) {
    for (size_t u = 0; u < unit_count; u++)
        if (strcmp(units[u].own, own) == 0 && i-- == 0)
            return units[u].name;
    return NULL;
}

static bool find_unit(const char *own, const char *name, unit *ret) {
    *ret = (unit){own, own, 1, 1};
    if (*name == '\0' || strcmp(name, own) == 0)
        return true;
    for (size_t u = 0; u < unit_count; u++)
        if (strcmp(units[u].own, own) == 0 && strcmp(units[u].name, name) == 0) {
            *ret = units[u];
            return true;
        }
    return false;
}

/* Digits, a point, digits: *ret_digits without the point, of which `scale` (a power of ten) is 1. */
static kbs_number_fault take_decimal(const char **at, uint64_t *ret_digits, uint64_t *ret_scale) {
    enum { PLACES = 18 }; /* 10^18 fits */
    const char *digit = *at;
    if (*digit < '0' || *digit > '9')
        return KBS_NUMBER_NONE;
    if (!take_digits(&digit, ret_digits))
        return KBS_NUMBER_LARGE;
    *ret_scale = 1;
    if (*digit == '.') {
        digit++;
        for (unsigned place = 0; *digit >= '0' && *digit <= '9'; place++, digit++) {
            const uint64_t value = (uint64_t)(*digit - '0');
            if (place == PLACES || *ret_digits > (UINT64_MAX - value) / 10)
                return KBS_NUMBER_FINER;
            *ret_digits = *ret_digits * 10 + value;
            *ret_scale *= 10;
        }
    }
    *at = digit;
    return KBS_NUMBER_FINE;
}

kbs_number_fault kbs_parse_quantity(const char *text, const char *own, uint64_t steps, uint64_t *ret) {
    uint64_t digits, scale;
    const kbs_number_fault fault = take_decimal(&text, &digits, &scale);
    if (fault != KBS_NUMBER_FINE)
        return fault;
    const char *name = text + strspn(text, " ");
    unit in;
    if ((name != text && *name == '\0') || !find_unit(own, name, &in))
        return KBS_NUMBER_UNIT;
    /* 64 + 20 + 41 bits at most, and 60 + 30. */
    const unsigned __int128 product = (unsigned __int128)digits * steps * in.times,
                            divisor = (unsigned __int128)scale * in.over;
    if (product % divisor != 0)
        return KBS_NUMBER_FINER;
    if (product / divisor > UINT64_MAX)
        return KBS_NUMBER_LARGE;
    *ret = (uint64_t)(product / divisor);
    return KBS_NUMBER_FINE;
}

const char *kbs_real_text(uint64_t millionths, char *buffer, size_t size) {
    int length = snprintf(buffer, size, "%" PRIu64 ".%06" PRIu64, millionths / 1000000, millionths % 1000000);
    while (length > 0 && buffer[length - 1] == '0')
        buffer[--length] = '\0';
    if (length > 0 && buffer[length - 1] == '.')
        buffer[--length] = '\0';
    return buffer;
}

bool kbs_parse_bytes(const char *text, uint64_t *ret) {
    return kbs_parse_quantity(text, "bytes", 1, ret) == KBS_NUMBER_FINE;
}

/* --- grids and boxes ------------------------------------------------------------------------- */

bool kbs_parse_grid(const char *text, uint64_t *ret) {
    uint64_t columns, rows = 1;
    if (!take_digits(&text, &columns))
        return false;
    if (*text == 'x') {
        text++;
        if (!take_digits(&text, &rows))
            return false;
    }
    if (*text != '\0' || columns > UINT32_MAX || rows > UINT32_MAX)
        return false;
    *ret = columns << 32U | rows;
    return true;
}

bool kbs_parse_box(const char *text, uint64_t *ret) {
    enum { SIDES = 3, SIDE_BITS = 21 };
    uint64_t box = 0;
    for (unsigned i = 0; i < SIDES; i++) {
        uint64_t side;
        if ((i > 0 && *text++ != 'x') || !take_digits(&text, &side) || side >> SIDE_BITS != 0)
            return false;
        box = box << SIDE_BITS | side;
    }
    if (*text != '\0')
        return false;
    *ret = box;
    return true;
}
