/* SPDX-License-Identifier: Apache-2.0 */
/* The table of components and their models, and what a machine chose of it; see kbsim/models.h. */
#include "kbsim/models.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbtrace/nearest.h"
#include "machine/number.h"
#include "machine/origin.h"
#include "model/engines.h"
#include "model/own.h"

/* --- the table ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *help;
} components[] = {
#define KBS_COMPONENT(name, models, help) {#name, help},
#include "kbsim/components.def"
#undef KBS_COMPONENT
};

/* Of all components, in their order. */
static const kbs_model *const models[] = {
#define KBS_ONE_WAY
#define KBS_MODEL(component, name) &kbs_##component##_##name.model,
#define KBS_COMPONENT(name, models, help) models
#include "kbsim/components.def"
#undef KBS_COMPONENT
#undef KBS_MODEL
#undef KBS_ONE_WAY
};

const char *kbs_component_name(uint32_t component) {
    assert(component < KBS_COMPONENTS);
    return components[component].name;
}

const char *kbs_component_help(uint32_t component) {
    assert(component < KBS_COMPONENTS);
    return components[component].help;
}

const kbs_model *kbs_component_model_at(uint32_t component, size_t i) {
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++)
        if (strcmp(models[m]->component, kbs_component_name(component)) == 0 && i-- == 0)
            return models[m];
    return NULL;
}

/* --- what was chosen ------------------------------------------------------------------------- */

static uint64_t number_of(const kbs_model_option *option, const char *text) {
    uint64_t value = 0;
    const kbs_number_fault fault = kbs_parse_quantity(text, option->unit, KBS_MILLION, &value);
    assert(fault == KBS_NUMBER_FINE); /* of built-in ones by their tests, of others since they were loaded */
    (void)fault;
    return value;
}

static kb_status find_option(const kbs_chosen *chosen, const char *component, const char *name, size_t *ret,
                             kb_trail *trail) {
    const kbs_model *model = chosen->model;
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < model->option_count; i++) {
        if (strcmp(model->options[i].name, name) == 0) {
            *ret = i;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, model->options[i].name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "components.%s: %s has no option '%s' (did you mean '%s'?)",
                       component, model->name, name, best);
    return kb_fail(trail, KB_E_ARGUMENT, "components.%s: %s has no option '%s'%s", component, model->name,
                   name, model->option_count == 0 ? ", it has none" : " (kb-sim list components)");
}

static kb_status set_option(kbs_chosen *chosen, const char *component, const char *name, const char *text,
                            const kbs_origin *origin, kb_trail *trail) {
    size_t index = 0;
    uint64_t value = 0;
    KB_TRY(find_option(chosen, component, name, &index, trail));
    const kbs_model_option *option = &chosen->model->options[index];
    if (kbs_parse_quantity(text, option->unit, KBS_MILLION, &value) != KBS_NUMBER_FINE)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "components.%s.%s: '%s' is no number of %s with up to six places", component, name,
                       text, option->unit);
    if (value < number_of(option, option->least) || value > number_of(option, option->most))
        return kb_fail(trail, KB_E_ARGUMENT, "components.%s.%s: %s is out of range (%s to %s %s)", component,
                       name, text, option->least, option->most, option->unit);
    chosen->options[index] = value;
    chosen->option_origins[index] = origin;
    return KB_OK;
}

/* The model that is chosen by its name or file. */
static kb_status find_model(uint32_t component, const kbs_choice *choice, const kb_fs *fs, kbs_chosen *ret,
                            kb_trail *trail) {
    const char *name = choice->model;
    if (name != NULL && strchr(name, '/') != NULL) {
        const kb_status status = kbs_model_load(component, name, fs, ret, trail);
        return status == KB_OK ? KB_OK : kbs_blame(&choice->origin, status, trail);
    }
    ret->model = kbs_component_model_at(component, 0);
    for (size_t i = 0; name != NULL && strcmp(ret->model->name, name) != 0; i++) {
        ret->model = kbs_component_model_at(component, i);
        assert(ret->model != NULL); /* kbs_choose() knew it */
    }
    ret->is_standard = ret->model == kbs_component_model_at(component, 0);
    if (ret->model != NULL)
        snprintf(ret->name, sizeof ret->name, "%s", ret->model->name);
    return KB_OK;
}

static kb_status open_one(uint32_t component, const kbs_choice *choice, const kb_fs *fs, kbs_chosen *ret,
                          kb_trail *trail) {
    const char *name = kbs_component_name(component);
    KB_TRY(find_model(component, choice, fs, ret, trail));
    for (size_t i = 0; ret->model != NULL && i < ret->model->option_count; i++)
        ret->options[i] = number_of(&ret->model->options[i], ret->model->options[i].standard);
    for (size_t i = 0; i < choice->option_count; i++) {
        const kbs_origin *origin = &choice->options[i].origin;
        kb_status status = KB_E_ARGUMENT;
        if (ret->model == NULL)
            kb_fail(trail, status, "components.%s: there is one way to do it, and no option", name);
        else
            status = set_option(ret, name, choice->options[i].name, choice->options[i].value, origin, trail);
        if (status != KB_OK)
            return kbs_blame(origin, status, trail);
    }
    return KB_OK;
}

kb_status kbs_models_open(const kbs_machine *machine, const kb_fs *fs, kbs_models *ret, kb_trail *trail) {
    kbs_models opened;
    memset(&opened, 0, sizeof opened);
    for (uint32_t i = 0; i < KBS_COMPONENTS; i++) {
        const kb_status status = open_one(i, &machine->choices[i], fs, &opened.of[i], trail);
        if (status != KB_OK) {
            kbs_models_close(&opened);
            return status;
        }
    }
    *ret = opened;
    return KB_OK;
}

void kbs_models_close(kbs_models *opened) {
    for (uint32_t i = 0; i < KBS_COMPONENTS; i++)
        kbs_model_unload(&opened->of[i]);
}

const char *kbs_models_option(const kbs_chosen *chosen, size_t option, char buffer[KBS_VALUE_CHARS]) {
    assert(option < chosen->model->option_count);
    return kbs_real_text(chosen->options[option], buffer, KBS_VALUE_CHARS);
}
