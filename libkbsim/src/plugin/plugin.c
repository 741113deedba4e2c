/* SPDX-License-Identifier: Apache-2.0 */
/* Opening plugins, and holding what they export against what this kb-sim knows; see plugin.h. */
#include "plugin/plugin.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "plugin/shared.h"

enum { NAME_CHARS = 48, SYMBOL_CHARS = 48 };

static const char what[] = "a plugin";

void kbs_plugins_init(kbs_plugins *plugins, const kbs_run_options *options) {
    *plugins = (kbs_plugins){.alloc = options->alloc, .fs = options->fs, .compiler = options->compiler};
    plugins->recording = options->recording != NULL ? options->recording : &plugins->unwatched;
    *plugins->recording = (kbs_recording){0};
}

static void close_plugin(const kbs_plugins *plugins, kbs_plugin *plugin) {
    const kbs_foreign before = plugins->recording->stage;
    plugins->recording->stage = KBS_FOREIGN_UNLOADS;
    kbs_shared_close(plugin->object);
    plugins->recording->stage = before;
    kb_delete(plugins->alloc, (void *)plugin->path, strlen(plugin->path) + 1);
    kb_delete(plugins->alloc, plugin, sizeof *plugin);
}

void kbs_plugins_fini(kbs_plugins *plugins) {
    plugins->recording->stage = KBS_FOREIGN_NOT;
    while (plugins->first != NULL) {
        kbs_plugin *plugin = plugins->first;
        plugins->first = plugin->next;
        close_plugin(plugins, plugin);
    }
    *plugins->recording = (kbs_recording){0};
}

/* --- files ----------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), of_end = strlen(end);
    return length > of_end && strcmp(text + length - of_end, end) == 0;
}

bool kbs_is_plugin(const char *text) {
    return strchr(text, '/') != NULL || ends_with(text, ".so") || ends_with(text, ".c");
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Its constructors run, which are the user's as all else in it; so is what is recorded from then on. */
static kb_status load(kbs_plugins *plugins, const char *path, const char *object, void **ret,
                      kb_trail *trail) {
    kbs_recording *recording = plugins->recording;
    const kbs_foreign before = recording->stage;
    const size_t length = strlen(recording->sources);
    snprintf(recording->sources + length, sizeof recording->sources - length, "%s%s", length > 0 ? ", " : "",
             base_of(path));
    recording->stage = KBS_FOREIGN_LOADS;
    const kb_status status = kbs_shared_open(plugins->fs, object, what, ret, trail);
    recording->stage = status == KB_OK && recording->program != NULL ? KBS_FOREIGN_RECORDS : before;
    return status;
}

static kb_status compile_and_load(kbs_plugins *plugins, const char *path, void **ret, kb_trail *trail) {
    const kbs_compiler *compiler = plugins->compiler;
    const kbs_foreign before = plugins->recording->stage;
    const char *object;
    if (compiler == NULL)
        return kb_fail(trail, KB_E_UNSUPPORTED, "%s is not compiled here: give a shared object", path);
    plugins->recording->stage = KBS_FOREIGN_NOT; /* a compiler takes the time that it takes */
    kb_status status = compiler->compile(compiler->context, path, &object, trail);
    plugins->recording->stage = before;
    if (status != KB_OK)
        return status;
    status = load(plugins, path, object, ret, trail);
    compiler->discard(compiler->context, object);
    return status == KB_OK
               ? KB_OK
               : kb_while(trail, status, "loading what %s was compiled to (TMPDIR says where)", path);
}

static kb_status open_new(kbs_plugins *plugins, kbs_plugin *plugin, kb_trail *trail) {
    char beside[4096]; /* a name alone would be looked for where libraries lie */
    kb_digest digest;
    if (snprintf(beside, sizeof beside, "%s%s", strchr(plugin->path, '/') == NULL ? "./" : "",
                 plugin->path) >= (int)sizeof beside)
        return kb_fail(trail, KB_E_ARGUMENT, "the name %.60s... is longer than any file's", plugin->path);
    KB_TRY(kbs_shared_digest(plugins->fs, beside, what, &digest, trail));
    kb_digest_text(&digest, plugin->digest);
    if (ends_with(beside, ".c"))
        return compile_and_load(plugins, beside, &plugin->object, trail);
    return load(plugins, beside, beside, &plugin->object, trail);
}

static const kbs_plugin *find(const kbs_plugins *plugins, const char *path) {
    const kbs_plugin *plugin = plugins->first;
    while (plugin != NULL && strcmp(plugin->path, path) != 0)
        plugin = plugin->next;
    return plugin;
}

const char *kbs_plugins_shown(const kbs_plugins *plugins, const char *text) {
    return find(plugins, text) != NULL ? base_of(text) : text;
}

kb_status kbs_plugins_open(kbs_plugins *plugins, const char *path, const kbs_plugin **ret, kb_trail *trail) {
    *ret = find(plugins, path);
    if (*ret != NULL)
        return KB_OK;
    void *memory, *copy;
    const size_t size = strlen(path) + 1;
    KB_TRY(kb_new(plugins->alloc, size, &copy, trail));
    memcpy(copy, path, size);
    kb_status status = kb_new_zeroed(plugins->alloc, sizeof(kbs_plugin), &memory, trail);
    if (status != KB_OK) {
        kb_delete(plugins->alloc, copy, size);
        return status;
    }
    kbs_plugin *plugin = memory, **last = &plugins->first;
    plugin->path = copy;
    status = open_new(plugins, plugin, trail);
    if (status != KB_OK) {
        close_plugin(plugins, plugin);
        return status;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = plugin;
    *ret = plugin;
    return KB_OK;
}

kb_status kbs_plugins_name(const kbs_plugins *plugins, kb_arena *arena, const char **ret, kb_trail *trail) {
    size_t size = 1;
    void *memory;
    for (const kbs_plugin *plugin = plugins->first; plugin != NULL; plugin = plugin->next)
        size += strlen(base_of(plugin->path)) + sizeof plugin->digest + 1;
    KB_TRY(kb_arena_new(arena, size, &memory, trail));
    char *at = memory;
    for (const kbs_plugin *plugin = plugins->first; plugin != NULL; plugin = plugin->next)
        at += sprintf(at, "%s%s@%s", at != memory ? " " : "", base_of(plugin->path), plugin->digest);
    *ret = memory;
    return KB_OK;
}

/* --- what it exports ------------------------------------------------------------------------- */

static kb_status check_version(const kbs_plugin *plugin, uint32_t abi, uint32_t size_bytes, size_t known,
                               kb_trail *trail) {
    if (abi != KB_PLUGIN_ABI)
        return kb_fail(
            trail, KB_E_VERSION,
            "%s is made for version %u of the interface (kbsim/abi.h), and this kb-sim has version "
            "%d: compile it with this one's headers",
            plugin->path, abi, KB_PLUGIN_ABI);
    if (size_bytes != known)
        return kb_fail(trail, KB_E_VERSION,
                       "%s: what it exports has %u bytes instead of %zu (.size_bytes): KB_ALGORITHM and "
                       "KB_BENCH fill that in",
                       plugin->path, size_bytes, known);
    return KB_OK;
}

static bool is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t length = name != NULL ? strspn(name, letters) : 0;
    return length > 0 && length < NAME_CHARS && name[length] == '\0';
}

/* "kb_algorithm_ALL_REDUCE" */
static const kbs_algorithm *find_algorithm(const kbs_plugin *plugin, uint32_t collective) {
    char symbol[SYMBOL_CHARS];
    int at = snprintf(symbol, sizeof symbol, "kb_algorithm_");
    for (const char *name = kb_word_name(KB_VOC_COLL, collective); *name != '\0'; name++)
        symbol[at++] = (char)toupper((unsigned char)*name);
    symbol[at] = '\0';
    return kbs_shared_find(plugin->object, symbol);
}

static const kb_bench *find_bench(const kbs_plugin *plugin) {
    return kbs_shared_find(plugin->object, "kb_bench_main");
}

/* The first kind that it has an algorithm for; 0 for none. */
static uint32_t first_kind(const kbs_plugin *plugin) {
    for (uint32_t kind = KB_COLL_ALL_REDUCE; kind <= KB_COLL_BARRIER; kind++)
        if (find_algorithm(plugin, kind) != NULL)
            return kind;
    return 0;
}

kb_status kbs_plugin_algorithm(const kbs_plugin *plugin, uint32_t collective, const kbs_algorithm **ret,
                               kb_trail *trail) {
    const char *kind = kb_word_name(KB_VOC_COLL, collective), *path = plugin->path;
    const kbs_algorithm *algorithm = find_algorithm(plugin, collective);
    const uint32_t other = first_kind(plugin);
    if (algorithm == NULL && other != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is an algorithm for %s, and none for %s", path,
                       kb_word_name(KB_VOC_COLL, other), kind);
    if (algorithm == NULL && find_bench(plugin) != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is a bench, and no algorithm: kb-sim run %s runs it", path,
                       path);
    if (algorithm == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s exports no algorithm: KB_ALGORITHM of kbsim/coll.h does",
                       path);
    KB_TRY(check_version(plugin, algorithm->abi, algorithm->size_bytes, sizeof *algorithm, trail));
    if (algorithm->collective != collective || algorithm->record == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: its algorithm for %s has no .record, or is of another kind",
                       path, kind);
    if (!is_name(algorithm->name) || algorithm->help == NULL)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s: its algorithm has no .help, or no .name of up to %d letters, digits, '_', '-'",
                       path, NAME_CHARS - 1);
    *ret = algorithm;
    return KB_OK;
}

static kb_status check_params(const kbs_plugin *plugin, const kb_bench *bench, kb_trail *trail) {
    if (bench->param_count > KBS_BENCH_PARAMS_MAX || (bench->param_count > 0 && bench->params == NULL))
        return kb_fail(trail, KB_E_ARGUMENT, "%s: its bench has more than %d parameters, or no table of them",
                       plugin->path, KBS_BENCH_PARAMS_MAX);
    for (uint32_t i = 0; i < bench->param_count; i++) {
        const kbs_bench_param *param = &bench->params[i];
        if (!is_name(param->name) || param->standard == NULL || param->help == NULL)
            return kb_fail(trail, KB_E_ARGUMENT,
                           "%s: parameter %u of its bench has no proper name, no standard or no help",
                           plugin->path, i);
        for (uint32_t before = 0; before < i; before++)
            if (strcmp(bench->params[before].name, param->name) == 0)
                return kb_fail(trail, KB_E_ARGUMENT, "%s: two parameters of its bench are called '%s'",
                               plugin->path, param->name);
        if (param->path != NULL && kbs_param_find(param->path) == kbs_param_count())
            return kb_fail(trail, KB_E_ARGUMENT, "%s: its parameter '%s' would set %s, which no machine has",
                           plugin->path, param->name, param->path);
    }
    return KB_OK;
}

kb_status kbs_plugin_bench(const kbs_plugin *plugin, const kb_bench **ret, kb_trail *trail) {
    const kb_bench *bench = find_bench(plugin);
    const uint32_t kind = first_kind(plugin);
    if (bench == NULL && kind != 0)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s is an algorithm for %s, and no bench: a bench takes it by -p algo=%s",
                       plugin->path, kb_word_name(KB_VOC_COLL, kind), plugin->path);
    if (bench == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s exports no bench: KB_BENCH of kbsim/bench.h does",
                       plugin->path);
    KB_TRY(check_version(plugin, bench->abi, bench->size_bytes, sizeof *bench, trail));
    if (!is_name(bench->name) || bench->help == NULL || bench->host == NULL)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%s: its bench has no .help, no .host, or no .name of up to %d letters, digits, '_', "
                       "'-'",
                       plugin->path, NAME_CHARS - 1);
    KB_TRY(check_params(plugin, bench, trail));
    *ret = bench;
    return KB_OK;
}
