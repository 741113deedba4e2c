/* SPDX-License-Identifier: Apache-2.0 */
/* The models that a machine has chosen for its components: found by name, or loaded from shared objects. */
#ifndef KBSIM_MODELS_H
#define KBSIM_MODELS_H

#include "kbsim/component.h"
#include "kbsim/machine.h"
#include "kbtrace/fs.h"

typedef struct kbs_chosen {
    const kbs_model *model;                              /* NULL: the component is done one way */
    uint64_t options[KBS_MODEL_OPTIONS];                 /* in millionths */
    const kbs_origin *option_origins[KBS_MODEL_OPTIONS]; /* NULL: the standard */
    bool is_standard;                                    /* the default model */
    void *object;                                        /* that was loaded, or NULL */
    char name[KBS_VALUE_CHARS * 3]; /* "peak"; of an object its name and its file's digest: "table@0123…" */
} kbs_chosen;

typedef struct kbs_models {
    kbs_chosen of[KBS_COMPONENTS];
} kbs_models;

/* `machine` outlives it; `fs` reads shared objects for their digests. */
kb_status kbs_models_open(const kbs_machine *machine, const kb_fs *fs, kbs_models *ret,
                          kb_trail *trail) KB_MUST_USE;
void kbs_models_close(kbs_models *models);

/* The text of a chosen model's option. */
const char *kbs_models_option(const kbs_chosen *chosen, size_t option, char buffer[KBS_VALUE_CHARS]);

/* --- listings ---------------------------------------------------------------------------------- */

const char *kbs_component_name(uint32_t component);
const char *kbs_component_help(uint32_t component);
/* The i-th model of a component, the default first; NULL behind the last. */
const kbs_model *kbs_component_model_at(uint32_t component, size_t i);

#endif
