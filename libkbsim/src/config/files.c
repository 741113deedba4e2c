/* SPDX-License-Identifier: Apache-2.0 */
/* Names and bytes of files of settings; see files.h. May not know what stands in them. */
#include "config/files.h"

#include <stdio.h>
#include <string.h>

#include "config/text.h"
#include "kbtrace/nearest.h"

static const char suffix[] = ".yaml";

static bool ends_in(const char *name, const char *end) {
    const size_t length = strlen(name), end_length = strlen(end);
    return length > end_length && strcmp(name + length - end_length, end) == 0;
}

bool kbs_is_file_name(const char *name) {
    return strchr(name, '/') != NULL || ends_in(name, suffix) || ends_in(name, ".yml") ||
           strcmp(name, "-") == 0;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Drops "." and "x/.." from a path, so that a file that includes itself in a roundabout way is known. */
static void shorten(const char *path, char to[KBS_CONFIG_NAME_CHARS]) {
    size_t parts[KBS_CONFIG_NAME_CHARS / 2 + 1]; /* where each of them begins */
    size_t count = 0, end = 0;
    const bool absolute = *path == '/';
    if (absolute)
        to[end++] = *path++;
    for (size_t length; *path != '\0'; path += length + (path[length] == '/')) {
        length = strcspn(path, "/");
        const bool up = length == 2 && path[0] == '.' && path[1] == '.';
        if (length == 0 || (length == 1 && path[0] == '.') || (up && count == 0 && absolute))
            continue;
        if (up && count > 0 && strncmp(to + parts[count - 1], "../", 3) != 0) {
            end = parts[--count];
            continue;
        }
        parts[count++] = end;
        memcpy(to + end, path, length);
        end += length;
        to[end++] = '/';
    }
    if (count > 0)
        end--;
    else if (!absolute)
        to[end++] = '.';
    to[end] = '\0';
}

static kb_status too_long(const char *name, kb_trail *trail) {
    return kb_fail(trail, KB_E_ARGUMENT, "the name '%.60s...' is longer than any file's", name);
}

kb_status kbs_file_beside(kbs_config *config, const char *base, const char *name, const char **ret,
                          kb_trail *trail) {
    char path[KBS_CONFIG_NAME_CHARS];
    const char *slash = base != NULL && *name != '/' ? strrchr(base, '/') : NULL;
    const int folder = slash != NULL ? (int)(slash - base) + 1 : 0;
    const int length = snprintf(path, sizeof path, "%.*s%s", folder, folder > 0 ? base : "", name);
    if (length >= (int)sizeof path - 1)
        return too_long(name, trail);
    char shown[KBS_CONFIG_NAME_CHARS];
    shorten(path, shown);
    return kb_arena_text(&config->arena, shown, strlen(shown), ret, trail);
}

kb_status kbs_object_beside(kbs_config *config, const char *base, const char *name, const char **ret,
                            kb_trail *trail) {
    char path[KBS_CONFIG_NAME_CHARS + 2];
    const char *beside;
    if (strchr(name, '/') == NULL && !ends_in(name, ".so") && !ends_in(name, ".c")) {
        *ret = name;
        return KB_OK;
    }
    KB_TRY(kbs_file_beside(config, base, name, &beside, trail));
    snprintf(path, sizeof path, "%s%s", strchr(beside, '/') == NULL ? "./" : "", beside);
    return kb_arena_text(&config->arena, path, strlen(path), ret, trail);
}

/* --- topologies that are installed ----------------------------------------------------------- */

static kb_status topologies_folder(kbs_config *config, const char **ret, kb_trail *trail) {
    char path[KBS_CONFIG_NAME_CHARS];
    if (config->share == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "no folder of topologies is known here: give a file");
    if (snprintf(path, sizeof path, "%s/topologies", config->share) >= (int)sizeof path)
        return too_long(config->share, trail);
    return kb_arena_text(&config->arena, path, strlen(path), ret, trail);
}

kb_status kbs_config_topologies(kbs_config *config, const char *const **ret_names, size_t *ret_count,
                                kb_trail *trail) {
    const char *folder;
    const char *const *files;
    void *memory;
    size_t count, kept = 0;
    KB_TRY(topologies_folder(config, &folder, trail));
    KB_TRY(kb_fs_list(config->fs, folder, &config->arena, &files, &count, trail));
    KB_TRY(kb_arena_new(&config->arena, (count + 1) * sizeof *files, &memory, trail));
    const char **names = memory;
    for (size_t i = 0; i < count; i++)
        if (ends_in(files[i], suffix))
            KB_TRY(kb_arena_text(&config->arena, files[i], strlen(files[i]) - strlen(suffix), &names[kept++],
                                 trail));
    *ret_names = names;
    *ret_count = kept;
    return KB_OK;
}

static kb_status refuse_topology(kbs_config *config, const char *name, kb_trail *trail) {
    const char *const *names;
    size_t count;
    KB_TRY(kbs_config_topologies(config, &names, &count, trail));
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < count; i++)
        kb_nearest_offer(&nearest, names[i]);
    const char *best = kb_nearest_best(&nearest);
    char known[200] = "";
    size_t length = 0;
    for (size_t i = 0; i < count && length < sizeof known; i++)
        if (names[i] != best)
            length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? ", " : "",
                                       names[i]);
    kb_file_type type = KB_FILE_NONE;
    uint64_t size;
    KB_TRY(kb_fs_stat(config->fs, name, &type, &size, trail));
    const char *hint = type == KB_FILE_REGULAR ? "; for the file of that name write ./ before it" : "";
    if (best == NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "unknown topology '%.60s' (there are %s%s)", name,
                       count > 0 ? known : "none", hint);
    return kb_fail(trail, KB_E_ARGUMENT, "unknown topology '%.60s' (did you mean '%s'? there are also %s%s)",
                   name, best, count > 1 ? known : "none", hint);
}

kb_status kbs_file_of_topology(kbs_config *config, const char *name, const char **ret, kb_trail *trail) {
    const char *folder;
    char path[KBS_CONFIG_NAME_CHARS];
    kb_file_type type;
    uint64_t size;
    KB_TRY(topologies_folder(config, &folder, trail));
    if (snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix) >= (int)sizeof path)
        return too_long(name, trail);
    KB_TRY(kb_fs_stat(config->fs, path, &type, &size, trail));
    if (*name == '\0' || type == KB_FILE_NONE)
        return refuse_topology(config, name, trail);
    return kb_arena_text(&config->arena, path, strlen(path), ret, trail);
}

/* --- bytes ----------------------------------------------------------------------------------- */

enum { MOST_BYTES = 1 << 18 };

static kb_status read_open(kbs_config *config, kb_file *file, char *text, size_t *ret_size, kb_trail *trail) {
    kb_file_type type;
    uint64_t size;
    KB_TRY(kb_fs_stat(config->fs, file->path, &type, &size, trail));
    if (type == KB_FILE_FOLDER && strcmp(file->path, "-") != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is a folder, not a file of settings", file->path);
    KB_TRY(kb_file_read(file, text, MOST_BYTES + 1, ret_size, trail));
    if (*ret_size > MOST_BYTES)
        return kb_fail(trail, KB_E_LIMIT, "%s is longer than %d bytes: no file of settings is", file->path,
                       MOST_BYTES);
    return kbs_text_check(file->path, text, *ret_size, trail);
}

kb_status kbs_file_read(kbs_config *config, const char *name, const char **ret_text, size_t *ret_size,
                        kb_trail *trail) {
    void *text;
    kb_file file;
    size_t size = 0;
    if (++config->files > KBS_CONFIG_FILES)
        return kb_fail(trail, KB_E_LIMIT, "%s: more than %d files are included", name, KBS_CONFIG_FILES);
    KB_TRY(kb_arena_new(&config->arena, MOST_BYTES + 1, &text, trail));
    KB_TRY(kb_file_open(&file, config->fs, name, KB_OPEN_READ, trail));
    kb_status status = read_open(config, &file, text, &size, trail);
    if (status == KB_OK)
        status = kb_file_close(&file, trail);
    else
        kb_file_abandon(&file);
    if (status != KB_OK)
        return status;
    *ret_text = text;
    *ret_size = size;
    return KB_OK;
}
