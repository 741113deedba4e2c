/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a model; see model.h. The only place of the simulation that calls what a user may have brought. */
#include "op/model.h"

#include <inttypes.h>

#include "kbsim/models.h"

static uint64_t param(const void *machine, const char *path) {
    const uint32_t index = kbs_param_find(path);
    return index < kbs_param_count() ? kbs_machine_number(machine, index) : 0;
}

int64_t kbs_model_ps(kbs_sim *sim, kbs_component component, const kbs_common *common, int64_t standard_ps) {
    const kbs_program *program = sim->program;
    if (program->models == NULL)
        return standard_ps;
    const kbs_chosen *chosen = &program->models->of[component];
    const kbs_engine_model *engine = (const kbs_engine_model *)(const void *)chosen->model;
    if (engine->took_ps == NULL)
        return standard_ps;
    const kbs_engine_work work = {.operands = common->operands,
                                  .operand_count = common->operand_count,
                                  .func = common->func,
                                  .flags = common->flags,
                                  .cycle_ps = sim->costs.cycle_ps,
                                  .standard_ps = standard_ps,
                                  .param = param,
                                  .machine = program->machine,
                                  .options = chosen->options};
    const int64_t took_ps = engine->took_ps(&work);
    if (took_ps >= 1)
        return took_ps;
    kbs_sim_fail(sim,
                 kb_fail(&sim->trail, KB_E_PROGRAM,
                         "%s:%u: the model %s says that this %s takes %" PRId64 " ps: a time is at least 1",
                         kb_defs_text(&program->defs, common->file), common->line, engine->model.name,
                         kbs_component_name(component), took_ps));
    return standard_ps;
}
