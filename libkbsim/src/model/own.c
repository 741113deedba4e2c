/* SPDX-License-Identifier: Apache-2.0 */
/* Models of users' own; see own.h. */
#include "model/own.h"

#include <stdio.h>
#include <string.h>

#include "machine/number.h"
#include "plugin/shared.h"

#define TEXT_OF(name) #name
#define SYMBOL(name) TEXT_OF(name)

enum { NAME_CHARS = 32 };
static const char what[] = "a model";

static bool is_name(const char *name, size_t most) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t length = name != NULL ? strspn(name, letters) : 0;
    return length > 0 && length < most && name[length] == '\0';
}

/* --- what it exports ------------------------------------------------------------------------- */

static kb_status check_option(const char *path, const kbs_model_option *option, kb_trail *trail) {
    uint64_t least, standard, most;
    if (!is_name(option->name, KBS_OPTION_CHARS) || option->unit == NULL || option->help == NULL ||
        option->standard == NULL || option->least == NULL || option->most == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: an option of its model has no proper name or a NULL text",
                       path);
    if (kbs_parse_quantity(option->least, option->unit, KBS_MILLION, &least) != KBS_NUMBER_FINE ||
        kbs_parse_quantity(option->standard, option->unit, KBS_MILLION, &standard) != KBS_NUMBER_FINE ||
        kbs_parse_quantity(option->most, option->unit, KBS_MILLION, &most) != KBS_NUMBER_FINE ||
        standard < least || standard > most)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s: the option '%s' of its model has a standard, least or most that is no number, or "
                       "its standard is out of range",
                       path, option->name);
    return KB_OK;
}

static kb_status check_engine(uint32_t component, const char *path, const kbs_engine_model *engine,
                              kb_trail *trail) {
    const kbs_model *model = &engine->model;
    if (model->abi != KBS_COMPONENT_ABI)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s is made for version %u of kbsim/component.h, and this kb-sim has version %u: "
                       "compile it with this one's headers",
                       path, model->abi, KBS_COMPONENT_ABI);
    if (model->size_bytes != sizeof *engine)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: its model has %u bytes instead of %zu (.size_bytes)", path,
                       model->size_bytes, sizeof *engine);
    if (model->component == NULL || strcmp(model->component, kbs_component_name(component)) != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is a model of %s, not of %s", path,
                       model->component != NULL ? model->component : "nothing",
                       kbs_component_name(component));
    if (!is_name(model->name, NAME_CHARS) || model->help == NULL || engine->took_ps == NULL ||
        model->option_count > KBS_MODEL_OPTIONS || (model->option_count > 0 && model->options == NULL))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s: its model has no proper .name, no .help, no .took_ps, or more than %d options",
                       path, KBS_MODEL_OPTIONS);
    for (size_t i = 0; i < model->option_count; i++)
        KB_TRY(check_option(path, &model->options[i], trail));
    return KB_OK;
}

kb_status kbs_model_load(uint32_t component, const char *path, const kb_fs *fs, kbs_chosen *ret,
                         kb_trail *trail) {
    kb_digest digest;
    char text[33];
    void *object;
    KB_TRY(kbs_shared_digest(fs, path, what, &digest, trail));
    KB_TRY(kbs_shared_open(fs, path, what, &object, trail));
    const kbs_engine_model *engine = kbs_shared_find(object, SYMBOL(KBS_COMPONENT_SYMBOL));
    kb_status status = KB_E_ARGUMENT;
    if (engine == NULL)
        kb_fail(trail, status, "%s exports no " SYMBOL(KBS_COMPONENT_SYMBOL) " (see kbsim/component.h)",
                path);
    else
        status = check_engine(component, path, engine, trail);
    if (status != KB_OK) {
        kbs_shared_close(object);
        return status;
    }
    *ret = (kbs_chosen){.model = &engine->model, .object = object};
    snprintf(ret->name, sizeof ret->name, "%s@%s", engine->model.name, kb_digest_text(&digest, text));
    return KB_OK;
}

void kbs_model_unload(kbs_chosen *chosen) {
    kbs_shared_close(chosen->object);
    chosen->object = NULL;
}
