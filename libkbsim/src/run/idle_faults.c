/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that a run never meets; see idle_faults.h. May not change anything. */
#include "run/idle_faults.h"

#include <string.h>

#include "kbtrace/nearest.h"

static bool has_link(const kbs_fabric *fabric, const char *name, const char **ret_nearest) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < fabric->link_count; i++) {
        if (strcmp(fabric->links[i]->name, name) == 0)
            return true;
        kb_nearest_offer(&nearest, fabric->links[i]->name);
    }
    *ret_nearest = kb_nearest_best(&nearest);
    return false;
}

static bool has_pe(const kbs_program *program, const char *name) {
    char known[KBS_PE_NAME_CHARS];
    for (uint32_t pe = 0; pe < program->pes; pe++)
        if (strcmp(kbs_pe_name(program->machine, pe, known), name) == 0)
            return true;
    return false;
}

void kbs_warn_of_faults(const kbs_program *program) {
    const kbs_machine *machine = program->machine;
    for (size_t i = 0; i < machine->fault_count; i++) {
        const kbs_fault *fault = &machine->faults[i];
        const char *nearest = NULL;
        char path[KBS_FAULT_CHARS];
        kbs_fault_path(fault, path);
        if (!kbs_fault_describe(fault->kind)->of_link && !has_pe(program, fault->target))
            kb_log_say(program->log, KB_LOG_WARNING, "run", "%s: that PE takes no part in this run", path);
        else if (kbs_fault_describe(fault->kind)->of_link &&
                 !has_link(&program->fabric, fault->target, &nearest))
            kb_log_say(program->log, KB_LOG_WARNING, "run",
                       "%s: no data of this run goes over such a link%s%s%s", path,
                       nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'?)" : "");
    }
}
