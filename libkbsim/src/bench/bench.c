/* SPDX-License-Identifier: Apache-2.0 */
/* The table of benches, and their parameters as text; see bench.h. */
#include "bench/bench.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kbtrace/nearest.h"
#include "machine/origin.h"

static const kbs_bench *const benches[] = {
#define KBS_BENCH(name) &kbs_bench_##name,
#include "bench/benches.def"
#undef KBS_BENCH
};

size_t kbs_bench_count(void) {
    return sizeof benches / sizeof benches[0];
}

const char *kbs_bench_name(size_t index) {
    return benches[index]->name;
}

const char *kbs_bench_help(size_t index) {
    return benches[index]->help;
}

const kbs_bench_param *kbs_bench_params(size_t index, size_t *ret_count) {
    *ret_count = benches[index]->param_count;
    return benches[index]->params;
}

kb_status kbs_bench_find(const char *name, const kbs_bench **ret, kb_trail *trail) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < kbs_bench_count(); i++) {
        if (strcmp(benches[i]->name, name) == 0) {
            *ret = benches[i];
            return KB_OK;
        }
        kb_nearest_offer(&nearest, benches[i]->name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "unknown bench '%s' (did you mean '%s'?)", name, best);
    return kb_fail(trail, KB_E_ARGUMENT, "unknown bench '%s' (kb-sim list benches)", name);
}

/* --- parameters ------------------------------------------------------------------------------ */

static kb_status find_param(const kbs_bench *bench, const char *name, size_t length, size_t *ret,
                            kb_trail *trail) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, name);
    kb_nearest nearest;
    kb_nearest_init(&nearest, wanted);
    for (size_t i = 0; i < bench->param_count; i++) {
        if (strcmp(bench->params[i].name, wanted) == 0) {
            *ret = i;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, bench->params[i].name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s has no parameter '%s' (did you mean '%s'?)", bench->name,
                       wanted, best);
    char names[240] = "none";
    for (size_t i = 0, at = 0; i < bench->param_count && at < sizeof names; i++)
        at +=
            (size_t)snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? ", " : "", bench->params[i].name);
    return kb_fail(trail, KB_E_ARGUMENT, "%s has no parameter '%s' (it has %s)", bench->name, wanted, names);
}

static kb_status take_given(const kbs_bench *bench, const kbs_given *given, kbs_bench_values *values,
                            kb_trail *trail) {
    size_t index = 0;
    const kb_status status = find_param(bench, given->key, strlen(given->key), &index, trail);
    if (status != KB_OK)
        return kbs_blame(&given->origin, status, trail);
    if (bench->params[index].path != NULL)
        return kbs_fail_at(&given->origin, trail, "%s is the machine's: set %s instead", given->key,
                           bench->params[index].path);
    values->text[index] = given->value;
    values->given[index] = true;
    values->by[index] = given->origin.by;
    return KB_OK;
}

static kb_status take_param(const kbs_bench *bench, const char *param, const kbs_run_options *options,
                            kb_arena *arena, kbs_bench_values *values, kb_trail *trail) {
    static const kbs_origin origin = {.by = "param", .source = "-p"};
    const char *equals = strchr(param, '=');
    if (equals == NULL || equals == param)
        return kb_fail(trail, KB_E_ARGUMENT, "-p '%s' is not KEY=VALUE", param);
    size_t index = 0;
    KB_TRY(find_param(bench, param, (size_t)(equals - param), &index, trail));
    KB_TRY(kb_arena_text(arena, equals + 1, strlen(equals + 1), &values->text[index], trail));
    values->given[index] = true;
    values->by[index] = origin.by;
    if (bench->params[index].path == NULL)
        return KB_OK;
    const kb_status status = kbs_machine_set_from(options->machine, bench->params[index].path,
                                                  values->text[index], &origin, trail);
    return status == KB_OK ? KB_OK : kb_while(trail, status, "reading -p %s", param);
}

kb_status kbs_bench_parse(const kbs_bench *bench, const kbs_run_options *options, kb_arena *arena,
                          kbs_bench_values *ret, kb_trail *trail) {
    assert(bench->param_count <= KBS_BENCH_PARAMS_MAX);
    kbs_bench_values values;
    memset(&values, 0, sizeof values);
    for (size_t i = 0; i < bench->param_count; i++) {
        values.text[i] = bench->params[i].standard;
        values.by[i] = "default";
    }
    for (size_t i = 0; i < options->given_count; i++)
        KB_TRY(take_given(bench, &options->given[i], &values, trail));
    for (size_t i = 0; i < options->param_count; i++)
        KB_TRY(take_param(bench, options->params[i], options, arena, &values, trail));
    *ret = values;
    return KB_OK;
}

kb_status kbs_bench_state(kbs_program *program, const char *name, const char *value, const char *by,
                          kb_trail *trail) {
    char path[80];
    snprintf(path, sizeof path, "program.%s", name);
    uint32_t id;
    const kb_setting row = {path, value, by};
    return kb_defs_add_setting(&program->defs, &row, &id, trail);
}
