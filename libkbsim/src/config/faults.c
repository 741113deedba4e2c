/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a topology that says what is wrong with single PEs and links; see reading.h. */
#include <stdio.h>
#include <string.h>

#include "config/reading.h"
#include "machine/fault.h"
#include "machine/origin.h"

static const char group[] = "fault";

bool kbs_is_fault(const kbs_yaml *node) {
    return strcmp(node->key, group) == 0 || kbs_below_fault(node->key) != NULL;
}

static kb_status set(const kbs_reading *r, const kbs_yaml *node, const char *path, kb_trail *trail) {
    kbs_machine *machine = r->config->machine;
    const kbs_origin *before = kbs_fault_origin(machine, path);
    kbs_origin origin = node->key_at;
    origin.by = r->by;
    if (before != NULL && before->source == r->name)
        return kbs_fail_at(&origin, trail, "fault.%s is set a second time in this file (first in line %u)",
                           path, before->line);
    if (strchr(node->text, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "fault.%s: a value of several lines", path);
    const kb_status status = kbs_fault_set(machine, path, node->text, &origin, trail);
    return status == KB_OK ? KB_OK : kbs_blame(&node->at, status, trail);
}

/* As deep as the file's nesting. */
static kb_status apply(const kbs_reading *r, const kbs_yaml *node, const char *path, kb_trail *trail) {
    const bool is_path = *path != '\0';
    if (node->kind == KBS_YAML_SCALAR && is_path)
        return set(r, node, path, trail);
    if (node->kind != KBS_YAML_MAP)
        return kbs_fail_at(&node->at, trail,
                           "%s%s%s takes names of PEs or links, and below them what is wrong", group,
                           is_path ? "." : "", path);
    for (const kbs_yaml *member = node->first; member != NULL; member = member->next) {
        char below[KBS_FAULT_CHARS];
        if (snprintf(below, sizeof below, "%s%s%s", path, is_path ? "." : "", member->key) >= KBS_FAULT_CHARS)
            return kbs_fail_at(&member->key_at, trail, "no PE or link has a name as long as '%.60s...'",
                               member->key);
        KB_TRY(apply(r, member, below, trail));
    }
    return KB_OK;
}

kb_status kbs_apply_fault(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    const char *below = kbs_below_fault(node->key);
    return apply(r, node, below != NULL ? below : "", trail);
}
