/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a topology that chooses components' models; see reading.h. */
#include <stdio.h>
#include <string.h>

#include "config/files.h"
#include "config/reading.h"
#include "machine/choose.h"
#include "machine/origin.h"

enum { PATH_CHARS = 96 };

typedef enum round { MODELS, OPTIONS } round;

static const char group[] = "components";

bool kbs_is_components(const kbs_yaml *node) {
    return strcmp(node->key, group) == 0 || kbs_below_components(node->key) != NULL;
}

/* "gemm", "gemm.model" are models, "gemm.efficiency" is an option. */
static bool is_option(const char *path) {
    const char *point = strchr(path, '.');
    return point != NULL && strcmp(point, ".model") != 0;
}

static kb_status choose(const kbs_reading *r, const kbs_yaml *node, const char *path, kb_trail *trail) {
    kbs_machine *machine = r->config->machine;
    const kbs_origin *before = kbs_choice_origin(machine, path);
    const char *value = node->text;
    kbs_origin origin = node->key_at;
    origin.by = r->by;
    if (before != NULL && before->source == r->name)
        return kbs_fail_at(&origin, trail,
                           "components.%s is set a second time in this file (first in line %u)", path,
                           before->line);
    if (strchr(value, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "components.%s: a value of several lines", path);
    if (!is_option(path))
        KB_TRY(kbs_object_beside(r->config, r->name, node->text, &value, trail));
    const kb_status status = kbs_choose(machine, path, value, &origin, trail);
    return status == KB_OK ? KB_OK : kbs_blame(&node->at, status, trail);
}

/* `path` is below `components`, "" for the group itself. */
static kb_status apply(const kbs_reading *r, const kbs_yaml *node, const char *path, round now,
                       kb_trail *trail) {
    const bool is_path = *path != '\0';
    if (node->kind == KBS_YAML_SCALAR && is_path)
        return is_option(path) == (now == OPTIONS) ? choose(r, node, path, trail) : KB_OK;
    if (node->kind != KBS_YAML_MAP || strchr(path, '.') != NULL)
        return kbs_fail_at(&node->at, trail, "%s%s%s takes %s", group, is_path ? "." : "", path,
                           is_path ? "a model, or {model: .., OPTION: ..}" : "components and their models");
    for (const kbs_yaml *member = node->first; member != NULL; member = member->next) {
        char below[PATH_CHARS];
        if (snprintf(below, sizeof below, "%s%s%s", path, is_path ? "." : "", member->key) >= PATH_CHARS)
            return kbs_fail_at(&member->key_at, trail, "unknown key '%.60s...'", member->key);
        KB_TRY(apply(r, member, below, now, trail));
    }
    return KB_OK;
}

kb_status kbs_apply_components(const kbs_reading *r, const kbs_yaml *root, kb_trail *trail) {
    for (round now = MODELS; now <= OPTIONS; now++)
        for (const kbs_yaml *node = root->first; node != NULL; node = node->next) {
            const char *below = kbs_below_components(node->key);
            if (kbs_is_components(node))
                KB_TRY(apply(r, node, below != NULL ? below : "", now, trail));
        }
    return KB_OK;
}
