/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From trees of settings to a machine; see kbsim/config.h.
 *
 * A file's includes are read before its own settings, so that what it says itself wins; of two files that
 * are included the later one wins. Within one file nothing may be set twice.
 */
#include "kbsim/config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/files.h"
#include "config/reading.h"
#include "config/yaml.h"
#include "kbtrace/nearest.h"
#include "machine/origin.h"

enum { PATH_CHARS = 64 };

void kbs_config_init(kbs_config *config, kbs_machine *machine, const kb_alloc *alloc, const kb_fs *fs,
                     const char *share) {
    *config = (kbs_config){.machine = machine, .fs = fs, .share = share, .help = ""};
    kb_arena_init(&config->arena, alloc, 0);
}

void kbs_config_fini(kbs_config *config) {
    kb_arena_fini(&config->arena);
}

/* --- what a path is -------------------------------------------------------------------------- */

/* Whether parameters stand below `path`: "ipcq". */
static bool is_group(const char *path) {
    const size_t length = strlen(path);
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        const char *known = kbs_param_describe(i)->path;
        if (strncmp(known, path, length) == 0 && known[length] == '.')
            return true;
    }
    return false;
}

static bool is_param(const char *path) {
    return kbs_param_find(path) < kbs_param_count();
}

/* The group of the i-th parameter: "ipcq" of "ipcq.slots", "" of "clock_ghz". */
static void group_of(uint32_t i, char group[PATH_CHARS]) {
    const char *path = kbs_param_describe(i)->path, *dot = strrchr(path, '.');
    snprintf(group, PATH_CHARS, "%.*s", dot != NULL ? (int)(dot - path) : 0, path);
}

/* Neither a parameter nor a group. `words` are other keys that may stand here; NULL ends them. */
static kb_status refuse_key(const kbs_origin *at, const char *path, const char *const *words,
                            kb_trail *trail) {
    char best_group[PATH_CHARS] = "", group[PATH_CHARS];
    kb_nearest nearest;
    kb_nearest_init(&nearest, path);
    for (uint32_t i = 0; i < kbs_param_count(); i++)
        kb_nearest_offer(&nearest, kbs_param_describe(i)->path);
    for (size_t i = 0; words[i] != NULL; i++)
        kb_nearest_offer(&nearest, words[i]);
    size_t distance = kb_nearest_best(&nearest) != NULL ? nearest.distance : SIZE_MAX;
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        kb_nearest one;
        group_of(i, group);
        kb_nearest_init(&one, path);
        kb_nearest_offer(&one, group);
        if (*group != '\0' && kb_nearest_best(&one) != NULL && one.distance < distance) {
            distance = one.distance;
            memcpy(best_group, group, sizeof best_group);
        }
    }
    const char *best = *best_group != '\0' ? best_group : kb_nearest_best(&nearest);
    if (best != NULL)
        return kbs_fail_at(at, trail, "unknown key '%.60s' (did you mean '%s'?)", path, best);
    return kbs_fail_at(at, trail, "unknown key '%.60s' (kb-sim explain-config lists them)", path);
}

/* --- settings -------------------------------------------------------------------------------- */

static kb_status set(const kbs_reading *r, const char *path, const kbs_yaml *node, kb_trail *trail) {
    kbs_machine *machine = r->config->machine;
    const kbs_origin *before = kbs_machine_origin(machine, kbs_param_find(path));
    kbs_origin origin = node->key_at;
    origin.by = r->by;
    if (before->source == r->name)
        return kbs_fail_at(&origin, trail, "%s is set a second time in this file (first in line %u)", path,
                           before->line);
    if (strchr(node->text, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "%s: a value of several lines", path);
    const kb_status status = kbs_machine_set_from(machine, path, node->text, &origin, trail);
    return status == KB_OK ? KB_OK : kbs_blame(&node->at, status, trail);
}

/* What kind of node stands where a value or a group is expected. */
static kb_status refuse_kind(const kbs_yaml *node, const char *path, kb_trail *trail) {
    static const char *const found[] = {"one value", "a map", "a list"};
    if (is_param(path))
        return kbs_fail_at(&node->at, trail, "%s takes one value, and this is %s", path, found[node->kind]);
    return kbs_fail_at(&node->at, trail,
                       "%s is a group: its parameters stand below it, indented, and this is %s", path,
                       found[node->kind]);
}

static kb_status check_may_set(const kbs_reading *r, const kbs_yaml *node, const char *path,
                               kb_trail *trail) {
    static const char queues[] = "ipcq";
    const size_t length = sizeof queues - 1;
    if (strcmp(r->by, "ccl") != 0 ||
        (strncmp(path, queues, length) == 0 && (path[length] == '.' || path[length] == '\0')))
        return KB_OK;
    return kbs_fail_at(&node->key_at, trail,
                       "%s belongs into a topology: a ccl file sets ipcq and collective", path);
}

static const char *const *words_of(const kbs_reading *r) {
    static const char *const of_topology[] = {"include", "help", "components", "fault", NULL};
    static const char *const of_ccl[] = {"include", "help", "collective", NULL};
    return strcmp(r->by, "ccl") == 0 ? of_ccl : of_topology;
}

static kb_status apply_group(const kbs_reading *r, const kbs_yaml *map, const char *prefix, kb_trail *trail);

static kb_status apply_member(const kbs_reading *r, const kbs_yaml *node, const char *prefix,
                              kb_trail *trail) {
    static const char *const none[] = {NULL};
    char path[PATH_CHARS];
    const int length = snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", node->key);
    if (length < (int)sizeof path && kbs_is_ring_slots(path))
        return kbs_apply_ring_slots(r, node, path, trail);
    const bool group = is_group(path);
    if (length >= (int)sizeof path || (!group && !is_param(path)))
        return refuse_key(&node->key_at, path, *prefix == '\0' ? words_of(r) : none, trail);
    KB_TRY(check_may_set(r, node, path, trail));
    if (group && node->kind == KBS_YAML_MAP)
        return apply_group(r, node, path, trail);
    if (group || node->kind != KBS_YAML_SCALAR)
        return refuse_kind(node, path, trail);
    return set(r, path, node, trail);
}

/* As deep as the paths of parameters are. */
static kb_status apply_group(const kbs_reading *r, const kbs_yaml *map, const char *prefix, kb_trail *trail) {
    for (const kbs_yaml *node = map->first; node != NULL; node = node->next)
        KB_TRY(apply_member(r, node, prefix, trail));
    return KB_OK;
}

/* --- what is no parameter -------------------------------------------------------------------- */

static kb_status give(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    kbs_config *config = r->config;
    if (node->kind != KBS_YAML_SCALAR || strchr(node->text, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "collective.%.40s takes one value in one line", node->key);
    kbs_given row = {node->key, node->text, node->key_at};
    row.origin.by = r->by;
    if (strcmp(node->key, "algo") == 0) /* a user's own lies beside the file that names it */
        KB_TRY(kbs_object_beside(r->config, r->name, node->text, &row.value, trail));
    for (size_t i = 0; i < config->given_count; i++)
        if (strcmp(config->given[i].key, row.key) == 0) {
            config->given[i] = row;
            return KB_OK;
        }
    if (config->given_count == config->given_capacity) {
        void *items;
        const size_t capacity = 2 * config->given_capacity + 16;
        KB_TRY(kb_arena_new(&config->arena, capacity * sizeof row, &items, trail));
        if (config->given_count > 0)
            memcpy(items, config->given, config->given_count * sizeof row);
        config->given = items;
        config->given_capacity = capacity;
    }
    config->given[config->given_count++] = row;
    return KB_OK;
}

static kb_status apply_collective(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    if (node->kind != KBS_YAML_MAP)
        return kbs_fail_at(
            &node->at, trail,
            "collective is a group: parameters of the bench stand below it, such as `algo: tree`");
    for (const kbs_yaml *param = node->first; param != NULL; param = param->next)
        KB_TRY(give(r, param, trail));
    return KB_OK;
}

static kb_status read_file(kbs_config *config, const char *by, const char *name, const kbs_reading *outer,
                           kb_trail *trail);

static kb_status refuse_cycle(const kbs_reading *r, const kbs_yaml *node, const char *name, kb_trail *trail) {
    char chain[240];
    int length = snprintf(chain, sizeof chain, "%s", name);
    for (const kbs_reading *at = r; length < (int)sizeof chain; at = at->outer) {
        char before[sizeof chain];
        memcpy(before, chain, sizeof before);
        length = snprintf(chain, sizeof chain, "%s -> %s", at->name, before);
        if (strcmp(at->name, name) == 0)
            break;
    }
    return kbs_fail_at(&node->at, trail, "a circle of includes: %s", chain);
}

static kb_status include_one(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    const char *name;
    kb_status status;
    if (node->kind != KBS_YAML_SCALAR || *node->text == '\0' || strchr(node->text, '\n') != NULL)
        return kbs_fail_at(&node->at, trail, "include takes the name of a file, or a list of them");
    if (kbs_is_file_name(node->text))
        status = kbs_file_beside(r->config, r->name, node->text, &name, trail);
    else
        status = kbs_file_of_topology(r->config, node->text, &name, trail);
    if (status != KB_OK)
        return kbs_blame(&node->at, status, trail);
    for (const kbs_reading *at = r; at != NULL; at = at->outer)
        if (strcmp(at->name, name) == 0)
            return refuse_cycle(r, node, name, trail);
    if (r->depth == KBS_CONFIG_DEEPEST)
        return kbs_fail_at(&node->at, trail, "includes lie more than %d deep", KBS_CONFIG_DEEPEST);
    status = read_file(r->config, r->by, name, r, trail);
    return status == KB_OK ? KB_OK
                           : kb_while(trail, status, "reading %s, included at %s:%u:%u", name, r->name,
                                      node->at.line, node->at.column);
}

static kb_status apply_includes(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    if (node->kind != KBS_YAML_LIST)
        return include_one(r, node, trail);
    for (const kbs_yaml *item = node->first; item != NULL; item = item->next)
        KB_TRY(include_one(r, item, trail));
    return KB_OK;
}

static kb_status apply_help(const kbs_reading *r, const kbs_yaml *node, kb_trail *trail) {
    if (node->kind != KBS_YAML_SCALAR)
        return kbs_fail_at(&node->at, trail, "help is a text: one line on what this file is for");
    if (r->outer == NULL && strcmp(r->by, "topology") == 0)
        r->config->help = node->text;
    return KB_OK;
}

/* --- files ----------------------------------------------------------------------------------- */

static bool is_key(const kbs_yaml *node, const char *key) {
    return strcmp(node->key, key) == 0;
}

static kb_status apply_root(const kbs_reading *r, const kbs_yaml *root, kb_trail *trail) {
    for (const kbs_yaml *node = root->first; node != NULL; node = node->next)
        if (is_key(node, "include"))
            KB_TRY(apply_includes(r, node, trail));
    for (const kbs_yaml *node = root->first; node != NULL; node = node->next) {
        if (is_key(node, "include"))
            continue;
        if (is_key(node, "help"))
            KB_TRY(apply_help(r, node, trail));
        else if (is_key(node, "collective") && strcmp(r->by, "ccl") == 0)
            KB_TRY(apply_collective(r, node, trail));
        else if (kbs_is_components(node) && strcmp(r->by, "topology") == 0)
            continue;
        else if (kbs_is_fault(node) && strcmp(r->by, "topology") == 0)
            KB_TRY(kbs_apply_fault(r, node, trail));
        else
            KB_TRY(apply_member(r, node, "", trail));
    }
    return strcmp(r->by, "topology") == 0 ? kbs_apply_components(r, root, trail) : KB_OK;
}

static kb_status read_file(kbs_config *config, const char *by, const char *name, const kbs_reading *outer,
                           kb_trail *trail) {
    const kbs_reading r = {config, by, name, outer, outer != NULL ? outer->depth + 1 : 1};
    const char *text;
    size_t size;
    const kbs_yaml *root;
    KB_TRY(kbs_file_read(config, name, &text, &size, trail));
    KB_TRY(kbs_yaml_parse(name, text, size, &config->arena, &root, trail));
    return apply_root(&r, root, trail);
}

kb_status kbs_config_topology(kbs_config *config, const char *name, kb_trail *trail) {
    const char *file;
    if (kbs_is_file_name(name))
        KB_TRY(kbs_file_beside(config, NULL, name, &file, trail));
    else
        KB_TRY(kbs_file_of_topology(config, name, &file, trail));
    config->help = "";
    return read_file(config, "topology", file, NULL, trail);
}

kb_status kbs_config_ccl(kbs_config *config, const char *file, kb_trail *trail) {
    const char *name;
    KB_TRY(kbs_file_beside(config, NULL, file, &name, trail));
    return read_file(config, "ccl", name, NULL, trail);
}
