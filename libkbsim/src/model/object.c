/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading of shared objects; see object.h. The only file that calls the dynamic linker, which reads the
 * object by itself; its bytes are also read through kb_fs, for the digest by which a trace names them.
 */
#include "model/object.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "machine/number.h"

#define TEXT_OF(name) #name
#define SYMBOL(name) TEXT_OF(name)

enum { MOST_BYTES = 1 << 26, NAME_CHARS = 32 };

static bool is_name(const char *name, size_t most) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t length = name != NULL ? strspn(name, letters) : 0;
    return length > 0 && length < most && name[length] == '\0';
}

/* --- the file -------------------------------------------------------------------------------- */

static kb_status digest_open(kb_file *file, size_t size, kb_digest *ret, kb_trail *trail) {
    void *bytes;
    size_t count = 0;
    KB_TRY(kb_new(NULL, size + 1, &bytes, trail));
    const kb_status status = kb_file_read(file, bytes, size + 1, &count, trail);
    if (status == KB_OK)
        *ret = kb_digest_of(bytes, count);
    kb_delete(NULL, bytes, size + 1);
    return status;
}

static kb_status digest_file(const kb_fs *fs, const char *path, kb_digest *ret, kb_trail *trail) {
    kb_file file;
    kb_file_type type;
    uint64_t size;
    KB_TRY(kb_fs_stat(fs, path, &type, &size, trail));
    if (type == KB_FILE_FOLDER || type == KB_FILE_OTHER)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is no file: a model is a shared object", path);
    if (size > MOST_BYTES)
        return kb_fail(trail, KB_E_LIMIT, "%s is longer than %d bytes: no model is", path, MOST_BYTES);
    KB_TRY(kb_file_open(&file, fs, path, KB_OPEN_READ, trail));
    const kb_status status = digest_open(&file, (size_t)size, ret, trail);
    if (status == KB_OK)
        return kb_file_close(&file, trail);
    kb_file_abandon(&file);
    return status;
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

kb_status kbs_object_load(uint32_t component, const char *path, const kb_fs *fs, kbs_chosen *ret,
                          kb_trail *trail) {
    kb_digest digest;
    char text[33];
    KB_TRY(digest_file(fs, path, &digest, trail));
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "cannot load the model: %s", dlerror());
    const kbs_engine_model *engine = dlsym(object, SYMBOL(KBS_COMPONENT_SYMBOL));
    kb_status status = KB_E_ARGUMENT;
    if (engine == NULL)
        kb_fail(trail, status, "%s exports no " SYMBOL(KBS_COMPONENT_SYMBOL) " (see kbsim/component.h)",
                path);
    else
        status = check_engine(component, path, engine, trail);
    if (status != KB_OK) {
        dlclose(object);
        return status;
    }
    *ret = (kbs_chosen){.model = &engine->model, .object = object};
    snprintf(ret->name, sizeof ret->name, "%s@%s", engine->model.name, kb_digest_text(&digest, text));
    return KB_OK;
}

void kbs_object_unload(kbs_chosen *chosen) {
    if (chosen->object != NULL)
        dlclose(chosen->object);
    chosen->object = NULL;
}
