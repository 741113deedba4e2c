/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: what a collective leaves in its outputs is its inputs, reduced in f64, whatever the algorithm.
 *
 * As a stream enters, its part of the input is folded into one expected value an element; as a stream
 * leaves, its part of the output is compared. An output that is left before all inputs have come is
 * kept until they have. All wrong elements of one collective are one finding.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "fold/fold.h"
#include "op/access.h"
#include "reference.h"
#include "wrong.h"

enum { BLOCK = 16384 }; /* elements folded or compared at once */

enum { BEGUN = 1, ENDED = 2 };

/* An output that was left before all inputs had come. */
typedef struct late {
    struct late *next;
    uint32_t part;
    kbr_mention end;
    uint64_t size;
    uint8_t bytes[];
} late;

typedef struct comparing {
    bool known; /* what it means is known and all parts fit */
    bool opened;
    kbr_reference reference;
    uint32_t size_bytes; /* of an element */
    kbr_fold *fold;
    uint8_t *parts;      /* BEGUN, ENDED, by part */
    kbr_mention *begins; /* by part */
    size_t awaited;      /* parts with inputs that have not begun */
    size_t ended;
    late *late;
    uint64_t wrong, compared, unjudged;
    kbr_extreme worst;
    kbr_wrong_value first;
    kbr_verdict first_verdict;
    kbr_mention first_end;
} comparing;

/* The ops of one collective come one after another, so each item is only ever in one hand. */
typedef struct values {
    kbr_pass *pass;   /* the walk's; that of whoever runs an op, while it runs */
    comparing *items; /* [collectives] */
} values;

static kb_status open_values(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    size_t count = pass->defs->collective_count;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(values) + count * sizeof(comparing), &block, trail));
    values *it = block;
    it->pass = pass;
    it->items = (comparing *)(it + 1);
    *ret_state = it;
    return KB_OK;
}

static void forget(const kbr_pass *pass, comparing *it, uint32_t id) {
    kbr_fold_destroy(it->fold);
    kb_delete(pass->alloc, it->parts, pass->defs->collectives[id].part_count);
    kb_delete(pass->alloc, it->begins, pass->defs->collectives[id].part_count * sizeof(kbr_mention));
    while (it->late != NULL) {
        late *next = it->late->next;
        kb_delete(pass->alloc, it->late, sizeof *it->late + it->late->size);
        it->late = next;
    }
    it->fold = NULL;
    it->parts = NULL;
    it->begins = NULL;
}

static void close_values(void *state, const kb_alloc *alloc) {
    values *it = state;
    for (uint32_t id = 0; id < it->pass->defs->collective_count; id++)
        forget(it->pass, &it->items[id], id);
    kb_delete(alloc, it, sizeof *it + it->pass->defs->collective_count * sizeof(comparing));
}

/* --- what a collective is made of -------------------------------------------------------------- */

static bool part_fits(const kbr_pass *pass, const kbr_reference *reference, const kb_part *part) {
    const kb_defs *defs = pass->defs;
    uint32_t position, size = kb_dtype_size(reference->collective->dtype);
    if (part->stream >= defs->stream_count || defs->streams[part->stream].rank != part->rank ||
        !kbr_reference_position(defs, reference->collective, part->rank, &position))
        return false;
    const struct {
        uint32_t memory;
        uint64_t offset, first, count;
    } sides[2] = {{part->input, part->input_offset_bytes, part->input_first, part->input_count},
                  {part->output, part->output_offset_bytes, part->output_first, part->output_count}};
    for (int i = 0; i < 2; i++) {
        if (sides[i].count == 0)
            continue;
        if (sides[i].memory >= defs->memory_count ||
            sides[i].offset > defs->memories[sides[i].memory].size_bytes ||
            sides[i].count > (defs->memories[sides[i].memory].size_bytes - sides[i].offset) / size)
            return false;
        uint64_t all = i == 0 ? reference->collective->elements : kbr_reference_outputs(reference, position);
        if (i == 1 && all == 0) /* an output that the collective leaves alone */
            continue;
        if (sides[i].first > all || sides[i].count > all - sides[i].first)
            return false;
    }
    return true;
}

/* Inputs of a member that count, and must therefore be folded. */
static bool part_counts(const kbr_pass *pass, const kbr_reference *reference, const kb_part *part) {
    uint32_t position;
    return part->input_count != 0 &&
           kbr_reference_position(pass->defs, reference->collective, part->rank, &position) &&
           kbr_reference_inputs(reference, position) != 0;
}

/* Do the parts bring every input that counts and hold every output? */
static bool parts_cover(const kbr_pass *pass, const kbr_reference *reference) {
    const kb_collective *collective = reference->collective;
    uint64_t inputs = 0, outputs = 0, inputs_want = 0, outputs_want = 0;
    for (size_t i = 0; i < collective->part_count; i++) {
        const kb_part *part = &collective->parts[i];
        uint32_t position;
        if (!part_fits(pass, reference, part) ||
            !kbr_reference_position(pass->defs, collective, part->rank, &position))
            return false;
        if (kbr_reference_inputs(reference, position) != 0)
            inputs += part->input_count;
        if (kbr_reference_outputs(reference, position) != 0)
            outputs += part->output_count;
    }
    for (uint32_t position = 0; position < reference->ranks; position++) {
        inputs_want += kbr_reference_inputs(reference, position);
        outputs_want += kbr_reference_outputs(reference, position);
    }
    return inputs == inputs_want && outputs == outputs_want;
}

/* A barrier has no elements, and so no dtype that had to be understood. */
static bool is_of_numbers(const kb_collective *collective) {
    return kbr_dtype_of(collective->dtype) != NULL;
}

static kb_status new_arrays(values *it, comparing *into, uint32_t id, kb_trail *trail) {
    const kb_collective *collective = &it->pass->defs->collectives[id];
    kbr_fold_plan plan = {.kernels = it->pass->kernels,
                          .reduce =
                              collective->reduce >= KB_REDUCE_NONE ? collective->reduce : KB_REDUCE_NONE,
                          .dtype = is_of_numbers(collective) ? collective->dtype : KB_DTYPE_I8,
                          .inputs = into->reference.inputs,
                          .count = into->reference.count,
                          .limit_size = it->pass->limit_size};
    void *block;
    KB_TRY(kbr_fold_create(&plan, it->pass->alloc, &into->fold, trail));
    KB_TRY(kb_new_zeroed(it->pass->alloc, collective->part_count, &block, trail));
    into->parts = block;
    KB_TRY(kb_new_zeroed(it->pass->alloc, collective->part_count * sizeof(kbr_mention), &block, trail));
    into->begins = block;
    into->size_bytes = kb_dtype_size(collective->dtype);
    return KB_OK;
}

static kb_status open_collective(values *it, uint32_t id, kb_trail *trail) {
    comparing *into = &it->items[id];
    const kb_collective *collective = &it->pass->defs->collectives[id];
    into->opened = true;
    bool known =
        collective->reduce <= KB_REDUCE_MAX &&
        kbr_reference_init(&into->reference, it->pass->defs, collective) &&
        (is_of_numbers(collective) || (into->reference.count == 0 && collective->dtype == KB_DTYPE_BYTES)) &&
        parts_cover(it->pass, &into->reference);
    if (!known)
        return KB_OK;
    KB_TRY(new_arrays(it, into, id, trail));
    into->known = true;
    for (size_t i = 0; i < collective->part_count; i++)
        into->awaited += part_counts(it->pass, &into->reference, &collective->parts[i]);
    return KB_OK;
}

/* --- findings that are not about a value ------------------------------------------------------- */

static void tell(values *it, const char *rule, uint32_t rank, const kb_op *op, uint32_t id,
                 const char *message) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "value", rule, rank, op);
    finding.key = id;
    const char *kind = kb_word_name(KB_VOC_COLL, it->pass->defs->collectives[id].kind);
    kbr_finding_say(&finding, "%s %" PRIu32 ": %s", kind != NULL ? kind : "collective", id, message);
    kbr_findings_add(it->pass->findings, &finding);
}

/* The stream's part; NULL, and told, where there is none or the op does not name it. */
static const kb_part *part_of(values *it, uint32_t rank, const kb_op *op, uint32_t id, bool input,
                              size_t *ret_part) {
    const kb_collective *collective = &it->pass->defs->collectives[id];
    size_t at = 0;
    while (at < collective->part_count &&
           (collective->parts[at].stream != op->what->stream || collective->parts[at].rank != rank))
        at++;
    if (at == collective->part_count) {
        tell(it, "part", rank, op, id, "its stream has no part in it");
        return NULL;
    }
    const kb_part *part = &collective->parts[at];
    uint64_t count = input ? part->input_count : part->output_count, named = 0;
    bool same = true;
    for (uint32_t i = 0; i < op->what->operand_count; i++) {
        const kb_operand *operand = &op->what->operands[i];
        named += kb_operand_elements(operand);
        same = same && (i != 0 || count == 0 ||
                        (operand->memory == (input ? part->input : part->output) &&
                         op->offsets[0] == (input ? part->input_offset_bytes : part->output_offset_bytes)));
    }
    if (!same || named != count) {
        tell(it, "part", rank, op, id, "it does not name its stream's part, as the collective declares it");
        return NULL;
    }
    *ret_part = at;
    return part;
}

/* --- comparing --------------------------------------------------------------------------------- */

static void note_wrong(values *it, uint32_t id, uint32_t part, uint64_t element, const kbr_verdict *verdict,
                       const kbr_mention *end) {
    comparing *into = &it->items[id];
    kbr_wrong_value wrong = {true, id, part, element, end->rank, end->index};
    bool first = into->wrong == 0 || wrong.rank < into->first.rank ||
                 (wrong.rank == into->first.rank && element < into->first.element);
    into->wrong++;
    if (!first)
        return;
    into->first = wrong;
    into->first_verdict = *verdict;
    into->first_end = *end;
    kbr_wrongs_offer_value(it->pass->wrongs, &wrong);
}

/* Where the elements that are compared at once belong. */
typedef struct place {
    values *it;
    uint32_t id, part;
    uint64_t element;
    const kbr_mention *end;
} place;

static void tell_wrong(void *user, uint64_t number, const kbr_verdict *verdict) {
    const place *at = user;
    note_wrong(at->it, at->id, at->part, at->element + number, verdict, at->end);
}

/* `bytes` are `count` elements of the part's output from its element `first` on. */
static kb_status compare(values *it, uint32_t id, uint32_t part, uint64_t first, const uint8_t *bytes,
                         uint64_t count, const kbr_mention *end, kb_trail *trail) {
    comparing *into = &it->items[id];
    const kb_part *here = &into->reference.collective->parts[part];
    uint32_t position;
    KB_TRY(kbr_fold_close(into->fold, trail));
    if (!kbr_reference_position(it->pass->defs, into->reference.collective, here->rank, &position))
        return KB_OK;
    for (uint64_t done = 0, some; done < count; done += some) {
        place at = {it, id, part, here->output_first + first + done, end};
        kbr_comparison comparison = {
            .worst = into->worst, .unjudged = into->unjudged, .wrong = tell_wrong, .user = &at};
        uint64_t reference = kbr_reference_run_of_output(&into->reference, position, at.element, &some);
        some = some < count - done ? some : count - done;
        kbr_fold_compare(into->fold, reference, bytes + done * into->size_bytes, some, &comparison);
        into->worst = comparison.worst;
        into->unjudged = comparison.unjudged;
    }
    into->compared += count;
    return KB_OK;
}

static kb_status compare_late(values *it, uint32_t id, kb_trail *trail) {
    comparing *into = &it->items[id];
    kb_status status = KB_OK;
    while (into->late != NULL && status == KB_OK) {
        late *now = into->late;
        into->late = now->next;
        status = compare(it, id, now->part, 0, now->bytes, now->size / into->size_bytes, &now->end, trail);
        kb_delete(it->pass->alloc, now, sizeof *now + now->size);
    }
    return status;
}

static kb_status read_part(values *it, uint32_t memory, uint64_t offset, const comparing *into,
                           uint64_t count, uint8_t *bytes, kb_trail *trail) {
    uint32_t dtype = into->reference.collective->dtype;
    kb_operand view = kb_operand_vector(memory, KB_ACCESS_READ, (uint8_t)dtype, count);
    return kbr_gather(it->pass, &view, offset, bytes, NULL, trail);
}

static kb_status keep_late(values *it, uint32_t id, uint32_t part, const kbr_mention *end, kb_trail *trail) {
    comparing *into = &it->items[id];
    const kb_part *here = &into->reference.collective->parts[part];
    uint64_t size = here->output_count * into->size_bytes;
    void *block;
    KB_TRY(kb_new(it->pass->alloc, sizeof(late) + size, &block, trail));
    late *now = block;
    *now = (late){.next = into->late, .part = part, .end = *end, .size = size};
    into->late = now;
    return read_part(it, here->output, here->output_offset_bytes, into, here->output_count, now->bytes,
                     trail);
}

/* --- entering and leaving ---------------------------------------------------------------------- */

static kb_status enter(values *it, uint32_t rank, const kb_op *op, uint32_t id, kb_trail *trail) {
    comparing *into = &it->items[id];
    if (!into->opened)
        KB_TRY(open_collective(it, id, trail));
    size_t number;
    const kb_part *part = part_of(it, rank, op, id, true, &number);
    if (!into->known || part == NULL)
        return KB_OK;
    if ((into->parts[number] & BEGUN) != 0) {
        tell(it, "entry", rank, op, id, "its stream enters it twice");
        return KB_OK;
    }
    into->parts[number] |= BEGUN;
    into->begins[number] = kbr_mention_of(rank, op);
    if (!part_counts(it->pass, &into->reference, part))
        return KB_OK;
    uint32_t position = 0, size = into->size_bytes;
    (void)kbr_reference_position(it->pass->defs, into->reference.collective, rank, &position);
    uint8_t *bytes;
    KB_TRY(kbr_pass_buffer(it->pass, 0, (uint64_t)BLOCK * size, &bytes, trail));
    for (uint64_t done = 0; done < part->input_count;) {
        uint64_t count = part->input_count - done < BLOCK ? part->input_count - done : BLOCK;
        KB_TRY(read_part(it, part->input, part->input_offset_bytes + done * size, into, count, bytes, trail));
        uint64_t first = kbr_reference_of_input(&into->reference, position, part->input_first + done);
        KB_TRY(kbr_fold_take(into->fold, first, bytes, count, trail));
        done += count;
    }
    return --into->awaited == 0 ? compare_late(it, id, trail) : KB_OK;
}

static kb_status leave(values *it, uint32_t rank, const kb_op *op, uint32_t id, kb_trail *trail) {
    comparing *into = &it->items[id];
    if (!into->opened)
        KB_TRY(open_collective(it, id, trail));
    size_t number;
    const kb_part *part = part_of(it, rank, op, id, false, &number);
    if (!into->known || part == NULL)
        return KB_OK;
    if ((into->parts[number] & ENDED) != 0 || (into->parts[number] & BEGUN) == 0) {
        tell(it, "exit", rank, op, id, "its stream leaves it without having entered, or twice");
        return KB_OK;
    }
    into->parts[number] |= ENDED;
    into->ended++;
    uint32_t position, size = into->size_bytes;
    if (!kbr_reference_position(it->pass->defs, into->reference.collective, rank, &position) ||
        kbr_reference_outputs(&into->reference, position) == 0)
        return KB_OK;
    kbr_mention end = kbr_mention_of(rank, op);
    if (into->awaited != 0)
        return keep_late(it, id, (uint32_t)number, &end, trail);
    uint8_t *bytes;
    KB_TRY(kbr_pass_buffer(it->pass, 0, (uint64_t)BLOCK * size, &bytes, trail));
    for (uint64_t done = 0; done < part->output_count;) {
        uint64_t count = part->output_count - done < BLOCK ? part->output_count - done : BLOCK;
        KB_TRY(
            read_part(it, part->output, part->output_offset_bytes + done * size, into, count, bytes, trail));
        KB_TRY(compare(it, id, (uint32_t)number, done, bytes, count, &end, trail));
        done += count;
    }
    return KB_OK;
}

static kb_status touch_values(void *state, kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const values *all = state;
    values here = {.pass = pass, .items = all->items}, *it = &here;
    bool begins = op->what->kind == KB_OP_COLL_BEGIN;
    if (!begins && op->what->kind != KB_OP_COLL_END)
        return KB_OK;
    if (op->collective == 0) {
        kbr_finding finding = kbr_finding_about(it->pass->defs, "value", "part", rank, op);
        kbr_finding_say(&finding, "it names no collective");
        kbr_findings_add(it->pass->findings, &finding);
        return KB_OK;
    }
    uint32_t id = (uint32_t)(op->collective - 1);
    return begins ? enter(it, rank, op, id, trail) : leave(it, rank, op, id, trail);
}

/* --- at the end -------------------------------------------------------------------------------- */

static void report(values *it, uint32_t id) {
    const comparing *from = &it->items[id];
    const kb_defs *defs = it->pass->defs;
    const kb_part *part = &from->reference.collective->parts[from->first.part];
    const kbr_verdict *verdict = &from->first_verdict;
    kbr_finding finding = kbr_finding_about(defs, "value", "wrong", from->first.rank, NULL);
    finding.key = id;
    finding.count = from->wrong;
    finding.pe = defs->streams[part->stream].pe;
    finding.time_ps = from->first_end.time_ps;
    kbr_finding_mention(&finding, &from->first_end);
    uint64_t offset =
        part->output_offset_bytes + (from->first.element - part->output_first) * from->size_bytes;
    kbr_finding_place(&finding, defs, part->output, offset, from->size_bytes);
    if (!kbr_regions_element(it->pass->regions, part->output, offset, &finding.tensor, &finding.element))
        finding.element = from->first.element;
    const char *kind = kb_word_name(KB_VOC_COLL, from->reference.collective->kind);
    char bound[48] = "";
    if (verdict->bound > 0.0)
        snprintf(bound, sizeof bound, " within %.9g", verdict->bound);
    kbr_finding_say(&finding, "%s %" PRIu32 ": element %" PRIu64 " is %.9g, and should be %.9g%s", kind, id,
                    from->first.element, verdict->got, verdict->expected, bound);
    kbr_findings_add(it->pass->findings, &finding);
}

/* In a whole trace every stream that has a part enters and leaves. */
static void report_absent(values *it, uint32_t id) {
    const comparing *from = &it->items[id];
    const kb_collective *collective = from->reference.collective;
    for (size_t i = 0; i < collective->part_count; i++) {
        if ((from->parts[i] & ENDED) != 0)
            continue;
        bool begun = (from->parts[i] & BEGUN) != 0;
        kbr_finding finding = kbr_finding_about(it->pass->defs, "value", begun ? "exit" : "entry",
                                                collective->parts[i].rank, NULL);
        finding.key = id;
        finding.pe = it->pass->defs->streams[collective->parts[i].stream].pe;
        if (begun) {
            finding.time_ps = from->begins[i].time_ps;
            kbr_finding_mention(&finding, &from->begins[i]);
        }
        kbr_finding_say(
            &finding, "%s %" PRIu32 ": stream %s never %s it", kb_word_name(KB_VOC_COLL, collective->kind),
            id, it->pass->defs->streams[collective->parts[i].stream].name, begun ? "leaves" : "enters");
        kbr_findings_add(it->pass->findings, &finding);
    }
}

/* What was counted collective by collective, in the order of their ids. */
static void add_up(values *it) {
    kbr_result *result = it->pass->result;
    kbr_extreme worst = {0.0, 0.0, 0.0};
    for (uint32_t id = 0; id < it->pass->defs->collective_count; id++) {
        result->collectives += it->items[id].opened;
        result->compared += it->items[id].compared;
        kbr_extreme_keep(&worst, it->items[id].worst);
    }
    result->worst_error = worst.error;
    result->bound = worst.bound;
}

static kb_status finish_values(void *state, kb_trail *trail) {
    (void)trail;
    values *it = state;
    add_up(it);
    for (uint32_t id = 0; id < it->pass->defs->collective_count; id++) {
        comparing *from = &it->items[id];
        size_t parts = it->pass->defs->collectives[id].part_count;
        if (from->wrong != 0)
            report(it, id);
        if (from->known && it->pass->complete)
            report_absent(it, id);
        if (!from->opened || !from->known)
            kbr_pass_unchecked(it->pass, "value: collective %" PRIu32 " was not compared: %s", id,
                               from->opened ? "its kind, dtype or parts are not understood"
                                            : "nobody entered it");
        else if (from->ended < parts || from->late != NULL)
            kbr_pass_unchecked(it->pass,
                               "value: of collective %" PRIu32 " only %zu of %zu parts came to an end%s", id,
                               from->ended, parts, from->late != NULL ? ", before all inputs had come" : "");
        else if (from->unjudged != 0)
            kbr_pass_unchecked(it->pass,
                               "value: %" PRIu64 " elements of collective %" PRIu32
                               " may overflow, or have no bound",
                               from->unjudged, id);
    }
    return KB_OK;
}

const kbr_check kbr_check_value = {
    .open = open_values, .touch = touch_values, .finish = finish_values, .close = close_values};
