/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim explain-config: every parameter, its value and where that came from, as a table, JSON or YAML. */
#include <string.h>

#include "common/json.h"
#include "sim/config.h"

enum { FROM_CHARS = 512 };

/* "default", "--set", "machines/big.yaml:3". */
static const char *from_of(const sim_setup *setup, uint32_t i, char text[FROM_CHARS]) {
    const kbs_origin *origin = kbs_machine_origin(&setup->machine, i);
    if (origin->line > 0)
        snprintf(text, FROM_CHARS, "%s:%u", origin->source, origin->line);
    else
        snprintf(text, FROM_CHARS, "%s", origin->source != NULL ? origin->source : origin->by);
    return text;
}

/* --- a table --------------------------------------------------------------------------------- */

enum { PATH, VALUE, UNIT, STANDARD, FROM, COLUMNS };

static const char *cell(const sim_setup *setup, uint32_t i, int column, char text[FROM_CHARS]) {
    const kbs_param *param = kbs_param_describe(i);
    const char *const fixed[COLUMNS] = {
        [PATH] = param->path, [UNIT] = param->unit, [STANDARD] = param->standard};
    if (column == VALUE)
        return kbs_machine_written(&setup->machine, i, text);
    return column == FROM ? from_of(setup, i, text) : fixed[column];
}

/* What nobody set is dim; values stand at the right of their column. */
static void print_table(const kbt_call *call, const sim_setup *setup) {
    static const char *const heads[COLUMNS] = {"parameter", "value", "unit", "default", "from"};
    static const bool at_right[COLUMNS] = {[VALUE] = true, [STANDARD] = true};
    int widths[COLUMNS];
    char text[FROM_CHARS];
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = (int)strlen(heads[c]);
        for (uint32_t i = 0; i < kbs_param_count(); i++) {
            const int width = (int)strlen(cell(setup, i, c, text));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (int c = 0; c < COLUMNS; c++)
        printf("%*s  ", at_right[c] ? widths[c] : -widths[c], heads[c]);
    printf("what it is\n");
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        const kbs_param *param = kbs_param_describe(i);
        const bool set = kbs_machine_origin(&setup->machine, i)->source != NULL;
        printf("%s", kbt_paint(call, stdout, set ? KBT_BOLD : KBT_DIM));
        for (int c = 0; c < COLUMNS; c++)
            printf("%*s  ", at_right[c] ? widths[c] : -widths[c], cell(setup, i, c, text));
        printf("%s", param->help);
        if (call->common->verbose) /* words have no bounds: `least` lists them */
            printf(param->most[0] == '-' ? " (%s%.0s, source %s)" : " (%s to %s, source %s)", param->least,
                   param->most, param->source);
        printf("%s\n", kbt_paint(call, stdout, KBT_PLAIN));
    }
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void print_param(kbt_json *json, const sim_setup *setup, uint32_t i) {
    const kbs_param *param = kbs_param_describe(i);
    const kbs_origin *origin = kbs_machine_origin(&setup->machine, i);
    char value[KBS_VALUE_CHARS];
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "path", param->path);
    kbt_json_text(json, "value", kbs_machine_value(&setup->machine, i, value));
    kbt_json_text(json, "unit", param->unit);
    kbt_json_text(json, "origin", origin->by);
    kbt_json_text(json, "from", origin->source);
    if (origin->line > 0) {
        kbt_json_uint(json, "line", origin->line);
        kbt_json_uint(json, "column", origin->column);
    }
    kbt_json_text(json, "default", param->standard);
    kbt_json_text(json, "least", param->least);
    kbt_json_text(json, "most", param->most);
    kbt_json_text(json, "source", param->source);
    kbt_json_text(json, "help", param->help);
    kbt_json_end(json);
}

static void print_json(const sim_setup *setup) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_int(&json, "version", 1);
    kbt_json_text(&json, "help", setup->config.help);
    kbt_json_begin(&json, "params", '[');
    for (uint32_t i = 0; i < kbs_param_count(); i++)
        print_param(&json, setup, i);
    kbt_json_end(&json);
    kbt_json_begin(&json, "collective", '[');
    for (size_t i = 0; i < setup->config.given_count; i++) {
        const kbs_given *given = &setup->config.given[i];
        kbt_json_begin(&json, NULL, '{');
        kbt_json_text(&json, "key", given->key);
        kbt_json_text(&json, "value", given->value);
        kbt_json_text(&json, "from", given->origin.source);
        kbt_json_uint(&json, "line", given->origin.line);
        kbt_json_end(&json);
    }
    kbt_json_end(&json);
    kbt_json_end(&json);
}

/* --- YAML ------------------------------------------------------------------------------------ */

static size_t group_length(const char *path) {
    const char *dot = strchr(path, '.');
    return dot != NULL ? (size_t)(dot - path) : 0;
}

static bool same_group(uint32_t i, uint32_t j) {
    const char *one = kbs_param_describe(i)->path, *other = kbs_param_describe(j)->path;
    const size_t length = group_length(one);
    return length > 0 && length == group_length(other) && memcmp(one, other, length) == 0;
}

static void print_line(const sim_setup *setup, uint32_t i) {
    enum { COMMENT = 34 }; /* where it begins */
    const kbs_param *param = kbs_param_describe(i);
    const size_t group = group_length(param->path);
    const char *key = param->path + (group > 0 ? group + 1 : 0);
    char value[KBS_VALUE_CHARS];
    const int length =
        printf("%s%s: %s", group > 0 ? "  " : "", key, kbs_machine_written(&setup->machine, i, value));
    printf("%*s# ", length < COMMENT ? COMMENT - length : 1, "");
    if (param->most[0] == '-')
        printf("%s: %s\n", param->least, param->help);
    else
        printf("%s, %s to %s: %s\n", param->unit, param->least, param->most, param->help);
}

static void print_help(const char *help) {
    printf("help: \"");
    for (; *help != '\0'; help++)
        if (*help == '\n')
            printf("\\n");
        else
            printf(*help == '"' || *help == '\\' ? "\\%c" : "%c", *help);
    printf("\"\n");
}

/* A topology whole, group by group: it can be read back. */
static void print_yaml(const sim_setup *setup) {
    printf("# A machine, every parameter of it: kb-sim explain-config --format yaml\n");
    if (*setup->config.help != '\0')
        print_help(setup->config.help);
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        uint32_t first = 0;
        while (first < i && !same_group(first, i))
            first++;
        if (first < i)
            continue; /* printed with the first of its group */
        const char *path = kbs_param_describe(i)->path;
        if (group_length(path) > 0)
            printf("%.*s:\n", (int)group_length(path), path);
        print_line(setup, i);
        for (uint32_t j = i + 1; j < kbs_param_count(); j++)
            if (same_group(i, j))
                print_line(setup, j);
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static kb_status check_format(const sim_explain_values *values, kb_trail *trail) {
    if (values->common.json && strcmp(values->format, "text") != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "--json is a format of its own: leave --format %s out",
                       values->format);
    return KB_OK;
}

int sim_explain_config(kbt_call *call) {
    const sim_explain_values *values = call->values;
    sim_setup setup;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_status status = sim_setup_init(&setup, call, &values->config, &trail);
    if (status == KB_OK)
        status = kbs_machine_check(&setup.machine, &trail);
    if (status == KB_OK)
        status = check_format(values, &trail);
    if (status == KB_OK && call->common->json)
        print_json(&setup);
    else if (status == KB_OK && strcmp(values->format, "yaml") == 0)
        print_yaml(&setup);
    else if (status == KB_OK)
        print_table(call, &setup);
    sim_setup_fini(&setup);
    return status == KB_OK ? KBT_FINE : kbt_fail(call, &trail);
}
