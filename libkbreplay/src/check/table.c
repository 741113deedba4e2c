/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks, made from checks.def: a check without its file fails the link. */
#include <string.h>

#include "check/check.h"

static const kbr_check_row rows[] = {
#define KBR_CHECK(name, always, help) {#name, help, always, &kbr_check_##name},
#include "check/checks.def"
#undef KBR_CHECK
};

_Static_assert(sizeof rows / sizeof rows[0] <= KBR_CHECKS_MAX, "raise KBR_CHECKS_MAX");

size_t kbr_check_count(void) {
    return sizeof rows / sizeof rows[0];
}

const kbr_check_row *kbr_check_row_of(size_t number) {
    return &rows[number];
}

kbr_check_info kbr_check_describe(size_t number) {
    return (kbr_check_info){rows[number].name, rows[number].help, rows[number].always};
}

size_t kbr_check_number(const char *name) {
    size_t number = 0;
    while (number < kbr_check_count() && strcmp(rows[number].name, name) != 0)
        number++;
    return number;
}
