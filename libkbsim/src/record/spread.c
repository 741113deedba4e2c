/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensors over the PEs of a rank: what of one lies on each, and the handle that stands for all of it.
 *
 * A tensor consists of blocks (its rows along the last axis), and each block is cut among the PEs for
 * itself, in shares that are rounded up: the last PEs have less of it, or nothing. A PE keeps its shares of
 * all blocks one behind the other. In the trace it is one tensor with shards. The handle is a view without a
 * memory, whose `message` is its number.
 */
#include <inttypes.h>
#include <string.h>

#include "record/tensor.h"

/* Elements of the tensor that lie side by side on a PE. */
typedef struct piece {
    uint64_t first, count;
} piece;

/* What of a block lies on the PE of that number in its rank. */
static piece piece_of(const kbs_spread *what, uint64_t block, uint32_t pe) {
    const uint64_t begin = block * what->cut.block, left = what->elements - begin;
    const uint64_t length = left < what->cut.block ? left : what->cut.block, share = what->cut.share;
    const uint64_t first = pe * share < length ? pe * share : length;
    return (piece){begin + first, length - first < share ? length - first : share};
}

static uint64_t block_count(const kbs_spread *what) {
    const uint64_t block = what->cut.block;
    return block == 0 ? 0 : what->elements / block + (what->elements % block != 0);
}

static uint64_t share_of(const kbs_spread *what, uint32_t pe) {
    const uint64_t blocks = block_count(what);
    if (blocks == 0)
        return 0;
    return piece_of(what, 0, pe).count * (blocks - 1) + piece_of(what, blocks - 1, pe).count;
}

/* --- contents -------------------------------------------------------------------------------- */

/* Of what is drawn, a PE may have any numbers that nobody else has: they run on through its shares. */
static bool runs_on(const kb_initial *initial) {
    return initial->recipe != KB_RECIPE_IOTA && initial->recipe != KB_RECIPE_BYTES;
}

/* The part of a piece that has contents. */
static piece filled(const kbs_new *what, piece p) {
    const uint64_t end = p.first + p.count, last = what->first + what->count;
    const uint64_t from = p.first > what->first ? p.first : what->first, to = end < last ? end : last;
    return (piece){from, to > from ? to - from : 0};
}

static kb_status add_initial(kbs_program *program, const kbs_tensor *tensor, const kb_initial *row,
                             uint64_t place, kb_trail *trail) {
    kb_initial initial = *row;
    uint32_t id;
    initial.memory = tensor->memory;
    initial.offset_bytes = tensor->offset_bytes + place * kb_dtype_size(row->dtype);
    return kb_defs_add_initial(&program->defs, &initial, &id, trail);
}

/* The contents of a PE's shares: `before` elements with contents lie on the PEs before it. */
static kb_status fill(kbs_program *program, const kbs_new *what, const kbs_spread *spread, uint32_t pe,
                      const kbs_tensor *tensor, uint64_t *inout_before, kb_trail *trail) {
    const uint64_t size = kb_dtype_size(what->initial->dtype), blocks = block_count(spread);
    kb_initial row = *what->initial;
    uint64_t place = 0, begun = 0;
    row.elements = 0;
    for (uint64_t block = 0; block < blocks && what->initial->recipe != 0; block++) {
        const piece whole = piece_of(spread, block, pe), some = filled(what, whole);
        if (some.count > 0 && row.elements > 0 && runs_on(&row)) {
            row.elements += some.count;
        } else if (some.count > 0) {
            if (row.elements > 0)
                KB_TRY(add_initial(program, tensor, &row, begun, trail));
            const uint64_t number = runs_on(&row) ? *inout_before : some.first - what->first;
            begun = place + (some.first - whole.first);
            row.elements = some.count;
            row.first_element = what->initial->first_element + number;
            if (row.recipe == KB_RECIPE_BYTES) {
                row.first_element = 0;
                row.bytes = what->initial->bytes + number * size;
                row.bytes_count = some.count * size;
            }
        }
        *inout_before += some.count;
        place += whole.count;
    }
    return row.elements > 0 ? add_initial(program, tensor, &row, begun, trail) : KB_OK;
}

/* --- definitions ----------------------------------------------------------------------------- */

typedef struct shards {
    kb_shard *rows;
    size_t count;
    uint64_t (*numbers)[2]; /* of each: origin and shape, where the tensor is a row */
} shards;

static const int64_t side_by_side[1] = {1};

/* Of a row of elements each piece is a shard. */
static void add_pieces(shards *to, const kbs_spread *spread, uint32_t pe, const kbs_tensor *tensor,
                       uint32_t size) {
    const uint64_t blocks = block_count(spread);
    uint64_t offset = tensor->offset_bytes;
    for (uint64_t block = 0; block < blocks; block++) {
        const piece p = piece_of(spread, block, pe);
        if (p.count == 0)
            continue;
        uint64_t *numbers = to->numbers[to->count];
        numbers[0] = p.first;
        numbers[1] = p.count;
        to->rows[to->count++] = (kb_shard){.memory = tensor->memory,
                                           .offset_bytes = offset,
                                           .origin = &numbers[0],
                                           .origin_count = 1,
                                           .shape = &numbers[1],
                                           .shape_count = 1,
                                           .stride = side_by_side,
                                           .stride_count = 1};
        offset += p.count * size;
    }
}

/* Of a tensor of several axes a PE's shares are one shard: some columns of all rows. */
static void add_columns(shards *to, const tl_view *part, const kbs_tensor *tensor, const uint64_t *origin) {
    if (part->elements > 0)
        to->rows[to->count++] = (kb_shard){.memory = tensor->memory,
                                           .offset_bytes = tensor->offset_bytes,
                                           .origin = origin,
                                           .origin_count = part->dims,
                                           .shape = part->shape,
                                           .shape_count = part->dims,
                                           .stride = part->stride,
                                           .stride_count = part->dims};
}

static kb_status define(kbs_program *program, const kbs_new *what, const kbs_spread *spread, uint32_t rank,
                        kb_arena *arena, kb_trail *trail) {
    const uint32_t pes = program->rank_pes, dims = what->shape->dims;
    const size_t most = dims > 1 ? pes : pes * block_count(spread);
    void *rows, *numbers, *origins;
    shards all = {.count = 0};
    KB_TRY(kb_arena_new(arena, most * sizeof(kb_shard), &rows, trail));
    KB_TRY(kb_arena_new(arena, most * sizeof all.numbers[0], &numbers, trail));
    KB_TRY(kb_arena_new(arena, (size_t)pes * KB_DIMS_MAX * sizeof(uint64_t), &origins, trail));
    all.rows = rows;
    all.numbers = numbers;
    for (uint32_t pe = 0; pe < pes; pe++) {
        const kbs_tensor *tensor = &program->tensors[spread->first_tensor + pe];
        uint64_t *origin = (uint64_t *)origins + (size_t)pe * KB_DIMS_MAX;
        if (dims > 0)
            origin[dims - 1] = pe * spread->cut.share;
        if (dims > 1)
            add_columns(&all, &spread->parts[pe], tensor, origin);
        else
            add_pieces(&all, spread, pe, tensor, kb_dtype_size(what->initial->dtype));
    }
    const uint64_t one = 1;
    const kb_tensor row = {.name = what->name,
                           .dtype = what->initial->dtype,
                           .rank = rank,
                           .shape = dims > 0 ? what->shape->of : &one,
                           .shape_count = dims > 0 ? dims : 1,
                           .shards = all.rows,
                           .shard_count = all.count};
    uint32_t id;
    return kb_defs_add_tensor(&program->defs, &row, &id, trail);
}

/* --- making ---------------------------------------------------------------------------------- */

static kb_status add_spread(kbs_program *program, const kbs_new *what, kbs_spread *ret, kb_trail *trail) {
    void *spreads = program->spreads, *parts;
    KB_TRY(kb_grow(program->alloc, sizeof(kbs_spread), program->spread_count + 1, &program->spread_capacity,
                   &spreads, trail));
    program->spreads = spreads;
    KB_TRY(kb_arena_new(&program->arena, program->rank_pes * sizeof(tl_view), &parts, trail));
    *ret = (kbs_spread){parts, program->tensor_count, what->elements, what->cut};
    program->spreads[program->spread_count++] = *ret;
    return KB_OK;
}

/* What lies on one PE; false after a mistake. */
static bool make_part(tl_stream *host, const kbs_new *what, uint32_t pe, uint64_t *inout_before,
                      const kbs_spread *into, tl_where where) {
    kbs_program *program = host->program;
    const uint32_t size = kb_dtype_size(what->initial->dtype);
    const uint64_t elements = share_of(into, pe);
    const bool is_whole = what->initial->recipe != 0 && what->count == what->elements;
    kbs_tensor tensor = {.name = what->name,
                         .size_bytes = elements * size,
                         .known = is_whole ? KBS_KNOWN_INITIAL : KBS_KNOWN_NOT,
                         .initial = *what->initial};
    tensor.initial.first_element += *inout_before;
    if (!runs_on(what->initial) && elements > 0) {
        const piece first = piece_of(into, 0, pe);
        tensor.run = first.count;
        tensor.apart = into->cut.block;
        tensor.initial.first_element = what->initial->first_element + first.first;
        if (what->initial->recipe == KB_RECIPE_BYTES) {
            tensor.initial.first_element = 0;
            tensor.initial.bytes = what->initial->bytes + first.first * size;
        }
    }
    const kbs_tensor *made = kbs_tensor_make(host, host->pe + pe, what->space, &tensor, where);
    if (made == NULL)
        return false;
    program->status = fill(program, what, into, pe, made, inout_before, &program->trail);
    tl_shape shape = TL_SHAPE(elements);
    if (what->shape->dims > 1) {
        shape = *what->shape;
        shape.of[shape.dims - 1] = into->cut.block > 0 ? piece_of(into, 0, pe).count : 0;
    }
    into->parts[pe] = kbs_view_of(made->memory, what->initial->dtype, made->offset_bytes, &shape);
    return program->status == KB_OK;
}

tl_view kbs_spread_new(tl_stream *host, const kbs_new *what, tl_where where) {
    kbs_program *program = host->program;
    const tl_view none = {.queue = KB_NONE};
    kbs_spread spread;
    kb_arena arena;
    uint64_t before = 0;
    program->status = add_spread(program, what, &spread, &program->trail);
    for (uint32_t pe = 0; pe < program->rank_pes && program->status == KB_OK; pe++)
        if (!make_part(host, what, pe, &before, &spread, where))
            return none;
    if (program->status != KB_OK)
        return none;
    kb_arena_init(&arena, program->alloc, 0);
    program->status = define(program, what, &spread, host->rank, &arena, &program->trail);
    kb_arena_fini(&arena);
    tl_view view = kbs_view_of(KB_NONE, what->initial->dtype, 0, what->shape);
    view.message = program->spread_count;
    return view;
}

/* --- parts ----------------------------------------------------------------------------------- */

void kbs_spread_gather(const kbs_spread *from, uint32_t pe, uint32_t size, const uint8_t *bytes,
                       uint8_t *into) {
    const uint64_t blocks = block_count(from);
    for (uint64_t block = 0; block < blocks; block++) {
        const piece p = piece_of(from, block, pe);
        memcpy(into, bytes + p.first * size, p.count * size);
        into += p.count * size;
    }
}

tl_view tl_part_of_at(tl_stream *stream, tl_view view, uint32_t pe, tl_where where) {
    const kbs_program *program = stream->program;
    if (!kbs_is_ok(stream))
        return view;
    if (pe >= program->rank_pes) {
        kbs_mistake(stream, where, "there is no PE %u in a rank of %u", pe, program->rank_pes);
        return view;
    }
    return kbs_view_is_spread(&view) && view.message <= program->spread_count
               ? program->spreads[view.message - 1].parts[pe]
               : view;
}

tl_view tl_part_at(tl_stream *stream, tl_view view, tl_where where) {
    return tl_part_of_at(stream, view, stream->pe % stream->program->rank_pes, where);
}
