/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed program that is looked at, and what checks find of it. */
#ifndef KBSIM_SRC_LINTING_H
#define KBSIM_SRC_LINTING_H

#include "kbsim/lint.h"
#include "lint/checks.h"
#include "record/program.h"

typedef struct kbs_linting {
    const kbs_program *program;
    bool explains; /* the whole standstill and its remedy are wanted, not only that there is one */
    kbs_lint_result *result;
    size_t capacity; /* of its findings */
    kb_trail *trail;
} kbs_linting;

/* A finding; what it says is one line. A check says each cause once, however many ops it has. */
kb_status kbs_lint_find(kbs_linting *l, kbs_check check, bool is_warning, const char *format, ...)
    KB_PRINTF(4, 5) KB_MUST_USE;

/* Of a check in the whole program: looks, and tells what it finds by kbs_lint_find(). Changes nothing. */
#define KBS_RECORDED(NAME, name, help)
#define KBS_CHECKED(NAME, name, help) kb_status kbs_check_##name(kbs_linting *l) KB_MUST_USE;
#include "lint/checks.def"
#undef KBS_RECORDED
#undef KBS_CHECKED

/* All checks of a sealed program. Always leaves something for kbs_lint_fini(). */
kb_status kbs_lint_program(const kbs_program *program, bool explains, kbs_lint_result *result,
                           kb_trail *trail) KB_MUST_USE;
/* The program could not be recorded: its mistake is the finding. Leaves the same. */
kb_status kbs_lint_mistake(const kbs_program *program, const kb_trail *mistake, kbs_lint_result *result,
                           kb_trail *trail) KB_MUST_USE;
/* Before a run: what all checks find is a warning. */
kb_status kbs_lint_warn(const kbs_program *program, kb_trail *trail) KB_MUST_USE;

#endif
