/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a machine: defaults, then --topology, --machine, --ccl, --set. */
#include <string.h>

#include "common/place.h"
#include "sim/config.h"

const char *sim_share(const kbt_call *call) {
    char path[PATH_MAX];
    const char *kept;
    if (!kbt_share_folder(path) || kb_arena_text(call->arena, path, strlen(path), &kept, NULL) != KB_OK)
        return NULL;
    return kept;
}

kb_status sim_setup_init(sim_setup *setup, const kbt_call *call, const sim_config_values *values,
                         kb_trail *trail) {
    memset(&setup->models, 0, sizeof setup->models);
    kbs_machine_init(&setup->machine);
    kbs_config_init(&setup->config, &setup->machine, NULL, NULL, sim_share(call));
    if (values->topology != NULL)
        KB_TRY(kbs_config_topology(&setup->config, values->topology, trail));
    if (values->machine != NULL)
        KB_TRY(kbs_machine_shorthand(&setup->machine, values->machine, trail));
    if (values->ccl != NULL)
        KB_TRY(kbs_config_ccl(&setup->config, values->ccl, trail));
    for (size_t i = 0; i < values->sets.count; i++)
        KB_TRY(kbs_machine_assign(&setup->machine, values->sets.items[i], "set", trail));
    return KB_OK;
}

void sim_setup_fini(sim_setup *setup) {
    kbs_models_close(&setup->models);
    kbs_config_fini(&setup->config);
}
