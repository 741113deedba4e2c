/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch in time: the host's own latency and that of the processors on the way, the same for every PE, so
 * that all begin at one stamp; done when the last op of the rank is.
 */
#include <stdio.h>

#include "op/kind.h"

/* A host's op: there is no PE, and its end is the rank's. */
static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    const kbs_machine *machine = sim->program->machine;
    const int64_t host_ps = kbs_ps_of_ns(machine->at.host_launch_ns);
    op->start_ps = op->issue_ps;
    op->sent_ps = op->issue_ps + sim->costs.launch_ps;
    kbs_op_took(sim, op, KB_CAUSE_HOST, host_ps);
    kbs_op_took(sim, op, KB_CAUSE_LAUNCH, sim->costs.launch_ps - host_ps);
    kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_COMPLETION, KB_POINT_DONE, KB_SET_LAUNCHED, 0}, 0);
    kbs_pe_start(pe, op->sent_ps);
    return true;
}

static void explain(const kbs_pe *pe, const kbs_op *op, char *buffer, size_t buffer_size) {
    (void)pe;
    (void)op;
    snprintf(buffer, buffer_size, "waits until all its ops are done");
}

const kbs_kind kbs_kind_launch = {.engine = KB_ENGINE_HOST, .begin = begin, .explain = explain};
