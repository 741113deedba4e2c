/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a topology or ccl file that gives single rings a size of their own; see reading.h. */
#include <stdio.h>
#include <string.h>

#include "config/reading.h"
#include "machine/origin.h"
#include "machine/ring_slots.h"

static const char group[] = "ipcq.slots_of";

bool kbs_is_ring_slots(const char *path) {
    return strcmp(path, group) == 0 || kbs_below_ring_slots(path) != NULL;
}

static kb_status set(const kbs_reading *r, const kbs_yaml *node, const char *queue, kb_trail *trail) {
    kbs_machine *machine = r->config->machine;
    const kbs_ring_slots *before = kbs_ring_slots_of(machine, queue);
    kbs_origin origin = node->key_at;
    origin.by = r->by;
    if (node->kind != KBS_YAML_SCALAR || strchr(node->text, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "%s.%.60s takes one number of slots", group, queue);
    if (before != NULL && before->origin.source == r->name)
        return kbs_fail_at(&origin, trail, "%s.%s is set a second time in this file (first in line %u)",
                           group, queue, before->origin.line);
    const kb_status status = kbs_ring_slots_set(machine, queue, node->text, &origin, trail);
    return status == KB_OK ? KB_OK : kbs_blame(&node->at, status, trail);
}

kb_status kbs_apply_ring_slots(const kbs_reading *r, const kbs_yaml *node, const char *path,
                               kb_trail *trail) {
    const char *queue = kbs_below_ring_slots(path);
    if (queue != NULL)
        return set(r, node, queue, trail);
    if (node->kind != KBS_YAML_MAP)
        return kbs_fail_at(&node->at, trail,
                           "%s takes names of queues, and a number of slots for each (pe0>pe1: 8)", group);
    for (const kbs_yaml *member = node->first; member != NULL; member = member->next)
        KB_TRY(set(r, member, member->key, trail));
    return KB_OK;
}
