/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb-sim run with a size that stands for several: one run a size, one trace a size in the folder OUT, and a
 * line a size where a single run has its summary.
 */
#include "sim/sweep.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/time.h"
#include "kbtrace/fs.h"

typedef struct sweeping {
    kbt_call *call;
    kbs_sweep sweep;
    size_t param; /* which of the parameters it is */
    kbt_json json;
    size_t lines;
} sweeping;

/* --- traces ---------------------------------------------------------------------------------- */

/* "bytes-65536.zst": of this sweep or a former one, by either key. */
static bool is_ours(const char *name) {
    static const char *const keys[] = {"elems-", "bytes-"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strncmp(name, keys[i], strlen(keys[i])) == 0) {
            const char *digits = name + strlen(keys[i]);
            const size_t count = strspn(digits, "0123456789");
            return count > 0 && strcmp(digits + count, ".zst") == 0;
        }
    return false;
}

static const char *name_of(const kbs_sweep *sweep, size_t size, char buffer[48]) {
    snprintf(buffer, 48, "%s-%" PRIu64 ".zst", sweep->key, sweep->sizes[size]);
    return buffer;
}

static bool is_of(const kbs_sweep *sweep, const char *name) {
    char own[48];
    for (size_t i = 0; i < sweep->count; i++)
        if (strcmp(name_of(sweep, i, own), name) == 0)
            return true;
    return false;
}

/* What is nobody's is not mixed with; a former sweep's other sizes go when `clears`. */
static kb_status look_at_folder(const sweeping *s, const char *folder, bool clears, kb_trail *trail) {
    const char *const *names;
    size_t count;
    char path[PATH_MAX];
    KB_TRY(kb_fs_list(NULL, folder, s->call->arena, &names, &count, trail));
    for (size_t i = 0; i < count; i++) {
        if (!is_ours(names[i]))
            return kb_fail(trail, KB_E_ARGUMENT,
                           "%s holds %s, which no sweep has written: give -o another folder", folder,
                           names[i]);
        if (clears && !is_of(&s->sweep, names[i]) &&
            snprintf(path, sizeof path, "%s/%s", folder, names[i]) < (int)sizeof path)
            kb_fs_unlink(NULL, path);
    }
    return KB_OK;
}

static kb_status make_folder(const sweeping *s, const char *folder, kb_trail *trail) {
    const size_t length = strlen(folder);
    kb_file_type type;
    uint64_t size;
    if (strcmp(folder, "-") == 0 || (length > 4 && strcmp(folder + length - 4, ".zst") == 0))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "-o %s: a sweep writes one trace a size into a folder (try -o sweep/)", folder);
    KB_TRY(kb_fs_stat(NULL, folder, &type, &size, trail));
    if (type != KB_FILE_NONE && type != KB_FILE_FOLDER)
        return kb_fail(trail, KB_E_ARGUMENT, "-o %s: a sweep writes into a folder, and this is a file",
                       folder);
    KB_TRY(kb_fs_mkdir(NULL, folder, trail));
    return look_at_folder(s, folder, false, trail);
}

/* --- runs ------------------------------------------------------------------------------------ */

static void print(void *context, const kbs_result *result, const sim_watch *run, const char *trace) {
    sweeping *s = context;
    if (s->call->common->json) {
        sim_result_to_json(&s->json, s->call, result, run, trace);
        return;
    }
    if (s->lines++ == 0 && result->collective_count > 0)
        sim_print_collectives_head(stdout);
    for (size_t i = 0; i < result->collective_count; i++)
        sim_print_collective(stdout, &result->collectives[i]);
    if (result->collective_count == 0) {
        char time[KBT_TIME_CHARS];
        printf("%-40s %16s\n", trace, kbt_time_text(result->time_ps, time));
    }
    fflush(stdout);
}

/* One size: the same command, with this size and this trace. */
static int run_size(sweeping *s, size_t size) {
    kbt_call *call = s->call;
    const sim_run_values *values = call->values;
    const char *items[values->params.count];
    char param[48], name[48], path[PATH_MAX];
    sim_run_values one = *values;
    memcpy(items, values->params.items, sizeof items);
    snprintf(param, sizeof param, "%s=%" PRIu64, s->sweep.key, s->sweep.sizes[size]);
    items[s->param] = param;
    one.params.items = items;
    if (snprintf(path, sizeof path, "%s/%s", values->output, name_of(&s->sweep, size, name)) >=
        (int)sizeof path) {
        kb_trail trail;
        kb_fail(&trail, KB_E_ARGUMENT, "the path %s is too long", values->output);
        return kbt_fail(call, &trail);
    }
    one.output = path;
    return sim_run_one(call, &one, call->common->quiet && !call->common->json ? NULL : print, s);
}

static int run_sizes(sweeping *s) {
    int worst = KBT_FINE;
    for (size_t i = 0; i < s->sweep.count && worst != KBT_TROUBLE; i++) {
        const int status = run_size(s, i);
        worst = status > worst ? status : worst;
        if (sim_was_interrupted())
            break;
    }
    return worst;
}

static kb_status prepare(sweeping *s, kb_trail *trail) {
    const sim_run_values *values = s->call->values;
    for (size_t i = 0; i < values->params.count; i++)
        if (i != s->param && kbs_is_sweep(values->params.items[i]))
            return kb_fail(trail, KB_E_ARGUMENT, "one size at a time can be swept: -p %s or -p %s",
                           values->params.items[s->param], values->params.items[i]);
    KB_TRY(kbs_sweep_read(values->params.items[s->param], &s->sweep, trail));
    return make_folder(s, values->output, trail);
}

bool sim_is_sweep(const sim_run_values *values, size_t *ret_param) {
    for (size_t i = 0; i < values->params.count; i++)
        if (kbs_is_sweep(values->params.items[i])) {
            *ret_param = i;
            return true;
        }
    return false;
}

int sim_sweep(kbt_call *call, size_t param) {
    const sim_run_values *values = call->values;
    sweeping s = {.call = call, .param = param};
    kb_trail trail;
    kb_trail_init(&trail);
    if (prepare(&s, &trail) != KB_OK)
        return kbt_fail(call, &trail);
    if (call->common->json) {
        kbt_json_init(&s.json, stdout);
        kbt_json_begin(&s.json, NULL, '{');
        kbt_json_int(&s.json, "version", 1);
        kbt_json_text(&s.json, "sweep", s.sweep.key);
        kbt_json_begin(&s.json, "runs", '[');
    }
    int worst = run_sizes(&s);
    if (call->common->json) {
        kbt_json_end(&s.json);
        kbt_json_end(&s.json);
    }
    if (worst != KBT_TROUBLE && look_at_folder(&s, values->output, true, &trail) != KB_OK)
        worst = kbt_fail(call, &trail);
    return worst;
}
