/* SPDX-License-Identifier: Apache-2.0 */
/* Users' own benches and algorithms in a program: recording them, and reading a bench's parameters. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/read.h"
#include "coll/algorithms.h"
#include "machine/number.h"
#include "plugin/plugin.h"
#include "record/stream.h"

/* Parameters are stated when it is known which of them name files. */
kb_status kbs_bench_record_own(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    const kbs_bench *bench = program->bench;
    KB_TRY(kbs_program_host(program, bench->name, program->plugins->bench->host, NULL, trail));
    for (size_t i = 0; i < bench->param_count; i++)
        if (bench->params[i].path == NULL)
            KB_TRY(kbs_bench_state(program, bench->params[i].name,
                                   kbs_plugins_shown(program->plugins, values->text[i]), values->by[i],
                                   trail));
    return KB_OK;
}

kb_status kbs_program_algorithm(kbs_program *program, uint32_t collective, const char *text,
                                const kbs_algorithm **ret, kb_trail *trail) {
    const kbs_plugin *plugin;
    if (!kbs_is_plugin(text))
        return kbs_algorithm_find(collective, text, ret, trail);
    if (program->plugins == NULL)
        return kb_fail(trail, KB_E_UNSUPPORTED, "%s is a file, and this program can load none", text);
    KB_TRY(kbs_plugins_open(program->plugins, text, &plugin, trail));
    return kbs_plugin_algorithm(plugin, collective, ret, trail);
}

/* --- parameters ------------------------------------------------------------------------------ */

/* NULL after a mistake. */
static const char *find_text(tl_stream *host, const char *name, tl_where where) {
    const kbs_program *program = host->program;
    if (!kbs_is_ok(host))
        return NULL;
    if (!host->is_host || program->bench == NULL || name == NULL) {
        kbs_mistake(host, where, "only the host program of a bench has parameters, and each has a name");
        return NULL;
    }
    for (size_t i = 0; i < program->bench->param_count; i++)
        if (strcmp(program->bench->params[i].name, name) == 0)
            return program->values->text[i];
    kbs_mistake(host, where, "%s has no parameter '%s' in its table", program->bench->name, name);
    return NULL;
}

/* A parameter that cannot be read: the words of who tried to, or none. */
static void refuse(tl_stream *host, const char *name, const char *why, tl_where where) {
    kbs_mistake(host, where, "parameter %s: %s", name, why);
}

const char *kb_param_text_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    return text != NULL ? text : "";
}

uint64_t kb_param_number_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    uint64_t number = 1;
    if (text != NULL && !kbs_parse_bytes(text, &number)) {
        kbs_mistake(host, where, "parameter %s: '%s' is no whole number (4096, 64Ki)", name, text);
        return 1;
    }
    return number;
}

double kb_param_real_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    char *end;
    if (text == NULL)
        return 1;
    const double number = strtod(text, &end);
    if (end != text && *end == '\0' && number - number == 0)
        return number;
    kbs_mistake(host, where, "parameter %s: '%s' is no number", name, text);
    return 1;
}

uint32_t kb_param_dtype_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    uint32_t dtype = KB_DTYPE_F32;
    kb_trail trail;
    if (text != NULL && kbs_read_dtype(text, &dtype, &trail) != KB_OK)
        refuse(host, name, trail.text[0], where);
    return dtype;
}

uint32_t kb_param_reduce_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    uint32_t reduce = KB_REDUCE_SUM;
    kb_trail trail;
    if (text != NULL && kbs_read_reduce(text, &reduce, &trail) != KB_OK)
        refuse(host, name, trail.text[0], where);
    return reduce;
}

uint32_t kb_param_space_at(tl_stream *host, const char *name, tl_where where) {
    const char *text = find_text(host, name, where);
    uint32_t space = KB_SPACE_TCM;
    kb_trail trail;
    if (text != NULL && kbs_read_space(text, &space, &trail) != KB_OK)
        refuse(host, name, trail.text[0], where);
    return space;
}
