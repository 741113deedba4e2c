/* SPDX-License-Identifier: Apache-2.0 */
/* The checks by number, in the order of their table. */
#ifndef KBSIM_SRC_CHECKS_H
#define KBSIM_SRC_CHECKS_H

typedef enum kbs_check {
#define KBS_RECORDED(NAME, name, help) KBS_CHECK_##NAME,
#define KBS_CHECKED(NAME, name, help) KBS_CHECK_##NAME,
#include "lint/checks.def"
#undef KBS_RECORDED
#undef KBS_CHECKED
    KBS_CHECKS
} kbs_check;

#endif
