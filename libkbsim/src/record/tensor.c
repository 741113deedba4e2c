/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of host programs: where they lie, what they hold, and the end of their lives. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/tensor.h"

/* --- what is known of contents ----------------------------------------------------------------- */

static void watch_again(kbs_program *program, uint32_t memory) {
    kbs_watch watch = {UINT64_MAX, 0};
    for (size_t i = 0; i < program->tensor_count; i++) {
        const kbs_tensor *tensor = &program->tensors[i];
        if (tensor->memory != memory || tensor->is_freed ||
            (tensor->known != KBS_KNOWN_INITIAL && tensor->known != KBS_KNOWN_BYTES))
            continue;
        const uint64_t end = tensor->offset_bytes + tensor->size_bytes;
        watch.low = tensor->offset_bytes < watch.low ? tensor->offset_bytes : watch.low;
        watch.high = end > watch.high ? end : watch.high;
    }
    program->watches[memory] = watch;
}

void kbs_note_write(kbs_program *program, const kb_operand *operand, uint64_t offset_bytes, tl_where where) {
    int64_t low = 0, high = 0;
    bool found = false;
    if (!kb_operand_extent(operand, &low, &high))
        return;
    const uint64_t from = offset_bytes + (uint64_t)low, to = offset_bytes + (uint64_t)high;
    for (size_t i = 0; i < program->tensor_count; i++) {
        kbs_tensor *tensor = &program->tensors[i];
        if (tensor->memory != operand->memory || tensor->known == KBS_KNOWN_WRITTEN ||
            to <= tensor->offset_bytes || from >= tensor->offset_bytes + tensor->size_bytes)
            continue;
        tensor->known = KBS_KNOWN_WRITTEN;
        tensor->written = where;
        found = true;
    }
    if (found)
        watch_again(program, operand->memory);
}

/* A host has written a whole tensor: its bytes are known. Of a part, nothing is known any more. */
void kbs_know_bytes(kbs_program *program, const tl_view *view, const void *bytes, tl_where where) {
    const uint64_t size = view->elements * kb_dtype_size(view->dtype);
    void *copy = NULL;
    for (size_t i = 0; i < program->tensor_count; i++) {
        kbs_tensor *tensor = &program->tensors[i];
        const uint64_t end = tensor->offset_bytes + tensor->size_bytes;
        if (tensor->memory != view->memory || tensor->is_freed || view->offset_bytes >= end ||
            view->offset_bytes + size <= tensor->offset_bytes)
            continue;
        tensor->known = KBS_KNOWN_WRITTEN;
        tensor->written = where;
        if (tensor->offset_bytes != view->offset_bytes || tensor->size_bytes != size)
            continue;
        program->status = kb_arena_copy(&program->arena, bytes, size, &copy, &program->trail);
        if (program->status != KB_OK)
            return;
        tensor->known = KBS_KNOWN_BYTES;
        tensor->bytes = copy;
    }
    watch_again(program, view->memory);
}

/* --- room ------------------------------------------------------------------------------------ */

/* Room that was given back, for what begins undefined; false where none is large enough. */
static bool take_again(kbs_program *program, uint32_t memory, uint64_t size_bytes, uint64_t *ret_offset) {
    for (size_t i = 0; i < program->room_count; i++) {
        kbs_room *room = &program->rooms[i];
        if (room->memory != memory || room->size_bytes < size_bytes)
            continue;
        *ret_offset = room->offset_bytes;
        const uint64_t used = (size_bytes + 63) / 64 * 64;
        room->offset_bytes += used < room->size_bytes ? used : room->size_bytes;
        room->size_bytes -= used < room->size_bytes ? used : room->size_bytes;
        return true;
    }
    return false;
}

static void give_back(kbs_program *program, const kbs_tensor *tensor) {
    void *rooms = program->rooms;
    program->status = kb_grow(program->alloc, sizeof(kbs_room), program->room_count + 1,
                              &program->room_capacity, &rooms, &program->trail);
    if (program->status != KB_OK)
        return;
    program->rooms = rooms;
    program->rooms[program->room_count++] =
        (kbs_room){tensor->memory, tensor->offset_bytes, tensor->size_bytes};
}

static void record_life(tl_stream *host, kb_kind kind, const kbs_tensor *tensor, uint64_t id,
                        tl_where where) {
    kbs_common common;
    kbs_common_init(host, &common, kind, KB_BLOCKS_DONE, where);
    common.operand_count = 1;
    common.operands[0] =
        kb_operand_vector(tensor->memory, KB_ACCESS_WRITE, KB_DTYPE_BYTES, tensor->size_bytes);
    kbs_command command = {.id = id};
    command.offsets[0] = tensor->offset_bytes;
    kbs_append_command(host, &common, &command);
}

/* --- definitions ----------------------------------------------------------------------------- */

static kb_status define(kbs_program *program, const kbs_tensor *tensor, const tl_view *view,
                        kb_trail *trail) {
    static const uint64_t origin[KB_DIMS_MAX];
    uint32_t id;
    const kb_shard shard = {.memory = tensor->memory,
                            .offset_bytes = tensor->offset_bytes,
                            .origin = origin,
                            .origin_count = view->dims,
                            .shape = view->shape,
                            .shape_count = view->dims,
                            .stride = view->stride,
                            .stride_count = view->dims};
    const kb_tensor row = {.name = tensor->name,
                           .dtype = view->dtype,
                           .rank = tensor->rank,
                           .shape = view->shape,
                           .shape_count = view->dims,
                           .shards = &shard,
                           .shard_count = 1};
    KB_TRY(kb_defs_add_tensor(&program->defs, &row, &id, trail));
    if (tensor->initial.recipe == 0 || tensor->initial.elements == 0)
        return KB_OK;
    return kb_defs_add_initial(&program->defs, &tensor->initial, &id, trail);
}

static kbs_tensor *add(kbs_program *program) {
    void *tensors = program->tensors;
    program->status = kb_grow(program->alloc, sizeof(kbs_tensor), program->tensor_count + 1,
                              &program->tensor_capacity, &tensors, &program->trail);
    if (program->status != KB_OK)
        return NULL;
    program->tensors = tensors;
    return &program->tensors[program->tensor_count];
}

/* Finds room for a tensor; its life begins with an op where it is undefined, else with the run. */
static bool place(tl_stream *host, uint32_t pe, kbs_tensor *tensor, uint32_t space, tl_where where) {
    kbs_program *program = host->program;
    const bool is_undefined = tensor->initial.recipe == 0;
    if (!is_undefined || tensor->size_bytes == 0 ||
        !take_again(program, tensor->memory, tensor->size_bytes, &tensor->offset_bytes)) {
        const kb_status status = kbs_program_take(program, pe, space, tensor->size_bytes, tensor->name,
                                                  &tensor->offset_bytes, &program->trail);
        if (status != KB_OK) {
            kbs_trouble(host, where, status);
            return false;
        }
    }
    if (is_undefined && tensor->size_bytes > 0) {
        tensor->is_allocated = true;
        tensor->allocation = program->hosts[host->rank].allocations++;
        record_life(host, KB_OP_ALLOC, tensor, tensor->allocation, where);
    }
    return kbs_is_ok(host);
}

kbs_tensor *kbs_tensor_make(tl_stream *host, uint32_t pe, uint32_t space, const kbs_tensor *what,
                            tl_where where) {
    kbs_program *program = host->program;
    kbs_tensor *tensor = add(program);
    if (tensor == NULL)
        return NULL;
    *tensor = *what;
    tensor->memory = kbs_memory_of(program, space, pe);
    tensor->rank = host->rank;
    if (!place(host, pe, tensor, space, where))
        return NULL;
    program->tensor_count++;
    if (tensor->known == KBS_KNOWN_INITIAL)
        watch_again(program, tensor->memory);
    return tensor;
}

/* Where a rank has one PE. */
static tl_view new_whole(tl_stream *host, const kbs_new *what, tl_where where) {
    kbs_program *program = host->program;
    const tl_view none = {.queue = KB_NONE};
    const uint32_t size = kb_dtype_size(what->initial->dtype);
    const bool is_known = what->initial->recipe != 0 && what->count == what->elements;
    const kbs_tensor made = {.name = what->name,
                             .size_bytes = what->elements * size,
                             .known = is_known ? KBS_KNOWN_INITIAL : KBS_KNOWN_NOT,
                             .initial = *what->initial};
    kbs_tensor *tensor = kbs_tensor_make(host, host->pe, what->space, &made, where);
    if (tensor == NULL)
        return none;
    tensor->initial.memory = tensor->memory;
    tensor->initial.offset_bytes = tensor->offset_bytes + what->first * size;
    tensor->initial.elements = what->count;
    const tl_view view = kbs_view_of(tensor->memory, what->initial->dtype, tensor->offset_bytes, what->shape);
    program->status = define(program, tensor, &view, &program->trail);
    return program->status == KB_OK ? view : none;
}

/* Its memory and shape are such as there are; false after a mistake. */
static bool check_new(tl_stream *host, kbs_new *what, tl_where where) {
    const uint32_t space = what->space, dtype = what->initial->dtype, size = kb_dtype_size(dtype);
    if (!kbs_is_ok(host))
        return false;
    if (size == 0 || (space != KB_SPACE_TCM && space != KB_SPACE_HBM && space != KB_SPACE_SRAM))
        kbs_mistake(host, where,
                    size == 0 ? "tensor %s: there is no dtype number %u"
                              : "tensor %s: there is no memory number %u of a PE",
                    what->name, size == 0 ? dtype : space);
    else if (!kbs_shape_elements(what->shape, &what->elements))
        kbs_mistake(host, where, "tensor %s: its elements exceed any memory", what->name);
    return kbs_is_ok(host);
}

static tl_view new_tensor(tl_stream *host, kbs_new *what, tl_where where) {
    kbs_program *program = host->program;
    program->status =
        kb_arena_text(&program->arena, what->name, strlen(what->name), &what->name, &program->trail);
    if (program->status != KB_OK)
        return (tl_view){.queue = KB_NONE};
    return program->rank_pes > 1 ? kbs_spread_new(host, what, where) : new_whole(host, what, where);
}

tl_view kbs_tensor_new_part(tl_stream *host, const char *name, uint32_t space, const tl_shape *shape,
                            const kbs_cut *cut, const kb_initial *initial, uint64_t first, uint64_t count,
                            tl_where where) {
    kbs_new what = {name, space, shape, initial, first, count, 0, *cut};
    return check_new(host, &what, where) ? new_tensor(host, &what, where) : (tl_view){.queue = KB_NONE};
}

tl_view kbs_tensor_new(tl_stream *host, const char *name, uint32_t space, const tl_shape *shape,
                       const kb_initial *initial, tl_where where) {
    kbs_new what = {.name = name, .space = space, .shape = shape, .initial = initial};
    if (!check_new(host, &what, where))
        return (tl_view){.queue = KB_NONE};
    what.count = what.elements;
    const uint64_t axis = shape->dims > 0 ? shape->of[shape->dims - 1] : 1;
    what.cut = kbs_cut_of(host->program, axis, axis);
    return new_tensor(host, &what, where);
}

/* --- the end of a life ----------------------------------------------------------------------- */

static void free_one(tl_stream *host, tl_view view, tl_where where) {
    kbs_program *program = host->program;
    if (!kbs_is_ok(host))
        return;
    kbs_tensor *found = NULL;
    const uint64_t size = view.elements * kb_dtype_size(view.dtype);
    for (size_t i = 0; i < program->tensor_count && view.queue == KB_NONE; i++) {
        kbs_tensor *tensor = &program->tensors[i];
        if (tensor->memory == view.memory && tensor->rank == host->rank &&
            tensor->offset_bytes == view.offset_bytes && tensor->size_bytes == size)
            found = tensor; /* the latest one there */
    }
    if (found == NULL || found->is_freed) {
        kbs_mistake(host, where,
                    found != NULL ? "this tensor was freed before"
                                  : "only a whole tensor of this rank can be freed, and this view is none");
        return;
    }
    if (size > 0) {
        const uint64_t id =
            found->is_allocated ? found->allocation : program->hosts[host->rank].allocations++;
        record_life(host, KB_OP_FREE, found, id, where);
        give_back(program, found);
    }
    found->is_freed = true;
    watch_again(program, found->memory);
}

void kb_free_at(tl_stream *host, tl_view view, tl_where where) {
    if (!kbs_view_is_spread(&view)) {
        free_one(host, view, where);
        return;
    }
    for (uint32_t pe = 0; pe < host->program->rank_pes; pe++)
        free_one(host, tl_part_of_at(host, view, pe, where), where);
}
