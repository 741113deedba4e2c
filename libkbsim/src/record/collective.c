/* SPDX-License-Identifier: Apache-2.0 */
/* Collectives as hosts call them: what each kind asks of its tensors, and what its algorithm is given. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bound/bound.h"
#include "coll/algorithms.h"
#include "coll/staged.h"
#include "record/launch.h"

/* --- kinds ----------------------------------------------------------------------------------- */

/* How the tensors of a kind lie; see kbsim/coll.h. */
typedef enum lies {
    IN_PLACE,  /* in = buffer = out */
    SCATTERED, /* in = buffer, out = the rank's chunk */
    GATHERED,  /* in = the rank's chunk, out = buffer */
    APART,     /* in and out are tensors of their own */
    NOWHERE    /* there are none */
} lies;

typedef struct meaning {
    const char *name; /* with its article */
    lies lies;
    bool reduces;
    bool root_gives, root_takes; /* and nobody else */
} meaning;

static const meaning meanings[] = {
    [KB_COLL_ALL_REDUCE] = {"an all-reduce", IN_PLACE, true, false, false},
    [KB_COLL_REDUCE_SCATTER] = {"a reduce-scatter", SCATTERED, true, false, false},
    [KB_COLL_ALL_GATHER] = {"an all-gather", GATHERED, false, false, false},
    [KB_COLL_BROADCAST] = {"a broadcast", IN_PLACE, false, true, false},
    [KB_COLL_REDUCE] = {"a reduce", IN_PLACE, true, false, true},
    [KB_COLL_ALL_TO_ALL] = {"an all-to-all", APART, false, false, false},
    [KB_COLL_BARRIER] = {"a barrier of PEs", NOWHERE, false, false, false},
};

/* --- what is given to it --------------------------------------------------------------------- */

/* A tensor in a memory of the rank's own PE, without gaps, of numbers. */
static bool check_tensor(tl_stream *host, tl_view *view, tl_where where) {
    const kb_defs *defs = &host->program->defs;
    const bool is_tensor = view->queue == KB_NONE && view->scope == 0 && view->memory < defs->memory_count &&
                           defs->memories[view->memory].rank == host->rank &&
                           defs->memories[view->memory].pe != KB_NONE;
    if (!is_tensor || view->dtype == 0 || view->dtype > KB_DTYPE_I32) {
        kbs_mistake(
            host, where,
            "a collective works on a tensor of numbers in a memory of this rank's PE, and this is none");
        return false;
    }
    return kbs_view_straighten(host, view, "tensor of a collective", where);
}

/* Input and output of an all-to-all; false after a mistake. */
static bool check_apart(tl_stream *host, kb_coll *c, tl_where where) {
    if (!check_tensor(host, &c->in, where) || !check_tensor(host, &c->out, where))
        return false;
    const uint64_t wanted = kbs_coll_share(c->in.elements, c->ranks, c->rank) * c->ranks;
    const uint64_t size = kb_dtype_size(c->in.dtype);
    if (c->out.dtype != c->in.dtype || c->out.elements != wanted) {
        kbs_mistake(host, where,
                    "an all-to-all of %" PRIu64 " x %s gives rank %u of %u %" PRIu64
                    " elements of the same, and the tensor for them has %" PRIu64 " x %s",
                    c->in.elements, kb_word_name(KB_VOC_DTYPE, c->in.dtype), c->rank, c->ranks, wanted,
                    c->out.elements, kb_word_name(KB_VOC_DTYPE, c->out.dtype));
        return false;
    }
    if (c->in.memory == c->out.memory && c->in.offset_bytes < c->out.offset_bytes + wanted * size &&
        c->out.offset_bytes < c->in.offset_bytes + c->in.elements * size) {
        kbs_mistake(host, where, "an all-to-all is not done in place: its two tensors overlap");
        return false;
    }
    return true;
}

/* The tensors, and what of them is input and output; false after a mistake. */
static bool lay_out(tl_stream *host, const kb_coll_call *call, kb_coll *c, tl_where where) {
    static const tl_view nothing = {.memory = KB_NONE, .queue = KB_NONE, .dims = 1, .stride = {1}};
    const lies lie = meanings[c->kind].lies;
    c->buffer = lie == IN_PLACE || lie == SCATTERED || lie == GATHERED ? call->buffer : nothing;
    c->in = lie == APART ? call->in : c->buffer;
    c->out = lie == APART ? call->out : c->buffer;
    c->dtype = lie == NOWHERE ? KB_DTYPE_BYTES : c->in.dtype;
    if (lie == APART)
        return check_apart(host, c, where);
    if (lie == NOWHERE)
        return true;
    if (!check_tensor(host, &c->buffer, where))
        return false;
    if (lie == GATHERED && c->buffer.elements % c->ranks != 0) {
        kbs_mistake(host, where,
                    "an all-gather's tensor holds as many elements of each rank, and %" PRIu64
                    " cannot be shared by %u",
                    c->buffer.elements, c->ranks);
        return false;
    }
    c->in = lie == GATHERED ? chunk(c, 0) : c->buffer;
    c->out = lie == SCATTERED ? chunk(c, 0) : c->buffer;
    if (meanings[c->kind].root_takes && c->rank != c->root)
        c->out = kbs_view_part(&c->buffer, 0, 0);
    return kbs_is_ok(host);
}

static bool check_call(tl_stream *host, const kb_coll_call *call, uint32_t ranks, tl_where where) {
    const meaning *means = &meanings[call->kind];
    if (means->reduces && (call->reduce <= KB_REDUCE_NONE || call->reduce > KB_REDUCE_MAX))
        kbs_mistake(host, where, "%s by no op: it is KB_REDUCE_SUM, _PROD, _MIN or _MAX", means->name);
    else if (call->root >= ranks)
        kbs_mistake(host, where, "there is no rank %u to be the root of %s: the group has %u", call->root,
                    means->name, ranks);
    return kbs_is_ok(host);
}

/* By name, or as it was given; NULL after a mistake. */
static const kbs_algorithm *find_algorithm(tl_stream *host, const kb_coll_call *call, tl_where where) {
    kbs_program *program = host->program;
    const kbs_algorithm *algorithm = call->algorithm;
    if (algorithm == NULL && call->name != NULL) {
        const kb_status status =
            kbs_program_algorithm(program, call->kind, call->name, &algorithm, &program->trail);
        if (status != KB_OK)
            kbs_trouble(host, where, status);
    } else if (algorithm == NULL || algorithm->record == NULL || algorithm->name == NULL ||
               algorithm->collective != call->kind) {
        kbs_mistake(host, where, "%s by no algorithm that could do it", meanings[call->kind].name);
    }
    return kbs_is_ok(host) ? algorithm : NULL;
}

/* --- do ranks agree? ------------------------------------------------------------------------- */

/* "10 x f16 by sum, root 2" */
static const char *what_of(const kbs_call *call, char buffer[96]) {
    const meaning *means = &meanings[call->kind];
    int length =
        snprintf(buffer, 96, "%" PRIu64 " x %s", call->elements, kb_word_name(KB_VOC_DTYPE, call->dtype));
    if (means->reduces)
        length += snprintf(buffer + length, 96 - (size_t)length, " by %s",
                           kb_word_name(KB_VOC_REDUCE, call->reduce));
    if (means->root_gives || means->root_takes)
        snprintf(buffer + length, 96 - (size_t)length, ", root %u", call->root);
    return buffer;
}

/* What the group's first rank asked for is what all of its ranks ask for; false after a mistake. */
static bool agree(tl_stream *host, kbs_call *first, const kb_coll *c, tl_where where) {
    kbs_call mine = *first;
    char here[96], there[96];
    mine.elements = meanings[c->kind].lies == APART      ? c->in.elements
                    : meanings[c->kind].lies == GATHERED ? c->buffer.elements / c->ranks
                                                         : c->buffer.elements;
    mine.dtype = c->dtype;
    mine.reduce = c->reduce;
    mine.root = c->root;
    mine.member_where = where;
    if (c->rank == 0)
        *first = mine;
    if (mine.elements == first->elements && mine.dtype == first->dtype && mine.reduce == first->reduce &&
        mine.root == first->root)
        return true;
    kbs_mistake_of(host, KBS_CHECK_CALLS, where,
                   "%s number %" PRIu64 " is of %s here, and of %s in rank %u (%s:%u)", kbs_call_kind(first),
                   host->launches, what_of(&mine, here), what_of(first, there),
                   host->program->defs.groups[first->group].ranks[0], kbs_base_name(first->member_where.file),
                   first->member_where.line);
    return false;
}

/* --- recording ------------------------------------------------------------------------------- */

/* The rank enters or leaves: a read of its part. */
static void record_end(tl_stream *stream, kb_kind kind, const kb_part *part, uint32_t dtype, tl_where where) {
    const bool enters = kind == KB_OP_COLL_BEGIN;
    const uint64_t elements = enters ? part->input_count : part->output_count;
    const uint64_t offset_bytes = enters ? part->input_offset_bytes : part->output_offset_bytes;
    kbs_common common;
    stream->step = KB_NONE;
    stream->step_number = 0;
    kbs_common_init(stream, &common, kind, KB_BLOCKS_DONE, where);
    if (elements > 0) {
        common.operand_count = 1;
        common.operands[0] =
            kb_operand_vector(enters ? part->input : part->output, KB_ACCESS_READ, (uint8_t)dtype, elements);
    }
    kbs_append(stream, &common, &offset_bytes, 0);
}

static kb_part part_of(const tl_stream *host, const kb_coll *c) {
    kb_part part = {.rank = host->rank,
                    .stream = kbs_pe_stream(host->program, host->rank),
                    .input = c->in.memory,
                    .output = c->out.memory,
                    .input_offset_bytes = c->in.offset_bytes,
                    .output_offset_bytes = c->out.offset_bytes,
                    .input_count = c->in.elements,
                    .output_count = c->out.elements};
    if (meanings[c->kind].root_gives && c->rank != c->root)
        part.input_count = 0;
    return part;
}

/* What the rank's PE does for it. */
static void record(tl_stream *host, const kbs_call *call, kb_coll *c, const kbs_algorithm *algorithm,
                   tl_where where) {
    const kbs_call made = {.name = call->name, .where = where, .group = call->group};
    const kb_part *part = &call->parts[c->rank];
    const uint32_t collective = call->collective;
    tl_stream *stream = kbs_call_begin(host, &made, false);
    if (stream == NULL)
        return;
    stream->collective = collective + 1;
    stream->group = made.group;
    stream->reduce = c->reduce;
    c->stream = stream;
    record_end(stream, KB_OP_COLL_BEGIN, part, c->dtype, where);
    kbs_coll_record(c, algorithm, where);
    record_end(stream, KB_OP_COLL_END, part, c->dtype, where);
    stream->collective = 0;
    stream->group = KB_NONE;
    kbs_call_end(host, stream, where);
}

void kb_collective_at(tl_stream *host, const kb_coll_call *call, tl_where where) {
    kbs_program *program = host->program;
    const kb_group *group;
    kbs_call made = {.kind = call->kind, .where = where};
    made.group = call->group != NULL ? call->group->id : program->group;
    if (!kbs_is_host(host, meanings[call->kind].name, where) ||
        !kbs_check_group(host, made.group, meanings[call->kind].name, where))
        return;
    group = &program->defs.groups[made.group];
    const uint32_t ranks = (uint32_t)group->rank_count;
    const kbs_algorithm *algorithm = find_algorithm(host, call, where);
    if (algorithm == NULL || !check_call(host, call, ranks, where))
        return;
    const kb_status status = kbs_algorithm_serves(algorithm, ranks, &program->trail);
    if (status != KB_OK) {
        kbs_trouble(host, where, status);
        return;
    }
    made.name = algorithm->name;
    kbs_call *first = kbs_call_match(host, &made);
    if (first == NULL)
        return;
    if (!kbs_group_has(group, host->rank)) {
        host->launches++; /* which passes it by */
        return;
    }
    kb_coll c = {.stream = host,
                 .rank = kbs_group_position(group, host->rank),
                 .ranks = ranks,
                 .kind = call->kind,
                 .reduce = meanings[call->kind].reduces ? call->reduce : KB_REDUCE_NONE,
                 .root = call->root};
    if (!lay_out(host, call, &c, where) || !agree(host, first, &c, where))
        return;
    first->parts[c.rank] = part_of(host, &c);
    record(host, first, &c, algorithm, where);
}

/* --- definitions ----------------------------------------------------------------------------- */

kb_status kbs_define_collectives(kbs_program *program, kb_trail *trail) {
    for (size_t i = 0; i < program->call_count; i++) {
        const kbs_call *call = &program->calls[i];
        if (call->kernel != NULL)
            continue;
        const meaning *means = &meanings[call->kind];
        kb_collective row = {.kind = call->kind,
                             .group = call->group,
                             .reduce = call->reduce,
                             .dtype = call->dtype,
                             .elements = call->elements,
                             .root = means->root_gives || means->root_takes ? call->root : KB_NONE,
                             .parts = call->parts,
                             .part_count = program->defs.groups[call->group].rank_count};
        uint32_t id;
        kbs_bound bound;
        KB_TRY(kb_defs_intern(&program->defs, call->name, &row.algorithm, trail));
        KB_TRY(kbs_bound_find(program, &row, &bound, trail));
        row.bound_ps = bound.ps;
        row.cut = bound.cut;
        KB_TRY(kb_defs_add_collective(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}
