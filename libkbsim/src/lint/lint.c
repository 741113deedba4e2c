/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks, run over a sealed program; see kbsim/lint.h and linting.h. */
#include "kbsim/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lint/linting.h"

static const struct {
    const char *name, *help;
    kb_status (*look)(kbs_linting *l);
} checks[] = {
#define KBS_RECORDED(NAME, name, help) {#name, help, NULL},
#define KBS_CHECKED(NAME, name, help) {#name, help, kbs_check_##name},
#include "lint/checks.def"
#undef KBS_RECORDED
#undef KBS_CHECKED
};

size_t kbs_lint_check_count(void) {
    return KBS_CHECKS;
}

const char *kbs_lint_check_name(size_t index) {
    return checks[index].name;
}

const char *kbs_lint_check_help(size_t index) {
    return checks[index].help;
}

/* --- findings -------------------------------------------------------------------------------- */

static kb_status add(kbs_linting *l, kbs_check check, bool is_warning, const char *text) {
    kbs_lint_result *result = l->result;
    if (result->finding_count == l->capacity) {
        const size_t capacity = l->capacity > 0 ? l->capacity * 2 : 8;
        void *memory;
        KB_TRY(kb_arena_new(&result->arena, capacity * sizeof(kbs_finding), &memory, l->trail));
        if (l->capacity > 0)
            memcpy(memory, result->findings, l->capacity * sizeof(kbs_finding));
        result->findings = memory;
        l->capacity = capacity;
    }
    kbs_finding *finding = &result->findings[result->finding_count];
    *finding = (kbs_finding){.check = checks[check].name, .is_warning = is_warning};
    KB_TRY(kb_arena_text(&result->arena, text, strlen(text), &finding->text, l->trail));
    result->finding_count++;
    return KB_OK;
}

kb_status kbs_lint_find(kbs_linting *l, kbs_check check, bool is_warning, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add(l, check, is_warning, text);
}

/* --- programs -------------------------------------------------------------------------------- */

static void init(kbs_lint_result *result, const kbs_program *program) {
    memset(result, 0, sizeof *result);
    kb_arena_init(&result->arena, program->alloc, 0);
    result->ranks = program->ranks;
    result->queues = program->queue_count;
    for (uint32_t i = 0; i < program->pes + program->ranks; i++)
        result->commands += program->streams[i].commands.count; /* hosts lie behind the PEs */
}

kb_status kbs_lint_program(const kbs_program *program, bool explains, kbs_lint_result *result,
                           kb_trail *trail) {
    kbs_linting l = {.program = program, .explains = explains, .result = result, .trail = trail};
    init(result, program);
    result->was_recorded = true;
    for (size_t i = 0; i < KBS_CHECKS; i++)
        if (checks[i].look != NULL)
            KB_TRY(checks[i].look(&l));
    return KB_OK;
}

kb_status kbs_lint_mistake(const kbs_program *program, const kb_trail *mistake, kbs_lint_result *result,
                           kb_trail *trail) {
    kbs_linting l = {.program = program, .result = result, .trail = trail};
    char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
    init(result, program);
    kb_trail_text(mistake, text, sizeof text);
    return add(&l, program->mistake, false, text);
}

kb_status kbs_lint_warn(const kbs_program *program, kb_trail *trail) {
    kbs_lint_result result;
    const kb_status status = kbs_lint_program(program, false, &result, trail);
    for (size_t i = 0; i < result.finding_count; i++)
        kb_log_say(program->log, KB_LOG_WARNING, "lint", "%s", result.findings[i].text);
    kbs_lint_fini(&result);
    return status;
}

void kbs_lint_fini(kbs_lint_result *result) {
    kb_arena_fini(&result->arena);
}
