/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim explain-config: every parameter, its value and where that came from, as a table, JSON or YAML. */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "sim/config.h"

/* A line of the table, or an object of --json: a parameter, a component's model, its option, a ring,
 * or a fault. */
typedef struct line {
    const char *path, *value, *unit, *standard, *least, *most, *source, *help;
    const kbs_origin *origin;
    const char *from; /* "default", "--set", "machines/big.yaml:3" */
} line;

typedef struct lines {
    line *items;
    size_t count;
    size_t params, models, rings; /* of these the first, those behind them, and so on; faults come last */
} lines;

/* --- gathering ------------------------------------------------------------------------------- */

static const char *keep(const kbt_call *call, const char *text, kb_trail *trail) {
    const char *kept;
    return kb_arena_text(call->arena, text, strlen(text), &kept, trail) == KB_OK ? kept : NULL;
}

/* Texts of the line are copied; false when memory has run out. */
static bool add(const kbt_call *call, lines *all, line row, kb_trail *trail) {
    static const kbs_origin standard = {.by = "default"};
    char from[512];
    const kbs_origin *origin = row.origin = row.origin != NULL ? row.origin : &standard;
    if (origin->line > 0)
        snprintf(from, sizeof from, "%s:%u", origin->source, origin->line);
    else
        snprintf(from, sizeof from, "%s", origin->source != NULL ? origin->source : origin->by);
    row.path = keep(call, row.path, trail);
    row.value = keep(call, row.value, trail);
    row.from = keep(call, from, trail);
    all->items[all->count++] = row;
    return row.path != NULL && row.value != NULL && row.from != NULL;
}

static bool add_param(const kbt_call *call, lines *all, const sim_setup *setup, uint32_t i, kb_trail *trail) {
    const kbs_param *param = kbs_param_describe(i);
    char value[KBS_VALUE_CHARS];
    all->params++;
    return add(call, all,
               (line){.path = param->path,
                      .value = kbs_machine_written(&setup->machine, i, value),
                      .unit = param->unit,
                      .standard = param->standard,
                      .least = param->least,
                      .most = param->most,
                      .source = param->source,
                      .help = param->help,
                      .origin = kbs_machine_origin(&setup->machine, i)},
               trail);
}

/* A model is shown by what was asked for: its name, or its file. */
static bool add_model(const kbt_call *call, lines *all, const sim_setup *setup, uint32_t i, kb_trail *trail) {
    const kbs_choice *choice = &setup->machine.choices[i];
    const kbs_chosen *chosen = &setup->models.of[i];
    char path[80], value[KBS_VALUE_CHARS], known[80] = "";
    size_t length = 0;
    for (size_t m = 0; kbs_component_model_at(i, m) != NULL && length < sizeof known; m++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", m > 0 ? "/" : "",
                                   kbs_component_model_at(i, m)->name);
    snprintf(path, sizeof path, "components.%s", kbs_component_name(i));
    bool fits = add(call, all,
                    (line){.path = path,
                           .value = choice->model != NULL ? choice->model : chosen->model->name,
                           .unit = "model",
                           .standard = kbs_component_model_at(i, 0)->name,
                           .least = keep(call, known, trail),
                           .most = "-",
                           .source = "C",
                           .help = chosen->model->help,
                           .origin = choice->model != NULL ? &choice->origin : NULL},
                    trail);
    for (size_t o = 0; fits && o < chosen->model->option_count; o++) {
        const kbs_model_option *option = &chosen->model->options[o];
        snprintf(path, sizeof path, "components.%s.%s", kbs_component_name(i), option->name);
        fits = add(call, all,
                   (line){path, kbs_models_option(chosen, o, value), option->unit, option->standard,
                          option->least, option->most, "C", option->help, chosen->option_origins[o], NULL},
                   trail);
    }
    return fits;
}

static bool add_fault(const kbt_call *call, lines *all, const kbs_fault *fault, kb_trail *trail) {
    const kbs_fault_row *row = kbs_fault_describe(fault->kind);
    char path[KBS_FAULT_CHARS], value[KBS_FAULT_CHARS];
    return add(call, all,
               (line){kbs_fault_path(fault, path), kbs_fault_value(fault, value), row->unit, "none",
                      row->least, row->most, "C", row->help, &fault->origin, NULL},
               trail);
}

static bool add_ring(const kbt_call *call, lines *all, const kbs_ring_slots *ring, kb_trail *trail) {
    const kbs_param *slots = kbs_param_describe(kbs_param_find("ipcq.slots"));
    char path[KBS_RING_PATH_CHARS], value[KBS_VALUE_CHARS];
    snprintf(value, sizeof value, "%" PRIu64, ring->slots);
    all->rings++;
    return add(call, all,
               (line){kbs_ring_slots_path(ring, path), value, slots->unit, "none", slots->least, slots->most,
                      "C", "of one queue's ring", &ring->origin, NULL},
               trail);
}

static kb_status gather(const kbt_call *call, const sim_setup *setup, lines *ret, kb_trail *trail) {
    void *memory;
    lines all = {0};
    const size_t most = kbs_param_count() + KBS_COMPONENTS * (1 + (size_t)KBS_MODEL_OPTIONS) +
                        setup->machine.fault_count + setup->machine.ring_slots_count;
    KB_TRY(kb_arena_new(call->arena, most * sizeof(line), &memory, trail));
    all.items = memory;
    bool fits = true;
    for (uint32_t i = 0; fits && i < kbs_param_count(); i++)
        fits = add_param(call, &all, setup, i, trail);
    for (uint32_t i = 0; fits && i < KBS_COMPONENTS; i++)
        if (setup->models.of[i].model != NULL)
            fits = add_model(call, &all, setup, i, trail);
    all.models = all.count - all.params;
    for (size_t i = 0; fits && i < setup->machine.ring_slots_count; i++)
        fits = add_ring(call, &all, &setup->machine.ring_slots[i], trail);
    for (size_t i = 0; fits && i < setup->machine.fault_count; i++)
        fits = add_fault(call, &all, &setup->machine.faults[i], trail);
    *ret = all;
    return fits ? KB_OK : KB_E_MEMORY;
}

/* --- a table --------------------------------------------------------------------------------- */

enum { PATH, VALUE, UNIT, STANDARD, FROM, COLUMNS };

static const char *cell(const line *row, int column) {
    const char *const cells[COLUMNS] = {row->path, row->value, row->unit, row->standard, row->from};
    return cells[column];
}

/* What nobody set is dim; values stand at the right of their column. */
static void print_table(const kbt_call *call, const lines *all) {
    static const char *const heads[COLUMNS] = {"parameter", "value", "unit", "default", "from"};
    static const bool at_right[COLUMNS] = {[VALUE] = true, [STANDARD] = true};
    int widths[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = (int)strlen(heads[c]);
        for (size_t i = 0; i < all->count; i++) {
            const int width = (int)strlen(cell(&all->items[i], c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (int c = 0; c < COLUMNS; c++)
        printf("%*s  ", at_right[c] ? widths[c] : -widths[c], heads[c]);
    printf("what it is\n");
    for (size_t i = 0; i < all->count; i++) {
        const line *row = &all->items[i];
        printf("%s", kbt_paint(call, stdout, row->origin->source != NULL ? KBT_BOLD : KBT_DIM));
        for (int c = 0; c < COLUMNS; c++)
            printf("%*s  ", at_right[c] ? widths[c] : -widths[c], cell(row, c));
        printf("%s", row->help);
        if (call->common->verbose) /* words have no bounds: `least` lists them */
            printf(row->most[0] == '-' ? " (%s%.0s, source %s)" : " (%s to %s, source %s)", row->least,
                   row->most, row->source);
        printf("%s\n", kbt_paint(call, stdout, KBT_PLAIN));
    }
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void print_object(kbt_json *json, const line *row, const char *value) {
    kbt_json_begin(json, NULL, '{');
    kbt_json_text(json, "path", row->path);
    kbt_json_text(json, "value", value);
    kbt_json_text(json, "unit", row->unit);
    kbt_json_text(json, "origin", row->origin->by);
    kbt_json_text(json, "from", row->origin->source);
    if (row->origin->line > 0) {
        kbt_json_uint(json, "line", row->origin->line);
        kbt_json_uint(json, "column", row->origin->column);
    }
    kbt_json_text(json, "default", row->standard);
    kbt_json_text(json, "least", row->least);
    kbt_json_text(json, "most", row->most);
    kbt_json_text(json, "source", row->source);
    kbt_json_text(json, "help", row->help);
    kbt_json_end(json);
}

static void print_json(const sim_setup *setup, const lines *all) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_int(&json, "version", 1);
    kbt_json_text(&json, "help", setup->config.help);
    kbt_json_begin(&json, "params", '[');
    for (uint32_t i = 0; i < all->params; i++) {
        char value[KBS_VALUE_CHARS]; /* without a sign of size, as in a trace */
        print_object(&json, &all->items[i], kbs_machine_value(&setup->machine, i, value));
    }
    kbt_json_end(&json);
    kbt_json_begin(&json, "components", '[');
    for (size_t i = all->params; i < all->params + all->models; i++)
        print_object(&json, &all->items[i], all->items[i].value);
    kbt_json_end(&json);
    kbt_json_begin(&json, "rings", '[');
    for (size_t i = all->params + all->models; i < all->params + all->models + all->rings; i++)
        print_object(&json, &all->items[i], all->items[i].value);
    kbt_json_end(&json);
    kbt_json_begin(&json, "faults", '[');
    for (size_t i = all->params + all->models + all->rings; i < all->count; i++)
        print_object(&json, &all->items[i], all->items[i].value);
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

static bool is_below(const char *path, const char *group, size_t length) {
    return strncmp(path, group, length) == 0 && path[length] == '.';
}

static void print_text(const char *text) {
    printf("\"");
    for (; *text != '\0'; text++)
        if (*text == '\n')
            printf("\\n");
        else
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    printf("\"");
}

/* `key: value`, indented, with a comment behind it. */
static void print_line(const line *row, int indent, const char *key) {
    enum { COMMENT = 34 }; /* where it begins */
    int length = printf("%*s%s: ", indent, "", key);
    if (strchr(row->value, '/') != NULL) {
        print_text(row->value); /* a file's name */
        length = COMMENT;
    } else {
        length += printf("%s", row->value);
    }
    printf("%*s# ", length < COMMENT ? COMMENT - length : 1, "");
    if (row->most[0] == '-')
        printf("%s: %s\n", row->least, row->help);
    else
        printf("%s, %s to %s: %s\n", row->unit, row->least, row->most, row->help);
}

/* All that stands below a group, which others may follow between. */
static void print_group(const lines *all, size_t first, size_t length) {
    const char *group = all->items[first].path;
    printf("%.*s:\n", (int)length, group);
    for (size_t i = first; i < all->params + all->models; i++) {
        const line *row = &all->items[i];
        const bool has_options = i + 1 < all->count && is_below(row[1].path, row->path, strlen(row->path));
        if (!is_below(row->path, group, length))
            continue;
        const char *key = row->path + length + 1;
        if (strchr(key, '.') != NULL) {
            print_line(row, 4, strchr(key, '.') + 1);
        } else if (has_options) {
            printf("  %s:\n", key);
            print_line(row, 4, "model");
        } else {
            print_line(row, 2, key);
        }
    }
}

/* A topology whole, group by group: it can be read back. */
static void print_yaml(const sim_setup *setup, const lines *all) {
    printf("# A machine, every parameter of it: kb-sim explain-config --format yaml\n");
    if (*setup->config.help != '\0') {
        printf("help: ");
        print_text(setup->config.help);
        printf("\n");
    }
    for (size_t i = 0; i < all->count; i++) {
        const char *path = all->items[i].path;
        const size_t length = strcspn(path, ".");
        size_t before = 0;
        while (before < i && !is_below(all->items[before].path, path, length))
            before++;
        if (path[length] == '\0' || i >= all->params + all->models) /* names in them have points */
            print_line(&all->items[i], 0, path);
        else if (before == i) /* else it was printed with the first of its group */
            print_group(all, i, length);
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static kb_status check_format(const sim_explain_values *values, kb_trail *trail) {
    if (values->common.json && strcmp(values->format, "text") != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "--json is a format of its own: leave --format %s out",
                       values->format);
    return KB_OK;
}

static kb_status explain(const kbt_call *call, sim_setup *setup, kb_trail *trail) {
    const sim_explain_values *values = call->values;
    lines all;
    KB_TRY(sim_setup_init(setup, call, &values->config, trail));
    KB_TRY(kbs_machine_check(&setup->machine, trail));
    KB_TRY(kbs_models_open(&setup->machine, NULL, &setup->models, trail));
    KB_TRY(check_format(values, trail));
    KB_TRY(gather(call, setup, &all, trail));
    if (call->common->json)
        print_json(setup, &all);
    else if (strcmp(values->format, "yaml") == 0)
        print_yaml(setup, &all);
    else
        print_table(call, &all);
    return KB_OK;
}

int sim_explain_config(kbt_call *call) {
    sim_setup setup;
    kb_trail trail;
    kb_trail_init(&trail);
    const kb_status status = explain(call, &setup, &trail);
    sim_setup_fini(&setup);
    return status == KB_OK ? KBT_FINE : kbt_fail(call, &trail);
}
