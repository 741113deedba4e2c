/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is wrong with single PEs and links, in the order of their names; see fault.h. */
#include "machine/fault.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbtrace/nearest.h"
#include "machine/number.h"
#include "machine/origin.h"

static const kbs_fault_row rows[] = {
#define KBS_FAULT(NAME, name, of_link, unit, least, most, help) {#name, unit, least, most, help, of_link},
#include "kbsim/faults.def"
#undef KBS_FAULT
};

static const char before_word[] = " before ";

const kbs_fault_row *kbs_fault_describe(kbs_fault_kind kind) {
    assert(kind < KBS_FAULT_KINDS);
    return &rows[kind];
}

const char *kbs_below_fault(const char *path) {
    static const char group[] = "fault.";
    return strncmp(path, group, sizeof group - 1) == 0 ? path + sizeof group - 1 : NULL;
}

/* --- paths ----------------------------------------------------------------------------------- */

/* Cuts "sip0.cube1.pe3.math" at its last point. */
static kb_status cut(const char *path, char target[KBS_TARGET_CHARS], kbs_fault_kind *ret, kb_trail *trail) {
    const char *point = strrchr(path, '.');
    if (point == NULL || point == path || point - path >= KBS_TARGET_CHARS)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "fault.%.60s is not fault.TARGET.WHAT (try fault.sip0.cube0.pe1.math)", path);
    kb_nearest nearest;
    kb_nearest_init(&nearest, point + 1);
    for (uint32_t i = 0; i < KBS_FAULT_KINDS; i++) {
        if (strcmp(rows[i].name, point + 1) == 0) {
            memcpy(target, path, (size_t)(point - path));
            target[point - path] = '\0';
            *ret = (kbs_fault_kind)i;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, rows[i].name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "fault.%.60s: there is no '%.30s' (did you mean '%s'?)", path,
                       point + 1, best);
    return kb_fail(trail, KB_E_ARGUMENT,
                   "fault.%.60s: there is no '%.30s' (a link has slower, a PE gemm, math, pe_cpu, delay_ns)",
                   path, point + 1);
}

/* By target, then by kind. */
static int compare(const kbs_fault *fault, const char *target, kbs_fault_kind kind) {
    const int order = strcmp(fault->target, target);
    return order != 0 ? order : (int)fault->kind - (int)kind;
}

/* The first that does not come before it. */
static size_t place_of(const kbs_machine *machine, const char *target, kbs_fault_kind kind) {
    size_t at = 0;
    while (at < machine->fault_count && compare(&machine->faults[at], target, kind) < 0)
        at++;
    return at;
}

const kbs_fault *kbs_fault_of(const kbs_machine *machine, const char *target, kbs_fault_kind kind) {
    const size_t at = place_of(machine, target, kind);
    const bool there = at < machine->fault_count && compare(&machine->faults[at], target, kind) == 0;
    return there ? &machine->faults[at] : NULL;
}

const kbs_origin *kbs_fault_origin(const kbs_machine *machine, const char *path) {
    char target[KBS_TARGET_CHARS];
    kbs_fault_kind kind;
    if (cut(path, target, &kind, NULL) != KB_OK)
        return NULL;
    const kbs_fault *fault = kbs_fault_of(machine, target, kind);
    return fault != NULL ? &fault->origin : NULL;
}

/* --- values ---------------------------------------------------------------------------------- */

/* "reduce-scatter 3", or "reduce-scatter": the first of any number. */
static bool parse_step(const char *text, kbs_fault *fault) {
    const char *blank = strrchr(text, ' ');
    size_t length = strlen(text);
    fault->step = KBS_ANY_STEP;
    if (blank != NULL && kbs_parse_quantity(blank + 1, "", 1, &fault->step) == KBS_NUMBER_FINE)
        length = (size_t)(blank - text);
    if (length == 0 || length >= sizeof fault->label || fault->step > KBS_ANY_STEP)
        return false;
    memcpy(fault->label, text, length);
    fault->label[length] = '\0';
    return true;
}

static kb_status parse(kbs_fault *fault, const char *path, const char *text, kb_trail *trail) {
    const kbs_fault_row *row = &rows[fault->kind];
    char number[48];
    const char *step = fault->kind == KBS_FAULT_DELAY_NS ? strstr(text, before_word) : NULL;
    const int length = step != NULL ? (int)(step - text) : (int)strlen(text);
    uint64_t least = 0, most = 0;
    if (length >= (int)sizeof number)
        return kb_fail(trail, KB_E_ARGUMENT, "fault.%s: '%.60s' is no number", path, text);
    snprintf(number, sizeof number, "%.*s", length, text);
    if (kbs_parse_quantity(number, row->unit, KBS_MILLION, &fault->value) != KBS_NUMBER_FINE)
        return kb_fail(trail, KB_E_ARGUMENT, "fault.%s: '%s' is no number of %s with up to six places", path,
                       number, row->unit);
    const bool known = kbs_parse_quantity(row->least, row->unit, KBS_MILLION, &least) == KBS_NUMBER_FINE &&
                       kbs_parse_quantity(row->most, row->unit, KBS_MILLION, &most) == KBS_NUMBER_FINE;
    assert(known);
    (void)known;
    if (fault->value < least || fault->value > most)
        return kb_fail(trail, KB_E_ARGUMENT, "fault.%s: %s is out of range (%s to %s %s)", path, number,
                       row->least, row->most, row->unit);
    if (step != NULL && !parse_step(step + sizeof before_word - 1, fault))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "fault.%s: '%.60s' names no step (try 10us before reduce-scatter 3)", path, text);
    return KB_OK;
}

kb_status kbs_fault_set(kbs_machine *machine, const char *path, const char *value, const kbs_origin *origin,
                        kb_trail *trail) {
    kbs_fault fault = {.origin = *origin};
    KB_TRY(cut(path, fault.target, &fault.kind, trail));
    KB_TRY(parse(&fault, path, value, trail));
    const size_t at = place_of(machine, fault.target, fault.kind);
    if (kbs_fault_of(machine, fault.target, fault.kind) == NULL) {
        if (machine->fault_count == KBS_FAULTS)
            return kb_fail(trail, KB_E_ARGUMENT, "fault.%s: a machine has at most %d faults", path,
                           KBS_FAULTS);
        memmove(&machine->faults[at + 1], &machine->faults[at], (machine->fault_count - at) * sizeof fault);
        machine->fault_count++;
    }
    machine->faults[at] = fault;
    return KB_OK;
}

const char *kbs_fault_path(const kbs_fault *fault, char buffer[KBS_FAULT_CHARS]) {
    snprintf(buffer, KBS_FAULT_CHARS, "fault.%s.%s", fault->target, rows[fault->kind].name);
    return buffer;
}

const char *kbs_fault_value(const kbs_fault *fault, char buffer[KBS_FAULT_CHARS]) {
    char number[KBS_VALUE_CHARS], step[24] = "";
    kbs_real_text(fault->value, number, sizeof number);
    if (*fault->label == '\0')
        return memcpy(buffer, number, sizeof number);
    if (fault->step != KBS_ANY_STEP)
        snprintf(step, sizeof step, " %" PRIu64, fault->step);
    snprintf(buffer, KBS_FAULT_CHARS, "%s%s%s%s", number, before_word, fault->label, step);
    return buffer;
}

/* --- targets --------------------------------------------------------------------------------- */

/* Takes the word and the number behind it, which must be below `count`. */
static bool take(const char **at, const char *word, uint64_t count) {
    const size_t length = strlen(word);
    uint64_t number = 0;
    if (strncmp(*at, word, length) != 0)
        return false;
    const char *digit = *at + length;
    if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] >= '0' && digit[1] <= '9'))
        return false;
    for (; *digit >= '0' && *digit <= '9' && number < count; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    *at = digit;
    return number < count;
}

static bool is_pe(const kbs_machine *machine, const char *target) {
    const uint64_t cubes = (uint64_t)kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes);
    const uint64_t sips = (uint64_t)kbs_columns(machine->at.system_sips) * kbs_rows(machine->at.system_sips);
    return take(&target, "sip", sips) && take(&target, ".cube", cubes) &&
           take(&target, ".pe", machine->at.cube_pes) && *target == '\0';
}

kb_status kbs_fault_check(const kbs_machine *machine, kb_trail *trail) {
    for (size_t i = 0; i < machine->fault_count; i++) {
        const kbs_fault *fault = &machine->faults[i];
        if (!rows[fault->kind].of_link && !is_pe(machine, fault->target))
            return kbs_fail_at(
                &fault->origin, trail,
                "fault.%s.%s: this machine has no PE of that name (its first is sip0.cube0.pe0)",
                fault->target, rows[fault->kind].name);
    }
    return KB_OK;
}
