/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters without effect; see unused.h. May not change anything. */
#include "run/unused.h"

#include <string.h>

/* What banks' timing replaces. */
static bool is_replaced(const char *path) {
    static const char *const paths[] = {"hbm.channel_gbps", "hbm.commit_ns", "hbm.read_latency_ns",
                                        "hbm.write_latency_ns"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    return false;
}

void kbs_warn_of_unused(const kbs_machine *machine, const kb_log *log) {
    const bool has_banks = machine->at.hbm_timing == KBS_TIMING_HBM3;
    kbs_machine standard;
    kbs_machine_init(&standard);
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        const char *path = kbs_param_describe(i)->path;
        if (kbs_machine_number(machine, i) == kbs_machine_number(&standard, i))
            continue;
        if (has_banks && is_replaced(path))
            kb_log_say(log, KB_LOG_WARNING, "run", "%s is not used: hbm.timing=hbm3 goes by hbm3.* instead",
                       path);
        if (!has_banks && strncmp(path, "hbm3.", strlen("hbm3.")) == 0)
            kb_log_say(log, KB_LOG_WARNING, "run", "%s is not used: hbm.timing is off (try hbm.timing=hbm3)",
                       path);
    }
}

void kbs_warn_of_unused_rings(const kbs_program *program) {
    const kbs_machine *machine = program->machine;
    for (size_t i = 0; i < machine->ring_slots_count; i++) {
        const kbs_ring_slots *ring = &machine->ring_slots[i];
        char path[KBS_RING_PATH_CHARS], name[KBS_QUEUE_NAME_CHARS];
        size_t id = 0;
        while (id < program->queue_count &&
               strcmp(kbs_queue_name(&program->queues[id], name), ring->queue) != 0)
            id++;
        if (id == program->queue_count)
            kb_log_say(program->log, KB_LOG_WARNING, "run", "%s is not used: this program has no such queue",
                       kbs_ring_slots_path(ring, path));
    }
}
