/* SPDX-License-Identifier: Apache-2.0 */
/* Recording users' own code; see own.h. */
#include "sim/own.h"

#include <string.h>

/* A bench that is built in names files in its parameters only; one that is a file may name more. */
static bool is_foreign(const kbs_run_options *options) {
    if (kbs_is_plugin(options->bench))
        return true;
    for (size_t i = 0; i < options->param_count; i++) {
        const char *equals = strchr(options->params[i], '=');
        if (equals != NULL && kbs_is_plugin(equals + 1))
            return true;
    }
    for (size_t i = 0; i < options->given_count; i++)
        if (kbs_is_plugin(options->given[i].value))
            return true;
    return false;
}

kb_status sim_own_begin(sim_own *own, const kbt_call *call, const sim_guard_values *values,
                        kbs_run_options *options, kb_trail *trail) {
    own->is_watched = is_foreign(options);
    if (!own->is_watched)
        return KB_OK;
    sim_compiler_init(&own->compiler, call);
    options->compiler = &own->compiler.hooks;
    KB_TRY(sim_guard_begin(call, values, options, trail));
    sim_guard_removes(own->compiler.object, own->compiler.folder);
    return KB_OK;
}

void sim_own_end(const sim_own *own, kb_status status, kb_trail *trail) {
    if (own->is_watched)
        sim_guard_end(status, trail);
}
