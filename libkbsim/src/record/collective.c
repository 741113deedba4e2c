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
    /*
     * Among ranks of several PEs each PE does it with those of its number on its share of the tensors. Where
     * that is no block of the rank's own elements, they are as many collectives to the trace.
     */
    bool is_many;
} meaning;

static const meaning meanings[] = {
    [KB_COLL_ALL_REDUCE] = {"an all-reduce", IN_PLACE, true, false, false, false},
    [KB_COLL_REDUCE_SCATTER] = {"a reduce-scatter", SCATTERED, true, false, false, true},
    [KB_COLL_ALL_GATHER] = {"an all-gather", GATHERED, false, false, false, true},
    [KB_COLL_BROADCAST] = {"a broadcast", IN_PLACE, false, true, false, false},
    [KB_COLL_REDUCE] = {"a reduce", IN_PLACE, true, false, true, false},
    [KB_COLL_ALL_TO_ALL] = {"an all-to-all", APART, false, false, false, true},
    [KB_COLL_BARRIER] = {"a barrier of PEs", NOWHERE, false, false, false, true},
};

/* --- what is given to it --------------------------------------------------------------------- */

/* A tensor in a memory of that PE of the rank's, without gaps, of numbers. */
static bool check_tensor(tl_stream *host, uint32_t pe, tl_view *view, tl_where where) {
    const kb_defs *defs = &host->program->defs;
    const bool is_tensor = view->queue == KB_NONE && view->scope == 0 && view->memory < defs->memory_count &&
                           defs->memories[view->memory].rank == host->rank &&
                           defs->memories[view->memory].pe == pe;
    if (!is_tensor || view->dtype == 0 || view->dtype > KB_DTYPE_I32) {
        kbs_mistake(
            host, where,
            "a collective works on a tensor of numbers in a memory of this rank's PE, and this is none");
        return false;
    }
    return kbs_view_straighten(host, view, "tensor of a collective", where);
}

/* Input and output of an all-to-all; false after a mistake. */
static bool check_apart(tl_stream *host, uint32_t pe, kb_coll *c, tl_where where) {
    if (!check_tensor(host, pe, &c->in, where) || !check_tensor(host, pe, &c->out, where))
        return false;
    const uint64_t wanted = kbs_coll_share(c->in.elements, c->ranks, c->rank) * c->ranks;
    const uint64_t size = kb_dtype_size(c->in.dtype);
    if (c->out.dtype != c->in.dtype || c->out.elements != wanted) {
        kbs_mistake(host, where,
                    "an all-to-all of %" PRIu64 " x %s among %u ranks gives %" PRIu64
                    " to rank %u, a block from each, and the tensor for them has %" PRIu64 " x %s",
                    c->in.elements, kb_word_name(KB_VOC_DTYPE, c->in.dtype), c->ranks, wanted, c->rank,
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

/* What of the tensors lies on a PE of the rank, and what of that it gives and gets; false after a mistake. */
static bool lay_out(tl_stream *host, const kb_coll_call *call, uint32_t pe, kb_coll *c, tl_where where) {
    static const tl_view nothing = {.memory = KB_NONE, .queue = KB_NONE, .dims = 1, .stride = {1}};
    const lies lie = meanings[c->kind].lies;
    c->buffer = c->in = c->out = nothing;
    if (lie == APART) {
        c->in = tl_part_of_at(host, call->in, pe, where);
        c->out = tl_part_of_at(host, call->out, pe, where);
    } else if (lie != NOWHERE) {
        c->in = c->out = c->buffer = tl_part_of_at(host, call->buffer, pe, where);
    }
    c->dtype = lie == NOWHERE ? KB_DTYPE_BYTES : c->in.dtype;
    if (lie == APART)
        return check_apart(host, host->pe + pe, c, where);
    if (lie == NOWHERE)
        return true;
    if (!check_tensor(host, host->pe + pe, &c->buffer, where))
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

/* Of a rank's elements, as the kind counts them, those of one PE. */
static uint64_t elements_of(const kb_coll *c) {
    const lies lie = meanings[c->kind].lies;
    if (lie == APART)
        return c->in.elements;
    return lie == GATHERED ? c->buffer.elements / c->ranks : c->buffer.elements;
}

/* What the group's first rank asked for is what all of its ranks ask for; false after a mistake. */
static bool agree(tl_stream *host, kbs_call *first, const kb_coll *c, uint64_t elements, tl_where where) {
    kbs_call mine = *first;
    char here[96], there[96];
    mine.elements = elements;
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

/* The same of what lies on a PE: a tensor may be cut otherwise. */
static bool agree_on_part(tl_stream *host, const kbs_call *first, const kb_coll *c, uint32_t pe,
                          tl_where where) {
    const uint32_t pes = host->program->rank_pes;
    const uint64_t mine = elements_of(c), theirs = first->shares[pe];
    if (mine == theirs)
        return true;
    kbs_mistake(host, where,
                "%s number %" PRIu64 " is of %" PRIu64 " elements on PE %u of %u here, and of %" PRIu64
                " in rank %u (%s:%u): their tensors are cut otherwise",
                kbs_call_kind(first), host->launches, mine, pe, pes, theirs,
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

/* `first` elements of the rank lie on the PEs before this one. */
static kb_part part_of(const tl_stream *host, const kb_coll *c, uint32_t pe, uint64_t first) {
    kb_part part = {.rank = host->rank,
                    .stream = kbs_pe_stream(host->program, host->pe + pe),
                    .input = c->in.memory,
                    .output = c->out.memory,
                    .input_offset_bytes = c->in.offset_bytes,
                    .output_offset_bytes = c->out.offset_bytes,
                    .input_count = c->in.elements,
                    .output_count = c->out.elements};
    if (!meanings[c->kind].is_many) {
        part.input_first = part.input_count > 0 ? first : 0;
        part.output_first = part.output_count > 0 ? first : 0;
    }
    if (meanings[c->kind].root_gives && c->rank != c->root)
        part.input_count = part.input_first = 0;
    return part;
}

/* What a PE of the rank does for it. */
static void record(tl_stream *host, const kbs_call *call, uint32_t pe, kb_coll *c,
                   const kbs_algorithm *algorithm, tl_where where) {
    const kbs_call made = {.name = call->name, .where = where, .group = call->group};
    const kb_part *part = &call->parts[c->rank * host->program->rank_pes + pe];
    const uint32_t collective = call->collective + (call->collectives > 1 ? pe : 0);
    tl_stream *stream = kbs_call_begin(host, &made, pe);
    if (stream == NULL)
        return;
    stream->collective = collective + 1;
    stream->group = made.group;
    stream->reduce = c->reduce;
    c->stream = stream;
    record_end(stream, KB_OP_COLL_BEGIN, part, c->dtype, where);
    kbs_coll_record(c, algorithm);
    record_end(stream, KB_OP_COLL_END, part, c->dtype, where);
    stream->collective = 0;
    stream->group = KB_NONE;
    kbs_call_end(host, stream, where);
}

/* What all PEs of the rank do, each with its share; the first rank's call is `first`. */
static void record_rank(tl_stream *host, kbs_call *first, const kb_coll_call *call, kb_coll *c,
                        const kbs_algorithm *algorithm, tl_where where) {
    const uint32_t pes = host->program->rank_pes;
    uint64_t elements = 0, before = 0;
    for (uint32_t pe = 0; pe < pes; pe++) {
        if (!lay_out(host, call, pe, c, where))
            return;
        elements += elements_of(c);
        if (c->rank == 0)
            first->shares[pe] = elements_of(c);
    }
    if (!agree(host, first, c, elements, where))
        return;
    const kbs_call made = {.name = first->name, .where = where, .group = first->group};
    kbs_call_launch(host, &made, false);
    for (uint32_t pe = 0; pe < pes && lay_out(host, call, pe, c, where); pe++) {
        if (!agree_on_part(host, first, c, pe, where))
            return;
        first->parts[c->rank * pes + pe] = part_of(host, c, pe, before);
        before += elements_of(c);
        kb_coll own = *c;
        record(host, first, pe, &own, algorithm, where);
    }
    host->launches++;
}

void kb_collective_at(tl_stream *host, const kb_coll_call *call, tl_where where) {
    kbs_program *program = host->program;
    const kb_group *group;
    kbs_call made = {.kind = call->kind, .where = where};
    made.group = call->group != NULL ? call->group->id : program->group;
    made.collectives = meanings[call->kind].is_many ? program->rank_pes : 1;
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
    record_rank(host, first, call, &c, algorithm, where);
}

/* --- definitions ----------------------------------------------------------------------------- */

static kb_collective row_of(const kbs_call *call, const kb_part *parts, size_t count, uint64_t elements) {
    const meaning *means = &meanings[call->kind];
    return (kb_collective){.kind = call->kind,
                           .group = call->group,
                           .reduce = call->reduce,
                           .dtype = call->dtype,
                           .elements = elements,
                           .root = means->root_gives || means->root_takes ? call->root : KB_NONE,
                           .parts = parts,
                           .part_count = count};
}

static kb_status define(kbs_program *program, const kbs_call *call, kb_collective *row,
                        const kbs_bound *bound, kb_trail *trail) {
    uint32_t id;
    row->bound_ps = bound->ps;
    row->cut = bound->cut;
    KB_TRY(kb_defs_intern(&program->defs, call->name, &row->algorithm, trail));
    return kb_defs_add_collective(&program->defs, row, &id, trail);
}

/* Of PEs with one number each a collective of its own. */
static kb_status define_many(kbs_program *program, const kbs_call *call, size_t members, kb_trail *trail) {
    void *memory;
    kbs_bound bound;
    KB_TRY(kb_arena_new(&program->arena, members * sizeof(kb_part), &memory, trail));
    kb_part *parts = memory;
    for (uint32_t pe = 0; pe < call->collectives; pe++) {
        for (size_t i = 0; i < members; i++)
            parts[i] = call->parts[i * call->collectives + pe];
        kb_collective row = row_of(call, parts, members, call->shares[pe]);
        KB_TRY(kbs_bound_find(program, &row, &bound, trail));
        KB_TRY(define(program, call, &row, &bound, trail));
    }
    return KB_OK;
}

kb_status kbs_define_collectives(kbs_program *program, kb_trail *trail) {
    for (size_t i = 0; i < program->call_count; i++) {
        kbs_call *call = &program->calls[i];
        if (call->kernel != NULL)
            continue;
        const size_t members = program->defs.groups[call->group].rank_count;
        kb_collective row = row_of(call, call->parts, members * program->rank_pes, call->elements);
        KB_TRY(kbs_bound_find(program, &row, &call->bound, trail));
        if (call->collectives > 1)
            KB_TRY(define_many(program, call, members, trail));
        else
            KB_TRY(define(program, call, &row, &call->bound, trail));
    }
    return KB_OK;
}
