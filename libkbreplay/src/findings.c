/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: merging and words; see findings.h. */
#include "findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

/* --- the list ---------------------------------------------------------------------------------- */

kb_status kbr_findings_init(kbr_findings *findings, const kb_alloc *alloc, kb_trail *trail) {
    void *items;
    KB_TRY(kb_new_zeroed(alloc, KBR_FINDINGS_MAX * sizeof(kbr_finding), &items, trail));
    *findings = (kbr_findings){.items = items};
    return KB_OK;
}

void kbr_findings_fini(kbr_findings *findings, const kb_alloc *alloc) {
    kb_delete(alloc, findings->items, KBR_FINDINGS_MAX * sizeof(kbr_finding));
    findings->items = NULL;
    findings->count = 0;
}

static int compare_place(const kbr_finding *a, const kbr_finding *b) {
    if (a->time_ps != b->time_ps)
        return a->time_ps < b->time_ps ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    uint64_t x = a->op_count != 0 ? a->ops[0].index : 0, y = b->op_count != 0 ? b->ops[0].index : 0;
    return (x > y) - (x < y);
}

static int compare_identity(const kbr_finding *a, const kbr_finding *b) {
    size_t i = kbr_check_number(a->check), j = kbr_check_number(b->check);
    if (i != j)
        return i < j ? -1 : 1;
    int rule = strcmp(a->rule, b->rule);
    return rule != 0 ? rule : (a->key > b->key) - (a->key < b->key);
}

/* The place that a new finding takes in a full list; NULL: none. */
static kbr_finding *make_room(kbr_findings *findings, const kbr_finding *finding) {
    kbr_finding *last = &findings->items[0];
    for (size_t i = 1; i < findings->count; i++)
        if (compare_identity(&findings->items[i], last) > 0)
            last = &findings->items[i];
    bool lower = findings->any_order && compare_identity(finding, last) < 0;
    findings->overflow += lower ? last->count : finding->count != 0 ? finding->count : 1;
    return lower ? last : NULL;
}

kbr_finding *kbr_findings_add(kbr_findings *findings, const kbr_finding *finding) {
    uint64_t count = finding->count != 0 ? finding->count : 1;
    for (size_t i = 0; i < findings->count; i++) {
        kbr_finding *it = &findings->items[i];
        if (it->key != finding->key || strcmp(it->check, finding->check) != 0 ||
            strcmp(it->rule, finding->rule) != 0)
            continue;
        uint64_t sum = it->count + count;
        if (compare_place(finding, it) < 0)
            *it = *finding;
        it->count = sum;
        return it;
    }
    bool full = findings->count == KBR_FINDINGS_MAX;
    kbr_finding *it = full ? make_room(findings, finding) : &findings->items[findings->count++];
    if (it == NULL)
        return NULL;
    *it = *finding;
    it->count = count;
    return it;
}

void kbr_findings_join(kbr_findings *findings, const kbr_findings *from) {
    for (size_t i = 0; i < from->count; i++)
        kbr_findings_add(findings, &from->items[i]);
    findings->overflow += from->overflow;
}

static int compare_rows(const void *a, const void *b) {
    const kbr_finding *x = a, *y = b;
    size_t i = kbr_check_number(x->check), j = kbr_check_number(y->check);
    if (i != j)
        return i < j ? -1 : 1;
    if (x->follows != y->follows)
        return x->follows ? 1 : -1;
    int place = compare_place(x, y);
    return place != 0 ? place : compare_identity(x, y);
}

void kbr_findings_sort(kbr_findings *findings) {
    if (findings->count > 1)
        qsort(findings->items, findings->count, sizeof *findings->items, compare_rows);
}

/* --- words ------------------------------------------------------------------------------------- */

kbr_mention kbr_mention_of_number(uint32_t rank, uint64_t index) {
    return (kbr_mention){.rank = rank, .index = index};
}

kbr_mention kbr_mention_of(uint32_t rank, const kb_op *op) {
    const kb_template *what = op->what;
    return (kbr_mention){.rank = rank,
                         .index = op->index,
                         .known = true,
                         .kind = what->kind,
                         .func = what->func,
                         .stream = what->stream,
                         .file = what->file,
                         .line = what->line,
                         .label = what->step,
                         .step = op->step,
                         .time_ps = op->start_ps};
}

kbr_finding kbr_finding_about(const kb_defs *defs, const char *check, const char *rule, uint32_t rank,
                              const kb_op *op) {
    kbr_finding it = {
        .check = check, .rank = rank, .pe = KB_NONE, .memory = KB_NONE, .tensor = KB_NONE, .issue_ps = -1};
    snprintf(it.rule, sizeof it.rule, "%s", rule);
    if (op == NULL)
        return it;
    it.time_ps = op->start_ps;
    if (op->what->stream < defs->stream_count)
        it.pe = defs->streams[op->what->stream].pe;
    kbr_mention mention = kbr_mention_of(rank, op);
    kbr_finding_mention(&it, &mention);
    return it;
}

void kbr_finding_mention(kbr_finding *finding, const kbr_mention *mention) {
    if (finding->op_count < KBR_MENTIONS_MAX)
        finding->ops[finding->op_count++] = *mention;
}

kbr_sighting kbr_sighting_of(uint32_t rank, const kb_op *op) {
    return (kbr_sighting){
        .index = op->index, .time_ps = op->start_ps, .rank = rank, .stream = op->what->stream};
}

kbr_finding kbr_finding_of_sighting(const kb_defs *defs, const char *check, const char *rule,
                                    const kbr_sighting *sighting) {
    kbr_finding finding = kbr_finding_about(defs, check, rule, sighting->rank, NULL);
    finding.time_ps = sighting->time_ps;
    if (sighting->stream < defs->stream_count)
        finding.pe = defs->streams[sighting->stream].pe;
    kbr_finding_mention_sighting(&finding, sighting);
    return finding;
}

void kbr_finding_mention_sighting(kbr_finding *finding, const kbr_sighting *sighting) {
    kbr_mention mention = kbr_mention_of_number(sighting->rank, sighting->index);
    kbr_finding_mention(finding, &mention);
}

void kbr_finding_say(kbr_finding *finding, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(finding->message, sizeof finding->message, format, args);
    va_end(args);
}

void kbr_finding_place(kbr_finding *finding, const kb_defs *defs, uint32_t memory, uint64_t offset,
                       uint64_t size) {
    finding->memory = memory;
    finding->offset = offset;
    const char *name = memory < defs->memory_count ? defs->memories[memory].name : "memory?";
    snprintf(finding->where, sizeof finding->where, "%s[0x%04" PRIx64 ",+%" PRIu64 ")", name, offset, size);
}

/* "(ring.c:31 reduce-scatter 4)", as far as it is known. */
static void add_source(const kb_defs *defs, const kbr_mention *mention, char *buffer, size_t buffer_size) {
    size_t used = strlen(buffer);
    const char *file = kb_defs_text(defs, mention->file), *label = kb_defs_text(defs, mention->label);
    if (file[0] == '\0' && label[0] == '\0')
        return;
    char step[96] = "";
    if (label[0] != '\0')
        snprintf(step, sizeof step, "%.70s %" PRIu64, label, mention->step);
    if (file[0] == '\0')
        snprintf(buffer + used, buffer_size - used, " (%s)", step);
    else
        snprintf(buffer + used, buffer_size - used, " (%.60s:%" PRIu32 "%s%s)", file, mention->line,
                 step[0] != '\0' ? " " : "", step);
}

const char *kbr_mention_text(const kb_defs *defs, const kbr_mention *mention, uint32_t rank, char *buffer,
                             size_t buffer_size) {
    char who[32] = "";
    if (mention->rank != rank)
        snprintf(who, sizeof who, "rank %" PRIu32 " ", mention->rank);
    if (!mention->known) {
        snprintf(buffer, buffer_size, "%s#%" PRIu64, who, mention->index);
        return buffer;
    }
    const kb_kind_info *kind = kb_kind_describe(mention->kind);
    const char *func = mention->func != 0 ? kb_word_name(KB_VOC_FUNC, mention->func) : NULL;
    snprintf(buffer, buffer_size, "%s#%" PRIu64 " %s%s%s", who, mention->index,
             kind != NULL ? kind->name : "?", func != NULL ? "." : "", func != NULL ? func : "");
    add_source(defs, mention, buffer, buffer_size);
    return buffer;
}
