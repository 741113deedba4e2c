/* SPDX-License-Identifier: Apache-2.0 */
/* Slow-downs and delays of single PEs; see fault.h. Those of links are their bandwidth (fabric/way.c). */
#include "pe/fault.h"

#include "machine/fault.h"

static uint64_t value_of(const kbs_machine *machine, const char *name, kbs_fault_kind kind) {
    const kbs_fault *fault = kbs_fault_of(machine, name, kind);
    return fault != NULL ? fault->value : 0;
}

void kbs_pe_find_faults(kbs_pe *pe) {
    const kbs_program *program = pe->sim->program;
    const kbs_machine *machine = program->machine;
    char name[KBS_PE_NAME_CHARS];
    if (machine->fault_count == 0 || pe->is_host)
        return;
    kbs_pe_name(machine, pe->pe, name);
    pe->faults = (kbs_pe_faults){.any = true,
                                 .gemm = value_of(machine, name, KBS_FAULT_GEMM),
                                 .math = value_of(machine, name, KBS_FAULT_MATH),
                                 .pe_cpu = value_of(machine, name, KBS_FAULT_PE_CPU),
                                 .delay = kbs_fault_of(machine, name, KBS_FAULT_DELAY_NS)};
}

/* Whether the command is of the step that is delayed. */
static bool is_due(const kbs_pe *pe, const kbs_command *command) {
    const kbs_fault *delay = pe->faults.delay;
    const kbs_common *common = &command->shape->common;
    if (*delay->label == '\0')
        return true;
    if (common->step == KB_NONE || (delay->step != KBS_ANY_STEP && delay->step != command->step))
        return false;
    return strcmp(kb_defs_text(&pe->sim->program->defs, common->step), delay->label) == 0;
}

int64_t kbs_fault_held_ps(kbs_pe *pe, const kbs_command *command, int64_t dispatch_ps) {
    int64_t held_ps = kbs_fault_more_ps(dispatch_ps, pe->faults.pe_cpu);
    if (pe->faults.delay != NULL && is_due(pe, command)) {
        held_ps += kbs_ps_of_ns(pe->faults.delay->value);
        pe->faults.delay = NULL; /* once */
    }
    return held_ps;
}
