/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of numbers; see number.h. */
#include "machine/number.h"

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

bool kbs_parse_count(const char *text, uint64_t *ret) {
    uint64_t number;
    if (!take_digits(&text, &number) || *text != '\0')
        return false;
    *ret = number;
    return true;
}

bool kbs_parse_bytes(const char *text, uint64_t *ret) {
    static const struct {
        const char *sign;
        uint64_t factor;
    } signs[] = {
        {"", 1},
        {"k", 1000},
        {"K", 1000},
        {"M", 1000000},
        {"G", 1000000000},
        {"T", 1000000000000},
        {"Ki", UINT64_C(1) << 10U},
        {"Mi", UINT64_C(1) << 20U},
        {"Gi", UINT64_C(1) << 30U},
        {"Ti", UINT64_C(1) << 40U},
    };
    uint64_t number;
    if (!take_digits(&text, &number))
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const size_t length = strlen(signs[i].sign);
        const char *rest = text + length;
        if (strncmp(text, signs[i].sign, length) != 0 || (strcmp(rest, "") != 0 && strcmp(rest, "B") != 0))
            continue;
        if (number > UINT64_MAX / signs[i].factor)
            return false;
        *ret = number * signs[i].factor;
        return true;
    }
    return false;
}

bool kbs_parse_real(const char *text, uint64_t *ret) {
    enum { PLACES = 6 };
    uint64_t whole;
    if (!take_digits(&text, &whole) || whole > UINT64_MAX / 2000000)
        return false;
    uint64_t millionths = 0;
    if (*text == '.') {
        text++;
        uint64_t weight = 100000;
        for (unsigned place = 0; place < PLACES && *text >= '0' && *text <= '9'; place++, weight /= 10)
            millionths += weight * (uint64_t)(*text++ - '0');
    }
    if (*text != '\0')
        return false;
    *ret = whole * 1000000 + millionths;
    return true;
}

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
