/* SPDX-License-Identifier: Apache-2.0 */
/* The table of parameters and the values of one machine. May not know what a parameter means in time. */
#include "kbsim/machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbtrace/nearest.h"
#include "machine/choose.h"
#include "machine/fault.h"
#include "machine/number.h"
#include "machine/ring_slots.h"

typedef enum param_kind { COUNT, BYTES, REAL, GRID, BOX, WORD, KIND_COUNT } param_kind;

typedef struct param_row {
    kbs_param shown;
    param_kind kind;
    size_t value_offset, origin_offset;
} param_row;

static const param_row rows[] = {
#define KBS_PARAM(field, path, kind, unit, value, least, most, source, help) \
    {{path, unit, value, least, most, source, help},                         \
     kind,                                                                   \
     offsetof(kbs_machine, at.field),                                        \
     offsetof(kbs_machine, origin.field)},
#include "kbsim/params.def"
#undef KBS_PARAM
};
static const uint32_t row_count = sizeof rows / sizeof rows[0];

/* The length of the first of some words that are joined by '/'. */
static size_t word_length(const char *words) {
    return strcspn(words, "/");
}

static bool parse_word(const char *words, const char *text, uint64_t *ret) {
    for (uint64_t i = 0; *words != '\0'; i++) {
        const size_t length = word_length(words);
        if (strlen(text) == length && strncmp(words, text, length) == 0) {
            *ret = i;
            return true;
        }
        words += length + (words[length] == '/');
    }
    return false;
}

/* A number of this kind; where it has a unit it is `unit` or a relative of it. */
static kbs_number_fault parse_number(param_kind kind, const char *unit, const char *text, uint64_t *ret) {
    if (kind == GRID)
        return kbs_parse_grid(text, ret) ? KBS_NUMBER_FINE : KBS_NUMBER_NONE;
    if (kind == BOX)
        return kbs_parse_box(text, ret) ? KBS_NUMBER_FINE : KBS_NUMBER_NONE;
    return kbs_parse_quantity(text, unit, kind == REAL ? KBS_MILLION : 1, ret);
}

static kbs_number_fault parse(const param_row *row, const char *text, uint64_t *ret) {
    if (row->kind == WORD)
        return parse_word(row->shown.least, text, ret) ? KBS_NUMBER_FINE : KBS_NUMBER_NONE;
    return parse_number(row->kind, row->shown.unit, text, ret);
}

static uint64_t *value_of(kbs_machine *machine, const param_row *row) {
    return (uint64_t *)(void *)((char *)machine + row->value_offset);
}

static void store(kbs_machine *machine, const param_row *row, uint64_t value, const kbs_origin *origin) {
    *value_of(machine, row) = value;
    memcpy((char *)machine + row->origin_offset, origin, sizeof *origin);
}

static const kbs_origin *origin_of(const kbs_machine *machine, const param_row *row) {
    return (const kbs_origin *)(const void *)((const char *)machine + row->origin_offset);
}

void kbs_machine_init(kbs_machine *machine) {
    static const kbs_origin standard = {.by = "default"};
    memset(machine->choices, 0, sizeof machine->choices);
    machine->fault_count = machine->ring_slots_count = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        uint64_t value = 0;
        const kbs_number_fault fault = parse(&rows[i], rows[i].shown.standard, &value);
        assert(fault == KBS_NUMBER_FINE);
        (void)fault;
        store(machine, &rows[i], value, &standard);
    }
}

/* --- setting --------------------------------------------------------------------------------- */

uint32_t kbs_param_find(const char *path) {
    uint32_t i = 0;
    while (i < row_count && strcmp(rows[i].shown.path, path) != 0)
        i++;
    return i;
}

static kb_status find(const char *path, const param_row **ret, kb_trail *trail) {
    const uint32_t index = kbs_param_find(path);
    if (index < row_count) {
        *ret = &rows[index];
        return KB_OK;
    }
    kb_nearest nearest;
    kb_nearest_init(&nearest, path);
    for (uint32_t i = 0; i < row_count; i++)
        kb_nearest_offer(&nearest, rows[i].shown.path);
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "unknown parameter '%s' (did you mean '%s'?)", path, best);
    return kb_fail(trail, KB_E_ARGUMENT, "unknown parameter '%s' (kb-sim explain-config lists them)", path);
}

static unsigned sides_of(param_kind kind) {
    return kind == GRID ? 2 : kind == BOX ? 3 : 1;
}

static uint64_t side_of(param_kind kind, uint64_t value, unsigned side) {
    if (kind == GRID)
        return side == 0 ? kbs_columns(value) : kbs_rows(value);
    return kind == BOX ? kbs_side(value, side) : value;
}

static bool in_range(const param_row *row, uint64_t value) {
    if (row->kind == WORD)
        return true;
    uint64_t least = 0, most = 0;
    const param_kind kind = sides_of(row->kind) > 1 ? COUNT : row->kind;
    const kbs_number_fault fault_low = parse_number(kind, row->shown.unit, row->shown.least, &least);
    const kbs_number_fault fault_high = parse_number(kind, row->shown.unit, row->shown.most, &most);
    assert(fault_low == KBS_NUMBER_FINE && fault_high == KBS_NUMBER_FINE);
    (void)fault_low;
    (void)fault_high;
    for (unsigned i = 0; i < sides_of(row->kind); i++)
        if (side_of(row->kind, value, i) < least || side_of(row->kind, value, i) > most)
            return false;
    return true;
}

static kb_status refuse_word(const param_row *row, const char *value, kb_trail *trail) {
    char words[64];
    kb_nearest nearest;
    kb_nearest_init(&nearest, value);
    snprintf(words, sizeof words, "%s", row->shown.least);
    for (char *word = words; word != NULL;) {
        char *slash = strchr(word, '/');
        if (slash != NULL)
            *slash = '\0';
        kb_nearest_offer(&nearest, word);
        word = slash != NULL ? slash + 1 : NULL;
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is not one of %s (did you mean '%s'?)",
                       row->shown.path, value, row->shown.least, best);
    return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is not one of %s", row->shown.path, value,
                   row->shown.least);
}

/* "bytes, B, kB, MB": as many as there is room for. */
static void list_units(const char *own, char *text, size_t size) {
    size_t length = (size_t)snprintf(text, size, "%s", own);
    for (size_t i = 0; kbs_unit_of(own, i) != NULL; i++) {
        const char *name = kbs_unit_of(own, i);
        if (length + strlen(name) + 2 < size)
            length += (size_t)snprintf(text + length, size - length, ", %s", name);
    }
}

static kb_status refuse_number(const param_row *row, const char *value, kbs_number_fault fault,
                               kb_trail *trail) {
    static const char *const wanted[WORD] = {[COUNT] = "a whole number",
                                             [BYTES] = "a size such as 4096 or 16KiB",
                                             [REAL] = "a decimal number with up to six places",
                                             [GRID] = "a grid such as 4x4",
                                             [BOX] = "a box such as 32x64x32"};
    const char *path = row->shown.path;
    char units[56];
    list_units(row->shown.unit, units, sizeof units);
    if (fault == KBS_NUMBER_UNIT)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' does not end in a unit that it can have (%s)", path,
                       value, units);
    if (fault == KBS_NUMBER_FINER && row->kind == REAL)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is finer than a millionth of a %s", path, value,
                       row->shown.unit);
    if (fault == KBS_NUMBER_FINER)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is no whole number of %s", path, value,
                       row->shown.unit);
    if (fault == KBS_NUMBER_LARGE)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: %s is out of range (%s to %s %s)", path, value,
                       row->shown.least, row->shown.most, row->shown.unit);
    return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is not %s", path, value, wanted[row->kind]);
}

kb_status kbs_machine_set_from(kbs_machine *machine, const char *path, const char *value,
                               const kbs_origin *origin, kb_trail *trail) {
    const param_row *row = NULL;
    const char *below = kbs_below_components(path);
    if (below != NULL)
        return kbs_choose(machine, below, value, origin, trail);
    if ((below = kbs_below_fault(path)) != NULL)
        return kbs_fault_set(machine, below, value, origin, trail);
    if ((below = kbs_below_ring_slots(path)) != NULL)
        return kbs_ring_slots_set(machine, below, value, origin, trail);
    KB_TRY(find(path, &row, trail));
    uint64_t number;
    const kbs_number_fault fault = parse(row, value, &number);
    if (fault != KBS_NUMBER_FINE && row->kind == WORD)
        return refuse_word(row, value, trail);
    if (fault != KBS_NUMBER_FINE)
        return refuse_number(row, value, fault, trail);
    if (!in_range(row, number))
        return kb_fail(trail, KB_E_ARGUMENT, "%s: %s is out of range (%s to %s %s%s)", path, value,
                       row->shown.least, row->shown.most, row->shown.unit,
                       row->kind == GRID  ? ", each side, and a single n is n x 1"
                       : row->kind == BOX ? ", each side"
                                          : "");
    store(machine, row, number, origin);
    return KB_OK;
}

kb_status kbs_machine_set(kbs_machine *machine, const char *path, const char *value, const char *by,
                          kb_trail *trail) {
    return kbs_machine_set_from(machine, path, value, &(kbs_origin){.by = by}, trail);
}

enum { PATH_CHARS = 128 };

/* Cuts "NAME=VALUE" at its sign; `end` is one past its last character. */
static bool cut(const char *text, const char *end, char name[PATH_CHARS], char value[PATH_CHARS]) {
    const char *equals = memchr(text, '=', (size_t)(end - text));
    if (equals == NULL || equals == text || equals - text >= PATH_CHARS || end - equals > PATH_CHARS)
        return false;
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    memcpy(value, equals + 1, (size_t)(end - equals - 1));
    value[end - equals - 1] = '\0';
    return true;
}

kb_status kbs_machine_assign(kbs_machine *machine, const char *assignment, const char *by, kb_trail *trail) {
    char path[PATH_CHARS];
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment || equals - assignment >= PATH_CHARS)
        return kb_fail(trail, KB_E_ARGUMENT, "'%s' is not PATH=VALUE (try ipcq.slots=8)", assignment);
    snprintf(path, sizeof path, "%.*s", (int)(equals - assignment), assignment);
    const kbs_origin origin = {.by = by, .source = "--set"};
    const kb_status status = kbs_machine_set_from(machine, path, equals + 1, &origin, trail);
    return status == KB_OK ? KB_OK : kb_while(trail, status, "reading --set %s", assignment);
}

kb_status kbs_machine_shorthand(kbs_machine *machine, const char *text, kb_trail *trail) {
    static const kbs_origin origin = {.by = "topology", .source = "--machine"};
    static const char *const words[][2] = {
        {"sips", "system.sips"}, {"cubes", "sip.cubes"}, {"pes", "cube.pes"}};
    for (const char *at = text; *at != '\0';) {
        const char *comma = strchr(at, ','), *end = comma != NULL ? comma : at + strlen(at);
        char word[PATH_CHARS], value[PATH_CHARS];
        if (!cut(at, end, word, value))
            return kb_fail(trail, KB_E_ARGUMENT,
                           "--machine '%s' is not a list of WORD=VALUE "
                           "(try sips=2,cubes=4x4,pes=8)",
                           text);
        const char *path = NULL;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strcmp(words[i][0], word) == 0)
                path = words[i][1];
        if (path == NULL)
            return kb_fail(trail, KB_E_ARGUMENT,
                           "--machine knows sips, cubes and pes, not '%s' "
                           "(anything else is --set PATH=VALUE)",
                           word);
        kb_status status = kbs_machine_set_from(machine, path, value, &origin, trail);
        if (status != KB_OK)
            return kb_while(trail, status, "reading --machine %s", text);
        at = comma != NULL ? comma + 1 : end;
    }
    return KB_OK;
}

/* --- listing --------------------------------------------------------------------------------- */

uint32_t kbs_param_count(void) {
    return row_count;
}

const kbs_param *kbs_param_describe(uint32_t index) {
    assert(index < row_count);
    return &rows[index].shown;
}

uint64_t kbs_machine_number(const kbs_machine *machine, uint32_t index) {
    assert(index < row_count);
    uint64_t value;
    memcpy(&value, (const char *)machine + rows[index].value_offset, sizeof value);
    return value;
}

const char *kbs_machine_value(const kbs_machine *machine, uint32_t index, char buffer[KBS_VALUE_CHARS]) {
    assert(index < row_count);
    const param_row *row = &rows[index];
    uint64_t value = kbs_machine_number(machine, index);
    if (row->kind == GRID) {
        snprintf(buffer, KBS_VALUE_CHARS, "%ux%u", kbs_columns(value), kbs_rows(value));
    } else if (row->kind == BOX) {
        snprintf(buffer, KBS_VALUE_CHARS, "%ux%ux%u", kbs_side(value, 0), kbs_side(value, 1),
                 kbs_side(value, 2));
    } else if (row->kind == WORD) {
        const char *word = row->shown.least;
        for (; value > 0; value--)
            word += word_length(word) + 1;
        snprintf(buffer, KBS_VALUE_CHARS, "%.*s", (int)word_length(word), word);
    } else if (row->kind != REAL) {
        snprintf(buffer, KBS_VALUE_CHARS, "%" PRIu64, value);
    } else {
        kbs_real_text(value, buffer, KBS_VALUE_CHARS);
    }
    return buffer;
}

const char *kbs_machine_written(const kbs_machine *machine, uint32_t index, char buffer[KBS_VALUE_CHARS]) {
    static const char *const signs[] = {"MiB", "GiB", "TiB"};
    enum { SIGNS = sizeof signs / sizeof signs[0], STEP_BITS = 10 };
    uint64_t value = kbs_machine_number(machine, index);
    if (rows[index].kind != BYTES || value == 0 || value % (UINT64_C(1) << 2 * STEP_BITS) != 0)
        return kbs_machine_value(machine, index, buffer);
    value >>= 2 * STEP_BITS;
    unsigned sign = 0;
    for (; sign + 1 < SIGNS && value % (UINT64_C(1) << STEP_BITS) == 0; sign++)
        value >>= STEP_BITS;
    snprintf(buffer, KBS_VALUE_CHARS, "%" PRIu64 "%s", value, signs[sign]);
    return buffer;
}

const kbs_origin *kbs_machine_origin(const kbs_machine *machine, uint32_t index) {
    assert(index < row_count);
    return origin_of(machine, &rows[index]);
}

uint64_t kbs_machine_pes_of_sip(const kbs_machine *machine) {
    return (uint64_t)kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes) *
           machine->at.cube_pes;
}

uint64_t kbs_machine_pes(const kbs_machine *machine) {
    const uint64_t sips = (uint64_t)kbs_columns(machine->at.system_sips) * kbs_rows(machine->at.system_sips);
    return sips * kbs_machine_pes_of_sip(machine);
}
