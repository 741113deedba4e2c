/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing models by their components' names; see choose.h. Loads nothing. */
#include "machine/choose.h"

#include <stdio.h>
#include <string.h>

#include "kbsim/models.h"
#include "kbtrace/nearest.h"

const char *kbs_below_components(const char *path) {
    static const char group[] = "components.";
    return strncmp(path, group, sizeof group - 1) == 0 ? path + sizeof group - 1 : NULL;
}

static kb_status find(const char *path, size_t length, uint32_t *ret, kb_trail *trail) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, path);
    kb_nearest nearest;
    kb_nearest_init(&nearest, wanted);
    for (uint32_t i = 0; i < KBS_COMPONENTS; i++) {
        if (strcmp(kbs_component_name(i), wanted) == 0) {
            *ret = i;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, kbs_component_name(i));
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "unknown component '%s' (did you mean '%s'?)", wanted, best);
    return kb_fail(trail, KB_E_ARGUMENT, "unknown component '%s' (kb-sim list components)", wanted);
}

static kb_status check_model(uint32_t component, const char *name, kb_trail *trail) {
    kb_nearest nearest;
    char known[160] = "";
    size_t length = 0;
    if (kbs_component_model_at(component, 0) == NULL)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "components.%s: there is one way to do it, and nothing to choose",
                       kbs_component_name(component));
    if (strchr(name, '/') != NULL)
        return KB_OK;
    kb_nearest_init(&nearest, name);
    const kbs_model *model;
    for (size_t i = 0; (model = kbs_component_model_at(component, i)) != NULL; i++) {
        if (strcmp(model->name, name) == 0)
            return KB_OK;
        kb_nearest_offer(&nearest, model->name);
        if (length < sizeof known)
            length += (size_t)snprintf(known + length, sizeof known - length, "%s, ", model->name);
    }
    const char *best = kb_nearest_best(&nearest);
    return kb_fail(trail, KB_E_ARGUMENT,
                   "components.%s: '%s' is not one of %sor a file (./my_model.so)%s%s%s",
                   kbs_component_name(component), name, known, best != NULL ? "; did you mean '" : "",
                   best != NULL ? best : "", best != NULL ? "'?" : "");
}

static kb_status set_option(kbs_choice *choice, const char *component, const char *name, const char *value,
                            const kbs_origin *origin, kb_trail *trail) {
    size_t at = 0;
    while (at < choice->option_count && strcmp(choice->options[at].name, name) != 0)
        at++;
    if (at == KBS_MODEL_OPTIONS)
        return kb_fail(trail, KB_E_ARGUMENT, "components.%s: no model has more than %d options", component,
                       KBS_MODEL_OPTIONS);
    if (*name == '\0' || strlen(name) >= KBS_OPTION_CHARS)
        return kb_fail(trail, KB_E_ARGUMENT, "components.%s: '%.60s' is no option of any model", component,
                       name);
    if (strlen(value) >= KBS_VALUE_CHARS)
        return kb_fail(trail, KB_E_ARGUMENT, "components.%s.%s: '%.60s' is no number", component, name,
                       value);
    strcpy(choice->options[at].name, name);
    strcpy(choice->options[at].value, value);
    choice->options[at].origin = *origin;
    choice->option_count += at == choice->option_count;
    return KB_OK;
}

/* What stands behind the component in a path: an option's name, or NULL for its model. */
static const char *option_of(const char *path) {
    const char *point = strchr(path, '.');
    return point == NULL || strcmp(point, ".model") == 0 ? NULL : point + 1;
}

const kbs_origin *kbs_choice_origin(const kbs_machine *machine, const char *path) {
    uint32_t component = 0;
    if (find(path, strcspn(path, "."), &component, NULL) != KB_OK)
        return NULL;
    const kbs_choice *choice = &machine->choices[component];
    const char *option = option_of(path);
    if (option == NULL)
        return choice->model != NULL ? &choice->origin : NULL;
    for (size_t i = 0; i < choice->option_count; i++)
        if (strcmp(choice->options[i].name, option) == 0)
            return &choice->options[i].origin;
    return NULL;
}

kb_status kbs_choose(kbs_machine *machine, const char *path, const char *value, const kbs_origin *origin,
                     kb_trail *trail) {
    const char *option = option_of(path);
    uint32_t component = 0;
    KB_TRY(find(path, strcspn(path, "."), &component, trail));
    kbs_choice *choice = &machine->choices[component];
    if (option != NULL)
        return set_option(choice, kbs_component_name(component), option, value, origin, trail);
    KB_TRY(check_model(component, value, trail));
    if (choice->model != NULL && strcmp(choice->model, value) != 0)
        choice->option_count = 0; /* they were the other model's */
    choice->model = value;
    choice->origin = *origin;
    return KB_OK;
}
