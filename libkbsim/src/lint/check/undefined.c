/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of MATH and GEMM computed from bytes that nothing can have written when they are read: scratch, and
 * tensors that begin undefined.
 *
 * One stream is walked at a time, in its order, with the ranges that are surely undefined there. Whatever
 * could have written to them takes them out: a command of the stream once it is issued; all that others write
 * anywhere in that memory, and what hosts write there, at once. A copy of undefined bytes defines nothing. So
 * what is found is read undefined at every timing; what is not found may be.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lint/linting.h"

enum { MOST_RANGES = 1024, MOST_FINDINGS = 8 };

typedef struct range {
    uint32_t memory;
    uint64_t low, high;   /* bytes */
    const kbs_tensor *of; /* NULL: scratch */
} range;

/* A line that reads undefined bytes, and how often. */
typedef struct place {
    uint32_t file, line;
    uint64_t times;
    uint32_t rank, kind;
    uint64_t offset_bytes, size_bytes;
    const char *tensor; /* NULL: scratch */
    uint32_t space;
} place;

typedef struct walk {
    kbs_linting *l;
    bool *foreign; /* by memory: others than its owner's PE write to it */
    range ranges[MOST_RANGES];
    size_t count;
    place places[MOST_FINDINGS];
    size_t place_count;
    uint64_t beyond;            /* lines that found no place */
    const kbs_tensor **tensors; /* that begin undefined, by place; those before the first were taken */
    size_t tensor_first, tensor_count;
    const tl_stream *stream;
} walk;

/* --- ranges ---------------------------------------------------------------------------------- */

/* The bytes that an operand spans; false where it is empty. */
static bool span(const kb_operand *operand, uint64_t offset_bytes, range *ret) {
    int64_t low = 0, high = 0;
    if (!kb_operand_extent(operand, &low, &high) || high <= low)
        return false;
    *ret = (range){operand->memory, offset_bytes + (uint64_t)low, offset_bytes + (uint64_t)high, NULL};
    return true;
}

static bool meets(const range *a, const range *b) {
    return a->memory == b->memory && a->low < b->high && b->low < a->high;
}

static void add_range(walk *w, const range *one) {
    if (w->count < MOST_RANGES) /* what finds no room is not looked at */
        w->ranges[w->count++] = *one;
}

/* Those bytes may be defined from now on. */
static void take_out(walk *w, const range *written) {
    for (size_t i = 0; i < w->count;) {
        range *one = &w->ranges[i];
        if (!meets(one, written)) {
            i++;
            continue;
        }
        const range behind = {one->memory, written->high, one->high, one->of};
        const bool has_behind = behind.low < behind.high;
        if (one->low < written->low) {
            one->high = written->low;
            i++;
        } else {
            *one = w->ranges[--w->count];
        }
        if (has_behind)
            add_range(w, &behind);
    }
}

/* Undefined bytes among those of an operand without gaps; of one with gaps only if all that it spans are. */
static const range *find_undefined(const walk *w, const kb_operand *operand, const range *read) {
    const bool has_gaps =
        read->high - read->low != kb_operand_elements(operand) * kb_dtype_size(operand->dtype);
    for (size_t i = 0; i < w->count; i++)
        if (meets(&w->ranges[i], read) &&
            (!has_gaps || (w->ranges[i].low <= read->low && read->high <= w->ranges[i].high)))
            return &w->ranges[i];
    return NULL;
}

static bool is_wholly_undefined(const walk *w, const range *read) {
    for (size_t i = 0; i < w->count; i++)
        if (w->ranges[i].memory == read->memory && w->ranges[i].low <= read->low &&
            read->high <= w->ranges[i].high)
            return true;
    return false;
}

/* --- who else writes ------------------------------------------------------------------------- */

/* By the shapes of their commands: which memories are written by others than their owner's PE. */
static void find_foreign(walk *w) {
    const kbs_program *program = w->l->program;
    for (uint32_t pe = 0; pe < program->pes; pe++) {
        const kbs_commands *commands = &program->streams[pe].commands;
        for (size_t i = 0; i < commands->shape_count; i++) {
            const kbs_common *common = &commands->shapes[i]->common;
            if (common->kind == KB_OP_IPCQ_COPY) /* into a ring, where nothing else lies */
                continue;
            for (unsigned k = 0; k < common->operand_count; k++)
                if (common->operands[k].access != KB_ACCESS_READ &&
                    program->defs.memories[common->operands[k].memory].pe != pe)
                    w->foreign[common->operands[k].memory] = true;
        }
    }
}

static int compare(const void *a, const void *b) {
    const kbs_tensor *one = *(const kbs_tensor *const *)a, *other = *(const kbs_tensor *const *)b;
    if (one->memory != other->memory)
        return one->memory < other->memory ? -1 : 1;
    return one->offset_bytes < other->offset_bytes ? -1 : one->offset_bytes > other->offset_bytes;
}

/* The tensors that begin undefined, by place, but for those whose place others have had, or will. */
static kb_status find_tensors(walk *w, kb_arena *arena) {
    const kbs_program *program = w->l->program;
    const size_t count = program->tensor_count;
    void *memory;
    KB_TRY(kb_arena_new(arena, count * sizeof(kbs_tensor *), &memory, w->l->trail));
    const kbs_tensor **all = memory;
    uint64_t end = 0; /* of all before in that memory */
    uint32_t before = KB_NONE;
    for (size_t i = 0; i < count; i++)
        all[i] = &program->tensors[i];
    if (count > 0)
        qsort(all, count, sizeof all[0], compare);
    w->tensors = all;
    for (size_t i = 0; i < count; i++) { /* those that are kept move to the front */
        const kbs_tensor *one = all[i], *next = i + 1 < count ? all[i + 1] : NULL;
        const uint64_t high = one->offset_bytes + one->size_bytes;
        end = one->memory == before ? end : 0;
        before = one->memory;
        const bool is_alone = one->offset_bytes >= end &&
                              (next == NULL || next->memory != one->memory || next->offset_bytes >= high);
        end = end > high ? end : high;
        if (one->is_allocated && is_alone && !w->foreign[one->memory])
            all[w->tensor_count++] = one;
    }
    return KB_OK;
}

/* The tensors of a PE that begin undefined, but for what its host writes at any time. */
static kb_status begin(walk *w, const tl_stream *stream) {
    const kbs_program *program = w->l->program;
    kb_arena arena;
    kbs_reading reading;
    kbs_command command;
    w->stream = stream;
    w->count = 0;
    for (; w->tensor_first < w->tensor_count; w->tensor_first++) { /* memories are numbered by PE */
        const kbs_tensor *tensor = w->tensors[w->tensor_first];
        if (program->defs.memories[tensor->memory].pe != stream->pe)
            break;
        add_range(w, &(range){tensor->memory, tensor->offset_bytes, tensor->offset_bytes + tensor->size_bytes,
                              tensor});
    }
    if (w->count == 0)
        return KB_OK;
    kb_arena_init(&arena, program->alloc, 0);
    const kb_status status =
        kbs_reading_init(&reading, &program->hosts[stream->rank].commands, &arena, w->l->trail);
    while (status == KB_OK && kbs_reading_next(&reading, &command)) {
        range written;
        if (command.shape->common.kind == KB_OP_HOST_WRITE &&
            span(&command.shape->common.operands[0], command.offsets[0], &written))
            take_out(w, &written);
    }
    kb_arena_fini(&arena);
    return status;
}

/* --- one stream ------------------------------------------------------------------------------ */

static void keep_place(walk *w, const kbs_common *common, const range *found, const range *read) {
    for (size_t i = 0; i < w->place_count; i++)
        if (w->places[i].file == common->file && w->places[i].line == common->line) {
            w->places[i].times++;
            return;
        }
    if (w->place_count == MOST_FINDINGS) {
        w->beyond++;
        return;
    }
    const uint64_t low = found->low > read->low ? found->low : read->low;
    const uint64_t high = found->high < read->high ? found->high : read->high;
    w->places[w->place_count++] =
        (place){.file = common->file,
                .line = common->line,
                .times = 1,
                .rank = w->stream->rank,
                .kind = common->kind,
                .offset_bytes = low - (found->of != NULL ? found->of->offset_bytes : 0),
                .size_bytes = high - low,
                .tensor = found->of != NULL ? found->of->name : NULL,
                .space = w->l->program->defs.memories[found->memory].space};
}

/* An engine computes from what it reads; what it writes counts as defined even then: a cause is told once. */
static void compute(walk *w, const kbs_command *command) {
    const kbs_common *common = &command->shape->common;
    for (unsigned i = 0; i < common->operand_count; i++) {
        range read;
        if (common->operands[i].access == KB_ACCESS_WRITE ||
            !span(&common->operands[i], command->offsets[i], &read))
            continue;
        const range *found = find_undefined(w, &common->operands[i], &read);
        if (found == NULL)
            continue;
        keep_place(w, common, found, &read);
        take_out(w, &read);
    }
}

static void write(walk *w, const kbs_command *command) {
    const kbs_common *common = &command->shape->common;
    for (unsigned i = 0; i < common->operand_count; i++) {
        range written;
        if (common->operands[i].access != KB_ACCESS_READ &&
            span(&common->operands[i], command->offsets[i], &written))
            take_out(w, &written);
    }
}

static bool is_copy_of_nothing(const walk *w, const kbs_command *command) {
    const kbs_common *common = &command->shape->common;
    range read;
    return (common->kind == KB_OP_DMA_READ || common->kind == KB_OP_DMA_WRITE) &&
           span(&common->operands[1], command->offsets[1], &read) && is_wholly_undefined(w, &read);
}

static void look_at(walk *w, const kbs_command *command, uint64_t *inout_blocks) {
    const kbs_common *common = &command->shape->common;
    if (common->kind == KB_OP_ALLOC) {
        range block;
        --*inout_blocks;
        if (!w->foreign[w->stream->tcm] && span(&common->operands[0], command->offsets[0], &block)) {
            take_out(w, &block); /* which cannot be in it; but then it is in once */
            add_range(w, &block);
        }
        return;
    }
    if (w->count == 0)
        return;
    if (common->kind == KB_OP_MATH || common->kind == KB_OP_GEMM)
        compute(w, command);
    if (!is_copy_of_nothing(w, command))
        write(w, command); /* a free as well: what is freed is nobody's */
}

static kb_status walk_stream(walk *w, const tl_stream *stream) {
    kbs_reading reading;
    kbs_command command;
    kb_arena arena;
    uint64_t blocks = stream->blocks;
    KB_TRY(begin(w, stream));
    if (w->count == 0 && blocks == 0)
        return KB_OK;
    kb_arena_init(&arena, w->l->program->alloc, 0);
    const kb_status status = kbs_reading_init(&reading, &stream->commands, &arena, w->l->trail);
    while (status == KB_OK && (w->count > 0 || blocks > 0) && kbs_reading_next(&reading, &command))
        look_at(w, &command, &blocks);
    kb_arena_fini(&arena);
    return status;
}

/* --- findings -------------------------------------------------------------------------------- */

static kb_status tell(kbs_linting *l, const place *one) {
    char what[96] = "scratch", more[64] = "";
    if (one->tensor != NULL)
        snprintf(what, sizeof what, "tensor %.64s", one->tensor);
    if (one->times > 1)
        snprintf(more, sizeof more, " (%" PRIu64 " times in all)", one->times);
    return kbs_lint_find(l, KBS_CHECK_UNDEFINED, true,
                         "%s:%u: in rank %u %s computes from %" PRIu64 " bytes of %s%s%" PRIu64
                         " that nothing has written%s",
                         kb_defs_text(&l->program->defs, one->file), one->line, one->rank,
                         kb_word_name(KB_VOC_KIND, one->kind), one->size_bytes, what,
                         one->tensor != NULL ? " from byte " : " at tcm+", one->offset_bytes, more);
}

static kb_status tell_all(const walk *w) {
    for (size_t i = 0; i < w->place_count; i++)
        KB_TRY(tell(w->l, &w->places[i]));
    if (w->beyond == 0)
        return KB_OK;
    return kbs_lint_find(
        w->l, KBS_CHECK_UNDEFINED, true,
        "%" PRIu64 " more results are computed from what nothing has written, at other lines", w->beyond);
}

static kb_status walk_all(walk *w, kb_arena *arena) {
    const kbs_program *program = w->l->program;
    void *memory;
    KB_TRY(kb_arena_new(arena, program->defs.memory_count * sizeof(bool), &memory, w->l->trail));
    w->foreign = memory;
    find_foreign(w);
    KB_TRY(find_tensors(w, arena));
    for (uint32_t pe = 0; pe < program->pes; pe++)
        KB_TRY(walk_stream(w, &program->streams[pe]));
    return tell_all(w);
}

kb_status kbs_check_undefined(kbs_linting *l) {
    kb_arena arena;
    void *memory;
    kb_arena_init(&arena, l->program->alloc, 0);
    kb_status status = kb_arena_new(&arena, sizeof(walk), &memory, l->trail);
    if (status == KB_OK) {
        walk *w = memory;
        w->l = l;
        status = walk_all(w, &arena);
    }
    kb_arena_fini(&arena);
    return status;
}
