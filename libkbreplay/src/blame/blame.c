/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule names the culprit; see blame.h. */
#include "blame/blame.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "blame/lost.h"
#include "blame/staged.h"
#include "blame/stale.h"
#include "blame/terms.h"
#include "blame/trace.h"

typedef struct blaming {
    const kbr_pass *pass;
    const kbr_log *log;
    kbr_writers writers;
    kb_arena arena;
    kbr_findings *findings;
} blaming;

/* --- findings ---------------------------------------------------------------------------------- */

static kbr_finding *find(kbr_findings *findings, const char *check, const char *rule, uint64_t key) {
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].check, check) == 0 && strcmp(findings->items[i].rule, rule) == 0 &&
            findings->items[i].key == key)
            return &findings->items[i];
    return NULL;
}

/* Puts the culprit first, and moves the finding to it. */
static void accuse(const blaming *it, kbr_finding *finding, size_t entry, const char *rule) {
    const kbr_entry *culprit = &it->log->entries[entry];
    kbr_mention mention = kbr_entry_mention(culprit);
    snprintf(finding->rule, sizeof finding->rule, "%s", rule);
    bool named = finding->op_count != 0 && finding->ops[0].rank == mention.rank &&
                 finding->ops[0].index == mention.index;
    if (!named) {
        memmove(&finding->ops[1], &finding->ops[0], (KBR_MENTIONS_MAX - 1) * sizeof finding->ops[0]);
        finding->ops[0] = mention;
        if (finding->op_count < KBR_MENTIONS_MAX)
            finding->op_count++;
    }
    finding->rank = culprit->rank;
    finding->pe = it->pass->defs->streams[culprit->stream].pe;
    finding->time_ps = culprit->time_ps;
}

static void add_words(kbr_finding *finding, const char *format, ...) KB_PRINTF(2, 3);

static void add_words(kbr_finding *finding, const char *format, ...) {
    size_t used = strlen(finding->message);
    va_list args;
    va_start(args, format);
    vsnprintf(finding->message + used, sizeof finding->message - used, format, args);
    va_end(args);
}

static const char *op_words(const blaming *it, size_t entry, uint32_t rank, char *buffer,
                            size_t buffer_size) {
    kbr_mention mention = kbr_entry_mention(&it->log->entries[entry]);
    return kbr_mention_text(it->pass->defs, &mention, rank, buffer, buffer_size);
}

/* Accuses the op that wrote a node. */
static void accuse_node(const blaming *it, kbr_finding *finding, const kbr_origin *node, uint32_t size,
                        const char *rule) {
    accuse(it, finding, node->entry, rule);
    kbr_finding_place(finding, it->pass->defs, node->memory, node->offset, size);
}

/* --- rules ------------------------------------------------------------------------------------- */

static void accuse_suspect(const blaming *it, kbr_finding *finding, const kbr_suspect *suspect,
                           uint32_t size) {
    accuse(it, finding, suspect->entry, "source");
    kbr_finding_place(finding, it->pass->defs, suspect->memory, suspect->offset, size);
    if (suspect->between)
        add_words(finding, "; the op reads between two elements where it should read element %" PRIu64,
                  suspect->wanted);
    else
        add_words(
            finding,
            "; the op reads element %" PRIu64 " where it should read %" PRIu64 " (%s%" PRIu64 " elements)",
            suspect->got, suspect->wanted, suspect->got > suspect->wanted ? "+" : "-",
            suspect->got > suspect->wanted ? suspect->got - suspect->wanted : suspect->wanted - suspect->got);
}

static void accuse_stale(const blaming *it, kbr_finding *finding, const kbr_suspect *suspect,
                         const kbr_stale *stale, uint32_t size) {
    char text[256];
    accuse(it, finding, stale->reader, "stale");
    kbr_finding_place(finding, it->pass->defs, stale->memory, stale->offset, size);
    add_words(finding,
              "; the op takes what %s had left there of element %" PRIu64
              ", where it should find element %" PRIu64,
              op_words(it, stale->bringer, finding->rank, text, sizeof text), suspect->got, suspect->wanted);
}

static void accuse_writer(const blaming *it, kbr_finding *finding, const kbr_suspect *suspect) {
    accuse(it, finding, suspect->writer, "target");
    const kbr_touch *to = &it->log->entries[suspect->writer].touches[0];
    kbr_finding_place(finding, it->pass->defs, to->view->memory, to->low, to->high - to->low);
    add_words(finding, "; the op writes element %" PRIu64 " where element %" PRIu64 " belongs", suspect->got,
              suspect->wanted);
}

static void accuse_reader(const blaming *it, kbr_finding *finding, const kbr_origin *leaf, uint32_t size) {
    accuse(it, finding, leaf->reader, "foreign");
    kbr_finding_place(finding, it->pass->defs, leaf->memory, leaf->offset, size);
    add_words(finding, "; the op takes in bytes that come of no input of the collective");
    if (leaf->entry != KBR_NOWHERE) {
        char text[256];
        add_words(finding, ", left by %s", op_words(it, leaf->entry, finding->rank, text, sizeof text));
    }
}

static bool lacks(const kbr_origins *origins, const kbr_terms *terms, uint64_t element, uint32_t position) {
    return position < terms->ranks && kbr_terms_of(terms, position) == 0 &&
           kbr_reference_contributes(origins->reference, position, element);
}

/* "rank 3" or "ranks 0, 2-4", of those that the element lacks. */
static void say_missing(const kbr_origins *origins, const kbr_terms *terms, uint64_t element,
                        kbr_finding *finding) {
    const kb_group *group = &origins->pass->defs->groups[origins->reference->collective->group];
    uint32_t count = 0;
    for (uint32_t position = 0; position < terms->ranks; position++)
        count += lacks(origins, terms, element, position);
    const char *before =
        count == 1 ? "; the element lacks the input of rank " : "; the element lacks the input of ranks ";
    for (uint32_t first = 0, last; first < terms->ranks; first = last + 1) {
        last = first;
        if (!lacks(origins, terms, element, first))
            continue;
        while (lacks(origins, terms, element, last + 1) && group->ranks[last + 1] == group->ranks[last] + 1)
            last++;
        add_words(finding, "%s%" PRIu32, before, group->ranks[first]);
        if (last > first)
            add_words(finding, "-%" PRIu32, group->ranks[last]);
        before = ", ";
    }
}

/* The byte at which a member's input of an element lies, and the entry at which it became an input. */
static bool input_place(const kbr_origins *origins, uint32_t position, uint64_t element, uint32_t *ret_memory,
                        uint64_t *ret_offset, size_t *ret_begin) {
    const kb_collective *collective = origins->reference->collective;
    uint32_t rank = origins->pass->defs->groups[collective->group].ranks[position];
    uint64_t number = element - kbr_reference_of_input(origins->reference, position, 0);
    for (size_t i = 0; i < collective->part_count; i++) {
        const kb_part *part = &collective->parts[i];
        if (part->rank != rank || number < part->input_first ||
            number - part->input_first >= part->input_count || origins->begins[i] == KBR_NOWHERE)
            continue;
        *ret_memory = part->input;
        *ret_offset =
            part->input_offset_bytes + (number - part->input_first) * kb_dtype_size(collective->dtype);
        *ret_begin = origins->begins[i];
        return true;
    }
    return false;
}

/* Of all the inputs that are missing, the place where one was lost first. */
static kb_status accuse_loser(blaming *it, kbr_finding *finding, const kbr_origins *origins,
                              const kbr_terms *terms, uint64_t element, size_t until, kb_trail *trail) {
    kbr_loss first = {.entry = KBR_NOWHERE};
    say_missing(origins, terms, element, finding);
    for (uint32_t position = 0; position < terms->ranks; position++) {
        uint32_t memory;
        uint64_t offset;
        size_t begin;
        if (!lacks(origins, terms, element, position) ||
            !input_place(origins, position, element, &memory, &offset, &begin))
            continue;
        kbr_loss loss;
        KB_TRY(kbr_find_loss(origins, memory, offset, element, begin, until, &it->arena, &loss, trail));
        if (loss.entry != KBR_NOWHERE &&
            (loss.strayed > first.strayed || (loss.strayed == first.strayed && loss.entry < first.entry)))
            first = loss;
    }
    if (first.entry == KBR_NOWHERE)
        return KB_OK;
    char text[256];
    accuse(it, finding, first.entry, first.strayed ? "target" : "missing");
    kbr_finding_place(finding, it->pass->defs, first.memory, first.offset,
                      kb_dtype_size(origins->reference->collective->dtype));
    if (first.strayed) {
        add_words(finding,
                  ", for the op writes that of element %" PRIu64 " where element %" PRIu64 " belongs",
                  element, first.other);
        return KB_OK;
    }
    add_words(finding, first.left_out      ? ", which the op left out"
                       : first.released    ? ", which was released before anything read it"
                       : first.overwritten ? ", which was overwritten before anything read it"
                                           : ", which nothing read any more");
    if (first.holder != KBR_NOWHERE && first.holder != first.entry)
        add_words(finding, ", brought by %s", op_words(it, first.holder, finding->rank, text, sizeof text));
    return KB_OK;
}

static kb_status apply_rules(blaming *it, kbr_finding *finding, const kbr_origins *origins, uint64_t element,
                             size_t until, kb_trail *trail) {
    const kb_collective *collective = origins->reference->collective;
    uint32_t size = kb_dtype_size(collective->dtype);
    kbr_terms terms;
    if (origins->suspect.entry != KBR_NOWHERE && kbr_writer_is_odd(origins, &origins->suspect)) {
        accuse_writer(it, finding, &origins->suspect);
        return KB_OK;
    }
    kbr_stale stale;
    if (origins->suspect.entry != KBR_NOWHERE && kbr_find_stale(origins, &origins->suspect, &stale)) {
        accuse_stale(it, finding, &origins->suspect, &stale, size);
        return KB_OK;
    }
    if (origins->suspect.entry != KBR_NOWHERE) {
        accuse_suspect(it, finding, &origins->suspect, size);
        return KB_OK;
    }
    KB_TRY(kbr_terms_count(origins, &it->arena, &terms, trail));
    if (!terms.counted)
        return KB_OK;
    if (terms.mixed != KB_NONE) {
        accuse_node(it, finding, &origins->nodes[terms.mixed], size, "function");
        const char *reduce = kb_word_name(KB_VOC_REDUCE, collective->reduce);
        add_words(finding, "; the function of the op is not that of a %s",
                  reduce != NULL ? reduce : "reduction");
        return KB_OK;
    }
    if (terms.foreign != KB_NONE && origins->nodes[terms.foreign].reader < until) {
        accuse_reader(it, finding, &origins->nodes[terms.foreign], size);
        return KB_OK;
    }
    if (terms.doubled != KB_NONE &&
        (collective->reduce == KB_REDUCE_SUM || collective->reduce == KB_REDUCE_PROD)) {
        accuse_node(it, finding, &origins->nodes[terms.doubled], size, "doubled");
        add_words(finding, "; the op takes in the input of rank %" PRIu32 " a second time",
                  it->pass->defs->groups[collective->group].ranks[terms.twice]);
        return KB_OK;
    }
    for (uint32_t position = 0; position < terms.ranks; position++)
        if (lacks(origins, &terms, element, position))
            return accuse_loser(it, finding, origins, &terms, element, until, trail);
    if (terms.retyped != KB_NONE) {
        accuse_node(it, finding, &origins->nodes[terms.retyped], size, "dtype");
        add_words(finding, "; the op takes numbers of %s for another dtype",
                  kb_word_name(KB_VOC_DTYPE, collective->dtype));
        return KB_OK;
    }
    add_words(finding, "; it has every input once, and differs all the same");
    return KB_OK;
}

/* --- one wrong value, one undefined byte ------------------------------------------------------- */

static kb_status find_begins(blaming *it, uint32_t id, const size_t **ret_begins, kb_trail *trail) {
    const kb_collective *collective = &it->pass->defs->collectives[id];
    void *block;
    KB_TRY(kb_arena_new(&it->arena, collective->part_count * sizeof(size_t), &block, trail));
    size_t *begins = block;
    for (size_t i = 0; i < collective->part_count; i++)
        begins[i] = KBR_NOWHERE;
    for (size_t at = 0; at < it->log->count; at++) {
        const kbr_entry *entry = &it->log->entries[at];
        if (entry->kind != KB_OP_COLL_BEGIN || entry->collective != (uint64_t)id + 1)
            continue;
        for (size_t i = 0; i < collective->part_count; i++)
            if (collective->parts[i].stream == entry->stream && begins[i] == KBR_NOWHERE)
                begins[i] = at;
    }
    *ret_begins = begins;
    return KB_OK;
}

static bool is_named(const kbr_findings *findings, const kbr_finding *but, const kbr_entry *entry) {
    for (size_t i = 0; i < findings->count; i++)
        for (uint32_t j = 0; j < findings->items[i].op_count && &findings->items[i] != but; j++)
            if (findings->items[i].ops[j].rank == entry->rank &&
                findings->items[i].ops[j].index == entry->index)
                return true;
    return false;
}

/* Keeps which ops of the value's derivation other findings are about, too. */
static void keep_chain(const blaming *it, kbr_finding *finding, const kbr_origins *origins, size_t until) {
    size_t last = KBR_NOWHERE;
    for (size_t i = 0; i < origins->count && finding->chain_count < KBR_CHAIN_MAX; i++) {
        size_t at =
            origins->nodes[i].kind == KBR_NODE_OP ? origins->nodes[i].entry : origins->nodes[i].reader;
        if (at == last || at >= until)
            continue;
        last = at;
        const kbr_entry *entry = &it->log->entries[at];
        if (is_named(it->findings, finding, entry))
            finding->chain[finding->chain_count++] = (kbr_chained){entry->rank, entry->index};
    }
}

static kb_status blame_value(blaming *it, const kbr_wrong_value *wrong, kb_trail *trail) {
    const kb_collective *collective = &it->pass->defs->collectives[wrong->collective];
    const kb_part *part = &collective->parts[wrong->part];
    kbr_finding *finding = find(it->findings, "value", "wrong", wrong->collective);
    kbr_reference reference;
    uint32_t position;
    size_t until;
    if (finding == NULL || !kbr_reference_init(&reference, it->pass->defs, collective) ||
        !kbr_reference_position(it->pass->defs, collective, part->rank, &position) ||
        !kbr_log_find(it->log, wrong->rank, wrong->op, &until))
        return KB_OK;
    const size_t *begins;
    KB_TRY(find_begins(it, wrong->collective, &begins, trail));
    kbr_origins origins = {.pass = it->pass,
                           .writers = &it->writers,
                           .reference = &reference,
                           .begins = begins,
                           .alloc = it->pass->alloc};
    uint64_t element = kbr_reference_of_output(&reference, position, wrong->element);
    uint64_t offset =
        part->output_offset_bytes + (wrong->element - part->output_first) * kb_dtype_size(collective->dtype);
    KB_TRY(kbr_find_staged(&origins, &it->arena, trail));
    kb_status status = kbr_origins_trace(&origins, part->output, offset, element, until, trail);
    if (status == KB_OK)
        keep_chain(it, finding, &origins, until);
    if (status == KB_OK)
        status = apply_rules(it, finding, &origins, element, until, trail);
    kb_delete(it->pass->alloc, origins.nodes, origins.capacity * sizeof(kbr_origin));
    return status;
}

/* The first op behind `after` that writes a byte, or KBR_NOWHERE. */
static size_t written_later(const blaming *it, uint32_t memory, uint64_t offset, size_t after) {
    const size_t *entries = it->writers.entries[memory];
    uint64_t place;
    for (size_t i = 0; i < it->writers.counts[memory]; i++) {
        if (entries[i] <= after || it->log->entries[entries[i]].flow == KBR_FLOW_UNDEFINE)
            continue;
        const kbr_entry *entry = &it->log->entries[entries[i]];
        for (uint32_t touch = 0; touch < entry->touch_count; touch++)
            if (entry->touches[touch].view->memory == memory &&
                entry->touches[touch].view->access != KB_ACCESS_READ &&
                kbr_touch_place(&entry->touches[touch], offset, &place))
                return entries[i];
    }
    return KBR_NOWHERE;
}

/* Between two entries, the last op that writes where the reader of a byte reads, though not that byte. */
static size_t written_in_part(const blaming *it, uint32_t memory, uint64_t offset, size_t after,
                              size_t reader) {
    const size_t *entries = it->writers.entries[memory];
    const kbr_entry *by = &it->log->entries[reader];
    const kbr_touch *from = NULL;
    for (uint32_t touch = 0; touch < by->touch_count; touch++)
        if (by->touches[touch].view->memory == memory && by->touches[touch].view->access != KB_ACCESS_WRITE &&
            offset >= by->touches[touch].low && offset < by->touches[touch].high)
            from = &by->touches[touch];
    for (size_t i = it->writers.counts[memory]; i-- > 0 && from != NULL;) {
        const kbr_entry *entry = &it->log->entries[entries[i]];
        if (entries[i] >= reader || entry->flow == KBR_FLOW_UNDEFINE || entry->touch_count == 0)
            continue;
        if (after != KBR_NOWHERE && entries[i] <= after)
            return KBR_NOWHERE;
        const kbr_touch *to = &entry->touches[0];
        if (to->view->memory == memory && to->low < from->high && from->low < to->high)
            return entries[i];
    }
    return KBR_NOWHERE;
}

/* Who should have written: who wrote a part, who does so too late, or who left the bytes undefined. */
static void name_writer(const blaming *it, kbr_finding *finding, uint32_t memory, uint64_t offset,
                        size_t reader) {
    uint64_t place;
    char text[256];
    const char *words = "is the last that wrote some of these bytes, and not all";
    size_t last = kbr_writer_of(&it->writers, memory, offset, reader, &place);
    size_t named = written_in_part(it, memory, offset, last, reader);
    if (named == KBR_NOWHERE) {
        words = "writes them, but only afterwards";
        named = written_later(it, memory, offset, reader);
    }
    if (named == KBR_NOWHERE) {
        words = "left them undefined";
        named = last;
    }
    if (named == KBR_NOWHERE || finding->op_count == 0)
        return;
    add_words(finding, "; %s %s", op_words(it, named, finding->rank, text, sizeof text), words);
    memmove(&finding->ops[2], &finding->ops[1], (KBR_MENTIONS_MAX - 2) * sizeof finding->ops[0]);
    finding->ops[1] = kbr_entry_mention(&it->log->entries[named]);
    if (finding->op_count < KBR_MENTIONS_MAX)
        finding->op_count++;
}

/* Back through copies to the op that first read what nobody had written. */
static void blame_undefined(blaming *it, const kbr_wrong_byte *wrong) {
    kbr_finding *finding = find(it->findings, "init", "undefined", 0);
    size_t reader, writer;
    uint32_t memory = wrong->memory;
    uint64_t offset = wrong->offset, place;
    if (finding == NULL || !kbr_log_find(it->log, wrong->rank, wrong->op, &reader))
        return;
    size_t first = reader;
    while ((writer = kbr_writer_of(&it->writers, memory, offset, reader, &place)) != KBR_NOWHERE &&
           it->log->entries[writer].flow == KBR_FLOW_MOVE) {
        const kbr_touch *from = &it->log->entries[writer].touches[1];
        memory = from->view->memory;
        offset = kbr_touch_offset(from, place);
        reader = writer;
    }
    if (reader != first) {
        accuse(it, finding, reader, "undefined");
        kbr_finding_place(finding, it->pass->defs, memory, offset, 1);
        kbr_finding_say(finding,
                        "it moves undefined bytes, which nothing has written, to where they are used");
    }
    name_writer(it, finding, memory, offset, reader);
}

static kb_status blame_all(blaming *it, const kbr_wrongs *wrongs, kb_trail *trail) {
    KB_TRY(kbr_writers_init(&it->writers, it->log, it->pass->defs, &it->arena, trail));
    if (wrongs->undefined.set)
        blame_undefined(it, &wrongs->undefined);
    for (size_t i = 0; i < wrongs->value_count; i++)
        if (wrongs->values[i].set)
            KB_TRY(blame_value(it, &wrongs->values[i], trail));
    return KB_OK;
}

kb_status kbr_blame(const kbr_pass *pass, const kbr_log *log, const kbr_wrongs *wrongs,
                    kbr_findings *findings, kb_trail *trail) {
    blaming it = {.pass = pass, .log = log, .findings = findings};
    kb_arena_init(&it.arena, pass->alloc, 0);
    kb_status status = log->full ? KB_OK : blame_all(&it, wrongs, trail);
    kb_arena_fini(&it.arena);
    return status;
}
