/* SPDX-License-Identifier: Apache-2.0 */
/* The table of parameters and the values of one machine. May not know what a parameter means in time. */
#include "kbsim/machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fabric/floorplan.h"
#include "kbtrace/nearest.h"
#include "machine/number.h"

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

static bool (*const parsers[WORD])(const char *, uint64_t *) = {[COUNT] = kbs_parse_count,
                                                                [BYTES] = kbs_parse_bytes,
                                                                [REAL] = kbs_parse_real,
                                                                [GRID] = kbs_parse_grid,
                                                                [BOX] = kbs_parse_box};

static bool parse(const param_row *row, const char *text, uint64_t *ret) {
    if (row->kind == WORD)
        return parse_word(row->shown.least, text, ret);
    return parsers[row->kind](text, ret);
}

static uint64_t *value_of(kbs_machine *machine, const param_row *row) {
    return (uint64_t *)(void *)((char *)machine + row->value_offset);
}

static void store(kbs_machine *machine, const param_row *row, uint64_t value, const char *origin) {
    *value_of(machine, row) = value;
    memcpy((char *)machine + row->origin_offset, &origin, sizeof origin);
}

void kbs_machine_init(kbs_machine *machine) {
    for (uint32_t i = 0; i < row_count; i++) {
        uint64_t value = 0;
        const bool parsed = parse(&rows[i], rows[i].shown.standard, &value);
        assert(parsed);
        (void)parsed;
        store(machine, &rows[i], value, "default");
    }
}

/* --- setting --------------------------------------------------------------------------------- */

static kb_status find(const char *path, const param_row **ret, kb_trail *trail) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, path);
    for (uint32_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].shown.path, path) == 0) {
            *ret = &rows[i];
            return KB_OK;
        }
        kb_nearest_offer(&nearest, rows[i].shown.path);
    }
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
    const bool parsed = parsers[kind](row->shown.least, &least) && parsers[kind](row->shown.most, &most);
    assert(parsed);
    (void)parsed;
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

kb_status kbs_machine_set(kbs_machine *machine, const char *path, const char *value, const char *origin,
                          kb_trail *trail) {
    static const char *const wanted[WORD] = {[COUNT] = "a whole number",
                                             [BYTES] = "a size such as 4096 or 16KiB",
                                             [REAL] = "a decimal number with up to six places",
                                             [GRID] = "a grid such as 4x4",
                                             [BOX] = "a box such as 32x64x32"};
    const param_row *row = NULL;
    KB_TRY(find(path, &row, trail));
    uint64_t number;
    const bool parsed = parse(row, value, &number);
    if (!parsed && row->kind == WORD)
        return refuse_word(row, value, trail);
    if (!parsed)
        return kb_fail(trail, KB_E_ARGUMENT, "%s: '%s' is not %s", path, value, wanted[row->kind]);
    if (!in_range(row, number))
        return kb_fail(trail, KB_E_ARGUMENT, "%s: %s is out of range (%s to %s %s%s)", path, value,
                       row->shown.least, row->shown.most, row->shown.unit,
                       row->kind == GRID  ? ", each side, and a single n is n x 1"
                       : row->kind == BOX ? ", each side"
                                          : "");
    store(machine, row, number, origin);
    return KB_OK;
}

enum { PATH_CHARS = 64 };

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

kb_status kbs_machine_assign(kbs_machine *machine, const char *assignment, const char *origin,
                             kb_trail *trail) {
    char path[PATH_CHARS], value[PATH_CHARS];
    if (!cut(assignment, assignment + strlen(assignment), path, value))
        return kb_fail(trail, KB_E_ARGUMENT, "'%s' is not PATH=VALUE (try ipcq.slots=8)", assignment);
    return kbs_machine_set(machine, path, value, origin, trail);
}

kb_status kbs_machine_shorthand(kbs_machine *machine, const char *text, kb_trail *trail) {
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
        kb_status status = kbs_machine_set(machine, path, value, "topology", trail);
        if (status != KB_OK)
            return kb_while(trail, status, "reading --machine %s", text);
        at = comma != NULL ? comma + 1 : end;
    }
    return KB_OK;
}

static bool is_power_of_two(uint64_t number) {
    return (number & (number - 1)) == 0;
}

static kb_status check_hbm(const kbs_machine *machine, kb_trail *trail) {
    if (!is_power_of_two(machine->at.hbm_channels_per_pe))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "hbm.channels_per_pe: %" PRIu64
                       " is no power of two, and a channel is a part of an address (try 8)",
                       machine->at.hbm_channels_per_pe);
    if (!is_power_of_two(machine->at.hbm_burst_bytes))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "hbm.burst_bytes: %" PRIu64
                       " is no power of two, and bursts are parts of an address (try 256)",
                       machine->at.hbm_burst_bytes);
    if (machine->at.hbm_burst_bytes % machine->at.hbm_access_bytes != 0)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "hbm.access_bytes: a burst of %" PRIu64
                       " bytes is no whole number of accesses of %" PRIu64,
                       machine->at.hbm_burst_bytes, machine->at.hbm_access_bytes);
    return KB_OK;
}

kb_status kbs_machine_check(const kbs_machine *machine, kb_trail *trail) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers),
                   lines = kbs_rows(machine->at.cube_routers);
    kbs_floorplan plan;
    kbs_floorplan_init(&plan, columns, lines);
    if (machine->at.cube_pes > kbs_floorplan_routers(&plan))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "cube.pes: %" PRIu64
                       " PEs need a router each, and cube.routers=%ux%u has %u outside the "
                       "HBM (take fewer PEs or a larger mesh)",
                       machine->at.cube_pes, columns, lines, kbs_floorplan_routers(&plan));
    if (machine->at.ucie_links > columns || machine->at.ucie_links > lines)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "ucie.links: %" PRIu64
                       " links need an edge router each, and cube.routers=%ux%u has %u "
                       "on an edge",
                       machine->at.ucie_links, columns, lines, columns < lines ? columns : lines);
    KB_TRY(check_hbm(machine, trail));
    if (machine->at.sram_bytes < machine->at.cube_pes)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "sram.bytes: %" PRIu64 " bytes cannot be cut for %" PRIu64 " PEs",
                       machine->at.sram_bytes, machine->at.cube_pes);
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

const char *kbs_machine_value(const kbs_machine *machine, uint32_t index, char buffer[KBS_VALUE_CHARS]) {
    assert(index < row_count);
    const param_row *row = &rows[index];
    uint64_t value;
    memcpy(&value, (const char *)machine + row->value_offset, sizeof value);
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
        int length = snprintf(buffer, KBS_VALUE_CHARS, "%" PRIu64 ".%06" PRIu64, value / KBS_MILLION,
                              value % KBS_MILLION);
        while (length > 0 && buffer[length - 1] == '0')
            buffer[--length] = '\0';
        if (length > 0 && buffer[length - 1] == '.')
            buffer[--length] = '\0';
    }
    return buffer;
}

const char *kbs_machine_origin(const kbs_machine *machine, uint32_t index) {
    assert(index < row_count);
    const char *origin;
    memcpy(&origin, (const char *)machine + rows[index].origin_offset, sizeof origin);
    return origin;
}

uint64_t kbs_machine_pes_of_sip(const kbs_machine *machine) {
    return (uint64_t)kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes) *
           machine->at.cube_pes;
}

uint64_t kbs_machine_pes(const kbs_machine *machine) {
    const uint64_t sips = (uint64_t)kbs_columns(machine->at.system_sips) * kbs_rows(machine->at.system_sips);
    return sips * kbs_machine_pes_of_sip(machine);
}
