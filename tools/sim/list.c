/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim list: benches with their parameters, algorithms, components, topologies, checks of kb-sim lint. */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "kbsim/lint.h"
#include "sim/config.h"

static const char *const list_words[] = {"benches", "algorithms", "components", "topologies", "checks"};
enum { BENCHES, ALGORITHMS, COMPONENTS, TOPOLOGIES, CHECKS, LISTS };

/* One row of a list, as a line or as a JSON object. */
static void print_row(kbt_json *json, const char *name, const char *help, const char *standard) {
    if (json == NULL) {
        printf("  %-16s %s", name, help);
        if (standard != NULL && *standard != '\0')
            printf(" [%s]", standard);
        printf("\n");
        return;
    }
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "name", name);
    kbt_json_text(json, "help", help);
    if (standard != NULL)
        kbt_json_text(json, "default", standard);
    kbt_json_end(json);
}

/* A bench's own, or that of the machine's parameter that it sets. */
static const char *standard_of(const kbs_bench_param *param) {
    for (uint32_t i = 0; param->path != NULL && i < kbs_param_count(); i++)
        if (strcmp(kbs_param_describe(i)->path, param->path) == 0)
            return kbs_param_describe(i)->standard;
    return param->standard;
}

static void list_benches(kbt_json *json) {
    for (size_t i = 0; i < kbs_bench_count(); i++) {
        size_t count;
        const kbs_bench_param *params = kbs_bench_params(i, &count);
        if (json == NULL) {
            printf("  %-16s %s; -p\n", kbs_bench_name(i), kbs_bench_help(i));
            for (size_t p = 0; p < count; p++) {
                const char *standard = standard_of(&params[p]);
                printf("    %-14s %s%s%s%s\n", params[p].name, params[p].help, *standard ? " [" : "",
                       standard, *standard ? "]" : "");
            }
            continue;
        }
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "name", kbs_bench_name(i));
        kbt_json_text(json, "help", kbs_bench_help(i));
        kbt_json_begin(json, "params", '[');
        for (size_t p = 0; p < count; p++)
            print_row(json, params[p].name, params[p].help, standard_of(&params[p]));
        kbt_json_end(json);
        kbt_json_end(json);
    }
}

/* "ring  all_reduce: around a ring, in 2 (n - 1) steps", and among which counts of ranks if not all. */
static void list_algorithms(kbt_json *json) {
    for (size_t i = 0; i < kbs_algorithm_count(); i++) {
        const kbs_algorithm *algorithm = kbs_algorithm_describe(i);
        const char *kind = kb_word_name(KB_VOC_COLL, algorithm->collective);
        if (json == NULL) {
            printf("  %-18s %s: %s%s%s\n", algorithm->name, kind, algorithm->help,
                   algorithm->counts != NULL ? "; among " : "",
                   algorithm->counts != NULL ? algorithm->counts : "");
            continue;
        }
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "name", algorithm->name);
        kbt_json_text(json, "collective", kind);
        kbt_json_text(json, "help", algorithm->help);
        kbt_json_text(json, "counts", algorithm->counts != NULL ? algorithm->counts : "any");
        kbt_json_bool(json, "by_slots", algorithm->by_slots);
        kbt_json_end(json);
    }
}

/* A component with its models, the default first, and their options. */
static void print_component(uint32_t component) {
    const kbs_model *model;
    print_row(NULL, kbs_component_name(component), kbs_component_help(component), NULL);
    for (size_t m = 0; (model = kbs_component_model_at(component, m)) != NULL; m++) {
        printf("    %-14s %s%s\n", model->name, model->help, m == 0 ? " [default]" : "");
        for (size_t i = 0; i < model->option_count; i++) {
            const kbs_model_option *option = &model->options[i];
            printf("      %-12s %s: %s, %s to %s [%s]\n", option->name, option->unit, option->help,
                   option->least, option->most, option->standard);
        }
    }
}

static void print_component_json(kbt_json *json, uint32_t component) {
    const kbs_model *model;
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "name", kbs_component_name(component));
    kbt_json_text(json, "help", kbs_component_help(component));
    kbt_json_begin(json, "models", '[');
    for (size_t m = 0; (model = kbs_component_model_at(component, m)) != NULL; m++) {
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "name", model->name);
        kbt_json_text(json, "help", model->help);
        kbt_json_begin(json, "options", '[');
        for (size_t i = 0; i < model->option_count; i++)
            print_row(json, model->options[i].name, model->options[i].help, model->options[i].standard);
        kbt_json_end(json);
        kbt_json_end(json);
    }
    kbt_json_end(json);
    kbt_json_end(json);
}

/* "2x1 packages of 4x4 cubes of 8 PEs, 256 in all: ..." */
static void describe(const sim_setup *setup, char *text, size_t size) {
    char sips[KBS_VALUE_CHARS], cubes[KBS_VALUE_CHARS];
    const kbs_machine *machine = &setup->machine;
    snprintf(text, size, "%s packages of %s cubes of %" PRIu64 " PEs, %" PRIu64 " in all%s%s",
             kbs_machine_value(machine, kbs_param_find("system.sips"), sips),
             kbs_machine_value(machine, kbs_param_find("sip.cubes"), cubes), machine->at.cube_pes,
             kbs_machine_pes(machine), *setup->config.help != '\0' ? ": " : "", setup->config.help);
}

static kb_status list_topologies(const kbt_call *call, kbt_json *json, kb_trail *trail) {
    sim_setup all, one;
    const char *const *names;
    size_t count = 0;
    kb_status status = sim_setup_init(&all, call, &(sim_config_values){0}, trail);
    if (status == KB_OK)
        status = kbs_config_topologies(&all.config, &names, &count, trail);
    for (size_t i = 0; status == KB_OK && i < count; i++) {
        char text[512];
        status = sim_setup_init(&one, call, &(sim_config_values){.topology = names[i]}, trail);
        if (status == KB_OK) {
            describe(&one, text, sizeof text);
            print_row(json, names[i], text, NULL);
        }
        sim_setup_fini(&one);
    }
    sim_setup_fini(&all);
    return status;
}

static kb_status list_one(const kbt_call *call, kbt_json *json, int which, kb_trail *trail) {
    if (json != NULL)
        kbt_json_begin(json, list_words[which], '[');
    else
        printf("%s\n", list_words[which]);
    if (which == BENCHES)
        list_benches(json);
    if (which == ALGORITHMS)
        list_algorithms(json);
    for (uint32_t i = 0; which == COMPONENTS && i < KBS_COMPONENTS; i++)
        if (json != NULL)
            print_component_json(json, i);
        else
            print_component(i);
    if (which == TOPOLOGIES)
        KB_TRY(list_topologies(call, json, trail));
    for (size_t i = 0; which == CHECKS && i < kbs_lint_check_count(); i++)
        print_row(json, kbs_lint_check_name(i), kbs_lint_check_help(i), NULL);
    if (json != NULL)
        kbt_json_end(json);
    return KB_OK;
}

int sim_list(kbt_call *call) {
    int first = 0, last = LISTS - 1;
    kb_trail trail;
    kb_trail_init(&trail);
    if (call->words.count > 0) {
        while (first < LISTS && strcmp(call->words.items[0], list_words[first]) != 0)
            first++;
        last = first;
    }
    if (first == LISTS) {
        kb_fail(&trail, KB_E_ARGUMENT,
                "there is no list of '%s' (benches, algorithms, components, topologies, checks)",
                call->words.items[0]);
        return kbt_fail(call, &trail);
    }
    kbt_json json;
    kbt_json_init(&json, stdout);
    if (call->common->json) {
        kbt_json_begin(&json, NULL, '{');
        kbt_json_int(&json, "version", 1);
    }
    for (int which = first; which <= last; which++)
        if (list_one(call, call->common->json ? &json : NULL, which, &trail) != KB_OK)
            return kbt_fail(call, &trail);
    if (call->common->json)
        kbt_json_end(&json);
    return KBT_FINE;
}
