/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim lint: what is known of a program before the clock moves, as text or JSON. */
#include "sim/lint.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "kbsim/lint.h"
#include "sim/own.h"

/* --- JSON ------------------------------------------------------------------------------------ */

static const char *verdict_of(const kbs_lint_result *result) {
    return result->is_free ? "free" : result->was_recorded ? "hangs" : "mistaken";
}

static const char *place_of(const kbs_waiting *one) {
    return one->place == KBS_WAIT_CIRCLE ? "circle" : one->place == KBS_WAIT_END ? "end" : "behind";
}

static void print_waiting(kbt_json *json, const kbs_waiting *one) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "place", place_of(one));
    kbt_json_uint(json, "part", one->part);
    kbt_json_uint(json, "rank", one->rank);
    kbt_json_text(json, "pe", one->pe);
    kbt_json_text(json, "kind", one->kind);
    kbt_json_text(json, "file", one->file);
    kbt_json_uint(json, "line", one->line);
    kbt_json_text(json, "step", one->step);
    if (one->step != NULL)
        kbt_json_uint(json, "step_number", one->step_number);
    kbt_json_text(json, "reason", one->reason);
    kbt_json_text(json, "queue", one->queue);
    if (one->queue != NULL) {
        kbt_json_text(json, "awaits", one->of_credit ? "credit" : "message");
        kbt_json_uint(json, "slot", one->slot);
    }
    if (one->place == KBS_WAIT_END)
        kbt_json_text(json, "ended", one->who_ends);
    kbt_json_end(json);
}

static void print_remedy(kbt_json *json, const kbs_lint_result *result) {
    const kbs_remedy *remedy = &result->remedy;
    kbt_json_begin(json, "remedy", '{');
    kbt_json_uint(json, "slots", remedy->slots); /* 0: no number of slots */
    kbt_json_begin(json, "queues", '[');
    for (size_t i = 0; i < remedy->size_count; i++) {
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "queue", remedy->sizes[i].queue);
        kbt_json_uint(json, "slots", remedy->sizes[i].slots);
        kbt_json_uint(json, "given", remedy->sizes[i].given);
        kbt_json_end(json);
    }
    kbt_json_end(json);
    kbt_json_bool(json, "smallest", remedy->are_smallest);
    kbt_json_end(json);
}

static void print_json(const kbt_call *call, const kbs_lint_result *result) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_uint(&json, "version", 1);
    kbt_json_text(&json, "verdict", verdict_of(result));
    kbt_json_uint(&json, "ranks", result->ranks);
    kbt_json_uint(&json, "queues", result->queues);
    kbt_json_uint(&json, "commands", result->commands);
    kbt_json_begin(&json, "findings", '[');
    for (size_t i = 0; i < result->finding_count; i++) {
        kbt_json_begin(&json, NULL, '{');
        kbt_json_text(&json, "check", result->findings[i].check);
        kbt_json_text(&json, "severity", result->findings[i].is_warning ? "warning" : "error");
        kbt_json_text(&json, "message", result->findings[i].text);
        kbt_json_end(&json);
    }
    kbt_json_end(&json);
    if (strcmp(verdict_of(result), "hangs") == 0) {
        kbt_json_begin(&json, "waiting", '[');
        for (size_t i = 0; i < result->standstill.waiting_count; i++)
            print_waiting(&json, &result->standstill.waiting[i]);
        kbt_json_end(&json);
        kbt_json_uint(&json, "parts", result->standstill.part_count);
        kbt_json_uint(&json, "behind", result->standstill.behind_count);
        print_remedy(&json, result);
    }
    kbt_json_begin(&json, "warnings", '[');
    for (size_t i = 0; i < call->warnings.count; i++)
        kbt_json_text(&json, NULL, call->warnings.items[i]);
    kbt_json_end(&json);
    kbt_json_end(&json);
}

/* --- text ------------------------------------------------------------------------------------ */

static kb_status print_standstill(kbs_lint_result *result, kb_trail *trail) {
    const char *circles, *remedy;
    KB_TRY(kbs_standstill_text(&result->standstill, &result->arena, &circles, trail));
    KB_TRY(kbs_remedy_text(&result->remedy, &result->arena, &remedy, trail));
    printf("%s%s", circles, remedy);
    return KB_OK;
}

/* Of a program that hangs, the standstill says it at length. */
static kb_status print_text(const kbt_call *call, kbs_lint_result *result, kb_trail *trail) {
    const kbt_color color = result->is_free ? KBT_GREEN : KBT_RED;
    printf("%s%-10s%s ", kbt_paint(call, stdout, color), verdict_of(result),
           kbt_paint(call, stdout, KBT_PLAIN));
    printf("%s", result->is_free        ? "it comes to its end, whatever time does"
                 : result->was_recorded ? "it does not come to its end, whatever time does"
                                        : "it cannot be recorded");
    printf(" (%u ranks, %" PRIu64 " queues, %" PRIu64 " commands)\n", result->ranks, result->queues,
           result->commands);
    for (size_t i = 0; i < result->finding_count; i++) {
        const kbs_finding *finding = &result->findings[i];
        if (result->was_recorded && strcmp(finding->check, "deadlock") == 0)
            continue;
        printf("%-10s %s: %s\n", finding->is_warning ? "warning" : "error", finding->check, finding->text);
    }
    if (result->is_free || !result->was_recorded)
        return KB_OK;
    return print_standstill(result, trail);
}

/* --- the command ----------------------------------------------------------------------------- */

/* What holds of one size need not hold of the next: rings are too small from some size on. */
static kb_status refuse_sweep(const kbt_list *params, kb_trail *trail) {
    for (size_t i = 0; i < params->count; i++)
        if (kbs_is_sweep(params->items[i]))
            return kb_fail(trail, KB_E_ARGUMENT, "-p %s: lint looks at one size at a time, so give it one",
                           params->items[i]);
    return KB_OK;
}

static kb_status lint_on(kbt_call *call, sim_setup *setup, kbs_lint_result *ret_result, kb_trail *trail) {
    const sim_lint_values *values = call->values;
    sim_own own;
    kbs_run_options options = {.bench = call->words.items[0],
                               .params = values->params.items,
                               .param_count = values->params.count,
                               .given = setup->config.given,
                               .given_count = setup->config.given_count,
                               .machine = &setup->machine,
                               .ranks = (uint32_t)values->ranks,
                               .ranks_are_sips = strcmp(values->rank_unit, "sip") == 0,
                               .seed = values->seed,
                               .log = &call->log};
    KB_TRY(sim_own_begin(&own, call, &values->guard, &options, trail));
    const kb_status status = kbs_lint(&options, ret_result, trail);
    sim_own_end(&own, status, trail);
    return status;
}

static kb_status lint(kbt_call *call, kbs_lint_result *ret_result, kb_trail *trail) {
    const sim_lint_values *values = call->values;
    sim_setup setup;
    KB_TRY(refuse_sweep(&values->params, trail));
    kb_status status = sim_setup_init(&setup, call, &values->config, trail);
    if (status == KB_OK)
        status = lint_on(call, &setup, ret_result, trail);
    sim_setup_fini(&setup);
    return status;
}

int sim_lint(kbt_call *call) {
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_lint_result result;
    kb_status status = lint(call, &result, &trail);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    if (call->common->json)
        print_json(call, &result);
    else if (!call->common->quiet)
        status = print_text(call, &result, &trail);
    const int verdict = result.is_free ? KBT_FINE : KBT_NEGATIVE;
    kbs_lint_fini(&result);
    return status == KB_OK ? verdict : kbt_fail(call, &trail);
}
